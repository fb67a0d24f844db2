/* edits.h — does one slip of a finger, or one flipped bit, lead from our label to the other?
 *
 * Keys are neighbours on a QWERTY or on an AZERTY keyboard.
 */
#ifndef RP_LOOKALIKE_EDITS_H
#define RP_LOOKALIKE_EDITS_H

#include "lookalike/judge.h"

/* OMISSION, REPETITION, TRANSPOSITION, NEIGHBOUR, BIT, LETTER; NONE: equal, or further apart. */
enum rp_lookalike_kind rp_one_edit(const struct rp_points *own, const struct rp_points *seen);

#endif
