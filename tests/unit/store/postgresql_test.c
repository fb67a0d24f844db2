/* postgresql_test.c — what is particular to PostgreSQL. The pure half needs no server; the other is
 * skipped, in plain sight, where REMPART_STORE names none (tests/scenario/e08 runs it with one).
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/checked.h"
#include "store/postgresql/pg.h"
#include "store/remove.h"
#include "store/snapshot.h"
#include "store/sqlite/sqlite.h"

static const rp_id alpha = {{0xaa, 1}}, beta = {{0xbb, 2}}, record = {{7}};

static struct unit_world world = {.now_ns = 1000000000};
static struct rp_env env;
static struct rp_store *store;
static struct rp_pg *raw; /* a connection of the test's own */
static char *folder;

/* ---- pure ---- */

static void assert_translated(const char *sql, bool tenants, const char *want, int want_places) {
    struct rp_buf out _cleanup_(rp_buf_done) = rp_buf_new(512);
    struct rp_pg_places places = {.count = 99};
    assert_ok(rp_pg_translate(sql, tenants, &out, &places));
    assert_string_equal((const char *)rp_buf_view(&out).p, want);
    assert_int_equal(places.count, want_places);
}

static void statements_are_read_as_postgresql_does(void **state) {
    (void)state;
    struct rp_buf out _cleanup_(rp_buf_done) = rp_buf_new(64);
    struct rp_pg_places places = {.count = 0};
    assert_translated("SELECT a FROM t WHERE b = ?2 AND c = ?10", false,
                      "SELECT a FROM t WHERE b = $2 AND c = $10", 10);
    assert_translated("SELECT '?1', \"?2\", ?1", true, "SELECT '?1', \"?2\", $1", 1);
    assert_translated("INSERT INTO t VALUES (?1) ON CONFLICT (a) DO NOTHING", false,
                      "INSERT INTO t VALUES ($1) ON CONFLICT (a) DO NOTHING", 1);
    assert_translated("INSERT INTO t VALUES (?1) ON CONFLICT (a) DO NOTHING", true,
                      "INSERT INTO t VALUES ($1) ON CONFLICT (tenant, a) DO NOTHING", 1);
    assert_translated("INSERT INTO t VALUES ('ON CONFLICT (') ON CONFLICT DO NOTHING", true,
                      "INSERT INTO t VALUES ('ON CONFLICT (') ON CONFLICT DO NOTHING", 0);
    assert_err(rp_pg_translate("SELECT ?0", false, &out, &places), INVALID);
    assert_err(rp_pg_translate("SELECT ?25", false, &out, &places), INVALID);
    assert_err(rp_pg_translate("SELECT ?", false, &out, &places), INVALID);
}

static void numbers_come_as_the_server_sends_them(void **state) {
    (void)state;
    static const struct {
        Oid type;
        const char *hex;
        uint64_t want;
    } cases[] = {
        {RP_PG_BOOL, "01", 1},
        {RP_PG_INT2, "0102", 258},
        {RP_PG_INT4, "00000102", 258},
        {RP_PG_INT4, "ffffffff", 0},
        {RP_PG_INT8, "7fffffffffffffff", INT64_MAX},
        {RP_PG_INT8, "8000000000000000", 0},
        {RP_PG_INT8, "", 0},
        /* 12,345,678: 1234 * 10,000 + 5678 */
        {RP_PG_NUMERIC, "0002000100000000 04d2162e", 12345678},
        /* 120,000,000: its zeros are not sent */
        {RP_PG_NUMERIC, "0001000200000000 0001", 100000000},
        {RP_PG_NUMERIC, "0001000040000000 0001", 0},
        {RP_PG_NUMERIC, "0005000400000000 03ff 270f 270f 270f 270f", 0},
        {RP_PG_NUMERIC, "0003000400000000 0001", 0},
        {RP_PG_TEXT, "3432", 42},
        {RP_PG_TEXT, "3478", 0},
    };
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        char hex[64];
        size_t n = 0;
        for (const char *c = cases[i].hex; *c != 0; c++) {
            if (*c != ' ') {
                hex[n++] = *c;
            }
        }
        hex[n] = 0;
        assert_true(rp_pg_take_u64(cases[i].type, unit_hex(hex)) == cases[i].want);
    }
}

