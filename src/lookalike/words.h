/* words.h — our name with words beside it that inspire trust: moncoffre-login, securemoncoffre. */
#ifndef RP_LOOKALIKE_WORDS_H
#define RP_LOOKALIKE_WORDS_H

#include "lookalike/judge.h"

/* Is the label our name, or a slip of it, and beside it words of words.def and nothing else? */
bool rp_has_words(const struct rp_watched_name *own, const struct rp_points *label,
                  const struct rp_points *skeleton);

#endif
