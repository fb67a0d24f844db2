/* engine_test.c — events taken in, trees grown from the journal, and what a bad day leaves. */
#include "ledger/read_io.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/file.h"
#include "vault.h"

static const rp_id stream = {{1, 2, 3}};

static int enter(void **state) {
    struct vault *vault = test_calloc(1, sizeof *vault);
    vault_new(vault);
    vault_open(vault);
    *state = vault;
    return 0;
}

static int leave(void **state) {
    struct vault *vault = *state;
    vault_close(vault);
    vault_remove(vault);
    test_free(vault);
    return 0;
}

static void reopen(struct vault *vault) {
    vault_close(vault);
    vault_open(vault);
}

static uint64_t log_size(const char *folder) {
    struct rp_log *log;
    struct rp_diag diag = {0};
    rp_err err = rp_log_open(folder, (rp_view){NULL, 0}, &log, &diag);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", rp_err_name(err), diag.text);
    }
    uint64_t size = rp_log_size(log);
    rp_log_free(log);
    return size;
}

static void test_sequences(void **state) {
    struct vault *vault = *state;
    struct rp_tree tree = vault_tenant(7);
    uint64_t next;
    assert_err(vault_stage(vault, tree, stream, 2, 50, &next), PROTOCOL);
    assert_ok(vault_stage(vault, tree, stream, 1, 50, &next));
    assert_int_equal(next, 1);
    /* The same again before it is durable, and after: no second leaf, and the same answer. */
    assert_ok(vault_stage(vault, tree, stream, 1, 50, &next));
    assert_int_equal(next, 1);
    assert_ok(rp_engine_commit(vault->engine));
    assert_ok(vault_stage(vault, tree, stream, 1, 50, &next));
    assert_int_equal(next, 1);
    assert_ok(vault_stage(vault, tree, stream, 2, 50, &next));
    assert_int_equal(next, 2);
    assert_err(vault_stage(vault, tree, stream, 4, 50, &next), PROTOCOL);
    assert_ok(rp_engine_commit(vault->engine));
    reopen(vault);
    assert_int_equal(rp_engine_size(vault->engine, tree), 2);
    assert_err(vault_stage(vault, tree, stream, 4, 50, &next), PROTOCOL);
    assert_ok(vault_stage(vault, tree, stream, 3, 50, &next));
    assert_int_equal(next, 3);
}

/* A batch that overlaps what is known: only its new end becomes leaves. */
static void test_overlapping_batch(void **state) {
    struct vault *vault = *state;
    struct rp_append append = {.tree = vault_tenant(1), .stream = stream, .first_sequence = 1};
    uint64_t next;
    append.count = 3;
    for (size_t i = 0; i < 5; i++) {
        append.events[i] = RP_VIEW("{\"a\":1}");
    }
    assert_ok(rp_engine_stage(vault->engine, &append, 1, &next));
    assert_ok(rp_engine_commit(vault->engine));
    append.first_sequence = 2;
    append.count = 4;
    assert_ok(rp_engine_stage(vault->engine, &append, 1, &next));
    assert_ok(rp_engine_commit(vault->engine));
    assert_int_equal(next, 5);
    vault_publish(vault);
    assert_int_equal(log_size("ledger/01010101010101010101010101010101"), 5);
}

static rp_err stage_texts(struct vault *vault, uint64_t first, const char *const *texts, size_t n) {
    struct rp_append append = {
        .tree = vault_tenant(1), .stream = stream, .first_sequence = first, .count = n};
    uint64_t next;
    for (size_t i = 0; i < n; i++) {
        append.events[i] = rp_view_from_cstr(texts[i]);
    }
    return rp_engine_stage(vault->engine, &append, 1, &next);
}

/* A database put back to an earlier state gives old numbers to new events: they are not taken for
 * those that are stored, before and after a restart, with and without the saved state. */
