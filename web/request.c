#include "web/request.h"

#include "base/assert.h"
#include "base/checked.h"
#include "web/cookies.h"

enum { QUERY_PAIRS_MAX = 32, FORM_PAIRS_MAX = 32, PATH_MAX_BYTES = 2048 };

rp_view rp_request_param(const struct rp_request *request, const char *name) {
    return rp_fcgi_param(request->fcgi, name);
}

rp_view rp_request_query(const struct rp_request *request, const char *name) {
    return rp_pairs_get(request->query, name);
}

rp_view rp_request_cookie(const struct rp_request *request, const char *name) {
    return rp_cookie_get(rp_request_param(request, "HTTP_COOKIE"), name);
}

int64_t rp_request_now_ms(const struct rp_request *request) {
    return rp_env_now_ms(&request->web->env);
}

static rp_err read_method(struct rp_request *request) {
    static const struct {
        rp_view name;
        enum rp_method method;
    } names[] = {{RP_VIEW_INIT("GET"), RP_GET},     {RP_VIEW_INIT("HEAD"), RP_GET},
                 {RP_VIEW_INIT("POST"), RP_POST},   {RP_VIEW_INIT("PUT"), RP_PUT},
                 {RP_VIEW_INIT("PATCH"), RP_PATCH}, {RP_VIEW_INIT("DELETE"), RP_DELETE}};
    rp_view method = rp_request_param(request, "REQUEST_METHOD");
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        if (rp_view_equal(method, names[i].name)) {
            request->method = names[i].method;
            return RP_OK;
        }
    }
    return RP_ERR(UNSUPPORTED);
}

/* nginx hands the decoded, normalised path as DOCUMENT_URI; others only what was sent. */
static rp_err read_path(struct rp_request *request) {
    rp_view path = rp_request_param(request, "DOCUMENT_URI");
    if (!path.p) {
        rp_view sent = rp_request_param(request, "REQUEST_URI");
        rp_view encoded = rp_view_cut(&sent, '?');
        RP_TRY(rp_url_decode(encoded, request->arena, &path));
    }
    if (path.n == 0 || path.p[0] != '/') {
        return RP_ERR(INVALID);
    }
    if (path.n > PATH_MAX_BYTES) {
        return RP_ERR(TOO_LARGE);
    }
    request->path = path;
    return RP_OK;
}

static void read_language(struct rp_request *request) {
    enum rp_lang lang;
    if (rp_lang_parse(rp_request_query(request, "lang"), &lang)) {
        request->lang = lang;
        rp_response_cookie(&request->response, RP_COOKIE_LANG,
                           lang == RP_FR ? RP_VIEW("fr") : RP_VIEW("en"), RP_COOKIE_LANG_S);
    } else if (rp_lang_parse(rp_request_cookie(request, RP_COOKIE_LANG), &lang)) {
        request->lang = lang;
    } else {
        request->lang = rp_lang_accept(rp_request_param(request, "HTTP_ACCEPT_LANGUAGE"), RP_FR);
    }
    request->diag.french = request->lang == RP_FR;
}

rp_err rp_request_start(struct rp_request *request, struct rp_web *web,
                        const struct rp_fcgi_request *fcgi, struct rp_arena *arena) {
    RP_ASSERT(web != NULL && fcgi != NULL && arena != NULL);
    bool from_cli = request->from_cli;
    *request = (struct rp_request){.web = web,
                                   .fcgi = fcgi,
                                   .arena = arena,
                                   .from_cli = from_cli,
                                   .lang = RP_FR,
                                   .response = rp_response_new()};
    if (fcgi->too_large) {
        rp_ignore(read_path(request)); /* where it went says whether a page or JSON answers */
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(read_method(request));
    RP_TRY(read_path(request));
    RP_TRY(rp_form_parse(rp_request_param(request, "QUERY_STRING"), QUERY_PAIRS_MAX, arena,
                         &request->query));
    read_language(request);
    return RP_OK;
}

/* The arena's bytes are ours: what reads them sees them as constant, we may wipe them. */
static void forget(rp_view v) {
    if (v.n > 0) {
        rp_wipe((void *)(uintptr_t)v.p, v.n);
    }
}

void rp_request_done(struct rp_request *request) {
    rp_response_done(&request->response);
    if (request->flow.done) {
        request->flow.done(request->flow.state);
        request->flow.done = NULL;
    }
    /* Passwords come in with forms, and the arena is used again. */
    for (size_t i = 0; i < request->form.n; i++) {
        forget(request->form.p[i].value);
    }
    if (request->form.p) {
        forget(request->fcgi->body);
    }
    rp_wipe(&request->password, sizeof request->password);
}

static bool has_type(const struct rp_request *request, rp_view type) {
    rp_view given = rp_request_param(request, "CONTENT_TYPE");
    return rp_view_equal_nocase(rp_view_trim(rp_view_cut(&given, ';')), type);
}

rp_err rp_request_form(struct rp_request *request, struct rp_pairs *ret_form) {
    if (!has_type(request, RP_VIEW("application/x-www-form-urlencoded"))) {
        return RP_ERR(UNSUPPORTED);
    }
    if (!request->form.p) {
        RP_TRY(rp_form_parse(request->fcgi->body, FORM_PAIRS_MAX, request->arena, &request->form));
    }
    *ret_form = request->form;
    return RP_OK;
}

rp_err rp_request_json(struct rp_request *request, struct rp_json **ret_json,
                       struct rp_diag *diag) {
    if (!has_type(request, RP_VIEW("application/json"))) {
        return rp_fail(diag, RP_ERR(UNSUPPORTED), "Content-Type: application/json");
    }
    struct rp_json *json = NULL;
    RP_TRY(rp_json_parse(request->fcgi->body, RP_JSON_LIMITS, request->arena, &json, diag));
    if (json->kind != RP_JSON_OBJECT) {
        return rp_fail(diag, RP_ERR(INVALID), "{…}");
    }
    *ret_json = json;
    return RP_OK;
}

rp_err rp_request_limit(const struct rp_request *request, size_t otherwise, size_t max,
                        size_t *ret_limit) {
    rp_view text = rp_request_query(request, "limit");
    uint64_t limit = otherwise;
    if (text.p && (!rp_view_to_u64(text, max, &limit) || limit == 0)) {
        return RP_ERR(INVALID);
    }
    *ret_limit = (size_t)limit;
    return RP_OK;
}

rp_err rp_request_flag(struct rp_request *request, const char *name, bool *ret_flag) {
    rp_view given = rp_request_query(request, name);
    *ret_flag = rp_view_equal(given, RP_VIEW("true"));
    if (given.p && !*ret_flag && !rp_view_equal(given, RP_VIEW("false"))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "%s: true, false", name);
    }
    return RP_OK;
}

void rp_request_password(struct rp_request *request, enum rp_password_work work, rp_view password) {
    RP_ASSERT(work != RP_PASSWORD_NONE && request->password.work == RP_PASSWORD_NONE);
    request->password.work = work;
    request->password.password = password;
}
