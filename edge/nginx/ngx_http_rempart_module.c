// clang-format off
/* ngx_http_rempart_module.c — the module's table: directives, configurations, handlers.
 *
 * Where no context is named, http, server and location take the directive.
 *
 *   rempart_state DIR; (in http)
 *       tables and rings of this installation
 *   rempart_log_json on|off; (in http)
 *       lines on standard error as JSON
 *   rempart_confine read|write PATH…; (in http)
 *       walls around each worker, files it may use
 *   rempart_confine connect PORT…|none; (in http)
 *       and ports of TCP that it may connect to
 *   rempart_provider CIDR…; (in http)
 *       who stands in front: what comes by nobody is noted
 *   rempart_notes DIR; (in http)
 *       a table for each worker: notes.N
 *   rempart_health PATH HOST; (in upstream)
 *       instances that fail there get no requests
 *   rempart_app NAME;
 *       the application behind this place
 *   rempart_session none|optional|required [pwd|mfa|phr];
 *       who may come, and how they signed in
 *   rempart_identity_header NAME subject|email|tenant|roles;
 *       told to the application
 *   rempart_cookies off|harden [NAME…];
 *       the named ones stay readable for scripts
 *   rempart_limit address|network|route|session|tenant|strangers RATE BURST;
 *       a second, and at once
 *   rempart_header missing|replace NAME VALUE;
 *       of the answer
 *   rempart_plain_paths on|off;
 *       refuse addresses that two readers would read differently
 *   rempart_hsts on|off;
 *       default on where there is a rempart_state
 *   rempart_waf [IMAGE] on|detect|learn|off [stream];
 *       the firewall; learn: detect, and note what people meet
 *   rempart_waf_over_budget block|detect;
 *       requests that cost more than their budget
 *   rempart_waf_model FILE on|detect;
 *       OpenAPI: what an application is sent, and nothing else
 *   rempart_waf_label public|internal|personal|sensitive;
 *       how plainly a note says what was sent
 *   rempart_waf_log rules|full;
 *       full: a line a match, with its data, for tests
 */
// clang-format on
#include "ngx_rempart.h"

#include "base/env.h"

enum { ANYWHERE = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF };

static ngx_command_t commands[] = {
    {ngx_string("rempart_state"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_rempart_set_state,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_log_json"), NGX_HTTP_MAIN_CONF | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(ngx_rempart_main_conf_t, log_json), NULL},
    {ngx_string("rempart_confine"), NGX_HTTP_MAIN_CONF | NGX_CONF_2MORE, ngx_rempart_set_confine,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_provider"), NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE, ngx_rempart_set_provider,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_health"), NGX_HTTP_UPS_CONF | NGX_CONF_TAKE2, ngx_rempart_set_health,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_session"), ANYWHERE | NGX_CONF_TAKE12, ngx_rempart_set_session,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_app"), ANYWHERE | NGX_CONF_TAKE1, ngx_rempart_set_app,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_identity_header"), ANYWHERE | NGX_CONF_TAKE2,
     ngx_rempart_set_identity_header, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_cookies"), ANYWHERE | NGX_CONF_1MORE, ngx_rempart_set_cookies,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_limit"), ANYWHERE | NGX_CONF_TAKE3, ngx_rempart_set_limit,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_header"), ANYWHERE | NGX_CONF_TAKE3, ngx_rempart_set_header,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_plain_paths"), ANYWHERE | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_rempart_loc_conf_t, plain_paths), NULL},
    {ngx_string("rempart_hsts"), ANYWHERE | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_rempart_loc_conf_t, hsts), NULL},
    {ngx_string("rempart_waf"), ANYWHERE | NGX_CONF_TAKE123, ngx_rempart_set_waf,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_notes"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_str_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(ngx_rempart_main_conf_t, notes), NULL},
    {ngx_string("rempart_waf_model"), ANYWHERE | NGX_CONF_TAKE2, ngx_rempart_set_waf_model,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_waf_label"), ANYWHERE | NGX_CONF_TAKE1, ngx_rempart_set_waf_label,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_waf_over_budget"), ANYWHERE | NGX_CONF_TAKE1, ngx_rempart_set_over_budget,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("rempart_waf_log"), ANYWHERE | NGX_CONF_TAKE1, ngx_rempart_set_waf_log,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    ngx_null_command};

static void *create_main_conf(ngx_conf_t *cf) {
    ngx_rempart_main_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);
    if (!conf) {
        return NULL;
    }
    conf->ready_fd = -1;
    conf->log_json = NGX_CONF_UNSET;
    /* A salt for each life of the configuration: hashes of addresses cannot be compared longer. */
    struct rp_env env = rp_env_real();
    env.fill_random(env.ctx, conf->salt, sizeof conf->salt);
    return conf;
}

