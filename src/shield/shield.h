/* shield.h — judging a request: the OWASP Core Rule Set, compiled.
 *
 * rempart waf compile turns rule files into one image: flat, versioned, position-independent bytes
 * that every worker maps read-only and every site shares. rp_waf_open checks an image once and
 * prepares its expressions (PCRE2 with JIT); then a transaction walks one request and its response
 * through the five phases. What is computed for one rule (a transformed value, a prefilter's
 * answer, a collection) is kept for all others of the transaction. A budget bounds the work that a
 * stranger can cause.
 *
 * Pure: no I/O, no clock (the caller says what time it is), no memory but the arena handed in.
 * Threads: a rp_waf is read-only after opening and shared; a transaction belongs to one thread at a
 * time. Promises: S58, S64, S36, S51.
 */
#ifndef RP_SHIELD_SHIELD_H
#define RP_SHIELD_SHIELD_H

#include "base/buf.h"
#include "shield/seclang.h"

enum { RP_WAF_MATCHES_MAX = 256 }; /* kept for the log; more are counted */

/* ---- the image ---- */

/* Writes the image of a rule set. TOO_LARGE, INVALID (an expression that PCRE2 refuses: diag says
 * which rule and where). */
rp_err rp_waf_compile(const struct rp_waf_ruleset *rules, struct rp_arena *scratch,
                      struct rp_buf *ret_image, struct rp_waf_place *ret_place,
                      struct rp_diag *diag);

struct rp_waf;
/* The bytes stay the caller's and must outlive the rp_waf. CORRUPT when any offset leaves the image
 * or its checksum does not fit; EXISTS_NEWER for another version of the format. */
rp_err rp_waf_open(rp_view image, struct rp_waf **ret_waf, struct rp_diag *diag);
void rp_waf_close(struct rp_waf *waf); /* accepts NULL */

struct rp_waf_info {
    rp_view component; /* "OWASP_CRS/3.3.4" */
    size_t rules, expressions, jit_bytes, image_bytes;
    uint8_t sha256[32];    /* of the image */
    enum rp_waf_mode mode; /* what SecRuleEngine of the rules says */
};
void rp_waf_info(const struct rp_waf *waf, struct rp_waf_info *ret_info);
/* For people: the rule, what it became, what its prefilter waits for. NOT_FOUND. */
rp_err rp_waf_explain(const struct rp_waf *waf, uint64_t id, enum rp_lang lang, struct rp_buf *out);
/* Its message, with its %{…} as they stand. NOT_FOUND. */
rp_err rp_waf_rule_message(const struct rp_waf *waf, uint64_t id, struct rp_buf *out);

/* ---- the memory that outlives a transaction: IP:…, GLOBAL:…; NULL callbacks = none ---- */
struct rp_waf_memory {
    void *ctx;
    /* key: "IP" NUL the initcol key NUL the name. false = not there. */
    bool (*get)(void *ctx, rp_view key, int64_t now_s, struct rp_arena *arena, rp_view *ret_value);
    void (*put)(void *ctx, rp_view key, rp_view value, int64_t expires_s);
};

/* ---- a seat: what transactions that follow each other leave to the next ---- */

/* Of texts that browsers repeat, what the rules need to know (kept.c): at most 80 KB, for one
 * transaction at a time. What it holds changes no verdict. NULL when memory is out. */
struct rp_waf_kept;
struct rp_waf_kept *rp_waf_kept_new(void);
void rp_waf_kept_free(struct rp_waf_kept *kept); /* accepts NULL */

/* ---- clocks: without them work is counted in steps alone ---- */

/* An expression may take far longer than its steps say. steady_ns is asked often and should be
 * cheap; only where it says that time has passed is spent_ns asked what of it was this thread's. */
struct rp_waf_clock {
    uint64_t (*steady_ns)(void);
    uint64_t (*spent_ns)(void); /* of the processor, by the thread that asks */
};

/* ---- a transaction ---- */

struct rp_waf_site { /* what the place that the request came to says */
    enum rp_waf_mode mode;
    uint64_t budget; /* match steps; 0 = the default, about 20 ms of a core; where a long text makes
                        expressions look far, up to 80 ms: time beyond steps counts a quarter */
    uint64_t portion; /* of steps, after which phase 1 or 2 pauses before the next rule; 0 = never:
                         for a caller behind whom others wait */
    const struct rp_waf_clock *clock; /* may be NULL */
    bool over_budget_blocks;
    bool logged_only;                   /* matches of rules that do not log are not kept */
    const struct rp_waf_memory *memory; /* may be NULL */
    /* Rules switched off here, as ctl:ruleRemoveById and ctl:ruleRemoveTargetById would: learnt
     * exclusions. Applied before phase 1. */
    const struct rp_waf_ctl *exclusions;
    size_t exclusion_count;
    bool measure;             /* what each rule costs: rp_waf_tx_costs */
    struct rp_waf_kept *kept; /* of the seat; may be NULL */
};

struct rp_waf_connection {
    rp_view client_address, server_address; /* as text */
    uint16_t client_port, server_port;
    rp_view server_name, unique_id;
    int64_t now_ms;
};

