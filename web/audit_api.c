/* audit_api.c — a tenant's own log, for its administrators: the leaves, with their indexes.
 *
 * What is read here is what the tree holds, out of the same files that `rempart verify` checks.
 * Promises: S114.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"

enum { AUDIT_DEFAULT = 50, AUDIT_MAX = 200, AUDIT_ARENA = 16 * 1024 * 1024 };

static void log_freep(struct rp_log **log) {
    rp_log_free(*log);
}

static rp_err open_own_log(struct rp_request *request, struct rp_log **ret_log) {
    struct rp_tree tree = {.kind = RP_TREE_TENANT, .tenant = request->who.tenant};
    struct rp_buf note = rp_buf_new(8192);
    /* Being asked makes the ledger sign a fresh checkpoint; when it is down the last one is read.
     */
    rp_ignore(rp_ledger_head(request->thread->ledger, tree, &note));
    rp_buf_done(&note);
    char folder[40];
    rp_tree_folder(tree, folder);
    rp_view path = rp_arena_printf(request->arena, "ledger/%s", folder);
    return path.p ? rp_log_open((const char *)path.p, (rp_view){NULL, 0}, ret_log, &request->diag)
                  : RP_ERR(NO_MEMORY);
}

/* ?after=N: entries with a greater index; ?newest=1: the last page; else from the start. */
static rp_err read_first(const struct rp_request *request, uint64_t size, size_t limit,
                         uint64_t *ret_first) {
    rp_view text = rp_request_query(request, "after");
    uint64_t after;
    if (!text.p) {
        bool newest = rp_view_equal(rp_request_query(request, "newest"), RP_VIEW("1"));
        *ret_first = newest && size > limit ? size - limit : 0;
        return RP_OK;
    }
    if (!rp_view_to_u64(text, UINT64_MAX - 1, &after)) {
        return RP_ERR(INVALID);
    }
    *ret_first = after + 1;
    return RP_OK;
}

static rp_err add_entry(struct rp_request *request, struct rp_log *log, uint64_t index,
                        struct rp_arena *arena, struct rp_json *list) {
    rp_view bytes;
    RP_TRY(rp_log_entry(log, index, arena, &bytes));
    struct rp_json *event = NULL;
    RP_TRY(rp_json_parse(bytes, RP_JSON_LIMITS, arena, &event, &request->diag));
    struct rp_json *entry = rp_json_add_object(arena, list, NULL);
    rp_json_add_u64(arena, entry, "index", index);
    rp_json_add(arena, entry, "event", event);
    return RP_OK;
}

static rp_err send_entries(struct rp_request *request, struct rp_log *log, size_t limit) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(AUDIT_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    uint64_t first, size = log ? rp_log_size(log) : 0;
    RP_TRY(read_first(request, size, limit, &first));
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_u64(arena, root, "size", size);
    struct rp_json *list = rp_json_add_array(arena, root, "entries");
    for (uint64_t i = first; i < size && i - first < limit; i++) {
        RP_TRY(add_entry(request, log, i, arena, list));
    }
    return rp_api_send(request, 200, root);
}

/*= S114 */ /* a tenant's administrators see every change made by their users */
rp_err rp_api_audit(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_AUDIT));
    size_t limit;
    RP_TRY(rp_request_limit(request, AUDIT_DEFAULT, AUDIT_MAX, &limit));
    struct rp_log *log _cleanup_(log_freep) = NULL;
    rp_err err = open_own_log(request, &log);
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) { /* no tree yet: nothing has happened */
        return err;
    }
    return send_entries(request, log, limit);
}
