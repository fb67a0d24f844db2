#include "os/batch.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "unit.h"

static int enter(void **state) {
    *state = unit_dir_new();
    return chdir(*state);
}

static int leave(void **state) {
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(*state);
    return 0;
}

static void assert_holds(const char *path, const char *text) {
    size_t n;
    uint8_t *bytes = unit_file(path, &n);
    assert_view_equal(rp_view_of(bytes, n), rp_view_from_cstr(text));
    test_free(bytes);
}

static void test_put_makes_folders_and_replaces(void **state) {
    (void)state;
    struct stat st;
    assert_ok(rp_batch_put("t", "a/b/c", 0640, RP_VIEW("one")));
    assert_holds("a/b/c", "one");
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_ok(rp_batch_put("t", "a/b/c", 0640, RP_VIEW("two")));
    assert_holds("a/b/c", "two");
    assert_ok(rp_batch_sync("a"));
    assert_false(rp_file_exists("t"));
}

static void test_failure_leaves_the_old_file(void **state) {
    (void)state;
    assert_ok(rp_batch_put("t", "d/file", 0600, RP_VIEW("old")));
    assert_int_equal(mkdir("d/folder", 0700), 0);
    assert_false(rp_ok(rp_batch_put("t", "d/folder", 0600, RP_VIEW("x"))));
    assert_false(rp_file_exists("t"));
    assert_false(rp_ok(rp_batch_put("t", "d/file/below", 0600, RP_VIEW("x"))));
    assert_holds("d/file", "old");
    assert_false(rp_file_exists("t"));
}

static void test_cut(void **state) {
    (void)state;
    int fd = -1;
    assert_ok(rp_file_open_append("j", 0600, &fd));
    assert_ok(rp_file_write_all(fd, RP_VIEW("0123456789")));
    assert_ok(rp_file_cut(fd, 4));
    assert_ok(rp_file_write_all(fd, RP_VIEW("x")));
    rp_fd_done(&fd);
    assert_holds("j", "0123x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put_makes_folders_and_replaces, enter, leave),
        cmocka_unit_test_setup_teardown(test_failure_leaves_the_old_file, enter, leave),
        cmocka_unit_test_setup_teardown(test_cut, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
