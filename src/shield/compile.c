/* compile.c — a rule set becomes an image: rows in running order, then the header over them. */
#include "shield/compile.h"
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"

_Static_assert(RP_VAR_COUNT < 255, "a variable fits a byte, and XML's second collection too");
_Static_assert(RP_T_COUNT <= 64, "a pipeline's mask is one word");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are written as they lie in memory");

const uint8_t rp_image_magic[16] = "rempart-rules 1\n";

rp_err rp_compile_fail(struct rp_compiler *c, rp_err err, const char *what, size_t where) {
    if (c->place && c->rule) {
        c->place->file = c->rule->file;
    }
    if (where > 0) {
        return rp_fail_at(c->diag, err, c->rule->line, c->rule->column,
                          "rule %llu, byte %zu of the expression: %s",
                          (unsigned long long)c->rule->id, where, rp_diag_say(c->diag, what));
    }
    return rp_fail_at(c->diag, err, c->rule ? c->rule->line : 0, c->rule ? c->rule->column : 0,
                      "rule %llu: %s", c->rule ? (unsigned long long)c->rule->id : 0ULL,
                      rp_diag_say(c->diag, what));
}

/* ---- the order ---- */

static bool is_link(const struct rp_waf_ruleset *rules, size_t index) {
    return index > 0 && rules->rules[index - 1].chained && !rules->rules[index - 1].marker;
}

/* The rule that a chain starts with. */
static size_t head_of(const struct rp_waf_ruleset *rules, size_t index) {
    while (is_link(rules, index)) {
        index--;
    }
    return index;
}

static rp_err check_order(struct rp_compiler *c) {
    const struct rp_waf_ruleset *rules = c->rules;
    for (size_t i = 0; i < rules->rule_count; i++) {
        c->rule = &rules->rules[i];
        if (c->rule->marker) {
            if (is_link(rules, i)) {
                return rp_compile_fail(c, RP_ERR(INVALID), "a chain ends at a marker", 0);
            }
        } else if (!is_link(rules, i) && (c->rule->phase < 1 || c->rule->phase > 5)) {
            return rp_compile_fail(c, RP_ERR(INVALID), "a phase is 1 to 5", 0);
        } else if (c->rule->chained && i + 1 == rules->rule_count) {
            return rp_compile_fail(c, RP_ERR(INVALID), "the chain has no next rule", 0);
        }
    }
    return RP_OK;
}

/* Rows by phase, in file order; and for each place of the list the phase's next row. */
static rp_err number_rows(struct rp_compiler *c) {
    size_t count = c->rules->rule_count;
    c->row_of = rp_arena_array(c->scratch, count + 1, sizeof *c->row_of);
    if (!c->row_of) {
        return RP_ERR(TOO_LARGE);
    }
    for (unsigned phase = 1; phase < RP_IMAGE_PHASES; phase++) {
        c->next_row[phase] = rp_arena_array(c->scratch, count + 1, sizeof *c->next_row[phase]);
        if (!c->next_row[phase]) {
            return RP_ERR(TOO_LARGE);
        }
        c->phase_start[phase] = c->row_count;
        for (size_t i = 0; i < count; i++) {
            c->next_row[phase][i] = c->row_count;
            if (!c->rules->rules[i].marker &&
                c->rules->rules[head_of(c->rules, i)].phase == phase) {
                c->row_of[i] = c->row_count++;
            }
        }
        c->next_row[phase][count] = c->row_count;
    }
    c->phase_start[RP_IMAGE_PHASES] = c->row_count;
    return RP_OK;
}

static rp_err write_rows(struct rp_compiler *c) {
    for (unsigned group = 0; group < RP_IMAGE_GROUPS; group++) {
        c->needs[group] = rp_arena_array(c->scratch, c->row_count + 1, sizeof *c->needs[group]);
        if (!c->needs[group]) {
            return RP_ERR(TOO_LARGE);
        }
    }
    for (unsigned phase = 1; phase < RP_IMAGE_PHASES; phase++) {
        for (size_t i = 0; i < c->rules->rule_count; i++) {
            const struct rp_waf_rule *first = &c->rules->rules[head_of(c->rules, i)];
            if (!c->rules->rules[i].marker && first->phase == phase) {
                RP_TRY(rp_compile_rule(c, i, first));
            }
        }
    }
    c->rule = NULL;
    for (unsigned phase = 0; phase < RP_IMAGE_PHASES; phase++) {
        struct rp_img_span span = {0, 0};
        if (phase > 0) {
            span.first = c->phase_start[phase];
            span.count = c->phase_start[phase + 1] - c->phase_start[phase];
        }
        (void)rp_compile_push(c, RP_SECTION_PHASES, &span, sizeof span);
    }
    return RP_OK;
}

/* ---- settings and names ---- */

