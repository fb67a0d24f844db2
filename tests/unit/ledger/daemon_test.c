/* daemon_test.c — the real rempart-ledger as its own process, spoken to as the roles do. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/checked.h"
#include "event/gate_record.h"
#include "ipc/ipc.h"
#include "ledger/access_io.h"
#include "ledger/read_io.h"
#include "os/file.h"
#include "os/ring.h"
#include "os/shm.h"
#include "unit.h"
#include "wire/json.h"

static const struct rp_tree public_tree = {.kind = RP_TREE_PUBLIC};
static const struct rp_tree operator_tree = {.kind = RP_TREE_OPERATOR};
static const struct rp_tree tenant_tree = {.kind = RP_TREE_TENANT, .tenant = {{0xaa, 1}}};
static const rp_id stream = {{0xbb, 2}};

struct home {
    char *folder;
    pid_t pid;
};

static void give_to_role(const char *path) {
    uid_t uid;
    gid_t gid;
    if (geteuid() == 0 && rp_ok(rp_role_uid(RP_ROLE_LEDGER, &uid, &gid))) {
        assert_int_equal(chown(path, uid, gid), 0);
    }
}

static void write_config(const char *text) {
    assert_ok(rp_file_replace("rempart.yaml", 0644, rp_view_from_cstr(text)));
}

static int enter(void **state) {
    struct home *home = test_calloc(1, sizeof *home);
    home->folder = unit_dir_new();
    assert_int_equal(chmod(home->folder, 0755), 0);
    assert_int_equal(chdir(home->folder), 0);
    assert_ok(rp_folder_make("ledger", 0755));
    assert_ok(rp_folder_make("run", 0755));
    give_to_role("ledger");
    give_to_role("run");
    write_config("host: test.example\nledger:\n  disk_free_percent: 0\n");
    *state = home;
    return 0;
}

/* Starts the program and returns the end of its "ready" pipe; -1 when it was not found. */
static int spawn(struct home *home) {
    int pipe_fds[2];
    char text[16];
    const char *program = getenv("REMPART_LEDGER");
    assert_non_null(program);
    assert_int_equal(pipe(pipe_fds), 0);
    home->pid = fork();
    assert_true(home->pid >= 0);
    if (home->pid == 0) {
        close(pipe_fds[0]);
        snprintf(text, sizeof text, "%d", pipe_fds[1]);
        setenv("REMPART_READY_FD", text, 1);
        execl(program, program, "--state", ".", (char *)NULL);
        _exit(127);
    }
    close(pipe_fds[1]);
    return pipe_fds[0];
}

static void start(struct home *home) {
    char text[8] = {0};
    int fd = spawn(home);
    ssize_t n = read(fd, text, 5);
    close(fd);
    assert_int_equal(n, 5);
    assert_string_equal(text, "ready");
}

static int end(struct home *home, int signal) {
    int status = 0;
    if (home->pid > 0) {
        kill(home->pid, signal);
        assert_int_equal(waitpid(home->pid, &status, 0), home->pid);
        home->pid = 0;
    }
    return status;
}

static int leave(void **state) {
    struct home *home = *state;
    (void)end(home, SIGKILL);
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(home->folder);
    test_free(home);
    return 0;
}

static void stop(struct home *home) {
    int status = end(home, SIGTERM);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_verifies(uint64_t *ret_entries) {
    struct rp_verify_report report;
    rp_err err = rp_verify_folder("ledger", NULL, NULL, &report);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", report.bad_file, report.problem);
    }
    if (ret_entries) {
        *ret_entries = report.entries;
    }
}

static rp_err append_as(enum rp_role_id role, struct rp_tree tree, rp_id from, uint64_t sequence,
                        rp_view event, uint64_t *ret_next) {
    struct rp_ipc_client *client = rp_ipc_client_new(role, RP_ROLE_LEDGER, 5000);
    rp_err err = rp_ledger_append(client, tree, from, sequence, &event, 1, ret_next);
    rp_ipc_client_free(client);
    return err;
}

#define EVENT RP_VIEW("{\"a\":1}")

