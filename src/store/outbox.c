#include "store/store.h"

#include "base/assert.h"
#include "base/checked.h"
#include "store/internal.h"

struct state {
    uint64_t last, acked;
};

static rp_err read_state(struct rp_db *db, struct state *ret_state) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT last, acked FROM outbox_state WHERE one = 1", &row));
    bool has_row = false;
    RP_TRY(rp_row_next(row, &has_row));
    if (!has_row) {
        return RP_ERR(CORRUPT);
    }
    struct state state = {.last = rp_row_u64(row, 0), .acked = rp_row_u64(row, 1)};
    if (state.acked > state.last || state.last >= INT64_MAX) {
        return RP_ERR(CORRUPT);
    }
    *ret_state = state;
    return RP_OK;
}

static rp_err insert(struct rp_db *db, uint64_t sequence, rp_view event) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "INSERT INTO outbox (sequence, event) VALUES (?1, ?2)", &row));
    rp_row_bind_u64(row, 1, sequence);
    rp_row_bind_blob(row, 2, event);
    rp_err err = rp_row_run(row, NULL);
    /* Only a file altered behind our back holds a number that was not given out yet. */
    return rp_is(err, RP_E_DUPLICATE) ? RP_ERR(CORRUPT) : err;
}

/*= S114 */ /* the event commits with the change or not at all, and its number has no gap */
rp_err rp_db_emit(struct rp_db *db, const struct rp_event *event) {
    RP_ASSERT(db != NULL && event != NULL);
    RP_ASSERT(db->in_transaction);
    rp_view bytes = {NULL, 0};
    RP_TRY(rp_event_print(event, &bytes));
    struct state state = {0, 0};
    RP_TRY(read_state(db, &state));
    if (state.last - state.acked >= RP_OUTBOX_MAX) {
        return RP_ERR(OVERLOAD);
    }
    RP_TRY(insert(db, state.last + 1, bytes));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE outbox_state SET last = ?1 WHERE one = 1", &row));
    rp_row_bind_u64(row, 1, state.last + 1);
    return rp_row_run(row, NULL);
}

/* One waiting event; false at the end of what waits or of the arena. */
static rp_err take_event(struct rp_row *row, uint64_t expected, struct rp_arena *arena,
                         rp_view *ret_event, bool *ret_more) {
    bool has_row = false;
    RP_TRY(rp_row_next(row, &has_row));
    if (!has_row) {
        *ret_more = false;
        return RP_OK;
    }
    if (rp_row_u64(row, 0) != expected) {
        return RP_ERR(CORRUPT); /* an event was taken out of the middle */
    }
    rp_view event = rp_row_blob(row, 1);
    if (event.n == 0 || event.n > RP_EVENT_MAX) {
        return RP_ERR(CORRUPT); /* nothing of that size was ever put there */
    }
    RP_TRY(rp_arena_copy(arena, event, ret_event));
    *ret_more = true;
    return RP_OK;
}

/* Outside of a transaction a writer may commit between two of our statements: what was waiting
 * before is there, and nothing that is not waiting afterwards. */
static rp_err check_complete(struct rp_db *db, const struct state *before, uint64_t after,
                             size_t count, size_t max, bool full) {
    struct state now = {0, 0};
    uint64_t least = RP_MIN(before->last - after, (uint64_t)max);
    if (count == least) {
        return RP_OK;
    }
    RP_TRY(read_state(db, &now));
    return (count > least || full) && count <= now.last - after ? RP_OK : RP_ERR(CORRUPT);
}

rp_err rp_db_outbox_after(struct rp_db *db, uint64_t after, size_t max, struct rp_arena *arena,
                          rp_view **ret_events, size_t *ret_count) {
    RP_ASSERT(db != NULL && arena != NULL);
    RP_ASSERT(max > 0 && max <= RP_OUTBOX_MAX);
    struct state state = {0, 0};
    RP_TRY(read_state(db, &state));
    if (after < state.acked || after > state.last) {
        return RP_ERR(INVALID);
    }
    rp_view *events = rp_arena_array(arena, max, sizeof *events);
    if (events == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT sequence, event FROM outbox WHERE sequence > ?1 "
                       "ORDER BY sequence LIMIT ?2",
                       &row));
    rp_row_bind_u64(row, 1, after);
    rp_row_bind_u64(row, 2, max);
    size_t count = 0;
    bool more = true, full = false;
    while (more && count < max && !full) {
        rp_err err = take_event(row, after + 1 + count, arena, &events[count], &more);
        full = rp_is(err, RP_E_TOO_LARGE) && count > 0;
        if (!rp_ok(err) && !full) {
            return err;
        }
        count += rp_ok(err) && more;
    }
    RP_TRY(check_complete(db, &state, after, count, max, full));
    *ret_events = events;
    *ret_count = count;
    return RP_OK;
}

rp_err rp_db_outbox(struct rp_db *db, size_t max, struct rp_arena *arena, uint64_t *ret_first,
                    rp_view **ret_events, size_t *ret_count) {
    struct state state = {0, 0};
    RP_TRY(read_state(db, &state));
    RP_TRY(rp_db_outbox_after(db, state.acked, max, arena, ret_events, ret_count));
    *ret_first = state.acked + 1;
    return RP_OK;
}

static rp_err forget(struct rp_db *db, void *ctx) {
    const uint64_t *sequence = ctx;
    struct state state = {0, 0};
    RP_TRY(read_state(db, &state));
    if (*sequence > state.last) {
        return RP_ERR(INVALID);
    }
    if (*sequence <= state.acked) {
        return RP_OK;
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "DELETE FROM outbox WHERE sequence <= ?1", &row));
    rp_row_bind_u64(row, 1, *sequence);
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_db_query(db, "UPDATE outbox_state SET acked = ?1 WHERE one = 1", &row));
    rp_row_bind_u64(row, 1, *sequence);
    return rp_row_run(row, NULL);
}

/* A power cut that undoes it leaves events that the ledger has: whoever starts again asks it first.
 */
rp_err rp_db_outbox_ack(struct rp_db *db, uint64_t sequence) {
    RP_ASSERT(db != NULL);
    return rp_db_transact_eased(db, forget, &sequence);
}

rp_err rp_db_outbox_state(struct rp_db *db, uint64_t *ret_acked, uint64_t *ret_last) {
    struct state state = {0, 0};
    RP_TRY(read_state(db, &state));
    *ret_acked = state.acked;
    *ret_last = state.last;
    return RP_OK;
}

rp_err rp_db_outbox_rebase(struct rp_db *db, uint64_t known) {
    RP_ASSERT(db != NULL && db->in_transaction);
    struct state state = {0, 0};
    RP_TRY(read_state(db, &state));
    if (known <= state.acked || known >= INT64_MAX) {
        return RP_ERR(INVALID);
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "DELETE FROM outbox", &row));
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_db_query(db, "UPDATE outbox_state SET last = ?1, acked = ?1 WHERE one = 1", &row));
    rp_row_bind_u64(row, 1, known);
    return rp_row_run(row, NULL);
}

rp_err rp_db_outbox_last(struct rp_db *db, uint64_t *ret_sequence) {
    struct state state = {0, 0};
    RP_TRY(read_state(db, &state));
    *ret_sequence = state.last;
    return RP_OK;
}