static void an_address_is_read_whole(void **state) {
    (void)state;
    struct rp_store_url url;
    assert_ok(rp_store_url_parse(RP_VIEW("sqlite:"), &url, NULL));
    assert_true(url.files);
    assert_ok(rp_store_url_parse(RP_VIEW("postgresql://rempart@/app?host=/var/run/postgresql"),
                                 &url, NULL));
    assert_false(url.files);
    assert_string_equal(url.user, "rempart");
    assert_string_equal(url.database, "app");
    assert_string_equal(url.folder, "/var/run/postgresql");
    assert_string_equal(url.port, "5432");
    assert_string_equal(url.schema, "rempart");
    assert_ok(rp_store_url_parse(
        RP_VIEW("postgresql://a-b.c@/d_1?port=6543&schema=two_2&host=/run/pg-15"), &url, NULL));
    assert_string_equal(url.port, "6543");
    assert_string_equal(url.schema, "two_2");
}

static void another_address_is_refused_with_what_to_do(void **state) {
    (void)state;
    static const struct {
        const char *url;
        enum rp_code want;
        const char *says;
    } cases[] = {
        {"mysql://x", RP_E_UNSUPPORTED, "postgresql://"},
        {"sqlite", RP_E_UNSUPPORTED, "sqlite:"},
        {"postgresql://", RP_E_INVALID, "a user's name"},
        {"postgresql:///app?host=/run", RP_E_INVALID, "a user's name"},
        {"postgresql://u:secret@/app?host=/run", RP_E_INVALID, "no password"},
        {"postgresql://u@db.example/app", RP_E_INVALID, "UNIX socket"},
        {"postgresql://u@/?host=/run", RP_E_INVALID, "database"},
        {"postgresql://u@/app", RP_E_INVALID, "host is missing"},
        {"postgresql://u@/app?host=db.example", RP_E_INVALID, "folder"},
        {"postgresql://u@/app?host=/run/%2e", RP_E_INVALID, "folder"},
        {"postgresql://u@/app?host=/run&port=0", RP_E_INVALID, "port"},
        {"postgresql://u@/app?host=/run&port=65536", RP_E_INVALID, "port"},
        {"postgresql://u@/app?host=/run&schema=A", RP_E_INVALID, "schema"},
        {"postgresql://u@/app?host=/run&schema=1a", RP_E_INVALID, "schema"},
        {"postgresql://u@/app?host=/run&schema=a;drop", RP_E_INVALID, "schema"},
        {"postgresql://u@/app?host=/run&sslmode=require", RP_E_INVALID, "sslmode"},
    };
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        struct rp_store_url url = {.port = "kept"};
        struct rp_diag diag = {0};
        unit_assert_err(rp_store_url_parse(rp_view_from_cstr(cases[i].url), &url, &diag),
                        cases[i].want, __FILE__, __LINE__);
        assert_non_null(strstr(diag.text, cases[i].says));
        assert_null(strstr(diag.text, "secret"));
        assert_string_equal(url.port, "kept");
    }
}

/* ---- with a server ---- */

static int setup(void **state) {
    (void)state;
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    env = unit_env(&world);
    if (getenv("REMPART_STORE") != NULL) {
        struct rp_store_url url;
        assert_ok(rp_store_url_parse(rp_view_from_cstr(unit_store_url()), &url, NULL));
        assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
        assert_ok(rp_pg_new(&url, true, &raw, NULL));
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rp_store_close(rp_take(&store));
    rp_pg_free(rp_take(&raw));
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

static void need_server(void) {
    if (store == NULL) {
        skip();
    }
}

static struct rp_db *open_in(struct rp_store *of, rp_id tenant) {
    struct rp_db *db = NULL;
    assert_ok(rp_store_tenant(of, tenant, true, &db, NULL));
    return db;
}

static rp_err insert(struct rp_db *db, rp_id id, rp_view collection) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
                       "VALUES ('notes', ?2, ?1, 1, 5, ?1)",
                       &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_text(row, 2, collection);
    return rp_row_run(row, NULL);
}

static uint64_t count(struct rp_db *db) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, "SELECT count(*) FROM record", &row));
    assert_ok(rp_row_first(row));
    return rp_row_u64(row, 0);
}

