/* finding.h — what a probe saw, as a sentence in each language of the page.
 *
 * A probe says it once, in English, as a format. Its French stands in src/base/findings.def under
 * that format. Both are written when the probe concludes, while its values are at hand, so that
 * the log signs what either reader is shown, and a later version cannot reword it.
 *
 * A value that is itself words ("a weak cipher suite", the text of an error) is put into French by
 * the same table; `{one|more}` behind a number is the one or the other. Pure.
 */
#ifndef RP_PROMISE_FINDING_H
#define RP_PROMISE_FINDING_H

#include <stdarg.h>

#include "base/err.h"

enum { RP_FINDING_MAX = 320 }; /* bytes with the end; a longer sentence ends in "…" */

/* Marks words that reach a finding as a value, so that scripts/check-french asks for their French.
 */
#define RP_WORDS(english) english

/* The conversions are %s, also with a precision, %d and %u with their long and size_t forms, and
 * %.1f of what is not negative; another one is a bug. */
void rp_finding_print(enum rp_lang lang, char ret_text[static RP_FINDING_MAX], const char *format,
                      va_list args) __attribute__((format(printf, 3, 0)));

#endif
