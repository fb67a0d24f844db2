/* router.h — one table says what there is: the router, who may call, and the OpenAPI document.
 *
 * A route is a method and a path with up to two {segments}. `place` names the thread it runs on,
 * `guard` is checked before the handler is entered, so that no handler can forget it.
 */
#ifndef RP_WEB_ROUTER_H
#define RP_WEB_ROUTER_H

#include "web/request.h"

/* Where a handler runs: anywhere; on the system database's thread; on its tenant's. */
enum rp_place { RP_ANYWHERE, RP_SYSTEM, RP_TENANT };

enum rp_guard {
    RP_GUARD_OPEN,    /* anyone */
    RP_GUARD_FORM,    /* anyone, with the form token of this browser (forms) */
    RP_GUARD_APP,     /* an application's token and the assertion it received */
    RP_GUARD_SESSION, /* a signed-in person */
    RP_GUARD_STAFF,   /* the operator's people: by session, or the owner on run/cli.sock */
    RP_GUARD_GATE,    /* the gate's own subrequest */
    RP_GUARD_METRICS, /* the gate's listener for Prometheus, or run/cli.sock */
    RP_GUARD_OWNER    /* run/cli.sock only */
};

/* What the answer to a refusal looks like, and whether the route stands in OpenAPI. */
enum rp_kind { RP_KIND_PAGE, RP_KIND_API, RP_KIND_FILE };

struct rp_route {
    enum rp_method method;
    rp_view path;
    rp_err (*handler)(struct rp_request *request);
    enum rp_place place;
    enum rp_guard guard;
    enum rp_kind kind;
    bool writes; /* refused while the ledger is down or the disk is low */
    const char *operation, *query;
    struct rp_text about;
};

extern const struct rp_route rp_routes[];
extern const size_t rp_route_count;

/* The route, and what its {segments} stood for. NOT_FOUND, or UNSUPPORTED when the path exists
 * with other methods only: *ret_allowed is then their set (1 << method). */
rp_err rp_route_find(enum rp_method method, rp_view path, const struct rp_route **ret_route,
                     rp_view segments[static 2], unsigned *ret_allowed);

/* ---- the way of a request; daemons/core drives it ---- */

enum rp_next {
    RP_NEXT_DONE,
    RP_NEXT_PASSWORD,
    RP_NEXT_PIECE, /* of the body: run again when one is there */
    RP_NEXT_AGAIN, /* run again with what is left of the piece */
    RP_NEXT_SEND,  /* what stands in the response's body; then run again */
    RP_NEXT_BROKEN /* the head is out, and the rest cannot follow: close the connection */
};

/* Whether a request's body is taken in pieces: asked when its parameters stand. */
bool rp_web_streams(const struct rp_fcgi_request *fcgi);

/* On the loop: parses, routes, and says which thread's work it is. False: already answered. */
bool rp_web_accept(struct rp_request *request, struct rp_web *web,
                   const struct rp_fcgi_request *fcgi, struct rp_arena *arena, uint64_t *ret_key);
/* On the store thread (thread == NULL: nothing behind; all that needs it answers 503). */
enum rp_next rp_web_run(struct rp_request *request, struct rp_web_thread *thread);
/* On the password pool. */
void rp_web_password(struct rp_password_job *job);
/* Answers with an error where the work could not be taken (OVERLOAD). */
void rp_web_refuse(struct rp_request *request, rp_err err);

#endif
