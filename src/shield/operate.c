/* operate.c — a rule's operator on one value: the cheap questions first, PCRE2 last. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/injection.h"
#include "shield/numeric.h"
#include "shield/operators.h"
#include "shield/phrases.h"
#include "shield/tx.h"

enum { CALL_STEPS = 64 }; /* what a call costs besides the bytes */

/* ---- expressions ---- */

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
    int groups = rp_waf_match(tx, pattern, subject->bytes, 0);
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
        int groups = rp_waf_match(tx, pattern, subject->bytes, from);
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
           rp_waf_match(tx, &tx->waf->patterns[pattern], name, 0) > 0;
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

static bool has_check_digits(enum rp_waf_operator op, rp_view match) {
    return op == RP_OP_VERIFY_CC    ? rp_op_luhn(match)
           : op == RP_OP_VERIFY_SSN ? rp_op_ssn(match)
           : op == RP_OP_VERIFY_CPF ? rp_op_cpf(match)
                                    : rp_op_svnr(match);
}

static rp_view matched_part(const struct rp_waf_tx *tx, rp_view text) {
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(tx->match_data);
    return rp_view_sub(text, at[0], at[1] - at[0]);
}

/* A number with check digits: where the expression finds what looks like one, or would if the text
 * began here, as ModSecurity asks it. So the end of a longer number is one, too. */
static bool find_number(struct rp_waf_tx *tx, const struct rp_img_rule *rule, rp_view text,
                        rp_view *ret_number) {
    const struct rp_waf_pattern *pattern = &tx->waf->patterns[rule->operand];
    enum rp_waf_operator op = (enum rp_waf_operator)rule->op;
    size_t from = 0;
    while (from < text.n && rp_waf_match(tx, pattern, text, from) > 0) {
        *ret_number = matched_part(tx, text);
        if (has_check_digits(op, *ret_number)) {
            return true;
        }
        from = (size_t)(ret_number->p - text.p) + 1;
    }
    for (size_t at = 1; at < text.n && !tx->verdict.over_budget; at++) {
        rp_view rest = rp_view_from(text, at);
        if (rp_waf_match_start(tx, pattern, rest) > 0) {
            *ret_number = matched_part(tx, rest);
            if (has_check_digits(op, *ret_number)) {
                return true;
            }
        }
    }
    return false;
}

static bool ask_number(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                       const struct rp_waf_subject *subject, bool capture) {
    rp_view number;
    if (rule->operand == RP_IMAGE_NONE || !find_number(tx, rule, subject->bytes, &number)) {
        return false;
    }
    if (capture) {
        rp_waf_capture(tx, 0, number);
    }
    return true;
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
        return rp_waf_number_32(value) == rp_waf_number_32(argument);
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
