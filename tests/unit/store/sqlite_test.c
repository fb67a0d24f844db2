/* sqlite_test.c — bad days of a database file: newer, foreign, altered, locked, full, torn. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "store/inspect.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sqlite.h"
#include "store/store.h"

#define TENANT_FILE "tenants/aa/01/aa010000000000000000000000000000.db"
#define OTHER_FILE "tenants/bb/02/bb020000000000000000000000000000.db"

static const rp_id alpha = {{0xaa, 1}}, beta = {{0xbb, 2}};

static struct unit_world world = {.now_ns = 1000000000};
static struct rp_env env;
static struct rp_store *store;
static char *folder;

static int setup(void **state) {
    (void)state;
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    env = unit_env(&world);
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rp_store_close(store);
    store = NULL;
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

static void reopen(void) {
    rp_store_close(store);
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
}

/* An operator's shell. */
static void shell(const char *file, const char *sql) {
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(file, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static struct rp_db *open_tenant(rp_id tenant) {
    struct rp_db *db = NULL;
    assert_ok(rp_store_tenant(store, tenant, true, &db, NULL));
    return db;
}

static rp_err insert(struct rp_db *db, uint64_t number, size_t bytes) {
    static const uint8_t zeros[64 * 1024];
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record (number, app, collection, id, version, changed_ms, "
                       "sealed) VALUES (?1, 'notes', 'a', ?2, 1, 5, ?3)",
                       &row));
    rp_id id = {{0}};
    memcpy(id.b, &number, sizeof number);
    rp_row_bind_u64(row, 1, number);
    rp_row_bind_id(row, 2, id);
    rp_row_bind_blob(row, 3, rp_view_of(zeros, bytes));
    return rp_row_run(row, NULL);
}

static rp_err emit(struct rp_db *db, uint64_t version) {
    struct rp_arena *scratch = rp_arena_new(1 << 16);
    struct rp_event *event = rp_event_new(scratch, RP_EVENT_RECORD_CREATED, 5, RP_ROLE_CORE);
    rp_event_add_u64(event, "version", version);
    rp_err err = rp_db_emit(db, event);
    rp_arena_free(scratch);
    return err;
}

static rp_err write_one(struct rp_db *db, uint64_t number, size_t bytes) {
    RP_TRY(rp_db_begin(db));
    rp_err err = insert(db, number, bytes);
    if (rp_ok(err)) {
        err = emit(db, number);
    }
    if (rp_ok(err)) {
        return rp_db_commit(db);
    }
    rp_db_rollback(db);
    return err;
}

static uint64_t count_records(struct rp_db *db) {
    struct rp_row *row = NULL;
    bool has_row = false;
    assert_ok(rp_db_query(db, "SELECT count(*) FROM record", &row));
    assert_ok(rp_row_next(row, &has_row));
    assert_true(has_row);
    uint64_t count = rp_row_u64(row, 0);
    rp_row_done(row);
    return count;
}

static void a_newer_file_is_refused_and_not_touched(void **state) {
    (void)state;
    struct rp_diag diag = {0};
    struct rp_db *db = NULL;
    size_t n = 0, m = 0;
    assert_ok(rp_store_system(store, &db, NULL));
    rp_store_close(store);
    store = NULL;
    shell("db/system.db", "PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)");
    uint8_t *before = unit_file("db/system.db", &n);
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
    assert_err(rp_store_system(store, &db, &diag), EXISTS_NEWER);
    assert_non_null(strstr(diag.text, "db/system.db"));
    assert_non_null(strstr(diag.text, "999"));
    assert_non_null(strstr(diag.text, "up to "));
    uint8_t *after = unit_file("db/system.db", &m);
    assert_view_equal(rp_view_of(after, m), rp_view_of(before, n));
    test_free(before);
    test_free(after);
}

static void migrations_run_once_in_order_and_all_or_none(void **state) {
    (void)state;
    static const struct rp_migration good[] = {
        {"1", "CREATE TABLE a (x); INSERT INTO a VALUES (1);"},
        {"2", "INSERT INTO a VALUES (2);"},
    };
    static const struct rp_migration broken[] = {
        {"1", "CREATE TABLE a (x); INSERT INTO a VALUES (1);"},
        {"2", "INSERT INTO a VALUES (2);"},
        {"3", "INSERT INTO a VALUES (3);"},
        {"4-broken.sql", "INSERT INTO nowhere VALUES (4);"},
    };
    sqlite3 *handle = NULL;
    struct rp_diag diag = {0};
    assert_int_equal(sqlite3_open("m.db", &handle), SQLITE_OK);
    assert_ok(rp_migrate(handle, "m.db", good, 1, NULL));
    assert_ok(rp_migrate(handle, "m.db", good, 2, NULL));
    assert_ok(rp_migrate(handle, "m.db", good, 2, NULL));
    assert_err(rp_migrate(handle, "m.db", broken, 4, &diag), CORRUPT);
    assert_non_null(strstr(diag.text, "4-broken.sql"));
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(handle,
                                        "SELECT count(*), max(x), user_version "
                                        "FROM a, pragma_user_version",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 2);
    assert_int_equal(sqlite3_column_int(stmt, 1), 2);
    assert_int_equal(sqlite3_column_int(stmt, 2), 2);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(handle);
}

static int64_t number_in(const char *file, const char *sql) {
    sqlite3 *handle = NULL;
    int64_t number = -1;
    assert_int_equal(sqlite3_open_v2(file, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_ok(rp_store_number(handle, sql, &number));
    (void)sqlite3_close(handle);
    return number;
}

/* Before a file changes its version it is kept as it was; an older copy goes. */
static void the_old_version_is_kept_beside_it(void **state) {
    (void)state;
    static const struct rp_migration steps[] = {
        {"1", "CREATE TABLE a (x); INSERT INTO a VALUES (1);"},
        {"2", "INSERT INTO a VALUES (2);"},
        {"3", "INSERT INTO a VALUES (3);"},
        {"4", "INSERT INTO nowhere VALUES (4);"},
    };
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open("k.db", &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_ok(rp_migrate(handle, "k.db", steps, 1, NULL));
    assert_false(rp_file_exists("k.db.v0")); /* of nothing there is nothing to keep */
    assert_int_equal(sqlite3_exec(handle, "INSERT INTO a VALUES (10)", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_ok(rp_migrate(handle, "k.db", steps, 2, NULL));
    assert_int_equal(number_in("k.db.v1", "PRAGMA user_version"), 1);
    assert_int_equal(number_in("k.db.v1", "SELECT sum(x) FROM a"), 11);
    assert_ok(rp_migrate(handle, "k.db", steps, 3, NULL));
    assert_int_equal(number_in("k.db.v2", "SELECT sum(x) FROM a"), 13);
    assert_false(rp_file_exists("k.db.v1"));
    assert_err(rp_migrate(handle, "k.db", steps, 4, NULL), CORRUPT);
    assert_int_equal(number_in("k.db.v3", "SELECT sum(x) FROM a"), 16);
    assert_false(rp_file_exists("k.db.v3.tmp"));
    /* Where the copy cannot be made, nothing is changed. */
    assert_int_equal(unlink("k.db.v3"), 0);
    assert_int_equal(mkdir("k.db.v3", 0700), 0);
    assert_int_equal(mkdir("k.db.v3/full", 0700), 0);
    static const struct rp_migration fifth[] = {
        {"1", ""}, {"2", ""}, {"3", ""}, {"4", "INSERT INTO a VALUES (4);"}};
    struct rp_diag diag = {0};
    rp_err err = rp_migrate(handle, "k.db", fifth, 4, &diag);
    assert_false(rp_ok(err));
    assert_non_null(strstr(diag.text, "k.db.v3: the copy"));
    (void)sqlite3_close(handle);
    assert_int_equal(number_in("k.db", "PRAGMA user_version"), 3);
}

static void write_file(const char *path, const char *mode, const void *bytes, size_t n, long at) {
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void what_is_no_database_is_refused_by_name(void **state) {
    (void)state;
    struct rp_diag diag = {0};
    struct rp_db *db = NULL;
    char noise[8192];
    memset(noise, 'x', sizeof noise);
    write_file("db/system.db", "we", noise, sizeof noise, 0);
    assert_err(rp_store_system(store, &db, &diag), CORRUPT);
    assert_non_null(strstr(diag.text, "db/system.db"));
    /* Empty, as after a careless restore: never silently begun anew. */
    write_file("db/system.db", "we", noise, 0, 0);
    assert_err(rp_store_system(store, &db, &diag), CORRUPT);
    assert_non_null(strstr(diag.text, "db/system.db"));
}

/*= S67 type=test */
static void another_tenants_file_is_refused(void **state) {
    (void)state;
    struct rp_diag diag = {0};
    struct rp_db *db = NULL;
    open_tenant(alpha);
    open_tenant(beta);
    rp_store_close(store);
    store = NULL;
    assert_int_equal(rename(TENANT_FILE, OTHER_FILE), 0);
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
    assert_err(rp_store_tenant(store, beta, true, &db, &diag), CORRUPT);
    assert_non_null(strstr(diag.text, "another tenant"));
    /* Nor the system's. */
    assert_ok(rp_store_system(store, &db, NULL));
    rp_store_close(store);
    store = NULL;
    assert_int_equal(rename("db/system.db", OTHER_FILE), 0);
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
    assert_err(rp_store_tenant(store, beta, true, &db, &diag), CORRUPT);
}

static void an_altered_page_is_an_error_not_a_crash(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    for (uint64_t i = 1; i <= 200; i++) {
        assert_ok(insert(db, i, 500));
    }
    rp_store_close(store);
    store = NULL;
    size_t n = 0;
    uint8_t *bytes = unit_file(TENANT_FILE, &n);
    char noise[4096];
    memset(noise, 0xa7, sizeof noise);
    size_t refused = 0;
    for (size_t at = 4096; at + 4096 <= n; at += 4096) {
        write_file(TENANT_FILE, "we", bytes, n, 0);
        write_file(TENANT_FILE, "r+e", noise, sizeof noise, (long)at);
        assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
        rp_err err = rp_store_tenant(store, alpha, false, &db, NULL);
        struct rp_row *row = NULL;
        if (rp_ok(err)) {
            err = rp_db_query(db, "SELECT count(*), sum(length(sealed)) FROM record NOT INDEXED",
                              &row);
        }
        bool has_row = false;
        if (rp_ok(err)) {
            err = rp_row_next(row, &has_row);
        }
        assert_true(rp_ok(err) || rp_is(err, RP_E_CORRUPT));
        refused += rp_is(err, RP_E_CORRUPT);
        rp_store_close(store);
        store = NULL;
    }
    assert_true(refused > 10);
    test_free(bytes);
}

static void a_file_locked_by_a_shell_is_busy(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(TENANT_FILE, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_err(write_one(db, 1, 10), BUSY);
    assert_int_equal(count_records(db), 0); /* reading goes on */
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_ok(write_one(db, 1, 10));
    assert_int_equal(count_records(db), 1);
}

static void limit_pages(struct rp_db *db, const char *sql) {
    struct rp_row *row = NULL;
    bool has_row = false;
    assert_ok(rp_db_query(db, sql, &row));
    assert_ok(rp_row_next(row, &has_row));
    rp_row_done(row);
}

static void a_full_disk_leaves_nothing_half_done(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    uint64_t last = 0;
    assert_ok(write_one(db, 1, 10));
    limit_pages(db, "PRAGMA max_page_count = 16");
    assert_err(write_one(db, 2, 64 * 1024), NO_SPACE);
    assert_int_equal(count_records(db), 1);
    assert_ok(rp_db_outbox_last(db, &last));
    assert_int_equal(last, 1);
    /* A caller that goes on after the error still writes nothing. */
    assert_ok(rp_db_begin(db));
    assert_err(insert(db, 2, 64 * 1024), NO_SPACE);
    rp_err second = insert(db, 3, 10);
    if (rp_ok(second)) {
        rp_db_rollback(db);
    } else {
        assert_err(rp_db_commit(db), IO);
    }
    assert_int_equal(count_records(db), 1);
    limit_pages(db, "PRAGMA max_page_count = 100000");
    assert_ok(write_one(db, 2, 64 * 1024));
    assert_int_equal(count_records(db), 2);
}

/* The same from the kernel: no file of this process may grow past 64 KiB. */
static void a_write_that_the_kernel_refuses(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    assert_ok(write_one(db, 1, 10));
    rp_store_close(store);
    store = NULL;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {.rlim_cur = 64 * 1024, .rlim_max = 64 * 1024};
        bool ok = setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                  rp_ok(rp_store_open(&env, "sqlite:", &store, NULL)) &&
                  rp_ok(rp_store_tenant(store, alpha, false, &db, NULL));
        rp_err err = ok ? write_one(db, 2, 64 * 1024) : RP_OK;
        _exit(!ok ? 1 : rp_ok(err) ? 2 : rp_err_retry(err) ? 0 : 3);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    reopen();
    assert_int_equal(count_records(open_tenant(alpha)), 1);
}

/* A child writes and is killed in the middle of a transaction; says how far it had committed. */
static uint64_t write_and_die(uint64_t commits) {
    int tell[2];
    assert_int_equal(pipe(tell), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rp_db *db = NULL;
        bool ok = rp_ok(rp_store_open(&env, "sqlite:", &store, NULL)) &&
                  rp_ok(rp_store_tenant(store, alpha, true, &db, NULL));
        for (uint64_t i = 1; ok && i <= commits; i++) {
            ok = rp_ok(write_one(db, i, 700));
        }
        ok = ok && rp_ok(rp_db_begin(db)) && rp_ok(insert(db, commits + 1, 60000)) &&
             rp_ok(emit(db, commits + 1));
        char answer = ok ? 'y' : 'n';
        if (write(tell[1], &answer, 1) != 1) {
            _exit(1);
        }
        pause();
        _exit(1);
    }
    char answer = 0;
    assert_int_equal(read(tell[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    close(tell[0]);
    close(tell[1]);
    return commits;
}

static void assert_whole(uint64_t *ret_last) {
    struct rp_db *db = open_tenant(alpha);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    uint64_t last = 0, first = 0;
    rp_view *events = NULL;
    size_t count = 0;
    assert_ok(rp_db_outbox_last(db, &last));
    assert_int_equal(count_records(db), last);
    assert_ok(rp_db_outbox(db, 1000, arena, &first, &events, &count));
    assert_int_equal(first, 1);
    assert_int_equal(count, last);
    rp_arena_free(arena);
    *ret_last = last;
}

/*= S114 type=test */
static void a_killed_writer_loses_nothing_committed(void **state) {
    (void)state;
    rp_store_close(store);
    store = NULL;
    uint64_t commits = write_and_die(30), last = 0;
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
    assert_whole(&last);
    assert_int_equal(last, commits);
    assert_ok(write_one(open_tenant(alpha), last + 1, 10));
    assert_whole(&last);
    assert_int_equal(last, commits + 1);
}

/* The power goes: the log's end is missing, or its last page is noise. Each change and its event
 * are there together or not at all. */
static void a_torn_log_recovers_to_a_commit(void **state) {
    (void)state;
    rp_store_close(store);
    store = NULL;
    uint64_t commits = write_and_die(12), before = commits;
    size_t db_n = 0, wal_n = 0;
    uint8_t *db_bytes = unit_file(TENANT_FILE, &db_n);
    uint8_t *wal_bytes = unit_file(TENANT_FILE "-wal", &wal_n);
    bool lost_some = false;
    for (size_t cut = 0; cut < wal_n; cut += 1999) {
        assert_int_equal(unlink(TENANT_FILE "-shm") == 0 || cut > 0, 1);
        write_file(TENANT_FILE, "we", db_bytes, db_n, 0);
        write_file(TENANT_FILE "-wal", "we", wal_bytes, wal_n - cut, 0);
        if (cut % 2 == 1) {
            write_file(TENANT_FILE "-wal", "r+e", "noise", 5, (long)(wal_n - cut) - 5);
        }
        assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
        uint64_t last = 0;
        assert_whole(&last);
        assert_true(last <= before);
        lost_some = lost_some || last < commits;
        before = last;
        rp_store_close(store);
        store = NULL;
    }
    assert_true(lost_some);
    test_free(db_bytes);
    test_free(wal_bytes);
}

static void files_are_for_their_owner_and_group(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    assert_ok(write_one(db, 1, 10));
    static const char *const files[] = {TENANT_FILE, TENANT_FILE "-wal", TENANT_FILE "-shm"};
    for (size_t i = 0; i < 3; i++) {
        struct stat st;
        assert_int_equal(stat(files[i], &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
    }
}

/* What was deleted does not linger in the file. */
static void deleted_bytes_are_overwritten(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db,
                          "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
                          "VALUES ('notes', 'a', zeroblob(16), 1, 5, 'x')",
                          &row));
    assert_err(rp_row_run(row, NULL), INVALID); /* a text is no blob: STRICT */
    assert_ok(rp_db_query(db,
                          "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
                          "VALUES ('PLANTED-BYTES', 'a', zeroblob(16), 1, 5, x'00')",
                          &row));
    assert_ok(rp_row_run(row, NULL));
    assert_ok(rp_db_query(db, "DELETE FROM record", &row));
    assert_ok(rp_row_run(row, NULL));
    rp_store_close(store);
    store = NULL;
    size_t n = 0;
    uint8_t *bytes = unit_file(TENANT_FILE, &n);
    rp_view all = rp_view_of(bytes, n);
    assert_int_equal(rp_view_find(all, RP_VIEW("PLANTED-BYTES")), n);
    assert_true(rp_view_find(all, RP_VIEW("CREATE TABLE record")) < n);
    test_free(bytes);
}

/* A state folder below one that its owner closed to us: /root, say. */
static bool works_where_it_stands(void) {
    struct rp_db *db = NULL;
    bool ok = rp_ok(rp_store_open(&env, "sqlite:", &store, NULL)) &&
              rp_ok(rp_store_tenant(store, alpha, true, &db, NULL)) && rp_ok(write_one(db, 1, 700));
    rp_store_close(store);
    struct rp_db *seen = NULL;
    ok = ok && rp_ok(rp_inspect_open(TENANT_FILE, &seen));
    rp_inspect_close(seen);
    return ok;
}

static void a_closed_folder_above_does_not_matter(void **state) {
    (void)state;
    rp_store_close(store);
    assert_int_equal(mkdir("closed", 0700), 0);
    assert_int_equal(mkdir("closed/state", 0777), 0);
    assert_int_equal(chmod("closed/state", 0777), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool there = chdir("closed/state") == 0 && chmod("..", 0) == 0;
        bool nobody = geteuid() != 0 || setresuid(65534, 65534, 65534) == 0;
        _exit(there && nobody && works_where_it_stands() ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod("closed", 0700), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_newer_file_is_refused_and_not_touched),
        TEST(migrations_run_once_in_order_and_all_or_none),
        TEST(the_old_version_is_kept_beside_it),
        TEST(what_is_no_database_is_refused_by_name),
        TEST(another_tenants_file_is_refused),
        TEST(an_altered_page_is_an_error_not_a_crash),
        TEST(a_file_locked_by_a_shell_is_busy),
        TEST(a_full_disk_leaves_nothing_half_done),
        TEST(a_write_that_the_kernel_refuses),
        TEST(a_killed_writer_loses_nothing_committed),
        TEST(a_torn_log_recovers_to_a_commit),
        TEST(files_are_for_their_owner_and_group),
        TEST(deleted_bytes_are_overwritten),
        TEST(a_closed_folder_above_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
