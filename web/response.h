/* response.h — an answer being put together: status, heads, body; printed as CGI at the end.
 *
 * Every answer carries the security heads; nothing is cached unless a handler says so. A head's
 * value never holds a line break: one that would is a bug, not an answer.
 *
 * Promises: S81 (cookies Secure, HttpOnly, SameSite, __Host-).
 */
#ifndef RP_WEB_RESPONSE_H
#define RP_WEB_RESPONSE_H

#include "base/buf.h"

enum { RP_BODY_MAX = 32 * 1024 * 1024, RP_HEADS_MAX = 16 * 1024 };
#define RP_LENGTH_UNKNOWN UINT64_MAX

struct rp_response {
    int status;
    const char *content_type; /* NULL = no body */
    const char *cache;        /* NULL = "no-store" */
    bool for_others;          /* may be shown on other people's pages */
    bool scripted;            /* the page has a script of ours, which asks us for more */
    bool streamed;            /* the body goes out in pieces, `length` bytes in all */
    uint64_t length;          /* RP_LENGTH_UNKNOWN: it is over when it is over */
    struct rp_buf heads;
    struct rp_buf body;
};

struct rp_response rp_response_new(void);
void rp_response_done(struct rp_response *response);
/* Forgets what was written so far. */
void rp_response_clear(struct rp_response *response);

void rp_response_head(struct rp_response *response, const char *name, rp_view value);
/* 303 See Other: what every accepted form answers. */
void rp_response_redirect(struct rp_response *response, rp_view path);
/* Secure; HttpOnly; SameSite=Lax; Path=/. seconds 0 = until the browser closes. */
void rp_response_cookie(struct rp_response *response, const char *name, rp_view value,
                        int64_t seconds);
void rp_response_forget_cookie(struct rp_response *response, const char *name);

/* The CGI text that a FastCGI answer carries; and its beginning, up to the body. */
rp_err rp_response_print_head(const struct rp_response *response, struct rp_buf *out);
rp_err rp_response_print(const struct rp_response *response, struct rp_buf *out);

#endif
