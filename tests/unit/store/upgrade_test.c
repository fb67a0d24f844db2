/* upgrade_test.c — an installation with customers' data goes through every later change of version:
 * nothing is lost, a step that fails leaves it as it was, and the way back leads to the same rows.
 */
#include "unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "os/file.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sqlite.h"
#include "store/store.h"

#define SYSTEM_FILE "db/system.db"

enum { FROM = 12, TABLES_MAX = 64, COLUMNS_MAX = 64, SQL_MAX = 8192 };

static struct unit_world world = {.now_ns = 1000000000};
static struct rp_env env;
static char *folder;

/* What a table held, row by row, as one text. */
struct table {
    char name[64], columns[2048];
    char *rows;
};

/* Before the upgrade; each test's own. */
static struct {
    struct table tables[TABLES_MAX];
    size_t count;
} dump;

static void run(sqlite3 *handle, const char *sql) {
    char *problem = NULL;
    if (sqlite3_exec(handle, sql, NULL, NULL, &problem) != SQLITE_OK) {
        fail_msg("%s", problem);
    }
}

static char *text_of(sqlite3 *handle, const char *sql) {
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    char *copy = strdup(text ? text : "");
    assert_non_null(copy);
    (void)sqlite3_finalize(stmt);
    return copy;
}

static int64_t number_of(sqlite3 *handle, const char *sql) {
    int64_t number = -1;
    assert_ok(rp_store_number(handle, sql, &number));
    return number;
}

static char *rows_of(sqlite3 *handle, const struct table *table) {
    char sql[SQL_MAX];
    (void)snprintf(sql, sizeof sql,
                   "SELECT group_concat(line, char(10)) FROM "
                   "(SELECT %s AS line FROM %s ORDER BY line)",
                   table->columns, table->name);
    return text_of(handle, sql);
}

/* Every table with its columns of now; the index of words is asked by words instead. */
static void take(sqlite3 *handle) {
    sqlite3_stmt *stmt = NULL;
    static const char sql[] =
        "SELECT t.name, (SELECT group_concat('quote(' || c.name || ')', '||''|''||') "
        "FROM pragma_table_info(t.name) c) FROM sqlite_master t WHERE t.type = 'table' "
        "AND t.name NOT LIKE 'register_text%' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name";
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        assert_true(dump.count < TABLES_MAX);
        struct table *table = &dump.tables[dump.count++];
        (void)snprintf(table->name, sizeof table->name, "%s", sqlite3_column_text(stmt, 0));
        int n = snprintf(table->columns, sizeof table->columns, "%s", sqlite3_column_text(stmt, 1));
        assert_true(n > 0 && (size_t)n < sizeof table->columns);
        table->rows = rows_of(handle, table);
    }
    (void)sqlite3_finalize(stmt);
}

/* The same columns hold the same rows. `grown`: a table in which more may stand by now. */
static void assert_there(sqlite3 *handle, const char *grown) {
    for (size_t i = 0; i < dump.count; i++) {
        const struct table *table = &dump.tables[i];
        char *rows = rows_of(handle, table);
        if (grown && strcmp(table->name, grown) == 0) {
            assert_true(strlen(rows) >= strlen(table->rows));
        } else if (strcmp(rows, table->rows) != 0) {
            fail_msg("%s is not as it was", table->name);
        }
        free(rows);
    }
}

static sqlite3 *open_file(const char *file) {
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(file, &handle), SQLITE_OK);
    return handle;
}

static sqlite3 *make_customer(void) {
    size_t n = 0;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/tests/unit/store/customer_12.sql",
                   getenv("REMPART_SOURCE"));
    uint8_t *sql = unit_file(path, &n);
    char *text = strndup((const char *)sql, n);
    sqlite3 *handle = open_file(SYSTEM_FILE);
    run(handle, "PRAGMA application_id = 0x52505359; PRAGMA journal_mode = WAL");
    assert_ok(rp_migrate(handle, SYSTEM_FILE, rp_migrations_system, FROM, NULL));
    run(handle, text);
    free(text);
    test_free(sql);
    take(handle);
    assert_true(dump.count > 25);
    for (size_t i = 0; i < dump.count; i++) {
        if (dump.tables[i].rows[0] == 0) {
            fail_msg("%s: no rows that could be lost", dump.tables[i].name);
        }
    }
    return handle;
}

