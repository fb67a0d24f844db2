/* deletions.c — a record is gone only where a person put it into the trash, and its days there
 * ended.
 *
 * A tenant's log says what was created and what ended, and why; its database says what is there.
 * Both are read as a thief of the disk would: no key is needed to count.
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "hunt.h"
#include "ledger/read_io.h"
#include "wire/json.h"

enum { LOG_TRIES = 40, LOG_PAUSE_MS = 500, ENTRY_ARENA = 1 << 20 };

struct counted {
    struct rp_observation *seen;
    const atomic_bool *stopping;
    size_t tenants;
    uint64_t records, ended;
};

/* Rows that are there, and events that had been made then: one statement, so one moment. */
static rp_err count_rows(struct rp_db *db, uint64_t *ret_rows, uint64_t *ret_last) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT (SELECT count(*) FROM record), (SELECT last FROM outbox_state)",
                       &row));
    RP_TRY(rp_row_first(row));
    *ret_rows = rp_row_u64(row, 0);
    *ret_last = rp_row_u64(row, 1);
    return RP_OK;
}

static void log_freep(struct rp_log **log) {
    rp_log_free(*log);
}

/* What the database counted first arrives in the log a little later. */
static rp_err open_log(const atomic_bool *stopping, rp_id tenant, uint64_t last,
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
        (void)rp_probe_wait(stopping, LOG_PAUSE_MS);
    }
    return RP_ERR(TIMEOUT);
}

/* One event; false when it says of a deletion what must not be. */
static bool count_event(const struct rp_json *event, uint64_t *created, uint64_t *ended) {
    const struct rp_json *facts = rp_json_get(event, "unmapped");
    rp_view code = rp_json_get_string(rp_json_get(event, "metadata"), "event_code");
    *created += rp_view_equal(code, RP_VIEW("record.created"));
    if (rp_view_equal(code, RP_VIEW("record.deleted"))) {
        return rp_json_get_string(facts, "person").n > 0;
    }
    if (rp_view_equal(code, RP_VIEW("record.purged"))) {
        ++*ended;
        return rp_view_equal(rp_json_get_string(facts, "reason"), RP_VIEW("trash"));
    }
    return true;
}

static rp_err count_log(struct rp_log *log, uint64_t last, uint64_t *ret_created,
                        uint64_t *ret_ended, bool *ret_justified) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ENTRY_ARENA);
    bool justified = true;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    for (uint64_t i = 0; i < last; i++) {
        rp_view entry = {NULL, 0};
        struct rp_json *event = NULL;
        rp_arena_reset(arena);
        RP_TRY(rp_log_entry(log, i, arena, &entry));
        RP_TRY(rp_json_parse(entry, RP_JSON_LIMITS, arena, &event, NULL));
        justified = count_event(event, ret_created, ret_ended) && justified;
    }
    *ret_justified = justified;
    return RP_OK;
}

static bool look(void *ctx, struct rp_db *db, rp_id tenant, const char *file) {
    struct counted *all = ctx;
    _cleanup_(log_freep) struct rp_log *log = NULL;
    uint64_t rows = 0, last = 0, created = 0, ended = 0;
    bool justified = true;
    rp_err err = count_rows(db, &rows, &last);
    if (rp_ok(err) && last > 0) {
        err = open_log(all->stopping, tenant, last, &log);
    }
    if (rp_ok(err) && last > 0) {
        err = count_log(log, last, &created, &ended, &justified);
    }
    if (!rp_ok(err)) {
        rp_probe_unsure(all->seen, "%s and its log cannot be read together: %s", file,
                        rp_err_text(err, RP_EN));
        return false;
    }
    if (!justified) {
        rp_probe_broken(all->seen, "a record ended that no person had put into the trash");
        return false;
    }
    if (rows + ended < created) {
        rp_probe_broken(all->seen,
                        "%llu records of a tenant are gone without a deletion in its log",
                        (unsigned long long)(created - ended - rows));
        return false;
    }
    all->tenants++;
    all->records += rows;
    all->ended += ended;
    return true;
}

/*= S89: what was deleted was deleted by somebody, and was in the trash for its time. */
void hunt_deletions_justified(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct counted all = {.seen = seen, .stopping = &hunt->stopping};
    if (hunt_each_tenant(seen, look, &all)) {
        rp_probe_holds(seen,
                       "%zu tenants: %llu records are there, %llu ended, each out of the trash "
                       "that a person had put it into; none is gone otherwise",
                       all.tenants, (unsigned long long)all.records, (unsigned long long)all.ended);
    }
}
