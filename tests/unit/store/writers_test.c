/* writers_test.c — processes that write one tenant's database at once, as core's threads do; one of
 * them dies in the middle. What each saw when it began was still so when it wrote.
 */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "store/store.h"

enum { WRITERS = 4, ROUNDS = 60, TRIES = 100 };

static const rp_id tenant = {{0xaa, 1}};

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

static rp_err number(struct rp_db *db, const char *sql, uint64_t *ret_number) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    RP_TRY(rp_row_first(row));
    *ret_number = rp_row_u64(row, 0);
    return RP_OK;
}

static rp_err run(struct rp_db *db, const char *sql) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    return rp_row_run(row, NULL);
}

/* The n-th record: its id is how many there were before it. */
static rp_err insert(struct rp_db *db, uint64_t n) {
    rp_id id = {{0}};
    struct rp_row *row = NULL;
    memcpy(id.b, &n, sizeof n);
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
                       "VALUES ('notes', 'a', ?1, 1, 5, ?1)",
                       &row));
    rp_row_bind_id(row, 1, id);
    return rp_row_run(row, NULL);
}

static rp_err emit(struct rp_db *db, uint64_t n) {
    struct rp_arena *scratch _cleanup_(rp_arena_freep) = rp_arena_new(1 << 16);
    struct rp_event *event = rp_event_new(scratch, RP_EVENT_RECORD_CREATED, 5, RP_ROLE_CORE);
    rp_event_add_u64(event, "version", n);
    return rp_db_emit(db, event);
}

/* Counts, and writes what holds only while the count does: DUPLICATE where another wrote between.
 */
static rp_err write_one(struct rp_db *db, void *ctx) {
    uint64_t n = 0;
    const bool *kept = ctx;
    RP_TRY(number(db, "SELECT count(*) FROM record", &n));
    RP_TRY(insert(db, n));
    RP_TRY(emit(db, n));
    if (n > 0) {
        rp_err err = insert(db, n - 1);
        RP_TRY(rp_is(err, RP_E_DUPLICATE) ? RP_OK : RP_ERR(CORRUPT)); /* and all goes on */
    }
    RP_TRY(run(db, "UPDATE space_use SET records = records + 1"));
    return *kept ? RP_OK : RP_ERR(CONFLICT);
}

static rp_err write_round(struct rp_db *db, unsigned round) {
    bool kept = round % 5 != 4;
    rp_err err = rp_db_transact(db, write_one, &kept);
    if (!kept && rp_is(err, RP_E_CONFLICT)) {
        return RP_OK;
    }
    RP_TRY(err);
    return run(db, "UPDATE space_use SET bytes = bytes + 1"); /* on its own */
}

/* In a process of its own, which never returns: 0 when all went well, else what did not. */
static _Noreturn void write_all(void) {
    struct rp_store *store = NULL;
    struct rp_db *db = NULL;
    rp_err err = rp_store_open(&env, unit_store_url(), &store, NULL);
    if (rp_ok(err)) {
        err = rp_store_tenant(store, tenant, true, &db, NULL);
    }
    for (unsigned round = 0; round < ROUNDS && rp_ok(err); round++) {
        unsigned tries = 0;
        do {
            err = write_round(db, round);
        } while (rp_is(err, RP_E_BUSY) && ++tries < TRIES);
    }
    _exit(rp_ok(err) ? 0 : (int)err.code);
}

static pid_t started(void) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        write_all();
    }
    return child;
}

static uint64_t of(struct rp_db *db, const char *sql) {
    uint64_t n = 0;
    assert_ok(number(db, sql, &n));
    return n;
}

static void assert_whole(struct rp_db *db) {
    uint64_t records = of(db, "SELECT count(*) FROM record");
    assert_in_range(records, (WRITERS - 1) * ROUNDS * 4 / 5, WRITERS * ROUNDS * 4 / 5);
    assert_int_equal(of(db, "SELECT records FROM space_use"), records);
    assert_int_equal(of(db, "SELECT last FROM outbox_state"), records);
    assert_int_equal(of(db, "SELECT count(*) FROM outbox"), records);
    assert_int_equal(of(db, "SELECT max(sequence) FROM outbox"), records);
    /* What was written on its own: once for each that was kept, but for who died before. */
    assert_in_range(records - of(db, "SELECT bytes FROM space_use"), 0, 1);
}

/*= S114 type=test */
static void what_was_counted_is_so_until_it_is_written(void **state) {
    (void)state;
    struct rp_store *store = NULL;
    struct rp_db *db = NULL;
    pid_t children[WRITERS];
    for (size_t i = 0; i < WRITERS; i++) {
        children[i] = started();
    }
    usleep(200000);
    assert_int_equal(kill(children[0], SIGKILL), 0); /* or it is through, and that is well, too */
    for (size_t i = 0; i < WRITERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        if (i > 0 && status != 0) {
            fail_msg("writer %zu: %d", i, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        }
    }
    assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    assert_ok(rp_store_tenant(store, tenant, false, &db, NULL));
    assert_ok(rp_db_begin(db)); /* behind whatever a server still does for who died */
    assert_whole(db);
    rp_db_rollback(db);
    rp_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_counted_is_so_until_it_is_written, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
