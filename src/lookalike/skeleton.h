/* skeleton.h — two labels that people take for each other have the same skeleton (UTS 39 section
 * 4).
 *
 * Each character becomes the ASCII letters that it looks like (confusables.def), marks go away,
 * digits become letters, and pairs become the one letter that they look like: rn is m, vv is w, cl
 * is d; i and l are one. A skeleton is for comparing, never for showing.
 */
#ifndef RP_LOOKALIKE_SKELETON_H
#define RP_LOOKALIKE_SKELETON_H

#include "lookalike/punycode.h"

void rp_skeleton(const struct rp_points *label, struct rp_points *ret_skeleton);
bool rp_points_equal(const struct rp_points *a, const struct rp_points *b);

#endif
