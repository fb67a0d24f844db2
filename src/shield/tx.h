/* tx.h — inside a transaction: values, collections, variables, the running of rules.
 *
 * Every text that rules look at is a value, kept once however often it occurs: its bytes, which
 * bytes occur in it, what each transformation makes of it (a value again), and which rules of the
 * prefilter may match it. Collections are lists of names with values. What one rule made necessary
 * is there for all others.
 *
 * values.c keeps values, kept.c those that come again for the next transaction, units.c says which
 * of them rules look at, collect.c fills collections, store.c holds TX and IP:…, macro.c expands
 * %{…}, operate.c asks the operator and match.c PCRE2, run.c walks the rules, settle.c passes over
 * most of them, act.c does what a match says.
 */
#ifndef RP_SHIELD_TX_H
#define RP_SHIELD_TX_H

#include "shield/body.h"
#include "shield/waf.h"

/* ---- values ---- */

struct rp_waf_derived { /* what a transformation makes of a value */
    uint32_t transform, value, next;
};

struct rp_waf_value {
    rp_view bytes;
    uint64_t hash;
    uint64_t touched; /* the transformations that may change it */
    struct rp_byte_set set;
    const uint64_t *scanned[RP_IMAGE_GROUPS]; /* rules that the prefilter leaves; NULL: not asked
                                                 yet; rp_waf_nothing: none */
    uint64_t *left[RP_IMAGE_GROUPS];          /* of these, without those that were asked since and
                                                 did not match; NULL: none was */
    uint32_t next;                            /* in its hash bucket */
    uint32_t derived;                         /* first of its list; 0 = none */
    uint32_t stamp;                           /* the last list that it was put on */
    uint32_t twin;                            /* the value that it is in another case; 0 = none */
    bool kept;                                /* for the seat's next transaction: kept.c */
};

enum { RP_WAF_VALUE_BUCKETS = 256 };
struct rp_waf_values {
    struct rp_waf_value *p; /* 0 is no value */
    struct rp_waf_derived *derived;
    uint32_t n, room, derived_n, derived_room;
    uint32_t buckets[RP_WAF_VALUE_BUCKETS];
    uint32_t stamp;
    uint32_t kept_n;       /* the first of them came from the transaction before */
    uint32_t kept_names_n; /* of what is kept: names of arguments and cookies */
    bool news;             /* something was found out about one that is kept */
};

/* ---- collections ---- */

struct rp_waf_entry {
    rp_view name;
    uint32_t value;
    uint32_t name_id; /* 0: no rule names it */
};

struct rp_waf_collection {
    struct rp_waf_entry *p;
    uint32_t n, room;
};

/* A unit at work: the different values of its target, after its pipeline. One with a source holds
 * what its pipeline makes of those that it may change; all others are the source's. */
struct rp_waf_unit_value {
    uint64_t touched; /* the transformations that may change it, as known when it was met */
    uint32_t value;
};
struct rp_waf_unit {
    uint32_t count, room;
    bool any_known[RP_IMAGE_GROUPS];
    struct rp_waf_unit_value *values;
    uint64_t touched;                     /* of all of them */
    const uint64_t *any[RP_IMAGE_GROUPS]; /* of a source: the prefilter's answers of all of them;
                                             NULL: no rule may match */
};

/* The prefilter's answers of several units together. */
struct rp_waf_answers {
    uint32_t gathered_at[RP_IMAGE_GROUPS]; /* good as long as no collection has changed since */
    const uint64_t *any[RP_IMAGE_GROUPS];  /* NULL: no rule may match */
};
struct rp_waf_class {
    struct rp_waf_answers all;     /* of the class */
    struct rp_waf_answers sources; /* and of all classes that look at the same, without what their
                                      pipelines make of it */
};

/* ---- variables that rules write ---- */

struct rp_waf_slot {
    rp_view name, text;
    int64_t number;
    bool set, has_text, has_number;
    bool looked_up; /* in the memory that outlives the transaction */
    int64_t expires_s;
};

struct rp_waf_store {
    struct rp_waf_slot *p;
    uint32_t n, room;
    uint32_t *buckets; /* room of them twice; 0 = free, else 1 + index */
    rp_view key;       /* initcol's; p == NULL: the collection was not opened */
};

enum rp_waf_store_kind {
    RP_STORE_TX, /* names that no rule of the image knows */
    RP_STORE_IP,
    RP_STORE_GLOBAL,
    RP_STORE_SESSION,
    RP_STORE_RESOURCE,
    RP_STORE_USER,
    RP_STORE_COUNT
};

/* ---- removals made while running ---- */

struct rp_waf_removal { /* of a target, from the rules of a set */
    const uint64_t *rules;
    struct rp_img_target target;
    rp_view selector; /* RP_SELECT_NAME */
    struct rp_waf_removal *next;
};

