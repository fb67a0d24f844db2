/* access.c — whatever opens a tenant's data without one of its people present stands in the
 * tenant's own log, where its administrators read who gave it.
 *
 * Grants to applications and links that share are such access. Who writes one into the database
 * past the program leaves nothing in the log, and that is what is looked for.
 */
#include <stdlib.h>

#include "base/checked.h"
#include "hunt.h"

enum { ACCESSES_MAX = 100000 };

struct access {
    rp_id id;
    bool explained;
};

struct explaining {
    const struct hunt *hunt;
    struct rp_observation *seen;
    struct access *list;
    size_t count, all, tenants;
};

/* What is open now, and how many events had been made then: one statement, so one moment. */
static rp_err read_open(struct explaining *explaining, struct rp_db *db, uint64_t *ret_last) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(db,
                       "SELECT (SELECT last FROM outbox_state), id FROM (SELECT id FROM "
                       "access_grant WHERE ended_ms = 0 AND until_ms > ?1 UNION ALL SELECT id FROM "
                       "share WHERE ended_ms = 0 AND until_ms > ?1) AS open",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_env_now_ms(&explaining->hunt->env));
    RP_TRY(rp_row_next(row, &more));
    for (explaining->count = 0; more;) {
        if (explaining->count == ACCESSES_MAX) {
            return RP_ERR(TOO_LARGE);
        }
        *ret_last = rp_row_u64(row, 0);
        explaining->list[explaining->count++] = (struct access){.id = rp_row_id(row, 1)};
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

static int compare(const void *a, const void *b) {
    const struct access *one = a, *other = b;
    return rp_view_compare(rp_view_of(one->id.b, sizeof one->id.b),
                           rp_view_of(other->id.b, sizeof other->id.b));
}

/* One event of the log: the access that it tells of, with a person who gave it. */
static rp_err explain(void *ctx, rp_view bytes, struct rp_arena *arena) {
    struct explaining *explaining = ctx;
    bool grant = rp_event_is(bytes, RP_EVENT_GRANT_CREATED);
    if (!grant && !rp_event_is(bytes, RP_EVENT_SHARE_CREATED)) {
        return RP_OK;
    }
    struct rp_event_read event;
    struct access wanted = {.explained = true};
    RP_TRY(rp_event_parse(bytes, arena, &event));
    if (!rp_id_parse(rp_json_get_string(event.fields, grant ? "grant" : "share"), &wanted.id) ||
        rp_json_get_string(event.fields, "person").n == 0) {
        return RP_OK;
    }
    struct access *found =
        bsearch(&wanted, explaining->list, explaining->count, sizeof wanted, compare);
    if (found) {
        found->explained = true;
    }
    return RP_OK;
}

static rp_err explain_all(struct explaining *explaining, struct rp_db *db, rp_id tenant) {
    _cleanup_(hunt_log_freep) struct rp_log *log = NULL;
    uint64_t last = 0;
    RP_TRY(read_open(explaining, db, &last));
    if (explaining->count == 0) {
        return RP_OK;
    }
    qsort(explaining->list, explaining->count, sizeof *explaining->list, compare);
    RP_TRY(hunt_open_log(explaining->hunt, tenant, last, &log));
    return hunt_each_event(log, last, explain, explaining);
}

static bool look(void *ctx, struct rp_db *db, rp_id tenant, const char *file) {
    struct explaining *explaining = ctx;
    rp_err err = explain_all(explaining, db, tenant);
    if (!rp_ok(err)) {
        rp_probe_unsure(explaining->seen, "%s and its log cannot be read together: %s", file,
                        rp_err_text(err, RP_EN));
        return false;
    }
    for (size_t i = 0; i < explaining->count; i++) {
        if (!explaining->list[i].explained) {
            rp_probe_broken(explaining->seen,
                            "an access without a person is open to a tenant's data, and the "
                            "tenant's log does not say who gave it");
            return false;
        }
    }
    explaining->all += explaining->count;
    explaining->tenants++;
    return true;
}

/*= S104: nobody has a way to a customer's data that the customer cannot see. */
void hunt_access_explained(void *ctx, struct rp_observation *seen) {
    struct explaining explaining = {
        .hunt = ctx, .seen = seen, .list = calloc(ACCESSES_MAX, sizeof(struct access))};
    if (!explaining.list) {
        rp_probe_unsure(seen, "out of memory");
    } else if (hunt_each_tenant(ctx, seen, look, &explaining)) {
        rp_probe_holds(seen,
                       "%zu tenants: %zu grants and links are open, and who gave each stands in "
                       "its tenant's own log",
                       explaining.tenants, explaining.all);
    }
    free(explaining.list);
}
