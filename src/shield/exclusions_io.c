#include "shield/exclusions_io.h"

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/shm.h"

enum { TABLE_MODE = 0640, REASON_MAX = 200, WHO_MAX = 64 };

static const char table_path[] = "run/exclusions.tab";

/* ---- deciding ---- */

struct deciding {
    const struct rp_env *env;
    const struct rp_waf_decision *decision;
    const char *change;
};

static rp_err emit(const struct deciding *d, struct rp_db *db) {
    const struct rp_waf_decision *decision = d->decision;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_WAF_EXCLUSION, rp_env_now_ms(d->env), RP_ROLE_CORE);
    rp_event_add_text(event, "change", rp_view_from_cstr(d->change));
    rp_event_add_text(event, "entry", decision->id);
    rp_event_add_text(event, "app", decision->exclusion.app);
    rp_event_add_u64(event, "rule", decision->exclusion.rule);
    rp_event_add_text(event, "variable", decision->exclusion.variable);
    rp_event_add_text(event, "path", decision->exclusion.path);
    rp_event_add_text(event, "reason", decision->reason);
    rp_event_add_text(event, "by", decision->who);
    rp_event_add_u64(event, "people", decision->people);
    rp_event_add_u64(event, "organisations", decision->organisations);
    rp_event_add_u64(event, "count", decision->requests);
    return rp_db_emit(db, event);
}

static rp_err count_rows(struct rp_db *db, const char *sql, rp_view id, uint64_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(db, sql, &row));
    if (id.p) {
        rp_row_bind_text(row, 1, id);
    }
    RP_TRY(rp_row_next(row, &more));
    RP_ASSERT(more);
    *ret_count = rp_row_u64(row, 0);
    return RP_OK;
}

static rp_err insert(struct rp_db *db, const struct deciding *d) {
    const struct rp_waf_decision *one = d->decision;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO waf_exclusion (id, app, rule, variable, path, accepted, "
                       "reason, who, since_ms, people, organisations, requests) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                       &row));
    rp_row_bind_text(row, 1, one->id);
    rp_row_bind_text(row, 2, one->exclusion.app);
    rp_row_bind_u64(row, 3, one->exclusion.rule);
    rp_row_bind_text(row, 4, one->exclusion.variable.n ? one->exclusion.variable : RP_VIEW(""));
    rp_row_bind_text(row, 5, one->exclusion.path);
    rp_row_bind_u64(row, 6, one->accepted);
    rp_row_bind_text(row, 7, one->reason);
    rp_row_bind_text(row, 8, one->who);
    rp_row_bind_u64(row, 9, (uint64_t)rp_env_now_ms(d->env));
    rp_row_bind_u64(row, 10, one->people);
    rp_row_bind_u64(row, 11, one->organisations);
    rp_row_bind_u64(row, 12, one->requests);
    return rp_row_run(row, NULL);
}

static rp_err put(struct rp_db *db, void *ctx) {
    const struct deciding *d = ctx;
    uint64_t there = 0, accepted = 0;
    RP_TRY(count_rows(db, "SELECT count(*) FROM waf_exclusion WHERE id = ?1", d->decision->id,
                      &there));
    RP_TRY(count_rows(db, "SELECT count(*) FROM waf_exclusion WHERE accepted = 1",
                      (rp_view){NULL, 0}, &accepted));
    if (there > 0) {
        return RP_ERR(DUPLICATE);
    }
    if (d->decision->accepted && accepted >= RP_EXCLUSIONS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(insert(db, d));
    return emit(d, db);
}

rp_err rp_waf_decision_put(const struct rp_env *env, struct rp_db *db,
                           const struct rp_waf_decision *decision, struct rp_diag *diag) {
    RP_TRY(rp_exclusion_check(&decision->exclusion, diag));
    bool said = decision->reason.n >= 1 && decision->reason.n <= REASON_MAX &&
                decision->who.n >= 1 && decision->who.n <= WHO_MAX;
    if (!said || decision->id.n != 8) {
        return rp_fail(diag, RP_ERR(INVALID), "a reason of at most %d bytes, and who says it",
                       REASON_MAX);
    }
    struct deciding d = {env, decision, decision->accepted ? "accepted" : "rejected"};
    rp_err err = rp_db_transact(db, put, &d);
    if (rp_is(err, RP_E_DUPLICATE)) {
        return rp_fail(diag, err, "%.*s was decided already: rempart waf exclusions",
                       RP_FMT(decision->id));
    }
    return rp_is(err, RP_E_TOO_LARGE)
               ? rp_fail(diag, err, "there are %d exclusions already: remove some",
                         RP_EXCLUSIONS_MAX)
               : err;
}

/* ---- reading ---- */

static struct rp_waf_decision decision_of(struct rp_row *row) {
    return (struct rp_waf_decision){
        .id = rp_row_text(row, 0),
        .exclusion = {.app = rp_row_text(row, 1),
                      .rule = (uint32_t)rp_row_u64(row, 2),
                      .variable = rp_row_text(row, 3),
                      .path = rp_row_text(row, 4)},
        .accepted = rp_row_u64(row, 5) == 1,
        .reason = rp_row_text(row, 6),
        .who = rp_row_text(row, 7),
        .since_ms = (int64_t)rp_row_u64(row, 8),
        .people = rp_row_u64(row, 9),
        .organisations = rp_row_u64(row, 10),
        .requests = rp_row_u64(row, 11),
    };
}

rp_err rp_waf_decisions_each(struct rp_db *db,
                             rp_err (*each)(void *ctx, const struct rp_waf_decision *decision),
                             void *ctx) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT id, app, rule, variable, path, accepted, reason, who, since_ms, "
                       "people, organisations, requests FROM waf_exclusion ORDER BY app, rule, id",
                       &row));
    for (bool more = true;;) {
        RP_TRY(rp_row_next(row, &more));
        if (!more) {
            return RP_OK;
        }
        struct rp_waf_decision decision = decision_of(row);
        RP_TRY(each(ctx, &decision));
    }
}

