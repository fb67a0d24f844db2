/* tenant.c — the tenants' directory, and the key of each in its own database. */
#include "identity/internal.h"

#include "identity/closing.h"

#include "base/assert.h"
#include "wire/http.h"

enum { TENANT_NAME_MAX = 128 };

rp_id rp_identity_home(const struct rp_identity *identity) {
    RP_ASSERT(identity != NULL);
    return identity->home;
}

/* ---- keys ---- */

static rp_err read_wrapped(struct rp_db *db, struct rp_buf *ret_wrapped) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT wrapped FROM tenant_key ORDER BY version DESC LIMIT 1", &row));
    RP_TRY(rp_row_first(row));
    rp_buf_clear(ret_wrapped);
    rp_buf_add(ret_wrapped, rp_row_blob(row, 0));
    return rp_ok(rp_buf_err(ret_wrapped)) ? RP_OK : RP_ERR(CORRUPT);
}

struct key_row {
    const struct rp_identity *identity;
    rp_view wrapped;
};

static rp_err insert_wrapped(struct rp_db *db, void *ctx) {
    const struct key_row *key = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        db, "INSERT INTO tenant_key (version, wrapped, created_ms) VALUES (1, ?1, ?2)", &row));
    rp_row_bind_blob(row, 1, key->wrapped);
    rp_row_bind_u64(row, 2, (uint64_t)rp_identity_now(key->identity));
    return rp_row_run(row, NULL);
}

static rp_err add_key(struct rp_identity *identity, rp_id tenant, struct rp_db *db) {
    _cleanup_(rp_buf_done) struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    rp_err err = read_wrapped(db, &wrapped);
    if (!rp_is(err, RP_E_NOT_FOUND)) {
        return err; /* a crash stood between the key and the directory, or it does not read */
    }
    rp_buf_clear(&wrapped);
    RP_TRY(rp_keys_new_tenant_key(identity->keys, tenant, &wrapped));
    struct key_row key = {identity, rp_buf_view(&wrapped)};
    return rp_db_transact(db, insert_wrapped, &key);
}

/* The tenant's file with its key; whoever calls has made sure that nothing is there to lose. */
static rp_err make_database(struct rp_identity *identity, rp_id tenant) {
    struct rp_db *db = NULL;
    RP_TRY(rp_store_tenant(identity->store, tenant, true, &db, NULL));
    return add_key(identity, tenant, db);
}

/* NOT_FOUND also for one that was closed: what may still lie there is nobody's any more. */
static rp_err is_ready(struct rp_db *db, rp_id tenant, bool *ret_ready) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT ready FROM tenant WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM "
                       "tenant_closing WHERE tenant_closing.tenant = tenant.id AND ended_ms > 0)",
                       &row));
    rp_row_bind_id(row, 1, tenant);
    RP_TRY(rp_row_first(row));
    *ret_ready = rp_row_u64(row, 0) == 1;
    return RP_OK;
}

struct making {
    struct rp_identity *identity;
    rp_id tenant;
};

/* Under the system's write lock, so that two threads do not make it twice. */
static rp_err make_ready(struct rp_db *db, void *ctx) {
    const struct making *making = ctx;
    bool ready = false;
    RP_TRY(is_ready(db, making->tenant, &ready));
    if (ready) {
        return RP_OK;
    }
    RP_TRY(make_database(making->identity, making->tenant));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE tenant SET ready = 1 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, making->tenant);
    return rp_row_run(row, NULL);
}

/* A tenant that once had a key must still have it, and the key service must know it: a missing one
 * is never silently replaced. */
static rp_err required(rp_err err) {
    return rp_is(err, RP_E_NOT_FOUND) ? RP_ERR(CORRUPT) : err;
}

rp_err rp_identity_tenant_key(struct rp_identity *identity, rp_id tenant,
                              const struct rp_secret **ret_key) {
    RP_ASSERT(identity != NULL && ret_key != NULL);
    bool ready = false;
    RP_TRY(is_ready(identity->db, tenant, &ready));
    if (!ready) {
        struct making making = {identity, tenant};
        RP_TRY(rp_db_transact(identity->db, make_ready, &making));
    }
    struct rp_db *db = NULL;
    RP_TRY(required(rp_store_tenant(identity->store, tenant, false, &db, NULL)));
    _cleanup_(rp_buf_done) struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    RP_TRY(required(read_wrapped(db, &wrapped)));
    return required(rp_keys_lease(identity->keys, tenant, rp_buf_view(&wrapped), ret_key));
}

struct rewrapping {
    rp_view former, wrapped;
};

