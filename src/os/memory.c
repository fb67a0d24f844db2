#include "os/memory.h"

#include <malloc.h>
#include <stdio.h>

#include "base/arena.h"
#include "os/file.h"

enum { PROC_TEXT_MAX = 64 * 1024, FAMILY_DEPTH = 3, LARGE_BYTES = 128 * 1024 };

static rp_err pss_of(pid_t pid, struct rp_arena *arena, uint64_t *ret_kib) {
    char path[64];
    rp_view text = {NULL, 0};
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    RP_TRY(rp_file_read(path, PROC_TEXT_MAX, arena, &text));
    rp_view rest = rp_view_from(text, rp_view_find(text, RP_VIEW("\nPss:")) + 5);
    rp_view line = rp_view_trim(rp_view_cut(&rest, '\n'));
    return rp_view_to_u64(rp_view_cut(&line, ' '), UINT64_MAX >> 20, ret_kib) ? RP_OK
                                                                              : RP_ERR(CORRUPT);
}

/* One that ends while we look is not counted. */
static void add_children(pid_t pid, struct rp_arena *arena, unsigned depth, uint64_t *kib) {
    char path[64];
    rp_view text = {NULL, 0};
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    if (depth == 0 || !rp_ok(rp_file_read(path, PROC_TEXT_MAX, arena, &text))) {
        return;
    }
    for (rp_view rest = rp_view_trim(text); rest.n > 0;) {
        uint64_t child = 0, own = 0;
        if (!rp_view_to_u64(rp_view_cut(&rest, ' '), INT32_MAX, &child)) {
            return;
        }
        if (rp_ok(pss_of((pid_t)child, arena, &own))) {
            *kib += own;
            add_children((pid_t)child, arena, depth - 1, kib);
        }
    }
}

rp_err rp_process_memory(pid_t pid, uint64_t *ret_kib) {
    struct rp_arena *arena = rp_arena_new(16 * PROC_TEXT_MAX);
    uint64_t kib = 0;
    rp_err err = arena ? pss_of(pid, arena, &kib) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        add_children(pid, arena, FAMILY_DEPTH, &kib);
        *ret_kib = kib;
    }
    rp_arena_free(arena);
    return err;
}

/* Left alone, malloc gives each thread a heap of its own, and none of them ever shrinks again; and
 * once a mapped block was freed, blocks of its size come from those heaps: after a minute of long
 * bodies, or one round of probes, they hold ten megabytes of nothing. */
void rp_memory_give_back(void) {
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}
