/* match.c — PCRE2 is asked, and what it takes is paid for from the budget: in steps that it counts,
 * and by the clock where it counts none. */
#include "base/checked.h"
#include "shield/transform_parts.h"
#include "shield/tx.h"

enum {
    CAPTURES = 16,      /* groups that are looked at; SecLang has ten */
    CALL_STEPS = 64,    /* what asking PCRE2 costs besides the bytes */
    LIMIT_START = 2000, /* backtracking per starting place that is not worth counting */
    LIMIT_FACTOR = 16,
    LONG_TEXT = 512,          /* up to here what is not counted is not worth a look at the clock */
    PORTION_START = 16,       /* places where a match may start, of a long text */
    PORTION_MORE = 8,         /* so many times more next, as long as they are cheap */
    PORTION_LESS = 64,        /* and fewer when they were not */
    PORTION_LEAST_MAX = 256,  /* but at most these, or so many that each of them may look */
    PORTION_BYTES = 32 << 20, /* at all of the text for so many bytes together */
    SLOW_NS = 50 * 1000,
    UNCOUNTED_NS = 4, /* of time that make a step */
    RUN_STRIDE = 256, /* a run of twice that many bytes has two places so far from each other */
    RUN_STEPS = 1,    /* an item of an expression on a text with such a run */
    RUN_CALLS = 16,   /* of these between two looks at the clock */
    SHORT_SQUARES = 1 << 20, /* and the same for short texts: the squares of their lengths */
    JIT_STACK_START = 32 * 1024,
    JIT_STACK_MAX = 16 << 20, /* reserved; taken as it is used */
    HEAP_MAX_KIB = 8192       /* of PCRE2's interpreter, where the stack did not do */
};

static void *arena_malloc(PCRE2_SIZE n, void *ctx) {
    return rp_arena_alloc(ctx, n);
}

static void arena_free(void *p, void *ctx) {
    (void)p;
    (void)ctx;
}

static bool match_ready(struct rp_waf_tx *tx) {
    if (tx->match_data) {
        return true;
    }
    tx->pcre2 = pcre2_general_context_create(arena_malloc, arena_free, tx->arena);
    tx->match_data = tx->pcre2 ? pcre2_match_data_create(CAPTURES, tx->pcre2) : NULL;
    tx->match_context = tx->pcre2 ? pcre2_match_context_create(tx->pcre2) : NULL;
    if (!tx->match_data || !tx->match_context) {
        tx->match_data = NULL;
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return false;
    }
    return true;
}

/* Where a match may start. */
struct places {
    size_t from, last;
};

static int match_once(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text,
                      struct places places, uint32_t limit) {
    const uint8_t *p = text.n > 0 ? text.p : (const uint8_t *)"";
    size_t from = places.from;
    pcre2_set_match_limit(tx->match_context, limit);
    pcre2_set_offset_limit(tx->match_context, places.last);
    if (pattern->jit && !tx->interprets) {
        return pcre2_jit_match(pattern->code, p, text.n, from, 0, tx->match_data,
                               tx->match_context);
    }
    pcre2_set_heap_limit(tx->match_context, HEAP_MAX_KIB);
    return pcre2_match(pattern->code, p, text.n, from, PCRE2_NO_JIT, tx->match_data,
                       tx->match_context);
}

/* More room for an expression that needs it, once a transaction; then the interpreter, which is
 * slow but keeps its frames elsewhere. */
static bool more_stack(struct rp_waf_tx *tx) {
    if (tx->jit_stack) {
        tx->interprets = true;
        return true;
    }
    tx->jit_stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
    if (tx->jit_stack) {
        pcre2_jit_stack_assign(tx->match_context, NULL, tx->jit_stack);
    }
    return tx->jit_stack != NULL;
}

/* What an expression could not judge is not taken for harmless: the budget counts as spent. */
static int give_up(struct rp_waf_tx *tx, bool limit) {
    rp_waf_scalar(tx, RP_VAR_MSC_PCRE_ERROR, RP_VIEW("1"));
    if (limit) {
        rp_waf_scalar(tx, RP_VAR_MSC_PCRE_LIMITS_EXCEEDED, RP_VIEW("1"));
        rp_waf_flag(tx, RP_VIEW("MSC_PCRE_LIMITS_EXCEEDED"));
    }
    tx->verdict.over_budget = true;
    return 0;
}

static int groups_of(struct rp_waf_tx *tx, int found) {
    bool judged = found >= 0 || found == PCRE2_ERROR_NOMATCH;
    return !judged ? give_up(tx, false) : found > 0 ? found : found == 0 ? CAPTURES : 0;
}

/* The number of groups that are set, 0 without a match. The limit of backtracking starts low, and
 * is paid for from the budget when it is raised: what costs little is not counted in detail, what
 * explodes ends with the budget. */
static int match_counted(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text,
                         struct places places) {
    uint32_t limit = LIMIT_START;
    for (;;) {
        int found = match_once(tx, pattern, text, places, limit);
        if (found == PCRE2_ERROR_JIT_STACKLIMIT && more_stack(tx)) {
            continue;
        }
        if (found != PCRE2_ERROR_MATCHLIMIT) {
            tx->interprets = false;
            return groups_of(tx, found);
        }
        rp_waf_spend(tx, limit);
        if (tx->verdict.steps > tx->budget) {
            tx->interprets = false;
            return give_up(tx, true);
        }
        uint64_t rest = tx->budget - tx->verdict.steps + 1;
        limit = (uint32_t)RP_MIN((uint64_t)limit * LIMIT_FACTOR, RP_MIN(rest, UINT32_MAX));
    }
}

/* What the processor took since the last look, beyond what was counted, at a discount: long prose
 * makes some expressions of the CRS look far and often, too, and is to pass on a busy machine. */