/*= S113 type=test */
static void test_who_may_write_where(void **state) {
    struct home *home = *state;
    static const struct {
        enum rp_role_id role;
        bool to[RP_TREE_COUNT];
    } rows[] = {
        {RP_ROLE_SUPERVISOR, {false, true, false}}, {RP_ROLE_KMS, {false, true, false}},
        {RP_ROLE_CORE, {false, true, true}},        {RP_ROLE_PROBE, {true, false, false}},
        {RP_ROLE_HUNT, {true, false, false}},
    };
    const struct rp_tree trees[] = {public_tree, operator_tree, tenant_tree};
    start(home);
    for (size_t r = 0; r < RP_COUNT_OF(rows); r++) {
        for (size_t t = 0; t < RP_TREE_COUNT; t++) {
            rp_err err = append_as(rows[r].role, trees[t], (rp_id){{0}}, 0, EVENT, NULL);
            if (rows[r].to[t]) {
                assert_ok(err);
            } else {
                assert_err(err, DENIED);
            }
        }
    }
    /* What other trees and files hang on is the ledger's own to say. */
    assert_err(append_as(RP_ROLE_PROBE, public_tree, (rp_id){{0}}, 0,
                         RP_VIEW("{\"metadata\":{\"event_code\":\"log.anchor\"}}"), NULL),
               DENIED);
    stop(home);
    uint64_t entries;
    assert_verifies(&entries);
    assert_int_equal(entries, 6);
}

static void test_streams_and_heads(void **state) {
    struct home *home = *state;
    uint64_t next = 0;
    start(home);
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_LEDGER, 5000);
    struct rp_buf note = rp_buf_new(4096);
    assert_err(rp_ledger_head(client, tenant_tree, &note), NOT_FOUND);
    rp_view events[64];
    for (size_t i = 0; i < 64; i++) {
        events[i] = EVENT;
    }
    assert_ok(rp_ledger_append(client, tenant_tree, stream, 1, events, 64, &next));
    assert_int_equal(next, 64);
    assert_ok(rp_ledger_append(client, tenant_tree, stream, 33, events, 64, &next));
    assert_int_equal(next, 96);
    assert_err(rp_ledger_append(client, tenant_tree, stream, 98, events, 1, &next), PROTOCOL);
    assert_ok(rp_ledger_head(client, tenant_tree, &note));
    assert_true(rp_view_find(rp_buf_view(&note), RP_VIEW("\n96\n")) < note.n);
    rp_buf_clear(&note);
    assert_ok(rp_ledger_head(client, public_tree, &note));
    assert_true(rp_view_starts(rp_buf_view(&note), RP_VIEW("test.example/log/public\n0\n")));
    rp_buf_done(&note);
    rp_ipc_client_free(client);
    stop(home);
    start(home); /* and all of it is remembered */
    assert_ok(append_as(RP_ROLE_CORE, tenant_tree, stream, 96, EVENT, &next));
    assert_int_equal(next, 96);
    assert_err(append_as(RP_ROLE_CORE, tenant_tree, stream, 98, EVENT, &next), PROTOCOL);
    assert_ok(append_as(RP_ROLE_CORE, tenant_tree, stream, 97, EVENT, &next));
    assert_int_equal(next, 97);
    stop(home);
    assert_verifies(NULL);
}

/* Sends numbered events as fast as it can; the last number that was told "stored" is shared. */
static pid_t start_sender(uint64_t *shared) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_LEDGER, 2000);
        rp_view events[8];
        for (size_t i = 0; i < 8; i++) {
            events[i] = EVENT;
        }
        for (;;) {
            uint64_t last = __atomic_load_n(shared, __ATOMIC_SEQ_CST);
            if (rp_ok(rp_ledger_append(client, tenant_tree, stream, last + 1, events, 8, NULL))) {
                __atomic_store_n(shared, last + 8, __ATOMIC_SEQ_CST);
            }
        }
    }
    return pid;
}

