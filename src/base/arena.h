/* arena.h — memory with one lifetime: a process, a connection, a request, a message.
 *
 * An arena is created with its maximum. Allocation is a pointer bump, zeroed, aligned to 16;
 * everything goes at once by reset or free. Running out is an answer (NULL), not a crash:
 * whoever parses a stranger's bytes turns it into RP_E_TOO_LARGE.
 *
 * Owner: the creator. Threads: one at a time.
 */
#ifndef RP_BASE_ARENA_H
#define RP_BASE_ARENA_H

#include "base/err.h"

struct rp_arena;

/* An arena that never holds more than max_bytes of what was asked for. Blocks come from malloc as
 * they are needed. NULL when memory is out. */
struct rp_arena *rp_arena_new(size_t max_bytes);
/* One that leaves nothing behind of what it held, for what people type, and read. */
struct rp_arena *rp_arena_new_wiping(size_t max_bytes);
void rp_arena_free(struct rp_arena *arena); /* accepts NULL */
void rp_arena_freep(struct rp_arena **arena);

/* Forgets everything; keeps the first block. */
void rp_arena_reset(struct rp_arena *arena);
/* The same, but keeps up to keep_bytes of the other blocks, for who does the like again and again.
 */
void rp_arena_reuse(struct rp_arena *arena, size_t keep_bytes);
size_t rp_arena_used(const struct rp_arena *arena);

/* n zeroed bytes, or NULL when the maximum or the memory is reached. n may be 0. */
void *rp_arena_alloc(struct rp_arena *arena, size_t n);
/* The same, but what the bytes hold is left open: for who writes all of them. */
void *rp_arena_room(struct rp_arena *arena, size_t n);
/* count * size, checked, zeroed. */
void *rp_arena_array(struct rp_arena *arena, size_t count, size_t size);
/* A copy in the arena. RP_E_TOO_LARGE when it does not fit. */
rp_err rp_arena_copy(struct rp_arena *arena, rp_view v, rp_view *ret_copy);
/* A NUL-terminated copy, NULL when it does not fit or v holds a NUL. */
char *rp_arena_cstr(struct rp_arena *arena, rp_view v);
/* Formatted text as a view; p == NULL when it does not fit. */
rp_view rp_arena_printf(struct rp_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