static void spend_time(struct rp_waf_tx *tx) {
    uint64_t now_ns = tx->site.clock->spent_ns();
    uint64_t counted = tx->verdict.steps - tx->timed_steps;
    if (tx->is_timed && now_ns - tx->timed_ns > counted) {
        rp_waf_spend(tx, (now_ns - tx->timed_ns - counted) / UNCOUNTED_NS);
    }
    tx->is_timed = true;
    tx->timed_ns = now_ns;
    tx->timed_steps = tx->verdict.steps;
}

static void look_at_clock(struct rp_waf_tx *tx) {
    uint64_t now_ns = tx->site.clock->steady_ns();
    if (now_ns - tx->looked_ns > SLOW_NS) {
        spend_time(tx);
        tx->looked_ns = now_ns;
    }
}

/* ---- long runs of one byte, or of white space ---- */

static bool are_alike(uint8_t a, uint8_t b) {
    return a == b || (rp_is_space(a) && rp_is_space(b));
}

static bool has_long_run(rp_view text) {
    for (size_t at = 0; at + RUN_STRIDE < text.n; at += RUN_STRIDE) {
        size_t n = 0;
        while (n <= RUN_STRIDE && are_alike(text.p[at], text.p[at + n])) {
            n++;
        }
        if (n > RUN_STRIDE) {
            return true;
        }
    }
    return false;
}

static int before_item(pcre2_callout_block *block, void *ctx) {
    struct rp_waf_tx *tx = ctx;
    (void)block;
    rp_waf_spend(tx, RUN_STEPS);
    if (++tx->run_calls % RUN_CALLS == 0) {
        look_at_clock(tx);
    }
    return tx->verdict.steps > tx->budget ? PCRE2_ERROR_CALLOUT : 0;
}

/* Two repeats that take the same bytes make a single start place cost the square of a run: 9 s for
 * 120,000 line feeds. Only the interpreter can be stopped amid that, before each item. */
static int match_stoppable(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text,
                           size_t from) {
    spend_time(tx);
    pcre2_set_match_limit(tx->match_context, UINT32_MAX);
    pcre2_set_heap_limit(tx->match_context, HEAP_MAX_KIB);
    pcre2_set_offset_limit(tx->match_context, PCRE2_UNSET);
    pcre2_set_callout(tx->match_context, before_item, tx);
    int found = pcre2_match(pattern->stoppable, text.p, text.n, from, PCRE2_NO_JIT, tx->match_data,
                            tx->match_context);
    pcre2_set_callout(tx->match_context, NULL, NULL);
    return found == PCRE2_ERROR_CALLOUT ? give_up(tx, true) : groups_of(tx, found);
}

/* ---- long texts, short texts ---- */

/* PCRE2 counts no steps while it looks along a text for what comes next, and begins to count anew
 * at each place where a match may start: a text that makes it look far from each of them takes time
 * that grows with its square. So a long text is searched in portions, with a look at the clock
 * behind each that took long. */
static int match_in_portions(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern,
                             rp_view text, size_t from) {
    if (!tx->is_timed) {
        spend_time(tx);
    }
    size_t portion = pattern->is_divisible ? PORTION_START : text.n + 1;
    size_t portion_max = RP_MAX((size_t)PORTION_BYTES / text.n, (size_t)PORTION_LEAST_MAX);
    size_t at = from;
    uint64_t began_ns = tx->site.clock->steady_ns();
    for (;;) {
        bool rest = portion > text.n - at;
        struct places places = {at, rest ? PCRE2_UNSET : at + portion - 1};
        int found = match_counted(tx, pattern, text, places);
        bool slow = tx->site.clock->steady_ns() - began_ns > SLOW_NS;
        if (slow) {
            spend_time(tx);
            began_ns = tx->site.clock->steady_ns();
        }
        if (found != 0 || rest || tx->verdict.over_budget) {
            return found;
        }
        if (tx->verdict.steps > tx->budget) {
            return give_up(tx, true);
        }
        at += portion;
        portion = slow ? RP_MAX(portion / PORTION_LESS, (size_t)1)
                       : RP_MIN(portion * PORTION_MORE, portion_max);
    }
}

static int match_long(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text,
                      size_t from) {
    return pattern->stoppable && has_long_run(rp_view_from(text, from))
               ? match_stoppable(tx, pattern, text, from)
               : match_in_portions(tx, pattern, text, from);
}

/* Many short texts take long together, too: the clock is asked where they might have. */
static int match_short(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text,
                       size_t from) {
    int found = match_counted(tx, pattern, text, (struct places){from, PCRE2_UNSET});
    tx->short_squares += text.n * text.n;
    if (tx->site.clock && tx->short_squares > SHORT_SQUARES) {
        tx->short_squares = 0;
        look_at_clock(tx);
        return tx->verdict.steps > tx->budget ? give_up(tx, true) : found;
    }
    return found;
}

/*= S64: an expression cannot hold a worker longer than the budget allows */
int rp_waf_match(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text,
                 size_t from) {
    if (!match_ready(tx)) {
        return 0;
    }
    rp_waf_spend(tx, CALL_STEPS + (text.n - from));
    if (tx->site.clock && text.n - from > LONG_TEXT) {
        return match_long(tx, pattern, text, from);
    }
    return match_short(tx, pattern, text, from);
}

int rp_waf_match_start(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text) {
    if (!match_ready(tx)) {
        return 0;
    }
    rp_waf_spend(tx, CALL_STEPS);
    if (tx->verdict.steps > tx->budget) {
        return give_up(tx, false);
    }
    struct rp_waf_pattern start = {.code = pattern->at_start, .jit = pattern->jit};
    return match_counted(tx, &start, text, (struct places){0, PCRE2_UNSET});
}