static void test_killed_at_any_time(void **state) {
    struct home *home = *state;
    uint64_t *acked =
        mmap(NULL, sizeof *acked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(acked != MAP_FAILED);
    pid_t sender = start_sender(acked);
    for (unsigned round = 0; round < 8; round++) {
        start(home);
        usleep(20000 + round * 61000 % 400000);
        uint64_t before = __atomic_load_n(acked, __ATOMIC_SEQ_CST);
        (void)end(home, SIGKILL);
        assert_true(__atomic_load_n(acked, __ATOMIC_SEQ_CST) >= before);
    }
    kill(sender, SIGKILL);
    assert_int_equal(waitpid(sender, NULL, 0), sender);
    start(home);
    uint64_t next = 0, last = *acked;
    assert_true(last > 100);
    /* At most the batch in flight is there beyond what was told: sent once more, it fits. */
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_LEDGER, 2000);
    rp_view events[8] = {EVENT, EVENT, EVENT, EVENT, EVENT, EVENT, EVENT, EVENT};
    assert_ok(rp_ledger_append(client, tenant_tree, stream, last + 1, events, 8, &next));
    assert_int_equal(next, last + 8);
    rp_ipc_client_free(client);
    assert_ok(append_as(RP_ROLE_CORE, tenant_tree, stream, next + 1, EVENT, &next));
    stop(home);
    uint64_t entries;
    assert_verifies(&entries);
    assert_true(entries >= next);
    munmap(acked, sizeof *acked);
}

/* A stranger reads while the log grows as fast as it can. */
static void test_verified_while_it_grows(void **state) {
    struct home *home = *state;
    uint64_t *acked = mmap(NULL, sizeof *acked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                           -1, 0),
             before = 0;
    assert_true(acked != MAP_FAILED);
    start(home);
    pid_t sender = start_sender(acked);
    for (unsigned round = 0; round < 6; round++) {
        usleep(300000);
        uint64_t entries;
        assert_verifies(&entries);
        assert_true(entries >= before);
        before = entries;
    }
    assert_true(before > 0);
    kill(sender, SIGKILL);
    assert_int_equal(waitpid(sender, NULL, 0), sender);
    stop(home);
    assert_verifies(NULL);
    munmap(acked, sizeof *acked);
}

static uint64_t count_entries(const char *folder, enum rp_event_kind kind, rp_view *ret_last,
                              struct rp_arena *arena) {
    struct rp_log *log;
    uint64_t n = 0;
    assert_ok(rp_log_open(folder, (rp_view){NULL, 0}, &log, NULL));
    for (uint64_t i = 0; i < rp_log_size(log); i++) {
        rp_view entry;
        assert_ok(rp_log_entry(log, i, arena, &entry));
        if (rp_event_is(entry, kind)) {
            *ret_last = entry;
            n++;
        }
    }
    rp_log_free(log);
    return n;
}

static void test_torn_write_becomes_an_event(void **state) {
    struct home *home = *state;
    rp_view entry;
    start(home);
    assert_ok(append_as(RP_ROLE_CORE, operator_tree, (rp_id){{0}}, 0, EVENT, NULL));
    (void)end(home, SIGKILL);
    int fd = open("ledger/journal/0000000000000000.log", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\0\0\1\0torn", 8), 8);
    close(fd);
    start(home);
    stop(home);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    assert_int_equal(count_entries("ledger/operator", RP_EVENT_JOURNAL_REPAIRED, &entry, arena), 1);
    assert_true(rp_view_find(entry, RP_VIEW("\"bytes\":8")) < entry.n);
    rp_arena_free(arena);
    assert_verifies(NULL);
}

static void test_altered_tree_refuses_to_start(void **state) {
    struct home *home = *state;
    start(home);
    assert_ok(append_as(RP_ROLE_CORE, operator_tree, (rp_id){{0}}, 0, EVENT, NULL));
    stop(home);
    int fd = open("ledger/operator/tile/0/000.p/1", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "x", 1, 5), 1);
    close(fd);
    int ready = spawn(home), status;
    char byte;
    assert_int_equal(read(ready, &byte, 1), 0);
    close(ready);
    assert_int_equal(waitpid(home->pid, &status, 0), home->pid);
    home->pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
}

static void test_low_disk_refuses_and_says_so_once(void **state) {
    struct home *home = *state;
    uint64_t bytes;
    unsigned percent;
    assert_ok(rp_folder_free(".", &bytes, &percent));
    if (percent >= 50) {
        print_message("# low disk: this machine has %u%% free\n", percent);
        skip();
    }
    write_config("ledger:\n  disk_free_percent: 50\n");
    start(home);
    assert_err(append_as(RP_ROLE_CORE, tenant_tree, stream, 1, EVENT, NULL), NO_SPACE);
    usleep(2200000);
    assert_err(append_as(RP_ROLE_CORE, tenant_tree, stream, 1, EVENT, NULL), NO_SPACE);
    stop(home);
    rp_view entry;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    assert_int_equal(count_entries("ledger/operator", RP_EVENT_DISK_LOW, &entry, arena), 1);
    rp_arena_free(arena);
}

