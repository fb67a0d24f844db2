/* db.c — transactions: begun, and ended once. */
#include "base/assert.h"
#include "store/internal.h"

rp_id rp_db_tenant(const struct rp_db *db) {
    RP_ASSERT(db != NULL);
    return db->tenant;
}

const char *rp_db_name(const struct rp_db *db) {
    RP_ASSERT(db != NULL);
    return db->name;
}

enum rp_sql rp_db_sql(const struct rp_db *db) {
    RP_ASSERT(db != NULL);
    return db->engine->sql;
}

void rp_db_close(struct rp_db *db) {
    if (db != NULL) {
        db->engine->close(db);
    }
}

rp_err rp_db_checkpoint(struct rp_db *db) {
    RP_ASSERT(db != NULL && !db->in_transaction);
    return db->engine->checkpoint(db);
}

static rp_err begin(struct rp_db *db, bool eased) {
    RP_ASSERT(db != NULL);
    RP_ASSERT(!db->in_transaction);
    RP_TRY(db->engine->begin(db, eased));
    db->in_transaction = true;
    return RP_OK;
}

rp_err rp_db_begin(struct rp_db *db) {
    return begin(db, false);
}

rp_err rp_db_commit(struct rp_db *db) {
    RP_ASSERT(db != NULL);
    RP_ASSERT(db->in_transaction);
    rp_err err = db->engine->gave_up(db) ? RP_ERR(IO) : db->engine->commit(db);
    if (!rp_ok(err)) {
        rp_db_rollback(db);
        return err;
    }
    db->in_transaction = false;
    return RP_OK;
}

void rp_db_rollback(struct rp_db *db) {
    RP_ASSERT(db != NULL);
    if (!db->in_transaction) {
        return;
    }
    db->in_transaction = false;
    for (size_t i = 0; i < RP_STATEMENTS_MAX; i++) {
        if (db->rows[i].sql != NULL && db->rows[i].db == db) {
            db->engine->reset(&db->rows[i]);
        }
    }
    db->engine->rollback(db);
}

static rp_err transact(struct rp_db *db, bool eased, rp_err (*body)(struct rp_db *db, void *ctx),
                       void *ctx) {
    RP_ASSERT(body != NULL);
    RP_TRY(begin(db, eased));
    rp_err err = body(db, ctx);
    if (!rp_ok(err)) {
        rp_db_rollback(db);
        return err;
    }
    return rp_db_commit(db);
}

rp_err rp_db_transact(struct rp_db *db, rp_err (*body)(struct rp_db *db, void *ctx), void *ctx) {
    return transact(db, false, body, ctx);
}

rp_err rp_db_transact_eased(struct rp_db *db, rp_err (*body)(struct rp_db *db, void *ctx),
                            void *ctx) {
    return transact(db, true, body, ctx);
}
