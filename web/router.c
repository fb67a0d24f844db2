#include "web/router.h"

#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"

enum { METHODS_TEXT_MAX = 64 };

#define RP_ROUTE(method_, path_, handler_, place_, guard_, kind_, writes_, operation_, query_, fr, \
                 en)                                                                               \
    {.method = RP_##method_,                                                                       \
     .path = RP_VIEW_INIT(path_),                                                                  \
     .handler = handler_,                                                                          \
     .place = RP_##place_,                                                                         \
     .guard = RP_GUARD_##guard_,                                                                   \
     .kind = RP_KIND_##kind_,                                                                      \
     .writes = writes_,                                                                            \
     .operation = operation_,                                                                      \
     .query = query_,                                                                              \
     .about = {{fr, en}}},
const struct rp_route rp_routes[] = {
#include "web/routes.def"
};
#undef RP_ROUTE
const size_t rp_route_count = RP_COUNT_OF(rp_routes);

/* Segment by segment; {…} takes any non-empty one. */
static bool matches(rp_view pattern, rp_view path, rp_view segments[static 2]) {
    size_t taken = 0;
    while (pattern.p && path.p) {
        rp_view want = rp_view_cut(&pattern, '/');
        rp_view have = rp_view_cut(&path, '/');
        if (want.n > 0 && want.p[0] == '{') {
            RP_ASSERT(taken < 2);
            if (have.n == 0) {
                return false;
            }
            segments[taken++] = have;
        } else if (!rp_view_equal(want, have)) {
            return false;
        }
    }
    return !pattern.p && !path.p;
}

rp_err rp_route_find(enum rp_method method, rp_view path, const struct rp_route **ret_route,
                     rp_view segments[static 2], unsigned *ret_allowed) {
    unsigned allowed = 0;
    for (size_t i = 0; i < rp_route_count; i++) {
        rp_view found[2] = {{NULL, 0}, {NULL, 0}};
        if (!matches(rp_routes[i].path, path, found)) {
            continue;
        }
        if (rp_routes[i].method == method) {
            segments[0] = found[0];
            segments[1] = found[1];
            *ret_route = &rp_routes[i];
            return RP_OK;
        }
        allowed |= 1u << rp_routes[i].method;
    }
    if (!allowed) {
        return RP_ERR(NOT_FOUND);
    }
    *ret_allowed = allowed;
    return RP_ERR(UNSUPPORTED);
}

/* The key under which rp_pool_submit_to keeps a tenant on one thread; 0 is the system's. */
static uint64_t queue_of(rp_id tenant) {
    if (rp_id_is_none(tenant)) {
        return 0;
    }
    uint64_t key;
    memcpy(&key, tenant.b, sizeof key);
    return key;
}

static void refuse_method(struct rp_request *request, enum rp_kind kind, unsigned allowed) {
    static const char *const names[RP_METHOD_COUNT] = {"GET, HEAD", "POST", "PUT", "PATCH",
                                                       "DELETE"};
    struct rp_buf text = rp_buf_new(METHODS_TEXT_MAX);
    for (unsigned m = 0; m < RP_METHOD_COUNT; m++) {
        if (allowed & (1u << m)) {
            rp_buf_printf(&text, "%s%s", text.n ? ", " : "", names[m]);
        }
    }
    rp_problem(request, kind, RP_ERR(UNSUPPORTED), NULL);
    request->response.status = 405;
    rp_response_head(&request->response, "Allow", rp_buf_view(&text));
    rp_buf_done(&text);
}

/* An address below the API speaks JSON even when it does not exist. */
static enum rp_kind kind_of_path(rp_view path) {
    return rp_view_starts(path, RP_VIEW("/.rempart/api/")) ? RP_KIND_API : RP_KIND_PAGE;
}

static uint64_t key_of(const struct rp_request *request) {
    rp_id tenant;
    switch (request->route->place) {
    case RP_ANYWHERE:
        return UINT64_MAX;
    case RP_SYSTEM:
        return 0;
    case RP_TENANT:
        return rp_access_tenant_hint(request, &tenant) || rp_id_parse(request->segments[0], &tenant)
                   ? queue_of(tenant)
                   : 0;
    }
    RP_UNREACHABLE();
}