static void test_other_events_under_known_numbers(void **state) {
    struct vault *vault = *state;
    static const char *const sent[] = {"{\"a\":1}", "{\"a\":2}", "{\"a\":3}"};
    static const char *const other[] = {"{\"b\":2}", "{\"b\":3}", "{\"b\":4}"};
    assert_ok(stage_texts(vault, 1, sent, 3));
    assert_err(stage_texts(vault, 2, other, 2), CONFLICT); /* not yet durable */
    assert_ok(rp_engine_commit(vault->engine));
    for (unsigned round = 0; round < 3; round++) {
        assert_err(stage_texts(vault, 3, other, 1), CONFLICT);
        assert_err(stage_texts(vault, 2, other, 3), CONFLICT);
        assert_err(stage_texts(vault, 1, other, 2), CONFLICT); /* all old, and ends too early */
        assert_ok(stage_texts(vault, 2, sent + 1, 2));
        assert_ok(rp_engine_commit(vault->engine));
        if (round == 1) {
            vault_publish(vault);
            assert_ok(rp_engine_save(vault->engine, rp_engine_end(vault->engine)));
        }
        reopen(vault);
    }
    assert_ok(stage_texts(vault, 4, other, 1));
    reopen(vault); /* given up before it was durable */
    assert_ok(stage_texts(vault, 3, sent + 2, 1));
    assert_ok(rp_engine_commit(vault->engine));
}

static void test_same_trees_after_any_restart(void **state) {
    struct vault *vault = *state;
    struct rp_tree trees[] = {vault_public, vault_operator, vault_tenant(1), vault_tenant(2)};
    uint64_t want[4] = {0};
    for (unsigned round = 0; round < 12; round++) {
        for (unsigned t = 0; t < 4; t++) {
            unsigned n = (round * 37 + t * 91) % 300;
            vault_add(vault, trees[t], n);
            want[t] += n;
        }
        if (round % 3 == 0) {
            vault_derive(vault); /* and forgotten: nothing was published */
        }
        if (round % 4 == 1) {
            vault_publish(vault);
        }
        reopen(vault);
    }
    vault_publish(vault);
    for (unsigned t = 0; t < 4; t++) {
        char name[40], folder[64];
        rp_tree_folder(trees[t], name);
        snprintf(folder, sizeof folder, "ledger/%s", name);
        assert_int_equal(log_size(folder), want[t]);
    }
    struct rp_verify_report report;
    assert_ok(rp_verify_folder("ledger", NULL, NULL, &report));
    assert_int_equal(report.entries, want[0] + want[1] + want[2] + want[3]);
}

static void test_entries_and_proofs_by_a_stranger(void **state) {
    struct vault *vault = *state;
    vault_add(vault, vault_public, 600);
    vault_publish(vault);
    struct rp_log *log;
    size_t n;
    assert_ok(rp_log_open("ledger/public", (rp_view){NULL, 0}, &log, NULL));
    uint8_t *vkey = unit_file("ledger/public/vkey", &n);
    rp_view key = rp_view_of(vkey, n - 1);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    for (uint64_t i = 0; i < 600; i += 7) {
        struct rp_buf proof = rp_buf_new(1 << 16);
        rp_view entry;
        rp_arena_reset(arena);
        assert_ok(rp_log_entry(log, i, arena, &entry));
        assert_ok(rp_log_proof(log, i, &proof));
        assert_ok(rp_verify_proof(rp_buf_view(&proof), entry, key, NULL));
        assert_ok(rp_verify_proof(rp_buf_view(&proof), (rp_view){NULL, 0}, key, NULL));
        assert_false(
            rp_ok(rp_verify_proof(rp_buf_view(&proof), rp_view_from(entry, 1), key, NULL)));
        proof.p[proof.n / 2] ^= 1;
        assert_false(rp_ok(rp_verify_proof(rp_buf_view(&proof), entry, key, NULL)));
        rp_buf_done(&proof);
    }
    struct rp_buf proof = rp_buf_new(1 << 16);
    rp_view entry;
    assert_err(rp_log_entry(log, 600, arena, &entry), NOT_FOUND);
    assert_err(rp_log_proof(log, 600, &proof), NOT_FOUND);
    vault_add(vault, vault_public, 300);
    vault_publish(vault);
    assert_ok(rp_log_entry(log, 599, arena, &entry)); /* its partial tile has gone meanwhile */
    assert_ok(rp_log_refresh(log, NULL));
    assert_int_equal(rp_log_size(log), 900);
    rp_buf_done(&proof);
    rp_arena_free(arena);
    rp_log_free(log);
    test_free(vkey);
}

