/* pour_test.c — all that a database holds comes through another engine and back as it was.
 *
 * The middle is the PostgreSQL that REMPART_STORE names, and the way back a snapshot of it; without
 * one it is a second file of SQLite, which the same rows pass through.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/checked.h"
#include "store/postgresql/pg.h"
#include "store/pour.h"
#include "store/snapshot.h"
#include "store/sqlite/sqlite.h"

enum { DUMP_MAX = 16 * 1024 * 1024, SQL_MAX = 4096, STEP_ROWS = 3 };

static const rp_id nobody = {{0}}, alpha = {{0xaa, 1}}, beta = {{0xbb, 2}};

static char *folder;
static struct rp_pg *pg; /* NULL: no server */
static struct rp_db *source, *middle, *target;

/* ---- three databases ---- */

static int setup(void **state) {
    (void)state;
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    return 0;
}

static void close_middle(void) {
    rp_db_close(rp_take(&middle));
    rp_pg_free(rp_take(&pg));
}

static int teardown(void **state) {
    (void)state;
    rp_db_close(rp_take(&source));
    close_middle();
    rp_db_close(rp_take(&target));
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

static bool has_server(void) {
    return getenv("REMPART_STORE") != NULL;
}

static void open_middle(rp_id tenant) {
    if (!has_server()) {
        assert_ok(rp_sqlite_open("middle.db", tenant, true, &middle, NULL));
        return;
    }
    struct rp_store_url url;
    assert_ok(rp_store_url_parse(rp_view_from_cstr(unit_store_url()), &url, NULL));
    assert_ok(rp_pg_new(&url, !rp_id_is_none(tenant), &pg, NULL));
    assert_ok(rp_pg_open(pg, tenant, true, &middle, NULL));
}

static void fill(const char *sql) {
    char *problem = NULL;
    if (sqlite3_exec(rp_sqlite_handle(source), sql, NULL, NULL, &problem) != SQLITE_OK) {
        fail_msg("%s", problem);
    }
}

/* How many rows went. */
static uint64_t pour(struct rp_db *from, struct rp_db *to, struct rp_db *sqlite) {
    struct rp_pour *one = NULL;
    bool more = true;
    assert_ok(rp_db_begin(from));
    assert_ok(rp_db_begin(to));
    assert_ok(rp_pour_start(from, to, sqlite, &one));
    while (more) {
        uint64_t before = rp_pour_rows(one);
        assert_ok(rp_pour_step(one, STEP_ROWS, &more));
        assert_true(rp_pour_rows(one) - before <= STEP_ROWS);
    }
    uint64_t rows = rp_pour_rows(one);
    rp_pour_free(one);
    assert_ok(rp_db_commit(to));
    rp_db_rollback(from);
    return rows;
}

static void pour_back(rp_id tenant) {
    if (!has_server()) {
        assert_ok(rp_sqlite_open("target.db", tenant, true, &target, NULL));
        (void)pour(middle, target, target);
        return;
    }
    struct rp_snapshot *snapshot = NULL;
    uint64_t left = 1;
    assert_ok(rp_snapshot_start(unit_store_url(), tenant, "target.db", &snapshot, NULL));
    while (left > 0) {
        assert_ok(rp_snapshot_step(snapshot, STEP_ROWS, &left, NULL));
    }
    rp_snapshot_free(snapshot);
    assert_ok(rp_sqlite_open("target.db", tenant, false, &target, NULL));
}

/* ---- what one holds, as text ---- */

static void add_rows(struct rp_db *db, const char *sql, struct rp_buf *out) {
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(rp_sqlite_handle(db), sql, -1, &stmt, NULL), SQLITE_OK);
    int result = sqlite3_step(stmt);
    while (result == SQLITE_ROW) {
        rp_buf_add_cstr(out, (const char *)sqlite3_column_text(stmt, 0));
        rp_buf_add_byte(out, '\n');
        result = sqlite3_step(stmt);
    }
    assert_int_equal(result, SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_ok(rp_buf_err(out));
}

/* One statement for each table: quote() tells 1 from '1' and x'' from NULL. */
static const char list_tables[] =
    "SELECT 'SELECT ''' || t.name || ': '' || ' || group_concat('quote(' || c.name || ')', "
    "' || '','' || ') || ' FROM ' || t.name || ' ORDER BY 1' "
    "FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' "
    "AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'register_text%' "
    "AND t.name <> 'register_unindexed' GROUP BY t.name ORDER BY t.name";

static void dump(struct rp_db *db, struct rp_buf *out) {
    _cleanup_(rp_buf_done) struct rp_buf lines = rp_buf_new(DUMP_MAX);
    add_rows(db, list_tables, &lines);
    rp_view rest = rp_buf_view(&lines);
    while (rest.n > 0) {
        _cleanup_(rp_buf_done) struct rp_buf sql = rp_buf_new(SQL_MAX);
        rp_buf_add(&sql, rp_view_cut(&rest, '\n'));
        rp_buf_add_byte(&sql, 0);
        assert_ok(rp_buf_err(&sql));
        add_rows(db, (const char *)rp_buf_view(&sql).p, out);
    }
}

static void assert_same(struct rp_db *got, struct rp_db *want) {
    _cleanup_(rp_buf_done) struct rp_buf a = rp_buf_new(DUMP_MAX), b = rp_buf_new(DUMP_MAX);
    dump(got, &a);
    dump(want, &b);
    assert_true(rp_buf_view(&b).n > 0);
    assert_true(rp_view_equal(rp_buf_view(&a), rp_buf_view(&b)));
}

static void assert_answers(struct rp_db *db, const char *sql, const char *want) {
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(DUMP_MAX);
    add_rows(db, sql, &out);
    rp_buf_add_byte(&out, 0);
    assert_string_equal((const char *)rp_buf_view(&out).p, want);
}

static uint64_t number_of(struct rp_db *db, const char *sql) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, sql, &row));
    assert_ok(rp_row_first(row));
    return rp_row_u64(row, 0);
}

