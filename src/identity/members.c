#include "identity/members.h"

#include "base/assert.h"
#include "identity/internal.h"

/* ---- who is there ---- */

static const char people_sql[] =
    "SELECT person.id, person.tenant, roles, created_ms, email_sealed, totp_sealed IS NOT NULL, "
    "(SELECT count(*) FROM passkey WHERE passkey.person = person.id), (SELECT count(*) FROM "
    "recovery_code c WHERE c.person = person.id AND c.used_ms IS NULL) FROM membership "
    "JOIN person ON person.id = membership.person WHERE membership.tenant = ?1 "
    "ORDER BY created_ms, person.id";
static const char invitations_sql[] =
    "SELECT person, tenant, roles, expires_ms, email_sealed, 0, 0, 0 FROM invitation "
    "WHERE tenant = ?1 AND used_ms IS NULL AND expires_ms > ?2 ORDER BY expires_ms, person";

struct listing {
    struct rp_identity *identity;
    rp_err (*each)(void *ctx, const struct rp_member *member);
    void *ctx;
};

static rp_err show_row(const struct listing *listing, struct rp_row *row, bool invited) {
    struct rp_member member = {.person = rp_row_id(row, 0),
                               .roles = (unsigned)rp_row_u64(row, 2) & RP_ROLES_ALL,
                               .invited = invited,
                               .since_ms = (int64_t)rp_row_u64(row, 3),
                               .has_totp = rp_row_u64(row, 5) == 1,
                               .passkeys = (size_t)rp_row_u64(row, 6),
                               .recovery_left = (size_t)rp_row_u64(row, 7)};
    const struct rp_place place = {"email", rp_row_id(row, 1), member.person};
    if (member.roles == 0) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(rp_identity_open_email(listing->identity, &place, rp_row_blob(row, 4), member.email));
    return listing->each(listing->ctx, &member);
}

static rp_err show_rows(const struct listing *listing, struct rp_row *row, bool invited) {
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_TRY(show_row(listing, row, invited));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

rp_err rp_identity_each_member(struct rp_identity *identity, rp_id tenant,
                               rp_err (*each)(void *ctx, const struct rp_member *member),
                               void *ctx) {
    RP_ASSERT(identity != NULL && each != NULL);
    struct listing listing = {identity, each, ctx};
    char name[129];
    RP_TRY(rp_identity_tenant_name(identity, tenant, name));
    _cleanup_(rp_row_donep) struct rp_row *people = NULL;
    RP_TRY(rp_db_query(identity->db, people_sql, &people));
    rp_row_bind_id(people, 1, tenant);
    RP_TRY(show_rows(&listing, people, false));
    _cleanup_(rp_row_donep) struct rp_row *invitations = NULL;
    RP_TRY(rp_db_query(identity->db, invitations_sql, &invitations));
    rp_row_bind_id(invitations, 1, tenant);
    rp_row_bind_u64(invitations, 2, (uint64_t)rp_identity_now(identity));
    return show_rows(&listing, invitations, true);
}

rp_err rp_identity_each_operator(struct rp_identity *identity,
                                 rp_err (*each)(void *ctx, rp_id person), void *ctx) {
    RP_ASSERT(identity != NULL && each != NULL);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT DISTINCT person FROM membership WHERE (roles & ?1) <> 0 "
                       "ORDER BY person",
                       &row));
    rp_row_bind_u64(row, 1, RP_OPERATOR);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_TRY(each(ctx, rp_row_id(row, 0)));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

rp_err rp_identity_member_at(struct rp_identity *identity, rp_id tenant, rp_view email,
                             rp_id *ret_person) {
    RP_ASSERT(identity != NULL && ret_person != NULL);
    struct rp_sha256 address;
    RP_TRY(rp_identity_address(identity, email, &address));
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT person.id, 0 AS invited FROM person "
                       "JOIN membership ON membership.person = person.id "
                       "WHERE address = ?1 AND membership.tenant = ?2 "
                       "UNION ALL SELECT person, 1 FROM invitation "
                       "WHERE address = ?1 AND tenant = ?2 AND used_ms IS NULL "
                       "ORDER BY invited LIMIT 1",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&address));
    rp_row_bind_id(row, 2, tenant);
    RP_TRY(rp_row_first(row));
    *ret_person = rp_row_id(row, 0);
    return RP_OK;
}

