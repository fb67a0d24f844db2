/* explain.c — a rule for people: what it was, what it became, and what the prefilter waits for. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/waf.h"

enum { LABEL_COLUMNS = 13, LITERALS_SHOWN = 12 };

struct sheet {
    const struct rp_waf *waf;
    enum rp_lang lang;
    struct rp_buf *out;
};

static const char *__attribute__((format_arg(2), format_arg(3)))
say(const struct sheet *sheet, const char *fr, const char *en) {
    return sheet->lang == RP_FR ? fr : en;
}

/* "  looks at     ": letters count, not their bytes. */
static void add_label(const struct sheet *sheet, const char *fr, const char *en) {
    const char *label = say(sheet, fr, en);
    int columns = (int)rp_view_characters(rp_view_from_cstr(label));
    rp_buf_printf(sheet->out, "  %s%*s", label, LABEL_COLUMNS - columns, "");
}

/* A prefilter's bytes, those that no terminal shows as \\xNN. */
static void add_printable(struct rp_buf *out, rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] > ' ' && text.p[i] < 0x7f) {
            rp_buf_add_byte(out, text.p[i]);
        } else {
            rp_buf_printf(out, "\\x%02x", text.p[i]);
        }
    }
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

static void add_targets(const struct sheet *sheet, const struct rp_img_rule *rule) {
    const struct rp_image *m = &sheet->waf->image;
    struct rp_buf *out = sheet->out;
    add_label(sheet, "regarde", "looks at");
    for (uint32_t i = 0; i < rule->targets.count; i++) {
        rp_buf_add_cstr(out, i > 0 ? " | " : "");
        add_target(m, &m->targets[rule->targets.first + i], false, out);
    }
    for (uint32_t i = 0; i < rule->exclusions.count; i++) {
        rp_buf_add_cstr(out, " | ");
        add_target(m, &m->targets[rule->exclusions.first + i], true, out);
    }
    struct rp_img_span steps = m->pipelines[rule->pipeline].steps;
    rp_buf_add_byte(out, '\n');
    add_label(sheet, "après", "after");
    for (uint32_t i = 0; i < steps.count; i++) {
        rp_buf_printf(out, "%s%s", i > 0 ? ", " : "",
                      rp_transform_name((enum rp_transform)m->steps[steps.first + i]));
    }
    rp_buf_add_cstr(out, steps.count == 0 ? say(sheet, "aucune transformation", "no transformation")
                                          : "");
    rp_buf_add_byte(out, '\n');
}

static void add_operator(const struct sheet *sheet, const struct rp_img_rule *rule) {
    struct rp_buf *out = sheet->out;
    add_label(sheet, "demande", "asks");
    rp_buf_printf(out, "%s%s ", rule->flags & RP_IMG_NEGATED ? say(sheet, "non ", "not ") : "",
                  rp_waf_operator_name((enum rp_waf_operator)rule->op));
    add_pieces(&sheet->waf->image, rule->argument, out);
    rp_buf_add_byte(out, '\n');
    if (rule->op == RP_OP_RX && rule->operand != RP_IMAGE_NONE) {
        const struct rp_waf_pattern *pattern = &sheet->waf->patterns[rule->operand];
        add_label(sheet, "expression", "expression");
        rp_buf_printf(out,
                      say(sheet, "%s, au moins %u octets, %u groupes\n",
                          "%s, at least %u bytes, %u groups\n"),
                      pattern->jit ? say(sheet, "code machine", "machine code")
                                   : say(sheet, "interprétée", "interpreted"),
                      pattern->min_bytes, pattern->captures);
    }
}

/* ---- the prefilter ---- */

struct literals_shown {
    struct rp_buf *out;
    unsigned count;
};

static void add_literal(void *ctx, rp_view literal) {
    struct literals_shown *shown = ctx;
    if (shown->count++ < LITERALS_SHOWN) {
        rp_buf_add_cstr(shown->out, shown->count > 1 ? ", " : "");
        add_printable(shown->out, literal);
    }
}

static void add_bytes(struct rp_buf *out, const struct rp_byte_set *bytes) {
    for (unsigned byte = 0; byte < 256; byte++) {
        if (bytes->bits[byte / 64] >> byte % 64 & 1) {
            uint8_t one = (uint8_t)byte;
            rp_buf_add_byte(out, ' ');
            add_printable(out, rp_view_of(&one, 1));
        }
    }
}

