/* The real rempartd (REMPARTD) with roles that are shell scripts: what is under test is how it
 * starts, watches and ends them, and what it says when it cannot. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/file.h"
#include "os/process.h"
#include "unit.h"
#include "wire/json.h"

static const char serves[] = "#!/bin/sh\n"
                             "trap 'exit 0' TERM\n"
                             "printf 'ready\\n{\"seccomp\":true}\\n' >&3\n"
                             "exec 3>&-\n"
                             "while :; do sleep 0.05; done\n";
static const char refuses[] = "#!/bin/sh\necho 'wrong configuration' >&2\nexit 2\n";
static const char fails[] = "#!/bin/sh\nexit 1\n";
static const char stubborn[] = "#!/bin/sh\n"
                               "trap '' TERM\n"
                               "printf 'ready\\n{}\\n' >&3\n"
                               "exec 3>&-\n"
                               "while :; do sleep 0.05; done\n";

/* As core does it: with the sockets that it was given, and something left to do when it has handed
 * over, until somebody lets it go. */
static const char hands_over[] = "#!/bin/sh\n"
                                 "[ \"$REMPART_HANDED\" = 2 ] || exit 1\n"
                                 "[ -S /proc/self/fd/4 ] && [ -S /proc/self/fd/5 ] || exit 1\n"
                                 "trap 'exec 3>&-' QUIT\n"
                                 "trap 'exit 0' TERM\n"
                                 "printf 'ready\\n{}\\n' >&3\n"
                                 "until [ -e let-go ]; do sleep 0.05; done\n";

static const char *const names[] = {"ledger", "kms", "core", "gate", "probe", "hunt", "courier"};

struct stage {
    char *folder;
    pid_t pid;
    uint16_t port;
    struct rp_arena *arena;
};

/* Behind the script's first line: a new configuration is fine with everybody. */
static void write_role(const char *name, const char *script) {
    static const char shell[] = "#!/bin/sh\n";
    char path[64], whole[1024];
    assert_int_equal(strncmp(script, shell, sizeof shell - 1), 0);
    int n = snprintf(whole, sizeof whole, "%scase \"$*\" in *--rehearse*) exit 0;; esac\n%s", shell,
                     script + sizeof shell - 1);
    assert_in_range(n, 1, sizeof whole - 1);
    snprintf(path, sizeof path, "bin/rempart-%s", name);
    assert_ok(rp_file_replace(path, 0755, rp_view_of(whole, (size_t)n)));
}

static void write_config(uint16_t port) {
    char text[64];
    int n = snprintf(text, sizeof text, "gate:\n  listen: %u\n", port);
    assert_ok(rp_file_replace("rempart.yaml", 0644, rp_view_of(text, (size_t)n)));
}