static void copy_file(const char *from, const char *to) {
    size_t n;
    uint8_t *bytes = unit_file(from, &n);
    assert_ok(rp_file_replace(to, 0644, rp_view_of(bytes, n)));
    test_free(bytes);
}

static void test_rollback_is_seen(void **state) {
    struct vault *vault = *state;
    vault_add(vault, vault_public, 10);
    vault_publish(vault);
    copy_file("ledger/public/checkpoint", "old");
    vault_add(vault, vault_public, 10);
    vault_publish(vault);
    struct rp_log *log;
    struct rp_diag diag = {0};
    struct rp_verify_report report;
    assert_ok(rp_log_open("ledger/public", (rp_view){NULL, 0}, &log, NULL));
    copy_file("old", "ledger/public/checkpoint");
    assert_err(rp_log_refresh(log, &diag), CORRUPT);
    assert_non_null(strstr(diag.text, "rolled back"));
    assert_int_equal(rp_log_size(log), 20);
    rp_log_free(log);
    assert_err(rp_verify_folder("ledger", NULL, NULL, &report), CORRUPT);
}

/* ---- the journal on bad days ---- */

static void flip(const char *path, off_t at) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static const char *const first_segment = "ledger/journal/0000000000000000.log";

static void test_torn_end_is_cut_and_told(void **state) {
    struct vault *vault = *state;
    vault_add(vault, vault_operator, 5);
    uint64_t good = rp_engine_end(vault->engine).offset;
    vault_add(vault, vault_operator, 1);
    /* Cut at every length of the last record; each time it is written again afterwards. */
    for (uint64_t left = 0; left < 110; left++) {
        uint64_t end = rp_engine_end(vault->engine).offset;
        assert_true(good + left < end);
        vault_close(vault);
        assert_int_equal(truncate(first_segment, (off_t)(good + left)), 0);
        vault_open(vault);
        assert_int_equal(vault->start.cut_bytes, left);
        assert_int_equal(rp_engine_size(vault->engine, vault_operator), 5);
        vault_add(vault, vault_operator, 1);
    }
}

static void test_altered_middle_refuses_and_names_it(void **state) {
    struct vault *vault = *state;
    vault_add(vault, vault_operator, 3);
    uint64_t second = rp_engine_end(vault->engine).offset;
    vault_add(vault, vault_operator, 3);
    vault_add(vault, vault_operator, 3);
    vault_close(vault);
    for (uint64_t at = RP_JOURNAL_HEAD; at < second; at += 23) {
        struct rp_diag diag = {0};
        flip(first_segment, (off_t)at);
        assert_err(vault_try_open(vault, &diag), CORRUPT);
        assert_non_null(strstr(diag.text, "0000000000000000.log: altered at byte"));
        flip(first_segment, (off_t)at);
    }
    vault_open(vault);
    assert_int_equal(vault->start.cut_bytes, 0);
    assert_int_equal(rp_engine_size(vault->engine, vault_operator), 9);
}

