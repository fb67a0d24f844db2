/* The key service as a process: what is no request, what no dump shows, what its memory does not
 * hold, and where it does not start. */
#include "kms_world.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"

static void bytes_that_are_no_request_are_refused_and_the_service_stands(void **state) {
    (void)state;
    struct rp_ipc_client *core = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 5000);
    struct rp_buf reply = rp_buf_new(65536);
    static const enum rp_ipc_message messages[] = {RP_IPC_CORE_KMS_NEW_KEY, RP_IPC_CORE_KMS_LEASE,
                                                   RP_IPC_CORE_KMS_LEASE_END,
                                                   RP_IPC_CORE_KMS_ASSERT};
    for (size_t i = 0; i < RP_COUNT_OF(messages); i++) {
        static const uint8_t junk[60] = {0, 0, 0, 0, 0xff, 0xff};
        assert_err(rp_ipc_call(core, messages[i], RP_VIEW(""), &reply), PROTOCOL);
        assert_false(rp_ok(rp_ipc_call(core, messages[i], rp_view_of(junk, sizeof junk), &reply)));
        assert_int_equal(reply.n, 0);
    }
    assert_err(rp_ipc_call(core, RP_IPC_CLI_KMS_ROTATE, RP_VIEW(""), &reply), PROTOCOL);
    rp_ipc_client_free(core);
    rp_buf_done(&reply);
    assert_err(unseal(3, RP_VIEW("x")), INVALID);
    stack_wait_open();
}

static rp_view proc_file(const char *name) {
    char path[64];
    rp_view text;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)stack.kms, name);
    assert_ok(rp_file_read(path, 65536, arena, &text));
    return text;
}

/*= S84 type=test */
static void no_dump_of_it_can_be_taken(void **state) {
    (void)state;
    /* The kernel gives the files of a process that must not be dumped to root, whoever runs it. */
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)stack.kms);
    assert_int_equal(stat(path, &st), 0);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(st.st_uid, 0);
#endif
    rp_view limits = proc_file("limits");
    rp_view line = rp_view_from(limits, rp_view_find(limits, RP_VIEW("Max core file size")));
    line = rp_view_cut(&line, '\n');
    assert_true(rp_view_find(line, RP_VIEW(" 0                    0 ")) < line.n);
    rp_view process = proc_file("status");
    assert_true(rp_view_find(process, RP_VIEW("\nNoNewPrivs:\t1\n")) < process.n);
    assert_true(rp_view_find(process, RP_VIEW("\nSeccomp:\t2\n")) < process.n);
    assert_true(rp_view_find(process, RP_VIEW("\nVmLck:\t       0 kB\n")) == process.n);
    if (geteuid() == 0) {
        assert_true(rp_view_find(process, RP_VIEW("\nUid:\t0\t")) == process.n);
    }
}

/* How often the bytes stand in the readable memory of the process; SIZE_MAX when it cannot be
 * read (only root may). */
static size_t occurrences(pid_t process, rp_view needle) {
    char path[64];
    char line[512];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)process);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    if (memory < 0) {
        return SIZE_MAX;
    }
    snprintf(path, sizeof path, "/proc/%d/maps", (int)process);
    FILE *maps = fopen(path, "re");
    assert_non_null(maps);
    size_t found = 0;
    while (fgets(line, sizeof line, maps)) {
        char *end = NULL;
        uintmax_t from = strtoumax(line, &end, 16);
        uintmax_t to = strtoumax(end + 1, &end, 16);
        if (end[1] != 'r' || to - from > (64u << 20)) {
            continue;
        }
        uint8_t *bytes = test_malloc(to - from);
        ssize_t n = pread(memory, bytes, to - from, (off_t)from);
        rp_view rest = rp_view_of(bytes, n > 0 ? (size_t)n : 0);
        for (size_t at = rp_view_find(rest, needle); at < rest.n; at = rp_view_find(rest, needle)) {
            found++;
            rest = rp_view_from(rest, at + 1);
        }
        test_free(bytes);
    }
    fclose(maps);
    close(memory);
    return found;
}