/* Of a value that has none of this the operator is not asked. */
static void add_prefilter(const struct sheet *sheet, const struct rp_img_rule *rule) {
    const struct rp_image *m = &sheet->waf->image;
    struct literals_shown shown = {.out = sheet->out};
    struct rp_byte_set bytes = {{0}};
    bool always = true;
    add_label(sheet, "préfiltre", "prefilter");
    if (rule->group != RP_IMAGE_NONE) {
        rp_literals_of_rule(rp_image_blob(m, m->settings->group_blobs[rule->group]), rule->bit,
                            add_literal, &shown, &bytes, &always);
    }
    if (always) {
        rp_buf_add_cstr(sheet->out, say(sheet, "aucun : chaque valeur est demandée",
                                        "none: every value is asked"));
    } else if (shown.count > LITERALS_SHOWN) {
        rp_buf_printf(sheet->out, say(sheet, " et %u autres", " and %u more"),
                      shown.count - LITERALS_SHOWN);
    } else if (shown.count == 0) {
        rp_buf_add_cstr(sheet->out, say(sheet, "un de ces octets :", "one of these bytes:"));
        add_bytes(sheet->out, &bytes);
    }
    rp_buf_add_byte(sheet->out, '\n');
}

/* ---- what it does ---- */

static void add_actions(const struct sheet *sheet, const struct rp_img_rule *rule) {
    const struct rp_image *m = &sheet->waf->image;
    struct rp_buf *out = sheet->out;
    for (uint32_t i = 0; i < rule->setvars.count; i++) {
        static const char *const how[] = {"=", "=+", "=-", "unset"};
        const struct rp_img_setvar *set = &m->setvars[rule->setvars.first + i];
        add_label(sheet, "pose", "sets");
        rp_buf_printf(out, "%s.", rp_waf_variable_name((enum rp_waf_variable)set->collection));
        add_pieces(m, set->name, out);
        rp_buf_printf(out, " %s ", how[set->how]);
        add_pieces(m, set->value, out);
        rp_buf_add_byte(out, '\n');
    }
    for (uint32_t i = 0; i < rule->ctls.count; i++) {
        const struct rp_img_ctl *ctl = &m->ctls[rule->ctls.first + i];
        add_label(sheet, "ctl", "ctl");
        rp_buf_printf(out, "%s ", rp_waf_ctl_name((enum rp_waf_ctl_kind)ctl->kind));
        rp_buf_add(out, rp_image_text(m, ctl->value));
        rp_buf_add_byte(out, '\n');
    }
    if (rule->skip_to != RP_IMAGE_NONE) {
        uint32_t end = m->phases[rule->phase].first + m->phases[rule->phase].count;
        add_label(sheet, "saute à", "jumps to");
        rp_buf_printf(
            out, "%s%llu\n",
            rule->skip_to == end ? say(sheet, "la fin, après ", "the end after ") : "",
            (unsigned long long)m->rules[rule->skip_to == end ? end - 1 : rule->skip_to].id);
    }
}

/* A chain's later rules are told under the id of its first. */
static void add_rule(const struct sheet *sheet, const struct rp_img_rule *rule, uint64_t id,
                     bool chained) {
    const struct rp_image *m = &sheet->waf->image;
    rp_buf_printf(sheet->out, "%s %llu, phase %u, %.*s:%u\n",
                  chained ? say(sheet, "enchaînée à", "chained to") : say(sheet, "règle", "rule"),
                  (unsigned long long)id, rule->phase, RP_FMT(rp_image_text(m, rule->file)),
                  rule->line);
    if (rule->message.count > 0) {
        add_label(sheet, "message", "message");
        add_pieces(m, rule->message, sheet->out);
        rp_buf_add_byte(sheet->out, '\n');
    }
    if (!(rule->flags & RP_IMG_UNCONDITIONAL)) {
        add_targets(sheet, rule);
        add_operator(sheet, rule);
        add_prefilter(sheet, rule);
    }
    add_actions(sheet, rule);
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
    const struct sheet sheet = {.waf = waf, .lang = lang, .out = out};
    const struct rp_image *m = &waf->image;
    uint32_t row = rp_waf_row(waf, id);
    if (row == RP_IMAGE_NONE) {
        return RP_ERR(NOT_FOUND);
    }
    for (uint32_t i = row; i < m->rules[row].after; i++) {
        add_rule(&sheet, &m->rules[i], id, i > row);
    }
    return rp_buf_err(out);
}