/* ---- what matched ---- */

struct rp_waf_seen {
    uint8_t variable;
    bool plain; /* of a scalar: the variable's name alone */
    rp_view name;
    rp_view value;
};

enum { RP_WAF_HEADERS_MAX = 1000 }; /* of a request, and of an answer */

enum rp_waf_allow { RP_ALLOW_NONE, RP_ALLOW_PHASE, RP_ALLOW_REQUEST, RP_ALLOW_ALL };

struct rp_waf_tx {
    const struct rp_waf *waf;
    const struct rp_image *image;
    struct rp_waf_site site;
    struct rp_waf_connection connection;
    struct rp_arena *arena;
    const uint16_t *unicode_map;

    struct rp_waf_values values;
    struct rp_waf_collection collections[RP_COLL_COUNT];
    struct rp_waf_entry scalars[RP_VAR_COUNT]; /* the one entry of each; empty at first */
    uint32_t changed[RP_COLL_COUNT];           /* when each collection did last, by the clock */
    uint32_t clock;
    struct rp_waf_unit *units; /* what one that was never filled holds is nothing yet */
    uint32_t *filled_at;       /* each of them, by the clock; 0: never */
    struct rp_waf_class *classes;

    struct rp_waf_slot *tx; /* by the number of the name */
    struct rp_waf_store stores[RP_STORE_COUNT];

    uint64_t *removed; /* rules, a bit each; NULL: none */
    struct rp_waf_removal *removals;
    enum rp_waf_mode mode;
    enum rp_waf_allow allow;
    bool request_body, response_body, force_request_body;
    uint64_t request_body_limit, response_body_limit; /* 0 = none */
    unsigned phase;
    uint32_t pending_label; /* skipAfter to a marker that is not in this phase; NONE */
    unsigned highest_severity;

    struct rp_waf_seen *seen;
    uint32_t seen_n, seen_room;
    const struct rp_img_rule *rule; /* at work */

    pcre2_general_context *pcre2;
    pcre2_match_data *match_data;
    pcre2_match_context *match_context;
    pcre2_jit_stack *jit_stack;
    bool interprets; /* the expression at work, whose stack was full */
    uint64_t budget;
    uint32_t paused_at; /* the row that comes next; NONE: not paused */
    bool is_timed;      /* by this thread's clock, which said timed_ns at timed_steps */
    uint64_t timed_ns, timed_steps;
    uint64_t looked_ns, short_squares, run_calls; /* when to look at a clock: match.c */
    uint64_t *costs; /* steps by row, where the site measures; else NULL */

    rp_view method, uri, protocol, content_type;
    rp_view response_type;
    rp_view full_request; /* as it was in that phase, once a rule has asked */
    unsigned full_request_phase;
    bool in_own_text; /* %{rule.msg} is being written out */
    struct rp_buf body, response;
    uint64_t body_bytes, response_bytes;
    int body_kind; /* rp_body_kind; -1: none */
    uint64_t arguments_bytes, argument_count;
    bool urlencoded_error, body_over, response_over;
    const char *arguments_problem; /* of query and body together; NULL: none */

    struct rp_waf_match *matches;
    size_t match_count, match_room, match_dropped;
    struct rp_waf_verdict verdict;
    rp_err failed; /* the first: the arena is full */
};

/* values.c */
/* The number of the value; 0 when the arena is full (tx->failed is set then). */
uint32_t rp_waf_value_of(struct rp_waf_tx *tx, rp_view bytes);
/* What one transformation makes of it: itself when nothing changes. */
uint32_t rp_waf_value_step(struct rp_waf_tx *tx, uint32_t value, enum rp_transform transform);
uint32_t rp_waf_value_through(struct rp_waf_tx *tx, uint32_t value, uint32_t pipeline);
rp_view rp_waf_view_through(struct rp_waf_tx *tx, rp_view bytes, uint32_t pipeline);
/* The rules that may match; NULL when the arena is full; rp_waf_nothing when there is none. */
const uint64_t *rp_waf_value_bits(struct rp_waf_tx *tx, uint32_t value, unsigned group);
/* The same of a value that they were asked for before. */
static inline const uint64_t *rp_waf_value_left(const struct rp_waf_value *value, unsigned group) {
    return value->left[group] ? value->left[group] : value->scanned[group];
}
/* The rule was asked and does not match: of what is kept it is not asked again. */
void rp_waf_value_refute(struct rp_waf_tx *tx, uint32_t value, const struct rp_img_rule *rule);
static inline void rp_waf_value_missed(struct rp_waf_tx *tx, uint32_t value,
                                       const struct rp_img_rule *rule) {
    if (tx->values.p[value].kept && rule->group != RP_IMAGE_NONE) {
        rp_waf_value_refute(tx, value, rule);
    }
}
extern const uint64_t rp_waf_nothing[RP_LITERALS_RULES_MAX / 64];
static inline bool rp_waf_has_bit(const uint64_t *bits, uint32_t bit) { /* NULL: none */
    return bits && (bits[bit / 64] >> bit % 64 & 1);
}
static inline size_t rp_waf_group_words(const struct rp_waf_tx *tx, unsigned group) {
    return (tx->image->settings->group_sizes[group] + 63) / 64;
}
/* Room for so many values of the transaction before, and for as many of its own as usual; false
 * when the arena is full. */
