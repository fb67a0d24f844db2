/* compile_parts.c — texts, names, pipelines, targets: each is written once and has a number. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/compile.h"

enum { INTERN_START = 256 };

static rp_err intern_grow(struct rp_intern *intern, struct rp_arena *arena) {
    size_t room = intern->room ? 2 * intern->room : INTERN_START;
    struct rp_intern_row *slots = rp_arena_array(arena, room, sizeof *slots);
    if (!slots) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < intern->room; i++) {
        if (intern->slots[i].key.p) {
            size_t at = intern->slots[i].hash & (room - 1);
            while (slots[at].key.p) {
                at = (at + 1) & (room - 1);
            }
            slots[at] = intern->slots[i];
        }
    }
    intern->slots = slots;
    intern->room = room;
    return RP_OK;
}

rp_err rp_intern_slot(struct rp_intern *intern, struct rp_arena *arena, rp_view key,
                      struct rp_intern_row **ret_row, bool *ret_new) {
    if (2 * (intern->count + 1) > intern->room) {
        RP_TRY(intern_grow(intern, arena));
    }
    uint64_t hash = rp_image_hash(key);
    size_t at = hash & (intern->room - 1);
    while (intern->slots[at].key.p &&
           (intern->slots[at].hash != hash || !rp_view_equal(intern->slots[at].key, key))) {
        at = (at + 1) & (intern->room - 1);
    }
    *ret_row = &intern->slots[at];
    *ret_new = intern->slots[at].key.p == NULL;
    if (*ret_new) {
        uint8_t *copy = rp_arena_alloc(arena, key.n + 1);
        if (!copy) {
            return RP_ERR(TOO_LARGE);
        }
        if (key.n > 0) {
            memcpy(copy, key.p, key.n);
        }
        **ret_row = (struct rp_intern_row){.key = rp_view_of(copy, key.n), .hash = hash};
        intern->count++;
    }
    return RP_OK;
}

uint32_t rp_compile_push(struct rp_compiler *c, enum rp_image_section section, const void *row,
                         size_t size) {
    struct rp_buf *buf = &c->sections[section];
    RP_ASSERT(buf->n % size == 0);
    uint32_t index = (uint32_t)(buf->n / size);
    rp_buf_add(buf, rp_view_of(row, size));
    return index;
}

rp_err rp_compile_text(struct rp_compiler *c, rp_view text, struct rp_img_text *ret_text) {
    if (text.n == 0) {
        *ret_text = (struct rp_img_text){0, 0};
        return RP_OK;
    }
    struct rp_intern_row *row;
    bool is_new;
    RP_TRY(rp_intern_slot(&c->texts, c->scratch, text, &row, &is_new));
    if (is_new) {
        row->value = (uint32_t)c->sections[RP_SECTION_TEXT].n;
        rp_buf_add(&c->sections[RP_SECTION_TEXT], text);
    }
    *ret_text = (struct rp_img_text){row->value, (uint32_t)text.n};
    return RP_OK;
}

/* ---- names ---- */

static rp_err lower(struct rp_compiler *c, rp_view text, rp_view *ret_lower) {
    uint8_t *p = rp_arena_alloc(c->scratch, text.n);
    if (!p) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < text.n; i++) {
        p[i] = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (uint8_t)(text.p[i] + 32) : text.p[i];
    }
    *ret_lower = rp_view_of(p, text.n);
    return RP_OK;
}

rp_err rp_compile_name(struct rp_compiler *c, rp_view name, uint32_t *ret_name) {
    rp_view key;
    RP_TRY(lower(c, name, &key));
    struct rp_intern_row *row;
    bool is_new;
    RP_TRY(rp_intern_slot(&c->names, c->scratch, key, &row, &is_new));
    if (is_new) {
        struct rp_img_name img = {.hash = rp_image_hash(key)};
        RP_TRY(rp_compile_text(c, key, &img.text));
        row->value = rp_compile_push(c, RP_SECTION_NAMES, &img, sizeof img);
        c->name_count = row->value + 1;
        if (c->name_count > UINT16_MAX) {
            return rp_compile_fail(c, RP_ERR(TOO_LARGE), "more than 65,534 names of variables", 0);
        }
    }
    *ret_name = row->value;
    return RP_OK;
}

static rp_err tx_names_of_text(struct rp_compiler *c, const struct rp_waf_text *text) {
    uint32_t ignored;
    for (size_t i = 0; i < text->count; i++) {
        if (!text->pieces[i].literal && text->pieces[i].variable == RP_VAR_TX) {
            RP_TRY(rp_compile_name(c, text->pieces[i].text, &ignored));
        }
    }
    return RP_OK;
}

static rp_err tx_names_of_rule(struct rp_compiler *c, const struct rp_waf_rule *rule) {
    uint32_t ignored;
    for (size_t i = 0; i < rule->target_count; i++) {
        const struct rp_waf_target *target = &rule->targets[i];
        if (target->variable == RP_VAR_TX && target->select == RP_SELECT_NAME) {
            RP_TRY(rp_compile_name(c, target->selector, &ignored));
        }
    }
    for (size_t i = 0; i < rule->setvar_count; i++) {
        const struct rp_waf_setvar *set = &rule->setvars[i];
        if (set->collection == RP_VAR_TX && rp_text_is_static(&set->name)) {
            RP_TRY(rp_compile_name(c, rp_text_whole(&set->name), &ignored));
        }
        RP_TRY(tx_names_of_text(c, &set->name));
        RP_TRY(tx_names_of_text(c, &set->value));
    }
    RP_TRY(tx_names_of_text(c, &rule->argument));
    RP_TRY(tx_names_of_text(c, &rule->message));
    RP_TRY(tx_names_of_text(c, &rule->redirect));
    return tx_names_of_text(c, &rule->log_data);
}

