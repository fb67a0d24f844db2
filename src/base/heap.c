#include "base/heap.h"

#include <stdlib.h>

#include "base/assert.h"

static void put(struct rp_heap *heap, size_t place, struct rp_heap_entry *entry) {
    heap->entries[place] = entry;
    entry->place = place;
}

static void rise(struct rp_heap *heap, struct rp_heap_entry *entry, size_t place) {
    while (place > 0 && heap->entries[(place - 1) / 2]->key > entry->key) {
        put(heap, place, heap->entries[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(heap, place, entry);
}

static void sink(struct rp_heap *heap, struct rp_heap_entry *entry, size_t place) {
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && heap->entries[child + 1]->key < heap->entries[child]->key) {
            child++;
        }
        if (heap->entries[child]->key >= entry->key) {
            break;
        }
        put(heap, place, heap->entries[child]);
        place = child;
    }
    put(heap, place, entry);
}

static rp_err make_room(struct rp_heap *heap, size_t max) {
    if (heap->count < heap->capacity) {
        return RP_OK;
    }
    size_t capacity = heap->capacity > 0 ? heap->capacity * 2 : 16;
    if (capacity > max) {
        return RP_ERR(BUSY);
    }
    struct rp_heap_entry **grown =
        reallocarray(heap->entries, capacity, sizeof(struct rp_heap_entry *));
    if (!grown) {
        return RP_ERR(NO_MEMORY);
    }
    heap->entries = grown;
    heap->capacity = capacity;
    return RP_OK;
}

rp_err rp_heap_add(struct rp_heap *heap, struct rp_heap_entry *entry, size_t max) {
    RP_TRY(make_room(heap, max));
    rise(heap, entry, heap->count++);
    return RP_OK;
}

void rp_heap_remove(struct rp_heap *heap, struct rp_heap_entry *entry) {
    size_t place = entry->place;
    RP_ASSERT(place < heap->count && heap->entries[place] == entry);
    entry->place = SIZE_MAX;
    struct rp_heap_entry *last = heap->entries[--heap->count];
    if (last != entry) {
        rise(heap, last, place);
        sink(heap, last, last->place);
    }
}

struct rp_heap_entry *rp_heap_first(const struct rp_heap *heap) {
    return heap->count > 0 ? heap->entries[0] : NULL;
}

void rp_heap_done(struct rp_heap *heap) {
    free(heap->entries);
    *heap = (struct rp_heap){0};
}
