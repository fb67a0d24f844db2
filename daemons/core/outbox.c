#include "outbox.h"

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"

enum { BATCH_EVENTS = 64, BATCH_BYTES = 120 * 1024, ARENA_BYTES = 4 * 1024 * 1024 };

/* As many of the events as one message to the ledger takes. */
static size_t batch_count(const rp_view *events, size_t count) {
    size_t bytes = 0, n = 0;
    while (n < count && n < BATCH_EVENTS && bytes + events[n].n + 16 <= BATCH_BYTES) {
        bytes += events[n].n + 16;
        n++;
    }
    return n;
}

static rp_err append(struct core_outbox *outbox, struct rp_tree tree, rp_id stream, uint64_t first,
                     const rp_view *events, size_t n) {
    rp_err err = rp_ledger_append(outbox->thread->ledger, tree, stream, first, events, n, NULL);
    /* PROTOCOL and CONFLICT are its answers to numbers that leave a gap, or that other events had:
     * others' numbers may be good. */
    outbox->ledger_failed = !rp_ok(err) && !rp_is(err, RP_E_PROTOCOL) && !rp_is(err, RP_E_CONFLICT);
    return err;
}

/* Sends what waits behind *from, as much as one message takes. */
static rp_err send_batch(struct core_outbox *outbox, struct rp_db *db, struct rp_tree tree,
                         rp_id stream, struct rp_arena *arena, uint64_t *from, size_t *ret_sent) {
    rp_view *events = NULL;
    size_t count = 0;
    RP_TRY(rp_db_outbox_after(db, *from, BATCH_EVENTS, arena, &events, &count));
    size_t n = batch_count(events, count);
    RP_ASSERT(n > 0 || count == 0);
    if (n > 0) {
        RP_TRY(append(outbox, tree, stream, *from + 1, events, n));
        *from += n;
        if (!outbox->keep) {
            RP_TRY(rp_db_outbox_ack(db, *from));
        }
    }
    *ret_sent = n;
    return RP_OK;
}

/* ---- how far the ledger is ---- */

struct rebase {
    const struct rp_env *env;
    rp_id tenant;
    uint64_t last, known;
};

static rp_err rebase_body(struct rp_db *db, void *ctx) {
    const struct rebase *rebase = ctx;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_db_outbox_rebase(db, rebase->known));
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_STREAM_REBASED, rp_env_now_ms(rebase->env), RP_ROLE_CORE);
    if (!event) {
        return RP_ERR(NO_MEMORY);
    }
    if (!rp_id_is_none(rebase->tenant)) {
        rp_event_add_id(event, "tenant", rebase->tenant);
    }
    rp_event_add_u64(event, "from", rebase->last);
    rp_event_add_u64(event, "sequence", rebase->known);
    return rp_db_emit(db, event);
}

/* The operator said so: this database is older than the ledger, and goes on behind it. */
static rp_err rebase(const struct core_outbox *outbox, struct rp_db *db, uint64_t last,
                     uint64_t known) {
    struct rebase act = {&outbox->core->env, rp_db_tenant(db), last, known};
    daemon_say(outbox->core->daemon, "%s: put back behind the ledger: from event %llu to %llu",
               rp_db_name(db), (unsigned long long)last, (unsigned long long)known);
    return rp_db_transact(db, rebase_body, &act);
}

/* Is the event that we have under this number the one that the ledger has? */
static rp_err is_same(struct rp_db *db, const struct rp_stream_end *end, struct rp_arena *arena,
                      bool *ret_same) {
    rp_view *events = NULL;
    size_t count = 0;
    RP_TRY(rp_db_outbox_after(db, end->last - 1, 1, arena, &events, &count));
    *ret_same = count == 1 && (end->tail == 0 || end->tail == rp_stream_tail(events[0]));
    return RP_OK;
}

/* Where outbox begins. Events that are not the ledger's are sent all the same: it refuses them,
 * and says so. */
static rp_err begin_behind(struct core_outbox *outbox, struct rp_db *db, rp_id stream,
                           struct rp_arena *arena, uint64_t *ret_from) {
    uint64_t acked = 0, last = 0;
    RP_TRY(rp_db_outbox_state(db, &acked, &last));
    *ret_from = acked;
    if (!outbox->rebase && (!outbox->ask || acked == last)) {
        return RP_OK;
    }
    struct rp_stream_end end;
    rp_err err = rp_ledger_stream(outbox->thread->ledger, stream, &end);
    outbox->ledger_failed = !rp_ok(err);
    RP_TRY(err);
    if (end.last <= acked) {
        return RP_OK;
    }
    bool same = false;
    if (end.last <= last) {
        RP_TRY(is_same(db, &end, arena, &same));
    }
    if (same) {
        *ret_from = end.last;
        return outbox->keep ? RP_OK : rp_db_outbox_ack(db, end.last);
    }
    if (outbox->rebase) {
        RP_TRY(rebase(outbox, db, last, end.last));
        *ret_from = end.last;
    }
    return RP_OK;
}

rp_err core_outbox_send(struct core_outbox *outbox, struct rp_db *db, struct rp_tree tree,
                        rp_id stream) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    size_t sent = 0;
    uint64_t from = 0;
    RP_TRY(begin_behind(outbox, db, stream, arena, &from));
    do {
        rp_arena_reset(arena);
        RP_TRY(send_batch(outbox, db, tree, stream, arena, &from, &sent));
    } while (sent > 0);
    return RP_OK;
}
