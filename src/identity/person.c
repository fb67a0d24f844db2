/* person.c — a person's facts, opened for showing; and the applications' tokens. */
#include "identity/internal.h"

#include "base/assert.h"

enum { APP_NAME_MAX = 32 };

rp_err rp_identity_tenant_name(struct rp_identity *identity, rp_id tenant,
                               char ret_name[static 129]) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT name FROM tenant WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, tenant);
    RP_TRY(rp_row_first(row));
    rp_view name = rp_row_text(row, 0);
    if (name.n > 128) {
        return RP_ERR(CORRUPT);
    }
    if (name.n > 0) {
        memcpy(ret_name, name.p, name.n);
    }
    ret_name[name.n] = 0;
    return RP_OK;
}

struct sealed_email {
    uint8_t bytes[RP_SEALED_MAX];
    size_t n;
    rp_id home; /* the tenant whose key it is */
};

static rp_err read_person(struct rp_identity *identity, struct rp_person *person,
                          struct sealed_email *email) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT person.tenant, email_sealed, totp_sealed IS NOT NULL, roles "
                       "FROM person JOIN membership ON membership.person = person.id "
                       "WHERE person.id = ?1 AND membership.tenant = ?2",
                       &row));
    rp_row_bind_id(row, 1, person->person);
    rp_row_bind_id(row, 2, person->tenant);
    RP_TRY(rp_row_first(row));
    rp_view sealed = rp_row_blob(row, 1);
    if (sealed.n == 0 || sealed.n > sizeof email->bytes) {
        return RP_ERR(CORRUPT);
    }
    memcpy(email->bytes, sealed.p, sealed.n);
    email->n = sealed.n;
    email->home = rp_row_id(row, 0);
    person->has_totp = rp_row_u64(row, 2) == 1;
    person->roles = (unsigned)rp_row_u64(row, 3) & RP_ROLES_ALL;
    return RP_OK;
}

rp_err rp_identity_person(struct rp_identity *identity, rp_id person, rp_id tenant,
                          struct rp_person *ret_person) {
    RP_ASSERT(identity != NULL && ret_person != NULL);
    struct rp_person out = {.person = person, .tenant = tenant};
    struct sealed_email email;
    RP_TRY(read_person(identity, &out, &email));
    RP_TRY(rp_identity_tenant_name(identity, tenant, out.tenant_name));
    struct rp_place place = {"email", email.home, person};
    RP_TRY(rp_identity_open_email(identity, &place, rp_view_of(email.bytes, email.n), out.email));
    *ret_person = out;
    return RP_OK;
}

/* ---- applications ---- */

struct app_row {
    struct rp_identity *identity;
    rp_view name;
    struct rp_sha256 token_hash;
};

static rp_err put_app(struct rp_db *db, void *ctx) {
    const struct app_row *app = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO app (name, token_hash, created_ms) VALUES (?1, ?2, ?3) "
                       "ON CONFLICT (name) DO UPDATE SET token_hash = ?2, created_ms = ?3",
                       &row));
    rp_row_bind_text(row, 1, app->name);
    rp_row_bind_blob(row, 2, rp_hash_view(&app->token_hash));
    rp_row_bind_u64(row, 3, (uint64_t)rp_identity_now(app->identity));
    RP_TRY(rp_row_run(row, NULL));
    struct rp_event *event = rp_identity_event(app->identity, RP_EVENT_APP_TOKEN);
    rp_event_add_text(event, "app", app->name);
    return rp_db_emit(db, event);
}

rp_err rp_identity_new_app_token(struct rp_identity *identity, rp_view app,
                                 struct rp_token *ret_token) {
    RP_ASSERT(identity != NULL && ret_token != NULL);
    if (app.n == 0 || app.n > APP_NAME_MAX) {
        return RP_ERR(INVALID);
    }
    struct rp_token token;
    rp_token_new(identity->env, &token);
    struct app_row row = {.identity = identity, .name = app};
    RP_TRY(rp_token_hash(rp_view_from_cstr(token.s), &row.token_hash));
    RP_TRY(rp_db_transact(identity->db, put_app, &row));
    *ret_token = token;
    return RP_OK;
}

rp_err rp_identity_app_of_token(struct rp_identity *identity, rp_view token,
                                char ret_app[static 33]) {
    RP_ASSERT(identity != NULL);
    struct rp_sha256 hash;
    if (!rp_ok(rp_token_hash(token, &hash))) {
        return RP_ERR(UNAUTHENTICATED);
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT name FROM app WHERE token_hash = ?1", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&hash));
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(err);
    rp_view name = rp_row_text(row, 0);
    if (name.n == 0 || name.n > APP_NAME_MAX) {
        return RP_ERR(CORRUPT);
    }
    memcpy(ret_app, name.p, name.n);
    ret_app[name.n] = 0;
    return RP_OK;
}
