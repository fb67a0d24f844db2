/* operate.c — a rule's operator on one value: the cheap questions first, PCRE2 last. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/injection.h"
#include "shield/numeric.h"
#include "shield/operators.h"
#include "shield/phrases.h"
#include "shield/tx.h"

enum {
    CAPTURES = 16,      /* groups that are looked at; SecLang has ten */
    CALL_STEPS = 64,    /* what asking PCRE2 costs besides the bytes */
    LIMIT_START = 2000, /* backtracking per starting place that is not worth counting */
    LIMIT_FACTOR = 16,
    LONG_TEXT = 512,    /* up to here what is not counted is not worth a look at the clock */
    PORTION_START = 16, /* places where a match may start, of a long text */
    PORTION_MORE = 8,   /* so many times more next, as long as they are cheap */
    PORTION_LESS = 64,  /* and fewer when they were not */
    PORTION_LEAST_MAX =
        256, /* and at most these, or so many that looking at all of the text from */
    PORTION_BYTES = 32 << 20, /* each of them is this */
    SLOW_NS = 50 * 1000,
    UNCOUNTED_NS = 4, /* of time that make a step */
    JIT_STACK_START = 32 * 1024,
    JIT_STACK_MAX = 16 << 20, /* reserved; taken as it is used */
    HEAP_MAX_KIB = 8192       /* of PCRE2's interpreter, where the stack did not do */
};

/* ---- PCRE2 ---- */

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

/*= S64: an expression cannot hold a worker longer than the budget allows */
static int match(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern, rp_view text,
                 size_t from) {
    if (!match_ready(tx)) {
        return 0;
    }
    rp_waf_spend(tx, CALL_STEPS + (text.n - from));
    if (tx->site.clock && text.n - from > LONG_TEXT) {
        return match_in_portions(tx, pattern, text, from);
    }
    return match_counted(tx, pattern, text, (struct places){from, PCRE2_UNSET});
}

static bool shares_a_byte(const struct rp_byte_set *a, const struct rp_byte_set *b) {
    return ((a->bits[0] & b->bits[0]) | (a->bits[1] & b->bits[1]) | (a->bits[2] & b->bits[2]) |
            (a->bits[3] & b->bits[3])) != 0;
}

static bool is_possible(const struct rp_waf_pattern *pattern, rp_view text,
                        const struct rp_byte_set *present) {
    return text.n >= pattern->min_bytes &&
           (pattern->min_bytes == 0 ||
            (shares_a_byte(present, &pattern->first) && shares_a_byte(present, &pattern->last))) &&
           rp_clauses_allow(pattern->clauses, present);
}

static void capture_groups(struct rp_waf_tx *tx, rp_view text, int groups, unsigned first) {
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(tx->match_data);
    for (unsigned i = 0; i < (unsigned)groups && first + i < 10; i++) {
        if (at[2 * i] != PCRE2_UNSET) {
            rp_waf_capture(tx, first + i,
                           rp_view_of(text.p + at[2 * i], at[2 * i + 1] - at[2 * i]));
        }
    }
}

static bool regex(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern,
                  const struct rp_waf_subject *subject, bool capture) {
    if (pattern->takes_all) {
        if (capture) {
            rp_waf_capture(tx, 0, subject->bytes);
        }
        return true;
    }
    struct rp_byte_set present =
        subject->value ? subject->value->set : rp_byte_set_of(subject->bytes);
    if (!is_possible(pattern, subject->bytes, &present)) {
        return false;
    }
    int groups = match(tx, pattern, subject->bytes, 0);
    if (groups > 0 && capture) {
        capture_groups(tx, subject->bytes, groups, 0);
    }
    return groups > 0;
}

/* Every match; the captures go on counting. */
static bool regex_global(struct rp_waf_tx *tx, const struct rp_waf_pattern *pattern,
                         const struct rp_waf_subject *subject, bool capture) {
    size_t from = 0;
    unsigned count = 0;
    while (from <= subject->bytes.n) {
        int groups = match(tx, pattern, subject->bytes, from);
        if (groups <= 0) {
            break;
        }
        if (capture) {
            capture_groups(tx, subject->bytes, groups, count);
        }
        count += (unsigned)groups;
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(tx->match_data);
        from = at[1] > from ? at[1] : from + 1;
    }
    return count > 0;
}

/* Does the selector's literal stand in the name? Letters differ in one bit; what else differs in it
 * is for the expression to tell apart. */
static bool holds_literal(rp_view name, rp_view literal) {
    const uint8_t any_case = 0x20;
    for (size_t at = 0; at + literal.n <= name.n; at++) {
        size_t same = 0;
        while (same < literal.n && ((name.p[at + same] ^ literal.p[same]) | any_case) == any_case) {
            same++;
        }
        if (same == literal.n) {
            return true;
        }
    }
    return false;
}