bool rp_web_accept(struct rp_request *request, struct rp_web *web,
                   const struct rp_fcgi_request *fcgi, struct rp_arena *arena, uint64_t *ret_key) {
    rp_err err = rp_request_start(request, web, fcgi, arena);
    if (!rp_ok(err)) {
        rp_problem(request, kind_of_path(request->path), err, NULL);
        return false;
    }
    unsigned allowed = 0;
    err =
        rp_route_find(request->method, request->path, &request->route, request->segments, &allowed);
    if (allowed) {
        refuse_method(request, kind_of_path(request->path), allowed);
        return false;
    }
    if (!rp_ok(err)) {
        rp_problem(request, kind_of_path(request->path), err, NULL);
        return false;
    }
    *ret_key = key_of(request);
    return true;
}

static bool needs_thread(const struct rp_route *route) {
    return route->guard != RP_GUARD_OPEN || route->place != RP_ANYWHERE;
}

/* A page that needs a person leads to the sign-in, and back. */
static void send_to_sign_in(struct rp_request *request) {
    rp_response_clear(&request->response);
    rp_response_redirect(&request->response,
                         rp_page_link(request, "/.rempart/id/sign-in", "next",
                                      rp_next_path(request->path), NULL, (rp_view){NULL, 0}));
}

bool rp_web_streams(const struct rp_fcgi_request *fcgi) {
    static const rp_view places[] = {RP_VIEW_INIT("/.rempart/api/v1/files/"),
                                     RP_VIEW_INIT("/.rempart/api/v1/uploads/"),
                                     RP_VIEW_INIT("/.rempart/api/v1/admin/gate/import")};
    rp_view path = rp_fcgi_param(fcgi, "DOCUMENT_URI");
    if (rp_view_equal(path, RP_VIEW("/.rempart/api/v1/import")) ||
        (rp_view_starts(path, RP_VIEW("/.rempart/api/v1/admin/tenants/")) &&
         rp_view_ends(path, RP_VIEW("/import")))) {
        return true;
    }
    for (size_t i = 0; i < RP_COUNT_OF(places); i++) {
        if (rp_view_starts(path, places[i])) {
            return true;
        }
    }
    return false;
}

/* What an error ends with: an answer, or nothing more where the head is already out. */
static enum rp_next fail(struct rp_request *request, rp_err err) {
    if (request->response.streamed && request->flow.entered) {
        return RP_NEXT_BROKEN;
    }
    if (rp_is(err, RP_E_UNAUTHENTICATED) && request->route->kind == RP_KIND_PAGE &&
        request->method == RP_GET) {
        send_to_sign_in(request);
    } else {
        rp_problem(request, request->route->kind, err, NULL);
    }
    return RP_NEXT_DONE;
}

static enum rp_next next_of(struct rp_request *request) {
    if (request->password.work != RP_PASSWORD_NONE) {
        request->step++;
        return RP_NEXT_PASSWORD;
    }
    if (!request->flow.more) {
        return RP_NEXT_DONE;
    }
    RP_ASSERT(request->response.streamed || request->fcgi->streamed);
    request->flow.entered = true;
    if (request->flow.again) {
        return RP_NEXT_AGAIN;
    }
    return request->response.streamed ? RP_NEXT_SEND : RP_NEXT_PIECE;
}

enum rp_next rp_web_run(struct rp_request *request, struct rp_web_thread *thread) {
    const struct rp_route *route = request->route;
    RP_ASSERT(route != NULL && request->step < RP_STEPS_MAX);
    request->thread = thread;
    request->flow.more = request->flow.again = false;
    request->flow.rest_ms = 0;
    rp_err err = RP_OK;
    if (!thread && needs_thread(route)) {
        err = RP_ERR(OVERLOAD);
    }
    if (rp_ok(err) && request->step == 0 && !request->flow.entered) {
        err = rp_access_check(request, route);
    }
    if (rp_ok(err)) {
        err = route->handler(request);
    }
    return rp_ok(err) ? next_of(request) : fail(request, err);
}

void rp_web_password(struct rp_password_job *job) {
    RP_ASSERT(job->work != RP_PASSWORD_NONE);
    switch (job->work) {
    case RP_PASSWORD_HASH:
        job->result = rp_password_hash(job->password, job->text);
        break;
    case RP_PASSWORD_VERIFY:
        job->result = rp_password_verify(job->text, job->password);
        break;
    case RP_PASSWORD_NOBODY:
        job->result = rp_password_verify_nobody(job->password);
        break;
    case RP_PASSWORD_NONE:
        break;
    }
    job->work = RP_PASSWORD_NONE;
}

void rp_web_refuse(struct rp_request *request, rp_err err) {
    RP_ASSERT(!rp_ok(err));
    rp_problem(request, request->route ? request->route->kind : RP_KIND_PAGE, err, NULL);
}
