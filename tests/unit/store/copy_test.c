/* copy_test.c — a whole store from files into PostgreSQL and back, after a crash, too. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "os/batch.h"
#include "os/file.h"
#include "store/copy.h"

static const rp_id alpha = {{0xaa, 1}};
static const char files[] = "sqlite:", system_file[] = "db/system.db";

static struct unit_world world = {.now_ns = 1000000000};
static struct rp_env env;
static char *folder;

static int setup(void **state) {
    (void)state;
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    env = unit_env(&world);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

static void need_server(void) {
    if (getenv("REMPART_STORE") == NULL) {
        skip();
    }
}

static struct rp_store *opened(const char *url) {
    struct rp_store *store = NULL;
    assert_ok(rp_store_open(&env, url, &store, NULL));
    return store;
}

static void run(struct rp_db *db, const char *sql, rp_id id) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, sql, &row));
    rp_row_bind_id(row, 1, id);
    assert_ok(rp_row_run(row, NULL));
}

/* A row more in both databases; the first is the directory's row of the tenant itself. */
static void write_to(struct rp_store *store, uint8_t number) {
    struct rp_db *db = NULL;
    assert_ok(rp_store_system(store, &db, NULL));
    run(db, "INSERT INTO tenant (id, name, internal, ready, created_ms) VALUES (?1, 'a', 0, 1, 5)",
        number == 1 ? alpha : (rp_id){{number}});
    assert_ok(rp_store_tenant(store, alpha, true, &db, NULL));
    run(db,
        "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
        "VALUES ('notes', 'a', ?1, 1, 5, ?1)",
        (rp_id){{number}});
}

static uint64_t count(struct rp_db *db, const char *sql) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, sql, &row));
    assert_ok(rp_row_first(row));
    return rp_row_u64(row, 0);
}

static void assert_rows(const char *url, uint64_t rows) {
    struct rp_store *store = opened(url);
    struct rp_db *db = NULL;
    assert_ok(rp_store_system(store, &db, NULL));
    assert_int_equal(count(db, "SELECT count(*) FROM tenant"), rows);
    assert_ok(rp_store_tenant(store, alpha, false, &db, NULL));
    assert_int_equal(count(db, "SELECT count(*) FROM record"), rows);
    rp_store_close(store);
}

/* What was committed stands in the write-ahead logs alone. */
static void write_and_crash(void) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        write_to(opened(files), 1);
        _exit(0);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static size_t size_of(const char *path) {
    size_t n = 0;
    test_free(unit_file(path, &n));
    return n;
}

static void leave_log(const char *path, const uint8_t *bytes, size_t n) {
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void what_a_crash_left_comes_along_and_never_again(void **state) {
    (void)state;
    need_server();
    struct rp_copying into = {.databases = 0}, back = {.databases = 0};
    write_and_crash();
    size_t n = 0;
    uint8_t *log = unit_file("db/system.db-wal", &n);
    assert_true(n > 0);
    assert_ok(rp_store_copy_all(files, unit_store_url(), &into, NULL));
    assert_int_equal(into.databases, 2);
    assert_int_equal(size_of("db/system.db-wal"), 0); /* it is in the file that is put away */
    assert_ok(rp_batch_rename(system_file, "db/system.db.copied"));
    assert_rows(unit_store_url(), 1);
    struct rp_store *store = opened(unit_store_url());
    write_to(store, 2);
    rp_store_close(store);
    leave_log("db/system.db-wal", log, n); /* as if nobody had put it into its file */
    test_free(log);
    assert_ok(rp_store_copy_all(unit_store_url(), files, &back, NULL));
    assert_rows(files, 2);
}

static void a_target_that_holds_something_is_left_alone(void **state) {
    (void)state;
    need_server();
    struct rp_copying copying = {.databases = 0};
    struct rp_diag diag = {0};
    write_and_crash();
    assert_ok(rp_store_copy_all(files, unit_store_url(), &copying, NULL));
    assert_err(rp_store_copy_all(files, unit_store_url(), &copying, &diag), DUPLICATE);
    assert_non_null(strstr(diag.text, "holds an installation already"));
    assert_err(rp_store_copy_all(unit_store_url(), files, &copying, NULL), DUPLICATE);
    assert_err(rp_store_copy_all(files, files, &copying, NULL), INVALID);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_a_crash_left_comes_along_and_never_again),
        TEST(a_target_that_holds_something_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
