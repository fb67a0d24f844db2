/* regex.h — one expression on one text, for tools; rules have theirs compiled in rp_waf_open. */
#ifndef RP_SHIELD_REGEX_H
#define RP_SHIELD_REGEX_H

#include "base/view.h"

/* False, too, for an expression that PCRE2 refuses. */
bool rp_regex_search(rp_view pattern, rp_view text);

#endif
