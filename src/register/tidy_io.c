#include "register/tidy.h"

#include "base/assert.h"

/* A word is merged about ten times on its way into the largest segment of a million records: a page
 * of 4,000 bytes for each 400 of the text is what a write adds, and eight with each are ahead of
 * it.
 */
enum { PAGES_MIN = 8, TEXT_BYTES_A_PAGE = 400 };

/* A step is over before somebody who comes to write waits long; a round, before the next is due. */
enum { STEP_PAGES = 64, ROUND_MS = 25, IDLE_EVENTS = 16 };

static rp_err merge(struct rp_db *db, uint64_t pages) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "INSERT INTO register_text (register_text, rank) VALUES ('merge', ?1)",
                       &row));
    rp_row_bind_u64(row, 1, pages);
    return rp_row_run(row, NULL);
}

rp_err rp_tidy_with_write(struct rp_db *db, size_t text_bytes) {
    return merge(db, PAGES_MIN + text_bytes / TEXT_BYTES_A_PAGE);
}

/* The statement itself counts as one change: what is merged are others. */
static rp_err step(struct rp_db *db, void *ctx) {
    bool *ret_over = ctx;
    uint64_t before = rp_db_changes(db);
    RP_TRY(merge(db, STEP_PAGES));
    *ret_over = rp_db_changes(db) - before <= 1;
    return RP_OK;
}

rp_err rp_tidy_while_idle(const struct rp_env *env, struct rp_db *db, struct rp_tidying *tidying) {
    RP_ASSERT(db != NULL && tidying != NULL);
    uint64_t last = 0, before = tidying->seen;
    RP_TRY(rp_db_outbox_last(db, &last));
    tidying->seen = last;
    if (last - before > IDLE_EVENTS) {
        tidying->over = false;
        return RP_OK;
    }
    tidying->over = tidying->over && last == before;
    int64_t until_ms = rp_env_monotonic_ms(env) + ROUND_MS;
    while (!tidying->over && rp_env_monotonic_ms(env) < until_ms) {
        RP_TRY(rp_db_transact_eased(db, step, &tidying->over));
    }
    return RP_OK;
}