/* ---- who may change whom ---- */

struct changing {
    struct rp_identity *identity;
    const struct rp_member_change *change;
    unsigned former;
    struct rp_own_session *ended;
    size_t count;
};

static rp_err roles_in(struct rp_db *db, rp_id tenant, rp_id person, unsigned *ret_roles) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT roles FROM membership WHERE tenant = ?1 AND person = ?2", &row));
    rp_row_bind_id(row, 1, tenant);
    rp_row_bind_id(row, 2, person);
    RP_TRY(rp_row_first(row));
    *ret_roles = (unsigned)rp_row_u64(row, 0) & RP_ROLES_ALL;
    return RP_OK;
}

/*= S105 */ /* an administrator changes members and administrators, never who operates the whole */
static rp_err check_may(struct rp_db *db, const struct changing *changing) {
    const struct rp_member_change *change = changing->change;
    if (rp_id_is_none(change->by)) {
        return RP_OK;
    }
    unsigned own = 0;
    rp_err err = roles_in(db, change->tenant, change->by, &own);
    if (rp_is(err, RP_E_NOT_FOUND) || (rp_ok(err) && !(own & RP_TENANT_ADMIN))) {
        return RP_ERR(DENIED);
    }
    RP_TRY(err);
    unsigned touched = changing->former | change->roles;
    return (touched & RP_OPERATOR) && !(own & RP_OPERATOR) ? RP_ERR(DENIED) : RP_OK;
}

static rp_err check_not_last(struct rp_db *db, const struct changing *changing) {
    const struct rp_member_change *change = changing->change;
    if (!(changing->former & RP_TENANT_ADMIN) || (change->roles & RP_TENANT_ADMIN)) {
        return RP_OK;
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT count(*) FROM membership "
                       "WHERE tenant = ?1 AND person <> ?2 AND (roles & ?3) <> 0",
                       &row));
    rp_row_bind_id(row, 1, change->tenant);
    rp_row_bind_id(row, 2, change->person);
    rp_row_bind_u64(row, 3, RP_TENANT_ADMIN);
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) > 0 ? RP_OK : RP_ERR(CONFLICT);
}

/* ---- the change ---- */

static rp_err run_for(struct rp_db *db, const char *sql, rp_id tenant, rp_id person) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_id(row, 1, person);
    rp_row_bind_id(row, 2, tenant);
    return rp_row_run(row, NULL);
}

static rp_err end_sessions(struct changing *changing) {
    const struct rp_member_change *change = changing->change;
    struct rp_own_session all[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    RP_TRY(rp_identity_own_sessions(changing->identity, change->person, all, &count));
    for (size_t i = 0; i < count; i++) {
        if (!rp_id_equal(all[i].tenant, change->tenant)) {
            continue;
        }
        const struct rp_session session = {.cookie_hash = all[i].cookie_hash,
                                           .view = {.session = all[i].session,
                                                    .person = change->person,
                                                    .tenant = change->tenant}};
        rp_view reason = change->roles ? RP_VIEW("roles_changed") : RP_VIEW("removed");
        RP_TRY(rp_session_end(changing->identity, &session, reason));
        changing->ended[changing->count++] = all[i];
    }
    return RP_OK;
}

/* What is left of a person who belongs nowhere: nothing. */
static rp_err forget(struct rp_db *db, const struct rp_member_change *change) {
    static const char *const steps[] = {
        "DELETE FROM session WHERE person = ?1 AND ?2 IS NOT NULL",
        "DELETE FROM password_reset WHERE person = ?1 AND ?2 IS NOT NULL",
        "DELETE FROM address_change WHERE person = ?1 AND ?2 IS NOT NULL",
        "DELETE FROM recovery_code WHERE person = ?1 AND ?2 IS NOT NULL",
        "DELETE FROM notice WHERE person = ?1 AND ?2 IS NOT NULL",
        "DELETE FROM person WHERE id = ?1 AND ?2 IS NOT NULL"};
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT count(*) FROM membership WHERE person = ?1", &row));
    rp_row_bind_id(row, 1, change->person);
    RP_TRY(rp_row_first(row));
    if (rp_row_u64(row, 0) > 0) {
        return RP_OK;
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        RP_TRY(run_for(db, steps[i], change->tenant, change->person));
    }
    return RP_OK;
}

static rp_err emit_change(const struct changing *changing) {
    const struct rp_member_change *change = changing->change;
    struct rp_event *event = rp_identity_event(
        changing->identity, change->roles ? RP_EVENT_ROLE_CHANGED : RP_EVENT_MEMBER_REMOVED);
    rp_event_add_id(event, "tenant", change->tenant);
    rp_event_add_id(event, "person", change->person);
    if (change->roles) {
        struct rp_roles_text roles = rp_roles_print(change->roles);
        rp_event_add_text(event, "role", rp_view_from_cstr(roles.s));
    }
    struct rp_roles_text former = rp_roles_print(changing->former);
    rp_event_add_text(event, "former", rp_view_from_cstr(former.s));
    if (!rp_id_is_none(change->by)) {
        rp_event_add_id(event, "by", change->by);
    }
    return rp_db_emit(changing->identity->db, event);
}

static rp_err put_roles(struct rp_db *db, const struct rp_member_change *change) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE membership SET roles = ?3 WHERE person = ?1 AND tenant = ?2",
                       &row));
    rp_row_bind_id(row, 1, change->person);
    rp_row_bind_id(row, 2, change->tenant);
    rp_row_bind_u64(row, 3, change->roles);
    return rp_row_run(row, NULL);
}