static void test_segments_rotate_and_go(void **state) {
    struct vault *vault = *state;
    vault_close(vault);
    vault->segment_bytes = 4096;
    vault_open(vault);
    for (unsigned i = 0; i < 20; i++) {
        vault_add(vault, vault_tenant(1), 20);
    }
    assert_true(rp_engine_end(vault->engine).segment > 0);
    reopen(vault);
    assert_int_equal(rp_engine_size(vault->engine, vault_tenant(1)), 400);
    vault_publish(vault);
    struct rp_journal_place place = rp_forest_place(vault->forest);
    assert_ok(rp_engine_save(vault->engine, place));
    assert_false(rp_file_exists(first_segment));
    uint64_t next;
    assert_ok(vault_stage(vault, vault_operator, stream, 1, 60, &next));
    assert_ok(rp_engine_commit(vault->engine));
    reopen(vault);
    assert_int_equal(rp_engine_size(vault->engine, vault_tenant(1)), 400);
    vault_add(vault, vault_tenant(1), 1);
    vault_publish(vault);
    assert_ok(vault_stage(vault, vault_operator, stream, 1, 60, &next));
    assert_int_equal(next, 1);
    struct rp_verify_report report;
    assert_ok(rp_verify_folder("ledger", NULL, NULL, &report));
    assert_int_equal(report.entries, 402);
}

static void test_missing_parts_refuse(void **state) {
    struct vault *vault = *state;
    struct rp_diag diag = {0};
    vault_close(vault);
    vault->segment_bytes = 2048;
    vault_open(vault);
    vault_add(vault, vault_operator, 200);
    vault_publish(vault);
    vault_add(vault, vault_operator, 10);
    vault_close(vault);
    assert_int_equal(rename(first_segment, "kept"), 0);
    assert_err(vault_try_open(vault, &diag), CORRUPT);
    assert_int_equal(rename("kept", first_segment), 0);
    vault_open(vault);
    assert_ok(rp_engine_save(vault->engine, rp_forest_place(vault->forest)));
    vault_close(vault);
    flip("ledger/journal/state", 60);
    assert_err(vault_try_open(vault, &diag), CORRUPT);
    assert_non_null(strstr(diag.text, "journal/state"));
    flip("ledger/journal/state", 60);
    vault_open(vault);
}

/* ---- a disk that fails ---- */

struct bad_disk {
    struct rp_disk real;
    unsigned calls, fail_at;
    rp_err with;
    bool half; /* an append writes half of its bytes before it fails */
};

static bool fails(struct bad_disk *bad) {
    return ++bad->calls >= bad->fail_at && bad->fail_at > 0;
}

static rp_err bad_append(void *ctx, int fd, rp_view bytes) {
    struct bad_disk *bad = ctx;
    if (fails(bad)) {
        if (bad->half) {
            RP_TRY(bad->real.append(NULL, fd, rp_view_sub(bytes, 0, bytes.n / 2)));
        }
        return bad->with;
    }
    return bad->real.append(NULL, fd, bytes);
}

static rp_err bad_sync(void *ctx, int fd) {
    struct bad_disk *bad = ctx;
    return bad->real.sync(NULL, fd);
}

static rp_err bad_put(void *ctx, const char *temporary, const char *path, mode_t mode,
                      rp_view bytes) {
    struct bad_disk *bad = ctx;
    return fails(bad) ? bad->with : bad->real.put(NULL, temporary, path, mode, bytes);
}

static rp_err bad_rename(void *ctx, const char *from, const char *to) {
    struct bad_disk *bad = ctx;
    return fails(bad) ? bad->with : bad->real.rename(NULL, from, to);
}

static rp_err bad_sync_all(void *ctx, const char *folder) {
    struct bad_disk *bad = ctx;
    return fails(bad) ? bad->with : bad->real.sync_all(NULL, folder);
}

static struct rp_disk disk_of(struct bad_disk *bad) {
    bad->real = rp_disk_real();
    return (struct rp_disk){bad, bad_append, bad_sync, bad_put, bad_rename, bad_sync_all};
}