/*= S66 type=test */
/*= S67 type=test */
static void whoever_says_no_tenant_sees_nothing(void **state) {
    (void)state;
    int64_t rows = 0;
    need_server();
    assert_ok(insert(open_in(store, alpha), record, RP_VIEW("a")));
    assert_err(rp_pg_number(raw, "SELECT count(*) FROM record", &rows), DENIED);
    assert_ok(rp_pg_ready(raw, beta));
    assert_ok(rp_pg_number(raw, "SELECT count(*) FROM record", &rows));
    assert_int_equal(rows, 0);
    assert_ok(rp_pg_ready(raw, alpha));
    assert_ok(rp_pg_number(raw, "SELECT count(*) FROM record", &rows));
    assert_int_equal(rows, 1);
}

/* Not even a statement that names another tenant. */
static void a_row_cannot_be_given_to_another_tenant(void **state) {
    (void)state;
    need_server();
    struct rp_db *db = open_in(store, alpha);
    struct rp_row *row = NULL;
    assert_ok(insert(db, record, RP_VIEW("a")));
    assert_ok(rp_db_query(db, "UPDATE record SET tenant = ?1", &row));
    rp_row_bind_id(row, 1, beta);
    assert_err(rp_row_run(row, NULL), DENIED);
    assert_int_equal(count(open_in(store, beta)), 0);
}

static void what_is_refused_leaves_the_transaction_as_it_was(void **state) {
    (void)state;
    need_server();
    struct rp_db *db = open_in(store, alpha);
    assert_ok(rp_db_begin(db));
    assert_ok(insert(db, record, RP_VIEW("a")));
    assert_err(insert(db, record, RP_VIEW("a")), DUPLICATE);
    assert_err(insert(db, record, RP_VIEW("b\0c")),
               INVALID); /* no text of PostgreSQL's has a NUL */
    assert_ok(insert(db, record, RP_VIEW("b")));
    assert_ok(rp_db_commit(db));
    assert_int_equal(count(db), 2);
}

static void null_may_come_before_a_value_and_after(void **state) {
    (void)state;
    need_server();
    struct rp_db *db = open_in(store, alpha);
    assert_ok(insert(db, record, RP_VIEW("a")));
    for (unsigned i = 0; i < 4; i++) {
        _cleanup_(rp_row_donep) struct rp_row *row = NULL;
        assert_ok(rp_db_query(
            db, "SELECT count(*) FROM record WHERE ?1 IS NULL OR version + ?1 = ?2", &row));
        if (i % 2 == 0) {
            rp_row_bind_null(row, 1);
        } else {
            rp_row_bind_u64(row, 1, UINT64_C(1) << 40);
        }
        rp_row_bind_u64(row, 2, (UINT64_C(1) << 40) + 1);
        assert_ok(rp_row_first(row));
        assert_int_equal(rp_row_u64(row, 0), 1);
    }
}

static void writers_of_one_tenant_stand_in_line(void **state) {
    (void)state;
    need_server();
    struct rp_store *second = NULL;
    assert_ok(rp_store_open(&env, unit_store_url(), &second, NULL));
    struct rp_db *first = open_in(store, alpha), *other = open_in(second, alpha);
    struct rp_db *apart = NULL;
    assert_ok(rp_db_begin(first));
    assert_err(rp_db_begin(other), BUSY);                      /* after two seconds */
    assert_err(insert(other, record, RP_VIEW("alone")), BUSY); /* one change is a writer, too */
    assert_ok(rp_db_commit(first));
    assert_ok(insert(other, record, RP_VIEW("alone")));
    assert_ok(rp_db_begin(other));
    apart = open_in(store, beta);
    assert_ok(rp_db_begin(apart)); /* another tenant's writer waits for nobody */
    assert_ok(rp_db_commit(apart));
    assert_ok(rp_db_commit(other));
    rp_store_close(second);
}

static void break_connection_of(const struct rp_db *db) {
    const struct rp_pg *pg = db->own;
    char sql[RP_PG_SQL_MAX];
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", PQbackendPID(pg->conn));
    assert_ok(rp_pg_exec(raw, sql));
}

