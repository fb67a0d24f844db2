/* numeric.h — numbers as SecLang's operators read them: leading spaces, a sign, digits; what is no
 * number, or too large, is 0. */
#ifndef RP_SHIELD_NUMERIC_H
#define RP_SHIELD_NUMERIC_H

#include "base/view.h"

int64_t rp_waf_number(rp_view text);

enum { RP_WAF_NUMBER_TEXT = 24 };
/* Decimal; the view lies in `out`. */
rp_view rp_waf_number_print(int64_t number, char out[static RP_WAF_NUMBER_TEXT]);

#endif
