/* select.c — which values a rule's targets mean: ARGS, ARGS:id, ARGS:/^utm_/, &ARGS, !ARGS:note. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/tx.h"

static bool name_selected(struct rp_waf_tx *tx, const struct rp_img_target *target, rp_view name,
                          uint32_t name_id) {
    switch ((enum rp_waf_select)target->select) {
    case RP_SELECT_ALL:
        return true;
    case RP_SELECT_NAME:
        return target->name != 0
                   ? target->name == name_id
                   : rp_view_equal_nocase(name, rp_image_text(tx->image, target->selector));
    case RP_SELECT_REGEX:
        return rp_waf_name_matches(tx, target->pattern, name, name_id);
    }
    return false;
}

bool rp_waf_entry_selected(struct rp_waf_tx *tx, const struct rp_img_target *target,
                           const struct rp_waf_entry *entry) {
    return target->select == RP_SELECT_ALL ||
           name_selected(tx, target, entry->name, entry->name_id);
}

/* ---- exclusions ---- */

static bool row_in(const uint64_t *rules, size_t row) {
    return rules[row / 64] >> row % 64 & 1;
}

static bool removal_fits(struct rp_waf_tx *tx, const struct rp_waf_removal *removal,
                         const struct rp_waf_seen *where, uint32_t name_id) {
    const struct rp_img_target *target = &removal->target;
    if (target->variable != where->variable) {
        return false;
    }
    if (target->select == RP_SELECT_NAME && target->name == 0) {
        return rp_view_equal_nocase(removal->selector, where->name);
    }
    return name_selected(tx, target, where->name, name_id);
}

static bool is_excluded(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                        const struct rp_waf_seen *where, uint32_t name_id) {
    for (uint32_t i = 0; i < rule->exclusions.count; i++) {
        const struct rp_img_target *target = &tx->image->targets[rule->exclusions.first + i];
        if (target->variable == where->variable &&
            name_selected(tx, target, where->name, name_id)) {
            return true;
        }
    }
    size_t row = (size_t)(rule - tx->image->rules);
    for (const struct rp_waf_removal *r = tx->removals; r; r = r->next) {
        if (row_in(r->rules, row) && removal_fits(tx, r, where, name_id)) {
            return true;
        }
    }
    return false;
}

/* ---- the kinds of places ---- */

struct walk {
    const struct rp_img_rule *rule;
    const struct rp_img_target *target;
    rp_waf_each *each;
    void *ctx;
    int64_t count;
};

static void meet(struct rp_waf_tx *tx, struct walk *walk, struct rp_waf_found *found,
                 uint32_t name_id) {
    bool checks = walk->rule->exclusions.count > 0 || tx->removals;
    if (checks && is_excluded(tx, walk->rule, &found->where, name_id)) {
        return;
    }
    walk->count++;
    if (!walk->target->count) {
        walk->each(tx, walk->ctx, found);
    }
}

static void meet_slot(struct rp_waf_tx *tx, struct walk *walk, struct rp_waf_slot *slot,
                      uint32_t name_id) {
    if (slot->set) {
        struct rp_waf_found found = {
            .where = {.variable = walk->target->variable, .name = slot->name}, .slot = slot};
        meet(tx, walk, &found, name_id);
    }
}

struct listed {
    struct rp_waf_slot *slot;
    uint32_t name_id;
};

/* TX variables that rules name, in the order of their numbers. */
static size_t list_known_slots(struct rp_waf_tx *tx, const struct rp_img_target *target,
                               struct listed *list) {
    size_t n = 0;
    const uint64_t *hits =
        target->select == RP_SELECT_REGEX ? tx->waf->selectors[target->pattern].hits : NULL;
    for (uint32_t i = 1; i < tx->image->settings->tx_names; i++) {
        if (hits && hits[i / 64] >> i % 64 == 0) {
            i |= 63; /* none of these */
        } else if (tx->tx[i].set && name_selected(tx, target, tx->tx[i].name, i)) {
            list[n++] = (struct listed){&tx->tx[i], i};
        }
    }
    return n;
}

/* Those that are there now: what the rule itself writes meanwhile comes too late, so that a sum
 * does not count itself, and no rule goes on for ever. */
static void walk_all_slots(struct rp_waf_tx *tx, struct walk *walk, struct rp_waf_store *store) {
    const struct rp_img_target *target = walk->target;
    bool is_tx = target->variable == RP_VAR_TX;
    size_t n = 0, room = store->n + (is_tx ? tx->image->settings->tx_names : 0);
    struct listed *list = rp_arena_room(tx->arena, (room + 1) * sizeof *list);
    if (!list) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return;
    }
    if (is_tx) {
        n = list_known_slots(tx, target, list);
    }
    for (uint32_t i = 0; i < store->n; i++) {
        if (store->p[i].set && name_selected(tx, target, store->p[i].name, 0)) {
            list[n++] = (struct listed){&store->p[i], 0};
        }
    }
    RP_ASSERT(n <= room);
    for (size_t i = 0; i < n; i++) {
        meet_slot(tx, walk, list[i].slot, list[i].name_id);
    }
}

