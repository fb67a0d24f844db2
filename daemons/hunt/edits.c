#include "edits.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/id.h"
#include "ipc/ipc.h"
#include "ledger/client.h"
#include "os/file.h"

enum { SEEN_MAX = 1 << 20, ARENA_MAX = 8 << 20, BATCH = 32, DIGEST_TEXT = 64, LEDGER_MS = 5000 };

static const char seen_file[] = "hunt/promises.seen";

struct edits {
    const struct rp_env *env;
    struct rp_arena *arena;
    struct rp_ipc_client *ledger;
    rp_view batch[BATCH];
    size_t count;
};

static rp_err flush(struct edits *edits) {
    if (edits->count == 0) {
        return RP_OK;
    }
    struct rp_tree tree = {.kind = RP_TREE_PUBLIC};
    RP_TRY(
        rp_ledger_append(edits->ledger, tree, (rp_id){{0}}, 0, edits->batch, edits->count, NULL));
    edits->count = 0;
    return RP_OK;
}

static rp_err add(struct edits *edits, rp_view promise, rp_view digest, const char *change) {
    struct rp_event *event = rp_event_new(edits->arena, RP_EVENT_PROMISE_EDITED,
                                          rp_env_now_ms(edits->env), RP_ROLE_HUNT);
    rp_event_add_text(event, "promise", promise);
    rp_event_add_text(event, "sha256", digest);
    rp_event_add_text(event, "change", rp_view_from_cstr(change));
    RP_TRY(rp_event_print(event, &edits->batch[edits->count]));
    edits->count++;
    return edits->count == BATCH ? flush(edits) : RP_OK;
}

/* Lines of "digest id": the digest that stands before this id, p == NULL when there is none. */
static rp_view digest_of(rp_view seen, rp_view id) {
    while (seen.p) {
        rp_view line = rp_view_cut(&seen, '\n');
        rp_view digest = rp_view_cut(&line, ' ');
        if (line.p && rp_view_equal(line, id)) {
            return digest;
        }
    }
    return (rp_view){NULL, 0};
}

static rp_err log_present(struct edits *edits, const struct rp_promises *promises, rp_view before,
                          struct rp_buf *now) {
    for (size_t i = 0; i < promises->count; i++) {
        const struct rp_promise *promise = &promises->promises[i];
        char hex[DIGEST_TEXT];
        rp_hex_print(rp_view_of(promise->file_sha256, sizeof promise->file_sha256), hex);
        rp_view digest = rp_view_of(hex, sizeof hex);
        rp_view id = rp_view_from_cstr(promise->id);
        rp_buf_add(now, digest);
        rp_buf_printf(now, " %s\n", promise->id);
        rp_view known = digest_of(before, id);
        if (!known.p || !rp_view_equal(known, digest)) {
            RP_TRY(add(edits, id, digest, known.p ? "changed" : "added"));
        }
    }
    return rp_buf_err(now);
}

static rp_err log_removed(struct edits *edits, rp_view before, rp_view now) {
    while (before.p) {
        rp_view line = rp_view_cut(&before, '\n');
        rp_view digest = rp_view_cut(&line, ' ');
        if (line.p && !digest_of(now, line).p) {
            RP_TRY(add(edits, line, digest, "removed"));
        }
    }
    return RP_OK;
}

static rp_err log_all(struct edits *edits, const struct rp_promises *promises) {
    rp_view before = {NULL, 0};
    rp_err err = rp_file_read(seen_file, SEEN_MAX, edits->arena, &before);
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) {
        return err;
    }
    struct rp_buf now = rp_buf_new(SEEN_MAX);
    err = log_present(edits, promises, before, &now);
    if (rp_ok(err)) {
        err = log_removed(edits, before, rp_buf_view(&now));
    }
    if (rp_ok(err)) {
        err = flush(edits);
    }
    /* Remembered after the log has it: a crash between the two logs an edit twice, never not. */
    if (rp_ok(err)) {
        err = rp_file_replace(seen_file, 0640, rp_buf_view(&now));
    }
    rp_buf_done(&now);
    return err;
}

rp_err hunt_log_edits(const struct rp_env *env, const struct rp_promises *promises) {
    RP_ASSERT(promises != NULL && promises->count > 0);
    struct edits edits = {.env = env,
                          .arena = rp_arena_new(ARENA_MAX),
                          .ledger = rp_ipc_client_new(RP_ROLE_HUNT, RP_ROLE_LEDGER, LEDGER_MS)};
    rp_err err = edits.arena && edits.ledger ? log_all(&edits, promises) : RP_ERR(NO_MEMORY);
    rp_ipc_client_free(edits.ledger);
    rp_arena_free(edits.arena);
    return err;
}
