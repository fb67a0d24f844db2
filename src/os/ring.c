#include "os/ring.h"

#include "base/assert.h"

enum { HEAD_BYTES = 4096, RECORDS_MAX = 1 << 20 };

_Static_assert(sizeof(struct rp_ring) <= HEAD_BYTES, "records begin after the head");
_Static_assert(_Alignof(struct rp_ring) == 64, "the two sides write to lines of their own");

static bool is_power_of_two(uint32_t n) {
    return n > 0 && (n & (n - 1)) == 0;
}

static uint8_t *slot(void *memory, uint64_t index, uint32_t records) {
    return (uint8_t *)memory + HEAD_BYTES + (size_t)(index & (records - 1)) * RP_RING_RECORD;
}

size_t rp_ring_bytes(uint32_t records) {
    RP_ASSERT(is_power_of_two(records));
    RP_ASSERT(records <= RECORDS_MAX);
    return HEAD_BYTES + (size_t)records * RP_RING_RECORD;
}

void rp_ring_init(void *memory, uint32_t records) {
    RP_ASSERT(memory != NULL);
    RP_ASSERT(is_power_of_two(records) && records <= RECORDS_MAX);
    struct rp_ring *ring = memory;
    *ring = (struct rp_ring){.records = records, .record_bytes = RP_RING_RECORD};
    /* The magic comes last: a reader that sees it sees the rest. */
    __atomic_store_n(&ring->magic, RP_RING_MAGIC, __ATOMIC_RELEASE);
}

rp_err rp_ring_check(const void *memory, size_t n) {
    RP_ASSERT(memory != NULL);
    if (n < HEAD_BYTES) {
        return RP_ERR(CORRUPT);
    }
    const struct rp_ring *ring = memory;
    if (__atomic_load_n(&ring->magic, __ATOMIC_ACQUIRE) != RP_RING_MAGIC) {
        return RP_ERR(CORRUPT);
    }
    /* Read once: the other side may write while we look. */
    uint32_t records = __atomic_load_n(&ring->records, __ATOMIC_RELAXED);
    bool fits = is_power_of_two(records) && records <= RECORDS_MAX &&
                ring->record_bytes == RP_RING_RECORD && n == rp_ring_bytes(records);
    return fits ? RP_OK : RP_ERR(CORRUPT);
}

bool rp_ring_put(void *memory, const uint8_t record[static RP_RING_RECORD]) {
    RP_ASSERT(memory != NULL);
    struct rp_ring *ring = memory;
    uint32_t records = __atomic_load_n(&ring->records, __ATOMIC_RELAXED);
    if (!is_power_of_two(records) || records > RECORDS_MAX) {
        return false;
    }
    uint64_t written = __atomic_load_n(&ring->written, __ATOMIC_RELAXED);
    uint64_t read = __atomic_load_n(&ring->read, __ATOMIC_ACQUIRE);
    /* A `read` ahead of `written` makes this difference huge: full, and counted. */
    if (written - read >= records) {
        __atomic_fetch_add(&ring->lost, 1, __ATOMIC_RELAXED);
        return false;
    }
    memcpy(slot(memory, written, records), record, RP_RING_RECORD);
    __atomic_store_n(&ring->written, written + 1, __ATOMIC_RELEASE);
    return true;
}

bool rp_ring_get(void *memory, uint32_t records, uint8_t record[static RP_RING_RECORD]) {
    RP_ASSERT(memory != NULL);
    RP_ASSERT(is_power_of_two(records) && records <= RECORDS_MAX);
    struct rp_ring *ring = memory;
    uint64_t read = __atomic_load_n(&ring->read, __ATOMIC_RELAXED);
    uint64_t written = __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE);
    if (written == read) {
        return false;
    }
    if (written - read > records) {
        /* The producer claims more than fits: it was restarted or it lies. Catch up with what it
         * says and give nothing: those slots cannot be told apart. */
        __atomic_store_n(&ring->read, written, __ATOMIC_RELEASE);
        return false;
    }
    memcpy(record, slot(memory, read, records), RP_RING_RECORD);
    __atomic_store_n(&ring->read, read + 1, __ATOMIC_RELEASE);
    return true;
}
