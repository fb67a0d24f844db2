/* request.h — one request, from its parameters to its answer.
 *
 * The loop gathers a request and hands it to a store thread, where its handler runs to the end:
 * no callbacks, no states but one. A handler that needs argon2id fills request->password by
 * rp_request_password and returns; the password pool does the work, and the same handler is
 * entered again on its store thread with request->step one higher.
 *
 * A body below /.rempart/api/v1/files/ and …/uploads/ is not gathered: its handler is entered once
 * at the start and again for each piece (request->flow). An answer may go out in pieces the same
 * way. Each entry runs to its end; between two of them nothing is held but what stands in
 * flow.state (ADR 11). Nothing else ever waits.
 *
 * Owner: the connection; everything lives in request->arena. Threads: one at a time, handed on.
 */
#ifndef RP_WEB_REQUEST_H
#define RP_WEB_REQUEST_H

#include <stdatomic.h>

#include "config/config.h"
#include "crypto/password.h"
#include "crypto/sign.h"
#include "identity/assertion_table.h"
#include "identity/identity.h"
#include "ledger/read_io.h"
#include "promise/promise.h"
#include "register/clearing.h"
#include "register/schema.h"
#include "store/snapshot.h"
#include "web/response.h"
#include "web/texts.h"
#include "wire/fastcgi.h"
#include "wire/http.h"
#include "wire/json.h"

enum { RP_BACKUP_KEEP_MS = 60 * 1000 /* events stay, since a backup last asked */ };
enum { RP_ASSET_PATH = 64, RP_STEPS_MAX = 4, RP_JWKS_MAX = 8, RP_JWKS_BYTES_MAX = 16384 };

/* What all threads share; read-only after the start but for the flags. */
struct rp_web {
    struct rp_env env;
    const struct rp_config *config;
    const struct rp_promises *promises;
    const struct rp_registers *registers;
    void *sessions, *seen, *assertions; /* mapped tables; core is their only writer */
    char style_path[RP_ASSET_PATH];     /* "/.rempart/id/style-0123456789abcdef.css" */
    char script_path[RP_ASSET_PATH];    /* "/.rempart/id/passkey-0123456789abcdef.js" */
    _Atomic bool ledger_down, disk_low; /* writes answer 503 while one is true */
    /* A backup: until when (monotonic) events stay in the outboxes, and whether they do by now. */
    _Atomic int64_t keep_outbox_until_ms;
    _Atomic bool outbox_kept;
    _Atomic bool closing; /* an organisation's end may have a step to take: core looks */
    _Atomic uint64_t outbox_databases; /* in which events may wait; for /metrics */
    _Atomic bool rebase; /* asked for once: databases put back go on behind the ledger */
};

/* A key that verifies assertions, as the kms published it. */
struct rp_jwk {
    char kid[65];
    uint8_t public_key[RP_P256_PUBLIC];
};

/* What one store thread owns. */
struct rp_web_thread {
    struct rp_store *store;
    struct rp_keys *keys;
    struct rp_identity *identity;
    struct rp_clearing_desk clearing; /* where identity asks about operators */
    struct rp_jwk jwks[RP_JWKS_MAX];
    size_t jwk_count;
    struct rp_buf jwks_text; /* as the kms printed them, for whoever asks */
    int64_t jwks_read_ms;
    struct rp_ipc_client *ledger;
    struct rp_log *public_log;    /* opened at first use */
    struct rp_snapshot *snapshot; /* of the database that a backup copies just now; or NULL */
};

enum rp_method { RP_GET, RP_POST, RP_PUT, RP_PATCH, RP_DELETE, RP_METHOD_COUNT };

enum rp_password_work {
    RP_PASSWORD_NONE,
    RP_PASSWORD_HASH,
    RP_PASSWORD_VERIFY,
    RP_PASSWORD_NOBODY
};

