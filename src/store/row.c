#include "store/internal.h"

#include <stdint.h>

#include "base/assert.h"

/* The place of the statement, or the free place where it goes. */
static struct rp_row *find_row(struct rp_db *db, const char *sql) {
    size_t start = (size_t)(((uintptr_t)sql >> 3) * 0x9e3779b1u);
    for (size_t i = 0; i < RP_STATEMENTS_MAX; i++) {
        struct rp_row *row = &db->rows[(start + i) % RP_STATEMENTS_MAX];
        if (row->sql == sql || row->sql == NULL) {
            return row;
        }
    }
    rp_assert_failed("more statements than RP_STATEMENTS_MAX", __FILE__, __LINE__);
}

/* When the engine had to give the transaction up (disk full), what follows in the same function
 * must not be written outside of it. */
static rp_err check_transaction(const struct rp_db *db) {
    bool lost = db->in_transaction && sqlite3_get_autocommit(db->handle);
    return lost ? RP_ERR(IO) : RP_OK;
}

rp_err rp_db_query(struct rp_db *db, const char *sql, struct rp_row **ret_row) {
    RP_ASSERT(db != NULL && sql != NULL);
    RP_TRY(check_transaction(db));
    struct rp_row *row = find_row(db, sql);
    if (row->sql == NULL) {
        int result =
            sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &row->stmt, NULL);
        if (result != SQLITE_OK) {
            return rp_store_err(db->handle, result);
        }
        row->sql = sql;
        row->db = db;
    }
    (void)sqlite3_reset(row->stmt);
    (void)sqlite3_clear_bindings(row->stmt);
    row->bound = RP_OK;
    *ret_row = row;
    return RP_OK;
}

static void note(struct rp_row *row, int result) {
    if (result != SQLITE_OK && rp_ok(row->bound)) {
        row->bound = rp_store_err(row->db->handle, result);
    }
}

void rp_row_bind_u64(struct rp_row *row, int place, uint64_t value) {
    RP_ASSERT(value <= INT64_MAX);
    note(row, sqlite3_bind_int64(row->stmt, place, (sqlite3_int64)value));
}

/* A view of nothing has no pointer, which SQLite would take for NULL. */
static const void *bytes_of(rp_view value) {
    return value.n > 0 ? (const void *)value.p : "";
}

void rp_row_bind_text(struct rp_row *row, int place, rp_view value) {
    note(row, sqlite3_bind_text64(row->stmt, place, bytes_of(value), value.n, SQLITE_TRANSIENT,
                                  SQLITE_UTF8));
}

void rp_row_bind_blob(struct rp_row *row, int place, rp_view value) {
    note(row, sqlite3_bind_blob64(row->stmt, place, bytes_of(value), value.n, SQLITE_TRANSIENT));
}

void rp_row_bind_id(struct rp_row *row, int place, rp_id value) {
    rp_row_bind_blob(row, place, rp_view_of(value.b, sizeof value.b));
}

void rp_row_bind_null(struct rp_row *row, int place) {
    note(row, sqlite3_bind_null(row->stmt, place));
}

rp_err rp_row_next(struct rp_row *row, bool *ret_has_row) {
    RP_ASSERT(row != NULL && row->stmt != NULL);
    RP_TRY(row->bound);
    RP_TRY(check_transaction(row->db));
    int result = sqlite3_step(row->stmt);
    if (result == SQLITE_ROW) {
        *ret_has_row = true;
        return RP_OK;
    }
    rp_err err = result == SQLITE_DONE ? RP_OK : rp_store_err(row->db->handle, result);
    (void)sqlite3_reset(row->stmt);
    if (rp_ok(err)) {
        *ret_has_row = false;
    }
    return err;
}

rp_err rp_row_first(struct rp_row *row) {
    bool has_row = false;
    RP_TRY(rp_row_next(row, &has_row));
    return has_row ? RP_OK : RP_ERR(NOT_FOUND);
}

rp_err rp_row_run(struct rp_row *row, uint64_t *ret_changed) {
    bool has_row = false;
    RP_TRY(rp_row_next(row, &has_row));
    RP_ASSERT(!has_row);
    if (ret_changed != NULL) {
        *ret_changed = (uint64_t)sqlite3_changes64(row->db->handle);
    }
    return RP_OK;
}

uint64_t rp_db_changes(const struct rp_db *db) {
    RP_ASSERT(db != NULL);
    return (uint64_t)sqlite3_total_changes64(db->handle);
}

/* Nothing that we store is negative; what says so was altered, and counts as nothing. */
uint64_t rp_row_u64(struct rp_row *row, int column) {
    sqlite3_int64 value = sqlite3_column_int64(row->stmt, column);
    return value < 0 ? 0 : (uint64_t)value;
}

rp_view rp_row_text(struct rp_row *row, int column) {
    const void *p = sqlite3_column_text(row->stmt, column);
    return rp_view_of(p, (size_t)sqlite3_column_bytes(row->stmt, column));
}

rp_view rp_row_blob(struct rp_row *row, int column) {
    const void *p = sqlite3_column_blob(row->stmt, column);
    return rp_view_of(p, (size_t)sqlite3_column_bytes(row->stmt, column));
}

rp_id rp_row_id(struct rp_row *row, int column) {
    rp_id id = {{0}};
    rp_view bytes = rp_row_blob(row, column);
    if (bytes.n == sizeof id.b) {
        memcpy(id.b, bytes.p, sizeof id.b);
    }
    return id;
}

bool rp_row_is_null(struct rp_row *row, int column) {
    return sqlite3_column_type(row->stmt, column) == SQLITE_NULL;
}

void rp_row_done(struct rp_row *row) {
    if (row != NULL) {
        (void)sqlite3_reset(row->stmt);
        (void)sqlite3_clear_bindings(row->stmt);
    }
}
