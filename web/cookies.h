/* cookies.h — the names of our cookies. Each is bound to this host by its prefix (RFC 6265bis). */
#ifndef RP_WEB_COOKIES_H
#define RP_WEB_COOKIES_H

#define RP_COOKIE_SESSION "__Host-rempart"
#define RP_COOKIE_FORM "__Host-rempart-form"       /* the form token of this browser */
#define RP_COOKIE_PENDING "__Host-rempart-pending" /* a sign-in between its two steps */
#define RP_COOKIE_LANG "__Host-rempart-lang"

enum { RP_COOKIE_LANG_S = 365 * 24 * 3600, RP_COOKIE_PENDING_S = 600 };

#endif
