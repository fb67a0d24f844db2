/* compile_filter.c — expressions, phrase automata, and the prefilter that spares most of both. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/assert.h"
#include "base/checked.h"
#include "shield/compile.h"
#include "shield/numeric.h"
#include "shield/operators.h"
#include "shield/phrases.h"

enum { GROUP_MAX = 2048 };

/* PCRE2 must take it now: at the door of a running gate it would be too late. */
static rp_err pattern_compiles(struct rp_compiler *c, rp_view text) {
    int code = 0;
    PCRE2_SIZE where = 0;
    pcre2_code *pattern = pcre2_compile(text.n > 0 ? text.p : (const uint8_t *)"", text.n,
                                        PCRE2_DOTALL | PCRE2_MULTILINE, &code, &where, NULL);
    if (!pattern) {
        PCRE2_UCHAR message[160] = {0};
        pcre2_get_error_message(code, message, sizeof message);
        return rp_compile_fail(c, RP_ERR(INVALID), (const char *)message, where);
    }
    pcre2_code_free(pattern);
    return RP_OK;
}

rp_err rp_compile_pattern(struct rp_compiler *c, rp_view text, bool nocase, uint32_t *ret_pattern) {
    struct rp_buf key = rp_buf_new(text.n + 1);
    rp_buf_add_byte(&key, nocase);
    rp_buf_add(&key, text);
    struct rp_intern_row *row;
    bool is_new;
    rp_err err = rp_intern_slot(&c->patterns, c->scratch, rp_buf_view(&key), &row, &is_new);
    rp_buf_done(&key);
    RP_TRY(err);
    if (is_new) {
        RP_TRY(pattern_compiles(c, text));
        struct rp_clauses clauses;
        RP_TRY(rp_clauses_of_pattern(text, c->scratch, &clauses));
        struct rp_img_pattern img = {.nocase = nocase};
        img.clauses.first =
            (uint32_t)(c->sections[RP_SECTION_CLAUSES].n / sizeof(struct rp_clause));
        img.clauses.count = (uint32_t)clauses.n;
        for (size_t i = 0; i < clauses.n; i++) {
            (void)rp_compile_push(c, RP_SECTION_CLAUSES, &clauses.p[i], sizeof clauses.p[i]);
        }
        RP_TRY(rp_compile_text(c, text, &img.text));
        row->value = rp_compile_push(c, RP_SECTION_PATTERNS, &img, sizeof img);
    }
    *ret_pattern = row->value;
    return RP_OK;
}

/* ---- operands ---- */

static uint32_t blob_start(struct rp_compiler *c) {
    struct rp_buf *data = &c->sections[RP_SECTION_DATA];
    while (data->n % 16 != 0 && !data->failed) {
        rp_buf_add_byte(data, 0);
    }
    return (uint32_t)data->n;
}

static uint32_t blob_end(struct rp_compiler *c, uint32_t start) {
    struct rp_img_text blob = {start, (uint32_t)c->sections[RP_SECTION_DATA].n - start};
    return rp_compile_push(c, RP_SECTION_BLOBS, &blob, sizeof blob);
}

static rp_err phrases(struct rp_compiler *c, const struct rp_waf_rule *rule, uint32_t *ret_blob) {
    struct rp_buf automaton = rp_buf_new(RP_IMAGE_BYTES_MAX);
    rp_err err = rp_phrases_build(rule->phrases, rule->phrase_count, c->scratch, &automaton);
    if (rp_ok(err)) {
        err = rp_buf_err(&automaton);
    }
    if (rp_ok(err)) {
        uint32_t start = blob_start(c);
        rp_buf_add(&c->sections[RP_SECTION_DATA], rp_buf_view(&automaton));
        *ret_blob = blob_end(c, start);
    }
    rp_buf_done(&automaton);
    return rp_ok(err) ? RP_OK : rp_compile_fail(c, err, "the phrases of the operator", 0);
}

static rp_err byte_range(struct rp_compiler *c, rp_view text, uint32_t *ret_blob) {
    struct rp_byte_set set;
    struct rp_diag why = {0};
    rp_err err = rp_op_byte_range(text, &set, &why);
    if (!rp_ok(err)) {
        return rp_compile_fail(c, err, why.text, 0);
    }
    uint32_t start = blob_start(c);
    rp_buf_add(&c->sections[RP_SECTION_DATA], rp_view_of(&set, sizeof set));
    *ret_blob = blob_end(c, start);
    return RP_OK;
}

static rp_err networks(struct rp_compiler *c, const struct rp_waf_rule *rule, uint32_t *ret_blob) {
    struct rp_buf table = rp_buf_new(RP_IMAGE_BYTES_MAX);
    struct rp_diag why = {0};
    rp_err err = rp_ip_table_build(rule->phrases, rule->phrase_count, c->scratch, &table, &why);
    if (rp_ok(err)) {
        err = rp_buf_err(&table);
    }
    if (rp_ok(err)) {
        uint32_t start = blob_start(c);
        rp_buf_add(&c->sections[RP_SECTION_DATA], rp_buf_view(&table));
        *ret_blob = blob_end(c, start);
    }
    rp_buf_done(&table);
    return rp_ok(err) ? RP_OK : rp_compile_fail(c, err, why.text, 0);
}

