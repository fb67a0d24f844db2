/* verify_test.c — whatever is done to the files, a stranger finds it and names the file. */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "ledger/read_io.h"
#include "ledger/witnessed_io.h"
#include "os/file.h"
#include "vault.h"

enum { FILES_MAX = 256 };

struct list {
    char *paths[FILES_MAX]; /* below ledger/ */
    size_t count;
};

/* nftw has no context argument. */
static struct list *collecting;

static int collect(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)ftw;
    bool covered = strncmp(path, "ledger/journal", 14) != 0;
    if (flag == FTW_F && covered) {
        assert_true(collecting->count < FILES_MAX);
        collecting->paths[collecting->count++] = strdup(path + strlen("ledger/"));
    }
    return 0;
}

/* A ledger that has one of everything: full and partial tiles on two levels, three kinds of
 * trees, anchors, an access segment. */
static int enter(void **state) {
    struct vault *vault = test_calloc(1, sizeof *vault);
    vault_new(vault);
    vault_open(vault);
    vault_add(vault, vault_public, 300);
    vault_add(vault, vault_operator, 5);
    vault_add(vault, vault_tenant(1), 600);
    vault_publish(vault);
    assert_int_equal(vault_anchor(vault), 2);
    vault_add(vault, vault_tenant(1), 3);
    vault_add(vault, vault_tenant(2), 1);
    vault_access(vault, 1700000000000);
    vault_publish(vault);
    assert_int_equal(vault_anchor(vault), 3);
    vault_add(vault, vault_public, 4);
    vault_publish(vault);
    vault_close(vault);
    *state = vault;
    return 0;
}

static int leave(void **state) {
    vault_remove(*state);
    test_free(*state);
    return 0;
}

static struct list list_files(size_t least) {
    struct list list = {.count = 0};
    collecting = &list;
    assert_int_equal(nftw("ledger", collect, 16, FTW_PHYS), 0);
    collecting = NULL;
    assert_true(list.count > least);
    return list;
}

static void free_list(struct list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->paths[i]);
    }
}

static void assert_good(void) {
    struct rp_verify_report report;
    rp_err err = rp_verify_folder("ledger", NULL, NULL, &report);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", report.bad_file, report.problem);
    }
}

/* `what` was done to `file`: it must be found, and this file named. */
static void assert_found(const char *what, const char *file, uint64_t at) {
    struct rp_verify_report report;
    rp_err err = rp_verify_folder("ledger", NULL, NULL, &report);
    if (!rp_is(err, RP_E_CORRUPT)) {
        fail_msg("%s of %s at %llu was not found (%s)", what, file, (unsigned long long)at,
                 rp_err_name(err));
    }
    if (strcmp(report.bad_file, file) != 0) {
        fail_msg("%s of %s at %llu: named %s (%s)", what, file, (unsigned long long)at,
                 report.bad_file, report.problem);
    }
    assert_true(report.problem[0] != '\0');
}

