#include "identity/session_table.h"

#include "base/assert.h"
#include "base/seqlock.h"

enum { PAGE = 4096, SLOT_FREE = 0, SLOT_LIVE = 1, SLOT_REVOKED = 2 };
enum { PAGE_SLOTS = PAGE / sizeof(struct rp_session_slot) };
_Static_assert(sizeof(struct rp_session_header) <= PAGE, "the header has one page");
_Static_assert((RP_SESSION_SLOTS & (RP_SESSION_SLOTS - 1)) == 0, "slots are found by a mask");
_Static_assert(RP_SESSION_SLOTS == RP_SESSION_PAGES * PAGE_SLOTS, "each page has its bit");

size_t rp_session_table_bytes(void) {
    return PAGE + (size_t)RP_SESSION_SLOTS * sizeof(struct rp_session_slot);
}

size_t rp_seen_table_bytes(void) {
    return (size_t)RP_SESSION_SLOTS * sizeof(int64_t);
}

static struct rp_session_slot *slot_at(void *table, uint32_t index) {
    RP_DEBUG_ASSERT(index < RP_SESSION_SLOTS);
    void *slot = (uint8_t *)table + PAGE + (size_t)index * sizeof(struct rp_session_slot);
    return slot;
}

static const struct rp_session_slot *const_slot_at(const void *table, uint32_t index) {
    const void *slot =
        (const uint8_t *)table + PAGE + (size_t)index * sizeof(struct rp_session_slot);
    return slot;
}

static uint32_t first_slot(const struct rp_sha256 *cookie_hash) {
    uint32_t word;
    memcpy(&word, cookie_hash->b, sizeof word);
    return word & (RP_SESSION_SLOTS - 1);
}

/* No early exit: what a stranger's cookie hashes to tells nothing by time. */
static bool same_hash(const uint8_t a[static RP_SHA256], const uint8_t b[static RP_SHA256]) {
    uint8_t difference = 0;
    for (size_t i = 0; i < RP_SHA256; i++) {
        difference |= (uint8_t)(a[i] ^ b[i]);
    }
    return difference == 0;
}

void rp_session_table_heartbeat(void *table, int64_t now_ms) {
    struct rp_session_header *header = table;
    __atomic_store_n(&header->heartbeat_ms, now_ms, __ATOMIC_RELEASE);
}

void rp_session_table_replace(void *table) {
    struct rp_session_header *header = table;
    __atomic_store_n(&header->replaced, 1, __ATOMIC_RELEASE);
}

bool rp_session_table_is_replaced(const void *table) {
    const struct rp_session_header *header = table;
    return __atomic_load_n(&header->replaced, __ATOMIC_ACQUIRE) != 0;
}

void rp_session_table_init(void *table, uint64_t generation, int64_t now_ms) {
    RP_ASSERT(table != NULL && (uintptr_t)table % 8 == 0);
    struct rp_session_header *header = table;
    header->version = RP_SESSION_VERSION;
    header->slots = RP_SESSION_SLOTS;
    header->slot_bytes = sizeof(struct rp_session_slot);
    __atomic_store_n(&header->generation, generation, __ATOMIC_RELEASE);
    rp_session_table_heartbeat(table, now_ms);
    __atomic_store_n(&header->magic, (uint32_t)RP_SESSION_MAGIC, __ATOMIC_RELEASE);
}

rp_err rp_session_table_check(const void *table, size_t n) {
    if (table == NULL || n != rp_session_table_bytes() || (uintptr_t)table % 8 != 0) {
        return RP_ERR(CORRUPT);
    }
    const struct rp_session_header *header = table;
    bool known = header->magic == RP_SESSION_MAGIC && header->version == RP_SESSION_VERSION &&
                 header->slots == RP_SESSION_SLOTS &&
                 header->slot_bytes == sizeof(struct rp_session_slot);
    return known ? RP_OK : RP_ERR(CORRUPT);
}

static bool is_used_page(const void *table, uint32_t page) {
    const struct rp_session_header *header = table;
    uint64_t bits = __atomic_load_n(&header->used_pages[page / 64], __ATOMIC_RELAXED);
    return (bits >> (page % 64) & 1) != 0;
}

