/* tally.c — run/vault.json, each second: what is kept, and what was refused. */
#include "base/checked.h"
#include "os/batch.h"
#include "vault.h"
#include "wire/json.h"

enum { FILE_MAX = 1024, FILE_MODE = 0640 };

static rp_err write_file(const struct keeper *keeper, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_vault_tally tally = rp_vault_tally(keeper->copy);
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_u64(arena, root, "trees", tally.trees);
    rp_json_add_u64(arena, root, "entries", tally.entries);
    rp_json_add_u64(arena, root, "segments_missing", tally.segments);
    rp_json_add_u64(arena, root, "last_s", (uint64_t)keeper->head_s);
    rp_json_add_u64(arena, root, "refused", keeper->refused);
    rp_json_add_u64(arena, root, "probed", keeper->probed);
    RP_TRY(rp_json_print(root, out));
    return rp_batch_put("run/vault.json.tmp", "run/vault.json", FILE_MODE, rp_buf_view(out));
}

void tally_write(void *ctx) {
    const struct keeper *keeper = ctx;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(8 * FILE_MAX);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(FILE_MAX);
    if (arena) {
        rp_ignore(write_file(keeper, arena, &out)); /* the next second tries again */
    }
}
