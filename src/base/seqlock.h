/* seqlock.h — one writer, many readers, no waiting: the slots of the shared tables.
 *
 * A slot begins with a 32-bit counter, odd while it is being written. A reader copies the whole
 * slot and keeps the copy only when the counter was even and did not move. Everything goes through
 * atomic words, so that a torn copy is noticed and never undefined. Slots are multiples of 8 bytes,
 * aligned to 8. A writer that dies in the middle leaves the slot odd: it reads as absent.
 */
#ifndef RP_BASE_SEQLOCK_H
#define RP_BASE_SEQLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RP_SEQLOCK_TRIES = 16 };

static inline void rp_seqlock_copy_in(const void *from, uint64_t *to, size_t words) {
    const uint64_t *source = from;
    for (size_t i = 0; i < words; i++) {
        to[i] = __atomic_load_n(&source[i], __ATOMIC_RELAXED);
    }
}

/* Copies bytes (a multiple of 8) out of the slot; false when it stays odd or keeps moving. */
static inline bool rp_seqlock_read(const void *slot, void *to, size_t bytes) {
    const uint32_t *lock = slot;
    for (int i = 0; i < RP_SEQLOCK_TRIES; i++) {
        uint32_t before = __atomic_load_n(lock, __ATOMIC_ACQUIRE);
        if (before & 1) {
            continue;
        }
        rp_seqlock_copy_in(slot, to, bytes / 8);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(lock, __ATOMIC_RELAXED) == before) {
            return true;
        }
    }
    return false;
}

/* Replaces the slot by `from`, whose first four bytes are ignored. */
static inline void rp_seqlock_write(void *slot, const void *from, size_t bytes) {
    uint32_t *lock = slot;
    uint64_t *words = slot;
    const uint64_t *source = from;
    uint32_t odd = __atomic_load_n(lock, __ATOMIC_RELAXED) | 1;
    __atomic_store_n(lock, odd, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    /* The first word holds the counter: only its upper half is the slot's own. */
    const uint32_t *source_halves = from;
    __atomic_store_n(lock + 1, source_halves[1], __ATOMIC_RELAXED);
    for (size_t i = 1; i < bytes / 8; i++) {
        __atomic_store_n(&words[i], source[i], __ATOMIC_RELAXED);
    }
    __atomic_store_n(lock, odd + 1, __ATOMIC_RELEASE);
}

#endif