static void a_broken_connection_is_made_anew(void **state) {
    (void)state;
    need_server();
    struct rp_db *db = open_in(store, alpha);
    assert_ok(insert(db, record, RP_VIEW("a")));
    break_connection_of(db); /* between transactions nobody notices */
    assert_int_equal(count(db), 1);
    assert_ok(rp_db_begin(db));
    assert_ok(insert(db, record, RP_VIEW("b")));
    break_connection_of(db); /* inside, all of it is gone */
    assert_err(insert(db, record, RP_VIEW("c")), UNREACHABLE);
    assert_err(insert(db, record, RP_VIEW("d")), IO);
    rp_db_rollback(db);
    assert_ok(rp_db_begin(db));
    assert_ok(insert(db, record, RP_VIEW("e")));
    break_connection_of(db);
    assert_err(rp_db_commit(db), UNREACHABLE);
    assert_int_equal(count(db), 1);
}

static void a_role_that_nothing_holds_is_refused(void **state) {
    (void)state;
    need_server();
    const char *superuser = getenv("REMPART_STORE_SUPERUSER");
    struct rp_store *other = NULL;
    struct rp_db *db = NULL;
    struct rp_diag diag = {0};
    if (superuser == NULL) {
        skip();
    }
    assert_ok(rp_store_open(&env, superuser, &other, &diag));
    assert_err(rp_store_system(other, &db, &diag), DENIED);
    assert_non_null(strstr(diag.text, "BYPASSRLS"));
    assert_null(db);
    rp_store_close(other);
}

/* By the tables' own owner, who may do all of it. */
/*= S66 type=test */
static void tables_that_keep_nobody_apart_are_not_served(void **state) {
    (void)state;
    static const char *const acts[][2] = {
        {"ALTER TABLE share NO FORCE ROW LEVEL SECURITY",
         "ALTER TABLE share FORCE ROW LEVEL SECURITY"},
        {"ALTER TABLE record DISABLE ROW LEVEL SECURITY",
         "ALTER TABLE record ENABLE ROW LEVEL SECURITY"},
        {"CREATE POLICY other ON record USING (true)", "DROP POLICY other ON record"},
        {"CREATE POLICY reader_finds_all ON record FOR SELECT USING (true)",
         "DROP POLICY reader_finds_all ON record"},
        {"ALTER POLICY own_tenant ON upload USING (true)",
         "ALTER POLICY own_tenant ON upload USING (tenant = current_tenant())"},
        {"CREATE TABLE later (tenant bytea)", "DROP TABLE later"},
    };
    need_server();
    for (size_t i = 0; i < RP_COUNT_OF(acts); i++) {
        struct rp_store *other = NULL;
        struct rp_db *db = NULL;
        struct rp_diag diag = {0};
        assert_ok(rp_pg_exec(raw, acts[i][0]));
        assert_ok(rp_store_open(&env, unit_store_url(), &other, NULL));
        assert_err(rp_store_tenant(other, alpha, true, &db, &diag), DENIED);
        assert_non_null(strstr(diag.text, "on 1 of its tables"));
        assert_ok(rp_pg_exec(raw, acts[i][1]));
        assert_ok(rp_store_tenant(other, alpha, true, &db, NULL));
        rp_store_close(other);
    }
}

/* Statements are the connection's, which all of its tenants share. */
static void whoever_reads_goes_on_beside_another_tenant(void **state) {
    (void)state;
    need_server();
    struct rp_db *first = open_in(store, alpha), *second = open_in(store, beta);
    struct rp_row *row = NULL;
    bool more = false;
    assert_ok(insert(first, record, RP_VIEW("a")));
    assert_ok(insert(first, record, RP_VIEW("b")));
    assert_ok(rp_db_query(first, "SELECT collection FROM record ORDER BY collection", &row));
    assert_ok(rp_row_first(row));
    assert_ok(rp_db_begin(second));
    assert_ok(insert(second, record, RP_VIEW("c")));
    rp_db_rollback(second);
    assert_ok(rp_row_next(row, &more));
    assert_view(rp_row_text(row, 0), "b");
    rp_row_done(row);
}

/* ---- every value ---- */

