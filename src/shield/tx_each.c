/* tx_each.c — for a reader: every variable of a collection, sorted by name; what each rule cost. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/tx.h"

struct listed {
    rp_view name, value;
};

static int by_name(const void *a, const void *b) {
    const struct listed *x = a, *y = b;
    return rp_view_compare(x->name, y->name);
}

static size_t list_slots(struct rp_waf_tx *tx, struct rp_waf_slot *slots, size_t count,
                         struct listed *out) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (slots[i].set) {
            out[n++] = (struct listed){slots[i].name, rp_waf_slot_text(tx, &slots[i])};
        }
    }
    return n;
}

static size_t list_entries(const struct rp_waf_tx *tx, unsigned collection, struct listed *out) {
    const struct rp_waf_collection *from = &tx->collections[collection];
    for (uint32_t i = 0; i < from->n; i++) {
        out[i] = (struct listed){from->p[i].name, tx->values.p[from->p[i].value].bytes};
    }
    return from->n;
}

rp_err rp_waf_tx_each(struct rp_waf_tx *tx, enum rp_waf_variable collection,
                      void (*each)(void *ctx, rp_view name, rp_view value), void *ctx) {
    struct rp_waf_store *store = rp_waf_store_of(tx, collection);
    size_t known = collection == RP_VAR_TX ? tx->image->settings->tx_names : 0;
    size_t most = known + (store ? store->n : 0) + tx->collections[collection].n;
    struct listed *list = rp_arena_array(tx->arena, most + 1, sizeof *list);
    if (!list) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = list_slots(tx, tx->tx, known, list);
    if (store) {
        n += list_slots(tx, store->p, store->n, list + n);
    }
    n += list_entries(tx, collection, list + n);
    qsort(list, n, sizeof *list, by_name);
    for (size_t i = 0; i < n; i++) {
        each(ctx, list[i].name, list[i].value);
    }
    return tx->failed;
}

void rp_waf_tx_costs(const struct rp_waf_tx *tx,
                     void (*each)(void *ctx, uint64_t rule, uint64_t steps), void *ctx) {
    for (size_t row = 0; tx->costs && row < tx->image->rules_n; row++) {
        if (tx->costs[row] > 0) {
            each(ctx, tx->image->rules[row].id, tx->costs[row]);
        }
    }
}