bool rp_waf_values_room(struct rp_waf_tx *tx, uint32_t values, uint32_t derived);
/* The value, and what is made of it, is kept for the next transaction. */
static inline void rp_waf_value_keep(struct rp_waf_tx *tx, uint32_t value) {
    if (value != 0 && !tx->values.p[value].kept) {
        tx->values.p[value].kept = tx->values.news = true;
    }
}

/* kept.c */
void rp_waf_kept_begin(struct rp_waf_tx *tx); /* before the first value */
void rp_waf_kept_end(struct rp_waf_tx *tx);   /* after the last */
/* A header of the request, its name and value as values: kept when it is one that browsers repeat
 * and that holds no secret. */
void rp_waf_keep_header(struct rp_waf_tx *tx, rp_view name, uint32_t name_value, uint32_t value);
/* What the site says of itself; and a scalar of the request, where its text is a common one. */
void rp_waf_keep_connection(struct rp_waf_tx *tx);
void rp_waf_keep_common(struct rp_waf_tx *tx, enum rp_waf_variable variable);
/* The name of an argument or a cookie with this value. */
void rp_waf_keep_name(struct rp_waf_tx *tx, uint32_t name_value, rp_view value);

/* Charged to the budget. */
static inline void rp_waf_spend(struct rp_waf_tx *tx, uint64_t steps) {
    tx->verdict.steps += steps;
}

/* units.c */
const struct rp_waf_unit *rp_waf_unit_fill(struct rp_waf_tx *tx, uint32_t unit_id);
/* As its collection is now; without values when there is nothing, or the arena is full. */
static inline const struct rp_waf_unit *rp_waf_unit_ready(struct rp_waf_tx *tx, uint32_t unit_id) {
    uint32_t filled_at = tx->filled_at[unit_id];
    bool fresh =
        filled_at != 0 && filled_at >= tx->changed[tx->image->units[unit_id].target.variable];
    return fresh ? &tx->units[unit_id] : rp_waf_unit_fill(tx, unit_id);
}
const uint64_t *rp_waf_class_gather(struct rp_waf_tx *tx, uint32_t class_id, unsigned group);
/* The prefilter's answers of all the class's values together; NULL: no rule may match. */
static inline const uint64_t *rp_waf_class_any(struct rp_waf_tx *tx, uint32_t class_id,
                                               unsigned group) {
    const struct rp_waf_answers *all = &tx->classes[class_id].all;
    return all->gathered_at[group] == tx->clock ? all->any[group]
                                                : rp_waf_class_gather(tx, class_id, group);
}

/* collect.c */
static inline void rp_waf_changed(struct rp_waf_tx *tx, unsigned collection) {
    tx->changed[collection] = ++tx->clock;
}
void rp_waf_collect(struct rp_waf_tx *tx, unsigned collection, rp_view name, rp_view value);
/* Of the request: name and value. */
void rp_waf_collect_header(struct rp_waf_tx *tx, rp_view name, rp_view value);
void rp_waf_collect_cookie(struct rp_waf_tx *tx, rp_view name, rp_view value);
/* The same with a value that is known already; value 0 is left out. */
void rp_waf_collect_entry(struct rp_waf_tx *tx, unsigned collection, struct rp_waf_entry entry);
void rp_waf_scalars_start(struct rp_waf_tx *tx);
void rp_waf_scalar(struct rp_waf_tx *tx, enum rp_waf_variable variable, rp_view value);
void rp_waf_scalar_number(struct rp_waf_tx *tx, enum rp_waf_variable variable, uint64_t number);
/* tx_head.c: the line, the headers and what has come of the body, for FULL_REQUEST. */
rp_view rp_waf_full_request(struct rp_waf_tx *tx);
/* What is only computed when asked for: TIME_…, DURATION, MATCHED_VAR. p == NULL: it has none. */
rp_view rp_waf_computed(struct rp_waf_tx *tx, unsigned variable);
rp_view rp_waf_seen_name(struct rp_waf_tx *tx, const struct rp_waf_seen *seen);

