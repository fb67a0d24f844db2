/* enrol.c — from an invitation's link to a person: found, shown a seed, enrolled. */
#include "identity/invitation.h"

#include "base/assert.h"
#include "crypto/phc.h"
#include "wire/encode.h"

/* An invitation as it stands in its row, copied out; small enough for the stack. */
struct found {
    struct invitation invitation;
    uint8_t email[RP_SEALED_MAX], seed[RP_SEALED_MAX];
    rp_view seed_sealed; /* n = 0: none was shown yet */
};

static rp_err copy_blob(rp_view from, uint8_t to[static RP_SEALED_MAX], rp_view *ret_view) {
    if (from.n > RP_SEALED_MAX) {
        return RP_ERR(CORRUPT);
    }
    if (from.n > 0) {
        memcpy(to, from.p, from.n);
    }
    *ret_view = rp_view_of(to, from.n);
    return RP_OK;
}

static rp_err read_found(struct rp_row *row, int64_t now_ms, struct found *ret_found) {
    if (!rp_row_is_null(row, 7)) {
        return RP_ERR(REPLAYED);
    }
    if ((int64_t)rp_row_u64(row, 6) <= now_ms) {
        return RP_ERR(EXPIRED);
    }
    struct invitation *invitation = &ret_found->invitation;
    invitation->tenant = rp_row_id(row, 0);
    invitation->person = rp_row_id(row, 1);
    invitation->roles = (unsigned)rp_row_u64(row, 4) & RP_ROLES_ALL;
    invitation->by = rp_row_id(row, 5);
    rp_view address = rp_row_blob(row, 2);
    if (address.n != RP_SHA256 || invitation->roles == 0) {
        return RP_ERR(CORRUPT);
    }
    memcpy(invitation->address.b, address.p, RP_SHA256);
    RP_TRY(copy_blob(rp_row_blob(row, 3), ret_found->email, &invitation->email_sealed));
    return copy_blob(rp_row_blob(row, 8), ret_found->seed, &ret_found->seed_sealed);
}

static rp_err find(struct rp_identity *identity, rp_view token, struct found *ret_found) {
    struct rp_sha256 hash;
    RP_TRY(rp_token_hash(token, &hash));
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT tenant, person, address, email_sealed, roles, invited_by, "
                       "expires_ms, used_ms, seed_sealed FROM invitation WHERE token_hash = ?1",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&hash));
    RP_TRY(rp_row_first(row));
    RP_TRY(read_found(row, rp_identity_now(identity), ret_found));
    ret_found->invitation.token_hash = hash;
    return RP_OK;
}

rp_err rp_invitation_find(struct rp_identity *identity, rp_view token,
                          struct invitation *ret_invitation) {
    struct found found;
    RP_TRY(find(identity, token, &found));
    *ret_invitation = found.invitation;
    ret_invitation->email_sealed = (rp_view){NULL, 0};
    return RP_OK;
}

rp_err rp_identity_find_invitation(struct rp_identity *identity, rp_view token,
                                   struct rp_invitation *ret_invitation) {
    RP_ASSERT(identity != NULL && ret_invitation != NULL);
    struct found found;
    RP_TRY(find(identity, token, &found));
    struct rp_invitation out = {.person = found.invitation.person,
                                .tenant = found.invitation.tenant};
    struct rp_place place = {"email", out.tenant, out.person};
    RP_TRY(rp_identity_open_email(identity, &place, found.invitation.email_sealed, out.email));
    RP_TRY(rp_identity_tenant_name(identity, out.tenant, out.tenant_name));
    rp_id account;
    RP_TRY(rp_person_at(identity, &found.invitation.address, &account));
    out.has_account = !rp_id_is_none(account);
    *ret_invitation = out;
    return RP_OK;
}