/* ---- the system's ---- */

#define ID "x'01020304050607080910111213141516'"
#define RECORD(row, id, body, sealed)                                                              \
    "INSERT INTO register_record VALUES (" row ", " id ", 'incidents', " row ", 'open', 1, " ID    \
    ", 5, 6, 0, '" body "', " sealed ", zeroblob(32));"
#define VALUE(row, field, value)                                                                   \
    "INSERT INTO register_value VALUES (" row ", '" field "', 'incidents', " value ");"

/* NULLs, empty texts and blobs, bytes of every kind, the largest number, a text that looks like
 * one, and a blob over what one page or packet holds. */
static const char system_rows[] =
    "INSERT INTO outbox VALUES (8, x''), (9, x'00ff0a5c27'); UPDATE outbox_state SET last = 9, "
    "acked = 7;"
    "INSERT INTO tenant VALUES (" ID ", 'Éléonore ''&'' \"fils\" \\n', 1, 1, 9223372036854775807);"
    "INSERT INTO person (id, tenant, address, email_sealed, password, totp_sealed, totp_last_step, "
    "created_ms) VALUES (" ID ", " ID ", zeroblob(32), x'00', '', NULL, 0, 0);"
    "INSERT INTO membership VALUES (" ID ", " ID ", 7);"
    "INSERT INTO clock VALUES (" ID ", 'answer', 1, 2, 0, x'', 0, 1, NULL, NULL), (" ID
    ", 'late', 1, 2, 0, x'01', 0, 0, 0, '');" /* next_ms 0 is not NULL */
    RECORD("1", "randomblob(16)", "{\"age\":42,\"code\":\"0000000000000000042\",\"done\":true}",
           "NULL") VALUE("1", "age", "42") VALUE("1", "code", "'0000000000000000042'")
        VALUE("1", "done", "'true'") VALUE("1", "none", "NULL") VALUE("1", "empty", "''")
            RECORD("2", "randomblob(16)", "{\"age\":8999999999999999,\"digits\":\"7\"}", "x''")
                VALUE("2", "age", "8999999999999999") VALUE("2", "digits", "'7'")
                    VALUE("2", "roles.security",
                          "'true'") "INSERT INTO register_piece VALUES (1, zeroblob(32), 1, "
                                    "randomblob(1048576), zeroblob(32)), "
                                    "(1, zeroblob(32), 0, x'', zeroblob(32));";