rp_err rp_compile_tx_names(struct rp_compiler *c) {
    static const struct rp_img_name none;
    uint32_t name = 0;
    (void)rp_compile_push(c, RP_SECTION_NAMES, &none, sizeof none);
    for (unsigned i = 0; i < 10; i++) { /* the captures are names 1 … 10 */
        RP_TRY(rp_compile_name(c, rp_view_of(&"0123456789"[i], 1), &name));
        RP_ASSERT(name == i + 1);
    }
    for (size_t i = 0; i < c->rules->rule_count; i++) {
        c->rule = &c->rules->rules[i];
        RP_TRY(tx_names_of_rule(c, c->rule));
    }
    return RP_OK;
}

/* ---- texts with %{…} ---- */

bool rp_text_is_static(const struct rp_waf_text *text) {
    return text->count == 0 || (text->count == 1 && text->pieces[0].literal);
}

rp_view rp_text_whole(const struct rp_waf_text *text) {
    RP_ASSERT(rp_text_is_static(text));
    return text->count == 0 ? (rp_view){NULL, 0} : text->pieces[0].text;
}

rp_err rp_compile_pieces(struct rp_compiler *c, const struct rp_waf_text *text,
                         struct rp_img_span *ret_span) {
    struct rp_img_span span = {
        (uint32_t)(c->sections[RP_SECTION_PIECES].n / sizeof(struct rp_img_piece)),
        (uint32_t)text->count};
    for (size_t i = 0; i < text->count; i++) {
        const struct rp_waf_piece *piece = &text->pieces[i];
        struct rp_img_piece row = {.literal = piece->literal};
        RP_TRY(rp_compile_text(c, piece->text, &row.text));
        if (!piece->literal) {
            uint32_t name = 0;
            row.variable = (uint8_t)piece->variable;
            if (piece->text.n > 0) {
                RP_TRY(rp_compile_name(c, piece->text, &name));
            }
            row.name = (uint16_t)name;
        }
        (void)rp_compile_push(c, RP_SECTION_PIECES, &row, sizeof row);
    }
    *ret_span = span;
    return RP_OK;
}

rp_err rp_compile_strings(struct rp_compiler *c, const rp_view *list, size_t count,
                          struct rp_img_span *ret_span) {
    struct rp_img_span span = {
        (uint32_t)(c->sections[RP_SECTION_STRINGS].n / sizeof(struct rp_img_text)),
        (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        struct rp_img_text text;
        RP_TRY(rp_compile_text(c, list[i], &text));
        (void)rp_compile_push(c, RP_SECTION_STRINGS, &text, sizeof text);
    }
    *ret_span = span;
    return RP_OK;
}

/* ---- pipelines, targets ---- */

rp_err rp_compile_pipeline(struct rp_compiler *c, const enum rp_transform *steps, size_t count,
                           uint32_t *ret_pipeline) {
    uint8_t bytes[64];
    if (count > sizeof bytes) {
        return rp_compile_fail(c, RP_ERR(TOO_LARGE), "more than 64 transformations", 0);
    }
    uint64_t mask = 0;
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (uint8_t)steps[i];
        mask |= (uint64_t)1 << steps[i];
    }
    struct rp_intern_row *row;
    bool is_new;
    RP_TRY(rp_intern_slot(&c->pipelines, c->scratch, rp_view_of(bytes, count), &row, &is_new));
    if (is_new) {
        struct rp_img_pipeline img = {.mask = mask};
        img.steps =
            (struct rp_img_span){(uint32_t)c->sections[RP_SECTION_STEPS].n, (uint32_t)count};
        rp_buf_add(&c->sections[RP_SECTION_STEPS], rp_view_of(bytes, count));
        row->value = rp_compile_push(c, RP_SECTION_PIPELINES, &img, sizeof img);
    }
    *ret_pipeline = row->value;
    return RP_OK;
}

rp_err rp_compile_target(struct rp_compiler *c, const struct rp_waf_target *target,
                         struct rp_img_target *ret_row) {
    struct rp_img_target row = {.variable = (uint8_t)target->variable,
                                .select = (uint8_t)target->select,
                                .count = target->count,
                                .pattern = RP_IMAGE_NONE};
    RP_TRY(rp_compile_text(c, target->selector, &row.selector));
    if (target->variable == RP_VAR_XML) {
        bool attributes = target->selector.n > 2 && target->selector.p[2] == '@';
        row.variable = attributes ? RP_COLL_XML_ATTRIBUTES : RP_VAR_XML;
        row.select = RP_SELECT_ALL;
    } else if (target->select == RP_SELECT_NAME) {
        RP_TRY(rp_compile_name(c, target->selector, &row.name));
    } else if (target->select == RP_SELECT_REGEX) {
        RP_TRY(rp_compile_pattern(c, target->selector, true, &row.pattern));
    }
    *ret_row = row;
    return RP_OK;
}
