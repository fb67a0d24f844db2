/* ngx_rempart_waf.h — the application firewall in nginx: what its files share.
 *
 * A place names an image (rempart_waf IMAGE on|detect). It is mapped once, while nginx reads its
 * configuration, so that all workers and sites share it. A request gets one transaction of the
 * engine (shield/shield.h): its head is judged in the access phase before anything else, its body
 * when it has been read, the answer in the filters, and the log phase ends it. Bodies that would
 * take long are judged in a thread of the worker (ngx_rempart_waf_threads.c), and so is the rest of
 * whatever has taken longer in the loop than an honest request does.
 *
 * Works alone: without rempart_state, and with no other role running. Promises: S58, S64, S36.
 */
#ifndef NGX_REMPART_WAF_H
#define NGX_REMPART_WAF_H

#include "ngx_rempart.h"

#include "judge/inflate.h"
#include "judge/waf_page.h"
#include "os/shm.h"
#include "shield/model.h"
#include "shield/sample.h"
#include "shield/shield.h"

/* A rule set, opened once for all places that name it. Lives as long as its configuration. */
struct ngx_rempart_image_s {
    ngx_str_t path;
    struct rp_shm map;
    struct rp_waf *waf;
    struct rp_waf_info info;
};

typedef enum {
    NGX_REMPART_WAF_HEAD,    /* nothing is judged yet */
    NGX_REMPART_WAF_READING, /* nginx reads the body */
    NGX_REMPART_WAF_BODY,    /* the body stands there */
    NGX_REMPART_WAF_THREAD,  /* a thread looks at body or head */
    NGX_REMPART_WAF_THREAD_DONE,
    NGX_REMPART_WAF_REQUEST, /* the request is judged */
    NGX_REMPART_WAF_ANSWER,  /* the answer's head is judged, too */
    NGX_REMPART_WAF_OVER     /* nothing more is to be judged: refused, or all has been seen */
} ngx_rempart_waf_stage_e;

/* seats: of this worker, used again and again, by one request at a time. */
typedef struct {
    struct rp_arena *arena;   /* NULL when memory is out */
    struct rp_waf_kept *kept; /* may be NULL: what the requests on this seat leave to each other */
} ngx_rempart_seat_t;

/* What a thread does, and how the loop goes on when it is done. */
typedef rp_err ngx_rempart_waf_job_pt(ngx_rempart_waf_t *waf);
typedef ngx_int_t ngx_rempart_waf_then_pt(ngx_rempart_waf_t *waf, rp_err err);

/* One request's way. Lives in the request's pool; seat and transaction go with it. */
struct ngx_rempart_waf_s {
    ngx_http_request_t *r;
    const ngx_rempart_waf_conf_t *conf;
    struct rp_arena *arena; /* of the seat */
    ngx_rempart_seat_t seat;
    struct rp_waf_tx *tx;
    ngx_rempart_waf_stage_e stage;
    ngx_rempart_waf_job_pt *job; /* a thread's, then what it came to */
    ngx_rempart_waf_then_pt *then;
    rp_err err;
    ngx_rempart_waf_t *next;                    /* among those that a thread has finished */
    ngx_event_t patience;                       /* keeps the worker while a thread judges */
    enum judge_waf_refusal refusal;             /* what people were told */
    const struct rp_model_operation *operation; /* NULL: no model, or not as it says */
    struct rp_model_verdict violation;
    rp_view content_type, body; /* what the model judges; the body as far as it has come */
    uint8_t *body_text;
    unsigned refused_status; /* 0 = not refused */
    unsigned unseen : 1;     /* judging failed, and the place only detects */
    unsigned unread : 1;     /* nginx had refused it before anything was judged */
    unsigned holding : 1;    /* the answer waits until its body is judged */
    unsigned swallowing : 1; /* the answer was replaced; the rest of it goes nowhere */
    size_t held_bytes;
    struct judge_inflate *inflate; /* the answer is compressed; NULL = it is not */
    ngx_chain_t *held, **held_end;
};

/* access: a request's judgement, whose transaction goes with the request's pool. */
ngx_rempart_waf_t *ngx_rempart_waf_new(ngx_http_request_t *r, const ngx_rempart_waf_conf_t *conf);
rp_err ngx_rempart_waf_start(ngx_rempart_waf_t *waf, ngx_rempart_ctx_t *ctx);

/* unread: in the log phase, a head that nginx itself has refused is judged for the log. */
void ngx_rempart_waf_look_at_unread(ngx_http_request_t *r);

/* request: the engine is told what came, as it came. */
rp_err ngx_rempart_waf_tell_head(ngx_rempart_waf_t *waf);
rp_err ngx_rempart_waf_tell_unread(ngx_rempart_waf_t *waf); /* as far as it has come */
rp_err ngx_rempart_waf_tell_body(ngx_rempart_waf_t *waf);
uint64_t ngx_rempart_waf_body_bytes(const ngx_http_request_t *r);

/* response: an application is only asked for codings that can be read here. */
rp_err ngx_rempart_waf_ask_readable(ngx_rempart_waf_t *waf);

/* threads: NGX_DECLINED when there is none; then the caller judges itself. When it is done, the
 * phases run again, with then() at this place. */
ngx_int_t ngx_rempart_waf_in_thread(ngx_rempart_waf_t *waf, ngx_rempart_waf_job_pt *job,
                                    ngx_rempart_waf_then_pt *then);

/* memory: what rules remember of addresses, for all workers. */
ngx_int_t ngx_rempart_waf_memory_init(ngx_conf_t *cf, ngx_rempart_main_conf_t *main_conf);

/* model: head and body against what the application is to be sent; waf->violation says. */
rp_err ngx_rempart_waf_model_head(ngx_rempart_waf_t *waf, bool has_body);
bool ngx_rempart_waf_model_wants_body(const ngx_rempart_waf_t *waf);
rp_err ngx_rempart_waf_model_gather(ngx_rempart_waf_t *waf, rp_view chunk, uint64_t all);
rp_err ngx_rempart_waf_model_body(ngx_rempart_waf_t *waf);

/* notes: what is not asked at this place; and, at the end, what the rules did and to whom. */
rp_err ngx_rempart_waf_spare(const ngx_rempart_waf_t *waf, rp_view app, struct rp_waf_site *site);
void ngx_rempart_waf_note(const ngx_rempart_waf_t *waf);
/* sent: what a place that learns was sent, and took. */
void ngx_rempart_waf_note_sent(const ngx_rempart_waf_t *waf, void *table);

/* refusals: the page (or problem document) of a refused request as headers and a chain. */
ngx_int_t ngx_rempart_waf_refuse(ngx_rempart_waf_t *waf);
ngx_int_t ngx_rempart_waf_refusal_head(ngx_rempart_waf_t *waf, ngx_chain_t **ret_page);
/* NGX_OK, or what the verdict asks for: sets refusal and refused_status, and returns NGX_BUSY. */
ngx_int_t ngx_rempart_waf_verdict(ngx_rempart_waf_t *waf, rp_err err);

#endif