static rp_err new_seed(struct rp_identity *identity, const struct found *found,
                       struct rp_secret **ret_seed) {
    struct rp_place place = {"totp", found->invitation.tenant, found->invitation.person};
    _cleanup_(rp_secret_freep) struct rp_secret *seed = NULL;
    RP_TRY(rp_secret_new_random(identity->env, RP_TOTP_SEED, &seed));
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_SEALED_MAX);
    RP_TRY(rp_identity_seal_secret(identity, &place, seed, &sealed));
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(identity->db,
                       "UPDATE invitation SET seed_sealed = ?1 "
                       "WHERE token_hash = ?2 AND seed_sealed IS NULL AND used_ms IS NULL",
                       &row));
    rp_row_bind_blob(row, 1, rp_buf_view(&sealed));
    rp_row_bind_blob(row, 2, rp_hash_view(&found->invitation.token_hash));
    RP_TRY(rp_row_run(row, &changed));
    if (changed == 0) {
        return RP_ERR(CONFLICT); /* the same link, opened twice at once */
    }
    *ret_seed = rp_take(&seed);
    return RP_OK;
}

static rp_err open_seed(struct rp_identity *identity, const struct found *found,
                        struct rp_secret **ret_seed) {
    struct rp_place place = {"totp", found->invitation.tenant, found->invitation.person};
    return rp_identity_open_secret(identity, &place, found->seed_sealed, ret_seed);
}

static rp_err print_seed(const struct rp_secret *seed, char ret_base32[static 33]) {
    uint8_t bytes[RP_TOTP_SEED];
    if (rp_secret_size(seed) != sizeof bytes) {
        return RP_ERR(CORRUPT);
    }
    rp_secret_reveal(seed, bytes, sizeof bytes);
    struct rp_buf text = rp_buf_new(32);
    rp_base32_print(&text, rp_view_of(bytes, sizeof bytes));
    rp_wipe(bytes, sizeof bytes);
    rp_err err = rp_buf_err(&text);
    if (rp_ok(err)) {
        RP_ASSERT(text.n == 32);
        memcpy(ret_base32, text.p, 32);
        ret_base32[32] = 0;
        rp_wipe(text.p, text.n);
    }
    rp_buf_done(&text);
    return err;
}

rp_err rp_identity_enrol_seed(struct rp_identity *identity, rp_view token,
                              char ret_base32[static 33]) {
    RP_ASSERT(identity != NULL);
    struct found found;
    RP_TRY(find(identity, token, &found));
    _cleanup_(rp_secret_freep) struct rp_secret *seed = NULL;
    if (found.seed_sealed.n == 0) {
        RP_TRY(new_seed(identity, &found, &seed));
    } else {
        RP_TRY(open_seed(identity, &found, &seed));
    }
    return print_seed(seed, ret_base32);
}

/* ---- enrolling ---- */

struct enrolment {
    struct rp_identity *identity;
    struct found found;
    const char *password_text;
    enum rp_lang lang;
    uint64_t step; /* of the code: it cannot be used again to sign in */
    bool sign_in;
    struct rp_client_hash client;
    struct rp_token cookie;
    struct rp_session session;
};

rp_err rp_invitation_spend(struct rp_identity *identity, const struct rp_sha256 *token_hash) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(identity->db,
                       "UPDATE invitation SET used_ms = ?1, seed_sealed = NULL "
                       "WHERE token_hash = ?2 AND used_ms IS NULL",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_identity_now(identity));
    rp_row_bind_blob(row, 2, rp_hash_view(token_hash));
    RP_TRY(rp_row_run(row, &changed));
    return changed == 1 ? RP_OK : RP_ERR(REPLAYED);
}

rp_err rp_person_insert(struct rp_identity *identity, const struct person_row *person) {
    const struct invitation *invitation = person->invitation;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "INSERT INTO person (id, tenant, address, email_sealed, password, "
                       "totp_sealed, totp_last_step, created_ms, lang) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                       &row));
    rp_row_bind_id(row, 1, invitation->person);
    rp_row_bind_id(row, 2, invitation->tenant);
    rp_row_bind_blob(row, 3, rp_hash_view(&invitation->address));
    rp_row_bind_blob(row, 4, invitation->email_sealed);
    rp_row_bind_text(row, 5, person->password);
    if (person->seed_sealed.n > 0) {
        rp_row_bind_blob(row, 6, person->seed_sealed);
    } else {
        rp_row_bind_null(row, 6);
    }
    rp_row_bind_u64(row, 7, person->step);
    rp_row_bind_u64(row, 8, (uint64_t)rp_identity_now(identity));
    rp_row_bind_text(row, 9, person->lang == RP_EN ? RP_VIEW("en") : RP_VIEW("fr"));
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_identity_clear(identity, invitation->person, invitation->roles, 0));
    RP_TRY(rp_db_query(identity->db,
                       "INSERT INTO membership (tenant, person, roles) VALUES (?1, ?2, ?3)", &row));
    rp_row_bind_id(row, 1, invitation->tenant);
    rp_row_bind_id(row, 2, invitation->person);
    rp_row_bind_u64(row, 3, invitation->roles);
    return rp_row_run(row, NULL);
}

