/* invitation.c — inviting somebody: who may, the row, the letter with the link. enrol.c goes on. */
#include "identity/invitation.h"

#include <stdio.h>

#include "base/assert.h"

static const int64_t valid_ms = (int64_t)7 * 24 * 3600 * 1000;

static rp_err count_rows(struct rp_row *row, uint64_t *ret_count) {
    rp_err err = rp_row_first(row);
    if (rp_ok(err)) {
        *ret_count = rp_row_u64(row, 0);
    }
    rp_row_done(row);
    return err;
}

rp_err rp_identity_is_empty(struct rp_identity *identity, bool *ret_empty) {
    RP_ASSERT(identity != NULL && ret_empty != NULL);
    struct rp_row *row = NULL;
    uint64_t count = 0;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT (SELECT count(*) FROM invitation) + (SELECT count(*) FROM person)",
                       &row));
    RP_TRY(count_rows(row, &count));
    *ret_empty = count == 0;
    return RP_OK;
}

/* ---- inviting ---- */

static rp_err roles_of(struct rp_db *db, rp_id person, rp_id tenant, unsigned *ret_in_tenant,
                       unsigned *ret_anywhere) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT tenant, roles FROM membership WHERE person = ?1", &row));
    rp_row_bind_id(row, 1, person);
    bool more = false;
    unsigned in_tenant = 0, anywhere = 0;
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        unsigned roles = (unsigned)rp_row_u64(row, 1) & RP_ROLES_ALL;
        anywhere |= roles;
        in_tenant |= rp_id_equal(rp_row_id(row, 0), tenant) ? roles : 0;
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_in_tenant = in_tenant;
    *ret_anywhere = anywhere;
    return RP_OK;
}

/*= S105 */ /* nobody gives a role that they could not act in themselves */
static rp_err check_may_give(struct rp_db *db, const struct invitation *invitation) {
    if (rp_id_is_none(invitation->by)) {
        return RP_OK; /* the machine's own administrator, at first start or on its command line */
    }
    unsigned in_tenant = 0, anywhere = 0;
    RP_TRY(roles_of(db, invitation->by, invitation->tenant, &in_tenant, &anywhere));
    unsigned may_give = 0;
    if (in_tenant & RP_TENANT_ADMIN) {
        may_give = RP_MEMBER | RP_TENANT_ADMIN;
    }
    if (anywhere & RP_OPERATOR) {
        may_give = RP_ROLES_ALL;
    }
    return (invitation->roles & ~may_give) == 0 ? RP_OK : RP_ERR(DENIED);
}

/* Only this tenant's own people are told apart: what others have stays theirs. */
static rp_err check_not_enrolled(struct rp_db *db, const struct invitation *invitation) {
    struct rp_row *row = NULL;
    uint64_t count = 0;
    RP_TRY(rp_db_query(db,
                       "SELECT count(*) FROM person "
                       "JOIN membership ON membership.person = person.id "
                       "WHERE address = ?1 AND membership.tenant = ?2",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&invitation->address));
    rp_row_bind_id(row, 2, invitation->tenant);
    RP_TRY(count_rows(row, &count));
    return count == 0 ? RP_OK : RP_ERR(DUPLICATE);
}

