/* ngx_rempart_directives.c — words of the configuration to values; what is not understood stops
 * nginx with the line where it stands. */
#include "ngx_rempart.h"

#include "base/checked.h"

/* nginx wants these as char *, and prints them after the directive's name. */
static char duplicate[] = "is duplicate";
static char bad_limit[] = "needs a kind, a rate up to 100000 and a burst up to 1000000";
static char bad_app_name[] = "names an application of 1 to 32 characters";

typedef struct {
    const char *word;
    ngx_uint_t value;
} word_t;

/* The value of a word of the list; NGX_CONF_UNSET_UINT and a message when it is none. */
static ngx_uint_t value_of(ngx_conf_t *cf, ngx_str_t word, const word_t *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (rp_view_equal(ngx_rempart_view(word), rp_view_from_cstr(list[i].word))) {
            return list[i].value;
        }
    }
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown word \"%V\"", &word);
    return NGX_CONF_UNSET_UINT;
}

/* ngx_conf strings end in NUL, but promise nothing; this one does. */
static char *c_string(ngx_conf_t *cf, ngx_str_t text) {
    u_char *copy = ngx_pnalloc(cf->pool, text.len + 1);
    if (copy) {
        ngx_cpystrn(copy, text.data, text.len + 1);
    }
    return (char *)copy;
}

/* REMPART_READY_FD, as every role has it. A reload finds the variable too, but not the pipe. */
static int inherited_ready_fd(const ngx_conf_t *cf) {
    const char *text = ngx_is_init_cycle(cf->cycle->old_cycle) ? getenv("REMPART_READY_FD") : NULL;
    uint64_t fd = 0;
    return text && rp_view_to_u64(rp_view_from_cstr(text), 1023, &fd) ? (int)fd : -1;
}

char *ngx_rempart_set_state(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    ngx_rempart_main_conf_t *main_conf = conf;
    if (main_conf->state.len > 0) {
        return duplicate;
    }
    const ngx_str_t *words = cf->args->elts;
    main_conf->state.data = (u_char *)c_string(cf, words[1]);
    main_conf->state.len = words[1].len;
    main_conf->ready_fd = inherited_ready_fd(cf);
    main_conf->started_as_root = geteuid() == 0;
    return main_conf->state.data && words[1].len > 0 ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static char *set_ports(ngx_conf_t *cf, ngx_rempart_main_conf_t *main_conf) {
    const ngx_str_t *words = cf->args->elts;
    if (!main_conf->ports) {
        main_conf->ports = ngx_array_create(cf->pool, 8, sizeof(uint16_t));
    }
    for (ngx_uint_t i = 2; i < cf->args->nelts && main_conf->ports; i++) {
        rp_view word = rp_view_of(words[i].data, words[i].len);
        uint64_t port = 0;
        if (rp_view_equal(word, RP_VIEW("none"))) {
            continue;
        }
        uint16_t *one = ngx_array_push(main_conf->ports);
        if (!one || !rp_view_to_u64(word, UINT16_MAX, &port) || port == 0) {
            return NGX_CONF_ERROR;
        }
        *one = (uint16_t)port;
    }
    return main_conf->ports ? NGX_CONF_OK : NGX_CONF_ERROR;
}

char *ngx_rempart_set_confine(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static const word_t kinds[] = {{"read", RP_ACCESS_READ},
                                   {"write", RP_ACCESS_READ | RP_ACCESS_WRITE}};
    ngx_rempart_main_conf_t *main_conf = conf;
    const ngx_str_t *words = cf->args->elts;
    if (rp_view_equal(rp_view_of(words[1].data, words[1].len), RP_VIEW("connect"))) {
        return set_ports(cf, main_conf);
    }
    ngx_uint_t access = value_of(cf, words[1], kinds, RP_COUNT_OF(kinds));
    if (!main_conf->files) {
        main_conf->files = ngx_array_create(cf->pool, 8, sizeof(struct rp_role_path));
    }
    if (access == NGX_CONF_UNSET_UINT || !main_conf->files) {
        return NGX_CONF_ERROR;
    }
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        struct rp_role_path *path = ngx_array_push(main_conf->files);
        if (!path) {
            return NGX_CONF_ERROR;
        }
        *path = (struct rp_role_path){
            .path = c_string(cf, words[i]), .access = (unsigned)access, .optional = true};
        if (!path->path) {
            return NGX_CONF_ERROR;
        }
    }
    return NGX_CONF_OK;
}

char *ngx_rempart_set_provider(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    ngx_rempart_main_conf_t *main_conf = conf;
    const ngx_str_t *words = cf->args->elts;
    if (!main_conf->provider) {
        main_conf->provider = ngx_array_create(cf->pool, 8, sizeof(struct rp_ip_net));
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts && main_conf->provider; i++) {
        struct rp_ip_net *net = ngx_array_push(main_conf->provider);
        if (!net || !rp_ok(rp_ip_net_parse(rp_view_of(words[i].data, words[i].len), net))) {
            return NGX_CONF_ERROR;
        }
    }
    return main_conf->provider ? NGX_CONF_OK : NGX_CONF_ERROR;
}

