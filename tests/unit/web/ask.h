/* ask.h — a request without a network: parameters in, the whole way through the router, answer out.
 */
#ifndef RP_TESTS_WEB_ASK_H
#define RP_TESTS_WEB_ASK_H

#include "unit.h"

#include "web/router.h"

enum { ASK_PARAMS_MAX = 16 };

struct ask {
    struct unit_world world;
    struct rp_config config;
    struct rp_promises promises;
    struct rp_web web;
    struct rp_web_thread *thread; /* NULL = nothing behind */
    struct rp_arena *arena;
    struct rp_fcgi_param params[ASK_PARAMS_MAX];
    struct rp_fcgi_request fcgi;
    struct rp_request request;
    enum rp_next next;
};

/* An installation called example.org; forget it with ask_done. */
static inline void ask_open(struct ask *ask) {
    *ask = (struct ask){.world = {.now_ns = 1800000000000000000}};
    ask->arena = rp_arena_new((size_t)32 << 20);
    assert_non_null(ask->arena);
    assert_ok(rp_config_default(ask->arena, &ask->config));
    ask->config.host = "example.org";
    ask->config.second_factor = "required";
    ask->web.env = unit_env(&ask->world);
    ask->web.config = &ask->config;
    ask->web.promises = &ask->promises;
    snprintf(ask->web.style_path, sizeof ask->web.style_path, "/.rempart/id/style-0011.css");
}

static inline void ask_param(struct ask *ask, const char *name, const char *value) {
    assert_true(ask->fcgi.param_count < ASK_PARAMS_MAX);
    ask->params[ask->fcgi.param_count++] =
        (struct rp_fcgi_param){rp_view_from_cstr(name), rp_view_from_cstr(value)};
}

/* Starts a new request; heads are added by ask_param, then ask_run. */
static inline void ask_new(struct ask *ask, const char *method, const char *path,
                           const char *query) {
    ask->fcgi = (struct rp_fcgi_request){.id = 1, .params = ask->params};
    ask_param(ask, "REQUEST_METHOD", method);
    ask_param(ask, "DOCUMENT_URI", path);
    ask_param(ask, "QUERY_STRING", query);
    ask_param(ask, "HTTP_HOST", "example.org");
    ask_param(ask, "REMOTE_ADDR", "192.0.2.7");
}

static inline void ask_form(struct ask *ask, const char *body) {
    ask_param(ask, "CONTENT_TYPE", "application/x-www-form-urlencoded");
    ask->fcgi.body = rp_view_from_cstr(body);
}

/* The body is wiped when a request ends: literals must not be. */
static inline void ask_run(struct ask *ask) {
    uint64_t key = 1;
    if (ask->fcgi.body.n > 0) {
        assert_ok(rp_arena_copy(ask->arena, ask->fcgi.body, &ask->fcgi.body));
    }
    ask->next = RP_NEXT_DONE;
    if (rp_web_accept(&ask->request, &ask->web, &ask->fcgi, ask->arena, &key)) {
        ask->next = rp_web_run(&ask->request, ask->thread);
    }
}

static inline void ask_end(struct ask *ask) {
    rp_request_done(&ask->request);
}

static inline bool ask_holds(const struct rp_buf *text, const char *needle) {
    rp_view v = rp_buf_view(text);
    return rp_view_find(v, rp_view_from_cstr(needle)) < v.n;
}

static inline void ask_done(struct ask *ask) {
    rp_arena_free(ask->arena);
}

#endif
