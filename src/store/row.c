/* row.c — statements: found by the address of their text, bound, stepped through. */
#include <stdint.h>

#include "base/assert.h"
#include "store/internal.h"

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
    return db->in_transaction && db->engine->gave_up(db) ? RP_ERR(IO) : RP_OK;
}

rp_err rp_db_query(struct rp_db *db, const char *sql, struct rp_row **ret_row) {
    RP_ASSERT(db != NULL && sql != NULL);
    RP_TRY(check_transaction(db));
    struct rp_row *row = find_row(db, sql);
    row->db = db; /* a connection's statements serve all of its tenants */
    if (row->sql == NULL) {
        row->sql = sql;
        rp_err err = db->engine->prepare(row);
        if (!rp_ok(err)) {
            *row = (struct rp_row){.sql = NULL};
            return err;
        }
    }
    db->engine->reset(row);
    row->bound = RP_OK;
    *ret_row = row;
    return RP_OK;
}

void rp_rows_destroy(const struct rp_engine *engine, struct rp_row *rows) {
    for (size_t i = 0; i < RP_STATEMENTS_MAX; i++) {
        if (rows[i].sql != NULL) {
            engine->destroy(&rows[i]);
            rows[i].sql = NULL;
        }
    }
}

static void note(struct rp_row *row, rp_err err) {
    if (rp_ok(row->bound)) {
        row->bound = err;
    }
}

void rp_row_bind_u64(struct rp_row *row, int place, uint64_t value) {
    RP_ASSERT(value <= INT64_MAX);
    note(row, row->db->engine->bind_u64(row, place, value));
}

void rp_row_bind_any_u64(struct rp_row *row, int place, uint64_t value) {
    RP_ASSERT(value <= INT64_MAX);
    note(row, row->db->engine->bind_any_u64(row, place, value));
}

void rp_row_bind_text(struct rp_row *row, int place, rp_view value) {
    note(row, row->db->engine->bind_bytes(row, place, RP_BYTES_TEXT, value));
}

void rp_row_bind_blob(struct rp_row *row, int place, rp_view value) {
    note(row, row->db->engine->bind_bytes(row, place, RP_BYTES_BLOB, value));
}

void rp_row_bind_id(struct rp_row *row, int place, rp_id value) {
    rp_row_bind_blob(row, place, rp_view_of(value.b, sizeof value.b));
}

void rp_row_bind_null(struct rp_row *row, int place) {
    note(row, row->db->engine->bind_null(row, place));
}

void rp_row_bind_text_or_null(struct rp_row *row, int place, rp_view value) {
    note(row, value.p != NULL ? row->db->engine->bind_bytes(row, place, RP_BYTES_TEXT, value)
                              : row->db->engine->bind_bytes_null(row, place, RP_BYTES_TEXT));
}

void rp_row_bind_id_or_null(struct rp_row *row, int place, rp_id value) {
    if (!rp_id_is_none(value)) {
        rp_row_bind_id(row, place, value);
    } else {
        note(row, row->db->engine->bind_bytes_null(row, place, RP_BYTES_BLOB));
    }
}

rp_err rp_row_next(struct rp_row *row, bool *ret_has_row) {
    RP_ASSERT(row != NULL && row->sql != NULL);
    RP_TRY(row->bound);
    RP_TRY(check_transaction(row->db));
    return row->db->engine->step(row, ret_has_row);
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
        *ret_changed = row->db->engine->changed(row);
    }
    return RP_OK;
}

uint64_t rp_db_changes(const struct rp_db *db) {
    RP_ASSERT(db != NULL);
    return db->engine->changes(db);
}

uint64_t rp_row_u64(struct rp_row *row, int column) {
    return row->db->engine->u64(row, column);
}

rp_view rp_row_text(struct rp_row *row, int column) {
    return row->db->engine->bytes(row, column, RP_BYTES_TEXT);
}

rp_view rp_row_blob(struct rp_row *row, int column) {
    return row->db->engine->bytes(row, column, RP_BYTES_BLOB);
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
    return row->db->engine->is_null(row, column);
}

void rp_row_done(struct rp_row *row) {
    if (row != NULL) {
        row->db->engine->reset(row);
    }
}
