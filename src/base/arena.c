#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"

/* Beyond GROWN_BYTES an arena takes blocks so large that malloc has the kernel map each of them,
 * and gives them back when they are freed: what one long text took does not stay in the heap. */
enum {
    BLOCK_BYTES = 16 * 1024,
    GROWN_BYTES = 256 * 1024,
    GROWN_BLOCK = 256 * 1024,
    ALIGNMENT = 16
};

struct block {
    struct block *next;
    size_t size;
    size_t used;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

struct rp_arena {
    struct block *newest;
    struct block *first;
    struct block *spare; /* of before, for what comes next */
    size_t used;
    size_t max;
    bool wipes;
};

static struct block *block_new(size_t payload) {
    size_t total;
    if (!rp_add(sizeof(struct block), payload, &total)) {
        return NULL;
    }
    struct block *block = malloc(total);
    if (block) {
        block->next = NULL;
        block->size = payload;
        block->used = 0;
    }
    return block;
}

struct rp_arena *rp_arena_new(size_t max_bytes) {
    RP_ASSERT(max_bytes > 0);
    struct rp_arena *arena = malloc(sizeof *arena);
    if (!arena) {
        return NULL;
    }
    size_t payload = max_bytes < BLOCK_BYTES ? max_bytes + ALIGNMENT : BLOCK_BYTES;
    arena->first = block_new(payload);
    if (!arena->first) {
        free(arena);
        return NULL;
    }
    arena->newest = arena->first;
    arena->spare = NULL;
    arena->used = 0;
    arena->max = max_bytes;
    arena->wipes = false;
    return arena;
}

static bool is_usual(const struct block *block) {
    return block->size == BLOCK_BYTES || block->size == GROWN_BLOCK;
}

struct rp_arena *rp_arena_new_wiping(size_t max_bytes) {
    struct rp_arena *arena = rp_arena_new(max_bytes);
    if (arena) {
        arena->wipes = true;
    }
    return arena;
}

static void wipe(const struct rp_arena *arena, struct block *block) {
    if (arena->wipes) {
        explicit_bzero(block->bytes, block->used);
    }
}

/* What is over `keep_bytes` goes back to malloc, and so do blocks that were made for one text. */
static void let_go(struct rp_arena *arena, struct block *list, size_t *kept, size_t keep_bytes) {
    while (list) {
        struct block *next = list->next;
        if (is_usual(list) && keep_bytes - *kept >= list->size) {
            list->next = arena->spare;
            arena->spare = list;
            *kept += list->size;
        } else {
            free(list);
        }
        list = next;
    }
}

void rp_arena_reuse(struct rp_arena *arena, size_t keep_bytes) {
    RP_ASSERT(arena != NULL);
    struct block *spare = arena->spare, *newest = arena->newest;
    size_t kept = 0;
    arena->spare = NULL;
    let_go(arena, spare, &kept, keep_bytes);
    while (newest != arena->first) {
        struct block *older = newest->next;
        newest->next = NULL;
        wipe(arena, newest);
        let_go(arena, newest, &kept, keep_bytes);
        newest = older;
    }
    arena->newest = arena->first;
    wipe(arena, arena->first);
    arena->first->used = 0;
    arena->used = 0;
}

void rp_arena_reset(struct rp_arena *arena) {
    rp_arena_reuse(arena, 0);
}

void rp_arena_free(struct rp_arena *arena) {
    if (arena) {
        rp_arena_reset(arena);
        free(arena->first);
        free(arena);
    }
}

void rp_arena_freep(struct rp_arena **arena) {
    rp_arena_free(*arena);
    *arena = NULL;
}

size_t rp_arena_used(const struct rp_arena *arena) {
    RP_ASSERT(arena != NULL);
    return arena->used;
}

static struct block *block_with_room(struct rp_arena *arena, size_t need) {
    struct block *block = arena->newest;
    if (block->size - block->used >= need) {
        return block;
    }
    if (arena->spare && need <= arena->spare->size) {
        block = arena->spare;
        arena->spare = block->next;
        block->used = 0;
    } else {
        size_t usual = arena->used < GROWN_BYTES ? BLOCK_BYTES : GROWN_BLOCK;
        block = block_new(need > usual ? need : usual);
    }
    if (block) {
        block->next = arena->newest;
        arena->newest = block;
    }
    return block;
}

static void *take(struct rp_arena *arena, struct block *block, size_t n, size_t need) {
    void *p = block->bytes + block->used;
    block->used += need;
    arena->used += n;
    return p;
}

static void *__attribute__((noinline)) room_in_next(struct rp_arena *arena, size_t n, size_t need) {
    struct block *block = block_with_room(arena, need);
    return block ? take(arena, block, n, need) : NULL;
}

/* The firewall asks some two hundred times a request: nearly always the newest block has it. */
void *rp_arena_room(struct rp_arena *arena, size_t n) {
    RP_ASSERT(arena != NULL);
    size_t need;
    if (n > arena->max - arena->used || !rp_add(n, ALIGNMENT - 1, &need)) {
        return NULL;
    }
    need &= ~(size_t)(ALIGNMENT - 1);
    struct block *block = arena->newest;
    return need <= block->size - block->used ? take(arena, block, n, need)
                                             : room_in_next(arena, n, need);
}

void *rp_arena_alloc(struct rp_arena *arena, size_t n) {
    void *p = rp_arena_room(arena, n);
    if (p) {
        memset(p, 0, n);
    }
    return p;
}

void *rp_arena_array(struct rp_arena *arena, size_t count, size_t size) {
    size_t total;
    return rp_mul(count, size, &total) ? rp_arena_alloc(arena, total) : NULL;
}

rp_err rp_arena_copy(struct rp_arena *arena, rp_view v, rp_view *ret_copy) {
    RP_ASSERT(ret_copy != NULL);
    uint8_t *p = rp_arena_room(arena, v.n);
    if (!p) {
        return RP_ERR(TOO_LARGE);
    }
    if (v.n) {
        memcpy(p, v.p, v.n);
    }
    *ret_copy = rp_view_of(p, v.n);
    return RP_OK;
}

char *rp_arena_cstr(struct rp_arena *arena, rp_view v) {
    size_t with_nul;
    if (rp_view_find_byte(v, 0) != v.n || !rp_add(v.n, 1, &with_nul)) {
        return NULL;
    }
    char *s = rp_arena_alloc(arena, with_nul);
    if (s && v.n) {
        memcpy(s, v.p, v.n);
    }
    return s;
}

rp_view rp_arena_printf(struct rp_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *p = n >= 0 ? rp_arena_alloc(arena, (size_t)n + 1) : NULL;
    if (p) {
        vsnprintf(p, (size_t)n + 1, format, again);
    }
    va_end(again);
    return p ? rp_view_of(p, (size_t)n) : (rp_view){NULL, 0};
}
