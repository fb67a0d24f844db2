/* log.c — a tenant's log, read from the beginning: what the database counted must have arrived. */
#include <stdio.h>

#include "base/checked.h"
#include "hunt.h"

enum { LOG_TRIES = 40, LOG_PAUSE_MS = 500, ENTRY_ARENA = 1 << 20 };

rp_err hunt_open_log(const struct hunt *hunt, rp_id tenant, uint64_t last,
                     struct rp_log **ret_log) {
    char folder[40], path[64];
    rp_tree_folder((struct rp_tree){.kind = RP_TREE_TENANT, .tenant = tenant}, folder);
    (void)snprintf(path, sizeof path, "ledger/%s", folder);
    for (int i = 0; i < LOG_TRIES; i++) {
        struct rp_log *log = NULL;
        if (rp_ok(rp_log_open(path, (rp_view){NULL, 0}, &log, NULL)) && rp_log_size(log) >= last) {
            *ret_log = log;
            return RP_OK;
        }
        rp_log_free(log);
        if (!rp_probe_wait(&hunt->stopping, LOG_PAUSE_MS)) {
            break;
        }
    }
    return RP_ERR(TIMEOUT);
}

rp_err hunt_each_event(struct rp_log *log, uint64_t last, hunt_event *each, void *ctx) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ENTRY_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    for (uint64_t i = 0; i < last; i++) {
        rp_view bytes = {NULL, 0};
        rp_arena_reset(arena);
        RP_TRY(rp_log_entry(log, i, arena, &bytes));
        RP_TRY(each(ctx, bytes, arena));
    }
    return RP_OK;
}

void hunt_log_freep(struct rp_log **log) {
    rp_log_free(*log);
}
