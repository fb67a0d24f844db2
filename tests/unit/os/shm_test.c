#include "os/shm.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "unit.h"

static int enter_folder(void **state) {
    *state = unit_dir_new();
    return chdir(*state);
}

static int leave_folder(void **state) {
    int failed = chdir("/");
    unit_dir_remove(*state);
    return failed;
}

static void one_writes_another_reads(void **state) {
    (void)state;
    struct rp_shm writer = {0}, reader = {0};
    assert_ok(rp_shm_create("table", 0640, 8192, &writer));
    assert_ok(rp_shm_open("table", false, 8192, &reader));
    assert_int_equal(((const char *)reader.p)[8191], 0);
    ((char *)writer.p)[8191] = 'x';
    assert_int_equal(((const char *)reader.p)[8191], 'x');
    struct stat st;
    assert_int_equal(stat("table", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    rp_shm_done(&writer);
    rp_shm_done(&reader);
    rp_shm_done(&reader);
    assert_null(reader.p);
}

static void a_new_table_leaves_the_old_one_whole(void **state) {
    (void)state;
    struct rp_shm old = {0}, new = {0}, reader = {0};
    assert_ok(rp_shm_create("table", 0600, 4096, &old));
    ((char *)old.p)[0] = 'o';
    assert_ok(rp_shm_create("table", 0600, 4096, &new));
    ((char *)new.p)[0] = 'n';
    assert_int_equal(((char *)old.p)[0], 'o');
    assert_ok(rp_shm_open("table", true, 0, &reader));
    assert_int_equal(((char *)reader.p)[0], 'n');
    rp_shm_done(&old);
    rp_shm_done(&new);
    rp_shm_done(&reader);
}

static void odd_files_are_refused(void **state) {
    (void)state;
    struct rp_shm shm = {0};
    assert_err(rp_shm_open("absent", false, 0, &shm), NOT_FOUND);
    assert_ok(rp_file_replace("short", 0600, RP_VIEW("abc")));
    assert_err(rp_shm_open("short", false, 4096, &shm), CORRUPT);
    assert_ok(rp_file_replace("empty", 0600, RP_VIEW("")));
    assert_err(rp_shm_open("empty", false, 0, &shm), CORRUPT);
    assert_int_equal(symlink("short", "link"), 0);
    rp_err err = rp_shm_open("link", false, 0, &shm);
    assert_false(rp_ok(err));
    assert_err(rp_shm_open(".", false, 0, &shm), CORRUPT);
    assert_null(shm.p);
}

/* Who writes the table may cut it short: its reader goes on, and finds nothing there. */
static void a_table_cut_short_becomes_zeros(void **state) {
    (void)state;
    enum { BYTES = 5 * 4096 };
    struct rp_shm table = {0}, other = {0};
    assert_ok(rp_shm_create("table", 0600, BYTES, &table));
    assert_ok(rp_shm_create("other", 0600, BYTES, &other));
    memset(table.p, 'x', BYTES);
    memset(other.p, 'y', BYTES);
    for (int round = 0; round < 3; round++) {
        struct rp_shm reader = {0};
        assert_ok(rp_shm_open("table", round == 2, BYTES, &reader));
        assert_ok(rp_shm_survive(&reader));
        assert_false(rp_shm_is_lost(&reader));
        assert_int_equal(truncate("table", round * 4096), 0);
        const uint8_t *bytes = reader.p;
        assert_int_equal(bytes[BYTES - 1], 0);
        assert_int_equal(bytes[0], 0); /* all of it, not only the pages that are gone */
        assert_true(rp_shm_is_lost(&reader));
        if (round == 1) {
            assert_ok(rp_shm_renew("renewed", 0600, &reader));
            assert_false(rp_shm_is_lost(&reader));
            assert_true(reader.p == bytes);
            struct rp_shm again = {0};
            assert_ok(rp_shm_open("renewed", true, BYTES, &again));
            ((uint8_t *)again.p)[BYTES - 1] = 'z';
            assert_int_equal(bytes[BYTES - 1], 'z');
            rp_shm_done(&again);
        }
        rp_shm_done(&reader);
        assert_int_equal(truncate("table", BYTES), 0);
    }
    assert_false(rp_shm_is_lost(&other));
    assert_int_equal(((uint8_t *)other.p)[BYTES - 1], 'y');
    rp_shm_done(&table);
    rp_shm_done(&other);
}

/* A fault that belongs to nobody still ends the process: nothing is hidden. */
static void other_faults_still_end_the_process(void **state) {
    (void)state;
    struct rp_shm watched = {0}, unwatched = {0};
    assert_ok(rp_shm_create("watched", 0600, 4096, &watched));
    assert_ok(rp_shm_create("unwatched", 0600, 4096, &unwatched));
    assert_ok(rp_shm_survive(&watched));
    assert_int_equal(truncate("unwatched", 0), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint8_t byte = *(volatile uint8_t *)unwatched.p;
        _exit(byte);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    rp_shm_done(&watched);
    rp_shm_done(&unwatched);
}

static void watched_mappings_are_counted(void **state) {
    (void)state;
    enum { MANY = 300 };
    struct rp_shm maps[MANY] = {0};
    unsigned watched = 0;
    for (int i = 0; i < MANY; i++) {
        assert_ok(rp_shm_create("one", 0600, 4096, &maps[i]));
        watched += rp_ok(rp_shm_survive(&maps[i]));
    }
    assert_int_equal(watched, 256);
    assert_err(rp_shm_survive(&maps[MANY - 1]), OVERLOAD);
    for (int i = 0; i < MANY; i++) {
        rp_shm_done(&maps[i]);
    }
    assert_ok(rp_shm_create("one", 0600, 4096, &maps[0]));
    assert_ok(rp_shm_survive(&maps[0])); /* there is room again */
    rp_shm_done(&maps[0]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(one_writes_another_reads),
        IN_FOLDER(a_new_table_leaves_the_old_one_whole),
        IN_FOLDER(odd_files_are_refused),
        IN_FOLDER(a_table_cut_short_becomes_zeros),
        IN_FOLDER(other_faults_still_end_the_process),
        IN_FOLDER(watched_mappings_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