/* store.c */
struct rp_waf_store *rp_waf_store_of(struct rp_waf_tx *tx, unsigned collection);
struct rp_waf_slot *rp_waf_slot_find(struct rp_waf_tx *tx, unsigned collection, rp_view name,
                                     bool make);
rp_view rp_waf_slot_text(struct rp_waf_tx *tx, struct rp_waf_slot *slot);
int64_t rp_waf_slot_number(struct rp_waf_slot *slot);
void rp_waf_setvars(struct rp_waf_tx *tx, struct rp_img_span setvars);
/* tx.NAME is 1 from now on. */
void rp_waf_flag(struct rp_waf_tx *tx, rp_view name);
void rp_waf_capture(struct rp_waf_tx *tx, unsigned group, rp_view text);
/* initcol, setsid, setuid, setrsc: before the same rule's setvar, as ModSecurity 2 runs them. */
void rp_waf_initcols(struct rp_waf_tx *tx, const struct rp_img_rule *rule);
void rp_waf_expires(struct rp_waf_tx *tx, const struct rp_img_rule *rule);

/* macro.c */
rp_view rp_waf_expand(struct rp_waf_tx *tx, struct rp_img_span pieces);
rp_view rp_waf_variable_text(struct rp_waf_tx *tx, unsigned variable, uint32_t name_id,
                             rp_view name);

/* match.c */
/* The number of groups that an expression's next match sets, from this byte on; 0: there is none.
 * Where they stand is in tx->match_data. */
int rp_waf_match(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text,
                 size_t from);

/* The same at the first byte of the text only, of expressions that have at_start. */
int rp_waf_match_start(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text);

/* operate.c */
struct rp_waf_subject {
    rp_view bytes;
    const struct rp_waf_value *value; /* NULL for what rules write */
    bool has_number;
    int64_t number;
};
/* The rule's operator on one value, its negation worked in. capture: writes TX:0 … */
bool rp_waf_operate(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                    const struct rp_waf_subject *subject, bool capture);
/* eq, ge, gt, le, lt. */
bool rp_waf_compare(enum rp_waf_operator op, int64_t value, int64_t argument);
/* A selector's expression, which is of either case, on a name; its number among the image's, or 0.
 */
bool rp_waf_name_matches(struct rp_waf_tx *tx, uint32_t pattern, rp_view name, uint32_t name_id);

/* select.c */
struct rp_waf_found {         /* one value that a rule's targets mean */
    struct rp_waf_seen where; /* without its value */
    uint32_t value;           /* 0: rules write it, or it was counted or computed */
    rp_view bytes;            /* of value 0; not yet there for a slot */
    struct rp_waf_slot *slot; /* or NULL */
    bool counted;
    int64_t number;
};
typedef void rp_waf_each(struct rp_waf_tx *tx, void *ctx, struct rp_waf_found *found);
/* Every value that the rule's targets mean, without those excluded, in order. */
void rp_waf_walk(struct rp_waf_tx *tx, const struct rp_img_rule *rule, rp_waf_each *each,
                 void *ctx);
bool rp_waf_entry_selected(struct rp_waf_tx *tx, const struct rp_img_target *target,
                           const struct rp_waf_entry *entry);

/* settle.c */
/* Runs rows from this one on, up to the first that has to be asked: its number, or one past. */
uint32_t rp_waf_run_settled(struct rp_waf_tx *tx, uint32_t row, uint32_t end);

/* run.c, act.c */
void rp_waf_run_phase(struct rp_waf_tx *tx, unsigned phase);
void rp_waf_run_rest(struct rp_waf_tx *tx); /* of a phase that has paused */
void rp_waf_act(struct rp_waf_tx *tx, const struct rp_img_rule *rule);
void rp_waf_disrupt(struct rp_waf_tx *tx, const struct rp_img_rule *rule);
void rp_waf_ctl(struct rp_waf_tx *tx, const struct rp_img_ctl *ctl);
void rp_waf_exclude(struct rp_waf_tx *tx, const struct rp_waf_ctl *ctl);
void rp_waf_record(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                   const struct rp_waf_seen *seen, rp_view message, rp_view log_data);

/* bodies.c */
void rp_waf_read_body(struct rp_waf_tx *tx);
void rp_waf_arguments(struct rp_waf_tx *tx, const struct rp_waf_pairs *pairs, bool post);

/* Is a match of this rule told to whoever asks for matches? */
static inline bool rp_waf_is_kept(const struct rp_waf_tx *tx, const struct rp_img_rule *rule) {
    return (rule->flags & RP_IMG_LOG) != 0 || !tx->site.logged_only;
}

static inline void rp_waf_note(struct rp_waf_tx *tx, rp_err err) {
    if (rp_ok(tx->failed)) {
        tx->failed = err;
    }
}

#endif
