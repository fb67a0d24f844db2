#include "register/tidy.h"

#include "base/assert.h"
#include "base/checked.h"

/* A lot is over before somebody who comes to write waits long, and so is a step of merging; a
 * round, before the next is due. A search puts in so many lots and leaves the rest of a great
 * import to the rounds. */
enum { LOT = 32, SEARCH_LOTS_MAX = 64, STEP_PAGES = 64, ROUND_MS = 25, IDLE_EVENTS = 16 };

/* A word is merged about ten times on its way into the largest segment of a million records: a page
 * of 4,000 bytes for each 400 of the text keeps up with writes that never pause, and eight with
 * each lot are ahead of them. */
enum { PAGES_MIN = 8, TEXT_BYTES_A_PAGE = 400 };

rp_err rp_tidy_leave(struct rp_db *db, uint64_t record, rp_view register_id, rp_view text) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO register_unindexed (row, register, body) VALUES (?1, ?2, ?3) "
                       "ON CONFLICT (row) DO UPDATE SET register = ?2, body = ?3",
                       &row));
    rp_row_bind_u64(row, 1, record);
    rp_row_bind_text(row, 2, register_id);
    rp_row_bind_text(row, 3, text);
    return rp_row_run(row, NULL);
}

/* How many wait, a lot at most, and of how many bytes. */
struct lot {
    uint64_t count, bytes;
};

static rp_err look(struct rp_db *db, struct lot *ret_lot) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT count(*), coalesce(sum(length(body)), 0) "
                       "FROM (SELECT body FROM register_unindexed ORDER BY row LIMIT ?1)",
                       &row));
    rp_row_bind_u64(row, 1, LOT);
    RP_TRY(rp_row_first(row));
    *ret_lot = (struct lot){rp_row_u64(row, 0), rp_row_u64(row, 1)};
    return RP_OK;
}

static rp_err merge(struct rp_db *db, uint64_t pages) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "INSERT INTO register_text (register_text, rank) VALUES ('merge', ?1)",
                       &row));
    rp_row_bind_u64(row, 1, pages);
    return rp_row_run(row, NULL);
}

static rp_err put_in(struct rp_db *db, void *ctx) {
    static const char *const steps[] = {
        "DELETE FROM register_text WHERE rowid IN "
        "(SELECT row FROM register_unindexed ORDER BY row LIMIT ?1)",
        "INSERT INTO register_text (rowid, register, body) "
        "SELECT row, register, body FROM register_unindexed ORDER BY row LIMIT ?1",
        "DELETE FROM register_unindexed WHERE row IN "
        "(SELECT row FROM register_unindexed ORDER BY row LIMIT ?1)"};
    struct lot *lot = ctx;
    RP_TRY(look(db, lot)); /* again: another thread may have been faster */
    if (lot->count == 0) {
        return RP_OK;
    }
    for (size_t i = 0; i < RP_COUNT_OF(steps); i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(db, steps[i], &row));
        rp_row_bind_u64(row, 1, LOT);
        RP_TRY(rp_row_run(row, NULL));
    }
    return merge(db, PAGES_MIN + lot->bytes / TEXT_BYTES_A_PAGE);
}

/* The next lot, if any waits: asked before, so that who searches a quiet register writes nothing.
 */
static rp_err take_lot(struct rp_db *db, struct lot *ret_lot) {
    RP_TRY(look(db, ret_lot));
    return ret_lot->count > 0 ? rp_db_transact_eased(db, put_in, ret_lot) : RP_OK;
}

rp_err rp_tidy_for_search(struct rp_db *db) {
    RP_ASSERT(db != NULL);
    struct lot lot = {.count = LOT};
    for (size_t i = 0; i < SEARCH_LOTS_MAX && lot.count == LOT; i++) {
        RP_TRY(take_lot(db, &lot));
    }
    return RP_OK;
}

/* The statement itself counts as one change: what is merged are others. */
static rp_err step(struct rp_db *db, void *ctx) {
    bool *ret_over = ctx;
    uint64_t before = rp_db_changes(db);
    RP_TRY(merge(db, STEP_PAGES));
    *ret_over = rp_db_changes(db) - before <= 1;
    return RP_OK;
}

static rp_err merge_until(const struct rp_env *env, struct rp_db *db, struct rp_tidying *tidying,
                          int64_t until_ms) {
    uint64_t last = 0, before = tidying->seen;
    RP_TRY(rp_db_outbox_last(db, &last));
    tidying->seen = last;
    if (last - before > IDLE_EVENTS) {
        tidying->over = false;
        return RP_OK;
    }
    tidying->over = tidying->over && last == before;
    while (!tidying->over && rp_env_monotonic_ms(env) < until_ms) {
        RP_TRY(rp_db_transact_eased(db, step, &tidying->over));
    }
    return RP_OK;
}

rp_err rp_tidy_round(const struct rp_env *env, struct rp_db *db, struct rp_tidying *tidying) {
    RP_ASSERT(db != NULL && tidying != NULL);
    if (rp_db_sql(db) != RP_SQL_SQLITE) {
        return RP_OK; /* the index of another keeps itself */
    }
    int64_t until_ms = rp_env_monotonic_ms(env) + ROUND_MS;
    struct lot lot = {.count = LOT};
    while (lot.count == LOT && rp_env_monotonic_ms(env) < until_ms) {
        RP_TRY(take_lot(db, &lot));
    }
    return merge_until(env, db, tidying, until_ms);
}
