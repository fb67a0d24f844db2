/* throttle.c — how long somebody waits who was wrong too often.
 *
 * Counted by (address, client), and by address over all clients with a higher bound. Both waits
 * run out by themselves, and a client that signed in before is not stopped by the second: no
 * stranger locks anybody out for good. Addresses that nobody has are counted the same way, so that
 * the answer tells nothing.
 */
#include "identity/internal.h"

#include "base/assert.h"
#include "base/checked.h"

enum {
    FREE_PER_CLIENT = 5,
    FREE_IN_ALL = 50,
    WINDOW_MS = 15 * 60 * 1000, /* failures further apart than this are forgotten */
    FIRST_WAIT_MS = 30 * 1000,
    LONGEST_WAIT_MS = 15 * 60 * 1000,
    FORGET_MS = 60 * 60 * 1000
};
static const int64_t forget_client_ms = (int64_t)90 * 24 * 3600 * 1000;

struct failures {
    uint64_t count;
    int64_t last_ms;
    bool accepted_before;
};

static rp_view all_clients(void) {
    return rp_view_of(NULL, 0);
}

static rp_view client_view(const struct rp_client_hash *client) {
    return rp_view_of(client->b, sizeof client->b);
}

static rp_err read_failures(struct rp_db *db, const struct rp_sha256 *address, rp_view client,
                            struct failures *ret_failures) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT count, last_ms, accepted_ms FROM sign_in_failure "
                       "WHERE address = ?1 AND client = ?2",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(address));
    rp_row_bind_blob(row, 2, client);
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        *ret_failures = (struct failures){0};
        return RP_OK;
    }
    RP_TRY(err);
    *ret_failures = (struct failures){.count = rp_row_u64(row, 0),
                                      .last_ms = (int64_t)rp_row_u64(row, 1),
                                      .accepted_before = !rp_row_is_null(row, 2)};
    return RP_OK;
}

static int64_t wait_ms(uint64_t count, uint64_t free_failures) {
    if (count < free_failures) {
        return 0;
    }
    uint64_t doublings = count - free_failures;
    if (doublings >= 5) {
        return LONGEST_WAIT_MS;
    }
    return (int64_t)FIRST_WAIT_MS << doublings;
}
_Static_assert((FIRST_WAIT_MS << 4) <= LONGEST_WAIT_MS, "waits grow");

static bool must_wait(const struct failures *failures, uint64_t free_failures, int64_t now_ms) {
    int64_t since_ms = RP_MAX(now_ms - failures->last_ms, (int64_t)0); /* the clock was set back */
    return since_ms < wait_ms(failures->count, free_failures);
}

rp_err rp_throttle_check(struct rp_identity *identity, const struct rp_sha256 *address,
                         const struct rp_client_hash *client) {
    int64_t now_ms = rp_identity_now(identity);
    struct failures own, all;
    RP_TRY(read_failures(identity->db, address, client_view(client), &own));
    if (must_wait(&own, FREE_PER_CLIENT, now_ms)) {
        return RP_ERR(RATE);
    }
    RP_TRY(read_failures(identity->db, address, all_clients(), &all));
    bool known = own.accepted_before;
    return !known && must_wait(&all, FREE_IN_ALL, now_ms) ? RP_ERR(RATE) : RP_OK;
}

/* Failures are forgotten once nothing happened for a window after the last wait. */
static uint64_t count_after(const struct failures *failures, uint64_t free_failures,
                            int64_t now_ms) {
    int64_t quiet_ms = now_ms - failures->last_ms - wait_ms(failures->count, free_failures);
    return quiet_ms > WINDOW_MS ? 1 : failures->count + 1;
}

static rp_err write_failures(struct rp_db *db, const struct rp_sha256 *address, rp_view client,
                             uint64_t count, int64_t now_ms) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO sign_in_failure (address, client, count, last_ms) "
                       "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (address, client) "
                       "DO UPDATE SET count = ?3, last_ms = ?4",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(address));
    rp_row_bind_blob(row, 2, client);
    rp_row_bind_u64(row, 3, count);
    rp_row_bind_u64(row, 4, (uint64_t)now_ms);
    return rp_row_run(row, NULL);
}

static rp_err count_one(struct rp_identity *identity, const struct rp_sha256 *address,
                        rp_view client, uint64_t free_failures) {
    int64_t now_ms = rp_identity_now(identity);
    struct failures failures;
    RP_TRY(read_failures(identity->db, address, client, &failures));
    uint64_t count = count_after(&failures, free_failures, now_ms);
    return write_failures(identity->db, address, client, count, now_ms);
}

rp_err rp_throttle_fail(struct rp_identity *identity, const struct rp_sha256 *address,
                        const struct rp_client_hash *client) {
    RP_TRY(count_one(identity, address, client_view(client), FREE_PER_CLIENT));
    return count_one(identity, address, all_clients(), FREE_IN_ALL);
}

rp_err rp_throttle_accept(struct rp_identity *identity, const struct rp_sha256 *address,
                          const struct rp_client_hash *client) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "INSERT INTO sign_in_failure (address, client, count, last_ms, accepted_ms) "
                       "VALUES (?1, ?2, 0, ?3, ?3) ON CONFLICT (address, client) "
                       "DO UPDATE SET count = 0, last_ms = ?3, accepted_ms = ?3",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(address));
    rp_row_bind_blob(row, 2, client_view(client));
    rp_row_bind_u64(row, 3, (uint64_t)rp_identity_now(identity));
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_db_query(identity->db,
                       "DELETE FROM sign_in_failure WHERE address = ?1 AND client = ?2", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(address));
    rp_row_bind_blob(row, 2, all_clients());
    return rp_row_run(row, NULL);
}

static uint64_t before(int64_t now_ms, int64_t age_ms) {
    return now_ms > age_ms ? (uint64_t)(now_ms - age_ms) : 0;
}

rp_err rp_throttle_expire(struct rp_identity *identity) {
    int64_t now_ms = rp_identity_now(identity);
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "DELETE FROM sign_in_failure WHERE last_ms < ?1 "
                       "AND (accepted_ms IS NULL OR accepted_ms < ?2)",
                       &row));
    rp_row_bind_u64(row, 1, before(now_ms, FORGET_MS));
    rp_row_bind_u64(row, 2, before(now_ms, forget_client_ms));
    return rp_row_run(row, NULL);
}