/* A listening socket on a port of the kernel's choice. */
static int take_port(uint16_t *ret_port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int set_up(void **state) {
    struct stage *stage = test_calloc(1, sizeof *stage);
    stage->folder = unit_dir_new();
    stage->arena = rp_arena_new(1 << 22);
    assert_int_equal(chdir(stage->folder), 0);
    assert_int_equal(chmod(".", 0755), 0);
    assert_ok(rp_folder_make("bin", 0755));
    int fd = take_port(&stage->port);
    close(fd);
    write_config(stage->port);
    for (size_t i = 0; i < 6; i++) {
        write_role(names[i], serves);
    }
    *state = stage;
    return 0;
}

static bool can_start(void) {
    return getenv("REMPARTD") &&
           (geteuid() != 0 || (getgrnam("rempart") && getpwnam("rempart-dial")));
}

#define SKIP_UNLESS_IT_CAN_START()                                                                 \
    if (!can_start()) {                                                                            \
        print_message("# skipped: no REMPARTD, or root without the roles' users\n");               \
        skip();                                                                                    \
    }

static void begin(struct stage *stage) {
    stage->pid = fork();
    assert_true(stage->pid >= 0);
    if (stage->pid == 0) {
        int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        (void)dup2(out, 1);
        (void)dup2(out, 2);
        execl(getenv("REMPARTD"), "rempartd", "--state", "st", "--share", ".", "--config",
              "rempart.yaml", "--bin", "bin", (char *)NULL);
        _exit(99);
    }
}

static rp_view read_whole(struct stage *stage, const char *path) {
    rp_view text = RP_VIEW("");
    rp_arena_reset(stage->arena);
    rp_ignore(rp_file_read(path, 1 << 16, stage->arena, &text)); /* absent reads as empty */
    return text;
}

static bool says(struct stage *stage, const char *words) {
    rp_view text = read_whole(stage, "out");
    return rp_view_find(text, rp_view_from_cstr(words)) < text.n;
}

static void pause_a_little(void) {
    usleep(10000);
}

static void wait_until_it_says(struct stage *stage, const char *words) {
    for (int i = 0; i < 1500; i++) {
        if (says(stage, words)) {
            return;
        }
        pause_a_little();
    }
    fail_msg("never said \"%s\"; it said:\n%.*s", words, RP_FMT(read_whole(stage, "out")));
}

/* Its exit code; fails when it takes more than 20 s. */
static int wait_for_end(struct stage *stage) {
    for (int i = 0; i < 2000; i++) {
        int status = 0;
        pid_t ended = waitpid(stage->pid, &status, WNOHANG);
        if (ended == stage->pid) {
            stage->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        }
        pause_a_little();
    }
    fail_msg("rempartd does not end");
    return -1;
}

static int finish(struct stage *stage) {
    assert_int_equal(kill(stage->pid, SIGTERM), 0);
    return wait_for_end(stage);
}

static int tear_down(void **state) {
    struct stage *stage = *state;
    if (stage->pid > 0) {
        kill(stage->pid, SIGKILL);
        waitpid(stage->pid, NULL, 0);
    }
    char *run = realpath("st/run", NULL);
    if (run && strncmp(run, "/dev/shm/rempart-", 17) == 0) {
        unit_dir_remove(run);
    } else {
        free(run);
    }
    rp_arena_free(stage->arena);
    int failed = chdir("/");
    unit_dir_remove(stage->folder);
    test_free(stage);
    return failed;
}

struct seen {
    uint64_t pid, restarts;
    char state[16];
    char last_end[64];
};

static void copy_text(char *out, size_t max, rp_view text) {
    assert_true(text.n < max);
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
}

static struct seen look(struct stage *stage, const char *name) {
    struct seen seen = {0};
    struct rp_json *root = NULL;
    rp_view text = read_whole(stage, "st/run/status.json");
    assert_ok(rp_json_parse(text, RP_JSON_LIMITS, stage->arena, &root, NULL));
    const struct rp_json *role = rp_json_get(root, "roles")->first;
    while (role && !rp_view_equal(rp_json_get_string(role, "name"), rp_view_from_cstr(name))) {
        role = role->next;
    }
    assert_non_null(role);
    rp_json_get_u64(role, "pid", &seen.pid);
    rp_json_get_u64(role, "restarts", &seen.restarts);
    copy_text(seen.state, sizeof seen.state, rp_json_get_string(role, "state"));
    copy_text(seen.last_end, sizeof seen.last_end, rp_json_get_string(role, "last_end"));
    return seen;
}

static bool is_alive(uint64_t pid) {
    return kill((pid_t)pid, 0) == 0;
}

static void all_are_started_in_order_and_ended(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    rp_view out = read_whole(stage, "out");
    size_t last = 0;
    for (size_t i = 0; i < 6; i++) {
        char line[32];
        snprintf(line, sizeof line, "\n%-7s ready", names[i]);
        size_t at = rp_view_find(out, rp_view_from_cstr(line));
        assert_true(at > last && at < out.n);
        last = at;
    }
    uint64_t pids[6];
    for (size_t i = 0; i < 6; i++) {
        struct seen seen = look(stage, names[i]);
        assert_string_equal(seen.state, "ready");
        pids[i] = seen.pid;
        assert_true(is_alive(pids[i]));
    }
    assert_int_equal(finish(stage), 0);
    for (size_t i = 0; i < 6; i++) {
        assert_false(is_alive(pids[i]));
    }
}

static void one_that_ends_is_started_again(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    struct seen before = look(stage, "kms");
    assert_int_equal(kill((pid_t)before.pid, SIGKILL), 0);
    struct seen after = before;
    for (int i = 0; i < 500 && (after.pid == before.pid || strcmp(after.state, "ready") != 0);
         i++) {
        pause_a_little();
        after = look(stage, "kms");
    }
    assert_string_equal(after.state, "ready");
    assert_string_equal(after.last_end, "signal 9");
    assert_int_equal(after.restarts, 1);
    assert_int_not_equal(after.pid, before.pid);
    assert_true(says(stage, "kms ended: signal 9"));
    assert_int_equal(finish(stage), 0);
}

/* The ledger ends while core is on its way: gate waits for both, and "ready" means all. */
static void one_that_ends_during_the_start_is_waited_for(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    write_role("core", "#!/bin/sh\nsleep 0.5\nprintf 'ready\\n{}\\n' >&3\nexec sleep 100\n");
    begin(stage);
    wait_until_it_says(stage, "kms     ready");
    assert_int_equal(kill((pid_t)look(stage, "ledger").pid, SIGKILL), 0);
    wait_until_it_says(stage, "\nready\n");
    rp_view out = read_whole(stage, "out");
    size_t core = rp_view_find(out, RP_VIEW("core    ready"));
    size_t gate = rp_view_find(out, RP_VIEW("gate    ready"));
    assert_true(core < gate && gate < out.n);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(look(stage, names[i]).state, "ready");
    }
    assert_int_equal(finish(stage), 0);
}