char *ngx_rempart_set_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static const word_t needs[] = {{"none", JUDGE_NEED_NONE},
                                   {"optional", JUDGE_NEED_OPTIONAL},
                                   {"required", JUDGE_NEED_REQUIRED}};
    static const word_t acrs[] = {{"pwd", RP_ACR_PWD}, {"mfa", RP_ACR_MFA}, {"phr", RP_ACR_PHR}};
    ngx_rempart_loc_conf_t *loc = conf;
    if (loc->need != NGX_CONF_UNSET_UINT) {
        return duplicate;
    }
    const ngx_str_t *words = cf->args->elts;
    loc->need = value_of(cf, words[1], needs, RP_COUNT_OF(needs));
    loc->least_acr =
        cf->args->nelts > 2 ? value_of(cf, words[2], acrs, RP_COUNT_OF(acrs)) : RP_ACR_PWD;
    bool known = loc->need != NGX_CONF_UNSET_UINT && loc->least_acr != NGX_CONF_UNSET_UINT;
    return known ? NGX_CONF_OK : NGX_CONF_ERROR;
}

char *ngx_rempart_set_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    ngx_rempart_loc_conf_t *loc = conf;
    const ngx_str_t *words = cf->args->elts;
    if (loc->app.data) {
        return duplicate;
    }
    if (words[1].len == 0 || words[1].len > 32) {
        return bad_app_name;
    }
    loc->app = words[1];
    return NGX_CONF_OK;
}

char *ngx_rempart_set_cookies(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static const word_t modes[] = {{"off", 0}, {"harden", 1}};
    ngx_rempart_loc_conf_t *loc = conf;
    if (loc->harden != NGX_CONF_UNSET) {
        return duplicate;
    }
    const ngx_str_t *words = cf->args->elts;
    ngx_uint_t mode = value_of(cf, words[1], modes, RP_COUNT_OF(modes));
    if (mode == NGX_CONF_UNSET_UINT || (mode == 0 && cf->args->nelts > 2)) {
        return NGX_CONF_ERROR;
    }
    loc->harden = (ngx_flag_t)mode;
    loc->for_scripts = ngx_array_create(cf->pool, 4, sizeof(rp_view));
    if (!loc->for_scripts) {
        return NGX_CONF_ERROR;
    }
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        rp_view *name = ngx_array_push(loc->for_scripts);
        if (!name) {
            return NGX_CONF_ERROR;
        }
        *name = ngx_rempart_view(words[i]);
    }
    return NGX_CONF_OK;
}

char *ngx_rempart_set_identity_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static const word_t claims[] = {{"subject", NGX_REMPART_SUBJECT},
                                    {"email", NGX_REMPART_EMAIL},
                                    {"tenant", NGX_REMPART_TENANT},
                                    {"roles", NGX_REMPART_ROLES}};
    ngx_rempart_loc_conf_t *loc = conf;
    const ngx_str_t *words = cf->args->elts;
    ngx_uint_t claim = value_of(cf, words[2], claims, RP_COUNT_OF(claims));
    if (loc->identity_names == NGX_CONF_UNSET_PTR) {
        loc->identity_names = ngx_array_create(cf->pool, 4, sizeof(rp_view));
        loc->identity_claims = ngx_array_create(cf->pool, 4, sizeof(ngx_uint_t));
    }
    if (claim == NGX_CONF_UNSET_UINT || !loc->identity_names || !loc->identity_claims) {
        return NGX_CONF_ERROR;
    }
    rp_view *name = ngx_array_push(loc->identity_names);
    ngx_uint_t *what = ngx_array_push(loc->identity_claims);
    if (!name || !what) {
        return NGX_CONF_ERROR;
    }
    *name = ngx_rempart_view(words[1]);
    *what = claim;
    return NGX_CONF_OK;
}

char *ngx_rempart_set_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static const word_t kinds[] = {{"missing", 0}, {"replace", 1}};
    ngx_rempart_loc_conf_t *loc = conf;
    const ngx_str_t *words = cf->args->elts;
    ngx_uint_t kind = value_of(cf, words[1], kinds, RP_COUNT_OF(kinds));
    if (loc->headers == NGX_CONF_UNSET_PTR) {
        loc->headers = ngx_array_create(cf->pool, 8, sizeof(ngx_rempart_header_t));
    }
    if (kind == NGX_CONF_UNSET_UINT || !loc->headers) {
        return NGX_CONF_ERROR;
    }
    ngx_rempart_header_t *header = ngx_array_push(loc->headers);
    if (!header) {
        return NGX_CONF_ERROR;
    }
    *header = (ngx_rempart_header_t){words[2], words[3], kind == 1};
    return NGX_CONF_OK;
}

char *ngx_rempart_set_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    (void)cmd;
    static const word_t kinds[] = {
        {"address", RP_LIMIT_ADDRESS}, {"network", RP_LIMIT_NETWORK},
        {"route", RP_LIMIT_ROUTE},     {"session", RP_LIMIT_SESSION},
        {"tenant", RP_LIMIT_TENANT},   {"strangers", RP_LIMIT_STRANGERS}};
    ngx_rempart_loc_conf_t *loc = conf;
    const ngx_str_t *words = cf->args->elts;
    ngx_uint_t kind = value_of(cf, words[1], kinds, RP_COUNT_OF(kinds));
    uint64_t rate = 0, burst = 0;
    bool good = kind != NGX_CONF_UNSET_UINT &&
                rp_view_to_u64(ngx_rempart_view(words[2]), RP_LIMITS_RATE_MAX, &rate) &&
                rp_view_to_u64(ngx_rempart_view(words[3]), RP_LIMITS_BURST_MAX, &burst) &&
                rate > 0 && burst > 0;
    if (!good) {
        return bad_limit;
    }
    loc->limits[kind] = rp_limit_of(rate, burst);
    return NGX_CONF_OK;
}