/* No space in the middle of a write: the journal is as it was, the sequence can be sent again. */
static void test_no_space_leaves_no_half_record(void **state) {
    struct vault *vault = *state;
    struct bad_disk bad = {.with = RP_ERR(NO_SPACE), .half = true};
    uint64_t next;
    vault_close(vault);
    vault->disk = disk_of(&bad);
    vault_open(vault);
    assert_ok(vault_stage(vault, vault_tenant(3), stream, 1, 500, &next));
    assert_ok(rp_engine_commit(vault->engine));
    struct rp_journal_place before = rp_engine_end(vault->engine);
    bad.fail_at = bad.calls + 1;
    assert_ok(vault_stage(vault, vault_tenant(3), stream, 2, 500, &next));
    assert_ok(vault_stage(vault, vault_operator, (rp_id){{0}}, 0, 500, &next));
    assert_err(rp_engine_commit(vault->engine), NO_SPACE);
    assert_int_equal(rp_engine_end(vault->engine).offset, before.offset);
    assert_int_equal(rp_engine_size(vault->engine, vault_tenant(3)), 1);
    assert_int_equal(rp_engine_size(vault->engine, vault_operator), 0);
    bad.fail_at = 0;
    reopen(vault);
    assert_int_equal(vault->start.cut_bytes, 0);
    assert_ok(vault_stage(vault, vault_tenant(3), stream, 2, 500, &next));
    assert_ok(rp_engine_commit(vault->engine));
    assert_int_equal(next, 2);
}

/* Every single write of publishing and anchoring fails once; then it is done again. */
static void test_each_tile_write_may_fail(void **state) {
    struct vault *vault = *state;
    struct bad_disk bad = {.with = RP_ERR(NO_SPACE)};
    vault_close(vault);
    vault->disk = disk_of(&bad);
    vault_open(vault);
    unsigned failures = 0, rounds = 0;
    for (unsigned nth = 1; nth < 40; nth++) {
        bad.fail_at = 0;
        vault_add(vault, vault_public, 300);
        vault_add(vault, vault_tenant(1), 3);
        bad.calls = 0;
        bad.fail_at = nth;
        rp_err err = rp_forest_derive(vault->forest, rp_engine_end(vault->engine), NULL);
        if (rp_ok(err)) {
            err = rp_forest_publish(vault->forest, RP_FOREST_ALL, NULL);
        }
        failures += rp_ok(err) ? 0 : 1;
        bad.fail_at = 0;
        if (nth % 3 == 0) {
            reopen(vault);
        }
        vault_publish(vault);
        rounds++;
        if (nth % 5 == 0) {
            assert_true(vault_anchor(vault) >= 1);
        }
    }
    assert_true(failures > 8 && rounds == 39);
    struct rp_verify_report report;
    rp_err err = rp_verify_folder("ledger", NULL, NULL, &report);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", report.bad_file, report.problem);
    }
    assert_int_equal(report.entries, 39 * 303 + 7);
}

/* More trees than are kept in memory at once. */
static void test_many_trees(void **state) {
    struct vault *vault = *state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 1; i <= 200; i++) {
            uint64_t next;
            assert_ok(vault_stage(vault, vault_tenant((uint8_t)i), (rp_id){{0}}, 0, 60, &next));
        }
        assert_ok(rp_engine_commit(vault->engine));
        vault_derive(vault);
    }
    vault_publish(vault);
    assert_int_equal(vault_anchor(vault), 200);
    assert_int_equal(vault_anchor(vault), 0);
    vault_add(vault, vault_tenant(9), 1);
    assert_int_equal(vault_anchor(vault), 1);
    struct rp_verify_report report;
    rp_err err = rp_verify_folder("ledger", NULL, NULL, &report);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", report.bad_file, report.problem);
    }
    assert_int_equal(report.trees, 202);
    assert_int_equal(report.entries, 603);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_sequences),
        TEST(test_overlapping_batch),
        TEST(test_other_events_under_known_numbers),
        TEST(test_same_trees_after_any_restart),
        TEST(test_entries_and_proofs_by_a_stranger),
        TEST(test_rollback_is_seen),
        TEST(test_torn_end_is_cut_and_told),
        TEST(test_altered_middle_refuses_and_names_it),
        TEST(test_segments_rotate_and_go),
        TEST(test_missing_parts_refuse),
        TEST(test_no_space_leaves_no_half_record),
        TEST(test_each_tile_write_may_fail),
        TEST(test_many_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
