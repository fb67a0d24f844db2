/* ngx_rempart.h — what the files of the module share. The judgement is in judge/; here stands
 * only what carries nginx's requests there and its answers back.
 *
 * Without a rempart_ directive the module registers its handlers and does nothing.
 */
#ifndef NGX_REMPART_H
#define NGX_REMPART_H

#include "ngx_rempart_nginx.h"

#include "judge/record.h"
#include "judge/session.h"
#include "os/role.h"
#include "shield/attack.h"
#include "shield/limits.h"
#include "shield/lists.h"
#include "worker/tables.h"

extern ngx_module_t ngx_http_rempart_module;

/* What an identity header carries. */
typedef enum {
    NGX_REMPART_SUBJECT,
    NGX_REMPART_EMAIL,
    NGX_REMPART_TENANT,
    NGX_REMPART_ROLES
} ngx_rempart_claim_e;

/* http {}: one for the whole nginx. */
typedef struct {
    ngx_str_t state;       /* rempart_state: the folder of tables and rings; empty = none */
    ngx_str_t notes;       /* rempart_notes: the folder of what is noted of the rules; or empty */
    ngx_flag_t log_json;   /* rempart_log_json */
    ngx_array_t *files;    /* rempart_confine: struct rp_role_path; NULL = not confined */
    ngx_array_t *ports;    /* rempart_confine connect: uint16_t; NULL = any */
    ngx_array_t *health;   /* rempart_health: upstreams whose instances are asked; NULL: none */
    ngx_array_t *provider; /* rempart_provider: struct rp_ip_net; NULL = nobody stands in front */
    u_char salt[JUDGE_SALT_BYTES];
    int ready_fd;                /* the supervisor's pipe, at the first start; else -1 */
    bool started_as_root;        /* the master; its workers are somebody else */
    struct worker_tables tables; /* of this worker */
    ngx_event_t refresh;
    uint64_t requests;   /* named by this worker */
    ngx_array_t *images; /* ngx_rempart_image_t *: rule sets, each opened once; NULL = none */
    ngx_shm_zone_t *waf_memory;
} ngx_rempart_main_conf_t;

/* A header of an answer: added where it is missing, or in place of what stands there. */
typedef struct {
    ngx_str_t name, value;
    bool replace;
} ngx_rempart_header_t;

enum { NGX_REMPART_UNSET = -1 };

/* The application firewall: ngx_rempart_waf.h. */
typedef struct ngx_rempart_image_s ngx_rempart_image_t;
typedef struct ngx_rempart_waf_s ngx_rempart_waf_t;
typedef struct ngx_rempart_model_s ngx_rempart_model_t;
typedef struct {
    const ngx_rempart_image_t *image;
    ngx_uint_t mode;                  /* rp_waf_mode */
    ngx_flag_t over_budget_blocks;    /* rempart_waf_over_budget */
    ngx_flag_t stream;                /* bodies pass unread */
    ngx_flag_t full_log;              /* rempart_waf_log */
    const ngx_rempart_model_t *model; /* rempart_waf_model; NULL: none */
    ngx_flag_t model_blocks;
    ngx_flag_t learn; /* detect, and what signed-in people meet is noted down */
    ngx_uint_t label; /* rp_sample_label: how plainly what they sent is noted */
} ngx_rempart_waf_conf_t;

/* location {}: what a place asks for and gives. */
typedef struct {
    ngx_uint_t need, least_acr;                  /* judge_need, rp_acr */
    ngx_str_t app;                               /* empty: core's or the gate's own */
    struct rp_limit limits[RP_LIMIT_KIND_COUNT]; /* interval_us NGX_REMPART_UNSET = as above */
    ngx_flag_t hsts, harden;
    ngx_flag_t plain_paths;       /* addresses that could be read in two ways are refused */
    ngx_array_t *headers;         /* ngx_rempart_header_t */
    ngx_array_t *for_scripts;     /* rp_view: cookies that scripts may read */
    ngx_array_t *identity_names;  /* rp_view, and at the same index … */
    ngx_array_t *identity_claims; /* … ngx_rempart_claim_e */
    ngx_rempart_waf_conf_t waf;
} ngx_rempart_loc_conf_t;

