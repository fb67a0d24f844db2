#include "os/stderr.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "unit.h"

/* Standard error is the whole process', so each test has one of its own. */
static void in_a_child(void (*test)(void)) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        test();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* cmocka cannot fail across a fork: the child ends. */
static void must(bool holds) {
    if (!holds) {
        _exit(1);
    }
}

static bool holds(const char *path, const char *expected) {
    struct rp_arena *arena = rp_arena_new(1 << 20);
    rp_view text = {NULL, 0};
    bool same = rp_ok(rp_file_read(path, 1 << 16, arena, &text)) &&
                rp_view_equal(text, rp_view_from_cstr(expected));
    rp_arena_free(arena);
    return same;
}

static void lines_of_us_and_of_those_we_start(void) {
    struct rp_stderr log;
    must(rp_ok(rp_file_create("log", 0600, RP_VIEW("before\n"))));
    must(rp_ok(rp_stderr_divert("log", 0640, &log)));
    fprintf(stderr, "one\n");
    pid_t pid = fork();
    if (pid == 0) {
        fprintf(stderr, "two\n");
        _exit(0);
    }
    must(waitpid(pid, NULL, 0) == pid);
    rp_stderr_copy(&log);
    must(holds("log", "before\none\ntwo\n"));
    fprintf(stderr, "three\n");
    rp_stderr_done(&log); /* what was said before the end is in the file */
    must(holds("log", "before\none\ntwo\nthree\n"));
}

static void a_rotated_file_is_let_go(void) {
    struct rp_stderr log;
    struct stat st;
    must(rp_ok(rp_stderr_divert("log", 0640, &log)));
    must(stat("log", &st) == 0 && (st.st_mode & 07777) == 0640);
    fprintf(stderr, "one\n");
    rp_stderr_copy(&log);
    must(rename("log", "log.1") == 0);
    fprintf(stderr, "two\n"); /* by a writer who knows of nothing */
    rp_stderr_copy(&log);
    must(rp_ok(rp_stderr_reopen(&log, "log", 0640)));
    fprintf(stderr, "three\n");
    rp_stderr_copy(&log);
    must(holds("log.1", "one\ntwo\n") && holds("log", "three\n"));
    must(!rp_ok(rp_stderr_reopen(&log, "nowhere/log", 0640)));
    fprintf(stderr, "four\n");
    rp_stderr_done(&log);
    must(holds("log", "three\nfour\n"));
}

static void nobody_waits_and_what_is_lost_is_counted(void) {
    struct rp_stderr log;
    char line[1000];
    memset(line, 'x', sizeof line);
    must(rp_ok(rp_stderr_divert("/dev/full", 0640, &log)));
    for (int i = 0; i < 4000; i++) {
        (void)!write(STDERR_FILENO, line, sizeof line); /* more than any pipe holds: returns */
    }
    rp_stderr_copy(&log);
    must(log.failing && log.lost >= 4096);
    must(rp_ok(rp_stderr_reopen(&log, "log", 0640)));
    fprintf(stderr, "again\n");
    rp_stderr_copy(&log);
    must(!log.failing && holds("log", "again\n"));
    rp_stderr_done(&log);
}

static void all_lines_reach_the_file(void **state) {
    (void)state;
    in_a_child(lines_of_us_and_of_those_we_start);
}

static void rotation_loses_no_line(void **state) {
    (void)state;
    in_a_child(a_rotated_file_is_let_go);
}

static void a_full_disk_stops_nobody(void **state) {
    (void)state;
    in_a_child(nobody_waits_and_what_is_lost_is_counted);
}

static int set_up(void **state) {
    char *folder = unit_dir_new();
    *state = folder;
    return chdir(folder);
}

static int tear_down(void **state) {
    int failed = chdir("/");
    unit_dir_remove(*state);
    return failed;
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(all_lines_reach_the_file),
        IN_A_FOLDER(rotation_loses_no_line),
        IN_A_FOLDER(a_full_disk_stops_nobody),
    };
    return cmocka_run_group_tests_name("stderr", tests, NULL, NULL);
}
