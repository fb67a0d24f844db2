/* ngx_rempart_waf_conf.c — rempart_waf and its kin: images are opened while nginx reads its
 * configuration, once each, so that a bad one stops nginx -t and all workers share a good one. */
#include "ngx_rempart_waf.h"

static char no_image[] =
    "needs an image and a mode: rempart_waf IMAGE on|detect|learn|off [stream]";
static char waf_duplicate[] = "is duplicate";

/* ---- images ---- */

static void close_image(void *data) {
    ngx_rempart_image_t *image = data;
    rp_waf_close(image->waf);
    image->waf = NULL;
    rp_shm_done(&image->map);
}

static ngx_int_t open_image(ngx_conf_t *cf, ngx_rempart_image_t *image) {
    struct rp_diag diag = {0};
    const char *path = (const char *)image->path.data;
    rp_err err = rp_shm_open(path, false, 0, &image->map);
    if (rp_ok(err)) {
        err = rp_waf_open(rp_view_of(image->map.p, image->map.n), &image->waf, &diag);
    }
    if (!rp_ok(err)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "rempart_waf: \"%V\" is no image of this version: %s%s%s; make it "
                           "with \"rempart waf compile\"",
                           &image->path, rp_err_text(err, RP_EN), diag.text[0] ? ": " : "",
                           diag.text);
        return NGX_ERROR;
    }
    rp_waf_info(image->waf, &image->info);
    return NGX_OK;
}

static ngx_rempart_image_t *new_image(ngx_conf_t *cf, ngx_array_t *images, ngx_str_t path) {
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_rempart_image_t));
    ngx_rempart_image_t **slot = ngx_array_push(images);
    if (!cleanup || !slot) {
        return NULL;
    }
    ngx_rempart_image_t *image = cleanup->data;
    ngx_memzero(image, sizeof *image);
    image->path = path;
    cleanup->handler = close_image;
    *slot = image;
    return open_image(cf, image) == NGX_OK ? image : NULL;
}

/* The image of that path, opened already or now; NULL after a message. */
static ngx_rempart_image_t *image_of(ngx_conf_t *cf, ngx_str_t path) {
    ngx_rempart_main_conf_t *main_conf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_rempart_module);
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NULL;
    }
    if (!main_conf->images) {
        main_conf->images = ngx_array_create(cf->pool, 2, sizeof(ngx_rempart_image_t *));
        if (!main_conf->images || ngx_rempart_waf_memory_init(cf, main_conf) != NGX_OK) {
            return NULL;
        }
    }
    ngx_rempart_image_t **images = main_conf->images->elts;
    for (ngx_uint_t i = 0; i < main_conf->images->nelts; i++) {
        if (rp_view_equal(ngx_rempart_view(images[i]->path), ngx_rempart_view(path))) {
            return images[i];
        }
    }
    return new_image(cf, main_conf->images, path);
}

/* ---- directives ---- */

static bool mode_of(ngx_str_t word, ngx_rempart_waf_conf_t *ret_conf) {
    static const struct {
        const char *word;
        enum rp_waf_mode mode;
        bool learn;
    } modes[] = {{"off", RP_WAF_OFF, false},
                 {"detect", RP_WAF_DETECT, false},
                 {"learn", RP_WAF_DETECT, true},
                 {"on", RP_WAF_ON, false}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (rp_view_equal(ngx_rempart_view(word), rp_view_from_cstr(modes[i].word))) {
            ret_conf->mode = modes[i].mode;
            ret_conf->learn = modes[i].learn;
            return true;
        }
    }
    return false;
}

char *ngx_rempart_set_waf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    ngx_rempart_loc_conf_t *loc = conf;
    const ngx_str_t *words = cf->args->elts;
    ngx_uint_t count = cf->args->nelts;
    if (loc->waf.mode != NGX_CONF_UNSET_UINT) {
        return waf_duplicate;
    }
    loc->waf.stream =
        count > 2 && rp_view_equal(ngx_rempart_view(words[count - 1]), RP_VIEW("stream"));
    count -= loc->waf.stream ? 1 : 0;
    if (count > 3 || !mode_of(words[count - 1], &loc->waf)) {
        return no_image;
    }
    if (count == 2) {
        return NGX_CONF_OK; /* the image is that of the level above */
    }
    loc->waf.image = image_of(cf, words[1]);
    return loc->waf.image ? NGX_CONF_OK : NGX_CONF_ERROR;
}

/* One of two words, once. */
static char *set_word(ngx_conf_t *cf, const char *yes, const char *no, char *unknown,
                      ngx_flag_t *ret_flag) {
    rp_view word = ngx_rempart_view(((const ngx_str_t *)cf->args->elts)[1]);
    if (*ret_flag != NGX_CONF_UNSET) {
        return waf_duplicate;
    }
    *ret_flag = rp_view_equal(word, rp_view_from_cstr(yes));
    return *ret_flag || rp_view_equal(word, rp_view_from_cstr(no)) ? NGX_CONF_OK : unknown;
}

char *ngx_rempart_set_waf_label(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static char unknown[] = "is public, internal, personal or sensitive";
    ngx_rempart_loc_conf_t *loc = conf;
    if (loc->waf.label != NGX_CONF_UNSET_UINT) {
        return waf_duplicate;
    }
    enum rp_sample_label label =
        rp_sample_label_named(ngx_rempart_view(((const ngx_str_t *)cf->args->elts)[1]));
    loc->waf.label = label;
    return label < RP_SAMPLE_LABEL_COUNT ? NGX_CONF_OK : unknown;
}

char *ngx_rempart_set_over_budget(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static char unknown[] = "is block or detect";
    ngx_rempart_loc_conf_t *loc = conf;
    return set_word(cf, "block", "detect", unknown, &loc->waf.over_budget_blocks);
}

char *ngx_rempart_set_waf_log(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static char unknown[] = "is rules or full";
    ngx_rempart_loc_conf_t *loc = conf;
    return set_word(cf, "full", "rules", unknown, &loc->waf.full_log);
}

char *ngx_rempart_merge_waf(ngx_conf_t *cf, const ngx_rempart_waf_conf_t *above,
                            ngx_rempart_waf_conf_t *conf) {
    ngx_conf_merge_ptr_value(conf->image, above->image, NULL);
    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->stream = above->stream;
        conf->learn = above->learn;
    }
    ngx_conf_merge_uint_value(conf->mode, above->mode, RP_WAF_OFF);
    ngx_conf_merge_value(conf->stream, above->stream, 0);
    ngx_conf_merge_value(conf->learn, above->learn, 0);
    if (conf->model == NGX_CONF_UNSET_PTR) {
        conf->model_blocks = above->model_blocks;
    }
    ngx_conf_merge_ptr_value(conf->model, above->model, NULL);
    ngx_conf_merge_uint_value(conf->label, above->label, RP_SAMPLE_PERSONAL);
    ngx_conf_merge_value(conf->over_budget_blocks, above->over_budget_blocks, 1);
    ngx_conf_merge_value(conf->full_log, above->full_log, 0);
    if (conf->mode != RP_WAF_OFF && !conf->image) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "rempart_waf %s", no_image);
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}