static void *create_loc_conf(ngx_conf_t *cf) {
    ngx_rempart_loc_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);
    if (!conf) {
        return NULL;
    }
    conf->need = NGX_CONF_UNSET_UINT;
    conf->least_acr = NGX_CONF_UNSET_UINT;
    conf->hsts = NGX_CONF_UNSET;
    conf->harden = NGX_CONF_UNSET;
    for (size_t i = 0; i < RP_LIMIT_KIND_COUNT; i++) {
        conf->limits[i].interval_us = (uint32_t)NGX_REMPART_UNSET;
    }
    conf->plain_paths = NGX_CONF_UNSET;
    conf->headers = NGX_CONF_UNSET_PTR;
    conf->for_scripts = NGX_CONF_UNSET_PTR;
    conf->identity_names = NGX_CONF_UNSET_PTR;
    conf->identity_claims = NGX_CONF_UNSET_PTR;
    conf->waf.image = NGX_CONF_UNSET_PTR;
    conf->waf.mode = NGX_CONF_UNSET_UINT;
    conf->waf.over_budget_blocks = NGX_CONF_UNSET;
    conf->waf.stream = NGX_CONF_UNSET;
    conf->waf.full_log = NGX_CONF_UNSET;
    conf->waf.learn = NGX_CONF_UNSET;
    conf->waf.label = NGX_CONF_UNSET_UINT;
    conf->waf.model = NGX_CONF_UNSET_PTR;
    return conf;
}

static char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) {
    ngx_rempart_loc_conf_t *above = parent;
    ngx_rempart_loc_conf_t *conf = child;
    const ngx_rempart_main_conf_t *main_conf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_rempart_module);
    bool at_work = main_conf->state.len > 0;
    ngx_conf_merge_uint_value(conf->need, above->need, JUDGE_NEED_NONE);
    ngx_conf_merge_uint_value(conf->least_acr, above->least_acr, RP_ACR_PWD);
    ngx_conf_merge_str_value(conf->app, above->app, "");
    ngx_conf_merge_value(conf->hsts, above->hsts, at_work);
    ngx_conf_merge_value(conf->harden, above->harden, at_work);
    for (size_t i = 0; i < RP_LIMIT_KIND_COUNT; i++) {
        if (conf->limits[i].interval_us == (uint32_t)NGX_REMPART_UNSET) {
            bool set = above->limits[i].interval_us != (uint32_t)NGX_REMPART_UNSET;
            conf->limits[i] = set ? above->limits[i] : (struct rp_limit){0};
        }
    }
    ngx_conf_merge_value(conf->plain_paths, above->plain_paths, 0);
    ngx_conf_merge_ptr_value(conf->headers, above->headers, NULL);
    ngx_conf_merge_ptr_value(conf->for_scripts, above->for_scripts, NULL);
    ngx_conf_merge_ptr_value(conf->identity_names, above->identity_names, NULL);
    ngx_conf_merge_ptr_value(conf->identity_claims, above->identity_claims, NULL);
    if (!at_work && (conf->need != JUDGE_NEED_NONE || conf->app.len > 0)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "rempart_session and rempart_app need a rempart_state");
        return NGX_CONF_ERROR;
    }
    return ngx_rempart_merge_waf(cf, &above->waf, &conf->waf);
}

static ngx_int_t add_handler(ngx_conf_t *cf, ngx_uint_t phase, ngx_http_handler_pt handler) {
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *slot = ngx_array_push(&core->phases[phase].handlers);
    if (!slot) {
        return NGX_ERROR;
    }
    *slot = handler;
    return NGX_OK;
}

/*= S36: lists, limits, firewall and session stand one behind the other, whatever one of them says.
 */
static ngx_int_t register_handlers(ngx_conf_t *cf) {
    const ngx_rempart_main_conf_t *main_conf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_rempart_module);
    if (main_conf->log_json == 1) {
        ngx_rempart_log_as_json(cf->cycle);
    }
    /* nginx enters the last one first. */
    if (add_handler(cf, NGX_HTTP_PREACCESS_PHASE, ngx_rempart_attack_handler) != NGX_OK ||
        add_handler(cf, NGX_HTTP_PREACCESS_PHASE, ngx_rempart_limit_handler) != NGX_OK ||
        add_handler(cf, NGX_HTTP_PREACCESS_PHASE, ngx_rempart_lists_handler) != NGX_OK ||
        add_handler(cf, NGX_HTTP_ACCESS_PHASE, ngx_rempart_access_handler) != NGX_OK ||
        /* Of one phase, what is added last comes first. */
        add_handler(cf, NGX_HTTP_ACCESS_PHASE, ngx_rempart_waf_handler) != NGX_OK ||
        add_handler(cf, NGX_HTTP_LOG_PHASE, ngx_rempart_log_handler) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_rempart_header_filter_init(cf) == NGX_OK ? ngx_rempart_waf_filters_init(cf)
                                                        : NGX_ERROR;
}

static ngx_http_module_t context = {
    ngx_rempart_add_variables, register_handlers, create_main_conf, NULL, NULL, NULL,
    create_loc_conf,           merge_loc_conf,
};

ngx_module_t ngx_http_rempart_module = {
    NGX_MODULE_V1,
    &context,
    commands,
    NGX_HTTP_MODULE,
    NULL, /* init master */
    NULL, /* init module */
    ngx_rempart_init_process,
    NULL, /* init thread */
    NULL, /* exit thread */
    NULL, /* exit process */
    NULL, /* exit master */
    NGX_MODULE_V1_PADDING,
};
