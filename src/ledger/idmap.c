#include "ledger/idmap.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"

enum { CAPACITY_MIN = 64 };

struct rp_idmap rp_idmap_new(size_t max) {
    RP_ASSERT(max > 0 && max < SIZE_MAX / 4);
    return (struct rp_idmap){.max = max};
}

void rp_idmap_done(struct rp_idmap *map) {
    free(map->slots);
    *map = (struct rp_idmap){.max = map->max};
}

void rp_idmap_clear(struct rp_idmap *map) {
    if (map->slots) {
        memset(map->slots, 0, map->capacity * sizeof *map->slots);
    }
    map->count = 0;
}

/* The slot that holds id, or the empty one where it would stand. */
static struct rp_idmap_slot *slot_of(struct rp_idmap_slot *slots, size_t capacity, rp_id id) {
    RP_ASSERT(capacity > 0 && (capacity & (capacity - 1)) == 0);
    uint64_t hash;
    memcpy(&hash, id.b, sizeof hash);
    size_t i = (size_t)hash & (capacity - 1);
    while (!rp_id_is_none(slots[i].id) && !rp_id_equal(slots[i].id, id)) {
        i = (i + 1) & (capacity - 1);
    }
    return &slots[i];
}

uint64_t rp_idmap_get(const struct rp_idmap *map, rp_id id) {
    return map->count == 0 ? 0 : slot_of(map->slots, map->capacity, id)->value;
}

static rp_err grow(struct rp_idmap *map) {
    size_t capacity = map->capacity == 0 ? CAPACITY_MIN : map->capacity * 2;
    struct rp_idmap_slot *slots = calloc(capacity, sizeof *slots);
    if (!slots) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (!rp_id_is_none(map->slots[i].id)) {
            *slot_of(slots, capacity, map->slots[i].id) = map->slots[i];
        }
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return RP_OK;
}

rp_err rp_idmap_set(struct rp_idmap *map, rp_id id, uint64_t value) {
    RP_ASSERT(!rp_id_is_none(id));
    /* At most three quarters full, so that a search ends soon. */
    if (map->count + 1 > map->capacity / 4 * 3) {
        RP_TRY(grow(map));
    }
    struct rp_idmap_slot *slot = slot_of(map->slots, map->capacity, id);
    if (rp_id_is_none(slot->id)) {
        if (map->count == map->max) {
            return RP_ERR(TOO_LARGE);
        }
        slot->id = id;
        map->count++;
    }
    slot->value = value;
    RP_ASSERT(map->count <= map->max);
    return RP_OK;
}