bool rp_waf_name_matches(struct rp_waf_tx *tx, uint32_t pattern, rp_view name, uint32_t name_id) {
    const struct rp_waf_selector *selector = &tx->waf->selectors[pattern];
    if (name_id != 0 && selector->hits) {
        return selector->hits[name_id / 64] >> name_id % 64 & 1;
    }
    if (selector->begins && rp_view_starts(name, selector->literal)) {
        return true;
    }
    if (!holds_literal(name, selector->literal)) {
        return false;
    }
    struct rp_byte_set present = rp_byte_set_of(name);
    return is_possible(&tx->waf->patterns[pattern], name, &present) &&
           match(tx, &tx->waf->patterns[pattern], name, 0) > 0;
}

/* An expression with %{…}: only known now. One that PCRE2 refuses matches nothing. */
static bool regex_made_now(struct rp_waf_tx *tx, rp_view text, const struct rp_waf_subject *subject,
                           bool global, bool capture) {
    rp_waf_spend(tx, 64 * text.n + 4096);
    struct rp_waf_pattern pattern = rp_waf_pattern_new(text, false);
    if (!pattern.code) {
        return false;
    }
    bool found = global ? regex_global(tx, &pattern, subject, capture)
                        : regex(tx, &pattern, subject, capture);
    pcre2_code_free(pattern.code);
    return found;
}

static bool ask_regex(struct rp_waf_tx *tx, const struct rp_img_rule *rule, rp_view argument,
                      const struct rp_waf_subject *subject, bool capture) {
    bool global = rule->op == RP_OP_RX_GLOBAL;
    if (rule->flags & RP_IMG_DYNAMIC) {
        return regex_made_now(tx, argument, subject, global, capture);
    }
    const struct rp_waf_pattern *pattern = &tx->waf->patterns[rule->operand];
    return global ? regex_global(tx, pattern, subject, capture)
                  : regex(tx, pattern, subject, capture);
}

/* A number with check digits, where the expression finds what looks like one. */
static bool ask_number(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                       const struct rp_waf_subject *subject, bool capture) {
    if (rule->operand == RP_IMAGE_NONE) {
        return false;
    }
    const struct rp_waf_pattern *pattern = &tx->waf->patterns[rule->operand];
    size_t from = 0;
    while (from < subject->bytes.n && match(tx, pattern, subject->bytes, from) > 0) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(tx->match_data);
        rp_view found = rp_view_sub(subject->bytes, at[0], at[1] - at[0]);
        bool is = rule->op == RP_OP_VERIFY_CC    ? rp_op_luhn(found)
                  : rule->op == RP_OP_VERIFY_SSN ? rp_op_ssn(found)
                  : rule->op == RP_OP_VERIFY_CPF ? rp_op_cpf(found)
                                                 : rp_op_svnr(found);
        if (is) {
            if (capture) {
                rp_waf_capture(tx, 0, found);
            }
            return true;
        }
        from = at[0] + 1;
    }
    return false;
}

/* ---- the others ---- */

static bool ask_phrases(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                        const struct rp_waf_subject *subject, bool capture) {
    rp_view found;
    rp_waf_spend(tx, subject->bytes.n + 16);
    if (rule->operand == RP_IMAGE_NONE ||
        !rp_phrases_find(rp_image_blob(tx->image, rule->operand), subject->bytes, &found)) {
        return false;
    }
    if (capture) {
        rp_waf_capture(tx, 0, found);
    }
    return true;
}

static bool ask_sqli(struct rp_waf_tx *tx, rp_view bytes, bool capture) {
    char fingerprint[8];
    rp_waf_spend(tx, 8 * bytes.n + CALL_STEPS);
    if (!rp_detect_sqli(bytes, fingerprint)) {
        return false;
    }
    if (capture) {
        rp_view copy;
        if (rp_ok(rp_arena_copy(tx->arena, rp_view_from_cstr(fingerprint), &copy))) {
            rp_waf_capture(tx, 0, copy);
        }
    }
    return true;
}

static bool ask_xss(struct rp_waf_tx *tx, rp_view bytes, bool capture) {
    rp_waf_spend(tx, 8 * bytes.n + CALL_STEPS);
    if (!rp_detect_xss(bytes)) {
        return false;
    }
    if (capture) {
        rp_waf_capture(tx, 0, bytes);
    }
    return true;
}

/* Matches when a byte is not among those allowed. */
static bool ask_byte_range(const struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                           const struct rp_waf_subject *subject) {
    struct rp_byte_set allowed;
    memcpy(&allowed, rp_image_blob(tx->image, rule->operand).p, sizeof allowed);
    struct rp_byte_set present =
        subject->value ? subject->value->set : rp_byte_set_of(subject->bytes);
    return rp_op_outside(&allowed, &present);
}

