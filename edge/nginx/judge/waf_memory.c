#include "judge/waf_memory.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"

enum { PLACES = 8, KEY = 16 };

static size_t first_of(const struct rp_sha256 *hash) {
    return ((size_t)hash->b[16] << 8 | hash->b[17]) % (JUDGE_MEMORY_SLOTS / PLACES) * PLACES;
}

static bool is_key(const uint8_t *key, const struct rp_sha256 *hash) {
    return rp_view_equal(rp_view_of(key, KEY), rp_view_of(hash->b, KEY));
}

rp_err judge_memory_get(const struct judge_memory *memory, rp_view key, int64_t now_s,
                        rp_view *ret_value) {
    RP_ASSERT(memory != NULL && ret_value != NULL);
    if (!memory->held) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_sha256 hash = rp_sha256_of(key);
    size_t first = first_of(&hash);
    for (size_t i = first; i < first + PLACES; i++) {
        if (memory->slots[i].expires_s > now_s && is_key(memory->slots[i].key, &hash)) {
            *ret_value = rp_view_of(memory->slots[i].value,
                                    RP_MIN(memory->slots[i].length, JUDGE_MEMORY_VALUE_MAX - 1));
            return RP_OK;
        }
    }
    return RP_ERR(NOT_FOUND);
}

/* The key's own place; else the one that is free or ends first. */
static size_t place_of(const struct judge_memory *memory, const struct rp_sha256 *hash,
                       bool *ret_own) {
    size_t first = first_of(hash), best = first;
    for (size_t i = first; i < first + PLACES; i++) {
        if (memory->slots[i].expires_s > 0 && is_key(memory->slots[i].key, hash)) {
            *ret_own = true;
            return i;
        }
        best = memory->slots[i].expires_s < memory->slots[best].expires_s ? i : best;
    }
    *ret_own = false;
    return best;
}

void judge_memory_put(struct judge_memory *memory, rp_view key, rp_view value, int64_t expires_s) {
    RP_ASSERT(memory != NULL);
    struct rp_sha256 hash = rp_sha256_of(key);
    bool own = false;
    size_t at = place_of(memory, &hash, &own);
    if (expires_s <= 0 || value.n >= JUDGE_MEMORY_VALUE_MAX) {
        memory->slots[at].expires_s = own ? 0 : memory->slots[at].expires_s;
        return;
    }
    memory->held = true;
    memcpy(memory->slots[at].key, hash.b, KEY);
    memory->slots[at].expires_s = expires_s;
    memory->slots[at].length = (uint8_t)value.n;
    if (value.n > 0) {
        memcpy(memory->slots[at].value, value.p, value.n);
    }
}