/* A key as it goes over the wire: the only place outside locked memory where one ever stands. */
static void lease_on_the_wire(rp_view wrapped, uint8_t key[static RP_TENANT_KEY]) {
    struct rp_ipc_client *core = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 5000);
    struct rp_buf request = rp_buf_new(512);
    struct rp_buf reply = rp_buf_new(512);
    struct rp_lease_request lease = {alice, wrapped};
    struct rp_lease_reply got;
    assert_ok(rp_lease_request_pack(&lease, &request));
    assert_ok(rp_ipc_call(core, RP_IPC_CORE_KMS_LEASE, rp_buf_view(&request), &reply));
    assert_ok(rp_lease_reply_unpack(rp_buf_view(&reply), &got));
    memcpy(key, got.key.p, RP_TENANT_KEY);
    rp_buf_done(&request);
    rp_buf_done(&reply);
    rp_ipc_client_free(core);
}

/*= S86 type=test */
static void a_key_once_lent_is_nowhere_in_its_memory(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer keeps what was freed */
#endif
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    uint8_t key[RP_TENANT_KEY];
    lease_on_the_wire(rp_buf_view(&wrapped), key);
    (void)status(); /* one request at a time: when this is answered, that one is wholly done */
    size_t found = occurrences(stack.kms, rp_view_of(key, sizeof key));
    if (found == SIZE_MAX) {
        skip(); /* not root */
    }
    assert_int_equal(found, 0);
    /* Half of it neither; and the search does find what is there: our own copy. */
    assert_int_equal(occurrences(stack.kms, rp_view_of(key, sizeof key / 2)), 0);
    assert_int_equal(occurrences(stack.kms, rp_view_of(key + 16, sizeof key / 2)), 0);
    assert_true(occurrences(getpid(), rp_view_of(key, sizeof key)) > 0);
    rp_wipe(key, sizeof key);
    rp_buf_done(&wrapped);
    rp_keys_free(keys);
}

/* The same for what is typed and printed: passphrase and recovery code. */
static void neither_passphrase_nor_code_stays_in_its_memory(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer keeps what was freed */
#endif
    rp_view code = {NULL, 0};
    assert_ok(unseal(0, RP_VIEW("a long passphrase")));
    assert_ok(recovery(false, &code));
    (void)status(); /* one request at a time: when this is answered, that one is wholly done */
    size_t found = occurrences(stack.kms, RP_VIEW("a long passphrase"));
    if (found == SIZE_MAX) {
        skip(); /* not root */
    }
    assert_int_equal(found, 0);
    assert_int_equal(occurrences(stack.kms, code), 0);
    assert_int_equal(occurrences(stack.kms, rp_view_sub(code, 0, 19)), 0);
}

static int start_without_locked_memory(void) {
    struct rlimit none = {0, 0};
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (quiet < 0 || dup2(quiet, 2) < 0 || setrlimit(RLIMIT_MEMLOCK, &none) != 0) {
        return 126;
    }
    const char *program = getenv("REMPART_KMS");
    execl(program, program, "--state", ".", "--share", ".", (char *)NULL);
    return 127;
}

static void it_does_not_start_where_memory_cannot_be_locked(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer makes mlock do nothing */
#endif
    stack_end_kms(&stack);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(start_without_locked_memory());
    }
    int status_code = 0;
    assert_int_equal(waitpid(child, &status_code, 0), child);
    assert_true(WIFEXITED(status_code));
    assert_int_equal(WEXITSTATUS(status_code), 2); /* "do not start me again" */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BESIDE_THE_LEDGER(bytes_that_are_no_request_are_refused_and_the_service_stands),
        BESIDE_THE_LEDGER(no_dump_of_it_can_be_taken),
        BESIDE_THE_LEDGER(a_key_once_lent_is_nowhere_in_its_memory),
        SEALED(neither_passphrase_nor_code_stays_in_its_memory),
        BESIDE_THE_LEDGER(it_does_not_start_where_memory_cannot_be_locked),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests_name("kms_process", tests, start, NULL);
}
