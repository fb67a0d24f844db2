/* ledger.c — how many events the real rempart-ledger keeps a second, and how soon they are signed.
 *
 * A (the peer): one writer, the same 64 events appended to a file and fdatasync'ed. B: the program,
 * sixteen senders, batches of 64 events of 300 bytes, each told "stored". A and B take turns. Then
 * the time from the call of one append until a signed checkpoint on disk covers its event, at rest
 * and while four senders write as fast as they can.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/env.h"
#include "ipc/ipc.h"
#include "ledger/client.h"
#include "os/file.h"

enum {
    ROUNDS = 7,
    SENDERS = 16,
    LOAD = 4,
    BATCH = 64,
    EVENT = 300,
    ROUND_MS = 1000,
    SAMPLES = 100
};

struct sender {
    pthread_t thread;
    atomic_bool *stop;
    struct rp_tree tree;
    uint64_t stored;
};

static int64_t now_ns(void) {
    struct rp_env env = rp_env_real();
    return env.monotonic_ns(env.ctx);
}

static void need(rp_err err, const char *what) {
    if (!rp_ok(err)) {
        fprintf(stderr, "bench ledger: %s: %s\n", what, rp_err_text(err, RP_EN));
        exit(1);
    }
}

static void fill_events(char bytes[static EVENT], rp_view events[static BATCH]) {
    memset(bytes, 'x', EVENT);
    memcpy(bytes, "{\"x\":\"", 6);
    memcpy(bytes + EVENT - 2, "\"}", 2);
    for (size_t i = 0; i < BATCH; i++) {
        events[i] = rp_view_of(bytes, EVENT);
    }
}

/* ---- A: what the disk allows one writer ---- */

static double disk_events_per_s(void) {
    static char batch[BATCH * EVENT];
    _cleanup_fd_ int fd = -1;
    memset(batch, 'x', sizeof batch);
    need(rp_file_open_append("bare", 0600, &fd), "bare");
    int64_t start = now_ns(), end = start + (int64_t)ROUND_MS * 500000;
    uint64_t n = 0;
    for (; now_ns() < end; n += BATCH) {
        need(rp_file_write_all(fd, rp_view_of(batch, sizeof batch)), "bare");
        need(rp_file_sync(fd), "bare");
    }
    double seconds = (double)(now_ns() - start) / 1e9;
    need(rp_file_remove("bare"), "bare");
    return (double)n / seconds;
}

/* ---- B: the program ---- */

static void *send_batches(void *ctx) {
    struct sender *sender = ctx;
    char bytes[EVENT];
    rp_view events[BATCH];
    fill_events(bytes, events);
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_LEDGER, 10000);
    uint64_t sequence = 1;
    struct rp_env env = rp_env_real();
    rp_id stream = rp_env_new_id(&env);
    while (!atomic_load(sender->stop)) {
        need(rp_ledger_append(client, sender->tree, stream, sequence, events, BATCH, NULL),
             "append");
        sequence += BATCH;
        sender->stored += BATCH;
    }
    rp_ipc_client_free(client);
    return NULL;
}

static void start_senders(struct sender *senders, size_t n, atomic_bool *stop) {
    atomic_store(stop, false);
    for (size_t i = 0; i < n; i++) {
        senders[i] = (struct sender){.stop = stop, .tree = {.kind = RP_TREE_OPERATOR}};
        int rc = pthread_create(&senders[i].thread, NULL, send_batches, &senders[i]);
        RP_ASSERT(rc == 0);
    }
}

static uint64_t stop_senders(struct sender *senders, size_t n, atomic_bool *stop) {
    uint64_t stored = 0;
    atomic_store(stop, true);
    for (size_t i = 0; i < n; i++) {
        pthread_join(senders[i].thread, NULL);
        stored += senders[i].stored;
    }
    return stored;
}

static double program_events_per_s(void) {
    struct sender senders[SENDERS];
    atomic_bool stop;
    int64_t start = now_ns();
    start_senders(senders, SENDERS, &stop);
    usleep(ROUND_MS * 1000);
    uint64_t stored = stop_senders(senders, SENDERS, &stop);
    return (double)stored * 1e9 / (double)(now_ns() - start);
}

/* ---- from the event to a signed root ---- */

