/* heap.h — who is due next: a binary heap of entries that live in their owners.
 *
 * An entry is a member of the owner's struct and knows its place, so that any of them can be taken
 * out again, not only the first. One thread's.
 */
#ifndef RP_BASE_HEAP_H
#define RP_BASE_HEAP_H

#include "base/err.h"

struct rp_heap_entry {
    int64_t key;  /* the smallest is first */
    size_t place; /* SIZE_MAX = in no heap */
};

struct rp_heap { /* {0} is an empty one */
    struct rp_heap_entry **entries;
    size_t count, capacity;
};

/* NO_MEMORY; BUSY beyond max entries. Never fails where one was taken out before. */
rp_err rp_heap_add(struct rp_heap *heap, struct rp_heap_entry *entry, size_t max);
void rp_heap_remove(struct rp_heap *heap, struct rp_heap_entry *entry);
/* NULL when there is none. */
struct rp_heap_entry *rp_heap_first(const struct rp_heap *heap);
/* The list alone; entries are their owners'. */
void rp_heap_done(struct rp_heap *heap);

#endif