static void walk_slots(struct rp_waf_tx *tx, struct walk *walk, struct rp_waf_store *store) {
    const struct rp_img_target *target = walk->target;
    if (target->select == RP_SELECT_NAME) {
        bool known = target->variable == RP_VAR_TX && target->name != 0 &&
                     target->name < tx->image->settings->tx_names;
        struct rp_waf_slot *slot =
            known ? &tx->tx[target->name]
                  : rp_waf_slot_find(tx, target->variable,
                                     rp_image_text(tx->image, target->selector), false);
        if (slot) {
            meet_slot(tx, walk, slot, target->name);
        }
        return;
    }
    walk_all_slots(tx, walk, store);
}

static void walk_entries(struct rp_waf_tx *tx, struct walk *walk) {
    const struct rp_img_target *target = walk->target;
    unsigned variable = target->variable;
    bool scalar = variable < RP_VAR_COUNT &&
                  rp_waf_variable_shape((enum rp_waf_variable)variable) == RP_SHAPE_SCALAR;
    for (uint32_t i = 0; i < tx->collections[variable].n; i++) {
        struct rp_waf_entry entry = tx->collections[variable].p[i];
        if (rp_waf_entry_selected(tx, target, &entry)) {
            struct rp_waf_found found = {
                .where = {.variable = target->variable, .plain = scalar, .name = entry.name},
                .value = entry.value};
            meet(tx, walk, &found, entry.name_id);
        }
    }
}

/* What matched so far in this chain; the list may grow meanwhile, its beginning stays. */
static void walk_seen(struct rp_waf_tx *tx, struct walk *walk) {
    bool names = walk->target->variable == RP_VAR_MATCHED_VARS_NAMES;
    uint32_t n = tx->seen_n;
    for (uint32_t i = 0; i < n; i++) {
        struct rp_waf_seen seen = tx->seen[i];
        rp_view name = rp_waf_seen_name(tx, &seen);
        if (name_selected(tx, walk->target, name, 0)) {
            struct rp_waf_found found = {
                .where = {.variable = walk->target->variable, .name = name},
                .bytes = names ? name : seen.value};
            meet(tx, walk, &found, 0);
        }
    }
}

static void walk_computed(struct rp_waf_tx *tx, struct walk *walk) {
    rp_view text = rp_waf_computed(tx, walk->target->variable);
    if (text.p) {
        struct rp_waf_found found = {.where = {.variable = walk->target->variable, .plain = true},
                                     .bytes = text};
        meet(tx, walk, &found, 0);
    }
}

/* RULE:id, RULE:msg … of the rule that asks. */
static void walk_rule(struct rp_waf_tx *tx, struct walk *walk) {
    static const char *const names[] = {"id", "msg", "logdata", "severity", "rev"};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        rp_view name = rp_view_from_cstr(names[i]);
        uint32_t name_id = rp_image_name(tx->image, name);
        struct rp_waf_found found = {.where = {.variable = RP_VAR_RULE, .name = name}};
        if (name_selected(tx, walk->target, name, name_id)) {
            found.bytes = rp_waf_variable_text(tx, RP_VAR_RULE, name_id, name);
        }
        if (found.bytes.n > 0) {
            meet(tx, walk, &found, name_id);
        }
    }
}

static void walk_target(struct rp_waf_tx *tx, struct walk *walk) {
    unsigned variable = walk->target->variable;
    struct rp_waf_store *store = rp_waf_store_of(tx, variable);
    if (store) {
        walk_slots(tx, walk, store);
    } else if (variable == RP_VAR_MATCHED_VARS || variable == RP_VAR_MATCHED_VARS_NAMES) {
        walk_seen(tx, walk);
    } else if (variable == RP_VAR_RULE) {
        walk_rule(tx, walk);
    } else if (tx->collections[variable].n > 0) {
        walk_entries(tx, walk);
    } else if (variable < RP_VAR_COUNT) {
        walk_computed(tx, walk);
    }
}

void rp_waf_walk(struct rp_waf_tx *tx, const struct rp_img_rule *rule, rp_waf_each *each,
                 void *ctx) {
    for (uint32_t i = 0; i < rule->targets.count; i++) {
        const struct rp_img_target *target = &tx->image->targets[rule->targets.first + i];
        struct walk walk = {.rule = rule, .target = target, .each = each, .ctx = ctx};
        walk_target(tx, &walk);
        if (target->count) {
            struct rp_waf_found found = {
                .where = {.variable = target->variable,
                          .plain = target->select != RP_SELECT_NAME,
                          .name = rp_image_text(tx->image, target->selector)},
                .counted = true,
                .number = walk.count};
            each(tx, ctx, &found);
        }
    }
}
