/* ngx_rempart_waf.c — images mapped while the configuration is read, and what a verdict comes to.
 */
#include "ngx_rempart.h"

#include <sys/mman.h>

static char no_such_mode[] = "needs an image and one of on, detect, off, then at most \"stream\"";
static char is_duplicate[] = "is duplicate";

void ngx_rempart_waf_conf_unset(ngx_rempart_waf_conf_t *conf) {
    conf->image = NGX_CONF_UNSET_PTR;
    conf->mode = NGX_CONF_UNSET_UINT;
    conf->stream = NGX_CONF_UNSET;
    conf->over_budget_blocks = NGX_CONF_UNSET;
}

void ngx_rempart_waf_conf_merge(ngx_rempart_waf_conf_t *conf, const ngx_rempart_waf_conf_t *above) {
    ngx_conf_merge_ptr_value(conf->image, above->image, NULL);
    ngx_conf_merge_uint_value(conf->mode, above->mode, RP_WAF_OFF);
    ngx_conf_merge_value(conf->stream, above->stream, 0);
    ngx_conf_merge_value(conf->over_budget_blocks, above->over_budget_blocks, 1);
}

/* ---- images ---- */

static void unmap(void *data) {
    ngx_rempart_image_t *image = data;
    rp_waf_close(image->waf);
    if (image->map) {
        munmap(image->map, image->size);
    }
}

/* Private: whoever writes to the file later does not write into running workers' rules. */
static char *map_file(ngx_conf_t *cf, ngx_rempart_image_t *image) {
    ngx_fd_t fd = ngx_open_file(image->path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    ngx_file_info_t facts;
    if (fd == NGX_INVALID_FILE || ngx_fd_info(fd, &facts) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "rempart_waf: \"%V\"", &image->path);
        if (fd != NGX_INVALID_FILE) {
            ngx_close_file(fd);
        }
        return NGX_CONF_ERROR;
    }
    image->size = (size_t)ngx_file_size(&facts);
    void *map =
        image->size > 0 ? mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    ngx_close_file(fd);
    if (map == MAP_FAILED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "rempart_waf: \"%V\" cannot be mapped",
                           &image->path);
        return NGX_CONF_ERROR;
    }
    image->map = map;
    return NGX_CONF_OK;
}

static ngx_rempart_image_t *find_image(const ngx_array_t *images, ngx_str_t path) {
    ngx_rempart_image_t *const *known = images->elts;
    for (ngx_uint_t i = 0; i < images->nelts; i++) {
        if (rp_view_equal(ngx_rempart_view(known[i]->path), ngx_rempart_view(path))) {
            return known[i];
        }
    }
    return NULL;
}

static ngx_rempart_image_t *add_image(ngx_conf_t *cf, ngx_array_t *images, ngx_str_t path) {
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_rempart_image_t));
    ngx_rempart_image_t **slot = ngx_array_push(images);
    if (!cleanup || !slot) {
        return NULL;
    }
    ngx_rempart_image_t *image = cleanup->data;
    ngx_memzero(image, sizeof *image);
    image->path = path;
    cleanup->handler = unmap;
    *slot = image;
    if (map_file(cf, image) != NGX_CONF_OK) {
        return NULL;
    }
    struct rp_diag diag = {0};
    rp_err err = rp_waf_open(rp_view_of(image->map, image->size), &image->waf, &diag);
    if (!rp_ok(err)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "rempart_waf: \"%V\" is no image of this version (%s); make it anew "
                           "with \"rempart waf compile\"",
                           &image->path, diag.text[0] ? diag.text : rp_err_name(err));
        return NULL;
    }
    rp_waf_info(image->waf, &image->info);
    return image;
}

static ngx_rempart_image_t *image_of(ngx_conf_t *cf, ngx_str_t path) {
    ngx_rempart_main_conf_t *main_conf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_rempart_module);
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NULL;
    }
    if (!main_conf->images) {
        main_conf->images = ngx_array_create(cf->pool, 4, sizeof(ngx_rempart_image_t *));
    }
    if (!main_conf->images) {
        return NULL;
    }
    ngx_rempart_image_t *known = find_image(main_conf->images, path);
    return known ? known : add_image(cf, main_conf->images, path);
}

/* ---- directives ---- */

