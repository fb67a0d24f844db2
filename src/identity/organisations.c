#include "identity/organisations.h"

#include "base/assert.h"
#include "identity/invitation.h"

rp_err rp_identity_organisations(struct rp_identity *identity, rp_id person,
                                 struct rp_organisation list[static RP_ORGANISATIONS_MAX],
                                 size_t *ret_count) {
    RP_ASSERT(identity != NULL && ret_count != NULL);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT tenant.id, roles, name FROM membership "
                       "JOIN tenant ON tenant.id = membership.tenant "
                       "WHERE person = ?1 ORDER BY name, tenant.id LIMIT ?2",
                       &row));
    rp_row_bind_id(row, 1, person);
    rp_row_bind_u64(row, 2, RP_ORGANISATIONS_MAX);
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < RP_ORGANISATIONS_MAX) {
        struct rp_organisation *one = &list[count++];
        rp_view name = rp_row_text(row, 2);
        *one = (struct rp_organisation){.tenant = rp_row_id(row, 0),
                                        .roles = (unsigned)rp_row_u64(row, 1) & RP_ROLES_ALL};
        if (name.n >= sizeof one->name) {
            return RP_ERR(CORRUPT);
        }
        memcpy(one->name, name.p, name.n);
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_count = count;
    return RP_OK;
}

rp_err rp_identity_address_of(struct rp_identity *identity, rp_id person,
                              char ret_email[static RP_EMAIL_MAX + 1]) {
    RP_ASSERT(identity != NULL);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    uint8_t sealed[RP_SEALED_MAX];
    RP_TRY(
        rp_db_query(identity->db, "SELECT tenant, email_sealed FROM person WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_first(row));
    rp_view blob = rp_row_blob(row, 1);
    if (blob.n == 0 || blob.n > sizeof sealed) {
        return RP_ERR(CORRUPT);
    }
    memcpy(sealed, blob.p, blob.n);
    const struct rp_place place = {"email", rp_row_id(row, 0), person};
    return rp_identity_open_email(identity, &place, rp_view_of(sealed, blob.n), ret_email);
}

/* ---- to another one ---- */

struct switching {
    struct rp_identity *identity;
    const struct rp_session *former;
    struct rp_session_new next;
    struct rp_token cookie;
    struct rp_session session;
};

static rp_err read_roles(struct rp_db *db, struct switching *switching) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT roles FROM membership WHERE person = ?1 AND tenant = ?2", &row));
    rp_row_bind_id(row, 1, switching->next.person);
    rp_row_bind_id(row, 2, switching->next.tenant);
    RP_TRY(rp_row_first(row));
    switching->next.roles = (unsigned)rp_row_u64(row, 0) & RP_ROLES_ALL;
    return switching->next.roles != 0 ? RP_OK : RP_ERR(CORRUPT);
}

static rp_err remember(struct rp_db *db, const struct switching *switching) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE person SET last_tenant = ?2 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, switching->next.person);
    rp_row_bind_id(row, 2, switching->next.tenant);
    return rp_row_run(row, NULL);
}

/*= S66 */ /* another organisation is another session: nothing of the former one carries over */
static rp_err do_switch(struct rp_db *db, void *ctx) {
    struct switching *switching = ctx;
    RP_TRY(read_roles(db, switching));
    RP_TRY(rp_session_end(switching->identity, switching->former, RP_VIEW("switched")));
    RP_TRY(remember(db, switching));
    return rp_session_insert(switching->identity, &switching->next, &switching->cookie,
                             &switching->session);
}

rp_err rp_identity_switch(struct rp_identity *identity, const struct rp_session *session,
                          rp_id tenant, rp_view client, struct rp_token *ret_cookie,
                          struct rp_session *ret_session) {
    RP_ASSERT(identity != NULL && session != NULL && ret_cookie != NULL);
    struct switching switching = {.identity = identity,
                                  .former = session,
                                  .next = {.person = session->view.person,
                                           .tenant = tenant,
                                           .acr = session->view.acr,
                                           .expires_ms = session->view.expires_ms}};
    RP_TRY(rp_identity_client(identity, client, &switching.next.client));
    RP_TRY(rp_db_transact(identity->db, do_switch, &switching));
    *ret_cookie = switching.cookie;
    *ret_session = switching.session;
    return RP_OK;
}

/* ---- one more ---- */

struct joining {
    struct rp_identity *identity;
    struct invitation invitation; /* person: who joins */
};

static rp_err check_address(struct rp_db *db, const struct joining *joining) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT address FROM person WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, joining->invitation.person);
    RP_TRY(rp_row_first(row));
    return rp_view_equal(rp_row_blob(row, 0), rp_hash_view(&joining->invitation.address))
               ? RP_OK
               : RP_ERR(DENIED);
}

static rp_err do_join(struct rp_db *db, void *ctx) {
    const struct joining *joining = ctx;
    const struct invitation *invitation = &joining->invitation;
    struct rp_row *row = NULL;
    RP_TRY(check_address(db, joining));
    RP_TRY(rp_identity_clear(joining->identity, invitation->person, invitation->roles, 0));
    RP_TRY(rp_invitation_spend(joining->identity, &invitation->token_hash));
    RP_TRY(rp_db_query(db, "INSERT INTO membership (tenant, person, roles) VALUES (?1, ?2, ?3)",
                       &row));
    rp_row_bind_id(row, 1, invitation->tenant);
    rp_row_bind_id(row, 2, invitation->person);
    rp_row_bind_u64(row, 3, invitation->roles);
    RP_TRY(rp_row_run(row, NULL));
    struct rp_event *event = rp_identity_event(joining->identity, RP_EVENT_PERSON_JOINED);
    rp_event_add_id(event, "tenant", invitation->tenant);
    rp_event_add_id(event, "person", invitation->person);
    RP_TRY(rp_db_emit(db, event));
    return rp_emit_roles(joining->identity, RP_EVENT_ROLE_GRANTED, invitation);
}

rp_err rp_identity_join(struct rp_identity *identity, rp_view token, rp_id person,
                        rp_id *ret_tenant) {
    RP_ASSERT(identity != NULL && ret_tenant != NULL);
    struct joining joining = {.identity = identity};
    RP_TRY(rp_invitation_find(identity, token, &joining.invitation));
    joining.invitation.person = person;
    RP_TRY(rp_identity_say_uncleared(identity, rp_db_transact(identity->db, do_join, &joining),
                                     (rp_id){{0}}, person));
    *ret_tenant = joining.invitation.tenant;
    return RP_OK;
}
