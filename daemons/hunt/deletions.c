/* deletions.c — a record is gone only where a person put it into the trash, and its days there
 * ended.
 *
 * A tenant's log says what was created and what ended, and why; its database says what is there.
 * Both are read as a thief of the disk would: no key is needed to count.
 */
#include "base/checked.h"
#include "hunt.h"
#include "wire/json.h"

struct counted {
    struct rp_observation *seen;
    const struct hunt *hunt;
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

struct sums {
    uint64_t created, ended;
    bool unjustified;
};

static rp_err sum_up(void *ctx, rp_view bytes, struct rp_arena *arena) {
    struct sums *sums = ctx;
    struct rp_json *event = NULL;
    RP_TRY(rp_json_parse(bytes, RP_JSON_LIMITS, arena, &event, NULL));
    sums->unjustified |= !count_event(event, &sums->created, &sums->ended);
    return RP_OK;
}

static bool look(void *ctx, struct rp_db *db, rp_id tenant, const char *file) {
    struct counted *all = ctx;
    _cleanup_(hunt_log_freep) struct rp_log *log = NULL;
    struct sums sums = {.created = 0};
    uint64_t rows = 0, last = 0;
    rp_err err = count_rows(db, &rows, &last);
    if (rp_ok(err) && last > 0) {
        err = hunt_open_log(all->hunt, tenant, last, &log);
    }
    if (rp_ok(err) && last > 0) {
        err = hunt_each_event(log, last, sum_up, &sums);
    }
    if (!rp_ok(err)) {
        rp_probe_unsure(all->seen, "%s and its log cannot be read together: %s", file,
                        rp_err_text(err, RP_EN));
        return false;
    }
    if (sums.unjustified) {
        rp_probe_broken(all->seen, "a record ended that no person had put into the trash");
        return false;
    }
    if (rows + sums.ended < sums.created) {
        rp_probe_broken(all->seen,
                        "%llu records of a tenant are gone without a deletion in its log",
                        (unsigned long long)(sums.created - sums.ended - rows));
        return false;
    }
    all->tenants++;
    all->records += rows;
    all->ended += sums.ended;
    return true;
}

/*= S89: what was deleted was deleted by somebody, and was in the trash for its time. */
void hunt_deletions_justified(void *ctx, struct rp_observation *seen) {
    struct counted all = {.seen = seen, .hunt = ctx};
    if (hunt_each_tenant(ctx, seen, look, &all)) {
        rp_probe_holds(seen,
                       "%zu tenants: %llu records are there, %llu ended, each out of the trash "
                       "that a person had put it into; none is gone otherwise",
                       all.tenants, (unsigned long long)all.records, (unsigned long long)all.ended);
    }
}