struct noticed {
    uint64_t looked, found;
    bool enough; /* stops at the first */
};

static bool notice(void *ctx, const struct rp_stored *one) {
    struct noticed *noticed = ctx;
    noticed->looked++;
    if (rp_view_equal(one->bytes, RP_VIEW("in clear"))) {
        assert_non_null(strstr(one->table, "_tenants."));
        noticed->found++;
    }
    return !noticed->enough;
}

/*= S82 type=test */
static void every_tenants_values_are_looked_at(void **state) {
    (void)state;
    need_server();
    int64_t readers = 0;
    uint64_t rows = 0, rows_after = 0;
    struct noticed all = {0}, after = {0}, one = {.enough = true}, none = {0};
    assert_ok(insert(open_in(store, alpha), record, RP_VIEW("in clear")));
    assert_ok(insert(open_in(store, beta), record, RP_VIEW("in clear")));
    assert_ok(rp_pg_number(
        raw, "SELECT count(*) FROM pg_roles WHERE rolname = current_user || '_reader'", &readers));
    if (readers == 0) {
        skip();
    }
    struct rp_db *central = NULL;
    assert_ok(rp_store_system(store, &central, NULL));
    assert_ok(rp_inspect_each_value(unit_store_url(), notice, &all, &rows));
    assert_int_equal(all.found, 2);
    assert_true(rows > 2 && all.looked > rows);
    assert_ok(rp_inspect_each_value(unit_store_url(), notice, &one, &rows_after));
    assert_int_equal(one.looked, 1);

    /* A copy that somebody made: not passed over, and looked at once it can be. */
    assert_ok(rp_pg_exec(raw, "CREATE TABLE kept (a bytea); INSERT INTO kept VALUES ('in clear')"));
    assert_err(rp_inspect_each_value(unit_store_url(), notice, &none, &rows_after), DENIED);
    assert_ok(rp_pg_let_reader_in(raw));
    assert_ok(rp_inspect_each_value(unit_store_url(), notice, &after, &rows_after));
    assert_int_equal(after.found, 2 + 2); /* with each tenant */
    assert_int_equal(rows_after, rows + 2);
    assert_ok(rp_inspect_each_value("sqlite:", notice, &none, &rows));
    assert_int_equal(rows, 0);
}

static void a_newer_schema_is_not_touched(void **state) {
    (void)state;
    need_server();
    struct rp_store_url url;
    struct rp_pg *other = NULL;
    struct rp_diag diag = {0};
    assert_ok(rp_store_url_parse(rp_view_from_cstr(unit_store_url()), &url, NULL));
    assert_ok(rp_pg_exec(raw, "UPDATE schema_version SET version = 999"));
    assert_err(rp_pg_new(&url, true, &other, &diag), EXISTS_NEWER);
    assert_non_null(strstr(diag.text, "999"));
    assert_null(other);
}

static void a_server_that_is_away_is_unreachable(void **state) {
    (void)state;
    struct rp_store *other = NULL;
    struct rp_db *db = NULL;
    struct rp_diag diag = {0};
    assert_ok(rp_store_open(&env, "postgresql://rempart@/rempart?host=/nonexistent", &other, NULL));
    assert_err(rp_store_system(other, &db, &diag), UNREACHABLE);
    assert_non_null(strstr(diag.text, "/nonexistent"));
    rp_store_close(other);
}

static void one_tenant_is_removed_and_no_other(void **state) {
    (void)state;
    need_server();
    struct rp_removed removed = {0};
    struct rp_db *db = NULL;
    assert_ok(insert(open_in(store, alpha), record, RP_VIEW("a")));
    assert_ok(insert(open_in(store, beta), record, RP_VIEW("b")));
    assert_ok(rp_store_remove_tenant(store, alpha, &removed));
    assert_int_equal(removed.rows, 4); /* the record, and what every tenant has */
    assert_err(rp_store_tenant(store, alpha, false, &db, NULL), NOT_FOUND);
    assert_int_equal(count(open_in(store, beta)), 1);
    assert_ok(rp_store_remove_tenant(store, alpha, &removed)); /* twice is right */
    assert_int_equal(removed.rows, 0);
}