static void nothing_outlives_it(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    uint64_t pid = look(stage, "core").pid;
    assert_int_equal(kill(stage->pid, SIGKILL), 0);
    assert_int_equal(wait_for_end(stage), -SIGKILL);
    for (int i = 0; i < 500 && is_alive(pid); i++) {
        pause_a_little();
    }
    assert_false(is_alive(pid));
}

static void one_that_does_not_stop_is_ended(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    write_role("probe", stubborn);
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    uint64_t pid = look(stage, "probe").pid;
    assert_int_equal(finish(stage), 0);
    assert_true(says(stage, "probe does not stop; ending it"));
    assert_false(is_alive(pid));
}

static void a_missing_program_is_told(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    assert_ok(rp_file_remove("bin/rempart-core"));
    begin(stage);
    assert_int_equal(wait_for_end(stage), 2);
    assert_true(says(stage, "bin/rempart-core: no such program"));
    assert_false(says(stage, "\nready\n"));
}

static void probes_may_be_missing(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    assert_ok(rp_file_remove("bin/rempart-probe"));
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    assert_string_equal(look(stage, "probe").state, "missing");
    assert_true(says(stage, "going on without it"));
    assert_int_equal(finish(stage), 0);
}

static void a_refused_configuration_ends_the_start(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    write_role("core", refuses);
    begin(stage);
    assert_int_equal(wait_for_end(stage), 2);
    assert_true(says(stage, "core ended: exit 2"));
    assert_false(says(stage, "gate "));
}

static void one_that_never_serves_ends_the_start(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    write_role("kms", fails);
    begin(stage);
    assert_int_equal(wait_for_end(stage), 1);
    assert_true(says(stage, "kms does not become ready; giving up"));
}

static void a_busy_port_is_told(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    uint16_t port;
    int fd = take_port(&port);
    char expected[64];
    write_config(port);
    begin(stage);
    assert_int_equal(wait_for_end(stage), 2);
    snprintf(expected, sizeof expected, "127.0.0.1 port %u is busy", port);
    assert_true(says(stage, expected));
    assert_true(says(stage, "set gate.listen in"));
    close(fd);
}

static void a_bad_configuration_is_told_with_its_place(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    assert_ok(rp_file_replace("rempart.yaml", 0644, RP_VIEW("gate:\n  liston: 1\n")));
    begin(stage);
    assert_int_equal(wait_for_end(stage), 2);
    assert_true(says(stage, "rempart.yaml: line 2, column 3"));
    assert_true(says(stage, "did you mean \"listen\"?"));
}

static void a_second_one_on_the_same_state_is_refused(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    pid_t first = stage->pid;
    begin(stage);
    assert_int_equal(wait_for_end(stage), 2);
    assert_true(says(stage, "another rempartd runs on this state folder"));
    stage->pid = first;
    assert_int_equal(finish(stage), 0);
}

