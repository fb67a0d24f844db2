/* values.c — every text once, with all that was found out about it. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/tx.h"

/* A bucket's list is not searched further than this: twins cost time, never a verdict. */
enum { VALUES_START = 128, LOOKS_MAX = 8 };

/* A larger array in the arena; false when it is full. */
static bool grow(struct rp_waf_tx *tx, void **items, uint32_t *room, size_t size, uint32_t next) {
    void *grown = rp_arena_room(tx->arena, next * size);
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

static bool grow_values(struct rp_waf_tx *tx, uint32_t room) {
    struct rp_waf_values *values = &tx->values;
    void *items = values->p;
    bool grown = grow(tx, &items, &values->room, sizeof *values->p, room);
    values->p = items;
    return grown;
}

static bool grow_derived(struct rp_waf_tx *tx, uint32_t room) {
    struct rp_waf_values *values = &tx->values;
    void *items = values->derived;
    bool grown = grow(tx, &items, &values->derived_room, sizeof *values->derived, room);
    values->derived = items;
    return grown;
}

bool rp_waf_values_room(struct rp_waf_tx *tx, uint32_t values, uint32_t derived) {
    return grow_values(tx, values + VALUES_START) && grow_derived(tx, derived + VALUES_START);
}

/* Which bytes occur, and which transformations may change it. */
static void look(const struct rp_waf *waf, struct rp_waf_value *value) {
    value->set = rp_byte_set_of(value->bytes);
    value->touched = waf->touched_always;
    for (size_t word = 0; word < RP_COUNT_OF(value->set.bits); word++) {
        for (uint64_t left = value->set.bits[word]; left != 0; left &= left - 1) {
            value->touched |= waf->touched_by[word * 64 + (size_t)__builtin_ctzll(left)];
        }
    }
    for (uint64_t rest = waf->touched_by_two & ~value->touched; rest != 0; rest &= rest - 1) {
        unsigned transform = (unsigned)__builtin_ctzll(rest);
        if (rp_transform_touches((enum rp_transform)transform, &value->set)) {
            value->touched |= (uint64_t)1 << transform;
        }
    }
}

uint32_t rp_waf_value_of(struct rp_waf_tx *tx, rp_view bytes) {
    struct rp_waf_values *values = &tx->values;
    uint64_t hash = rp_image_hash(bytes);
    uint32_t *bucket = &values->buckets[hash % RP_WAF_VALUE_BUCKETS];
    unsigned looks = 0;
    for (uint32_t i = *bucket; i != 0 && looks < LOOKS_MAX; i = values->p[i].next, looks++) {
        if (values->p[i].hash == hash && rp_view_equal(values->p[i].bytes, bytes)) {
            return i;
        }
    }
    if (values->n + 1 >= values->room &&
        !grow_values(tx, values->room ? 2 * values->room : VALUES_START)) {
        return 0;
    }
    rp_waf_spend(tx, bytes.n + 16);
    uint32_t index = ++values->n;
    struct rp_waf_value *value = &values->p[index];
    *value = (struct rp_waf_value){.bytes = bytes, .hash = hash, .next = *bucket};
    look(tx->waf, value);
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
    if (values->derived_n + 1 >= values->derived_room &&
        !grow_derived(tx, values->derived_room ? 2 * values->derived_room : VALUES_START)) {
        return;
    }
    uint32_t index = ++values->derived_n;
    values->derived[index] =
        (struct rp_waf_derived){(uint32_t)transform, result, values->p[value].derived};
    values->p[value].derived = index;
    if (values->p[value].kept) {
        rp_waf_value_keep(tx, result);
        values->news = true;
    }
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
        tx->values.news |= tx->values.p[value].kept;
        return value;
    }
    uint32_t result = rp_waf_value_of(tx, after);
    bool cased = transform == RP_T_LOWERCASE || transform == RP_T_UPPERCASE;
    tx->values.p[result].twin = cased && result != 0 ? value : tx->values.p[result].twin;
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

const uint64_t rp_waf_nothing[RP_LITERALS_RULES_MAX / 64];

static void look_for_rules(struct rp_waf_tx *tx, const struct rp_waf_value *value, unsigned group,
                           uint64_t *bits) {
    size_t words = rp_waf_group_words(tx, group);
    const struct rp_literals *literals = &tx->waf->literals[group];
    const uint64_t *twin = value->twin != 0 ? tx->values.p[value->twin].scanned[group] : NULL;
    rp_waf_spend(tx, value->bytes.n + 16);
    if (twin) { /* literals know no case: only single bytes may differ */
        memcpy(bits, twin, words * sizeof *bits);
        rp_literals_look_at_bytes(literals, &value->set, bits);
    } else {
        memset(bits, 0, words * sizeof *bits);
        rp_literals_look(literals, value->bytes, &value->set, bits);
    }
}

const uint64_t *rp_waf_value_bits(struct rp_waf_tx *tx, uint32_t value, unsigned group) {
    struct rp_waf_value *at = &tx->values.p[value];
    if (at->scanned[group]) {
        return rp_waf_value_left(at, group);
    }
    uint64_t bits[RP_LITERALS_RULES_MAX / 64] __attribute__((uninitialized)); /* as many as used */
    look_for_rules(tx, at, group, bits);
    tx->values.news |= at->kept;
    size_t bytes = rp_waf_group_words(tx, group) * sizeof *bits;
    if (rp_view_equal(rp_view_of(bits, bytes), rp_view_of(rp_waf_nothing, bytes))) {
        return at->scanned[group] = rp_waf_nothing;
    }
    uint64_t *copy = rp_arena_room(tx->arena, bytes);
    if (!copy) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return NULL;
    }
    memcpy(copy, bits, bytes);
    return at->scanned[group] = copy;
}

/* An operator without %{…} says the same of the same bytes each time, but for a budget that ends
 * meanwhile. Answers of units and classes that are these very bits may lose the rule, too: then
 * they speak of this value alone. */
void rp_waf_value_refute(struct rp_waf_tx *tx, uint32_t value, const struct rp_img_rule *rule) {
    struct rp_waf_value *at = &tx->values.p[value];
    unsigned group = rule->group;
    if (tx->verdict.over_budget) {
        return;
    }
    if (!at->left[group]) {
        size_t bytes = rp_waf_group_words(tx, group) * sizeof *at->left[group];
        uint64_t *left = rp_arena_room(tx->arena, bytes);
        if (!left) {
            rp_waf_note(tx, RP_ERR(TOO_LARGE));
            return;
        }
        memcpy(left, at->scanned[group], bytes);
        at->left[group] = left;
        tx->values.news = true;
    }
    at->left[group][rule->bit / 64] &= ~(UINT64_C(1) << rule->bit % 64);
}
