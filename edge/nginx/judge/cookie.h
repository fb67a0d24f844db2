/* cookie.h — our own cookies among those that a browser sends.
 *
 * A request has a session only when exactly one __Host-rempart cookie stands in it: two are a
 * neighbour's trick, and none of them is believed. What the gate and core keep in the browser
 * never reaches an application. RFC 6265 section 5.4.
 *
 * Pure; nothing is allocated.
 */
#ifndef RP_EDGE_COOKIE_H
#define RP_EDGE_COOKIE_H

#include "base/view.h"

/* The session's cookie, and the prefix that every cookie of ours has. */
#define JUDGE_COOKIE "__Host-rempart"
enum { JUDGE_COOKIE_TEXT = 43 /* 32 bytes, base64url */ };

/* Adds the session cookies of one Cookie header to *count; *ret_value is the last one's. */
void judge_cookie_scan(rp_view header, unsigned *count, rp_view *ret_value);
/* The value of the first cookie of that name; p == NULL when absent. */
rp_view judge_cookie_get(rp_view header, rp_view name);
/* 43 characters of base64url: anything else was never given out by us. */
bool judge_cookie_well_formed(rp_view value);
/* True when the name belongs to us, in whatever case it is written. */
bool judge_cookie_is_ours(rp_view name);
/* The header without our cookies, written into out, which holds 2 * header.n bytes: a blank may
 * be added after each ";". */
rp_view judge_cookie_without_ours(rp_view header, uint8_t *out);

#endif
