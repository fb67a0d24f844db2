/* engine.c — a database that is one file: its transactions and statements, by SQLite. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "store/sqlite/sqlite.h"

struct own {
    sqlite3 *handle;
    bool eased; /* a commit does not wait for the disk */
    struct rp_row rows[RP_STATEMENTS_MAX];
};

static struct own *own_of(const struct rp_db *db) {
    return db->own;
}

sqlite3 *rp_sqlite_handle(const struct rp_db *db) {
    return own_of(db)->handle;
}

/* ---- transactions ---- */

static rp_err set_eased(struct rp_db *db, bool eased) {
    struct own *own = own_of(db);
    if (own->eased == eased) {
        return RP_OK;
    }
    RP_TRY(rp_store_exec(own->handle,
                         eased ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL"));
    own->eased = eased;
    return RP_OK;
}

static rp_err begin(struct rp_db *db, bool eased) {
    RP_TRY(set_eased(db, eased));
    return rp_store_exec(rp_sqlite_handle(db), "BEGIN IMMEDIATE");
}

static rp_err commit(struct rp_db *db) {
    rp_err err = rp_store_exec(rp_sqlite_handle(db), "COMMIT");
    if (rp_ok(err)) {
        rp_ignore(set_eased(db, false)); /* else the next beginning does it, or is refused */
    }
    return err;
}

static bool gave_up(const struct rp_db *db) {
    return sqlite3_get_autocommit(rp_sqlite_handle(db)) != 0;
}

static void rollback(struct rp_db *db) {
    if (!gave_up(db)) {
        rp_err err = rp_store_exec(rp_sqlite_handle(db), "ROLLBACK");
        RP_ASSERT(rp_ok(err)); /* with no statement running it cannot fail */
    }
    rp_ignore(set_eased(db, false));
}

static uint64_t changes(const struct rp_db *db) {
    return (uint64_t)sqlite3_total_changes64(rp_sqlite_handle(db));
}

/* ---- statements ---- */

static sqlite3 *handle_of(const struct rp_row *row) {
    return rp_sqlite_handle(row->db);
}

static rp_err prepare(struct rp_row *row) {
    sqlite3_stmt *stmt = NULL;
    int result =
        sqlite3_prepare_v3(handle_of(row), row->sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    row->own = stmt;
    return result == SQLITE_OK ? RP_OK : rp_store_err(handle_of(row), result);
}

static void reset(struct rp_row *row) {
    (void)sqlite3_reset(row->own);
    (void)sqlite3_clear_bindings(row->own);
}

static void destroy(struct rp_row *row) {
    (void)sqlite3_finalize(row->own);
}

static rp_err bound(const struct rp_row *row, int result) {
    return result == SQLITE_OK ? RP_OK : rp_store_err(handle_of(row), result);
}

static rp_err bind_u64(struct rp_row *row, int place, uint64_t value) {
    return bound(row, sqlite3_bind_int64(row->own, place, (sqlite3_int64)value));
}

/* A view of nothing has no pointer, which SQLite would take for NULL. */
static const void *bytes_of(rp_view value) {
    return value.n > 0 ? (const void *)value.p : "";
}

static rp_err bind_bytes(struct rp_row *row, int place, enum rp_bytes_kind kind, rp_view value) {
    const void *p = bytes_of(value);
    return bound(
        row, kind == RP_BYTES_TEXT
                 ? sqlite3_bind_text64(row->own, place, p, value.n, SQLITE_TRANSIENT, SQLITE_UTF8)
                 : sqlite3_bind_blob64(row->own, place, p, value.n, SQLITE_TRANSIENT));
}

static rp_err bind_null(struct rp_row *row, int place) {
    return bound(row, sqlite3_bind_null(row->own, place));
}

static rp_err bind_bytes_null(struct rp_row *row, int place, enum rp_bytes_kind kind) {
    (void)kind; /* SQLite's NULL has no type */
    return bind_null(row, place);
}

static rp_err step(struct rp_row *row, bool *ret_has_row) {
    int result = sqlite3_step(row->own);
    if (result == SQLITE_ROW) {
        *ret_has_row = true;
        return RP_OK;
    }
    rp_err err = result == SQLITE_DONE ? RP_OK : rp_store_err(handle_of(row), result);
    (void)sqlite3_reset(row->own);
    if (rp_ok(err)) {
        *ret_has_row = false;
    }
    return err;
}

static uint64_t changed(const struct rp_row *row) {
    return (uint64_t)sqlite3_changes64(handle_of(row));
}

/* Nothing that we store is negative; what says so was altered, and counts as nothing. */
static uint64_t u64(const struct rp_row *row, int column) {
    sqlite3_int64 value = sqlite3_column_int64(row->own, column);
    return value < 0 ? 0 : (uint64_t)value;
}

static rp_view bytes(const struct rp_row *row, int column, enum rp_bytes_kind kind) {
    const void *p = kind == RP_BYTES_TEXT ? (const void *)sqlite3_column_text(row->own, column)
                                          : sqlite3_column_blob(row->own, column);
    return rp_view_of(p, (size_t)sqlite3_column_bytes(row->own, column));
}

static bool is_null(const struct rp_row *row, int column) {
    return sqlite3_column_type(row->own, column) == SQLITE_NULL;
}

/* ---- open and closed ---- */

static void close_db(struct rp_db *db) {
    struct own *own = own_of(db);
    rp_rows_destroy(db->engine, own->rows);
    int result = sqlite3_close(own->handle);
    RP_ASSERT(result == SQLITE_OK); /* every statement was ours */
    free(own);
    free(db);
}

const struct rp_engine rp_sqlite_engine = {
    .sql = RP_SQL_SQLITE,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .gave_up = gave_up,
    .checkpoint = rp_sqlite_checkpoint,
    .changes = changes,
    .prepare = prepare,
    .reset = reset,
    .destroy = destroy,
    .bind_u64 = bind_u64,
    .bind_any_u64 = bind_u64, /* a column of type ANY sorts numbers before texts */
    .bind_bytes = bind_bytes,
    .bind_null = bind_null,
    .bind_bytes_null = bind_bytes_null,
    .step = step,
    .changed = changed,
    .u64 = u64,
    .bytes = bytes,
    .is_null = is_null,
    .close = close_db,
};

rp_err rp_sqlite_wrap(sqlite3 *handle, const char *file, rp_id tenant, struct rp_db **ret_db) {
    struct own *own = calloc(1, sizeof *own);
    struct rp_db *db = calloc(1, sizeof *db);
    if (own == NULL || db == NULL) {
        free(own);
        free(db);
        return RP_ERR(NO_MEMORY);
    }
    own->handle = handle;
    *db = (struct rp_db){
        .engine = &rp_sqlite_engine, .own = own, .rows = own->rows, .tenant = tenant};
    int n = snprintf(db->name, sizeof db->name, "%s", file);
    RP_ASSERT(n > 0 && (size_t)n < sizeof db->name);
    *ret_db = db;
    return RP_OK;
}
