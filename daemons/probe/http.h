/* http.h — one browser without a screen: libcurl, a cookie jar, and answers that can be asked.
 *
 * Talks to the gate's address whatever the host's name resolves to; verifies its certificate
 * against the local authority or the system's. Never follows a redirect by itself.
 */
#ifndef RP_DAEMONS_PROBE_HTTP_H
#define RP_DAEMONS_PROBE_HTTP_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/config.h"
#include "wire/http.h"
#include "wire/json.h"

struct http;

struct http_answer {
    struct rp_arena *arena; /* 1 MiB for whoever reads the answer */
    long status;
    struct rp_buf head; /* header lines as they came */
    struct rp_buf body;
};

struct http *http_new(const char *host, const char *address, uint16_t port, const char *ca_file);
/* The local authority where it signs; with ACME, it and the system's; else NULL: the system's,
 * which is what visitors go by. */
const char *http_ca_file(const struct rp_config *config);
/* From now on a request ends, UNREACHABLE, within a second after *stopping was set. */
void http_end_early(struct http *http, const atomic_bool *stopping);
/* Writes the file of both; at start. */
rp_err http_trust_both(void);
void http_free(struct http *http);
void http_forget_cookies(struct http *http);
/* A second browser with the same cookies, for what happens at the same time; free before the first.
 */
struct http *http_twin(struct http *http);

/* Its handle of libcurl, for whoever sets more than this header knows. */
void *http_handle(struct http *http);

struct http_request {
    const char *method;
    const char *path;           /* with its query */
    const char *const *headers; /* "Name: value", NULL at the end; NULL = none */
    const char *content_type;   /* NULL = no body */
    rp_view body;
    /* NULL: the body goes into the answer, up to 4 MiB. Else here, in pieces, for a minute at most;
     * an error of it ends the request, which then fails with that error. */
    rp_err (*take)(void *ctx, rp_view piece);
    void *take_ctx;
};

struct http_answer http_answer_new(void);
void http_answer_done(struct http_answer *answer);
#define _cleanup_answer_ __attribute__((cleanup(http_answer_done)))

/* UNREACHABLE or TIMEOUT when there is no answer; any status is an answer. */
rp_err http_ask(struct http *http, const struct http_request *request, struct http_answer *answer);

/* A connection of its own to this name of the gate: its certificate as PEM, in the answer's arena.
 * in_public: the system's authorities alone count.
 * UNAUTHENTICATED when its chain, its name or its dates are not to be trusted; UNREACHABLE. */
rp_err http_certificate(const struct http *http, const char *name, bool in_public,
                        struct http_answer *answer, rp_view *ret_pem);

/* The status of GET / on a connection of its own to this name, with a client's certificate and key
 * (PEM; empty: none); whose the gate's certificate is, does not matter here. DENIED when the gate
 * ends the handshake; UNREACHABLE. */
rp_err http_with_certificate(const struct http *http, const char *name, rp_view cert, rp_view key,
                             long *ret_status);

/* The value of the n-th header of that name; p == NULL past the last. */
rp_view http_header(const struct http_answer *answer, const char *name, size_t n);
/* True when the page has an input field of that name. */
bool http_has_field(struct http_answer *answer, const char *name);
/* Every hidden input of the page as name=value&…, percent-encoded: what a browser sends along. */
void http_hidden_fields(struct http_answer *answer, struct rp_buf *form);
/* The body as JSON, NULL when it is none. */
const struct rp_json *http_json(struct http_answer *answer);

#endif
