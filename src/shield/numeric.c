#include "shield/numeric.h"

int64_t rp_waf_number(rp_view text) {
    size_t i = 0;
    while (i < text.n && (text.p[i] == ' ' || (text.p[i] >= 9 && text.p[i] <= 13))) {
        i++;
    }
    bool negative = i < text.n && text.p[i] == '-';
    i += i < text.n && (text.p[i] == '-' || text.p[i] == '+');
    int64_t number = 0;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        int64_t digit = text.p[i] - '0';
        if (number > (INT64_MAX - digit) / 10) {
            return negative ? INT64_MIN : INT64_MAX;
        }
        number = 10 * number + digit;
    }
    return negative ? -number : number;
}

rp_view rp_waf_number_print(int64_t number, char out[static RP_WAF_NUMBER_TEXT]) {
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t at = RP_WAF_NUMBER_TEXT;
    do {
        out[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        out[--at] = '-';
    }
    return rp_view_of(out + at, RP_WAF_NUMBER_TEXT - at);
}