/* ---- the gate's ring ---- */

static void put_request(void *ring, enum rp_gate_kind kind, uint8_t client, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        struct rp_gate_record record;
        uint8_t bytes[RP_GATE_RECORD_BYTES];
        rp_gate_record_start(&record, kind, 1700000000000);
        record.status = kind == RP_GATE_ALLOWED ? 200 : 403;
        record.reason = kind == RP_GATE_ALLOWED ? RP_GATE_REASON_NONE : RP_GATE_REASON_DENIED;
        memset(record.client_hash, client, sizeof record.client_hash);
        rp_gate_record_host(&record, RP_VIEW("app.test"));
        rp_gate_record_method(&record, RP_VIEW("GET"));
        rp_gate_record_path(&record, RP_VIEW("/x\"y\xff?secret"));
        memcpy(bytes, &record, sizeof bytes);
        assert_true(rp_ring_put(ring, bytes));
    }
}

static void test_ring_becomes_segments_and_leaves(void **state) {
    struct home *home = *state;
    enum { RECORDS = 1024 };
    struct rp_shm shm;
    assert_ok(rp_shm_create("run/ring.0", 0666, rp_ring_bytes(RECORDS), &shm));
    give_to_role("run/ring.0");
    rp_ring_init(shm.p, RECORDS);
    put_request(shm.p, RP_GATE_ALLOWED, 1, 300);
    put_request(shm.p, RP_GATE_REFUSED, 2, 50);
    put_request(shm.p, RP_GATE_REFUSED, 3, 5);
    uint8_t lie[RP_RING_RECORD] = {0};
    memset(lie, 0xff, sizeof lie);
    assert_true(rp_ring_put(shm.p, lie));
    start(home);
    usleep(3500000); /* rings are found within 1 s, a segment is closed after 1 s more */
    stop(home);
    rp_shm_done(&shm);
    struct rp_arena *arena = rp_arena_new(4 << 20);
    rp_view entry = {0};
    assert_int_equal(count_entries("ledger/operator", RP_EVENT_GATE_REFUSED, &entry, arena), 25);
    assert_true(rp_view_find(entry, RP_VIEW("secret")) == entry.n);
    assert_int_equal(count_entries("ledger/operator", RP_EVENT_GATE_SEGMENT, &entry, arena), 1);
    assert_true(rp_view_find(entry, RP_VIEW("\"count\":300,")) < entry.n);
    assert_int_equal(count_entries("ledger/operator", RP_EVENT_GATE_SUMMARY, &entry, arena), 1);
    assert_true(rp_view_find(entry, RP_VIEW("\"count\":30,\"lost\":1,")) < entry.n);
    rp_arena_free(arena);
    assert_verifies(NULL);
}

/* A crash came between a segment and its leaf: the next start gives it one. */
static void test_segment_without_leaf_gets_one(void **state) {
    struct home *home = *state;
    struct rp_disk disk = rp_disk_real();
    struct rp_sha256 sum;
    struct rp_verify_report report;
    start(home);
    stop(home);
    assert_ok(rp_access_write(&disk, "ledger", 1700000000001, RP_VIEW("{}\n"), &sum));
    give_to_role("ledger/access");
    give_to_role("ledger/access/1700000000001.jsonl.gz");
    assert_err(rp_verify_folder("ledger", NULL, NULL, &report), CORRUPT);
    start(home);
    stop(home);
    assert_verifies(NULL);
    start(home); /* once, not at every start */
    stop(home);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    rp_view entry;
    assert_int_equal(count_entries("ledger/operator", RP_EVENT_GATE_SEGMENT, &entry, arena), 1);
    rp_arena_free(arena);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_who_may_write_where),
        TEST(test_streams_and_heads),
        TEST(test_killed_at_any_time),
        TEST(test_verified_while_it_grows),
        TEST(test_torn_write_becomes_an_event),
        TEST(test_altered_tree_refuses_to_start),
        TEST(test_low_disk_refuses_and_says_so_once),
        TEST(test_ring_becomes_segments_and_leaves),
        TEST(test_segment_without_leaf_gets_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
