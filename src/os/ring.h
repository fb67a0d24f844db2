/* ring.h — fixed-size records from one nginx worker to the ledger, without a lock or a wait.
 *
 * Single producer, single consumer, over memory that both map. The producer never blocks: a
 * full ring makes it count, and the count travels in the next record that fits. The consumer
 * trusts no number in the mapping: it masks every index and checks every length.
 */
#ifndef RP_OS_RING_H
#define RP_OS_RING_H

#include "base/err.h"

enum { RP_RING_RECORD = 512, RP_RING_MAGIC = 0x676e6952 /* "Ring" */ };

/* The head of the mapping; records follow at offset 4096. */
struct rp_ring {
    uint32_t magic;
    uint32_t records; /* a power of two */
    uint32_t record_bytes;
    uint32_t reserved;
    _Alignas(64) uint64_t written; /* by the producer only */
    uint64_t lost;                 /* by the producer only, total */
    _Alignas(64) uint64_t read;    /* by the consumer only */
};

size_t rp_ring_bytes(uint32_t records);
void rp_ring_init(void *memory, uint32_t records);
/* CORRUPT unless the mapping of n bytes holds a ring that fits it. */
rp_err rp_ring_check(const void *memory, size_t n);
/* Copies record (RP_RING_RECORD bytes) in; false and counted when full, false when the memory is no
 * ring any more (rp_shm_survive). */
bool rp_ring_put(void *memory, const uint8_t record[static RP_RING_RECORD]);
/* Copies the oldest record out; false when empty. records is what the consumer checked at open. */
bool rp_ring_get(void *memory, uint32_t records, uint8_t record[static RP_RING_RECORD]);

#endif