static rp_err settings(struct rp_compiler *c, uint32_t tx_names) {
    const struct rp_waf_settings *from = &c->rules->settings;
    struct rp_img_settings row = {
        .mode = (uint8_t)from->mode,
        .request_body = from->request_body,
        .response_body = from->response_body,
        .request_limit_rejects = from->request_limit_rejects,
        .response_limit_rejects = from->response_limit_rejects,
        .separator = from->argument_separator ? from->argument_separator : '&',
        .has_unicode_map = from->unicode_map != NULL,
        .json_depth_max = from->json_depth_max,
        .tx_names = tx_names,
        .request_body_limit = from->request_body_limit,
        .request_body_no_files_limit = from->request_body_no_files_limit,
        .response_body_limit = from->response_body_limit,
        .arguments_max = from->arguments_max,
        .collection_timeout_s = from->collection_timeout_s,
        .set_words = (c->row_count + 63) / 64,
    };
    RP_TRY(rp_compile_strings(c, from->response_types, from->response_type_count,
                              &row.response_types));
    RP_TRY(rp_compile_text(c, from->component, &row.component));
    for (unsigned phase = 0; phase < RP_IMAGE_PHASES; phase++) {
        row.default_status[phase] = from->default_status[phase];
        row.default_disruption[phase] = (uint32_t)from->default_disruption[phase];
    }
    RP_TRY(rp_compile_groups(c, &row));
    if (from->unicode_map) {
        rp_buf_add(&c->sections[RP_SECTION_UNICODE],
                   rp_view_of(from->unicode_map, 65536 * sizeof *from->unicode_map));
    }
    (void)rp_compile_push(c, RP_SECTION_SETTINGS, &row, sizeof row);
    return RP_OK;
}

/* An open table over the names: twice as many places as names, a power of two. */
static rp_err name_buckets(struct rp_compiler *c) {
    size_t room = 16;
    while (room < 2 * (size_t)c->name_count) {
        room *= 2;
    }
    uint32_t *buckets = rp_arena_array(c->scratch, room, sizeof *buckets);
    if (!buckets) {
        return RP_ERR(TOO_LARGE);
    }
    const struct rp_img_name *names =
        (const struct rp_img_name *)(const void *)c->sections[RP_SECTION_NAMES].p;
    for (uint32_t i = 1; i < c->name_count; i++) {
        size_t at = names[i].hash & (room - 1);
        while (buckets[at] != 0) {
            at = (at + 1) & (room - 1);
        }
        buckets[at] = i;
    }
    rp_buf_add(&c->sections[RP_SECTION_BUCKETS], rp_view_of(buckets, room * sizeof *buckets));
    return RP_OK;
}

/* ---- the whole ---- */

static void put_together(const struct rp_compiler *c, struct rp_buf *out) {
    static const uint8_t zero[16];
    struct rp_img_header header = {.format = RP_IMAGE_FORMAT, .sections = RP_SECTION_COUNT};
    memcpy(header.magic, rp_image_magic, sizeof header.magic);
    size_t start = out->n;
    rp_buf_add(out, rp_view_of(&header, sizeof header));
    for (unsigned i = 0; i < RP_SECTION_COUNT; i++) {
        while ((out->n - start) % 16 != 0 && !out->failed) {
            rp_buf_add(out, rp_view_of(zero, 16 - (out->n - start) % 16));
        }
        header.section[i].at = out->n - start;
        header.section[i].bytes = c->sections[i].n;
        rp_buf_add(out, rp_buf_view(&c->sections[i]));
    }
    if (out->failed) {
        return;
    }
    header.bytes = out->n - start;
    struct rp_sha256 sum =
        rp_sha256_of2(rp_view_of(header.section, sizeof header.section),
                      rp_view_from(rp_view_of(out->p + start, out->n - start), sizeof header));
    memcpy(header.sha256, sum.b, sizeof header.sha256);
    memcpy(out->p + start, &header, sizeof header);
}

static rp_err compile(struct rp_compiler *c, struct rp_buf *out) {
    RP_TRY(check_order(c));
    RP_TRY(rp_compile_tx_names(c));
    uint32_t tx_names = c->name_count;
    uint32_t plain;
    RP_TRY(rp_compile_pipeline(c, NULL, 0, &plain)); /* the empty pipeline is number 0 */
    RP_ASSERT(plain == 0);
    RP_TRY(number_rows(c));
    RP_TRY(write_rows(c));
    RP_TRY(settings(c, tx_names));
    RP_TRY(name_buckets(c));
    for (unsigned i = 0; i < RP_SECTION_COUNT; i++) {
        RP_TRY(rp_buf_err(&c->sections[i]));
    }
    put_together(c, out);
    return rp_buf_err(out);
}

rp_err rp_waf_compile(const struct rp_waf_ruleset *rules, struct rp_arena *scratch,
                      struct rp_buf *ret_image, struct rp_waf_place *ret_place,
                      struct rp_diag *diag) {
    struct rp_compiler *c = rp_arena_alloc(scratch, sizeof *c);
    if (!c) {
        return RP_ERR(TOO_LARGE);
    }
    *c = (struct rp_compiler){.rules = rules, .scratch = scratch, .place = ret_place, .diag = diag};
    for (unsigned i = 0; i < RP_SECTION_COUNT; i++) {
        c->sections[i] = rp_buf_new(RP_IMAGE_BYTES_MAX);
    }
    rp_err err = compile(c, ret_image);
    for (unsigned i = 0; i < RP_SECTION_COUNT; i++) {
        rp_buf_done(&c->sections[i]);
    }
    return err;
}
