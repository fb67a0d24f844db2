/* ledger_torture.c SECONDS [SEED] — kills and power cuts, one after the other, on a real ledger.
 *
 * A child works on a ledger until it ends at a chosen write, which may be torn. For a power cut
 * the parent then takes away what was written and not yet made durable: the end of the journal is
 * cut or garbled, and new files are gone, empty, cut short, or their former selves. What the child
 * was told "stored" must be there, in order, and the whole log must verify; then it goes on.
 *
 * Each round is drawn from its seed alone: what fails is printed with the two numbers that bring it
 * back. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "ledger/read_io.h"
#include "os/file.h"
#include "vault.h"

enum { PATH_SIZE = 160, FILES_MAX = 8, PUTS_MAX = 4096, ROUNDS_A_LEDGER = 24, KILLED = 137 };

/* What the child leaves for the parent to know. */
struct shared {
    uint64_t stored;      /* in the tenant's numbered stream */
    uint64_t public_size; /* of the published public tree */
    uint64_t writes, end_at;
    bool torn;
    struct {
        char path[PATH_SIZE];
        int64_t durable; /* bytes of it */
    } files[FILES_MAX];  /* that were appended to */
    struct {
        char path[PATH_SIZE];
        bool replaced;     /* its former self lies in former/N */
        bool only_renamed; /* its bytes were durable under another name */
    } puts[PUTS_MAX];      /* since all was made durable last */
    unsigned put_count;
};

static const rp_id stream = {{5, 5}};
static struct shared *shared;
static uint64_t chance_state;

static uint64_t chance(uint64_t below) { /* xorshift64* */
    chance_state ^= chance_state >> 12;
    chance_state ^= chance_state << 25;
    chance_state ^= chance_state >> 27;
    return (chance_state * 2685821657736338717u >> 11) % below;
}

/* ---- the disk that the child works on ---- */

static int64_t size_of(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static void name_of(int fd, char path[static PATH_SIZE]) {
    char link[64], full[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, full, sizeof full - 1);
    assert_true(n > 0);
    full[n] = '\0';
    const char *relative = strstr(full, "ledger/");
    assert_non_null(relative);
    snprintf(path, PATH_SIZE, "%s", relative);
}

/* The file's row; one that nobody made durable yet may be lost whole. */
static size_t row_of(int fd) {
    char path[PATH_SIZE];
    name_of(fd, path);
    size_t free_row = FILES_MAX;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (strcmp(shared->files[i].path, path) == 0) {
            return i;
        }
        bool settled =
            !*shared->files[i].path || shared->files[i].durable == size_of(shared->files[i].path);
        free_row = settled ? i : free_row;
    }
    assert_true(free_row < FILES_MAX);
    memcpy(shared->files[free_row].path, path, PATH_SIZE);
    shared->files[free_row].durable = size_of(path); /* what an earlier round left is on disk */
    return free_row;
}

static bool ends_here(void) {
    return ++shared->writes == shared->end_at;
}

static rp_err torture_append(void *ctx, int fd, rp_view bytes) {
    (void)ctx;
    (void)row_of(fd);
    if (ends_here()) {
        if (shared->torn) {
            rp_ignore(rp_disk_real().append(NULL, fd, rp_view_of(bytes.p, chance(bytes.n + 1))));
        }
        _exit(KILLED);
    }
    return rp_disk_real().append(NULL, fd, bytes);
}

static rp_err torture_sync(void *ctx, int fd) {
    (void)ctx;
    size_t row = row_of(fd);
    if (ends_here()) {
        _exit(KILLED);
    }
    rp_err err = rp_disk_real().sync(NULL, fd);
    shared->files[row].durable = size_of(shared->files[row].path);
    return err;
}

static void former(unsigned n, char path[static PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "former/%u", n);
}

static bool is_durable(const char *path) {
    for (unsigned i = 0; i < shared->put_count; i++) {
        if (strcmp(shared->puts[i].path, path) == 0) {
            return false;
        }
    }
    return true;
}

