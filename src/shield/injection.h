/* injection.h — is this text SQL that breaks out of a query, or markup that runs a script?
 *
 * The same verdicts as libinjection 3.9, which the Core Rule Set's detectSQLi and detectXSS mean:
 * a value is read as SQL in three contexts (bare, in '…', in "…"), folded to at most five token
 * letters, and the letters are looked up; or read as HTML in five contexts, and dangerous tags,
 * attributes and addresses are looked for. A differential test holds us to the original.
 *
 * Pure, no allocation. Promises: S58, S64.
 */
#ifndef RP_SHIELD_INJECTION_H
#define RP_SHIELD_INJECTION_H

#include "base/view.h"

/* The fingerprint ("s&1c", up to 5 letters and a NUL) is written when the answer is true. */
bool rp_detect_sqli(rp_view value, char ret_fingerprint[static 8]);
bool rp_detect_xss(rp_view value);

#endif