char *ngx_rempart_set_waf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static const struct {
        ngx_str_t word;
        enum rp_waf_mode mode;
    } modes[] = {{ngx_string("on"), RP_WAF_ON},
                 {ngx_string("detect"), RP_WAF_DETECT},
                 {ngx_string("off"), RP_WAF_OFF}};
    ngx_rempart_waf_conf_t *waf = &((ngx_rempart_loc_conf_t *)conf)->waf;
    const ngx_str_t *words = cf->args->elts;
    if (waf->mode != NGX_CONF_UNSET_UINT) {
        return is_duplicate;
    }
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (rp_view_equal(ngx_rempart_view(words[2]), ngx_rempart_view(modes[i].word))) {
            waf->mode = modes[i].mode;
        }
    }
    bool third = cf->args->nelts > 3;
    if (waf->mode == NGX_CONF_UNSET_UINT ||
        (third && !rp_view_equal(ngx_rempart_view(words[3]), RP_VIEW("stream")))) {
        return no_such_mode;
    }
    waf->stream = third;
    waf->image = image_of(cf, words[1]);
    return waf->image ? NGX_CONF_OK : NGX_CONF_ERROR;
}

char *ngx_rempart_set_waf_over_budget(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static char needs_word[] = "needs block or detect";
    ngx_rempart_waf_conf_t *waf = &((ngx_rempart_loc_conf_t *)conf)->waf;
    rp_view word = ngx_rempart_view(((const ngx_str_t *)cf->args->elts)[1]);
    if (waf->over_budget_blocks != NGX_CONF_UNSET) {
        return is_duplicate;
    }
    waf->over_budget_blocks = rp_view_equal(word, RP_VIEW("block"));
    return waf->over_budget_blocks || rp_view_equal(word, RP_VIEW("detect")) ? NGX_CONF_OK
                                                                             : needs_word;
}

/* ---- what a verdict comes to ---- */

ngx_rempart_waf_t *ngx_rempart_waf_of(ngx_http_request_t *r) {
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    return ctx ? ctx->waf : NULL;
}

/* The rules that matched, as far as a line of the log has room. */
static ngx_str_t list_rules(const ngx_rempart_waf_t *waf, u_char *buffer, size_t size) {
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(waf->tx, &count, NULL);
    u_char *at = buffer, *end = buffer + size;
    for (size_t i = 0; i < count; i++) {
        if (matches[i].logged) {
            at = ngx_slprintf(at, end, "%s%uL", at == buffer ? "" : " ", matches[i].id);
        }
    }
    return (ngx_str_t){.len = (size_t)(at - buffer), .data = buffer};
}

/* No value of the request stands in the line: the log is not the place for people's data. */
static void tell(ngx_rempart_waf_t *waf, const struct rp_waf_verdict *verdict) {
    u_char buffer[512];
    ngx_str_t rules = list_rules(waf, buffer, sizeof buffer);
    rp_view score = rp_waf_tx_value(waf->tx, RP_VAR_TX, RP_VIEW("anomaly_score"));
    if (!score.p) {
        score = rp_waf_tx_value(waf->tx, RP_VAR_TX, RP_VIEW("blocking_inbound_anomaly_score"));
    }
    ngx_str_t points = {.len = score.n, .data = (u_char *)(uintptr_t)score.p};
    ngx_log_error(NGX_LOG_WARN, waf->request->connection->log, 0,
                  "rempart_waf: %s, incident %*s, status %ui, rule %uL, phase %ui, score \"%V\", "
                  "%smatched %V",
                  verdict->action != RP_WAF_PASS ? "refused" : "would be refused",
                  sizeof waf->incident, waf->incident, (ngx_uint_t)verdict->status, verdict->rule,
                  (ngx_uint_t)verdict->phase, &points, verdict->over_budget ? "over budget, " : "",
                  &rules);
    waf->told = 1;
}

ngx_uint_t ngx_rempart_waf_verdict(ngx_rempart_waf_t *waf) {
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(waf->tx);
    if (verdict->would_block && !waf->told) {
        tell(waf, verdict);
    }
    if (verdict->action == RP_WAF_PASS || waf->refused) {
        return 0;
    }
    waf->refused = verdict->status ? verdict->status : NGX_HTTP_FORBIDDEN;
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(waf->request, 1);
    if (ctx) {
        ctx->reason = RP_GATE_REASON_RULE;
    }
    return waf->refused;
}
