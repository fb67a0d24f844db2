#include "store/pour.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/checked.h"

enum { TABLES_MAX = 64, COLUMNS_MAX = 24, ARENA_BYTES = 256 * 1024, SQL_MAX = 4096 };

enum kind { KIND_NUMBER, KIND_TEXT, KIND_BLOB, KIND_ANY };

struct table {
    const char *select, *clear, *insert, *count; /* in the arena: the address is the name */
    enum kind kinds[COLUMNS_MAX];
    size_t columns;
};

struct rp_pour {
    struct rp_db *from, *to;
    struct rp_arena *arena;
    struct table tables[TABLES_MAX];
    size_t count, at;
    struct rp_row *reading; /* of the table at `at`; NULL: it was not begun */
    uint64_t rows;
};

/* ---- which tables, and of what columns ---- */

struct columns {
    rp_view names[COLUMNS_MAX];
    size_t count;
};

static enum kind kind_of(rp_view type) {
    if (rp_view_equal(type, RP_VIEW("INTEGER"))) {
        return KIND_NUMBER;
    }
    if (rp_view_equal(type, RP_VIEW("BLOB"))) {
        return KIND_BLOB;
    }
    return rp_view_equal(type, RP_VIEW("ANY")) ? KIND_ANY : KIND_TEXT;
}

static rp_err read_columns(struct rp_pour *pour, struct rp_db *sqlite, rp_view name,
                           struct table *table, struct columns *columns) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(sqlite, "SELECT name, type FROM pragma_table_info(?1) ORDER BY cid", &row));
    rp_row_bind_text(row, 1, name);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        if (columns->count == COLUMNS_MAX) {
            return RP_ERR(TOO_LARGE);
        }
        table->kinds[columns->count] = kind_of(rp_row_text(row, 1));
        RP_TRY(rp_arena_copy(pour->arena, rp_row_text(row, 0), &columns->names[columns->count]));
        columns->count++;
        RP_TRY(rp_row_next(row, &more));
    }
    table->columns = columns->count;
    return RP_OK;
}

static rp_err keep_sql(struct rp_pour *pour, struct rp_buf *sql, const char **ret_sql) {
    rp_view kept;
    rp_buf_add_byte(sql, 0);
    RP_TRY(rp_buf_err(sql));
    RP_TRY(rp_arena_copy(pour->arena, rp_buf_view(sql), &kept));
    *ret_sql = (const char *)kept.p;
    rp_buf_clear(sql);
    return RP_OK;
}

static void add_list(struct rp_buf *sql, const struct columns *columns) {
    for (size_t i = 0; i < columns->count; i++) {
        rp_buf_printf(sql, "%s%.*s", i ? ", " : "", RP_FMT(columns->names[i]));
    }
}

static rp_err write_sql(struct rp_pour *pour, rp_view name, const struct columns *columns,
                        struct table *table) {
    _cleanup_(rp_buf_done) struct rp_buf sql = rp_buf_new(SQL_MAX);
    if (table->select == NULL) {
        rp_buf_add_cstr(&sql, "SELECT ");
        add_list(&sql, columns);
        rp_buf_printf(&sql, " FROM %.*s", RP_FMT(name));
        RP_TRY(keep_sql(pour, &sql, &table->select));
    }
    rp_buf_printf(&sql, "DELETE FROM %.*s", RP_FMT(name));
    RP_TRY(keep_sql(pour, &sql, &table->clear));
    rp_buf_printf(&sql, "SELECT count(*) FROM %.*s", RP_FMT(name));
    RP_TRY(keep_sql(pour, &sql, &table->count));
    rp_buf_printf(&sql, "INSERT INTO %.*s (", RP_FMT(name));
    add_list(&sql, columns);
    rp_buf_add_cstr(&sql, ") VALUES (");
    for (size_t i = 0; i < columns->count; i++) {
        rp_buf_printf(&sql, "%s?%zu", i ? ", " : "", i + 1);
    }
    rp_buf_add_cstr(&sql, ")");
    return keep_sql(pour, &sql, &table->insert);
}

