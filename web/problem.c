/* problem.c — errors as a person reads them (a page) or a program (RFC 9457). */
#include <ctype.h>

#include "base/assert.h"
#include "web/handlers.h"
#include "web/templates.h"
#include "wire/json.h"

enum { CODE_MAX = 40, RETRY_S = 5 };

/* "NOT_FOUND" is printed "not_found": stable, and what programs compare. */
static void code_of(rp_err err, char out[static CODE_MAX]) {
    const char *name = rp_err_name(err);
    size_t i = 0;
    for (; name[i] && i + 1 < CODE_MAX; i++) {
        out[i] = (char)tolower((unsigned char)name[i]);
    }
    out[i] = 0;
}

static void problem_json(struct rp_request *request, rp_err err, int status, const char *detail) {
    char code[CODE_MAX];
    code_of(err, code);
    struct rp_arena *arena = request->arena;
    struct rp_json *root = rp_json_object(arena);
    rp_view type = rp_arena_printf(arena, "about:blank#%s", code);
    rp_json_add_string(arena, root, "type", type);
    rp_json_add_cstr(arena, root, "code", code);
    rp_json_add_cstr(arena, root, "title", rp_err_text(err, request->lang));
    rp_json_add_u64(arena, root, "status", (uint64_t)status);
    if (request->diag.line > 0) { /* a place in what was sent */
        rp_json_add_u64(arena, root, "line", request->diag.line);
        rp_json_add_u64(arena, root, "column", request->diag.column);
    }
    rp_json_add_cstr(arena, root, "detail", detail ? detail : rp_err_text(err, request->lang));
    request->response.content_type = "application/problem+json";
    if (!root || !rp_ok(rp_json_print(root, &request->response.body))) {
        rp_buf_clear(&request->response.body);
        rp_buf_printf(&request->response.body, "{\"code\":\"%s\",\"status\":%d}", code, status);
    }
}

/* What the reader can do; nothing where the error itself says so. */
static rp_view advice(int status, enum rp_lang lang) {
    switch (status) {
    case 403:
        return rp_text(lang, RP_TEXT_error_do_ask);
    case 404:
        return rp_text(lang, RP_TEXT_error_do_look);
    case 503:
    case 504:
        return rp_text(lang, RP_TEXT_error_do_wait);
    default:
        return RP_VIEW("");
    }
}

/* Who is not signed in, or comes by a link that is over, has most often a password already. */
static bool leads_to_sign_in(const struct rp_request *request, int status) {
    return status == 401 ||
           (status == 410 && rp_view_starts(request->path, RP_VIEW("/.rempart/id/")));
}

static void problem_page(struct rp_request *request, rp_err err, int status, const char *detail) {
    struct rp_template_error page = {
        .what = rp_view_from_cstr(detail ? detail : rp_err_text(err, request->lang)),
        .advice = advice(status, request->lang),
        .status = (uint64_t)status,
        .home = RP_VIEW("/"),
        .sign_in = leads_to_sign_in(request, status)};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_error_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_error_title, &body, false);
}

void rp_problem(struct rp_request *request, enum rp_kind kind, rp_err err, const char *detail) {
    RP_ASSERT(!rp_ok(err));
    const char *said = detail ? detail : request->diag.text[0] ? request->diag.text : NULL;
    rp_response_clear(&request->response);
    int status = rp_err_http(err);
    switch (kind) {
    case RP_KIND_PAGE:
        problem_page(request, err, status, said);
        break;
    case RP_KIND_API:
    case RP_KIND_FILE:
        problem_json(request, err, status, said);
        break;
    }
    request->response.status = status;
    if (status == 503 || status == 429) {
        rp_view seconds = rp_arena_printf(request->arena, "%d", RETRY_S);
        rp_response_head(&request->response, "Retry-After", seconds.p ? seconds : RP_VIEW("5"));
    }
    if (status == 401 && kind == RP_KIND_API) {
        rp_response_head(&request->response, "WWW-Authenticate",
                         RP_VIEW("Bearer realm=\"rempart\""));
    }
}
