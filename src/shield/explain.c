/* explain.c — a rule for people: what it was, what it became, what it costs. */
#include "base/assert.h"
#include "shield/waf.h"

struct telling {
    const struct rp_waf *waf;
    enum rp_lang lang;
    struct rp_buf *out;
};

__attribute__((format_arg(2), format_arg(3))) static const char *
say(const struct telling *to, const char *fr, const char *en) {
    return to->lang == RP_FR ? fr : en;
}

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

static void add_targets(const struct telling *to, const struct rp_img_rule *rule) {
    const struct rp_image *m = &to->waf->image;
    struct rp_buf *out = to->out;
    rp_buf_add_cstr(out, say(to, "  regarde      ", "  looks at     "));
    for (uint32_t i = 0; i < rule->targets.count; i++) {
        rp_buf_add_cstr(out, i > 0 ? " | " : "");
        add_target(m, &m->targets[rule->targets.first + i], false, out);
    }
    for (uint32_t i = 0; i < rule->exclusions.count; i++) {
        rp_buf_add_cstr(out, " | ");
        add_target(m, &m->targets[rule->exclusions.first + i], true, out);
    }
    struct rp_img_span steps = m->pipelines[rule->pipeline].steps;
    rp_buf_add_cstr(out, say(to, "\n  après        ", "\n  after        "));
    for (uint32_t i = 0; i < steps.count; i++) {
        rp_buf_printf(out, "%s%s", i > 0 ? ", " : "",
                      rp_transform_name((enum rp_transform)m->steps[steps.first + i]));
    }
    rp_buf_add_cstr(out,
                    steps.count > 0 ? "" : say(to, "aucune transformation", "no transformation"));
    rp_buf_add_byte(out, '\n');
}

static void add_operator(const struct telling *to, const struct rp_img_rule *rule) {
    struct rp_buf *out = to->out;
    rp_buf_printf(out, "%s%s%s ", say(to, "  demande      ", "  asks         "),
                  rule->flags & RP_IMG_NEGATED ? say(to, "non ", "not ") : "",
                  rp_waf_operator_name((enum rp_waf_operator)rule->op));
    add_pieces(&to->waf->image, rule->argument, out);
    rp_buf_add_byte(out, '\n');
    if (rule->op == RP_OP_RX && rule->operand != RP_IMAGE_NONE) {
        const struct rp_waf_pattern *pattern = &to->waf->patterns[rule->operand];
        rp_buf_printf(out,
                      say(to, "  expression   %s, au moins %u octets, %u groupes\n",
                          "  expression   %s, at least %u bytes, %u groups\n"),
                      pattern->jit ? say(to, "code machine", "machine code")
                                   : say(to, "interprétée", "interpreted"),
                      pattern->min_bytes, pattern->captures);
    }
    if (rule->group == RP_IMAGE_NONE) {
        rp_buf_add_cstr(out, say(to, "  préfiltre    aucun : chaque valeur est demandée\n",
                                 "  prefilter    none: every value is asked\n"));
    } else {
        rp_buf_printf(out,
                      say(to,
                          "  préfiltre    bit %u du groupe %u ; valeurs communes à la classe %u\n",
                          "  prefilter    bit %u of group %u; values shared by class %u\n"),
                      rule->bit, rule->group, rule->class_id);
    }
}

static void add_actions(const struct telling *to, const struct rp_img_rule *rule) {
    const struct rp_image *m = &to->waf->image;
    struct rp_buf *out = to->out;
    for (uint32_t i = 0; i < rule->setvars.count; i++) {
        static const char *const how[] = {"=", "=+", "=-", "unset"};
        const struct rp_img_setvar *set = &m->setvars[rule->setvars.first + i];
        rp_buf_printf(out, "%s%s.", say(to, "  pose         ", "  sets         "),
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
            out, "%s%s%llu\n", say(to, "  saute à      ", "  jumps to     "),
            rule->skip_to == end ? say(to, "la fin, après ", "the end after ") : "",
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

rp_err rp_waf_explain(const struct rp_waf *waf, uint64_t id, enum rp_lang lang,
                      struct rp_buf *out) {
    const struct rp_image *m = &waf->image;
    const struct telling to = {waf, lang, out};
    uint32_t row = rp_waf_row(waf, id);
    if (row == RP_IMAGE_NONE) {
        return RP_ERR(NOT_FOUND);
    }
    for (uint32_t i = row; i < m->rules[row].after; i++) {
        const struct rp_img_rule *rule = &m->rules[i];
        rp_buf_printf(out, "%s %llu, phase %u, %.*s:%u\n",
                      i > row ? say(&to, "enchaînée à", "chained to") : say(&to, "règle", "rule"),
                      (unsigned long long)id, rule->phase, RP_FMT(rp_image_text(m, rule->file)),
                      rule->line);
        rp_buf_add_cstr(out, "  message      ");
        add_pieces(m, rule->message, out);
        rp_buf_add_byte(out, '\n');
        if (!(rule->flags & RP_IMG_UNCONDITIONAL)) {
            add_targets(&to, rule);
            add_operator(&to, rule);
        }
        add_actions(&to, rule);
    }
    return rp_buf_err(out);
}
