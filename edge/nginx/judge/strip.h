/* strip.h — headers that a stranger may not send to an application.
 *
 * Whoever writes "Rempart-Assertion" or "X-Remote-User" himself claims to be the gate. Names are
 * compared as a CGI or WSGI application would see them: without case, "-" and "_" alike. Also
 * stripped: what other proxies use to say who is there or where a request was going (the
 * application may believe them), and what a Connection header names (RFC 9110 section 7.6.1).
 *
 * Pure. Promise: S104 (nobody is taken for somebody else); ngx_rempart_headers.c does what is said
 * here.
 */
#ifndef RP_EDGE_STRIP_H
#define RP_EDGE_STRIP_H

#include "base/view.h"

/* Equal without case, "-" and "_" alike. */
bool judge_same_name(rp_view a, rp_view b);
/* True when an incoming header of this name must not reach the application. own: the identity
 * headers that the gate itself will set. */
bool judge_must_strip(rp_view name, const rp_view *own, size_t own_count);
/* True when the Connection header names it and hop-by-hop rules let it go. */
bool judge_named_by_connection(rp_view connection, rp_view name);

#endif