static void remember(const char *path, bool only_renamed) {
    char kept[PATH_SIZE];
    assert_true(shared->put_count < PUTS_MAX);
    former(shared->put_count, kept);
    (void)unlink(kept);
    snprintf(shared->puts[shared->put_count].path, PATH_SIZE, "%s", path);
    shared->puts[shared->put_count].replaced = link(path, kept) == 0;
    shared->puts[shared->put_count].only_renamed = only_renamed;
    shared->put_count++;
}

static rp_err torture_put(void *ctx, const char *temporary, const char *path, mode_t mode,
                          rp_view bytes) {
    (void)ctx;
    if (ends_here()) {
        if (shared->torn) {
            rp_view part = rp_view_of(bytes.p, chance(bytes.n + 1));
            rp_ignore(rp_disk_real().put(NULL, temporary, temporary, mode, part));
        }
        _exit(KILLED);
    }
    remember(path, false);
    return rp_disk_real().put(NULL, temporary, path, mode, bytes);
}

static rp_err torture_rename(void *ctx, const char *from, const char *to) {
    (void)ctx;
    if (ends_here()) {
        _exit(KILLED);
    }
    remember(to, is_durable(from));
    return rp_disk_real().rename(NULL, from, to);
}

static rp_err torture_sync_all(void *ctx, const char *folder) {
    (void)ctx;
    if (ends_here()) {
        _exit(KILLED);
    }
    rp_err err = rp_disk_real().sync_all(NULL, folder);
    for (size_t i = 0; i < FILES_MAX; i++) {
        shared->files[i].durable = size_of(shared->files[i].path);
    }
    shared->put_count = 0;
    return err;
}

/* ---- the child ---- */

static void work(struct vault *vault) {
    vault->disk = (struct rp_disk){NULL,        torture_append, torture_sync,
                                   torture_put, torture_rename, torture_sync_all};
    vault_open(vault);
    for (unsigned round = 0; round < 1000; round++) {
        uint64_t next;
        for (unsigned i = 0, n = 1 + (unsigned)chance(9); i < n; i++) {
            assert_ok(vault_stage(vault, vault_tenant(4), stream, shared->stored + 1, 100, &next));
            assert_ok(rp_engine_commit(vault->engine));
            shared->stored++;
        }
        vault_add(vault, vault_public, 1 + (unsigned)chance(60));
        vault_publish(vault);
        shared->public_size = rp_engine_size(vault->engine, vault_public);
        if (chance(3) == 0) {
            struct rp_journal_place place = rp_forest_place(vault->forest);
            (void)vault_anchor(vault);
            assert_ok(rp_engine_save(vault->engine, place));
        }
    }
    _exit(0);
}

/* ---- the parent ---- */

static void lose_file_end(const char *path, int64_t durable) {
    int64_t size = size_of(path);
    if (size <= durable) {
        return;
    }
    if (durable == 0 && chance(4) == 0) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    int64_t kept = durable + (int64_t)chance((uint64_t)(size - durable) + 1);
    assert_int_equal(truncate(path, kept), 0);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (int64_t at = durable; chance(2) == 0 && at < kept; at += 512) { /* sectors of zeros */
        static const char zeros[512];
        size_t n = (size_t)RP_MIN((int64_t)sizeof zeros, kept - at);
        if (chance(2) == 0) {
            assert_int_equal(pwrite(fd, zeros, n, at), (ssize_t)n);
        }
    }
    close(fd);
}

static void lose_put(unsigned n) {
    const char *path = shared->puts[n].path;
    char kept[PATH_SIZE];
    former(n, kept);
    switch (chance(4)) {
    case 0: /* it had reached the disk */
        break;
    case 1: /* its name had, its bytes had not */
        if (size_of(path) > 0 && !shared->puts[n].only_renamed) {
            assert_int_equal(truncate(path, (off_t)chance((uint64_t)size_of(path))), 0);
        }
        break;
    default: /* nothing had */
        (void)unlink(path);
        if (shared->puts[n].replaced) {
            assert_int_equal(link(kept, path), 0);
        }
    }
}

