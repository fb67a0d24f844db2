/* values.c — every text once, with all that was found out about it. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/tx.h"

/* A bucket's list is not searched further than this: twins cost time, never a verdict. */
enum { VALUES_START = 128, LOOKS_MAX = 8, CLASS_START = 8 };

/* Doubles an array in the arena; false when it is full. */
static bool grow(struct rp_waf_tx *tx, void **items, uint32_t *room, size_t size) {
    uint32_t next = *room ? 2 * *room : VALUES_START;
    void *grown = rp_arena_array(tx->arena, next, size);
    if (!grown) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return false;
    }
    if (*room > 0) {
        memcpy(grown, *items, *room * size);
    }
    *items = grown;
    *room = next;
    return true;
}

/* Which bytes occur, and which transformations may change it. */
static void look(const struct rp_waf *waf, struct rp_waf_value *value) {
    uint64_t bits[4] = {0, 0, 0, 0};
    uint64_t touched = waf->touched_always;
    for (size_t i = 0; i < value->bytes.n; i++) {
        uint8_t byte = value->bytes.p[i];
        bits[byte >> 6] |= (uint64_t)1 << (byte & 63);
        touched |= waf->touched_by[byte];
    }
    value->set = (struct rp_byte_set){{bits[0], bits[1], bits[2], bits[3]}};
    for (uint64_t rest = waf->touched_by_two & ~touched; rest != 0; rest &= rest - 1) {
        unsigned transform = (unsigned)__builtin_ctzll(rest);
        if (rp_transform_touches((enum rp_transform)transform, &value->set)) {
            touched |= (uint64_t)1 << transform;
        }
    }
    value->touched = touched;
}

uint32_t rp_waf_value_of(struct rp_waf_tx *tx, rp_view bytes) {
    struct rp_waf_values *values = &tx->values;
    uint64_t hash = rp_image_hash(bytes);
    uint32_t *bucket = &values->buckets[hash & (RP_COUNT_OF(values->buckets) - 1)];
    unsigned looks = 0;
    for (uint32_t i = *bucket; i != 0 && looks < LOOKS_MAX; i = values->p[i].next, looks++) {
        if (values->p[i].hash == hash && rp_view_equal(values->p[i].bytes, bytes)) {
            return i;
        }
    }
    if (values->n + 1 >= values->room) {
        void *items = values->p;
        if (!grow(tx, &items, &values->room, sizeof *values->p)) {
            return 0;
        }
        values->p = items;
    }
    rp_waf_spend(tx, bytes.n + 16);
    uint32_t index = ++values->n;
    struct rp_waf_value *value = &values->p[index];
    value->bytes = bytes;
    value->hash = hash;
    look(tx->waf, value);
    value->next = *bucket;
    *bucket = index;
    return index;
}

/* ---- pipelines ---- */

rp_view rp_waf_view_through(struct rp_waf_tx *tx, rp_view bytes, uint32_t pipeline) {
    struct rp_img_span steps = tx->image->pipelines[pipeline].steps;
    for (uint32_t i = 0; i < steps.count; i++) {
        enum rp_transform transform = (enum rp_transform)tx->image->steps[steps.first + i];
        rp_waf_spend(tx, bytes.n + 16);
        rp_err err = rp_transform_apply(transform, bytes, tx->unicode_map, tx->arena, &bytes);
        if (!rp_ok(err)) {
            rp_waf_note(tx, err);
            return (rp_view){NULL, 0};
        }
    }
    return bytes;
}

static void remember(struct rp_waf_tx *tx, uint32_t value, enum rp_transform transform,
                     uint32_t result) {
    struct rp_waf_values *values = &tx->values;
    if (values->derived_n + 1 >= values->derived_room) {
        void *items = values->derived;
        if (!grow(tx, &items, &values->derived_room, sizeof *values->derived)) {
            return;
        }
        values->derived = items;
    }
    uint32_t index = ++values->derived_n;
    values->derived[index] =
        (struct rp_waf_derived){(uint32_t)transform, result, values->p[value].derived};
    values->p[value].derived = index;
}

/* Pipelines have their steps in common: each step is done once a value, and one that changed
 * nothing is not asked again. */
uint32_t rp_waf_value_step(struct rp_waf_tx *tx, uint32_t value, enum rp_transform transform) {
    const struct rp_waf_value *from = &tx->values.p[value];
    if ((from->touched >> transform & 1) == 0) {
        return value;
    }
    for (uint32_t i = from->derived; i != 0; i = tx->values.derived[i].next) {
        if (tx->values.derived[i].transform == transform) {
            return tx->values.derived[i].value;
        }
    }
    rp_view bytes = from->bytes;
    rp_view after;
    rp_waf_spend(tx, bytes.n + 16);
    rp_err err = rp_transform_apply(transform, bytes, tx->unicode_map, tx->arena, &after);
    if (!rp_ok(err)) {
        rp_waf_note(tx, err);
        return 0;
    }
    if (after.p == bytes.p && after.n == bytes.n) {
        tx->values.p[value].touched &= ~((uint64_t)1 << transform);
        return value;
    }
    uint32_t result = rp_waf_value_of(tx, after);
    remember(tx, value, transform, result);
    return result;
}

uint32_t rp_waf_value_through(struct rp_waf_tx *tx, uint32_t value, uint32_t pipeline) {
    const struct rp_img_pipeline *row = &tx->image->pipelines[pipeline];
    for (uint32_t i = 0; i < row->steps.count && value != 0; i++) {
        if ((tx->values.p[value].touched & row->mask) == 0) {
            break;
        }
        value =
            rp_waf_value_step(tx, value, (enum rp_transform)tx->image->steps[row->steps.first + i]);
    }
    return value;
}