/* The former goes in the same transaction: secure_delete overwrites it. */
static rp_err replace_wrapped(struct rp_db *db, void *ctx) {
    const struct rewrapping *rewrapping = ctx;
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db, "UPDATE tenant_key SET wrapped = ?1 WHERE wrapped = ?2", &row));
    rp_row_bind_blob(row, 1, rewrapping->wrapped);
    rp_row_bind_blob(row, 2, rewrapping->former);
    RP_TRY(rp_row_run(row, &changed));
    return changed == 1 ? RP_OK : RP_ERR(CONFLICT);
}

rp_err rp_identity_rewrap(struct rp_identity *identity, rp_id tenant) {
    RP_ASSERT(identity != NULL);
    struct rp_db *db = NULL;
    struct rp_wrapped parsed;
    _cleanup_(rp_buf_done) struct rp_buf former = rp_buf_new(RP_WRAPPED_MAX);
    _cleanup_(rp_buf_done) struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    RP_TRY(rp_store_tenant(identity->store, tenant, false, &db, NULL));
    RP_TRY(read_wrapped(db, &former));
    RP_TRY(rp_wrapped_parse(rp_buf_view(&former), &parsed));
    if (parsed.halved) {
        return RP_OK;
    }
    RP_TRY(rp_keys_rewrap(identity->keys, tenant, rp_buf_view(&former), &wrapped));
    struct rewrapping rewrapping = {rp_buf_view(&former), rp_buf_view(&wrapped)};
    return rp_db_transact(db, replace_wrapped, &rewrapping);
}

/* ---- the directory ---- */

static bool is_name(rp_view name) {
    return name.n > 0 && name.n <= TENANT_NAME_MAX && rp_utf8_is_name(name);
}

struct tenant_row {
    struct rp_identity *identity;
    rp_id tenant;
    rp_view name;
};

/* Two of one name are mistaken for each other, in a list and when one is closed. The probes' own
 * come and go under theirs. */
static rp_err check_apart(struct rp_db *db, rp_view name) {
    char text[TENANT_NAME_MAX + 1];
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    memcpy(text, name.p, name.n);
    text[name.n] = 0;
    if (rp_is_canary(text)) {
        return RP_OK;
    }
    for (size_t i = 0; i < name.n; i++) {
        text[i] = (char)rp_lower((uint8_t)text[i]); /* PostgreSQL's own would ask its language */
    }
    RP_TRY(rp_db_query(db, "SELECT count(*) FROM tenant WHERE lower(name) = ?1", &row));
    rp_row_bind_text(row, 1, rp_view_of(text, name.n));
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) == 0 ? RP_OK : RP_ERR(DUPLICATE);
}

static rp_err insert_tenant(struct rp_db *db, void *ctx) {
    const struct tenant_row *tenant = ctx;
    struct rp_row *row = NULL;
    RP_TRY(check_apart(db, tenant->name)); /* somebody else may have been faster */
    RP_TRY(rp_db_query(db,
                       "INSERT INTO tenant (id, name, internal, ready, created_ms) "
                       "VALUES (?1, ?2, 0, 1, ?3)",
                       &row));
    rp_row_bind_id(row, 1, tenant->tenant);
    rp_row_bind_text(row, 2, tenant->name);
    rp_row_bind_u64(row, 3, (uint64_t)rp_identity_now(tenant->identity));
    RP_TRY(rp_row_run(row, NULL));
    struct rp_event *event = rp_identity_event(tenant->identity, RP_EVENT_TENANT_CREATED);
    rp_event_add_id(event, "tenant", tenant->tenant);
    return rp_db_emit(db, event);
}

/* Its key comes first: without the key service no half tenant appears in the directory. */
rp_err rp_identity_new_tenant(struct rp_identity *identity, rp_view name, rp_id *ret_tenant) {
    RP_ASSERT(identity != NULL && ret_tenant != NULL);
    if (!is_name(name)) {
        return RP_ERR(INVALID);
    }
    RP_TRY(check_apart(identity->db, name));
    struct tenant_row tenant = {identity, rp_env_new_id(identity->env), name};
    RP_TRY(make_database(identity, tenant.tenant));
    RP_TRY(rp_db_transact(identity->db, insert_tenant, &tenant));
    *ret_tenant = tenant.tenant;
    return RP_OK;
}

rp_err rp_identity_each_tenant(struct rp_identity *identity,
                               rp_err (*each)(void *ctx, rp_id tenant, rp_view name), void *ctx) {
    RP_ASSERT(identity != NULL && each != NULL);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(
        rp_db_query(identity->db, "SELECT id, name FROM tenant WHERE ready = 1 ORDER BY id", &row));
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_TRY(each(ctx, rp_row_id(row, 0), rp_row_text(row, 1)));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}
