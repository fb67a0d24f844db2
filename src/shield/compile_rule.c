/* compile_rule.c — one rule becomes one row. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/compile.h"
#include "shield/numeric.h"

static unsigned flags_of(const struct rp_waf_rule *rule, const struct rp_waf_rule *first) {
    return (rule->negated ? RP_IMG_NEGATED : 0U) | (rule->multi_match ? RP_IMG_MULTI_MATCH : 0U) |
           (rule->capture ? RP_IMG_CAPTURE : 0U) | (rule->chained ? RP_IMG_CHAINED : 0U) |
           (rule != first ? RP_IMG_LINK : 0U) | (rule->unconditional ? RP_IMG_UNCONDITIONAL : 0U) |
           (rule->logging & RP_WAF_LOG ? RP_IMG_LOG : 0U) |
           (rule->logging & RP_WAF_AUDITLOG ? RP_IMG_AUDIT : 0U);
}

static rp_err targets(struct rp_compiler *c, const struct rp_waf_rule *rule, bool exclusions,
                      struct rp_img_span *ret_span) {
    struct rp_img_span span = {
        (uint32_t)(c->sections[RP_SECTION_TARGETS].n / sizeof(struct rp_img_target)), 0};
    for (size_t i = 0; i < rule->target_count; i++) {
        if (rule->targets[i].exclude == exclusions) {
            struct rp_img_target row;
            RP_TRY(rp_compile_target(c, &rule->targets[i], &row));
            (void)rp_compile_push(c, RP_SECTION_TARGETS, &row, sizeof row);
            span.count++;
        }
    }
    *ret_span = span;
    return RP_OK;
}

static rp_err setvars(struct rp_compiler *c, const struct rp_waf_rule *rule,
                      struct rp_img_span *ret_span) {
    struct rp_img_span span = {
        (uint32_t)(c->sections[RP_SECTION_SETVARS].n / sizeof(struct rp_img_setvar)),
        (uint32_t)rule->setvar_count};
    for (size_t i = 0; i < rule->setvar_count; i++) {
        const struct rp_waf_setvar *set = &rule->setvars[i];
        struct rp_img_setvar row = {.collection = (uint8_t)set->collection,
                                    .how = (uint8_t)set->how};
        if (set->collection == RP_VAR_TX && rp_text_is_static(&set->name)) {
            RP_TRY(rp_compile_name(c, rp_text_whole(&set->name), &row.name_id));
        }
        if (rp_text_is_static(&set->value)) {
            row.numeric = 1;
            row.number = rp_waf_number(rp_text_whole(&set->value));
        }
        RP_TRY(rp_compile_pieces(c, &set->name, &row.name));
        RP_TRY(rp_compile_pieces(c, &set->value, &row.value));
        (void)rp_compile_push(c, RP_SECTION_SETVARS, &row, sizeof row);
    }
    *ret_span = span;
    return RP_OK;
}

/* ---- ctl: which rules are meant is known now ---- */

static bool has_tag(const struct rp_waf_rule *rule, rp_view tag) {
    for (size_t i = 0; i < rule->tag_count; i++) {
        if (rp_view_equal(rule->tags[i], tag)) {
            return true;
        }
    }
    return false;
}

static bool is_meant(const struct rp_waf_ctl *ctl, const struct rp_waf_rule *rule) {
    switch (ctl->kind) {
    case RP_CTL_RULE_REMOVE_BY_ID:
    case RP_CTL_RULE_REMOVE_TARGET_BY_ID:
        return rule->id >= ctl->id_first && rule->id <= ctl->id_last && rule->id != 0;
    case RP_CTL_RULE_REMOVE_BY_TAG:
    case RP_CTL_RULE_REMOVE_TARGET_BY_TAG:
        return has_tag(rule, ctl->value);
    case RP_CTL_RULE_REMOVE_BY_MSG:
    case RP_CTL_RULE_REMOVE_TARGET_BY_MSG:
        return rp_text_is_static(&rule->message) && rule->message.count > 0 &&
               rp_view_equal(rp_text_whole(&rule->message), ctl->value);
    case RP_CTL_AUDIT_ENGINE:
    case RP_CTL_AUDIT_LOG_PARTS:
    case RP_CTL_DEBUG_LOG_LEVEL:
    case RP_CTL_FORCE_REQUEST_BODY_VARIABLE:
    case RP_CTL_HASH_ENFORCEMENT:
    case RP_CTL_HASH_ENGINE:
    case RP_CTL_PARSE_XML_INTO_ARGS:
    case RP_CTL_REQUEST_BODY_ACCESS:
    case RP_CTL_REQUEST_BODY_LIMIT:
    case RP_CTL_REQUEST_BODY_PROCESSOR:
    case RP_CTL_RESPONSE_BODY_ACCESS:
    case RP_CTL_RESPONSE_BODY_LIMIT:
    case RP_CTL_RULE_ENGINE:
    case RP_CTL_COUNT:
        break;
    }
    return false;
}