rp_err rp_compile_operand(struct rp_compiler *c, const struct rp_waf_rule *rule,
                          struct rp_img_rule *row) {
    row->operand = RP_IMAGE_NONE;
    if (rule->unconditional) {
        return RP_OK;
    }
    if (!rp_text_is_static(&rule->argument)) {
        row->flags |= RP_IMG_DYNAMIC;
        return RP_OK;
    }
    rp_view argument = rp_text_whole(&rule->argument);
    RP_TRY(rp_compile_text(c, argument, &row->argument_text));
    row->number = rp_waf_number(argument);
    switch (row->op) {
    case RP_OP_RX:
    case RP_OP_RX_GLOBAL:
    case RP_OP_VERIFY_CC:
    case RP_OP_VERIFY_SSN:
    case RP_OP_VERIFY_CPF:
    case RP_OP_VERIFY_SVNR:
        return rp_compile_pattern(c, argument, false, &row->operand);
    case RP_OP_PM:
    case RP_OP_PM_FROM_FILE:
        return phrases(c, rule, &row->operand);
    case RP_OP_IP_MATCH:
    case RP_OP_IP_MATCH_FROM_FILE:
        return networks(c, rule, &row->operand);
    case RP_OP_VALIDATE_BYTE_RANGE:
        return byte_range(c, argument, &row->operand);
    default:
        return RP_OK;
    }
}

/* ---- the prefilter ---- */

/* Only a byte that the rule does not allow makes it match. */
static rp_err needs_of_range(rp_view text, struct rp_needs *ret_needs) {
    struct rp_byte_set allowed;
    RP_TRY(rp_op_byte_range(text, &allowed, NULL));
    *ret_needs = (struct rp_needs){.needs_byte = true};
    for (size_t word = 0; word < RP_COUNT_OF(allowed.bits); word++) {
        ret_needs->bytes.bits[word] = ~allowed.bits[word];
    }
    return RP_OK;
}

static rp_err needs_of(struct rp_compiler *c, const struct rp_waf_rule *rule,
                       const struct rp_img_rule *row, struct rp_needs *ret_needs) {
    rp_view argument = rp_text_whole(&rule->argument);
    if (row->flags & RP_IMG_NEGATED) {
        *ret_needs = (struct rp_needs){.always = true};
        return RP_OK;
    }
    switch (row->op) {
    case RP_OP_VALIDATE_BYTE_RANGE:
        return needs_of_range(argument, ret_needs);
    case RP_OP_VALIDATE_URL_ENCODING:
        *ret_needs = (struct rp_needs){.needs_byte = true, .bytes = rp_byte_set_of(RP_VIEW("%"))};
        return RP_OK;
    case RP_OP_RX:
        return rp_literals_of_pattern(argument, c->scratch, ret_needs);
    case RP_OP_PM:
    case RP_OP_PM_FROM_FILE:
        return rp_literals_of_phrases(rule->phrases, rule->phrase_count, c->scratch, ret_needs);
    case RP_OP_DETECT_XSS: /* rp_detect_xss asks for the same two first */
        *ret_needs = (struct rp_needs){.needs_byte = true, .bytes = rp_byte_set_of(RP_VIEW("<="))};
        return RP_OK;
    case RP_OP_STREQ:
    case RP_OP_CONTAINS:
    case RP_OP_CONTAINS_WORD:
    case RP_OP_STR_MATCH:
    case RP_OP_BEGINS_WITH:
    case RP_OP_ENDS_WITH: {
        if (argument.n == 0) {
            break;
        }
        rp_view *one = rp_arena_alloc(c->scratch, sizeof *one);
        if (!one) {
            return RP_ERR(TOO_LARGE);
        }
        *one = argument;
        return rp_literals_of_phrases(one, 1, c->scratch, ret_needs);
    }
    default:
        break;
    }
    *ret_needs = (struct rp_needs){.always = true};
    return RP_OK;
}

/* A rule that looks at what no rule writes. Where its words stand, or just anywhere: then it is
 * asked about each value, and about those that are kept once only (rp_waf_value_refute). */
rp_err rp_compile_filter(struct rp_compiler *c, const struct rp_waf_rule *rule,
                         struct rp_img_rule *row) {
    const unsigned unfit = RP_IMG_LINK | RP_IMG_UNCONDITIONAL | RP_IMG_DYNAMIC;
    row->group = RP_IMAGE_NONE;
    row->bit = RP_IMAGE_NONE;
    if (row->class_id == RP_IMAGE_NONE || (row->flags & unfit)) {
        return RP_OK;
    }
    unsigned group = row->phase <= 2 ? 0 : 1;
    if (c->group_sizes[group] >= GROUP_MAX) {
        return RP_OK;
    }
    struct rp_needs needs;
    RP_TRY(needs_of(c, rule, row, &needs));
    row->group = group;
    row->bit = c->group_sizes[group]++;
    c->needs[group][row->bit] = needs;
    return RP_OK;
}

rp_err rp_compile_groups(struct rp_compiler *c, struct rp_img_settings *settings) {
    for (unsigned group = 0; group < RP_IMAGE_GROUPS; group++) {
        settings->group_sizes[group] = c->group_sizes[group];
        settings->group_blobs[group] = RP_IMAGE_NONE;
        if (c->group_sizes[group] == 0) {
            continue;
        }
        struct rp_buf set = rp_buf_new(RP_IMAGE_BYTES_MAX);
        rp_err err = rp_literals_build(c->needs[group], c->group_sizes[group], c->scratch, &set);
        if (rp_ok(err)) {
            err = rp_buf_err(&set);
        }
        uint32_t start = blob_start(c);
        rp_buf_add(&c->sections[RP_SECTION_DATA], rp_buf_view(&set));
        settings->group_blobs[group] = blob_end(c, start);
        rp_buf_done(&set);
        RP_TRY(err);
    }
    return RP_OK;
}