/* Its last column says whether the value is a number, which is 19 digits then in both. */
static const char *select_values(enum rp_sql from) {
    return from == RP_SQL_SQLITE
               ? "SELECT record, field, register, CASE typeof(value) WHEN 'integer' THEN "
                 "printf('%019d', value) ELSE value END, typeof(value) = 'integer' "
                 "FROM register_value"
               : "SELECT v.record, v.field, v.register, v.value, "
                 "coalesce(json_typeof(without_zero(r.body)::json "
                 "-> v.field) = 'number', false) FROM register_value v "
                 "JOIN register_record r ON r.row = v.record";
}

static rp_err add_table(struct rp_pour *pour, struct rp_db *sqlite, rp_view name) {
    if (pour->count == TABLES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    struct table *table = &pour->tables[pour->count++];
    struct columns columns = {.count = 0};
    if (rp_view_equal(name, RP_VIEW("register_value"))) {
        table->select = select_values(rp_db_sql(pour->from));
    }
    RP_TRY(read_columns(pour, sqlite, name, table, &columns));
    return write_sql(pour, name, &columns, table);
}

/* A text that waits for the index is newer than what the index has. */
static rp_err add_words(struct rp_pour *pour) {
    struct table *table = &pour->tables[pour->count++];
    *table = (struct table){
        .select = rp_db_sql(pour->from) == RP_SQL_SQLITE
                      ? "SELECT rowid, register, body FROM register_text WHERE rowid NOT IN "
                        "(SELECT row FROM register_unindexed) "
                        "UNION ALL SELECT row, register, body FROM register_unindexed"
                      : "SELECT rowid, register, body FROM register_text",
        .clear = "DELETE FROM register_text",
        .insert = "INSERT INTO register_text (rowid, register, body) VALUES (?1, ?2, ?3)",
        .kinds = {KIND_NUMBER, KIND_TEXT, KIND_TEXT},
        .columns = 3};
    return RP_OK;
}

static rp_err find_tables(struct rp_pour *pour, struct rp_db *sqlite) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false, words = false;
    RP_TRY(rp_db_query(sqlite,
                       "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'owner' "
                       "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'register_text_%' "
                       "AND name <> 'register_unindexed' ORDER BY rowid",
                       &row));
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        bool is_words = rp_view_equal(rp_row_text(row, 0), RP_VIEW("register_text"));
        words = words || is_words;
        RP_TRY(is_words ? RP_OK : add_table(pour, sqlite, rp_row_text(row, 0)));
        RP_TRY(rp_row_next(row, &more));
    }
    if (pour->count == TABLES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    return words ? add_words(pour) : RP_OK;
}

/* ---- one row after the other ---- */

/* 19 digits, zeros in front. Somebody may have edited the row: what is none is no bug of ours. */
static rp_err bind_number_text(struct rp_row *into, int place, rp_view digits) {
    uint64_t number = 0;
    size_t zeros = 0;
    while (zeros + 1 < digits.n && digits.p[zeros] == '0') {
        zeros++;
    }
    if (!rp_view_to_u64(rp_view_from(digits, zeros), INT64_MAX, &number)) {
        return RP_ERR(CORRUPT);
    }
    rp_row_bind_any_u64(into, place, number);
    return RP_OK;
}

static rp_err carry(struct rp_row *out, struct rp_row *into, const struct table *table, size_t i) {
    int column = (int)i, place = (int)i + 1;
    if (rp_row_is_null(out, column)) {
        rp_row_bind_null(into, place);
    } else if (table->kinds[i] == KIND_NUMBER) {
        rp_row_bind_u64(into, place, rp_row_u64(out, column));
    } else if (table->kinds[i] == KIND_BLOB) {
        rp_row_bind_blob(into, place, rp_row_blob(out, column));
    } else if (table->kinds[i] == KIND_ANY && rp_row_u64(out, column + 1) == 1) {
        return bind_number_text(into, place, rp_row_text(out, column));
    } else {
        rp_row_bind_text(into, place, rp_row_text(out, column));
    }
    return RP_OK;
}

