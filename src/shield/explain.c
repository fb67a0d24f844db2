/* explain.c — a rule for people: what it was, what it became, what it costs. */
#include "base/assert.h"
#include "shield/waf.h"

static void add_pieces(const struct rp_image *m, struct rp_img_span span, struct rp_buf *out) {
    for (uint32_t i = 0; i < span.count; i++) {
        const struct rp_img_piece *piece = &m->pieces[span.first + i];
        rp_view text = rp_image_text(m, piece->text);
        if (piece->literal) {
            rp_buf_add(out, text);
            continue;
        }
        rp_buf_printf(out, "%%{%s%s", rp_waf_variable_name((enum rp_waf_variable)piece->variable),
                      text.n > 0 ? "." : "");
        rp_buf_add(out, text);
        rp_buf_add_byte(out, '}');
    }
}

static void add_target(const struct rp_image *m, const struct rp_img_target *target, bool exclude,
                       struct rp_buf *out) {
    bool xml = target->variable == RP_VAR_XML || target->variable == RP_COLL_XML_ATTRIBUTES;
    rp_view selector = rp_image_text(m, target->selector);
    rp_buf_printf(out, "%s%s%s", exclude ? "!" : "", target->count ? "&" : "",
                  xml ? "XML" : rp_waf_variable_name((enum rp_waf_variable)target->variable));
    if (selector.n > 0) {
        rp_buf_add_cstr(out, target->select == RP_SELECT_REGEX ? ":/" : ":");
        rp_buf_add(out, selector);
        rp_buf_add_cstr(out, target->select == RP_SELECT_REGEX ? "/" : "");
    }
}

static void add_targets(const struct rp_image *m, const struct rp_img_rule *rule,
                        struct rp_buf *out) {
    rp_buf_add_cstr(out, "  looks at     ");
    for (uint32_t i = 0; i < rule->targets.count; i++) {
        rp_buf_add_cstr(out, i > 0 ? " | " : "");
        add_target(m, &m->targets[rule->targets.first + i], false, out);
    }
    for (uint32_t i = 0; i < rule->exclusions.count; i++) {
        rp_buf_add_cstr(out, " | ");
        add_target(m, &m->targets[rule->exclusions.first + i], true, out);
    }
    struct rp_img_span steps = m->pipelines[rule->pipeline].steps;
    rp_buf_add_cstr(out, "\n  after        ");
    for (uint32_t i = 0; i < steps.count; i++) {
        rp_buf_printf(out, "%s%s", i > 0 ? ", " : "",
                      rp_transform_name((enum rp_transform)m->steps[steps.first + i]));
    }
    rp_buf_add_cstr(out, steps.count == 0 ? "no transformation\n" : "\n");
}

static void add_operator(const struct rp_waf *waf, const struct rp_img_rule *rule,
                         struct rp_buf *out) {
    const struct rp_image *m = &waf->image;
    rp_buf_printf(out, "  asks         %s%s ", rule->flags & RP_IMG_NEGATED ? "not " : "",
                  rp_waf_operator_name((enum rp_waf_operator)rule->op));
    add_pieces(m, rule->argument, out);
    rp_buf_add_byte(out, '\n');
    if (rule->op == RP_OP_RX && rule->operand != RP_IMAGE_NONE) {
        const struct rp_waf_pattern *pattern = &waf->patterns[rule->operand];
        rp_buf_printf(out, "  expression   %s, at least %u bytes, %u groups\n",
                      pattern->jit ? "machine code" : "interpreted", pattern->min_bytes,
                      pattern->captures);
    }
    if (rule->group == RP_IMAGE_NONE) {
        rp_buf_add_cstr(out, "  prefilter    none: every value is asked\n");
    } else {
        rp_buf_printf(out, "  prefilter    bit %u of group %u; values shared by class %u\n",
                      rule->bit, rule->group, rule->class_id);
    }
}

static void add_actions(const struct rp_image *m, const struct rp_img_rule *rule,
                        struct rp_buf *out) {
    for (uint32_t i = 0; i < rule->setvars.count; i++) {
        static const char *const how[] = {"=", "=+", "=-", "unset"};
        const struct rp_img_setvar *set = &m->setvars[rule->setvars.first + i];
        rp_buf_printf(out, "  sets         %s.",
                      rp_waf_variable_name((enum rp_waf_variable)set->collection));
        add_pieces(m, set->name, out);
        rp_buf_printf(out, " %s ", how[set->how]);
        add_pieces(m, set->value, out);
        rp_buf_add_byte(out, '\n');
    }
    for (uint32_t i = 0; i < rule->ctls.count; i++) {
        const struct rp_img_ctl *ctl = &m->ctls[rule->ctls.first + i];
        rp_buf_printf(out, "  ctl          %s ", rp_waf_ctl_name((enum rp_waf_ctl_kind)ctl->kind));
        rp_buf_add(out, rp_image_text(m, ctl->value));
        rp_buf_add_byte(out, '\n');
    }
    if (rule->skip_to != RP_IMAGE_NONE) {
        uint32_t end = m->phases[rule->phase].first + m->phases[rule->phase].count;
        rp_buf_printf(
            out, "  jumps to     %s%llu\n", rule->skip_to == end ? "the end after " : "",
            (unsigned long long)m->rules[rule->skip_to == end ? end - 1 : rule->skip_to].id);
    }
}

rp_err rp_waf_rule_message(const struct rp_waf *waf, uint64_t id, struct rp_buf *out) {
    uint32_t row = rp_waf_row(waf, id);
    if (row == RP_IMAGE_NONE) {
        return RP_ERR(NOT_FOUND);
    }
    add_pieces(&waf->image, waf->image.rules[row].message, out);
    return rp_buf_err(out);
}

rp_err rp_waf_explain(const struct rp_waf *waf, uint64_t id, struct rp_buf *out) {
    const struct rp_image *m = &waf->image;
    uint32_t row = rp_waf_row(waf, id);
    if (row == RP_IMAGE_NONE) {
        return RP_ERR(NOT_FOUND);
    }
    for (uint32_t i = row; i < m->rules[row].after; i++) {
        const struct rp_img_rule *rule = &m->rules[i];
        rp_buf_printf(out, "%s %llu, phase %u, %.*s:%u\n", i > row ? "chained to" : "rule",
                      (unsigned long long)id, rule->phase, RP_FMT(rp_image_text(m, rule->file)),
                      rule->line);
        rp_buf_add_cstr(out, "  message      ");
        add_pieces(m, rule->message, out);
        rp_buf_add_byte(out, '\n');
        if (!(rule->flags & RP_IMG_UNCONDITIONAL)) {
            add_targets(m, rule, out);
            add_operator(waf, rule, out);
        }
        add_actions(m, rule, out);
    }
    return rp_buf_err(out);
}