struct rp_password_job {
    enum rp_password_work work;
    rp_view password;
    char text[RP_PASSWORD_STORED]; /* verified against, or the hash that was made */
    rp_err result;
};

struct rp_route;

/* What comes or goes in pieces. The connection fills the first part before each entry. */
struct rp_flow {
    bool entered; /* the handler has been in before */
    rp_view piece;
    bool last; /* nothing comes after this piece */
    bool cut;  /* the peer left: what came can be kept, nobody reads an answer */

    bool again;                /* by the handler: enter me again with what I left of piece, after
                                  the others who wait */
    int64_t rest_ms;           /* by the handler, with again: not before so long */
    bool more;                 /* by the handler: enter me again, with the next piece, or when what
                                  stands in the response's body has gone out */
    void *state;               /* the handler's own, in the request's arena */
    void (*done)(void *state); /* closes what state holds, however the request ends */
};

/* How somebody came to the operator's own API (RP_GUARD_STAFF). */
struct rp_staff {
    const char *how;          /* "session", "token", "cli" */
    const char *registers;    /* a token's scope; NULL or "*" = all */
    int64_t second_factor_ms; /* when it was shown; 0 = never */
};

struct rp_request {
    struct rp_web *web;
    struct rp_web_thread *thread; /* set anew before every step */
    struct rp_arena *arena;
    const struct rp_fcgi_request *fcgi;
    bool from_cli; /* came over run/cli.sock: the machine's owner */

    enum rp_method method;
    rp_view path; /* decoded, without the query */
    struct rp_pairs query;
    struct rp_pairs form; /* read once */
    enum rp_lang lang;
    const struct rp_route *route;
    rp_view segments[2]; /* what {…} in the route stood for */

    unsigned step;
    void *state; /* the handler's own, from step to step */
    struct rp_password_job password;
    struct rp_flow flow;
    struct rp_who who;         /* filled by the access check */
    struct rp_session session; /* RP_GUARD_SESSION */
    struct rp_staff staff;     /* RP_GUARD_STAFF */
    char app[33];              /* RP_GUARD_APP, RP_GUARD_GATE */
    unsigned scopes;           /* RP_GUARD_APP: what its token, and its grant, may */
    rp_id changed_tenant;      /* something waits in this tenant's outbox; none = the system's */
    struct rp_diag diag;       /* what an error says to the reader */

    struct rp_response response;
};

/* Reads method, path, query and language. INVALID, TOO_LARGE, UNSUPPORTED (method): the response
 * then says so already. */
rp_err rp_request_start(struct rp_request *request, struct rp_web *web,
                        const struct rp_fcgi_request *fcgi, struct rp_arena *arena);
/* Frees what does not live in the arena. */
void rp_request_done(struct rp_request *request);

/* A FastCGI parameter; p == NULL when absent. "HTTP_COOKIE" and so on. */
rp_view rp_request_param(const struct rp_request *request, const char *name);
rp_view rp_request_query(const struct rp_request *request, const char *name);
rp_view rp_request_cookie(const struct rp_request *request, const char *name);
/* The body as a form. UNSUPPORTED for another content type. */
rp_err rp_request_form(struct rp_request *request, struct rp_pairs *ret_form);
/* The body as one JSON object. */
rp_err rp_request_json(struct rp_request *request, struct rp_json **ret_json, struct rp_diag *diag);
/* ?after= and ?limit= of a listing, checked: INVALID. */
rp_err rp_request_limit(const struct rp_request *request, size_t otherwise, size_t max,
                        size_t *ret_limit);
/* ?NAME=true or false; false when it is absent. INVALID, which names it. */
rp_err rp_request_flag(struct rp_request *request, const char *name, bool *ret_flag);

/* Asks for the password pool; the handler returns right after and comes back one step later. */
void rp_request_password(struct rp_request *request, enum rp_password_work work, rp_view password);
/* Milliseconds since 1970. */
int64_t rp_request_now_ms(const struct rp_request *request);

#endif