static void the_system_comes_back_as_it_was(void **state) {
    (void)state;
    assert_ok(rp_sqlite_open("source.db", nobody, true, &source, NULL));
    fill(system_rows);
    open_middle(nobody);
    assert_true(pour(source, middle, source) > 20);
    pour_back(nobody);
    assert_same(target, source);
    assert_answers(target, "SELECT typeof(value) FROM register_value ORDER BY record, field",
                   "integer\ntext\ntext\ntext\nnull\ninteger\ntext\ntext\n");
}

static void numbers_are_compared_as_the_engine_does(void **state) {
    (void)state;
    assert_ok(rp_sqlite_open("source.db", nobody, true, &source, NULL));
    fill(system_rows);
    open_middle(nobody);
    (void)pour(source, middle, source);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    assert_ok(rp_db_query(
        middle, "SELECT count(*) FROM register_value WHERE field = 'age' AND value > ?1", &row));
    rp_row_bind_any_u64(row, 1, 42);
    assert_ok(rp_row_first(row));
    assert_int_equal(rp_row_u64(row, 0), 1);
}

static void a_number_that_somebody_edited_is_no_number(void **state) {
    (void)state;
    if (!has_server()) {
        skip(); /* a file says itself what is a number */
    }
    struct rp_row *row = NULL;
    struct rp_snapshot *snapshot = NULL;
    uint64_t left = 1;
    assert_ok(rp_sqlite_open("source.db", nobody, true, &source, NULL));
    fill(system_rows);
    open_middle(nobody);
    (void)pour(source, middle, source);
    assert_ok(
        rp_db_query(middle, "UPDATE register_value SET value = '00x' WHERE field = 'age'", &row));
    assert_ok(rp_row_run(row, NULL));
    assert_ok(rp_snapshot_start(unit_store_url(), nobody, "target.db", &snapshot, NULL));
    assert_err(rp_snapshot_step(snapshot, INT32_MAX, &left, NULL), CORRUPT);
    rp_snapshot_free(snapshot);
    assert_int_not_equal(access("target.db", F_OK), 0); /* half a copy is none */
}

/*= S114 type=test */ /* none is lost on the way */
static void events_that_wait_go_along(void **state) {
    (void)state;
    uint64_t acked = 0, last = 0;
    assert_ok(rp_sqlite_open("source.db", nobody, true, &source, NULL));
    fill(system_rows);
    open_middle(nobody);
    (void)pour(source, middle, source);
    assert_ok(rp_db_outbox_state(middle, &acked, &last));
    assert_int_equal(acked, 7);
    assert_int_equal(last, 9);
    assert_int_equal(number_of(middle, "SELECT count(*) FROM outbox"), 2);
}

static void words_are_the_newest_of_each_record(void **state) {
    (void)state;
    assert_ok(rp_sqlite_open("source.db", nobody, true, &source, NULL));
    fill(system_rows);
    fill("INSERT INTO register_text (rowid, register, body) VALUES (1, 'incidents', 'former'), "
         "(2, 'incidents', 'indexed');"
         "INSERT INTO register_unindexed VALUES (1, 'incidents', 'Écluse');");
    open_middle(nobody);
    (void)pour(source, middle, source);
    pour_back(nobody);
    assert_answers(target,
                   "SELECT rowid || ' ' || register || ' ' || body FROM register_text "
                   "ORDER BY rowid",
                   "1 incidents Écluse\n2 incidents indexed\n");
    assert_answers(target, "SELECT rowid FROM register_text WHERE register_text MATCH 'ecluse'",
                   "1\n");
    assert_answers(target, "SELECT rowid FROM register_text WHERE register_text MATCH 'former'",
                   "");
    if (has_server()) {
        assert_int_equal(number_of(middle, "SELECT rowid FROM register_text "
                                           "WHERE words @@ words_asked(NULL, 'ecluse')"),
                         1);
    }
}

/* ---- a tenant's ---- */