static rp_err insert_invitation(struct rp_identity *identity, const struct invitation *invitation) {
    struct rp_row *row = NULL;
    /* A second invitation replaces the first: one link works. */
    RP_TRY(rp_db_query(identity->db,
                       "DELETE FROM invitation "
                       "WHERE tenant = ?1 AND address = ?2 AND used_ms IS NULL",
                       &row));
    rp_row_bind_id(row, 1, invitation->tenant);
    rp_row_bind_blob(row, 2, rp_hash_view(&invitation->address));
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_db_query(identity->db,
                       "INSERT INTO invitation (token_hash, tenant, person, address, email_sealed, "
                       "roles, invited_by, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&invitation->token_hash));
    rp_row_bind_id(row, 2, invitation->tenant);
    rp_row_bind_id(row, 3, invitation->person);
    rp_row_bind_blob(row, 4, rp_hash_view(&invitation->address));
    rp_row_bind_blob(row, 5, invitation->email_sealed);
    rp_row_bind_u64(row, 6, invitation->roles);
    if (rp_id_is_none(invitation->by)) {
        rp_row_bind_null(row, 7);
    } else {
        rp_row_bind_id(row, 7, invitation->by);
    }
    rp_row_bind_u64(row, 8, (uint64_t)(rp_identity_now(identity) + valid_ms));
    return rp_row_run(row, NULL);
}

rp_err rp_emit_roles(struct rp_identity *identity, enum rp_event_kind kind,
                     const struct invitation *invitation) {
    struct rp_event *event = rp_identity_event(identity, kind);
    struct rp_roles_text roles = rp_roles_print(invitation->roles);
    rp_event_add_id(event, "tenant", invitation->tenant);
    rp_event_add_id(event, "person", invitation->person);
    rp_event_add_text(event, "role", rp_view_from_cstr(roles.s));
    if (!rp_id_is_none(invitation->by)) {
        rp_event_add_id(event, "by", invitation->by);
    }
    return rp_db_emit(identity->db, event);
}

rp_err rp_invite_put(struct rp_db *db, void *ctx) {
    const struct invite_draft *draft = ctx;
    RP_TRY(check_may_give(db, &draft->invitation));
    RP_TRY(check_not_enrolled(db, &draft->invitation));
    const struct invitation *invitation = &draft->invitation;
    RP_TRY(rp_identity_link(draft->identity, invitation->record, invitation->person));
    RP_TRY(rp_identity_clear(draft->identity, invitation->person, invitation->roles, 0));
    RP_TRY(insert_invitation(draft->identity, invitation));
    if (draft->notice.value_count > 0) {
        RP_TRY(rp_identity_notify(draft->identity, &draft->notice));
    }
    return rp_emit_roles(draft->identity, RP_EVENT_PERSON_INVITED, &draft->invitation);
}

/* ---- the letter with the link ---- */

static rp_err write_letter(struct invite_draft *draft, enum rp_lang lang) {
    struct rp_identity *identity = draft->identity;
    RP_TRY(rp_identity_tenant_name(identity, draft->invitation.tenant, draft->tenant_name));
    int n = snprintf(draft->link, sizeof draft->link, "%s/.rempart/id/enrol?token=%s",
                     identity->options.origin, draft->token.s);
    if (n < 0 || (size_t)n >= sizeof draft->link) {
        return RP_ERR(TOO_LARGE);
    }
    draft->until = rp_time_print((rp_identity_now(identity) + valid_ms) / 1000);
    draft->until.s[10] = 0; /* the day, as every language reads it */
    draft->values[0] = (struct rp_notice_value){"tenant", rp_view_from_cstr(draft->tenant_name)};
    draft->values[1] = (struct rp_notice_value){"link", rp_view_from_cstr(draft->link)};
    draft->values[2] = (struct rp_notice_value){"valid_until", rp_view_from_cstr(draft->until.s)};
    draft->notice = (struct rp_notice){.kind = RP_NOTICE_INVITATION,
                                       .channels = RP_NOTICE_MAIL,
                                       .tenant = draft->invitation.tenant,
                                       .address = rp_view_from_cstr(draft->email.s),
                                       .lang = lang,
                                       .values = draft->values,
                                       .value_count = 3};
    return RP_OK;
}

rp_err rp_invite_prepare(struct rp_identity *identity, rp_id tenant, rp_view email, unsigned roles,
                         rp_id by, const enum rp_lang *lang, struct invite_draft *draft) {
    *draft = (struct invite_draft){.identity = identity};
    RP_TRY(rp_email_normalise(email, &draft->email));
    if (roles == 0 || (roles & ~(unsigned)RP_ROLES_ALL) != 0 ||
        rp_id_equal(tenant, identity->home)) {
        return RP_ERR(INVALID);
    }
    struct invitation *invitation = &draft->invitation;
    invitation->tenant = tenant;
    RP_TRY(rp_identity_address(identity, email, &invitation->address));
    RP_TRY(rp_person_at(identity, &invitation->address, &invitation->person));
    if (rp_id_is_none(invitation->person)) {
        invitation->person = rp_env_new_id(identity->env);
    }
    invitation->by = by;
    invitation->roles = roles;
    struct rp_place place = {"email", tenant, invitation->person};
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(sizeof draft->sealed);
    RP_TRY(rp_identity_seal(identity, &place, rp_view_from_cstr(draft->email.s), &sealed));
    memcpy(draft->sealed, sealed.p, sealed.n);
    invitation->email_sealed = rp_view_of(draft->sealed, sealed.n);
    rp_token_new(identity->env, &draft->token);
    RP_TRY(rp_token_hash(rp_view_from_cstr(draft->token.s), &invitation->token_hash));
    return lang && identity->options.origin ? write_letter(draft, *lang) : RP_OK;
}

rp_err rp_identity_invite_person(struct rp_identity *identity, const struct rp_invite *invite,
                                 struct rp_token *ret_token) {
    RP_ASSERT(identity != NULL && ret_token != NULL);
    struct invite_draft draft;
    rp_err err = rp_invite_prepare(identity, invite->tenant, invite->email, invite->roles,
                                   invite->by, invite->lang, &draft);
    if (rp_ok(err)) {
        draft.invitation.record = invite->record;
        err = rp_db_transact(identity->db, rp_invite_put, &draft);
    }
    if (rp_ok(err)) {
        *ret_token = draft.token;
    }
    rp_wipe(&draft, sizeof draft);
    return rp_identity_say_uncleared(identity, err, invite->record, invite->by);
}

rp_err rp_identity_invite(struct rp_identity *identity, rp_id tenant, rp_view email, unsigned roles,
                          rp_id by, struct rp_token *ret_token) {
    const struct rp_invite invite = {.tenant = tenant, .email = email, .roles = roles, .by = by};
    return rp_identity_invite_person(identity, &invite, ret_token);
}

rp_err rp_identity_invite_by_mail(struct rp_identity *identity, rp_id tenant, rp_view email,
                                  unsigned roles, rp_id by, enum rp_lang lang,
                                  struct rp_token *ret_token) {
    const struct rp_invite invite = {
        .tenant = tenant, .email = email, .roles = roles, .by = by, .lang = &lang};
    return rp_identity_invite_person(identity, &invite, ret_token);
}
