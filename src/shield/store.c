/* store.c — what rules write: TX, and the collections that may outlive the transaction. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/numeric.h"
#include "shield/tx.h"

enum { STORE_START = 16, TTL_S = 3600, TTL_MAX_S = 1 << 30 };

/* ---- finding a slot ---- */

static bool store_grow(struct rp_waf_tx *tx, struct rp_waf_store *store) {
    uint32_t room = store->room ? 2 * store->room : STORE_START;
    struct rp_waf_slot *p = rp_arena_array(tx->arena, room, sizeof *p);
    uint32_t *buckets = rp_arena_array(tx->arena, 2 * (size_t)room, sizeof *buckets);
    if (!p || !buckets) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return false;
    }
    for (uint32_t i = 0; i < store->n; i++) {
        p[i] = store->p[i];
        size_t at = rp_image_hash_lower(p[i].name) & (2 * room - 1);
        while (buckets[at] != 0) {
            at = (at + 1) & (2 * room - 1);
        }
        buckets[at] = i + 1;
    }
    store->p = p;
    store->room = room;
    store->buckets = buckets;
    return true;
}

struct rp_waf_store *rp_waf_store_of(struct rp_waf_tx *tx, unsigned collection) {
    switch (collection) {
    case RP_VAR_TX:
        return &tx->stores[RP_STORE_TX];
    case RP_VAR_IP:
        return &tx->stores[RP_STORE_IP];
    case RP_VAR_GLOBAL:
        return &tx->stores[RP_STORE_GLOBAL];
    case RP_VAR_SESSION:
        return &tx->stores[RP_STORE_SESSION];
    case RP_VAR_RESOURCE:
        return &tx->stores[RP_STORE_RESOURCE];
    case RP_VAR_USER:
        return &tx->stores[RP_STORE_USER];
    default:
        return NULL;
    }
}

static struct rp_waf_slot *store_find(struct rp_waf_tx *tx, struct rp_waf_store *store,
                                      rp_view name, bool make) {
    size_t at = 0;
    if (store->room > 0) {
        size_t mask = 2 * (size_t)store->room - 1;
        for (at = rp_image_hash_lower(name) & mask; store->buckets[at] != 0; at = (at + 1) & mask) {
            struct rp_waf_slot *slot = &store->p[store->buckets[at] - 1];
            if (rp_view_equal_nocase(slot->name, name)) {
                return slot;
            }
        }
    }
    if (!make) {
        return NULL;
    }
    if (store->n == store->room) {
        return store_grow(tx, store) ? store_find(tx, store, name, true) : NULL;
    }
    store->p[store->n].name = name;
    store->buckets[at] = ++store->n;
    return &store->p[store->n - 1];
}

