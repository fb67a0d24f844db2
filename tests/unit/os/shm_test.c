#include "os/shm.h"

#include <sys/stat.h>
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

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(one_writes_another_reads),
        IN_FOLDER(a_new_table_leaves_the_old_one_whole),
        IN_FOLDER(odd_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
