/* units.c — what rules look at: the values of one target after one pipeline, gathered once for all
 * rules that ask for them, and again only when the collection has changed. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/tx.h"

enum { UNIT_START = 8 };

static const struct rp_waf_unit empty;

/* ---- filling ---- */

/* Once in this unit, however often it is met. */
static void add(struct rp_waf_tx *tx, struct rp_waf_unit *unit, uint32_t value) {
    struct rp_waf_value *at = &tx->values.p[value];
    if (value == 0 || at->stamp == tx->values.stamp) {
        return;
    }
    at->stamp = tx->values.stamp;
    if (unit->count == unit->room) {
        uint32_t room = unit->room ? 2 * unit->room : UNIT_START;
        struct rp_waf_unit_value *values = rp_arena_array(tx->arena, room, sizeof *values);
        if (!values) {
            rp_waf_note(tx, RP_ERR(TOO_LARGE));
            return;
        }
        if (unit->count > 0) {
            memcpy(values, unit->values, unit->count * sizeof *values);
        }
        unit->values = values;
        unit->room = room;
    }
    unit->values[unit->count++] = (struct rp_waf_unit_value){at->touched, value};
    unit->touched |= at->touched;
}

static void gather(struct rp_waf_tx *tx, const struct rp_img_target *target,
                   struct rp_waf_unit *unit) {
    const struct rp_waf_collection *from = &tx->collections[target->variable];
    tx->values.stamp++;
    for (uint32_t i = 0; i < from->n; i++) {
        if (rp_waf_entry_selected(tx, target, &from->p[i])) {
            add(tx, unit, from->p[i].value);
        }
    }
}

/* A value, and after each transformation that changes it. */
static void add_steps(struct rp_waf_tx *tx, struct rp_waf_unit *unit, uint32_t value,
                      const struct rp_img_pipeline *row) {
    add(tx, unit, value);
    for (uint32_t i = 0; i < row->steps.count && value != 0; i++) {
        value =
            rp_waf_value_step(tx, value, (enum rp_transform)tx->image->steps[row->steps.first + i]);
        add(tx, unit, value);
    }
}

/* What the pipeline makes of those of the source's values that it may change; they are few. */
static void gather_changed(struct rp_waf_tx *tx, const struct rp_waf_unit *source,
                           const struct rp_img_unit *row, struct rp_waf_unit *unit) {
    const struct rp_img_pipeline *pipeline = &tx->image->pipelines[row->pipeline];
    if ((source->touched & pipeline->mask) == 0) {
        return;
    }
    tx->values.stamp++;
    for (uint32_t i = 0; i < source->count; i++) {
        if ((source->values[i].touched & pipeline->mask) == 0) {
            continue;
        }
        if (row->each_step) {
            add_steps(tx, unit, source->values[i].value, pipeline);
        } else {
            add(tx, unit, rp_waf_value_through(tx, source->values[i].value, row->pipeline));
        }
    }
}

static struct rp_waf_unit *unit_new(struct rp_waf_tx *tx, uint32_t unit_id) {
    struct rp_waf_unit *unit = rp_arena_alloc(tx->arena, sizeof *unit);
    if (!unit) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
    }
    tx->units[unit_id] = unit;
    return unit;
}

const struct rp_waf_unit *rp_waf_unit_ready(struct rp_waf_tx *tx, uint32_t unit_id) {
    const struct rp_img_unit *row = &tx->image->units[unit_id];
    if (tx->collections[row->target.variable].n == 0) {
        return &empty;
    }
    struct rp_waf_unit *unit = tx->units[unit_id];
    if (unit && unit->filled_at >= tx->changed[row->target.variable]) {
        return unit;
    }
    const struct rp_waf_unit *source =
        row->source != unit_id ? rp_waf_unit_ready(tx, row->source) : NULL;
    unit = unit ? unit : unit_new(tx, unit_id);
    if (!unit) {
        return &empty;
    }
    unit->filled_at = tx->clock;
    unit->count = 0;
    unit->touched = 0;
    unit->any_known[0] = unit->any_known[1] = false;
    if (source) {
        gather_changed(tx, source, row, unit);
    } else {
        gather(tx, &row->target, unit);
    }
    return unit;
}

/* ---- the prefilter's answers ---- */

/* Two answers together; the first may be all there is. */
static const uint64_t *both(struct rp_waf_tx *tx, const uint64_t *a, const uint64_t *b,
                            unsigned group) {
    if (!a || !b || a == b) {
        return a ? a : b;
    }
    size_t words = rp_waf_group_words(tx, group);
    uint64_t *any = rp_arena_array(tx->arena, words, sizeof *any);
    if (!any) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return a;
    }
    for (size_t i = 0; i < words; i++) {
        any[i] = a[i] | b[i];
    }
    return any;
}

static const uint64_t *any_of_values(struct rp_waf_tx *tx, const struct rp_waf_unit *unit,
                                     unsigned group) {
    if (unit->count < 2) {
        return unit->count == 1 ? rp_waf_value_bits(tx, unit->values[0].value, group) : NULL;
    }
    size_t words = rp_waf_group_words(tx, group);
    uint64_t *any = rp_arena_array(tx->arena, words, sizeof *any);
    if (!any) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return NULL;
    }
    for (uint32_t i = 0; i < unit->count; i++) {
        const uint64_t *bits = rp_waf_value_bits(tx, unit->values[i].value, group);
        for (size_t w = 0; bits && w < words; w++) {
            any[w] |= bits[w];
        }
    }
    return any;
}

static const uint64_t *unit_any(struct rp_waf_tx *tx, uint32_t unit_id, unsigned group) {
    const struct rp_waf_unit *ready = rp_waf_unit_ready(tx, unit_id);
    if (ready == &empty || ready->any_known[group]) {
        return ready->any[group];
    }
    uint32_t source = tx->image->units[unit_id].source;
    /* The source first: what the pipeline made of its values may be their twins. */
    const uint64_t *rest = source != unit_id ? unit_any(tx, source, group) : NULL;
    const uint64_t *any = both(tx, rest, any_of_values(tx, ready, group), group);
    struct rp_waf_unit *unit = tx->units[unit_id];
    unit->any[group] = any;
    unit->any_known[group] = true;
    return any;
}

const uint64_t *rp_waf_class_gather(struct rp_waf_tx *tx, uint32_t class_id, unsigned group) {
    struct rp_img_span units = tx->image->classes[class_id].units;
    const uint64_t *only = NULL;
    uint64_t *sum = NULL;
    size_t words = rp_waf_group_words(tx, group);
    for (uint32_t i = 0; i < units.count; i++) {
        uint32_t unit_id = tx->image->members[units.first + i];
        if (tx->collections[tx->image->units[unit_id].target.variable].n == 0) {
            continue; /* what is not there costs nothing */
        }
        const uint64_t *any = unit_any(tx, unit_id, group);
        if (!only || !any || any == only) {
            only = any ? any : only;
            continue;
        }
        if (!sum) {
            sum = rp_arena_array(tx->arena, words, sizeof *sum);
            if (!sum) {
                rp_waf_note(tx, RP_ERR(TOO_LARGE));
                return NULL;
            }
            memcpy(sum, only, words * sizeof *sum);
        }
        for (size_t w = 0; w < words; w++) {
            sum[w] |= any[w];
        }
    }
    struct rp_waf_class *class = &tx->classes[class_id];
    class->generation[group] = tx->generation;
    class->any[group] = sum ? sum : only;
    return class->any[group];
}