static int setup(void **state) {
    (void)state;
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    assert_ok(rp_folder_make("db", 0700));
    env = unit_env(&world);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    for (size_t i = 0; i < dump.count; i++) {
        free(dump.tables[i].rows);
    }
    dump.count = 0;
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

static void a_customers_rows_come_through_every_version(void **state) {
    (void)state;
    struct rp_store *store = NULL;
    struct rp_db *db = NULL;
    struct rp_diag diag = {0};
    (void)sqlite3_close(make_customer());
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
    assert_ok(rp_store_system(store, &db, &diag));
    rp_store_close(store);
    sqlite3 *handle = open_file(SYSTEM_FILE);
    assert_int_equal(number_of(handle, "PRAGMA user_version"), rp_migrations_system_count);
    assert_there(handle, "register_value");
    /* Who has a role is found by an index since version 16: two for each person. */
    assert_int_equal(number_of(handle, "SELECT count(*) FROM register_value WHERE field IN "
                                       "('roles.security', 'roles.hr') AND value = 'true'"),
                     500);
    assert_int_equal(number_of(handle, "SELECT count(*) FROM register_value WHERE field IN "
                                       "('tier', 'start')"),
                     500);
    assert_int_equal(number_of(handle, "SELECT count(*) FROM register_text WHERE register_text "
                                       "MATCH 'register : suppliers AND body : nuage'"),
                     250);
    /* Nobody chose hours of their own before version 21. */
    assert_int_equal(number_of(handle, "SELECT count(*) FROM person WHERE quiet IS NULL "
                                       "AND digest IS NULL"),
                     number_of(handle, "SELECT count(*) FROM person"));
    assert_int_equal(number_of(handle, "SELECT count(*) FROM notice WHERE gentle <> gather"), 0);
    assert_int_equal(number_of(handle, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    char *check = text_of(handle, "PRAGMA integrity_check");
    assert_string_equal(check, "ok");
    free(check);
    (void)sqlite3_close(handle);
}

/* docs/operations/upgrade.md: the kept file in the place of the newer one. */
static void the_way_back_leads_to_the_same_rows(void **state) {
    (void)state;
    sqlite3 *handle = make_customer();
    assert_ok(
        rp_migrate(handle, SYSTEM_FILE, rp_migrations_system, rp_migrations_system_count, NULL));
    run(handle, "DELETE FROM membership");
    (void)sqlite3_close(handle);
    assert_int_equal(rename(SYSTEM_FILE ".v12", SYSTEM_FILE), 0);
    rp_ignore(rp_file_remove(SYSTEM_FILE "-wal"));
    rp_ignore(rp_file_remove(SYSTEM_FILE "-shm"));
    handle = open_file(SYSTEM_FILE);
    assert_ok(rp_migrate(handle, SYSTEM_FILE, rp_migrations_system, FROM, NULL));
    assert_there(handle, NULL);
    (void)sqlite3_close(handle);
}

/* Whichever step fails, all that it and those before it did is undone. */
static void a_step_that_fails_leaves_the_former_version_whole(void **state) {
    (void)state;
    struct rp_migration steps[64];
    sqlite3 *handle = make_customer();
    assert_true(rp_migrations_system_count < RP_COUNT_OF(steps));
    for (size_t broken = FROM; broken < rp_migrations_system_count; broken++) {
        char sql[SQL_MAX];
        struct rp_diag diag = {0};
        memcpy(steps, rp_migrations_system, rp_migrations_system_count * sizeof *steps);
        int n = snprintf(sql, sizeof sql, "%s; DELETE FROM person; INSERT INTO nowhere VALUES (1);",
                         steps[broken].sql);
        assert_true(n > 0 && (size_t)n < sizeof sql);
        steps[broken].sql = sql;
        rp_err err = rp_migrate(handle, SYSTEM_FILE, steps, rp_migrations_system_count, &diag);
        assert_false(rp_ok(err));
        assert_non_null(strstr(diag.text, steps[broken].name));
        assert_int_equal(number_of(handle, "PRAGMA user_version"), FROM);
        assert_there(handle, NULL);
    }
    (void)sqlite3_close(handle);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_customers_rows_come_through_every_version),
        TEST(the_way_back_leads_to_the_same_rows),
        TEST(a_step_that_fails_leaves_the_former_version_whole),
    };
    return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
