/* closing.c — asking for an organisation's end, telling its administrators, taking it back. */
#include "identity/closing.h"

#include <stdio.h>

#include "base/assert.h"
#include "identity/internal.h"

static const int64_t DAY_MS = (int64_t)24 * 3600 * 1000;

#define COLUMNS "tenant, asked_ms, due_ms, ended_ms, destroyed_ms, removed_ms"

static struct rp_closing read_row(struct rp_row *row) {
    return (struct rp_closing){.tenant = rp_row_id(row, 0),
                               .asked_ms = (int64_t)rp_row_u64(row, 1),
                               .due_ms = (int64_t)rp_row_u64(row, 2),
                               .ended_ms = (int64_t)rp_row_u64(row, 3),
                               .destroyed_ms = (int64_t)rp_row_u64(row, 4),
                               .removed_ms = (int64_t)rp_row_u64(row, 5)};
}

rp_err rp_identity_closing(struct rp_identity *identity, rp_id tenant,
                           struct rp_closing *ret_closing) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT " COLUMNS " FROM tenant_closing WHERE tenant = ?1",
                       &row));
    rp_row_bind_id(row, 1, tenant);
    RP_TRY(rp_row_first(row));
    *ret_closing = read_row(row);
    return RP_OK;
}

rp_err rp_identity_closings_due(struct rp_identity *identity,
                                struct rp_closing closings[static RP_CLOSINGS_AT_ONCE],
                                size_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT " COLUMNS " FROM tenant_closing WHERE removed_ms = 0 AND "
                       "due_ms <= ?1 ORDER BY due_ms LIMIT ?2",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_identity_now(identity));
    rp_row_bind_u64(row, 2, RP_CLOSINGS_AT_ONCE);
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < RP_CLOSINGS_AT_ONCE) {
        closings[count++] = read_row(row);
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_count = count;
    return RP_OK;
}

rp_err rp_identity_tenant_created(struct rp_identity *identity, rp_id tenant, int64_t *ret_ms) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT created_ms FROM tenant WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, tenant);
    RP_TRY(rp_row_first(row));
    *ret_ms = (int64_t)rp_row_u64(row, 0);
    return RP_OK;
}

/* ---- asking ---- */

struct asking {
    struct rp_identity *identity;
    struct rp_closing closing;
    const char *name;
    struct rp_diag *diag;
};

static rp_err check_nobody_operates(struct rp_db *db, const struct asking *asking) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        db, "SELECT count(*) FROM membership WHERE tenant = ?1 AND (roles & ?2) <> 0", &row));
    rp_row_bind_id(row, 1, asking->closing.tenant);
    rp_row_bind_u64(row, 2, RP_OPERATOR);
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) == 0
               ? RP_OK
               : rp_fail(asking->diag, RP_ERR(CONFLICT),
                         "people of this organisation operate the installation: give that role to "
                         "others first (rempart person role)");
}

static rp_err insert(struct rp_db *db, const struct rp_closing *closing) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        db, "INSERT INTO tenant_closing (tenant, asked_ms, due_ms) VALUES (?1, ?2, ?3)", &row));
    rp_row_bind_id(row, 1, closing->tenant);
    rp_row_bind_u64(row, 2, (uint64_t)closing->asked_ms);
    rp_row_bind_u64(row, 3, (uint64_t)closing->due_ms);
    return rp_row_run(row, NULL);
}

static rp_err emit_closing(struct rp_db *db, void *ctx) {
    const struct asking *asking = ctx;
    struct rp_event *event = rp_identity_event(asking->identity, RP_EVENT_TENANT_CLOSING);
    rp_event_add_id(event, "tenant", asking->closing.tenant);
    rp_event_add_text(event, "due",
                      rp_view_from_cstr(rp_time_print(asking->closing.due_ms / 1000).s));
    rp_event_add_text(event, "by", RP_VIEW("owner"));
    return rp_db_emit(db, event);
}

/* By mail, so that they take their data with them while they can. */
static rp_err write_to_one(const struct asking *asking, rp_id person) {
    struct rp_time_text day = rp_time_print(asking->closing.due_ms / 1000);
    day.s[10] = 0; /* the day, as every language reads it */
    const struct rp_notice_value values[] = {{"tenant", rp_view_from_cstr(asking->name)},
                                             {"due", rp_view_from_cstr(day.s)}};
    struct rp_notice notice = {.kind = RP_NOTICE_TENANT_CLOSING,
                               .channels = RP_NOTICE_MAIL,
                               .values = values,
                               .value_count = RP_COUNT_OF(values)};
    RP_TRY(rp_identity_lang_of(asking->identity, person, &notice.lang));
    return rp_identity_write_to(asking->identity, person, &notice);
}

