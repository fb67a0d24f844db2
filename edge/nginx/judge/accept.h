/* accept.h — what the one who asks can read: a page or a problem document, French or English.
 *
 * RFC 9110 sections 12.5.1 and 12.5.4, as far as two kinds and two languages need them. The
 * answer is always one of the two; no header means a page, in French.
 */
#ifndef RP_EDGE_ACCEPT_H
#define RP_EDGE_ACCEPT_H

#include "base/err.h"

/* True when Accept names text/html with a weight above zero: a person with a browser. */
bool judge_accepts_html(rp_view accept);
/* True when an error is better told as JSON: it is named, and HTML is not. */
bool judge_wants_json(rp_view accept);
/* The language with the higher weight; the earlier one where they are equal. */
enum rp_lang judge_language(rp_view accept_language);

#endif