static bool is_removal(enum rp_waf_ctl_kind kind) {
    return kind >= RP_CTL_RULE_REMOVE_BY_ID && kind < RP_CTL_COUNT;
}

/* A removal means a chain by its first rule: the links follow it. The removal of a target means the
 * one rule: what its links look at is theirs. */
static rp_err rule_set(struct rp_compiler *c, const struct rp_waf_ctl *ctl, uint32_t *ret_set) {
    size_t words = (c->row_count + 63) / 64;
    uint64_t *bits = rp_arena_array(c->scratch, words + 1, sizeof *bits);
    if (!bits) {
        return RP_ERR(TOO_LARGE);
    }
    bool meant = false;
    for (size_t i = 0; i < c->rules->rule_count; i++) {
        const struct rp_waf_rule *rule = &c->rules->rules[i];
        if (rule->marker) {
            continue;
        }
        bool link = i > 0 && c->rules->rules[i - 1].chained && !c->rules->rules[i - 1].marker;
        meant = is_meant(ctl, rule) || (link && meant && !ctl->has_target);
        if (meant) {
            bits[c->row_of[i] / 64] |= (uint64_t)1 << c->row_of[i] % 64;
        }
    }
    struct rp_buf *sets = &c->sections[RP_SECTION_SETS];
    *ret_set = (uint32_t)(sets->n / sizeof *bits / words);
    rp_buf_add(sets, rp_view_of(bits, words * sizeof *bits));
    return RP_OK;
}

static rp_err ctls(struct rp_compiler *c, const struct rp_waf_rule *rule,
                   struct rp_img_span *ret_span) {
    struct rp_img_span span = {
        (uint32_t)(c->sections[RP_SECTION_CTLS].n / sizeof(struct rp_img_ctl)),
        (uint32_t)rule->ctl_count};
    for (size_t i = 0; i < rule->ctl_count; i++) {
        const struct rp_waf_ctl *ctl = &rule->ctls[i];
        struct rp_img_ctl row = {.kind = (uint8_t)ctl->kind,
                                 .has_target = ctl->has_target,
                                 .rule_set = RP_IMAGE_NONE,
                                 .id_first = ctl->id_first,
                                 .id_last = ctl->id_last};
        row.target.pattern = RP_IMAGE_NONE;
        RP_TRY(rp_compile_text(c, ctl->value, &row.value));
        if (ctl->has_target) {
            RP_TRY(rp_compile_target(c, &ctl->target, &row.target));
        }
        if (is_removal(ctl->kind)) {
            RP_TRY(rule_set(c, ctl, &row.rule_set));
        }
        (void)rp_compile_push(c, RP_SECTION_CTLS, &row, sizeof row);
    }
    *ret_span = span;
    return RP_OK;
}

static rp_err expires(struct rp_compiler *c, const struct rp_waf_rule *rule,
                      struct rp_img_rule *row) {
    row->expires.first =
        (uint32_t)(c->sections[RP_SECTION_EXPIRES].n / sizeof(struct rp_img_expire));
    row->expires.count = (uint32_t)rule->expire_count;
    for (size_t i = 0; i < rule->expire_count; i++) {
        struct rp_img_expire img = {.collection = (uint32_t)rule->expires[i].collection,
                                    .seconds = rule->expires[i].seconds};
        RP_TRY(rp_compile_text(c, rule->expires[i].name, &img.name));
        RP_TRY(rp_compile_pieces(c, &rule->expires[i].lifetime, &img.text));
        (void)rp_compile_push(c, RP_SECTION_EXPIRES, &img, sizeof img);
    }
    row->initcols.first =
        (uint32_t)(c->sections[RP_SECTION_INITCOLS].n / sizeof(struct rp_img_initcol));
    row->initcols.count = (uint32_t)rule->initcol_count;
    for (size_t i = 0; i < rule->initcol_count; i++) {
        struct rp_img_initcol img = {.collection = (uint32_t)rule->initcols[i].collection};
        RP_TRY(rp_compile_pieces(c, &rule->initcols[i].key, &img.key));
        (void)rp_compile_push(c, RP_SECTION_INITCOLS, &img, sizeof img);
    }
    return RP_OK;
}

/* ---- jumps ---- */

/* The first element of the list after `index` that belongs to the phase: a marker, or a first rule.
 */
static size_t next_element(const struct rp_compiler *c, size_t index, unsigned phase) {
    const struct rp_waf_rule *rules = c->rules->rules;
    for (size_t i = index + 1; i < c->rules->rule_count; i++) {
        bool link = !rules[i - 1].marker && rules[i - 1].chained;
        if (rules[i].marker || (!link && rules[i].phase == phase)) {
            return i;
        }
    }
    return c->rules->rule_count;
}