/* Password and code were both shown just now: asking for them again would prove nothing more. */
static rp_err open_session(struct enrolment *enrolment) {
    const struct invitation *invitation = &enrolment->found.invitation;
    const struct rp_session_new session = {.person = invitation->person,
                                           .tenant = invitation->tenant,
                                           .roles = invitation->roles,
                                           .acr = RP_ACR_MFA,
                                           .client = enrolment->client};
    return rp_session_insert(enrolment->identity, &session, &enrolment->cookie,
                             &enrolment->session);
}

static rp_err do_enrol(struct rp_db *db, void *ctx) {
    struct enrolment *enrolment = ctx;
    const struct invitation *invitation = &enrolment->found.invitation;
    RP_TRY(rp_invitation_spend(enrolment->identity, &invitation->token_hash));
    const struct person_row person = {.invitation = invitation,
                                      .password = rp_view_from_cstr(enrolment->password_text),
                                      .seed_sealed = enrolment->found.seed_sealed,
                                      .step = enrolment->step,
                                      .lang = enrolment->lang};
    RP_TRY(rp_person_insert(enrolment->identity, &person));
    struct rp_event *event = rp_identity_event(enrolment->identity, RP_EVENT_PERSON_ENROLLED);
    rp_event_add_id(event, "tenant", invitation->tenant);
    rp_event_add_id(event, "person", invitation->person);
    rp_event_add_text(event, "factor", RP_VIEW("totp"));
    RP_TRY(rp_db_emit(db, event));
    RP_TRY(rp_emit_roles(enrolment->identity, RP_EVENT_ROLE_GRANTED, invitation));
    return enrolment->sign_in ? open_session(enrolment) : RP_OK;
}

static rp_err enrol(struct rp_identity *identity, rp_view token, const char *password_text,
                    rp_view code, struct enrolment *enrolment) {
    RP_ASSERT(identity != NULL && password_text != NULL);
    struct rp_phc phc;
    if (!rp_ok(rp_phc_parse(rp_view_from_cstr(password_text), &phc))) {
        return RP_ERR(INVALID);
    }
    struct found *found = &enrolment->found;
    RP_TRY(find(identity, token, found));
    if (found->seed_sealed.n == 0) {
        return RP_ERR(DENIED); /* no seed was ever shown, so no code can be right */
    }
    _cleanup_(rp_secret_freep) struct rp_secret *seed = NULL;
    RP_TRY(open_seed(identity, found, &seed));
    struct rp_totp_match match = rp_totp_match(seed, code, rp_identity_now(identity));
    if (match.count == 0) {
        return RP_ERR(DENIED);
    }
    enrolment->identity = identity;
    enrolment->password_text = password_text;
    enrolment->step = match.steps[match.count - 1];
    return rp_identity_say_uncleared(identity, rp_db_transact(identity->db, do_enrol, enrolment),
                                     (rp_id){{0}}, found->invitation.by);
}

rp_err rp_identity_enrol(struct rp_identity *identity, rp_view token, const char *password_text,
                         rp_view code) {
    struct enrolment enrolment = {.sign_in = false};
    return enrol(identity, token, password_text, code, &enrolment);
}

rp_err rp_identity_enrol_and_sign_in(struct rp_identity *identity, rp_view token,
                                     const struct rp_enrol_answers *answers, rp_view client,
                                     struct rp_token *ret_cookie, struct rp_session *ret_session) {
    RP_ASSERT(ret_cookie != NULL && ret_session != NULL);
    struct enrolment enrolment = {.sign_in = true, .lang = answers->lang};
    RP_TRY(rp_identity_client(identity, client, &enrolment.client));
    RP_TRY(enrol(identity, token, answers->password_text, answers->code, &enrolment));
    *ret_cookie = enrolment.cookie;
    *ret_session = enrolment.session;
    return RP_OK;
}
