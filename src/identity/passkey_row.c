/* passkey_row.c — a key as it stands in the database: what names it sealed, the rest in columns. */
#include "base/assert.h"
#include "identity/passkey_internal.h"
#include "ipc/pack.h"

enum facts { MAY_MOVE = 1 << 0, NEEDS_PASSWORD = 1 << 1 };

static uint8_t facts_of(const struct rp_passkey *key) {
    return (uint8_t)((key->may_move ? MAY_MOVE : 0) | (key->needs_password ? NEEDS_PASSWORD : 0));
}

/* The row's own id is sealed with the rest: a body put into another row of the person is noticed.
 */
static void pack(const struct rp_passkey *key, struct rp_buf *out) {
    rp_pack_id(out, key->id);
    rp_pack_bytes(out, rp_view_of(key->credential_id, key->credential_id_n));
    rp_pack_bytes(out, rp_view_of(key->key, key->key_n));
    rp_pack_bytes(out, rp_view_of(key->aaguid, sizeof key->aaguid));
    rp_pack_u16(out, (uint16_t)key->transports);
    rp_pack_u8(out, facts_of(key));
    rp_pack_bytes(out, rp_view_from_cstr(key->name));
}

static rp_err unpack(rp_view body, struct rp_passkey *key) {
    struct rp_unpack in = rp_unpack_new(body);
    rp_id id = rp_unpack_id(&in);
    rp_view credential = rp_unpack_bytes(&in, sizeof key->credential_id);
    rp_view cose = rp_unpack_bytes(&in, sizeof key->key);
    rp_view aaguid = rp_unpack_bytes(&in, sizeof key->aaguid);
    key->transports = rp_unpack_u16(&in);
    uint8_t facts = rp_unpack_u8(&in);
    rp_view name = rp_unpack_bytes(&in, RP_PASSKEY_NAME_MAX);
    if (!rp_ok(rp_unpack_end(&in)) || !rp_id_equal(id, key->id) || aaguid.n != sizeof key->aaguid) {
        return RP_ERR(CORRUPT);
    }
    key->may_move = (facts & MAY_MOVE) != 0;
    key->needs_password = (facts & NEEDS_PASSWORD) != 0;
    memcpy(key->credential_id, credential.p, credential.n);
    memcpy(key->key, cose.p, cose.n);
    memcpy(key->aaguid, aaguid.p, aaguid.n);
    memcpy(key->name, name.p, name.n);
    key->name[name.n] = 0;
    key->credential_id_n = credential.n;
    key->key_n = cose.n;
    return RP_OK;
}

rp_err rp_passkey_seal(struct rp_identity *identity, rp_id home, rp_id person,
                       const struct rp_passkey *key, struct rp_buf *out) {
    const struct rp_place place = {"passkey", home, person};
    _cleanup_(rp_buf_done) struct rp_buf body = rp_buf_new_wiping(RP_PASSKEY_BODY_MAX);
    pack(key, &body);
    RP_TRY(rp_buf_err(&body));
    return rp_identity_seal(identity, &place, rp_buf_view(&body), out);
}

/* CORRUPT for a body that is another row's. */
static rp_err open_sealed(struct rp_identity *identity, rp_id home, rp_id person, rp_view sealed,
                          struct rp_passkey *key) {
    const struct rp_place place = {"passkey", home, person};
    _cleanup_(rp_buf_done) struct rp_buf body = rp_buf_new_wiping(RP_PASSKEY_BODY_MAX);
    RP_TRY(rp_identity_open(identity, &place, sealed, &body));
    return unpack(rp_buf_view(&body), key);
}

/* ---- reading ---- */

#define COLUMNS                                                                                    \
    "passkey.id, passkey.person, person.tenant, passkey.sealed, sign_count, passkey.created_ms, "  \
    "used_ms FROM passkey JOIN person ON person.id = passkey.person "

static rp_err read_row(struct rp_identity *identity, struct rp_row *row, struct rp_passkey *key) {
    *key = (struct rp_passkey){.id = rp_row_id(row, 0),
                               .count = (uint32_t)rp_row_u64(row, 4),
                               .created_ms = (int64_t)rp_row_u64(row, 5),
                               .used_ms = (int64_t)rp_row_u64(row, 6)};
    return open_sealed(identity, rp_row_id(row, 2), rp_row_id(row, 1), rp_row_blob(row, 3), key);
}

rp_err rp_passkey_find(struct rp_identity *identity, const struct rp_sha256 *index,
                       struct rp_passkey *ret_key, rp_id *ret_person, rp_id *ret_home) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT " COLUMNS "WHERE credential = ?1", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(index));
    RP_TRY(rp_row_first(row));
    RP_TRY(read_row(identity, row, ret_key));
    *ret_person = rp_row_id(row, 1);
    *ret_home = rp_row_id(row, 2);
    return RP_OK;
}

rp_err rp_identity_passkeys(struct rp_identity *identity, rp_id person, struct rp_arena *arena,
                            struct rp_passkey **ret_keys, size_t *ret_count) {
    RP_ASSERT(identity != NULL && ret_keys != NULL && ret_count != NULL);
    struct rp_passkey *keys = rp_arena_array(arena, RP_PASSKEYS_MAX, sizeof *keys);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    size_t count = 0;
    bool more = false;
    if (!keys) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_db_query(identity->db,
                       "SELECT " COLUMNS "WHERE passkey.person = ?1 "
                       "ORDER BY passkey.created_ms, passkey.id",
                       &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_next(row, &more));
    while (more && count < RP_PASSKEYS_MAX) {
        rp_err err = read_row(identity, row, &keys[count]);
        keys[count].altered = rp_is(err, RP_E_CORRUPT); /* the others go on */
        RP_TRY(keys[count++].altered ? RP_OK : err);
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_keys = keys;
    *ret_count = count;
    return RP_OK;
}

rp_err rp_passkeys_count(struct rp_identity *identity, rp_id person, size_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT count(*) FROM passkey WHERE person = ?1", &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_first(row));
    *ret_count = (size_t)rp_row_u64(row, 0);
    return RP_OK;
}

/* ---- sealed anew ---- */

static rp_err write_sealed(struct rp_identity *identity, rp_id id, rp_view sealed) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "UPDATE passkey SET sealed = ?2 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_blob(row, 2, sealed);
    return rp_row_run(row, NULL);
}

/* Reads under the home that the person's row names, and seals under `home`. */
static rp_err seal_all(struct rp_identity *identity, rp_id person, rp_id home,
                       bool needs_password) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena =
        rp_arena_new_wiping(RP_PASSKEYS_MAX * sizeof(struct rp_passkey));
    struct rp_passkey *keys = NULL;
    size_t count = 0;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_identity_passkeys(identity, person, arena, &keys, &count));
    for (size_t i = 0; i < count; i++) {
        if (keys[i].altered) {
            continue;
        }
        _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_PASSKEY_SEALED_MAX);
        keys[i].needs_password = keys[i].needs_password || needs_password;
        RP_TRY(rp_passkey_seal(identity, home, person, &keys[i], &sealed));
        RP_TRY(write_sealed(identity, keys[i].id, rp_buf_view(&sealed)));
    }
    return RP_OK;
}

rp_err rp_passkeys_rehome(struct rp_identity *identity, rp_id person, rp_id to) {
    return seal_all(identity, person, to, false);
}

rp_err rp_passkeys_need_password(struct rp_identity *identity, rp_id person, rp_id home) {
    return seal_all(identity, person, home, true);
}