static void flip(const char *file, off_t at, uint8_t bits) {
    char path[512];
    uint8_t byte;
    snprintf(path, sizeof path, "ledger/%s", file);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= bits;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static uint64_t size_of(const char *file) {
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "ledger/%s", file);
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

static bool is_key(const char *file) {
    return strcmp(file, "key") == 0; /* the ledger's secret: no checkpoint covers it */
}

static void test_any_flipped_byte(void **state) {
    (void)state;
    assert_good();
    struct list list = list_files(25);
    unsigned flips = 0;
    for (size_t i = 0; i < list.count; i++) {
        const char *file = list.paths[i];
        uint64_t n = size_of(file), step = n > 40 ? n / 13 : 3;
        for (uint64_t at = 0; at < n && !is_key(file); at += step) {
            flip(file, (off_t)at, (uint8_t)(1 << at % 8));
            assert_found("flip", file, at);
            flip(file, (off_t)at, (uint8_t)(1 << at % 8));
            flips++;
        }
        if (!is_key(file)) {
            flip(file, (off_t)n - 1, 1);
            assert_found("flip", file, n - 1);
            flip(file, (off_t)n - 1, 1);
        }
    }
    assert_true(flips > 300);
    free_list(&list);
    assert_good();
}

/* The same kinds of file, each a few lines long: here no byte is left out, whatever becomes of it.
 */
static int enter_small(void **state) {
    struct vault *vault = test_calloc(1, sizeof *vault);
    vault_new(vault);
    vault_open(vault);
    vault_add(vault, vault_public, 2);
    vault_add(vault, vault_tenant(1), 3);
    vault_access(vault, 1700000000000);
    vault_publish(vault);
    assert_int_equal(vault_anchor(vault), 2);
    vault_close(vault);
    *state = vault;
    return 0;
}

static void test_every_byte_of_a_small_log(void **state) {
    (void)state;
    static const uint8_t changes[] = {0x01, 0x20, 0xff};
    assert_good();
    struct list list = list_files(15);
    uint64_t bytes = 0;
    for (size_t i = 0; i < list.count; i++) {
        const char *file = list.paths[i];
        for (uint64_t at = 0, n = is_key(file) ? 0 : size_of(file); at < n; at++, bytes++) {
            for (size_t k = 0; k < RP_COUNT_OF(changes); k++) {
                flip(file, (off_t)at, changes[k]);
                assert_found("flip", file, at);
                flip(file, (off_t)at, changes[k]);
            }
        }
    }
    assert_true(bytes > 2000);
    free_list(&list);
    assert_good();
}

static void test_any_truncation_and_extension(void **state) {
    (void)state;
    struct list list = list_files(25);
    for (size_t i = 0; i < list.count; i++) {
        char path[512];
        size_t n;
        if (is_key(list.paths[i])) {
            continue;
        }
        snprintf(path, sizeof path, "ledger/%s", list.paths[i]);
        uint8_t *bytes = unit_file(path, &n);
        const size_t lengths[] = {0, 1, n / 2, n - 1};
        for (size_t k = 0; k < 4 && n > 1; k++) {
            assert_int_equal(truncate(path, (off_t)lengths[k]), 0);
            assert_found("truncation", list.paths[i], lengths[k]);
            assert_ok(rp_file_replace(path, 0644, rp_view_of(bytes, n)));
        }
        bytes[n] = '\n'; /* unit_file leaves room for one more */
        assert_ok(rp_file_replace(path, 0644, rp_view_of(bytes, n + 1)));
        assert_found("extension", list.paths[i], n);
        assert_ok(rp_file_replace(path, 0644, rp_view_of(bytes, n)));
        test_free(bytes);
    }
    free_list(&list);
    assert_good();
}

static void test_any_deletion(void **state) {
    (void)state;
    struct list list = list_files(25);
    unsigned deleted = 0;
    for (size_t i = 0; i < list.count; i++) {
        char path[512];
        size_t n;
        const char *file = list.paths[i];
        snprintf(path, sizeof path, "ledger/%s", file);
        struct rp_verify_report report;
        uint8_t *bytes = unit_file(path, &n);
        assert_int_equal(unlink(path), 0);
        rp_err err = rp_verify_folder("ledger", NULL, NULL, &report);
        assert_ok(rp_file_replace(path, 0644, rp_view_of(bytes, n)));
        test_free(bytes);
        bool anchors = strstr(file, "anchors/") != NULL;
        if (rp_ok(err)) {
            if (!is_key(file) && !strstr(file, ".p/")) {
                fail_msg("deletion of %s was not found", file);
            }
            continue;
        }
        assert_string_equal(report.bad_file, anchors ? "*/anchors" : file);
        deleted++;
    }
    assert_true(deleted >= 20);
    free_list(&list);
    assert_good();
}

static void test_what_nobody_knows(void **state) {
    (void)state;
    static const char *const strangers[] = {
        "stranger",       "public/stranger",    "public/tile/0/stranger", "public/tile/0/0",
        "access/1.jsonl", "operator/anchors/x", "public/tile/9/000",      "operator/tile/x001/000"};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "ledger/%s", strangers[i]);
        char *slash = strrchr(path, '/');
        *slash = '\0';
        assert_ok(rp_folder_make(path, 0755));
        *slash = '/';
        assert_ok(rp_file_replace(path, 0644, RP_VIEW("x")));
        assert_found("presence", strangers[i], 0);
        assert_int_equal(unlink(path), 0);
    }
}

static void swap_files(const char *a, const char *b) {
    assert_int_equal(rename(a, "swap"), 0);
    assert_int_equal(rename(b, a), 0);
    assert_int_equal(rename("swap", b), 0);
}

/* Two tenants' trees exchanged: everything in each fits, but not under its name. */
static void test_swapped_trees(void **state) {
    (void)state;
    struct rp_verify_report report;
    swap_files("ledger/01010101010101010101010101010101",
               "ledger/02020202020202020202020202020202");
    assert_err(rp_verify_folder("ledger", NULL, NULL, &report), CORRUPT);
    assert_non_null(strstr(report.problem, "key of another tree"));
    swap_files("ledger/01010101010101010101010101010101",
               "ledger/02020202020202020202020202020202");
    assert_good();
}