enum { TOLD_MAX = 64 };

static rp_err write_to_administrators(struct rp_db *db, const struct asking *asking) {
    rp_id people[TOLD_MAX];
    size_t count = 0;
    if (!asking->identity->options.origin || asking->closing.due_ms <= asking->closing.asked_ms) {
        return RP_OK;
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT person FROM membership WHERE tenant = ?1 AND (roles & ?2) <> 0 "
                       "LIMIT ?3",
                       &row));
    rp_row_bind_id(row, 1, asking->closing.tenant);
    rp_row_bind_u64(row, 2, RP_TENANT_ADMIN);
    rp_row_bind_u64(row, 3, TOLD_MAX);
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < TOLD_MAX) {
        people[count++] = rp_row_id(row, 0);
        RP_TRY(rp_row_next(row, &more));
    }
    rp_row_done(row);
    for (size_t i = 0; i < count; i++) {
        RP_TRY(write_to_one(asking, people[i]));
    }
    return RP_OK;
}

static rp_err do_close(struct rp_db *db, void *ctx) {
    struct asking *asking = ctx;
    RP_TRY(check_nobody_operates(db, asking));
    RP_TRY(insert(db, &asking->closing));
    RP_TRY(write_to_administrators(db, asking));
    return emit_closing(db, asking);
}

rp_err rp_identity_close(struct rp_identity *identity, rp_id tenant, unsigned days,
                         struct rp_closing *ret_closing, struct rp_diag *diag) {
    RP_ASSERT(identity != NULL && ret_closing != NULL);
    char name[129];
    const struct rp_secret *key = NULL;
    struct rp_db *db = NULL;
    int64_t now_ms = rp_identity_now(identity);
    if (rp_id_equal(tenant, identity->home) || days > RP_CLOSING_DAYS_MAX) {
        return rp_fail(diag, RP_ERR(INVALID),
                       days > RP_CLOSING_DAYS_MAX ? "days: 0 to 180"
                                                  : "this installation's own organisation stays");
    }
    RP_TRY(rp_identity_tenant_name(identity, tenant, name));
    struct asking asking = {
        .identity = identity,
        .closing = {.tenant = tenant, .asked_ms = now_ms, .due_ms = now_ms + days * DAY_MS},
        .name = name,
        .diag = diag};
    /* A restored backup may hold an organisation whose key is no more: it can be closed too. */
    rp_err leased = rp_identity_tenant_key(identity, tenant, &key);
    if (!rp_ok(leased) && !rp_is(leased, RP_E_CORRUPT)) {
        return leased;
    }
    RP_TRY(rp_db_transact(identity->db, do_close, &asking));
    /* The customer's own log says so too; that it finds no room there does not stop it. */
    if (rp_ok(rp_store_tenant(identity->store, tenant, false, &db, NULL))) {
        rp_ignore(rp_db_transact(db, emit_closing, &asking));
    }
    *ret_closing = asking.closing;
    return RP_OK;
}

/* ---- taking it back ---- */

static rp_err emit_reopened(struct rp_db *db, void *ctx) {
    const struct asking *asking = ctx;
    struct rp_event *event = rp_identity_event(asking->identity, RP_EVENT_TENANT_REOPENED);
    rp_event_add_id(event, "tenant", asking->closing.tenant);
    rp_event_add_text(event, "by", RP_VIEW("owner"));
    return rp_db_emit(db, event);
}

static rp_err do_reopen(struct rp_db *db, void *ctx) {
    struct asking *asking = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_identity_closing(asking->identity, asking->closing.tenant, &asking->closing));
    if (asking->closing.due_ms <= rp_identity_now(asking->identity)) {
        return RP_ERR(EXPIRED);
    }
    RP_TRY(rp_db_query(db, "DELETE FROM tenant_closing WHERE tenant = ?1", &row));
    rp_row_bind_id(row, 1, asking->closing.tenant);
    RP_TRY(rp_row_run(row, NULL));
    return emit_reopened(db, asking);
}

rp_err rp_identity_reopen(struct rp_identity *identity, rp_id tenant) {
    RP_ASSERT(identity != NULL);
    struct asking asking = {.identity = identity, .closing = {.tenant = tenant}};
    struct rp_db *db = NULL;
    RP_TRY(rp_db_transact(identity->db, do_reopen, &asking));
    if (rp_ok(rp_store_tenant(identity->store, tenant, false, &db, NULL))) {
        rp_ignore(rp_db_transact(db, emit_reopened, &asking));
    }
    return RP_OK;
}
