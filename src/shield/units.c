/* units.c — what rules look at: the values of one target after one pipeline, gathered once for all
 * rules that ask for them, and again only when the collection has changed. */
#include "base/checked.h"
#include "shield/tx.h"

/* ---- filling ---- */

/* Room for so many values; what an earlier filling took is used again when it is enough. */
static bool make_room(struct rp_waf_tx *tx, struct rp_waf_unit *unit, uint32_t count) {
    if (count <= unit->room) {
        return true;
    }
    unit->values = rp_arena_room(tx->arena, count * sizeof *unit->values);
    unit->room = unit->values ? count : 0;
    if (!unit->values) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
    }
    return unit->values != NULL;
}

/* Once in this unit, however often it is met, unless it is shorter than `least`; there is room. */
static void add(struct rp_waf_tx *tx, struct rp_waf_unit *unit, uint32_t value, uint32_t least) {
    struct rp_waf_value *at = &tx->values.p[value];
    if (value != 0 && at->stamp != tx->values.stamp && at->bytes.n >= least) {
        at->stamp = tx->values.stamp;
        unit->values[unit->count++] = (struct rp_waf_unit_value){at->touched, value};
        unit->touched |= at->touched;
    }
}

static void gather(struct rp_waf_tx *tx, const struct rp_img_target *target,
                   struct rp_waf_unit *unit) {
    const struct rp_waf_collection *from = &tx->collections[target->variable];
    if (!make_room(tx, unit, from->n)) {
        return;
    }
    tx->values.stamp++;
    for (uint32_t i = 0; i < from->n; i++) {
        if (rp_waf_entry_selected(tx, target, &from->p[i])) {
            add(tx, unit, from->p[i].value, 0);
        }
    }
}

/* A value, and after each transformation that changes it. */
static void add_steps(struct rp_waf_tx *tx, struct rp_waf_unit *unit, uint32_t value,
                      const struct rp_img_pipeline *row, uint32_t least) {
    add(tx, unit, value, least);
    for (uint32_t i = 0; i < row->steps.count && value != 0; i++) {
        value =
            rp_waf_value_step(tx, value, (enum rp_transform)tx->image->steps[row->steps.first + i]);
        add(tx, unit, value, least);
    }
}

/* What the pipeline makes of those of the source's values that it may change; they are few. Those
 * that are too short for any rule are left out. */
static void gather_changed(struct rp_waf_tx *tx, const struct rp_waf_unit *source,
                           const struct rp_img_unit *row, struct rp_waf_unit *unit) {
    struct rp_waf_bounds bounds = tx->waf->bounds[row - tx->image->units];
    const struct rp_img_pipeline *pipeline = &tx->image->pipelines[row->pipeline];
    uint32_t each = row->each_step ? 1 + pipeline->steps.count : 1;
    if ((source->touched & pipeline->mask) == 0 || !make_room(tx, unit, source->count * each)) {
        return;
    }
    tx->values.stamp++;
    for (uint32_t i = 0; i < source->count; i++) {
        if ((source->values[i].touched & pipeline->mask) == 0 ||
            tx->values.p[source->values[i].value].bytes.n < bounds.shortest) {
            continue;
        }
        if (row->each_step) {
            add_steps(tx, unit, source->values[i].value, pipeline, bounds.least);
        } else {
            add(tx, unit, rp_waf_value_through(tx, source->values[i].value, row->pipeline),
                bounds.least);
        }
    }
}

const struct rp_waf_unit *rp_waf_unit_fill(struct rp_waf_tx *tx, uint32_t unit_id) {
    const struct rp_img_unit *row = &tx->image->units[unit_id];
    struct rp_waf_unit *unit = &tx->units[unit_id];
    const struct rp_waf_unit *source =
        row->source != unit_id ? rp_waf_unit_ready(tx, row->source) : NULL;
    if (tx->filled_at[unit_id] == 0) {
        unit->room = 0;
    }
    tx->filled_at[unit_id] = tx->clock;
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

/* Several answers together; one alone, or the same again, is not copied. */
struct together {
    const uint64_t *one; /* NULL: nothing may match */
    uint64_t *all;       /* where a second one was added */
};

static void add_answer(struct rp_waf_tx *tx, struct together *sum, const uint64_t *bits,
                       size_t words) {
    if (!bits || bits == sum->one || bits == rp_waf_nothing) {
        return;
    }
    if (!sum->one) {
        sum->one = bits;
        return;
    }
    if (!sum->all) {
        sum->all = rp_arena_room(tx->arena, words * sizeof *sum->all);
        if (!sum->all) {
            rp_waf_note(tx, RP_ERR(TOO_LARGE));
            return;
        }
        memcpy(sum->all, sum->one, words * sizeof *sum->all);
        sum->one = sum->all;
    }
    for (size_t i = 0; i < words; i++) {
        sum->all[i] |= bits[i];
    }
}

static void add_values(struct rp_waf_tx *tx, struct together *sum, const struct rp_waf_unit *unit,
                       unsigned group) {
    size_t words = rp_waf_group_words(tx, group);
    for (uint32_t i = 0; i < unit->count; i++) {
        add_answer(tx, sum, rp_waf_value_bits(tx, unit->values[i].value, group), words);
    }
}

static const uint64_t *source_any(struct rp_waf_tx *tx, uint32_t unit_id, unsigned group) {
    const struct rp_waf_unit *ready = rp_waf_unit_ready(tx, unit_id);
    struct rp_waf_unit *unit = &tx->units[unit_id];
    if (!unit->any_known[group]) {
        struct together sum = {NULL, NULL};
        add_values(tx, &sum, ready, group);
        unit->any[group] = sum.one;
        unit->any_known[group] = true;
    }
    return unit->any[group];
}

static const uint64_t *sources_any(struct rp_waf_tx *tx, uint32_t class_id, unsigned group) {
    struct rp_waf_answers *sources = &tx->classes[tx->waf->alike[class_id]].sources;
    if (sources->gathered_at[group] != tx->clock) {
        struct rp_img_span units = tx->image->classes[class_id].units;
        size_t words = rp_waf_group_words(tx, group);
        struct together sum = {NULL, NULL};
        for (uint32_t i = 0; i < units.count; i++) {
            const struct rp_waf_member *member = &tx->waf->members[units.first + i];
            if (tx->collections[member->variable].n > 0) {
                add_answer(tx, &sum, source_any(tx, member->source, group), words);
            }
        }
        sources->any[group] = sum.one;
        sources->gathered_at[group] = tx->clock;
    }
    return sources->any[group];
}

/* The sources first: what pipelines make of their values may be their twins. */
const uint64_t *rp_waf_class_gather(struct rp_waf_tx *tx, uint32_t class_id, unsigned group) {
    struct rp_img_span units = tx->image->classes[class_id].units;
    struct together sum = {sources_any(tx, class_id, group), NULL};
    for (uint32_t i = 0; i < units.count; i++) {
        const struct rp_waf_member *member = &tx->waf->members[units.first + i];
        if (tx->collections[member->variable].n > 0 &&
            (tx->units[member->source].touched & member->mask) != 0) {
            add_values(tx, &sum, rp_waf_unit_ready(tx, member->unit), group);
        }
    }
    struct rp_waf_answers *all = &tx->classes[class_id].all;
    all->gathered_at[group] = tx->clock;
    all->any[group] = sum.one;
    return sum.one;
}