struct rp_waf_tx;
/* Everything lives in the arena, which is reset by its owner after rp_waf_tx_done. */
rp_err rp_waf_tx_new(const struct rp_waf *waf, const struct rp_waf_site *site,
                     const struct rp_waf_connection *connection, struct rp_arena *arena,
                     struct rp_waf_tx **ret_tx);
void rp_waf_tx_done(struct rp_waf_tx *tx); /* frees what PCRE2 holds; accepts NULL */

/* The views must live as long as the transaction. uri: as it came, with its query; protocol:
 * "HTTP/1.1". TOO_LARGE from any of these means: refuse the request. */
rp_err rp_waf_tx_line(struct rp_waf_tx *tx, rp_view method, rp_view uri, rp_view protocol);
rp_err rp_waf_tx_header(struct rp_waf_tx *tx, rp_view name, rp_view value);
rp_err rp_waf_tx_headers_done(struct rp_waf_tx *tx); /* phase 1 */
/* Phases 1 and 2 pause where the site gives a portion; nothing else may be told before the rest has
 * run, to the end of the phase, on whatever thread. What is judged is the same. */
bool rp_waf_tx_is_paused(const struct rp_waf_tx *tx);
rp_err rp_waf_tx_go_on(struct rp_waf_tx *tx);
bool rp_waf_tx_wants_body(const struct rp_waf_tx *tx);
/* TOO_LARGE over the limit of the body (the no-files limit, when no file is in it). */
rp_err rp_waf_tx_body(struct rp_waf_tx *tx, rp_view chunk);
/* The body goes by unseen; phase 2 judges the rest. Before rp_waf_tx_body_done. */
void rp_waf_tx_leave_body(struct rp_waf_tx *tx);
/* Would a body of so many bytes be taken? False where the rules refuse what they cannot see. */
bool rp_waf_tx_takes(const struct rp_waf_tx *tx, uint64_t bytes);
rp_err rp_waf_tx_body_done(struct rp_waf_tx *tx); /* phase 2 */
rp_err rp_waf_tx_response(struct rp_waf_tx *tx, unsigned status, rp_view protocol);
rp_err rp_waf_tx_response_header(struct rp_waf_tx *tx, rp_view name, rp_view value);
rp_err rp_waf_tx_response_headers_done(struct rp_waf_tx *tx); /* phase 3 */
/* Whether it may want one, before the answer's type is known. */
bool rp_waf_tx_reads_answers(const struct rp_waf_tx *tx);
bool rp_waf_tx_wants_response_body(const struct rp_waf_tx *tx);
uint64_t rp_waf_tx_response_limit(const struct rp_waf_tx *tx); /* bytes; 0 = none */
rp_err rp_waf_tx_response_body(struct rp_waf_tx *tx, rp_view chunk);
rp_err rp_waf_tx_response_body_done(struct rp_waf_tx *tx); /* phase 4 */
rp_err rp_waf_tx_logging(struct rp_waf_tx *tx);            /* phase 5, always, also after a block */

/* ---- the verdict ---- */

enum rp_waf_action { RP_WAF_PASS, RP_WAF_DENY, RP_WAF_DROP, RP_WAF_REDIRECT };
struct rp_waf_verdict {
    enum rp_waf_action action; /* what to do now; RP_WAF_PASS in detect mode, whatever matched */
    bool would_block;          /* and what detect mode would have done */
    unsigned status;
    uint64_t rule;
    unsigned phase;
    rp_view redirect;
    bool over_budget;
    uint64_t over_budget_rule; /* that spent the rest */
    uint64_t steps;            /* spent so far */
};
const struct rp_waf_verdict *rp_waf_tx_verdict(const struct rp_waf_tx *tx);

struct rp_waf_match {
    uint64_t id;
    unsigned phase, severity; /* 8 = none */
    rp_view variable;         /* "ARGS:id" */
    rp_view value;            /* after the transformations, as it matched */
    rp_view message, log_data;
    rp_view file;
    unsigned line;
    const rp_view *tags;
    size_t tag_count;
    bool logged; /* false for nolog rules: counted in exec --json, not in events */
};
/* In the order in which they matched. */
const struct rp_waf_match *rp_waf_tx_matches(const struct rp_waf_tx *tx, size_t *ret_count,
                                             size_t *ret_dropped);
/* Where the site measures: calls each with every rule that was asked and the steps it spent, the
 * prefilter's apart, which all rules share. */
void rp_waf_tx_costs(const struct rp_waf_tx *tx,
                     void (*each)(void *ctx, uint64_t rule, uint64_t steps), void *ctx);
/* A variable's value now ("TX", "anomaly_score"); p == NULL when there is none. */
rp_view rp_waf_tx_value(struct rp_waf_tx *tx, enum rp_waf_variable variable, rp_view name);
/* Every TX variable, sorted by name. */
rp_err rp_waf_tx_each(struct rp_waf_tx *tx, enum rp_waf_variable collection,
                      void (*each)(void *ctx, rp_view name, rp_view value), void *ctx);

#endif
