/* numeric.h — numbers as SecLang's operators read them: leading spaces, a sign, digits; what is no
 * number is 0. @lt and its kin compare 64 bits, and what is larger still is the largest; @eq and
 * setvar know 32, and what is larger is 0, as in ModSecurity 3. */
#ifndef RP_SHIELD_NUMERIC_H
#define RP_SHIELD_NUMERIC_H

#include "base/view.h"

int64_t rp_waf_number(rp_view text);
static inline int64_t rp_waf_number_32(int64_t number) {
    return number == (int32_t)number ? number : 0;
}

enum { RP_WAF_NUMBER_TEXT = 24 };
/* Decimal; the view lies in `out`. */
rp_view rp_waf_number_print(int64_t number, char out[static RP_WAF_NUMBER_TEXT]);

#endif