/* An older state of one tree, whole and well signed: its anchor tells. */
static void test_older_tree_put_back(void **state) {
    struct vault *vault = *state;
    struct rp_verify_report report;
    size_t n;
    static const char checkpoint[] = "ledger/02020202020202020202020202020202/checkpoint";
    static const char partial[] = "ledger/02020202020202020202020202020202/tile/0/000.p/3";
    static const char entries[] = "ledger/02020202020202020202020202020202/tile/entries/000.p/3";
    uint8_t *old = unit_file(checkpoint, &n);
    vault_open(vault);
    vault_add(vault, vault_tenant(2), 2);
    vault_publish(vault);
    assert_true(vault_anchor(vault) >= 1);
    vault_close(vault);
    assert_good();
    assert_ok(rp_file_replace(checkpoint, 0640, rp_view_of(old, n)));
    assert_int_equal(unlink(partial), 0);
    assert_int_equal(unlink(entries), 0);
    assert_err(rp_verify_folder("ledger", NULL, NULL, &report), CORRUPT);
    assert_string_equal(report.bad_file, checkpoint + strlen("ledger/"));
    assert_non_null(strstr(report.problem, "rolled back"));
    test_free(old);
}

static void test_one_tree_alone(void **state) {
    (void)state;
    struct rp_verify_report report;
    assert_ok(rp_verify_folder("ledger/public", NULL, NULL, &report));
    assert_int_equal(report.trees, 1);
    assert_int_equal(report.entries, 306);
    flip("public/tile/entries/000", 9, 4);
    assert_err(rp_verify_folder("ledger/public", NULL, NULL, &report), CORRUPT);
    assert_string_equal(report.bad_file, "tile/entries/000");
    assert_true(report.bad_offset < 10);
    assert_err(rp_verify_folder("nowhere", NULL, NULL, &report), NOT_FOUND);
}

/* The head that stands there with a witness's line under it, in buf. */
static void cosigned_head(const struct rp_log *log, const struct rp_log_key *witness,
                          struct rp_buf *buf) {
    struct rp_arena *arena = rp_arena_new(1 << 16);
    struct rp_tlog_note note;
    rp_buf_clear(buf);
    rp_buf_add(buf, rp_log_note(log));
    assert_ok(rp_tlog_note_parse(rp_log_note(log), arena, &note));
    assert_ok(rp_cosign(witness, RP_VIEW("w.example/w"), note.text, 1700000000, buf));
    rp_arena_free(arena);
}

/* What others cosigned is a beginning of this log, and never gives way to something older. */
static void test_a_cosigned_head(void **state) {
    struct vault *vault = *state;
    struct rp_verify_report report;
    struct rp_log *log = NULL;
    struct rp_log_key witness;
    struct rp_buf old = rp_buf_new(RP_WITNESSED_MAX), new = rp_buf_new(RP_WITNESSED_MAX);
    assert_ok(rp_ed25519_new(&vault->env, &witness.secret));
    assert_ok(rp_ed25519_public(witness.secret, witness.public_key));
    assert_ok(rp_log_open("ledger/public", (rp_view){NULL, 0}, &log, NULL));
    cosigned_head(log, &witness, &old);
    assert_err(rp_witnessed_keep("ledger/public", rp_log_vkey(log), rp_log_note(log)), INVALID);
    assert_ok(rp_witnessed_keep("ledger/public", rp_log_vkey(log), rp_buf_view(&old)));
    assert_good();
    vault_open(vault);
    vault_add(vault, vault_public, 3);
    vault_publish(vault);
    vault_close(vault);
    assert_good(); /* the log went on behind it */
    assert_ok(rp_log_refresh(log, NULL));
    cosigned_head(log, &witness, &new);
    assert_ok(rp_witnessed_keep("ledger/public", rp_log_vkey(log), rp_buf_view(&new)));
    assert_err(rp_witnessed_keep("ledger/public", rp_log_vkey(log), rp_buf_view(&old)), INVALID);
    struct rp_tlog_vkey other = rp_vkey_of(RP_VKEY_LOG, rp_log_vkey(log)->name, witness.public_key);
    assert_err(rp_witnessed_keep("ledger/public", &other, rp_buf_view(&new)), INVALID);
    assert_good();
    /* Of a log that was put back, or is another: named, and why. */
    flip("public/witnessed", 30, 1);
    assert_err(rp_verify_folder("ledger", NULL, NULL, &report), CORRUPT);
    assert_string_equal(report.bad_file, "public/witnessed");
    assert_string_equal(report.problem, "not signed by this log's key");
    rp_buf_done(&old);
    rp_buf_done(&new);
    rp_secret_free(witness.secret);
    rp_log_free(log);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_byte_of_a_small_log, enter_small, leave),
        TEST(test_any_flipped_byte),
        TEST(test_any_truncation_and_extension),
        TEST(test_any_deletion),
        TEST(test_what_nobody_knows),
        TEST(test_swapped_trees),
        TEST(test_older_tree_put_back),
        TEST(test_one_tree_alone),
        TEST(test_a_cosigned_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
