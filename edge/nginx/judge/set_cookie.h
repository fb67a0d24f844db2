/* set_cookie.h — what an application's Set-Cookie becomes before it reaches the browser.
 *
 * Secure always; HttpOnly unless the application named the cookie as one for its scripts, or the
 * name is one of the usual double-submit tokens, which exist to be read; SameSite=Lax when the
 * application says nothing. Nothing is ever weakened. A cookie of our own name is dropped: an
 * application could otherwise hand its visitor another person's session.
 *
 * Pure. Promise: S81.
 */
#ifndef RP_EDGE_SET_COOKIE_H
#define RP_EDGE_SET_COOKIE_H

#include "base/view.h"

enum judge_set_cookie { JUDGE_KEEP, JUDGE_CHANGED, JUDGE_DROP };
/* The longest text that can be added. */
enum { JUDGE_SET_COOKIE_EXTRA = sizeof "; Secure; HttpOnly; SameSite=Lax" - 1 };

/* out holds header.n + JUDGE_SET_COOKIE_EXTRA bytes; *ret_header is set when CHANGED. */
enum judge_set_cookie judge_set_cookie(rp_view header, const rp_view *for_scripts,
                                       size_t for_scripts_count, uint8_t *out, rp_view *ret_header);

#endif