rp_err rp_waf_decisions_organisations(struct rp_db *db, uint64_t *ret_count) {
    return count_rows(db,
                      "SELECT count(*) FROM tenant WHERE ready = 1 AND internal = 0 "
                      "AND name NOT IN ('canary-a', 'canary-b')",
                      (rp_view){NULL, 0}, ret_count);
}

/* ---- taking back ---- */

struct removing {
    const struct rp_env *env;
    rp_view id, who;
    bool found;
    struct rp_db *db;
};

static rp_err say_removed(void *ctx, const struct rp_waf_decision *row) {
    struct removing *r = ctx;
    if (!rp_view_equal(row->id, r->id)) {
        return RP_OK;
    }
    struct rp_waf_decision gone = *row;
    gone.who = r->who;
    struct deciding d = {r->env, &gone, row->accepted ? "removed" : "reopened"};
    r->found = true;
    return emit(&d, r->db);
}

static rp_err take_back(struct rp_db *db, void *ctx) {
    struct removing *r = ctx;
    struct rp_row *row = NULL;
    r->db = db;
    RP_TRY(rp_waf_decisions_each(db, say_removed, r));
    if (!r->found) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_db_query(db, "DELETE FROM waf_exclusion WHERE id = ?1", &row));
    rp_row_bind_text(row, 1, r->id);
    return rp_row_run(row, NULL);
}

rp_err rp_waf_decision_remove(const struct rp_env *env, struct rp_db *db, rp_view id, rp_view who) {
    if (who.n == 0 || who.n > WHO_MAX) {
        return RP_ERR(INVALID);
    }
    struct removing r = {.env = env, .id = id, .who = who};
    return rp_db_transact(db, take_back, &r);
}

/* ---- the table ---- */

static rp_err add_row(void *ctx, const struct rp_waf_decision *decision) {
    return decision->accepted ? rp_exclusions_add(ctx, &decision->exclusion) : RP_OK;
}

rp_err rp_exclusions_publish(struct rp_db *db) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena =
        rp_arena_new(sizeof(struct rp_exclusion_table));
    struct rp_exclusion_table *table = arena ? rp_arena_alloc(arena, sizeof *table) : NULL;
    if (!table) {
        return RP_ERR(NO_MEMORY);
    }
    rp_exclusions_init(table);
    RP_TRY(rp_waf_decisions_each(db, add_row, table));
    rp_exclusions_seal(table);
    rp_view bytes = rp_view_of(table, sizeof *table);
    struct rp_shm there = {0};
    bool same = rp_ok(rp_shm_open(table_path, false, sizeof *table, &there)) &&
                rp_view_equal(rp_view_of(there.p, there.n), bytes);
    rp_shm_done(&there);
    return same ? RP_OK : rp_file_replace(table_path, TABLE_MODE, bytes);
}