/* ---- the prefilter ---- */

static size_t group_words(const struct rp_waf_tx *tx, unsigned group) {
    return (tx->image->settings->group_sizes[group] + 63) / 64;
}

const uint64_t *rp_waf_value_bits(struct rp_waf_tx *tx, uint32_t value, unsigned group) {
    struct rp_waf_value *at = &tx->values.p[value];
    if (!at->bits[group]) {
        uint64_t *bits = rp_arena_array(tx->arena, group_words(tx, group), sizeof *bits);
        if (!bits) {
            rp_waf_note(tx, RP_ERR(TOO_LARGE));
            return NULL;
        }
        rp_waf_spend(tx, at->bytes.n + 16);
        rp_literals_scan(rp_image_blob(tx->image, tx->image->settings->group_blobs[group]),
                         at->bytes, &at->set, bits);
        at->bits[group] = bits;
    }
    return at->bits[group];
}

/* ---- classes ---- */

/* Once in this class, however often it is met. */
static void class_add(struct rp_waf_tx *tx, struct rp_waf_class *class, uint32_t value) {
    struct rp_waf_value *at = &tx->values.p[value];
    if (value == 0 || at->stamp == tx->values.stamp) {
        return;
    }
    at->stamp = tx->values.stamp;
    if (class->count == class->room) {
        uint32_t room = class->room ? 2 * class->room : CLASS_START;
        uint32_t *values = rp_arena_array(tx->arena, room, sizeof *values);
        if (!values) {
            rp_waf_note(tx, RP_ERR(TOO_LARGE));
            return;
        }
        if (class->count > 0) {
            memcpy(values, class->values, class->count * sizeof *values);
        }
        class->values = values;
        class->room = room;
    }
    class->values[class->count++] = value;
}

/* The different values of its targets, before the pipeline. */
static void class_gather(struct rp_waf_tx *tx, const struct rp_img_class *row,
                         struct rp_waf_class *class) {
    for (uint32_t i = 0; i < row->targets.count; i++) {
        const struct rp_img_target *target = &tx->image->targets[row->targets.first + i];
        const struct rp_waf_collection *from = &tx->collections[target->variable];
        for (uint32_t j = 0; j < from->n; j++) {
            if (rp_waf_entry_selected(tx, target, &from->p[j])) {
                class_add(tx, class, from->p[j].value);
            }
        }
    }
}

/* A value, and after each transformation that changes it. */
static void class_add_steps(struct rp_waf_tx *tx, struct rp_waf_class *class, uint32_t value,
                            const struct rp_img_pipeline *row) {
    class_add(tx, class, value);
    for (uint32_t i = 0; i < row->steps.count && value != 0; i++) {
        value =
            rp_waf_value_step(tx, value, (enum rp_transform)tx->image->steps[row->steps.first + i]);
        class_add(tx, class, value);
    }
}

/* What the pipeline makes of those of the source's values that it may change; they are few. */
static void class_through(struct rp_waf_tx *tx, const struct rp_waf_class *source,
                          const struct rp_img_class *class_row, struct rp_waf_class *class) {
    const struct rp_img_pipeline *row = &tx->image->pipelines[class_row->pipeline];
    for (uint32_t i = 0; i < source->count; i++) {
        uint32_t value = source->values[i];
        if ((tx->values.p[value].touched & row->mask) == 0) {
            continue;
        }
        if (class_row->each_step) {
            class_add_steps(tx, class, value, row);
        } else {
            class_add(tx, class, rp_waf_value_through(tx, value, class_row->pipeline));
        }
    }
}

static void class_fill(struct rp_waf_tx *tx, uint32_t class_id) {
    const struct rp_img_class *row = &tx->image->classes[class_id];
    struct rp_waf_class *class = &tx->classes[class_id];
    struct rp_waf_class *source = &tx->classes[row->source];
    if (source != class && source->generation != tx->generation) {
        class_fill(tx, row->source);
    }
    class->generation = tx->generation;
    class->count = 0;
    class->any[0] = class->any[1] = NULL;
    tx->values.stamp++;
    if (source == class) {
        class_gather(tx, row, class);
    } else {
        class_through(tx, source, row, class);
    }
}

const struct rp_waf_class *rp_waf_class_ready(struct rp_waf_tx *tx, uint32_t class_id) {
    if (tx->classes[class_id].generation != tx->generation) {
        class_fill(tx, class_id);
    }
    return &tx->classes[class_id];
}

const uint64_t *rp_waf_class_any(struct rp_waf_tx *tx, uint32_t class_id, unsigned group) {
    (void)rp_waf_class_ready(tx, class_id);
    struct rp_waf_class *class = &tx->classes[class_id];
    if (class->any[group]) {
        return class->any[group];
    }
    uint32_t source = tx->image->classes[class_id].source;
    const uint64_t *unchanged = source != class_id ? rp_waf_class_any(tx, source, group) : NULL;
    if (unchanged && class->count == 0) {
        class->any[group] = unchanged;
        return unchanged;
    }
    size_t words = group_words(tx, group);
    uint64_t *any = rp_arena_array(tx->arena, words, sizeof *any);
    if (!any) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return NULL;
    }
    if (unchanged) {
        memcpy(any, unchanged, words * sizeof *any);
    }
    for (uint32_t i = 0; i < class->count; i++) {
        const uint64_t *bits = rp_waf_value_bits(tx, class->values[i], group);
        for (size_t w = 0; bits && w < words; w++) {
            any[w] |= bits[w];
        }
    }
    class->any[group] = any;
    return any;
}
