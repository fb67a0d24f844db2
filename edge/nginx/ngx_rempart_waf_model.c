/* ngx_rempart_waf_model.c — the positive model before an application: rempart_waf_model FILE
 * on|detect. The file is read once, while nginx reads its configuration, so that nginx -t refuses a
 * bad one with its line; a request is judged after the rules have seen its head, its body beside
 * the rules. on: a violation is refused; detect: it is told. */
#include "ngx_rempart_waf.h"

#include "base/checked.h"
#include "os/file.h"

enum { ARENA_BYTES = 64 << 20 };

struct ngx_rempart_model_s {
    ngx_str_t path;
    struct rp_arena *arena;
    struct rp_model *model;
};

/* ---- the configuration ---- */

static void close_model(void *data) {
    ngx_rempart_model_t *model = data;
    rp_model_done(model->model);
    rp_arena_free(model->arena);
    model->arena = NULL;
}

static ngx_int_t read_model(ngx_conf_t *cf, ngx_rempart_model_t *model) {
    struct rp_diag diag = {0};
    rp_view text;
    model->arena = rp_arena_new(ARENA_BYTES);
    rp_err err = model->arena ? RP_OK : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_file_read((const char *)model->path.data, RP_MODEL_FILE_MAX, model->arena, &text);
    }
    if (rp_ok(err)) {
        err = rp_model_read(text, model->arena, &model->model, &diag);
    }
    if (!rp_ok(err)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "rempart_waf_model: %V:%ui:%ui: %s %s",
                           &model->path, (ngx_uint_t)diag.line, (ngx_uint_t)diag.column,
                           rp_err_text(err, RP_EN), diag.text);
        return NGX_ERROR;
    }
    return NGX_OK;
}

static ngx_rempart_model_t *model_of(ngx_conf_t *cf, ngx_str_t path) {
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_rempart_model_t));
    if (!cleanup || ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NULL;
    }
    ngx_rempart_model_t *model = cleanup->data;
    ngx_memzero(model, sizeof *model);
    model->path = path;
    cleanup->handler = close_model;
    return read_model(cf, model) == NGX_OK ? model : NULL;
}

char *ngx_rempart_set_waf_model(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static char duplicate[] = "is duplicate", unknown[] = "is on or detect";
    ngx_rempart_loc_conf_t *loc = conf;
    const ngx_str_t *words = cf->args->elts;
    rp_view mode = ngx_rempart_view(words[2]);
    if (loc->waf.model != NGX_CONF_UNSET_PTR) {
        return duplicate;
    }
    loc->waf.model_blocks = rp_view_equal(mode, RP_VIEW("on"));
    if (!loc->waf.model_blocks && !rp_view_equal(mode, RP_VIEW("detect"))) {
        return unknown;
    }
    loc->waf.model = model_of(cf, words[1]);
    return loc->waf.model ? NGX_CONF_OK : NGX_CONF_ERROR;
}

/* ---- the head ---- */

static rp_view header_of(void *ctx, rp_view name) {
    const ngx_http_request_t *r = ctx;
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
        const ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (rp_view_equal_nocase(ngx_rempart_view(headers[i].key), name)) {
                return headers[i].value.len > 0 ? ngx_rempart_view(headers[i].value) : RP_VIEW("");
            }
        }
    }
    return (rp_view){NULL, 0};
}

static rp_err add_cookie(struct rp_arena *arena, const ngx_table_elt_t *header, rp_view *all) {
    if (!rp_view_equal_nocase(ngx_rempart_view(header->key), RP_VIEW("cookie"))) {
        return RP_OK;
    }
    *all = rp_arena_printf(arena, "%.*s%s%.*s", RP_FMT(*all), all->n ? "; " : "",
                           RP_FMT(ngx_rempart_view(header->value)));
    return all->p ? RP_OK : RP_ERR(TOO_LARGE);
}

/* HTTP/2 cuts them into several headers. */
static rp_err cookies_of(const ngx_rempart_waf_t *waf, rp_view *ret_cookies) {
    const ngx_list_part_t *part = &waf->r->headers_in.headers.part;
    rp_view all = {NULL, 0};
    for (; part; part = part->next) {
        const ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            RP_TRY(add_cookie(waf->arena, &headers[i], &all));
        }
    }
    *ret_cookies = all;
    return RP_OK;
}

rp_err ngx_rempart_waf_model_head(ngx_rempart_waf_t *waf, bool has_body) {
    ngx_http_request_t *r = waf->r;
    if (!waf->conf->model) {
        return RP_OK;
    }
    rp_view path = ngx_rempart_view(r->unparsed_uri);
    struct rp_model_request request = {.method = ngx_rempart_view(r->method_name),
                                       .path = rp_view_cut(&path, '?'),
                                       .query = path,
                                       .content_type = header_of(r, RP_VIEW("content-type")),
                                       .header = header_of,
                                       .ctx = r,
                                       .has_body = has_body};
    RP_TRY(cookies_of(waf, &request.cookies));
    waf->content_type = request.content_type;
    return rp_model_judge(waf->conf->model->model, &request, waf->arena, &waf->operation,
                          &waf->violation);
}

bool ngx_rempart_waf_model_wants_body(const ngx_rempart_waf_t *waf) {
    return waf->operation && !waf->conf->stream &&
           rp_model_wants_body(waf->operation, waf->content_type);
}

/* ---- the body; also in a thread ---- */

rp_err ngx_rempart_waf_model_gather(ngx_rempart_waf_t *waf, rp_view chunk, uint64_t all) {
    if (!ngx_rempart_waf_model_wants_body(waf) || waf->body.n > RP_MODEL_BODY_MAX) {
        return RP_OK; /* longer than a body may be is known already */
    }
    if (waf->body.n == 0 && chunk.n == all) {
        waf->body = chunk; /* in one piece: nothing is copied */
        return RP_OK;
    }
    if (!waf->body_text) {
        waf->body_text = rp_arena_alloc(waf->arena, RP_MIN(all, (uint64_t)RP_MODEL_BODY_MAX + 1));
    }
    if (!waf->body_text) {
        return RP_ERR(TOO_LARGE);
    }
    size_t room = RP_MIN(all, (uint64_t)RP_MODEL_BODY_MAX + 1) - waf->body.n;
    size_t n = RP_MIN(chunk.n, room);
    if (n > 0) {
        memcpy(waf->body_text + waf->body.n, chunk.p, n);
    }
    waf->body = rp_view_of(waf->body_text, waf->body.n + n);
    return RP_OK;
}

rp_err ngx_rempart_waf_model_body(ngx_rempart_waf_t *waf) {
    if (!ngx_rempart_waf_model_wants_body(waf)) {
        return RP_OK;
    }
    return rp_model_judge_body(waf->operation, waf->content_type, waf->body, waf->arena,
                               &waf->violation);
}