static void a_snapshot_is_of_the_moment_it_started(void **state) {
    (void)state;
    need_server();
    struct rp_snapshot *snapshot = NULL;
    struct rp_db *db = open_in(store, alpha), *copy = NULL;
    uint64_t left = 1;
    assert_ok(insert(db, record, RP_VIEW("before")));
    assert_ok(insert(open_in(store, beta), record, RP_VIEW("another's")));
    assert_ok(rp_snapshot_start(unit_store_url(), alpha, "copy.db", &snapshot, NULL));
    assert_ok(insert(open_in(store, alpha), record, RP_VIEW("after")));
    while (left > 0) {
        assert_ok(rp_snapshot_step(snapshot, 1, &left, NULL));
    }
    rp_snapshot_free(snapshot);
    assert_ok(rp_sqlite_open("copy.db", alpha, false, &copy, NULL));
    assert_int_equal(count(copy), 1);
    rp_db_close(copy);
    assert_int_equal(count(open_in(store, alpha)), 2);
}

/* Kept by SQLite once, and copied: it keeps nothing else from being read. */
static void a_zero_byte_that_json_names_is_read(void **state) {
    (void)state;
    need_server();
    struct rp_db *db = NULL;
    struct rp_row *row _cleanup_(rp_row_donep) = NULL;
    assert_ok(rp_store_system(store, &db, NULL));
    assert_ok(rp_db_query(db, "SELECT ?1 ->> 'a', ?1 ->> '$.b', json_extract(?1, '$.c')", &row));
    rp_row_bind_text(row, 1, RP_VIEW("{\"a\":\"x\\u0000y\",\"b\":\"\\\\u0000\",\"c\":{\"d\":1}}"));
    assert_ok(rp_row_first(row));
    assert_view(rp_row_text(row, 0), "x\uFFFDy");
    assert_view(rp_row_text(row, 1), "\\u0000"); /* a backslash, and letters */
    assert_view(rp_row_text(row, 2), "{\"d\":1}");
}

/* pg_restore makes and fills tables without a search path: what a column is made by must find its
 * own way. */
static void a_dump_can_be_put_back(void **state) {
    (void)state;
    need_server();
    struct rp_store_url url;
    struct rp_pg *pg = NULL;
    char sql[RP_PG_SQL_MAX];
    assert_ok(rp_store_url_parse(rp_view_from_cstr(unit_store_url()), &url, NULL));
    assert_ok(rp_pg_new(&url, false, &pg, NULL));
    snprintf(sql, sizeof sql,
             "SET search_path = ''; INSERT INTO %s.register_text (rowid, register, body) "
             "VALUES (1, 'incidents', 'Écluse')",
             url.schema);
    assert_ok(rp_pg_exec(pg, sql));
    assert_ok(rp_pg_ready(raw, alpha));
    snprintf(sql, sizeof sql,
             "SET search_path = ''; INSERT INTO %s_tenants.collection (app, name, sealed) "
             "VALUES ('a', 'b', 'x')",
             url.schema);
    assert_ok(rp_pg_exec(raw, sql));
    rp_pg_free(pg);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(statements_are_read_as_postgresql_does),
        TEST(numbers_come_as_the_server_sends_them),
        TEST(an_address_is_read_whole),
        TEST(another_address_is_refused_with_what_to_do),
        TEST(whoever_says_no_tenant_sees_nothing),
        TEST(a_row_cannot_be_given_to_another_tenant),
        TEST(what_is_refused_leaves_the_transaction_as_it_was),
        TEST(null_may_come_before_a_value_and_after),
        TEST(writers_of_one_tenant_stand_in_line),
        TEST(a_broken_connection_is_made_anew),
        TEST(a_role_that_nothing_holds_is_refused),
        TEST(tables_that_keep_nobody_apart_are_not_served),
        TEST(whoever_reads_goes_on_beside_another_tenant),
        TEST(every_tenants_values_are_looked_at),
        TEST(a_newer_schema_is_not_touched),
        TEST(a_server_that_is_away_is_unreachable),
        TEST(one_tenant_is_removed_and_no_other),
        TEST(a_snapshot_is_of_the_moment_it_started),
        TEST(a_dump_can_be_put_back),
        TEST(a_zero_byte_that_json_names_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
