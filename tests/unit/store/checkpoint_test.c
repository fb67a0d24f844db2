/* checkpoint_test.c — the log beside the system's database begins anew, though writers never
 * pause: another connection commits while pages are being copied. */
#include "unit.h"

#include <sqlite3.h>
#include <unistd.h>

#include "os/file.h"
#include "store/sqlite/sqlite.h"
#include "store/store.h"

enum { BEHIND = 5, SALT_AT = 16 /* in the log's header: one more each time that it begins anew */ };

static struct unit_world world = {.now_ns = 1000000000};
static struct rp_env env;
static struct rp_store *own, *others;
static struct rp_db *db, *other;
static char *folder;

static rp_err put(struct rp_db *into, const char *sql) {
    return rp_store_exec(rp_sqlite_handle(into), sql);
}

/* Two connections to one new database, as the forwarder's and a store thread's. */
static int setup(void **state) {
    (void)state;
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    env = unit_env(&world);
    assert_ok(rp_store_open(&env, "sqlite:", &own, NULL));
    assert_ok(rp_store_open(&env, "sqlite:", &others, NULL));
    assert_ok(rp_store_system(own, &db, NULL));
    assert_ok(rp_store_system(others, &other, NULL));
    assert_ok(put(db, "CREATE TABLE filler (bytes)"));
    assert_ok(rp_db_checkpoint(db));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rp_store_close(own);
    rp_store_close(others);
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

static void fill_log(unsigned mib) {
    char sql[100];
    (void)snprintf(sql, sizeof sql, "INSERT INTO filler VALUES (zeroblob(%u)), (zeroblob(%u))",
                   mib << 19, mib << 19);
    assert_ok(put(db, sql));
}

static uint32_t salt_of_log(void) {
    _cleanup_fd_ int fd = -1;
    uint8_t b[4];
    assert_ok(rp_file_open("db/system.db-wal", &fd));
    assert_ok(rp_file_read_at(fd, SALT_AT, b, sizeof b));
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* ---- somebody who writes while pages are copied ---- */

static unsigned to_come;
static bool inside;

static ssize_t write_and_let_write(int fd, const void *bytes, size_t n, off_t offset) {
    if (to_come > 0 && !inside) {
        inside = true;
        assert_ok(put(other, "INSERT INTO filler VALUES (1)"));
        inside = false;
        to_come--;
    }
    return pwrite(fd, bytes, n, offset);
}

static void watch_writes(bool on) {
    static const char *const names[] = {"pwrite", "pwrite64"};
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    assert_non_null(vfs);
    for (size_t i = 0; i < 2; i++) {
        if (vfs->xGetSystemCall(vfs, names[i])) {
            sqlite3_syscall_ptr call = on ? (sqlite3_syscall_ptr)write_and_let_write : NULL;
            assert_int_equal(vfs->xSetSystemCall(vfs, names[i], call), SQLITE_OK);
        }
    }
}

static void copy_while_others_write(void) {
    to_come = BEHIND;
    watch_writes(true);
    rp_err err = rp_db_checkpoint(db);
    watch_writes(false);
    assert_ok(err);
    assert_int_equal(to_come, 0);
}

/* ---- */

static void a_long_log_is_followed_until_nothing_is_left(void **state) {
    (void)state;
    fill_log(25);
    uint32_t before = salt_of_log();
    copy_while_others_write();
    assert_ok(put(other, "INSERT INTO filler VALUES (2)"));
    assert_int_equal(salt_of_log(), before + 1);
}

/* The next round does it: an fsync more for each few pages would be a waste. */
static void a_short_log_is_copied_once(void **state) {
    (void)state;
    fill_log(4);
    uint32_t before = salt_of_log();
    copy_while_others_write();
    assert_ok(put(other, "INSERT INTO filler VALUES (2)"));
    assert_int_equal(salt_of_log(), before);
}

/* What it sees may not be overwritten: neither we nor those who write wait for it. */
static void a_reader_that_stays_holds_nobody_up(void **state) {
    (void)state;
    assert_ok(put(other, "BEGIN"));
    int64_t rows = -1;
    assert_ok(rp_store_number(rp_sqlite_handle(other), "SELECT count(*) FROM filler", &rows));
    fill_log(25);
    uint32_t before = salt_of_log();
    assert_ok(rp_db_checkpoint(db));
    assert_ok(put(db, "INSERT INTO filler VALUES (1)"));
    assert_int_equal(salt_of_log(), before);
    assert_ok(put(other, "COMMIT"));
    assert_ok(rp_db_checkpoint(db));
    assert_ok(put(db, "INSERT INTO filler VALUES (1)"));
    assert_int_equal(salt_of_log(), before + 1);
}

static rp_err leave(struct rp_db *into, void *ctx) {
    int64_t *during = ctx;
    return rp_store_number(rp_sqlite_handle(into), "PRAGMA synchronous", during);
}

/* One that may come undone says so to this connection alone, and to nothing that follows. */
static void an_eased_commit_eases_no_other(void **state) {
    (void)state;
    enum { NORMAL = 1, FULL = 2 };
    int64_t during = 0, after = 0;
    assert_ok(rp_db_transact_eased(db, leave, &during));
    assert_int_equal(during, NORMAL);
    assert_ok(rp_store_number(rp_sqlite_handle(db), "PRAGMA synchronous", &after));
    assert_int_equal(after, FULL);
    assert_ok(rp_db_transact(db, leave, &during));
    assert_int_equal(during, FULL);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_long_log_is_followed_until_nothing_is_left),
        TEST(a_short_log_is_copied_once),
        TEST(a_reader_that_stays_holds_nobody_up),
        TEST(an_eased_commit_eases_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
