#include "promise/table.h"

#include "base/assert.h"
#include "base/checked.h"

enum { TABLE_MAGIC = 0x54505052 /* "RPPT" */, TABLE_VERSION = 2, HEADER_BYTES = 4096 };

struct header {
    uint32_t magic, version, slots, slot_bytes;
};

struct slot {
    uint32_t lock; /* odd while being written */
    uint32_t used;
    char part[RP_PART_ID_MAX];
    struct rp_observation seen;
};
_Static_assert(sizeof(struct header) <= HEADER_BYTES, "the header has a page");

size_t rp_promise_table_bytes(void) {
    return HEADER_BYTES + RP_PROMISE_SLOTS * sizeof(struct slot);
}

void rp_promise_table_init(void *table) {
    RP_ASSERT(table != NULL);
    memset(table, 0, rp_promise_table_bytes());
    struct header *header = table;
    *header = (struct header){TABLE_MAGIC, TABLE_VERSION, RP_PROMISE_SLOTS, sizeof(struct slot)};
}

rp_err rp_promise_table_check(const void *table, size_t n) {
    if (!table || n != rp_promise_table_bytes()) {
        return RP_ERR(CORRUPT);
    }
    struct header header;
    memcpy(&header, table, sizeof header);
    bool ours = header.magic == TABLE_MAGIC && header.version == TABLE_VERSION &&
                header.slots == RP_PROMISE_SLOTS && header.slot_bytes == sizeof(struct slot);
    return ours ? RP_OK : RP_ERR(CORRUPT);
}

static struct slot *slot_at(void *table, size_t i) {
    RP_ASSERT(i < RP_PROMISE_SLOTS);
    return (struct slot *)(void *)((uint8_t *)table + HEADER_BYTES + i * sizeof(struct slot));
}

/* The part's slot, or the first free one; NULL when the table is full. */
static struct slot *find_slot(void *table, rp_view part) {
    for (size_t i = 0; i < RP_PROMISE_SLOTS; i++) {
        struct slot *slot = slot_at(table, i);
        if (!slot->used ||
            rp_view_equal(rp_view_of(slot->part, strnlen(slot->part, sizeof slot->part)), part)) {
            return slot;
        }
    }
    return NULL;
}

rp_err rp_promise_table_put(void *table, const char *part_id, const struct rp_observation *seen) {
    rp_view part = rp_view_from_cstr(part_id);
    if (part.n == 0 || part.n >= RP_PART_ID_MAX) {
        return RP_ERR(INVALID);
    }
    struct slot *slot = find_slot(table, part);
    if (!slot) {
        return RP_ERR(OVERLOAD);
    }
    uint32_t lock = __atomic_load_n(&slot->lock, __ATOMIC_RELAXED) | 1u;
    __atomic_store_n(&slot->lock, lock, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memset(slot->part, 0, sizeof slot->part);
    memcpy(slot->part, part.p, part.n);
    slot->seen = *seen;
    slot->used = 1;
    __atomic_store_n(&slot->lock, lock + 1, __ATOMIC_RELEASE);
    return RP_OK;
}

/* Copies the slot whole, or not at all. */
static bool read_slot(const struct slot *slot, struct slot *ret_copy) {
    for (int tries = 0; tries < 8; tries++) {
        uint32_t before = __atomic_load_n(&slot->lock, __ATOMIC_ACQUIRE);
        memcpy(ret_copy, slot, sizeof *ret_copy);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(before & 1) && before == __atomic_load_n(&slot->lock, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

rp_err rp_promise_table_get(const void *table, const char *part_id,
                            struct rp_observation *ret_seen) {
    RP_ASSERT(table != NULL && ret_seen != NULL);
    rp_view part = rp_view_from_cstr(part_id);
    for (size_t i = 0; i < RP_PROMISE_SLOTS; i++) {
        struct slot copy;
        const uint8_t *bytes = table;
        bool whole = read_slot(
            (const struct slot *)(const void *)(bytes + HEADER_BYTES + i * sizeof copy), &copy);
        if (whole && !copy.used) {
            break;
        }
        if (whole &&
            rp_view_equal(rp_view_of(copy.part, strnlen(copy.part, sizeof copy.part)), part)) {
            *ret_seen = copy.seen;
            for (int lang = 0; lang < RP_LANG_COUNT; lang++) {
                ret_seen->detail[lang][RP_FINDING_MAX - 1] = 0;
            }
            return RP_OK;
        }
    }
    return RP_ERR(NOT_FOUND);
}
