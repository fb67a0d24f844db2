/* person.c — a person's facts, opened for showing. */
#include "identity/invitation.h"

#include "base/assert.h"

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

rp_err rp_person_at(struct rp_identity *identity, const struct rp_sha256 *address,
                    rp_id *ret_person) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT id FROM person WHERE address = ?1", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(address));
    rp_err err = rp_row_first(row);
    *ret_person = rp_ok(err) ? rp_row_id(row, 0) : (rp_id){{0}};
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
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
                       "SELECT person.tenant, email_sealed, totp_sealed IS NOT NULL, roles, "
                       "(SELECT count(*) FROM passkey WHERE passkey.person = person.id) "
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
    person->passkeys = (size_t)rp_row_u64(row, 4);
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