static const char tenant_rows[] =
    "INSERT INTO tenant_key VALUES (1, x'00', 3);"
    "INSERT INTO record VALUES (1, 'notes', 'a', randomblob(16), 1, 5, x'00', 0, 0), "
    "(7, 'notes', 'Z', randomblob(16), 2, 6, randomblob(300000), 4, 9);"
    "INSERT INTO upload VALUES (randomblob(16), 'notes', '@files', randomblob(16), 1, 0, NULL, 0, "
    "1, 5, x''), (randomblob(16), 'notes', '@files', randomblob(16), 1, 0, 0, 0, 1, 5, x'01');"
    "UPDATE space_use SET records = 2, bytes = 300001;";

static rp_err insert_record(struct rp_db *db, rp_id id) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
                       "VALUES ('notes', 'new', ?1, 1, 5, ?1)",
                       &row));
    rp_row_bind_id(row, 1, id);
    return rp_row_run(row, NULL);
}

static void a_tenant_comes_back_as_it_was(void **state) {
    (void)state;
    assert_ok(rp_sqlite_open("source.db", alpha, true, &source, NULL));
    fill(tenant_rows);
    open_middle(alpha);
    (void)pour(source, middle, source);
    pour_back(alpha);
    assert_same(target, source);
    assert_answers(target, "SELECT quote(size) FROM upload ORDER BY size", "NULL\n0\n");
}

/*= S66 type=test */
static void nobody_else_has_what_was_poured(void **state) {
    (void)state;
    if (!has_server()) {
        skip();
    }
    assert_ok(rp_sqlite_open("source.db", alpha, true, &source, NULL));
    fill(tenant_rows);
    open_middle(beta);
    assert_ok(insert_record(middle, beta));
    close_middle();
    open_middle(alpha);
    (void)pour(source, middle, source);
    assert_int_equal(number_of(middle, "SELECT count(*) FROM record"), 2);
    close_middle();
    open_middle(beta); /* and it kept what it had */
    assert_int_equal(number_of(middle, "SELECT count(*) FROM record"), 1);
}

/* Numbers that the engine gives go on behind those that came along. */
static void a_tenant_goes_on_writing(void **state) {
    (void)state;
    assert_ok(rp_sqlite_open("source.db", alpha, true, &source, NULL));
    fill(tenant_rows);
    open_middle(alpha);
    (void)pour(source, middle, source);
    for (uint8_t i = 1; i <= 8; i++) {
        assert_ok(insert_record(middle, (rp_id){{i}}));
    }
    assert_int_equal(number_of(middle, "SELECT count(*) FROM record WHERE number > 7"), 8);
}

/* ---- cut off ---- */

static void what_was_cut_off_left_nothing_and_begins_again(void **state) {
    (void)state;
    struct rp_pour *one = NULL;
    bool more = false;
    assert_ok(rp_sqlite_open("source.db", alpha, true, &source, NULL));
    fill(tenant_rows);
    open_middle(alpha);
    assert_ok(rp_db_begin(source));
    assert_ok(rp_db_begin(middle));
    assert_ok(rp_pour_start(source, middle, source, &one));
    while (number_of(middle, "SELECT count(*) FROM record") == 0) {
        assert_ok(rp_pour_step(one, 1, &more));
        assert_true(more);
    }
    rp_pour_free(one);
    rp_db_rollback(middle);
    rp_db_rollback(source);
    close_middle();
    open_middle(alpha);
    assert_int_equal(number_of(middle, "SELECT count(*) FROM record"), 0);
    (void)pour(source, middle, source);
    pour_back(alpha);
    assert_same(target, source);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_system_comes_back_as_it_was),
        TEST(numbers_are_compared_as_the_engine_does),
        TEST(a_number_that_somebody_edited_is_no_number),
        TEST(events_that_wait_go_along),
        TEST(words_are_the_newest_of_each_record),
        TEST(a_tenant_comes_back_as_it_was),
        TEST(nobody_else_has_what_was_poured),
        TEST(a_tenant_goes_on_writing),
        TEST(what_was_cut_off_left_nothing_and_begins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