static rp_err change_person(struct rp_db *db, struct changing *changing) {
    const struct rp_member_change *change = changing->change;
    RP_TRY(check_may(db, changing));
    RP_TRY(check_not_last(db, changing));
    if (change->roles == changing->former) {
        return RP_OK;
    }
    RP_TRY(rp_identity_clear(changing->identity, change->person, change->roles, changing->former));
    RP_TRY(end_sessions(changing));
    RP_TRY(run_for(db, "DELETE FROM pending_sign_in WHERE person = ?1 AND tenant = ?2",
                   change->tenant, change->person));
    if (change->roles) {
        RP_TRY(put_roles(db, change));
    } else {
        RP_TRY(run_for(db, "DELETE FROM membership WHERE person = ?1 AND tenant = ?2",
                       change->tenant, change->person));
        RP_TRY(forget(db, change));
    }
    return emit_change(changing);
}

/* Nobody has come yet: the link stops working. */
static rp_err withdraw(struct rp_db *db, struct changing *changing) {
    const struct rp_member_change *change = changing->change;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT roles FROM invitation "
                       "WHERE person = ?1 AND tenant = ?2 AND used_ms IS NULL",
                       &row));
    rp_row_bind_id(row, 1, change->person);
    rp_row_bind_id(row, 2, change->tenant);
    rp_err err = rp_row_first(row);
    changing->former = rp_ok(err) ? (unsigned)rp_row_u64(row, 0) & RP_ROLES_ALL : 0;
    rp_row_done(row);
    RP_TRY(err);
    RP_TRY(check_may(db, changing));
    if (change->roles) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(run_for(db,
                   "DELETE FROM invitation WHERE person = ?1 AND tenant = ?2 AND used_ms IS NULL",
                   change->tenant, change->person));
    return emit_change(changing);
}

static rp_err do_change(struct rp_db *db, void *ctx) {
    struct changing *changing = ctx;
    changing->count = 0;
    rp_err err =
        roles_in(db, changing->change->tenant, changing->change->person, &changing->former);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return withdraw(db, changing);
    }
    RP_TRY(err);
    return changing->former ? change_person(db, changing) : RP_ERR(CORRUPT);
}

rp_err rp_identity_change_member(struct rp_identity *identity,
                                 const struct rp_member_change *change,
                                 struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                                 size_t *ret_count) {
    RP_ASSERT(identity != NULL && change != NULL && ret_count != NULL);
    if ((change->roles & ~(unsigned)RP_ROLES_ALL) != 0) {
        return RP_ERR(INVALID);
    }
    struct changing changing = {.identity = identity, .change = change, .ended = ended};
    RP_TRY(rp_identity_say_uncleared(identity, rp_db_transact(identity->db, do_change, &changing),
                                     (rp_id){{0}}, change->by));
    *ret_count = changing.count;
    return RP_OK;
}