static void a_bad_file_at_reload_changes_nothing(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    uint64_t pid = look(stage, "core").pid;
    assert_ok(rp_file_replace("rempart.yaml", 0644, RP_VIEW("hots: a\n")));
    assert_int_equal(kill(stage->pid, SIGHUP), 0);
    wait_until_it_says(stage, "the configuration stays as it was");
    assert_int_equal(look(stage, "core").pid, pid);
    /* And a good one makes core begin anew, at once, and nginx read what was written before. */
    char text[96];
    int n =
        snprintf(text, sizeof text, "gate:\n  listen: %u\npage:\n  operator: Other\n", stage->port);
    assert_ok(rp_file_replace("rempart.yaml", 0644, rp_view_of(text, (size_t)n)));
    write_role("gate", "#!/bin/sh\n"
                       "case \"$*\" in *--render*) touch rendered; exit 0;; esac\n");
    assert_int_equal(kill(stage->pid, SIGHUP), 0);
    wait_until_it_says(stage, "gate ended: signal 1");
    assert_true(rp_file_exists("st/rendered"));
    wait_until_it_says(stage, "core ended: exit 0 (as asked)");
    assert_int_equal(finish(stage), 0);
}

static void reload_with_operator(struct stage *stage, const char *name) {
    char text[96];
    int n = snprintf(text, sizeof text, "gate:\n  listen: %u\npage:\n  operator: %s\n", stage->port,
                     name);
    assert_ok(rp_file_replace("rempart.yaml", 0644, rp_view_of(text, (size_t)n)));
    assert_int_equal(kill(stage->pid, SIGHUP), 0);
}

/* The successor of `before`, once it is ready. */
static struct seen wait_for_successor(struct stage *stage, uint64_t before) {
    struct seen after = look(stage, "core");
    for (int i = 0; i < 1500 && (after.pid == before || strcmp(after.state, "ready") != 0); i++) {
        pause_a_little();
        after = look(stage, "core");
    }
    assert_int_not_equal(after.pid, before);
    assert_string_equal(after.state, "ready");
    return after;
}

static void core_has_a_successor_before_it_ends(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    write_role("core", hands_over);
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    uint64_t pids[3] = {look(stage, "core").pid};
    for (size_t i = 1; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "M%zu", i);
        reload_with_operator(stage, name);
        pids[i] = wait_for_successor(stage, pids[i - 1]).pid;
        assert_true(is_alive(pids[i - 1])); /* it has streams left, and nobody cuts them */
    }
    assert_ok(rp_file_create("st/let-go", 0644, RP_VIEW("")));
    wait_until_it_says(stage, "core ended: exit 0 (handed over before)");
    assert_int_equal(finish(stage), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_false(is_alive(pids[i]));
    }
}

static void nobody_who_handed_over_outlives_it(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    write_role("core", hands_over);
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    uint64_t pid = look(stage, "core").pid;
    reload_with_operator(stage, "Other");
    wait_for_successor(stage, pid);
    assert_int_equal(finish(stage), 0);
    for (int i = 0; i < 500 && is_alive(pid); i++) {
        pause_a_little();
    }
    assert_false(is_alive(pid));
}

static void the_state_folder_is_laid_out(void **state) {
    struct stage *stage = *state;
    SKIP_UNLESS_IT_CAN_START();
    begin(stage);
    wait_until_it_says(stage, "\nready\n");
    struct stat st;
    assert_int_equal(stat("st/kms", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    if (geteuid() == 0) {
        assert_int_equal(st.st_uid, getpwnam("rempart-kms")->pw_uid);
        assert_int_equal(stat("st/run/", &st), 0);
        assert_int_equal(st.st_mode & 07777, 03775);
        assert_int_equal(st.st_gid, getgrnam("rempart")->gr_gid);
    }
    assert_int_equal(finish(stage), 0);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_STAGE(all_are_started_in_order_and_ended),
        ON_STAGE(one_that_ends_is_started_again),
        ON_STAGE(one_that_ends_during_the_start_is_waited_for),
        ON_STAGE(nothing_outlives_it),
        ON_STAGE(one_that_does_not_stop_is_ended),
        ON_STAGE(a_missing_program_is_told),
        ON_STAGE(probes_may_be_missing),
        ON_STAGE(a_refused_configuration_ends_the_start),
        ON_STAGE(one_that_never_serves_ends_the_start),
        ON_STAGE(a_busy_port_is_told),
        ON_STAGE(a_bad_configuration_is_told_with_its_place),
        ON_STAGE(a_second_one_on_the_same_state_is_refused),
        ON_STAGE(a_bad_file_at_reload_changes_nothing),
        ON_STAGE(core_has_a_successor_before_it_ends),
        ON_STAGE(nobody_who_handed_over_outlives_it),
        ON_STAGE(the_state_folder_is_laid_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