static uint64_t signed_size(void) {
    char text[512];
    _cleanup_fd_ int fd = open("ledger/operator/checkpoint", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : 0;
    rp_view rest = rp_view_of(text, n > 0 ? (size_t)n : 0);
    uint64_t size = 0;
    (void)rp_view_cut(&rest, '\n');
    return rest.p && rp_view_to_u64(rp_view_cut(&rest, '\n'), UINT64_MAX, &size) ? size : 0;
}

static double event_to_root_ms(struct rp_ipc_client *client) {
    char bytes[EVENT];
    rp_view events[BATCH];
    uint64_t next;
    fill_events(bytes, events);
    int64_t start = now_ns();
    need(rp_ledger_append(client, (struct rp_tree){.kind = RP_TREE_OPERATOR}, (rp_id){{0}}, 0,
                          events, 1, &next),
         "append");
    while (signed_size() < next) {
        usleep(500);
    }
    return (double)(now_ns() - start) / 1e6;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

static void measure_root(const char *name, const char *what) {
    double samples[SAMPLES];
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_LEDGER, 10000);
    for (size_t i = 0; i < SAMPLES; i++) {
        samples[i] = event_to_root_ms(client);
        usleep(3000 + 7919 * (unsigned)i % 60000); /* not in step with the 250 ms */
    }
    rp_ipc_client_free(client);
    qsort(samples, SAMPLES, sizeof samples[0], by_value);
    double p99 = samples[SAMPLES * 99 / 100];
    printf("%s ours=%.0f peer=1000 ratio=%.2f (event to signed root, p99 of %d, ms; median %.0f; "
           "%s; peer: the limit)\n",
           name, p99, 1000 / p99, SAMPLES, samples[SAMPLES / 2], what);
    fflush(stdout);
}

/* ---- the program's life ---- */

static void give_to_role(const char *path) {
    uid_t uid;
    gid_t gid;
    if (geteuid() == 0 && rp_ok(rp_role_uid(RP_ROLE_LEDGER, &uid, &gid)) &&
        chown(path, uid, gid) != 0) {
        perror(path);
    }
}

static pid_t start_program(const char *program) {
    int fds[2];
    char text[16], ready;
    need(rp_folder_make("ledger", 0755), "ledger");
    need(rp_folder_make("run", 0755), "run");
    give_to_role("ledger");
    give_to_role("run");
    need(rp_file_replace("rempart.yaml", 0644, RP_VIEW("ledger:\n  disk_free_percent: 1\n")),
         "rempart.yaml");
    int rc = pipe(fds);
    RP_ASSERT(rc == 0);
    pid_t pid = fork();
    RP_ASSERT(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        snprintf(text, sizeof text, "%d", fds[1]);
        setenv("REMPART_READY_FD", text, 1);
        execl(program, program, "--state", ".", (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    if (read(fds[0], &ready, 1) != 1) {
        fprintf(stderr, "bench ledger: %s did not start\n", program);
        exit(1);
    }
    close(fds[0]);
    return pid;
}

/* build/bench/bench_ledger stands beside build/daemons/ledger/rempart-ledger. */
static void find_program(char out[static 4096]) {
    ssize_t n = readlink("/proc/self/exe", out, 3900);
    RP_ASSERT(n > 0);
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    RP_ASSERT(slash != NULL);
    memcpy(slash, "/../daemons/ledger/rempart-ledger", 34);
}

static void measure_appends(void) {
    double ours[ROUNDS], peers[ROUNDS], ratios[ROUNDS];
    (void)program_events_per_s(); /* warm */
    for (size_t i = 0; i < ROUNDS; i++) {
        peers[i] = disk_events_per_s();
        ours[i] = program_events_per_s();
        ratios[i] = ours[i] / peers[i];
    }
    qsort(ours, ROUNDS, sizeof ours[0], by_value);
    qsort(peers, ROUNDS, sizeof peers[0], by_value);
    qsort(ratios, ROUNDS, sizeof ratios[0], by_value);
    printf("ledger_appends ours=%.0f peer=%.0f ratio=%.2f (durable events/s of %d bytes, median of "
           "%d, spread %.0f to %.0f; %d senders, batches of %d; peer: one writer, fdatasync after "
           "each batch)\n",
           ours[ROUNDS / 2], peers[ROUNDS / 2], ratios[ROUNDS / 2], EVENT, ROUNDS, ours[0],
           ours[ROUNDS - 1], SENDERS, BATCH);
    fflush(stdout);
}

int main(void) {
    char program[4096], folder[] = "/var/tmp/rempart-bench-XXXXXX";
    find_program(program);
    if (!mkdtemp(folder) || chmod(folder, 0755) != 0 || chdir(folder) != 0) {
        perror("bench ledger");
        return 1;
    }
    pid_t pid = start_program(program);
    measure_root("ledger_event_to_root_p99", "at rest");
    measure_appends();
    struct sender load[LOAD];
    atomic_bool stop;
    start_senders(load, LOAD, &stop);
    measure_root("ledger_event_to_root_loaded_p99", "while 4 senders write all they can");
    (void)stop_senders(load, LOAD, &stop);
    int status;
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    execlp("rm", "rm", "-rf", folder, (char *)NULL);
    return 1;
}
