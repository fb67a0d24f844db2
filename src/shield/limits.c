#include "shield/limits.h"

#include "base/assert.h"

enum { SLOTS = 8, TRIES = 8, TIME_BITS = 40, BLOCK = 8 };

struct header {
    uint32_t magic, version, buckets, slot_bytes;
    uint8_t salt[RP_LIMITS_SALT];
    uint8_t pad[32];
};
_Static_assert(sizeof(struct header) == 64, "buckets are cache lines");

static const uint64_t time_mask = (1ULL << TIME_BITS) - 1;
/* Twice what the largest tolerance and interval together can reach; half the clock's circle is
 * more than six days. */
static const uint64_t far_us = 8ULL * 1000 * 1000 * 1000;

struct rp_limit rp_limit_of(uint64_t rate, uint64_t burst) {
    RP_ASSERT(rate >= 1 && rate <= RP_LIMITS_RATE_MAX);
    RP_ASSERT(burst >= 1 && burst <= RP_LIMITS_BURST_MAX);
    uint64_t interval = 1000000 / rate;
    uint64_t tolerance = (burst - 1) * interval;
    return (struct rp_limit){(uint32_t)interval,
                             (uint32_t)(tolerance > UINT32_MAX ? UINT32_MAX : tolerance)};
}

size_t rp_limits_bytes(void) {
    return sizeof(struct header) + (size_t)RP_LIMITS_BUCKETS * SLOTS * sizeof(uint64_t);
}

void rp_limits_init(void *table, const uint8_t salt[static RP_LIMITS_SALT]) {
    struct header header = {.magic = RP_LIMITS_MAGIC,
                            .version = RP_LIMITS_VERSION,
                            .buckets = RP_LIMITS_BUCKETS,
                            .slot_bytes = sizeof(uint64_t)};
    memcpy(header.salt, salt, sizeof header.salt);
    memset(table, 0, rp_limits_bytes());
    memcpy(table, &header, sizeof header);
}

rp_err rp_limits_check(const void *table, size_t n) {
    if (!table || n != rp_limits_bytes()) {
        return RP_ERR(CORRUPT);
    }
    const struct header *header = table;
    bool good = header->magic == RP_LIMITS_MAGIC && header->version == RP_LIMITS_VERSION &&
                header->buckets == RP_LIMITS_BUCKETS && header->slot_bytes == sizeof(uint64_t);
    return good ? RP_OK : RP_ERR(CORRUPT);
}

/* ---- SipHash-2-4 (Aumasson, Bernstein 2012) ---- */

static uint64_t rotate(uint64_t x, unsigned by) {
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[static 4]) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_block(uint64_t v[static 4], uint64_t block) {
    v[3] ^= block;
    sip_round(v);
    sip_round(v);
    v[0] ^= block;
}

static uint64_t sip_hash(const uint8_t salt[static RP_LIMITS_SALT], uint8_t kind, rp_view who) {
    uint64_t k[2], block = 0;
    memcpy(k, salt, sizeof k);
    uint64_t v[4] = {k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d,
                     k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573};
    size_t n = 0;
    for (; who.n - n >= BLOCK; n += BLOCK) {
        memcpy(&block, who.p + n, BLOCK);
        sip_block(v, block);
    }
    block = 0;
    if (who.n > n) {
        memcpy(&block, who.p + n, who.n - n);
    }
    /* The kind and the length end the message, each in a byte of its own. */
    sip_block(v, block);
    sip_block(v, (uint64_t)kind << 56 | (uint64_t)(who.n & 0xff));
    v[2] ^= 0xff;
    for (unsigned i = 0; i < 4; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t rp_limits_key(const void *table, enum rp_limit_kind kind, rp_view who) {
    RP_ASSERT(kind < RP_LIMIT_KIND_COUNT);
    const struct header *header = table;
    return sip_hash(header->salt, (uint8_t)kind, who);
}

/* ---- the table ---- */

/* How far away a slot's time is; 0 when it has passed, or makes no sense. */
static uint64_t debt_of(uint64_t slot, uint64_t now_us) {
    uint64_t ahead = (slot - now_us) & time_mask;
    return slot == 0 || ahead > far_us ? 0 : ahead;
}

/* The key's slot in its bucket; else a free one; else the one that is free next. */
static uint64_t *find(uint64_t *bucket, uint64_t tag, uint64_t now_us) {
    uint64_t *best = bucket;
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < SLOTS; i++) {
        uint64_t slot = __atomic_load_n(&bucket[i], __ATOMIC_RELAXED);
        if (slot >> TIME_BITS == tag) {
            return &bucket[i];
        }
        uint64_t debt = debt_of(slot, now_us);
        if (debt < least) {
            least = debt;
            best = &bucket[i];
        }
    }
    return best;
}

bool rp_limits_take(void *table, uint64_t key, struct rp_limit limit, uint64_t now_us,
                    uint32_t *ret_wait_ms) {
    if (limit.interval_us == 0) {
        return true;
    }
    uint64_t at = ((key & 0xffffffff) * RP_LIMITS_BUCKETS) >> 32;
    uint64_t tag = (key >> TIME_BITS) | 1; /* never that of an empty slot */
    uint64_t *bucket = (uint64_t *)(void *)((uint8_t *)table + sizeof(struct header)) + at * SLOTS;
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t *slot = find(bucket, tag, now_us);
        uint64_t was = __atomic_load_n(slot, __ATOMIC_RELAXED);
        uint64_t debt = was >> TIME_BITS == tag ? debt_of(was, now_us) : 0;
        if (debt > limit.tolerance_us) {
            *ret_wait_ms = (uint32_t)((debt - limit.tolerance_us + 999) / 1000);
            return false;
        }
        uint64_t paid = (now_us + debt + limit.interval_us) & time_mask;
        if (__atomic_compare_exchange_n(slot, &was, tag << TIME_BITS | paid, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return true; /* eight others were faster within nanoseconds: this one is not worth a wait */
}
