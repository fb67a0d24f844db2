/* ngx_rempart_waf.h — the application firewall in nginx: what its files share.
 *
 *   rempart_waf IMAGE on|detect|off [stream];   http, server, location
 *   rempart_waf_over_budget block|detect;
 *
 * An image (rempart waf compile) is mapped and checked once while nginx reads its configuration,
 * by the master: workers and sites share it, and a reload maps the new one. A request is judged
 * once, in the access phase and before anybody asks who is there: phase 1, then the body, phase 2;
 * the answer in the filters (3 and 4), and phase 5 with the log. `stream` leaves bodies alone.
 * Works in any nginx, without a rempart_state.   Promises: S58, S64, S36, S51.
 */
#ifndef NGX_REMPART_WAF_H
#define NGX_REMPART_WAF_H

#include "ngx_rempart_nginx.h"

#include "shield/shield.h"

/* One mapped image of this life of the configuration. */
typedef struct {
    ngx_str_t path;
    void *map;
    size_t size;
    struct rp_waf *waf;
    struct rp_waf_info info;
} ngx_rempart_image_t;

typedef struct {
    ngx_rempart_image_t *image; /* NGX_CONF_UNSET_PTR: as above; NULL: none */
    ngx_uint_t mode;            /* rp_waf_mode */
    ngx_flag_t stream, over_budget_blocks;
} ngx_rempart_waf_conf_t;

/* A request's judgement. Lives in the request's pool; the arena goes back to the worker with it. */
typedef struct ngx_rempart_waf_s {
    const ngx_rempart_image_t *image;
    struct rp_arena *arena;
    struct rp_waf_tx *tx;
    ngx_http_request_t *request;
    char incident[32];
    ngx_uint_t refused; /* the status with which it was, 0 = not */
    ngx_chain_t *kept;  /* an answer's body, held until it is judged */
    ngx_chain_t **kept_end;
    size_t kept_bytes;
    unsigned reading : 1;      /* the body is on its way */
    unsigned request_done : 1; /* phases 1 and 2 are over */
    unsigned answer_begun : 1; /* phase 3 was run */
    unsigned holding : 1;      /* headers wait for the body's judgement */
    unsigned told : 1;         /* the line in the error log is written */
} ngx_rempart_waf_t;

/* ---- ngx_rempart_waf.c ---- */
char *ngx_rempart_set_waf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_rempart_set_waf_over_budget(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void ngx_rempart_waf_conf_unset(ngx_rempart_waf_conf_t *conf);
void ngx_rempart_waf_conf_merge(ngx_rempart_waf_conf_t *conf, const ngx_rempart_waf_conf_t *above);
/* The request's judgement; NULL when there is none. */
ngx_rempart_waf_t *ngx_rempart_waf_of(ngx_http_request_t *r);
/* Has the rules' verdict come to a refusal? Then it is in the error log, and the status is told. */
ngx_uint_t ngx_rempart_waf_verdict(ngx_rempart_waf_t *waf);

/* ---- ngx_rempart_waf_request.c ---- */
ngx_int_t ngx_rempart_waf_handler(ngx_http_request_t *r);

/* ---- ngx_rempart_waf_response.c ---- */
ngx_int_t ngx_rempart_waf_filter_init(ngx_conf_t *cf);
ngx_int_t ngx_rempart_waf_log_handler(ngx_http_request_t *r);

/* ---- ngx_rempart_waf_page.c ---- */
/* Sends the page (or problem document) of a refusal and ends the request: NGX_DONE. */
ngx_int_t ngx_rempart_waf_refuse(ngx_http_request_t *r, ngx_rempart_waf_t *waf, ngx_uint_t status);

#endif