static void use_page_of(void *table, uint32_t slot) {
    struct rp_session_header *header = table;
    uint32_t page = slot / PAGE_SLOTS;
    __atomic_fetch_or(&header->used_pages[page / 64], UINT64_C(1) << (page % 64), __ATOMIC_RELAXED);
}

static int64_t seen_at(const void *seen, uint32_t index) {
    const int64_t *times = seen;
    return __atomic_load_n(&times[index], __ATOMIC_RELAXED);
}

static void see(void *seen, uint32_t index, int64_t now_ms) {
    int64_t *times = seen;
    __atomic_store_n(&times[index], now_ms, __ATOMIC_RELAXED);
}

void rp_seen_table_fill(void *seen, int64_t now_ms) {
    for (uint32_t i = 0; i < RP_SESSION_SLOTS; i++) {
        see(seen, i, now_ms);
    }
}

/* The gate may write anything into `seen`: a time to come counts as now. */
static bool is_idle(int64_t seen_ms, int64_t now_ms, uint32_t idle_max_s) {
    int64_t limit_ms = (int64_t)idle_max_s * 1000;
    return seen_ms < now_ms && (seen_ms < 0 || now_ms - seen_ms >= limit_ms);
}

static bool is_over(const struct rp_session_slot *slot, int64_t seen_ms, int64_t now_ms) {
    return slot->expires_ms <= now_ms || is_idle(seen_ms, now_ms, slot->idle_max_s);
}

/* Where the session goes: its own slot when it is there already, else the first that is free,
 * revoked or over. RP_SESSION_SLOTS when there is none. The writer reads without the lock: nobody
 * else writes. */
static uint32_t find_place(void *table, const void *seen, const struct rp_sha256 *cookie_hash,
                           int64_t now_ms) {
    uint32_t place = RP_SESSION_SLOTS;
    for (uint32_t i = 0; i < RP_SESSION_PROBES; i++) {
        uint32_t index = (first_slot(cookie_hash) + i) & (RP_SESSION_SLOTS - 1);
        const struct rp_session_slot *slot = slot_at(table, index);
        if (slot->used == SLOT_LIVE && same_hash(slot->cookie_hash, cookie_hash->b)) {
            return index;
        }
        bool usable = slot->used != SLOT_LIVE || is_over(slot, seen_at(seen, index), now_ms);
        if (usable && place == RP_SESSION_SLOTS) {
            place = index;
        }
        if (slot->used == SLOT_FREE) {
            break;
        }
    }
    return place;
}

rp_err rp_session_table_put(void *table, void *seen, const struct rp_sha256 *cookie_hash,
                            const struct rp_session_view *session, uint32_t idle_max_s,
                            int64_t now_ms) {
    RP_ASSERT(table != NULL && seen != NULL);
    RP_ASSERT(session->acr > RP_ACR_NONE && session->acr < RP_ACR_COUNT);
    RP_ASSERT((session->roles & ~(unsigned)RP_ROLES_ALL) == 0);
    uint32_t index = find_place(table, seen, cookie_hash, now_ms);
    if (index == RP_SESSION_SLOTS) {
        return RP_ERR(OVERLOAD);
    }
    struct rp_session_slot slot = {
        .used = SLOT_LIVE,
        .acr = (uint8_t)session->acr,
        .roles = (uint16_t)session->roles,
        .session = session->session,
        .person = session->person,
        .tenant = session->tenant,
        .expires_ms = session->expires_ms,
        .idle_max_s = idle_max_s,
    };
    memcpy(slot.cookie_hash, cookie_hash->b, sizeof slot.cookie_hash);
    see(seen, index, now_ms);
    use_page_of(table, index);
    rp_seqlock_write(slot_at(table, index), &slot, sizeof slot);
    return RP_OK;
}

void rp_session_table_revoke(void *table, const struct rp_sha256 *cookie_hash) {
    RP_ASSERT(table != NULL && cookie_hash != NULL);
    for (uint32_t i = 0; i < RP_SESSION_PROBES; i++) {
        uint32_t index = (first_slot(cookie_hash) + i) & (RP_SESSION_SLOTS - 1);
        struct rp_session_slot *slot = slot_at(table, index);
        if (slot->used == SLOT_LIVE && same_hash(slot->cookie_hash, cookie_hash->b)) {
            /*= S175 */ /* every worker maps this slot: the next request finds no session */
            struct rp_session_slot revoked = {.used = SLOT_REVOKED};
            rp_seqlock_write(slot, &revoked, sizeof revoked);
        }
    }
}

