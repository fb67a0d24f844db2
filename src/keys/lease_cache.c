#include "keys/lease_cache.h"

#include <stdlib.h>

#include "base/assert.h"

enum { NONE = -1 };

struct slot {
    rp_id tenant;
    uint8_t wrapped[RP_WRAPPED_BYTES];
    struct rp_secret *key; /* NULL = free */
    uint64_t lease;
    uint64_t uses;
    int64_t until_ms;
    int older, newer; /* by last use; `newer` also links the free slots */
    int next;         /* in the same bucket */
};

struct rp_lease_cache {
    size_t max;
    size_t count;
    size_t buckets; /* a power of two */
    int *heads;     /* by bucket */
    struct slot *slots;
    int oldest, newest, free;
};

static size_t bucket_of(const struct rp_lease_cache *cache, rp_id tenant) {
    size_t hash;
    memcpy(&hash, tenant.b, sizeof hash); /* an id is random bytes: as good as a hash */
    return hash & (cache->buckets - 1);
}

rp_err rp_lease_cache_new(size_t max, struct rp_lease_cache **ret_cache) {
    RP_ASSERT(max > 0);
    RP_ASSERT(max <= 65536);
    struct rp_lease_cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        return RP_ERR(NO_MEMORY);
    }
    cache->max = max;
    cache->buckets = 1;
    while (cache->buckets < 2 * max) {
        cache->buckets *= 2;
    }
    cache->heads = calloc(cache->buckets, sizeof *cache->heads);
    cache->slots = calloc(max, sizeof *cache->slots);
    if (!cache->heads || !cache->slots) {
        rp_lease_cache_free(cache);
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < cache->buckets; i++) {
        cache->heads[i] = NONE;
    }
    for (size_t i = 0; i < max; i++) {
        cache->slots[i].newer = i + 1 < max ? (int)i + 1 : NONE;
    }
    cache->oldest = NONE;
    cache->newest = NONE;
    *ret_cache = cache;
    return RP_OK;
}

void rp_lease_cache_free(struct rp_lease_cache *cache) {
    if (!cache) {
        return;
    }
    for (size_t i = 0; cache->slots && i < cache->max; i++) {
        rp_secret_free(cache->slots[i].key);
    }
    free(cache->slots);
    free(cache->heads);
    free(cache);
}

/* Out of the order of last use. */
static void unlink_use(struct rp_lease_cache *cache, struct slot *slot) {
    *(slot->older == NONE ? &cache->oldest : &cache->slots[slot->older].newer) = slot->newer;
    *(slot->newer == NONE ? &cache->newest : &cache->slots[slot->newer].older) = slot->older;
}

/* In as the newest. */
static void link_use(struct rp_lease_cache *cache, int index) {
    struct slot *slot = &cache->slots[index];
    slot->older = cache->newest;
    slot->newer = NONE;
    *(cache->newest == NONE ? &cache->oldest : &cache->slots[cache->newest].newer) = index;
    cache->newest = index;
}

static int find(const struct rp_lease_cache *cache, rp_id tenant) {
    int at = cache->heads[bucket_of(cache, tenant)];
    while (at != NONE && !rp_id_equal(cache->slots[at].tenant, tenant)) {
        at = cache->slots[at].next;
    }
    return at;
}

const struct rp_secret *rp_lease_cache_get(struct rp_lease_cache *cache, rp_id tenant,
                                           rp_view wrapped, int64_t now_ms) {
    int at = find(cache, tenant);
    if (at == NONE) {
        return NULL;
    }
    struct slot *slot = &cache->slots[at];
    RP_ASSERT(slot->key != NULL);
    if (now_ms >= slot->until_ms ||
        !rp_view_equal(wrapped, rp_view_of(slot->wrapped, sizeof slot->wrapped))) {
        return NULL;
    }
    slot->uses++;
    unlink_use(cache, slot);
    link_use(cache, at);
    return slot->key;
}

void rp_lease_cache_put(struct rp_lease_cache *cache, rp_id tenant, rp_view wrapped, uint64_t lease,
                        int64_t until_ms, struct rp_secret *key) {
    RP_ASSERT(cache->free != NONE);
    RP_ASSERT(find(cache, tenant) == NONE);
    RP_ASSERT(wrapped.n == RP_WRAPPED_BYTES);
    RP_ASSERT(key != NULL);
    int index = cache->free;
    struct slot *slot = &cache->slots[index];
    cache->free = slot->newer;
    int *head = &cache->heads[bucket_of(cache, tenant)];
    *slot = (struct slot){
        .tenant = tenant, .key = key, .lease = lease, .until_ms = until_ms, .next = *head};
    memcpy(slot->wrapped, wrapped.p, sizeof slot->wrapped);
    *head = index;
    link_use(cache, index);
    cache->count++;
}

static void take_out(struct rp_lease_cache *cache, int index, enum rp_lease_end reason,
                     struct rp_lease_report *ret_report) {
    struct slot *slot = &cache->slots[index];
    RP_ASSERT(slot->key != NULL);
    *ret_report =
        (struct rp_lease_report){.lease = slot->lease, .uses = slot->uses, .reason = reason};
    int *link = &cache->heads[bucket_of(cache, slot->tenant)];
    while (*link != index) {
        RP_ASSERT(*link != NONE);
        link = &cache->slots[*link].next;
    }
    *link = slot->next;
    unlink_use(cache, slot);
    rp_secret_free(slot->key);
    *slot = (struct slot){.newer = cache->free};
    cache->free = index;
    cache->count--;
}

bool rp_lease_cache_take_expired(struct rp_lease_cache *cache, int64_t now_ms,
                                 struct rp_lease_report *ret_report) {
    for (int at = cache->oldest; at != NONE; at = cache->slots[at].newer) {
        if (cache->slots[at].until_ms <= now_ms) {
            take_out(cache, at, RP_LEASE_EXPIRED, ret_report);
            return true;
        }
    }
    return false;
}

bool rp_lease_cache_take_tenant(struct rp_lease_cache *cache, rp_id tenant,
                                struct rp_lease_report *ret_report) {
    int at = find(cache, tenant);
    if (at == NONE) {
        return false;
    }
    take_out(cache, at, RP_LEASE_EXPIRED, ret_report);
    return true;
}

bool rp_lease_cache_take_oldest(struct rp_lease_cache *cache, enum rp_lease_end reason,
                                struct rp_lease_report *ret_report) {
    if (cache->oldest == NONE) {
        return false;
    }
    take_out(cache, cache->oldest, reason, ret_report);
    return true;
}

size_t rp_lease_cache_count(const struct rp_lease_cache *cache) {
    return cache->count;
}

bool rp_lease_cache_is_full(const struct rp_lease_cache *cache) {
    return cache->free == NONE;
}