static void cut_power(void) {
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (*shared->files[i].path) {
            lose_file_end(shared->files[i].path, shared->files[i].durable);
        }
    }
    for (unsigned n = shared->put_count; n-- > 0;) {
        lose_put(n);
    }
}

/* What the next start finds. */
static void check(struct vault *vault) {
    uint64_t next;
    vault_open(vault);
    uint64_t size = rp_engine_size(vault->engine, vault_tenant(4));
    uint64_t public_size = rp_engine_size(vault->engine, vault_public);
    if (size < shared->stored || size > shared->stored + 1 || public_size < shared->public_size) {
        fail_msg("told %llu and %llu, found %llu and %llu", (unsigned long long)shared->stored,
                 (unsigned long long)shared->public_size, (unsigned long long)size,
                 (unsigned long long)public_size);
    }
    if (size > 0) { /* said again, taken once */
        assert_ok(vault_stage(vault, vault_tenant(4), stream, size, 100, &next));
        assert_int_equal(next, size);
    }
    assert_ok(vault_stage(vault, vault_tenant(4), stream, size + 1, 100, &next));
    assert_ok(rp_engine_commit(vault->engine));
    vault_publish(vault);
    shared->stored = size + 1;
    struct rp_verify_report report;
    if (!rp_ok(rp_verify_folder("ledger", NULL, NULL, &report))) {
        fail_msg("verify: %s: %s", report.bad_file, report.problem);
    }
    vault_close(vault);
}

static void torture_once(struct vault *vault, uint64_t seed, bool power) {
    chance_state = seed;
    *shared = (struct shared){.stored = shared->stored, .public_size = shared->public_size};
    shared->end_at = 1 + chance(400);
    shared->torn = chance(2) == 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        work(vault);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != KILLED && WEXITSTATUS(status) != 0)) {
        fail_msg("the child ended with status %d", status);
    }
    if (power) {
        cut_power();
    }
    check(vault);
    vault->counter += 100000;
}

static void a_ledger(uint64_t seed, uint64_t *ret_kills, uint64_t *ret_cuts) {
    struct vault vault;
    vault_new(&vault);
    vault.segment_bytes = 6000;
    assert_ok(rp_folder_make("former", 0700));
    *shared = (struct shared){0};
    for (unsigned round = 0; round < ROUNDS_A_LEDGER; round++) {
        bool power = (seed + round) % 2 == 0;
        fprintf(stderr, "ledger torture: seed %llu, round %u, %s\n", (unsigned long long)seed,
                round, power ? "power cut" : "kill -9");
        torture_once(&vault, (seed << 16) + round + 1, power);
        *(power ? ret_cuts : ret_kills) += 1;
    }
    vault_remove(&vault);
}

int main(int argc, char **argv) {
    uint64_t seconds = 2, seed = (uint64_t)time(NULL);
    if (argc < 2 || !rp_view_to_u64(rp_view_from_cstr(argv[1]), 86400, &seconds) ||
        (argc > 2 && !rp_view_to_u64(rp_view_from_cstr(argv[2]), UINT32_MAX, &seed))) {
        fprintf(stderr, "usage: ledger_torture SECONDS [SEED]\n");
        return 2;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    uint64_t kills = 0, cuts = 0, ledgers = 0;
    for (time_t end = time(NULL) + (time_t)seconds; time(NULL) < end; seed++, ledgers++) {
        a_ledger(seed, &kills, &cuts);
    }
    printf("ok - ledger: %llu kills and %llu power cuts on %llu ledgers, nothing told was lost\n",
           (unsigned long long)kills, (unsigned long long)cuts, (unsigned long long)ledgers);
    return 0;
}
