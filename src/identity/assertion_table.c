#include "identity/assertion_table.h"

#include "base/assert.h"
#include "base/seqlock.h"
#include "crypto/hash.h"

enum { PAGE = 4096, WAYS = 4, SETS = RP_ASSERTION_SLOTS / WAYS };

struct header {
    uint32_t magic, version, slots, slot_bytes;
};

struct slot {
    uint32_t lock;
    uint16_t jwt_len, email_len, roles_len;
    uint16_t reserved;
    uint32_t reserved2;
    int64_t minted_ms; /* 0 = empty */
    uint8_t key[RP_SHA256];
    uint8_t texts[RP_ASSERTION_BYTES];
};
_Static_assert(sizeof(struct slot) == 1024, "slots are shared between programs");
_Static_assert((SETS & (SETS - 1)) == 0, "sets are found by a mask");

size_t rp_assertion_table_bytes(void) {
    return PAGE + (size_t)RP_ASSERTION_SLOTS * sizeof(struct slot);
}

static size_t offset_of(uint32_t set, uint32_t way) {
    RP_DEBUG_ASSERT(set < SETS && way < WAYS);
    return PAGE + ((size_t)set * WAYS + way) * sizeof(struct slot);
}

static struct slot *slot_at(void *table, uint32_t set, uint32_t way) {
    void *slot = (uint8_t *)table + offset_of(set, way);
    return slot;
}

static struct rp_sha256 key_of(rp_id session, rp_view app) {
    return rp_sha256_of2(rp_view_of(session.b, sizeof session.b), app);
}

static uint32_t set_of(const struct rp_sha256 *key) {
    uint32_t word;
    memcpy(&word, key->b, sizeof word);
    return word & (SETS - 1);
}

static bool has_key(const struct slot *slot, const struct rp_sha256 *key) {
    return slot->minted_ms != 0 &&
           rp_view_equal(rp_view_of(slot->key, RP_SHA256), rp_view_of(key->b, RP_SHA256));
}

void rp_assertion_table_init(void *table) {
    RP_ASSERT(table != NULL && (uintptr_t)table % 8 == 0);
    struct header *header = table;
    header->version = RP_ASSERTION_VERSION;
    header->slots = RP_ASSERTION_SLOTS;
    header->slot_bytes = sizeof(struct slot);
    __atomic_store_n(&header->magic, (uint32_t)RP_ASSERTION_MAGIC, __ATOMIC_RELEASE);
}

rp_err rp_assertion_table_check(const void *table, size_t n) {
    if (table == NULL || n != rp_assertion_table_bytes() || (uintptr_t)table % 8 != 0) {
        return RP_ERR(CORRUPT);
    }
    const struct header *header = table;
    bool known = header->magic == RP_ASSERTION_MAGIC && header->version == RP_ASSERTION_VERSION &&
                 header->slots == RP_ASSERTION_SLOTS && header->slot_bytes == sizeof(struct slot);
    return known ? RP_OK : RP_ERR(CORRUPT);
}

/* The slot that has the key, else the oldest of its set. */
static struct slot *place_for(void *table, const struct rp_sha256 *key) {
    uint32_t set = set_of(key);
    struct slot *oldest = slot_at(table, set, 0);
    for (uint32_t way = 0; way < WAYS; way++) {
        struct slot *slot = slot_at(table, set, way);
        if (has_key(slot, key)) {
            return slot;
        }
        if (slot->minted_ms < oldest->minted_ms) {
            oldest = slot;
        }
    }
    return oldest;
}

static void add_text(struct slot *slot, size_t *used, rp_view text, uint16_t *ret_len) {
    RP_ASSERT(text.n <= sizeof slot->texts - *used);
    if (text.n > 0) {
        memcpy(slot->texts + *used, text.p, text.n);
    }
    *used += text.n;
    *ret_len = (uint16_t)text.n;
}

rp_err rp_assertion_table_put(void *table, rp_id session, rp_view app,
                              const struct rp_assertion_entry *entry) {
    RP_ASSERT(table != NULL && entry != NULL);
    RP_ASSERT(entry->minted_ms > 0);
    size_t left = RP_ASSERTION_BYTES;
    const rp_view texts[] = {entry->jwt, entry->email, entry->roles};
    for (size_t i = 0; i < 3; i++) {
        if (texts[i].n > left) {
            return RP_ERR(TOO_LARGE);
        }
        left -= texts[i].n;
    }
    struct slot slot = {.minted_ms = entry->minted_ms};
    struct rp_sha256 key = key_of(session, app);
    memcpy(slot.key, key.b, sizeof slot.key);
    size_t used = 0;
    add_text(&slot, &used, entry->jwt, &slot.jwt_len);
    add_text(&slot, &used, entry->email, &slot.email_len);
    add_text(&slot, &used, entry->roles, &slot.roles_len);
    rp_seqlock_write(place_for(table, &key), &slot, sizeof slot);
    return RP_OK;
}

/* Ours, fresh, and of lengths that fit: nothing else is believed. */
static bool is_good(const struct slot *slot, const struct rp_sha256 *key, int64_t now_ms) {
    size_t total = (size_t)slot->jwt_len + slot->email_len + slot->roles_len;
    return has_key(slot, key) && total <= RP_ASSERTION_BYTES && slot->jwt_len > 0 &&
           slot->minted_ms > 0 && slot->minted_ms <= now_ms + RP_ASSERTION_AHEAD_MS &&
           now_ms - slot->minted_ms < RP_ASSERTION_FRESH_MS;
}

rp_err rp_assertion_table_get(const void *table, rp_id session, rp_view app, int64_t now_ms,
                              uint8_t out[static RP_ASSERTION_BYTES],
                              struct rp_assertion_entry *ret_entry) {
    RP_ASSERT(table != NULL && ret_entry != NULL);
    struct rp_sha256 key = key_of(session, app);
    for (uint32_t way = 0; way < WAYS; way++) {
        struct slot slot;
        const void *shared = (const uint8_t *)table + offset_of(set_of(&key), way);
        if (!rp_seqlock_read(shared, &slot, sizeof slot) || !is_good(&slot, &key, now_ms)) {
            continue;
        }
        memcpy(out, slot.texts, sizeof slot.texts);
        *ret_entry = (struct rp_assertion_entry){
            .jwt = rp_view_of(out, slot.jwt_len),
            .email = rp_view_of(out + slot.jwt_len, slot.email_len),
            .roles = rp_view_of(out + slot.jwt_len + slot.email_len, slot.roles_len),
            .minted_ms = slot.minted_ms,
        };
        return RP_OK;
    }
    return RP_ERR(NOT_FOUND);
}