static rp_err skip_after(struct rp_compiler *c, size_t index, rp_view label,
                         struct rp_img_rule *row) {
    const struct rp_waf_rule *rules = c->rules->rules;
    size_t i = index + 1;
    while (i < c->rules->rule_count && !(rules[i].marker && rp_view_equal(rules[i].label, label))) {
        i++;
    }
    row->skip_to = c->next_row[row->phase][i];
    if (i < c->rules->rule_count) {
        return RP_OK;
    }
    struct rp_img_label img = {{0, 0}, {0}};
    RP_TRY(rp_compile_text(c, label, &img.name));
    for (i = 0; i < c->rules->rule_count; i++) {
        if (rules[i].marker && rp_view_equal(rules[i].label, label)) {
            break;
        }
    }
    for (unsigned phase = 1; phase < RP_IMAGE_PHASES; phase++) {
        img.rows[phase] = c->next_row[phase][i];
    }
    row->skip_label = rp_compile_push(c, RP_SECTION_LABELS, &img, sizeof img);
    return RP_OK;
}

static rp_err jumps(struct rp_compiler *c, size_t index, const struct rp_waf_rule *rule,
                    struct rp_img_rule *row) {
    row->skip_to = RP_IMAGE_NONE;
    row->skip_label = RP_IMAGE_NONE;
    if (rule->skip_after.n > 0) {
        return skip_after(c, index, rule->skip_after, row);
    }
    if (rule->skip > 0) {
        size_t at = index;
        for (unsigned i = 0; i <= rule->skip && at < c->rules->rule_count; i++) {
            at = next_element(c, at, row->phase);
        }
        row->skip_to = c->next_row[row->phase][at];
    }
    return RP_OK;
}

/* ---- the row ---- */

static rp_err texts(struct rp_compiler *c, const struct rp_waf_rule *rule,
                    struct rp_img_rule *row) {
    RP_TRY(rp_compile_text(c, rule->file, &row->file));
    RP_TRY(rp_compile_text(c, rule->revision, &row->revision));
    RP_TRY(rp_compile_text(c, rule->version, &row->version));
    RP_TRY(rp_compile_pieces(c, &rule->argument, &row->argument));
    RP_TRY(rp_compile_strings(c, rule->phrases, rule->phrase_count, &row->phrases));
    RP_TRY(rp_compile_pieces(c, &rule->message, &row->message));
    RP_TRY(rp_compile_pieces(c, &rule->log_data, &row->log_data));
    RP_TRY(rp_compile_pieces(c, &rule->redirect, &row->redirect));
    return rp_compile_strings(c, rule->tags, rule->tag_count, &row->tags);
}

rp_err rp_compile_rule(struct rp_compiler *c, size_t index, const struct rp_waf_rule *first) {
    const struct rp_waf_rule *rule = &c->rules->rules[index];
    c->rule = rule;
    struct rp_img_rule row = {.id = rule->id,
                              .line = rule->line,
                              .flags = (uint16_t)flags_of(rule, first),
                              .status = (uint16_t)rule->status,
                              .phase = (uint8_t)first->phase,
                              .op = (uint8_t)rule->op,
                              .disruption = (uint8_t)rule->disruption,
                              .severity = (uint8_t)rule->severity,
                              .class_id = RP_IMAGE_NONE};
    if (rule->op >= RP_OP_COUNT || rule->status > 599 || rule->severity > 8) {
        return rp_compile_fail(c, RP_ERR(INVALID), "a rule that no reader makes", 0);
    }
    RP_TRY(texts(c, rule, &row));
    RP_TRY(targets(c, rule, false, &row.targets));
    RP_TRY(targets(c, rule, true, &row.exclusions));
    RP_TRY(rp_compile_pipeline(c, rule->transforms, rule->transform_count, &row.pipeline));
    RP_TRY(rp_compile_operand(c, rule, &row));
    if (!rule->unconditional) {
        RP_TRY(rp_compile_class(c, row.targets, row.pipeline, rule->multi_match, &row.class_id));
    }
    RP_TRY(rp_compile_filter(c, rule, &row));
    RP_TRY(setvars(c, rule, &row.setvars));
    RP_TRY(ctls(c, rule, &row.ctls));
    RP_TRY(expires(c, rule, &row));
    size_t end = index;
    while (c->rules->rules[end].chained && end + 1 < c->rules->rule_count) {
        end++;
    }
    row.after = c->row_of[end] + 1;
    RP_TRY(jumps(c, index, rule, &row));
    uint32_t at = rp_compile_push(c, RP_SECTION_RULES, &row, sizeof row);
    RP_ASSERT(at == c->row_of[index]);
    return RP_OK;
}
