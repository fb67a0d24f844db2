/* number.h — doubles as text and back, as JSON and ECMAScript have them.
 *
 * The only place of the project that may call strtod. Exact both ways: the text is the shortest
 * that reads back as the same double (ECMA-262 Number::toString, which RFC 8785 prescribes).
 * Expects LC_NUMERIC to be "C": no program of ours calls setlocale.
 */
#ifndef RP_WIRE_NUMBER_H
#define RP_WIRE_NUMBER_H

#include "base/err.h"

/* "-1.2345678901234567e-300" and a NUL. */
struct rp_number_text {
    char s[32];
    size_t n;
};

/* The value must be finite. */
struct rp_number_text rp_number_print(double value);

/* Text that already matches RFC 8259's grammar of a number. TOO_LARGE when it is longer than a
 * number needs to be, INVALID when no finite double is near it. */
rp_err rp_number_parse(rp_view text, double *ret_value);

#endif