bool rp_session_table_is_idle(const void *table, const void *seen,
                              const struct rp_sha256 *cookie_hash, int64_t now_ms) {
    RP_ASSERT(table != NULL && seen != NULL);
    for (uint32_t i = 0; i < RP_SESSION_PROBES; i++) {
        uint32_t index = (first_slot(cookie_hash) + i) & (RP_SESSION_SLOTS - 1);
        const struct rp_session_slot *slot = const_slot_at(table, index);
        if (slot->used == SLOT_LIVE && same_hash(slot->cookie_hash, cookie_hash->b)) {
            return is_idle(seen_at(seen, index), now_ms, slot->idle_max_s);
        }
    }
    return false;
}

/* A heartbeat far ahead of our clock is no sign of life either. */
static bool core_is_silent(const void *table, int64_t now_ms) {
    const struct rp_session_header *header = table;
    int64_t beat_ms = __atomic_load_n(&header->heartbeat_ms, __ATOMIC_ACQUIRE);
    int64_t age_ms;
    if (__builtin_sub_overflow(now_ms, beat_ms, &age_ms)) {
        return true;
    }
    return age_ms > RP_CORE_GRACE_MS || age_ms < -RP_CORE_GRACE_MS;
}

/* What no put ever wrote is no session. */
static bool is_sane(const struct rp_session_slot *slot) {
    return slot->acr > RP_ACR_NONE && slot->acr < RP_ACR_COUNT &&
           (slot->roles & ~(unsigned)RP_ROLES_ALL) == 0 && !rp_id_is_none(slot->session) &&
           !rp_id_is_none(slot->person) && !rp_id_is_none(slot->tenant);
}

static struct rp_session_view view_of(const struct rp_session_slot *slot, uint32_t index) {
    return (struct rp_session_view){
        .session = slot->session,
        .person = slot->person,
        .tenant = slot->tenant,
        .roles = slot->roles,
        .acr = (enum rp_acr)slot->acr,
        .expires_ms = slot->expires_ms,
        .slot = index,
    };
}

rp_err rp_session_table_find(const void *table, void *seen, const struct rp_sha256 *cookie_hash,
                             int64_t now_ms, struct rp_session_view *ret_session) {
    RP_ASSERT(table != NULL && seen != NULL && ret_session != NULL);
    if (core_is_silent(table, now_ms)) {
        return RP_ERR(UNREACHABLE);
    }
    for (uint32_t i = 0; i < RP_SESSION_PROBES; i++) {
        uint32_t index = (first_slot(cookie_hash) + i) & (RP_SESSION_SLOTS - 1);
        struct rp_session_slot slot;
        if (!rp_seqlock_read(const_slot_at(table, index), &slot, sizeof slot)) {
            continue;
        }
        if (slot.used == SLOT_FREE) {
            break;
        }
        if (slot.used != SLOT_LIVE || !same_hash(slot.cookie_hash, cookie_hash->b)) {
            continue;
        }
        if (!is_sane(&slot)) {
            break;
        }
        if (is_over(&slot, seen_at(seen, index), now_ms)) {
            return RP_ERR(EXPIRED);
        }
        see(seen, index, now_ms);
        *ret_session = view_of(&slot, index);
        return RP_OK;
    }
    return RP_ERR(UNAUTHENTICATED);
}

static uint64_t count_page(const void *table, uint32_t page, int64_t now_ms) {
    uint64_t count = 0;
    for (uint32_t i = page * PAGE_SLOTS; i < (page + 1) * PAGE_SLOTS; i++) {
        struct rp_session_slot slot;
        if (rp_seqlock_read(const_slot_at(table, i), &slot, sizeof slot) &&
            slot.used == SLOT_LIVE && slot.expires_ms > now_ms) {
            count++;
        }
    }
    return count;
}

uint64_t rp_session_table_count(const void *table, int64_t now_ms) {
    uint64_t count = 0;
    for (uint32_t page = 0; page < RP_SESSION_PAGES; page++) {
        count += is_used_page(table, page) ? count_page(table, page, now_ms) : 0;
    }
    return count;
}