bool rp_waf_compare(enum rp_waf_operator op, int64_t value, int64_t argument) {
    switch ((int)op) {
    case RP_OP_EQ:
        return value == argument;
    case RP_OP_GE:
        return value >= argument;
    case RP_OP_GT:
        return value > argument;
    case RP_OP_LE:
        return value <= argument;
    default:
        return value < argument;
    }
}

static bool ask_ip(const struct rp_waf_tx *tx, const struct rp_img_rule *rule, rp_view argument,
                   rp_view address) {
    return rule->operand != RP_IMAGE_NONE
               ? rp_ip_table_find(rp_image_blob(tx->image, rule->operand), address)
               : rp_op_ip_match(argument, address);
}

static bool ask_text(struct rp_waf_tx *tx, const struct rp_img_rule *rule, rp_view argument,
                     const struct rp_waf_subject *subject, bool capture) {
    rp_view bytes = subject->bytes;
    rp_waf_spend(tx, bytes.n + 16);
    switch ((enum rp_waf_operator)rule->op) {
    case RP_OP_RX:
    case RP_OP_RX_GLOBAL:
        return ask_regex(tx, rule, argument, subject, capture);
    case RP_OP_PM:
    case RP_OP_PM_FROM_FILE:
        return ask_phrases(tx, rule, subject, capture);
    case RP_OP_STREQ:
        return rp_view_equal(bytes, argument);
    case RP_OP_CONTAINS:
    case RP_OP_STR_MATCH:
        return rp_view_find(bytes, argument) < bytes.n || argument.n == 0;
    case RP_OP_CONTAINS_WORD:
        return rp_op_contains_word(bytes, argument);
    case RP_OP_BEGINS_WITH:
        return rp_view_starts(bytes, argument);
    case RP_OP_ENDS_WITH:
        return rp_view_ends(bytes, argument);
    case RP_OP_WITHIN:
        return bytes.n == 0 || rp_view_find(argument, bytes) < argument.n;
    case RP_OP_IP_MATCH:
    case RP_OP_IP_MATCH_FROM_FILE:
        return ask_ip(tx, rule, argument, bytes);
    case RP_OP_DETECT_SQLI:
        return ask_sqli(tx, bytes, capture);
    case RP_OP_DETECT_XSS:
        return ask_xss(tx, bytes, capture);
    case RP_OP_VALIDATE_URL_ENCODING:
        return rp_op_invalid_url_encoding(bytes);
    case RP_OP_VALIDATE_UTF8:
        return rp_op_invalid_utf8(bytes);
    case RP_OP_VERIFY_CC:
    case RP_OP_VERIFY_SSN:
    case RP_OP_VERIFY_CPF:
    case RP_OP_VERIFY_SVNR:
        return ask_number(tx, rule, subject, capture);
    case RP_OP_UNCONDITIONAL_MATCH:
        return true;
    case RP_OP_EQ:
    case RP_OP_GE:
    case RP_OP_GT:
    case RP_OP_LE:
    case RP_OP_LT:
    case RP_OP_VALIDATE_BYTE_RANGE: /* answered before */
    case RP_OP_NO_MATCH:
    case RP_OP_GEO_LOOKUP: /* no database of places, no lists in the DNS: they match nothing */
    case RP_OP_RBL:
    case RP_OP_COUNT:
        break;
    }
    return false;
}

static bool ask_operator(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                         const struct rp_waf_subject *subject, bool capture) {
    bool dynamic = (rule->flags & RP_IMG_DYNAMIC) != 0;
    if (rule->op >= RP_OP_EQ && rule->op <= RP_OP_LT) {
        int64_t value = subject->has_number ? subject->number : rp_waf_number(subject->bytes);
        int64_t argument =
            dynamic ? rp_waf_number(rp_waf_expand(tx, rule->argument)) : rule->number;
        rp_waf_spend(tx, 16);
        return rp_waf_compare((enum rp_waf_operator)rule->op, value, argument);
    }
    if (rule->op == RP_OP_VALIDATE_BYTE_RANGE) {
        return rule->operand != RP_IMAGE_NONE && ask_byte_range(tx, rule, subject);
    }
    rp_view argument =
        dynamic ? rp_waf_expand(tx, rule->argument) : rp_image_text(tx->image, rule->argument_text);
    return ask_text(tx, rule, argument, subject, capture);
}

bool rp_waf_operate(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                    const struct rp_waf_subject *subject, bool capture) {
    bool captures = capture && (rule->flags & RP_IMG_CAPTURE);
    bool negated = (rule->flags & RP_IMG_NEGATED) != 0;
    bool spent = tx->verdict.over_budget;
    bool found = ask_operator(tx, rule, subject, captures);
    return tx->verdict.over_budget == spent && found != negated;
}