static rp_err begin_table(struct rp_pour *pour, const struct table *table) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(pour->to, table->clear, &row)); /* what a new one holds */
    RP_TRY(rp_row_run(row, NULL));
    return rp_db_query(pour->from, table->select, &pour->reading);
}

/* Numbers that came along are not those that PostgreSQL counted: it goes on behind them. The count
 * is all tenants' and only rises; a transaction that is rolled back leaves a gap. */
static rp_err count_on(struct rp_pour *pour) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    if (rp_db_sql(pour->to) != RP_SQL_POSTGRESQL || rp_id_is_none(rp_db_tenant(pour->to))) {
        return RP_OK;
    }
    RP_TRY(rp_db_query(pour->to,
                       "SELECT setval('record_number_seq', greatest((SELECT last_value FROM "
                       "record_number_seq), (SELECT coalesce(max(number), 1) FROM record)))",
                       &row));
    return rp_row_first(row);
}

static rp_err end_table(struct rp_pour *pour) {
    rp_row_done(rp_take(&pour->reading));
    pour->at++;
    return pour->at == pour->count ? count_on(pour) : RP_OK;
}

static rp_err one_row(struct rp_pour *pour) {
    const struct table *table = &pour->tables[pour->at];
    struct rp_row *into = NULL;
    bool more = false;
    if (pour->reading == NULL) {
        RP_TRY(begin_table(pour, table));
    }
    RP_TRY(rp_row_next(pour->reading, &more));
    if (!more) {
        return end_table(pour);
    }
    RP_TRY(rp_db_query(pour->to, table->insert, &into));
    for (size_t i = 0; i < table->columns; i++) {
        RP_TRY(carry(pour->reading, into, table, i));
    }
    pour->rows++;
    return rp_row_run(into, NULL);
}

rp_err rp_pour_start(struct rp_db *from, struct rp_db *to, struct rp_db *sqlite,
                     struct rp_pour **ret_pour) {
    struct rp_pour *pour = calloc(1, sizeof *pour);
    if (pour == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    pour->from = from;
    pour->to = to;
    pour->arena = rp_arena_new(ARENA_BYTES);
    rp_err err = pour->arena ? find_tables(pour, sqlite) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        rp_pour_free(pour);
        return err;
    }
    *ret_pour = pour;
    return RP_OK;
}

rp_err rp_pour_step(struct rp_pour *pour, size_t rows, bool *ret_more) {
    for (size_t i = 0; i < rows && pour->at < pour->count; i++) {
        RP_TRY(one_row(pour));
    }
    *ret_more = pour->at < pour->count;
    return RP_OK;
}

static rp_err count(struct rp_db *db, const char *sql, uint64_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    RP_TRY(rp_row_first(row));
    *ret_count = rp_row_u64(row, 0);
    return RP_OK;
}

rp_err rp_pour_check(struct rp_pour *pour) {
    for (size_t i = 0; i < pour->count; i++) {
        const char *sql = pour->tables[i].count; /* none: the index of words */
        uint64_t from = 0, to = 0;
        RP_TRY(sql ? count(pour->from, sql, &from) : RP_OK);
        RP_TRY(sql ? count(pour->to, sql, &to) : RP_OK);
        if (from != to) {
            return RP_ERR(CORRUPT);
        }
    }
    return RP_OK;
}

uint64_t rp_pour_rows(const struct rp_pour *pour) {
    return pour->rows;
}

void rp_pour_free(struct rp_pour *pour) {
    if (pour != NULL) {
        rp_row_done(pour->reading);
        rp_arena_free(pour->arena);
        free(pour);
    }
}