/* A request's way through the module. Lives in the request's pool and survives internal
 * redirects, so that the record says what was first asked and judged. */
typedef struct {
    const ngx_rempart_loc_conf_t *judged_by;
    ngx_str_t app;
    enum rp_gate_reason reason;
    struct judge_visitor visitor;
    ngx_uint_t wait_s;      /* until the next request may come, where a limit refused this one */
    unsigned allowed : 1;   /* by an allow list: no limit counts */
    unsigned asked : 2;     /* how often core was asked for an assertion */
    unsigned answered : 1;  /* and answered */
    ngx_uint_t answer;      /* with this status */
    ngx_rempart_waf_t *waf; /* NULL: no firewall looked at it */
    u_char request_id[32];  /* empty until somebody asks for it */
} ngx_rempart_ctx_t;

static inline rp_view ngx_rempart_view(ngx_str_t text) {
    return rp_view_of(text.data, text.len);
}

/* The request's context; created on demand, NULL when memory is out. */
ngx_rempart_ctx_t *ngx_rempart_ctx(ngx_http_request_t *r, ngx_flag_t create);
int64_t ngx_rempart_now_ms(void);
/* What nginx and all its modules say on standard error from here on is JSON. */
void ngx_rempart_log_as_json(ngx_cycle_t *cycle);
/* The request's name: 32 hexadecimal digits. */
rp_view ngx_rempart_request_id(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx);

/* directives */
char *ngx_rempart_set_state(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_provider(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* In a worker: begins to ask, in the first one. */
ngx_int_t ngx_rempart_health_start(const ngx_rempart_main_conf_t *main_conf, ngx_cycle_t *cycle);
char *ngx_rempart_set_confine(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_cookies(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_identity_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_waf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_waf_model(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_waf_label(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_over_budget(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_waf_log(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_merge_waf(ngx_conf_t *cf, const ngx_rempart_waf_conf_t *above,
                            ngx_rempart_waf_conf_t *conf);

/* phases */
ngx_int_t ngx_rempart_access_handler(ngx_http_request_t *r);
ngx_int_t ngx_rempart_lists_handler(ngx_http_request_t *r);
ngx_int_t ngx_rempart_limit_handler(ngx_http_request_t *r);
ngx_int_t ngx_rempart_attack_handler(ngx_http_request_t *r);
ngx_int_t ngx_rempart_log_handler(ngx_http_request_t *r);
ngx_int_t ngx_rempart_waf_handler(ngx_http_request_t *r);
/* True where the rules refused, or would have: then *ret_rules says what. */
bool ngx_rempart_waf_log(ngx_http_request_t *r, struct judge_rules *ret_rules);
ngx_int_t ngx_rempart_waf_filters_init(ngx_conf_t *cf);
ngx_int_t ngx_rempart_header_filter_init(ngx_conf_t *cf);
ngx_int_t ngx_rempart_add_variables(ngx_conf_t *cf);

/* The address of the client, and its network: the /24 of IPv4; the /64 of IPv6, which is what one
 * subscriber has, stands for both. False for what comes over a local socket. */
bool ngx_rempart_client_of(const ngx_http_request_t *r, rp_view *ret_address, rp_view *ret_network);
/* The cookie with the puzzle's question; empty where nothing is asked. */
ngx_int_t ngx_rempart_challenge_cookie(ngx_http_request_t *r, rp_view *ret_cookie);

/* NGX_OK, or NGX_BUSY when the session or its tenant asked too often. */
ngx_int_t ngx_rempart_limit_visitor(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx);

/* Removes what a stranger may not send, and adds what the gate says instead (entry may be NULL:
 * nobody is there). */
ngx_int_t ngx_rempart_rewrite_headers(ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf,
                                      const ngx_rempart_ctx_t *ctx,
                                      const struct rp_assertion_entry *entry);

/* processes */
ngx_int_t ngx_rempart_init_process(ngx_cycle_t *cycle);

#endif