/* "IP" NUL key NUL name: what the memory beyond the transaction knows it by. */
static rp_view memory_key(struct rp_waf_tx *tx, unsigned collection, rp_view name) {
    const char *word = rp_waf_variable_name((enum rp_waf_variable)collection);
    const struct rp_waf_store *store = rp_waf_store_of(tx, collection);
    RP_ASSERT(store != NULL);
    rp_view key = store->key;
    size_t n = strlen(word);
    uint8_t *p = rp_arena_alloc(tx->arena, n + 1 + key.n + 1 + name.n);
    if (!p) {
        return (rp_view){NULL, 0};
    }
    memcpy(p, word, n);
    memcpy(p + n + 1, key.p, key.n);
    for (size_t i = 0; i < name.n; i++) {
        uint8_t byte = name.p[i];
        p[n + 1 + key.n + 1 + i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
    }
    return rp_view_of(p, n + 1 + key.n + 1 + name.n);
}

static bool remembers(const struct rp_waf_tx *tx, unsigned collection) {
    return collection != RP_VAR_TX && tx->site.memory && tx->site.memory->get &&
           tx->site.memory->put;
}

/* The first look at a variable of an opened collection asks the memory. */
static struct rp_waf_slot *from_memory(struct rp_waf_tx *tx, unsigned collection, rp_view name) {
    struct rp_waf_store *store = rp_waf_store_of(tx, collection);
    RP_ASSERT(store != NULL);
    if (!store->key.p) {
        return NULL;
    }
    struct rp_waf_slot *slot = store_find(tx, store, name, true);
    if (!slot || slot->looked_up) {
        return slot;
    }
    slot->looked_up = true;
    rp_view key = memory_key(tx, collection, name), value;
    const struct rp_waf_memory *memory = tx->site.memory;
    if (key.p && memory->get(memory->ctx, key, tx->connection.now_ms / 1000, tx->arena, &value)) {
        slot->text = value;
        slot->set = slot->has_text = true;
    }
    return slot;
}

struct rp_waf_slot *rp_waf_slot_find(struct rp_waf_tx *tx, unsigned collection, rp_view name,
                                     bool make) {
    if (collection == RP_VAR_TX) {
        uint32_t id = rp_image_name(tx->image, name);
        if (id != 0 && id < tx->image->settings->tx_names) {
            if (make && !tx->tx[id].set) {
                tx->tx[id].name = name;
            }
            return &tx->tx[id];
        }
    } else if (remembers(tx, collection)) {
        struct rp_waf_slot *slot = from_memory(tx, collection, name);
        if (slot) {
            return slot;
        }
    }
    struct rp_waf_store *store = rp_waf_store_of(tx, collection);
    return store ? store_find(tx, store, name, make) : NULL;
}

/* ---- a slot's value: a text, a number, or both ---- */

rp_view rp_waf_slot_text(struct rp_waf_tx *tx, struct rp_waf_slot *slot) {
    if (!slot->set) {
        return (rp_view){NULL, 0};
    }
    if (!slot->has_text) {
        char text[RP_WAF_NUMBER_TEXT];
        rp_err err = rp_arena_copy(tx->arena, rp_waf_number_print(slot->number, text), &slot->text);
        if (!rp_ok(err)) {
            rp_waf_note(tx, err);
            return (rp_view){NULL, 0};
        }
        slot->has_text = true;
    }
    return slot->text;
}

int64_t rp_waf_slot_number(struct rp_waf_slot *slot) {
    if (!slot->set) {
        return 0;
    }
    if (!slot->has_number) {
        slot->number = rp_waf_number(slot->text);
        slot->has_number = true;
    }
    return slot->number;
}

static void put_text(struct rp_waf_slot *slot, rp_view text) {
    slot->text = text;
    slot->set = slot->has_text = true;
    slot->has_number = false;
}

static void put_number(struct rp_waf_slot *slot, int64_t number) {
    slot->number = number;
    slot->set = slot->has_number = true;
    slot->has_text = false;
}

static void persist(struct rp_waf_tx *tx, unsigned collection, struct rp_waf_slot *slot) {
    const struct rp_waf_store *store = rp_waf_store_of(tx, collection);
    RP_ASSERT(store != NULL);
    if (!remembers(tx, collection) || !store->key.p) {
        return;
    }
    int64_t now_s = tx->connection.now_ms / 1000;
    uint64_t ttl_s = tx->image->settings->collection_timeout_s;
    ttl_s = ttl_s ? RP_MIN(ttl_s, (uint64_t)TTL_MAX_S) : TTL_S;
    int64_t expires_s = slot->expires_s ? slot->expires_s : now_s + (int64_t)ttl_s;
    rp_view key = memory_key(tx, collection, slot->name);
    rp_view text = slot->set ? rp_waf_slot_text(tx, slot) : (rp_view){NULL, 0};
    if (key.p) {
        tx->site.memory->put(tx->site.memory->ctx, key, text, slot->set ? expires_s : 0);
    }
}

/* ---- setvar ---- */

/* %{tx.critical_anomaly_score} as a number, without making a text of it. */
static bool value_number(struct rp_waf_tx *tx, const struct rp_img_setvar *set, int64_t *ret) {
    if (set->numeric) {
        *ret = set->number;
        return true;
    }
    if (set->value.count != 1) {
        return false;
    }
    const struct rp_img_piece *piece = &tx->image->pieces[set->value.first];
    if (piece->literal || piece->variable != RP_VAR_TX || piece->name == 0 ||
        piece->name >= tx->image->settings->tx_names) {
        return false;
    }
    *ret = rp_waf_slot_number(&tx->tx[piece->name]);
    return true;
}

static void setvar(struct rp_waf_tx *tx, const struct rp_img_setvar *set) {
    struct rp_waf_slot *slot;
    if (set->name_id != 0) {
        slot = &tx->tx[set->name_id];
        if (!slot->set) {
            slot->name = rp_image_text(tx->image, tx->image->pieces[set->name.first].text);
        }
    } else {
        slot = rp_waf_slot_find(tx, set->collection, rp_waf_expand(tx, set->name),
                                set->how != RP_ASSIGN_UNSET);
    }
    if (!slot) {
        return;
    }
    if (set->how == RP_ASSIGN_UNSET) {
        slot->set = false;
    } else if (set->how == RP_ASSIGN_SET) {
        put_text(slot, rp_waf_expand(tx, set->value));
    } else {
        int64_t delta = 0;
        if (!value_number(tx, set, &delta)) {
            delta = rp_waf_number(rp_waf_expand(tx, set->value));
        }
        int64_t old = rp_waf_number_32(rp_waf_slot_number(slot));
        delta = rp_waf_number_32(delta);
        int64_t now = set->how == RP_ASSIGN_ADD ? old + delta : old - delta;
        put_number(slot, now > INT32_MAX ? INT32_MAX : now < INT32_MIN ? INT32_MIN : now);
    }
    persist(tx, set->collection, slot);
}

void rp_waf_setvars(struct rp_waf_tx *tx, struct rp_img_span setvars) {
    for (uint32_t i = 0; i < setvars.count; i++) {
        setvar(tx, &tx->image->setvars[setvars.first + i]);
    }
}

void rp_waf_flag(struct rp_waf_tx *tx, rp_view name) {
    struct rp_waf_slot *slot = rp_waf_slot_find(tx, RP_VAR_TX, name, true);
    if (slot) {
        put_number(slot, 1);
    }
}

void rp_waf_capture(struct rp_waf_tx *tx, unsigned group, rp_view text) {
    if (group < 10) {
        struct rp_waf_slot *slot = &tx->tx[1 + group];
        slot->name = rp_view_of(&"0123456789"[group], 1);
        put_text(slot, text);
    }
}

/* ---- expirevar, initcol ---- */

/* SESSIONID and USERID say under which name their collection was opened. */
void rp_waf_initcols(struct rp_waf_tx *tx, const struct rp_img_rule *rule) {
    const struct rp_image *m = tx->image;
    for (uint32_t i = 0; i < rule->initcols.count; i++) {
        const struct rp_img_initcol *initcol = &m->initcols[rule->initcols.first + i];
        struct rp_waf_store *store = rp_waf_store_of(tx, initcol->collection);
        RP_ASSERT(store != NULL);
        store->key = rp_waf_expand(tx, initcol->key);
        if (initcol->collection == RP_VAR_SESSION) {
            rp_waf_scalar(tx, RP_VAR_SESSIONID, store->key);
        } else if (initcol->collection == RP_VAR_USER) {
            rp_waf_scalar(tx, RP_VAR_USERID, store->key);
        }
    }
}

void rp_waf_expires(struct rp_waf_tx *tx, const struct rp_img_rule *rule) {
    const struct rp_image *m = tx->image;
    for (uint32_t i = 0; i < rule->expires.count; i++) {
        const struct rp_img_expire *expire = &m->expires[rule->expires.first + i];
        struct rp_waf_slot *slot =
            rp_waf_slot_find(tx, expire->collection, rp_image_text(m, expire->name), false);
        uint64_t seconds = expire->seconds;
        if (expire->text.count > 0) {
            seconds = (uint64_t)RP_MAX(0, rp_waf_number(rp_waf_expand(tx, expire->text)));
        }
        if (slot && slot->set) {
            slot->expires_s =
                tx->connection.now_ms / 1000 + (int64_t)RP_MIN(seconds, (uint64_t)TTL_MAX_S);
            persist(tx, expire->collection, slot);
        }
    }
}
