/* copy_test.c — a whole log sent to a vault: what the vault holds is what rp_verify_folder accepts,
 * and nothing of it can be taken back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/access_io.h"
#include "ledger/anchor.h"
#include "ledger/proven.h"
#include "ledger/read_io.h"
#include "ledger/tiles.h"
#include "ledger/vault_send_io.h"
#include "os/batch.h"
#include "os/file.h"
#include "vault.h"

enum { NAME_MAX_BYTES = 512 };

struct copy {
    struct vault log; /* of the data machine */
    struct rp_disk disk;
    int writes_left; /* until one fails; <0: none does */
    struct rp_vault *vault;
    struct rp_vault_sending *sending;
    struct rp_diag said;
};

/* ---- a disk whose n-th write fails ---- */

static bool fails(struct copy *copy) {
    return copy->writes_left >= 0 && copy->writes_left-- == 0;
}

static rp_err failing_append(void *ctx, int fd, rp_view bytes) {
    struct rp_disk real = rp_disk_real();
    if (fails(ctx)) { /* after half of it, as a full disk does */
        rp_ignore(real.append(NULL, fd, rp_view_sub(bytes, 0, bytes.n / 2)));
        return RP_ERR(NO_SPACE);
    }
    return real.append(NULL, fd, bytes);
}

static rp_err failing_sync(void *ctx, int fd) {
    return fails(ctx) ? RP_ERR(IO) : rp_disk_real().sync(NULL, fd);
}

static rp_err failing_put(void *ctx, const char *temporary, const char *path, mode_t mode,
                          rp_view bytes) {
    return fails(ctx) ? RP_ERR(NO_SPACE) : rp_disk_real().put(NULL, temporary, path, mode, bytes);
}

static rp_err failing_rename(void *ctx, const char *from, const char *to) {
    return fails(ctx) ? RP_ERR(IO) : rp_disk_real().rename(NULL, from, to);
}

static rp_err failing_sync_all(void *ctx, const char *folder) {
    return fails(ctx) ? RP_ERR(IO) : rp_disk_real().sync_all(NULL, folder);
}

/* ---- both machines ---- */

static rp_err door(void *ctx, enum rp_vault_message what, rp_view request, struct rp_buf *reply) {
    struct copy *copy = ctx;
    return rp_vault_answer(copy->vault, false, what, request, reply, &copy->said);
}

static rp_err try_open(struct copy *copy) {
    struct rp_buf vkey = rp_buf_new(RP_VKEY_MAX);
    rp_vkey_print(&vkey, RP_VIEW("test.example/log/public"), copy->log.home.key.public_key);
    rp_err err = rp_vault_open(&copy->log.env, &copy->disk, "vault", rp_buf_view(&vkey),
                               &copy->vault, &copy->said);
    rp_buf_done(&vkey);
    return err;
}

static void open_both(struct copy *copy) {
    vault_new(&copy->log);
    vault_open(&copy->log);
    copy->writes_left = -1;
    copy->disk = (struct rp_disk){copy,        failing_append, failing_sync,
                                  failing_put, failing_rename, failing_sync_all};
    assert_ok(try_open(copy));
    assert_ok(rp_vault_sending_new("ledger", (struct rp_vault_door){copy, door}, &copy->sending));
}

static void close_both(struct copy *copy) {
    rp_vault_sending_free(copy->sending);
    rp_vault_free(copy->vault);
    vault_close(&copy->log);
    vault_remove(&copy->log);
}

static void reopen(struct copy *copy) {
    rp_vault_free(copy->vault);
    copy->vault = NULL;
    assert_ok(try_open(copy));
}

static rp_err try_send(struct copy *copy, struct rp_vault_round *ret_round) {
    atomic_bool stop = false;
    return rp_vault_sending_round(copy->sending, &stop, ret_round, &copy->said);
}

static struct rp_vault_round send(struct copy *copy) {
    struct rp_vault_round round;
    rp_err err = try_send(copy, &round);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", rp_err_name(err), copy->said.text);
    }
    return round;
}

static void verify(const char *folder, uint64_t entries) {
    struct rp_verify_report report;
    rp_err err = rp_verify_folder(folder, NULL, NULL, &report);
    if (!rp_ok(err)) {
        fail_msg("%s: %s: %s", folder, report.bad_file, report.problem);
    }
    assert_int_equal(report.entries, entries);
}

static struct rp_vault_size size_of(struct copy *copy, struct rp_tree tree) {
    struct rp_vault_size size;
    assert_ok(rp_vault_size(copy->vault, tree, &size, NULL));
    return size;
}

/* Entries over tiles, trees of several, anchors, segments. */
static void grow(struct copy *copy, unsigned n) {
    static uint64_t time_ms;
    vault_add(&copy->log, vault_public, n);
    vault_add(&copy->log, vault_operator, n / 2 + 1);
    for (uint8_t i = 1; i < 4; i++) {
        vault_add(&copy->log, vault_tenant(i), n / i);
    }
    time_ms = time_ms ? time_ms + 60000 : (uint64_t)rp_env_now_ms(&copy->log.env) - 3600000;
    vault_access(&copy->log, time_ms);
    vault_publish(&copy->log);
    assert_true(vault_anchor(&copy->log) > 0);
}

static uint64_t entries_of_log(void) {
    struct rp_verify_report report;
    assert_ok(rp_verify_folder("ledger", NULL, NULL, &report));
    return report.entries;
}

/* ---- what is sent stands there ---- */

static void the_copy_is_what_the_verifier_accepts(void **state) {
    (void)state;
    struct copy copy = {0};
    open_both(&copy);
    for (unsigned n = 3; n < 2000; n *= 5) {
        grow(&copy, n);
        struct rp_vault_round round = send(&copy);
        assert_int_equal(round.behind, 0);
        assert_false(round.refused);
        verify("vault", entries_of_log());
    }
    assert_int_equal(rp_vault_tally(copy.vault).entries, entries_of_log());
    assert_int_equal(rp_vault_tally(copy.vault).segments, 0);
    assert_int_equal(send(&copy).trees, 0); /* nothing new: nobody is asked */
    close_both(&copy);
}

/* An anchor's record comes after the checkpoint that it is about was sent. */
static void records_that_come_later_are_sent(void **state) {
    (void)state;
    struct copy copy = {0};
    open_both(&copy);
    vault_add(&copy.log, vault_public, 5);
    vault_add(&copy.log, vault_operator, 5);
    vault_publish(&copy.log);
    (void)send(&copy);
    assert_int_equal(size_of(&copy, vault_operator).records, 0);
    assert_int_equal(vault_anchor(&copy.log), 1);
    (void)send(&copy);
    assert_int_equal(size_of(&copy, vault_operator).records, 1);
    verify("vault", 11);
    close_both(&copy);
}

static void a_restart_goes_on_behind_the_last_checkpoint(void **state) {
    (void)state;
    struct copy copy = {0};
    struct rp_buf bundle = rp_buf_new(1024);
    open_both(&copy);
    grow(&copy, 300);
    (void)send(&copy);
    uint64_t size = size_of(&copy, vault_public).entries;
    rp_bundle_add(&bundle, RP_VIEW("of no checkpoint"));
    assert_ok(rp_vault_entries(copy.vault, vault_public, size, rp_buf_view(&bundle), NULL));
    assert_int_equal(size_of(&copy, vault_public).entries, size + 1);
    assert_int_equal(size_of(&copy, vault_public).covered, size);
    reopen(&copy);
    assert_int_equal(size_of(&copy, vault_public).entries, size);
    assert_int_equal(rp_vault_tally(copy.vault).entries, entries_of_log());
    grow(&copy, 300);
    (void)send(&copy);
    verify("vault", entries_of_log());
    rp_buf_done(&bundle);
    close_both(&copy);
}

/* ---- what is refused ---- */

static void unit_rename(const char *from, const char *to) {
    assert_int_equal(rename(from, to), 0);
}

static void assert_refused(struct copy *copy, rp_err err, enum rp_code code) {
    if (!rp_is(err, code)) {
        fail_msg("expected another error than %s: %s", rp_err_name(err), copy->said.text);
    }
    assert_true(copy->said.text[0] != '\0');
}

/* As whoever holds data can: the log's files are theirs to read, its key is not. */
static rp_err offer_record(struct copy *copy, struct rp_log *public_log, uint64_t proven_index,
                           const struct rp_anchor *record) {
    struct rp_buf text = rp_buf_new(RP_ANCHOR_RECORD_MAX), proof = rp_buf_new(2 * RP_NOTE_MAX);
    struct rp_buf message = rp_buf_new(1 << 17);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_proven proven;
    rp_anchor_print(&text, record);
    assert_ok(rp_log_entry(public_log, proven_index, arena, &proven.entry));
    assert_ok(rp_log_proof(public_log, proven_index, &proof));
    proven.record = rp_buf_view(&text);
    proven.proof = rp_buf_view(&proof);
    rp_proven_pack(&message, &proven);
    rp_err err = rp_vault_records(copy->vault, vault_operator, rp_buf_view(&message), &copy->said);
    rp_arena_free(arena);
    rp_buf_done(&text);
    rp_buf_done(&proof);
    rp_buf_done(&message);
    return err;
}

/*= S113 type=test */
static void no_record_stands_in_the_way_of_the_true_one(void **state) {
    (void)state;
    struct copy copy = {0};
    struct rp_log *public_log = NULL, *operator_log = NULL;
    open_both(&copy);
    vault_add(&copy.log, vault_public, 5);
    vault_add(&copy.log, vault_operator, 5);
    vault_publish(&copy.log);
    (void)send(&copy);
    assert_int_equal(vault_anchor(&copy.log), 1);
    assert_ok(rp_log_open("ledger/public", (rp_view){NULL, 0}, &public_log, NULL));
    assert_ok(rp_log_open("ledger/operator", (rp_view){NULL, 0}, &operator_log, NULL));
    struct rp_anchor false_one = {.public_index = 3,
                                  .leaves = 1,
                                  .size = rp_log_size(operator_log),
                                  .root = *rp_log_root(operator_log)};
    uint64_t anchor = rp_log_size(public_log) - 1;
    assert_refused(&copy, offer_record(&copy, public_log, 3, &false_one), RP_E_CORRUPT);
    assert_refused(&copy, offer_record(&copy, public_log, anchor, &false_one), RP_E_CORRUPT);
    false_one.public_index = anchor; /* where an anchor stands, with a salt that is not its own */
    assert_refused(&copy, offer_record(&copy, public_log, anchor, &false_one), RP_E_CORRUPT);
    assert_int_equal(size_of(&copy, vault_operator).records, 0);
    (void)send(&copy);
    assert_int_equal(size_of(&copy, vault_operator).records, 1);
    verify("vault", 11);
    rp_log_free(public_log);
    rp_log_free(operator_log);
    close_both(&copy);
}

static void nothing_that_stands_is_replaced(void **state) {
    (void)state;
    struct copy copy = {0};
    struct rp_buf bundle = rp_buf_new(1024);
    open_both(&copy);
    grow(&copy, 300);
    (void)send(&copy);
    struct rp_vault_size size = size_of(&copy, vault_public);
    rp_bundle_add(&bundle, RP_VIEW("another"));
    rp_view one = rp_buf_view(&bundle);
    assert_refused(&copy, rp_vault_entries(copy.vault, vault_public, 0, one, &copy.said),
                   RP_E_CONFLICT);
    assert_refused(&copy,
                   rp_vault_entries(copy.vault, vault_public, size.entries - 1, one, &copy.said),
                   RP_E_CONFLICT);
    assert_refused(&copy,
                   rp_vault_entries(copy.vault, vault_public, size.entries + 1, one, &copy.said),
                   RP_E_CONFLICT);
    rp_view torn = rp_view_sub(one, 0, one.n - 1);
    assert_refused(&copy,
                   rp_vault_entries(copy.vault, vault_public, size.entries, torn, &copy.said),
                   RP_E_SYNTAX);
    /* To a stranger not even what would fit. */
    struct rp_buf request = rp_buf_new(1024), reply = rp_buf_new(64);
    const struct rp_vault_request next = {.tree = vault_public, .at = size.entries, .bytes = one};
    rp_vault_request_pack(&request, RP_VAULT_ENTRIES, &next);
    assert_refused(&copy,
                   rp_vault_answer(copy.vault, true, RP_VAULT_ENTRIES, rp_buf_view(&request),
                                   &reply, &copy.said),
                   RP_E_DENIED);
    assert_int_equal(size_of(&copy, vault_public).entries, size.entries);
    verify("vault", entries_of_log());
    rp_buf_done(&request);
    rp_buf_done(&reply);
    rp_buf_done(&bundle);
    close_both(&copy);
}

static rp_err offer_head(struct copy *copy, const struct rp_log_key *key, uint64_t size,
                         const rp_hash *root) {
    struct rp_buf note = rp_buf_new(RP_NOTE_MAX);
    assert_ok(rp_checkpoint_sign(key, RP_VIEW("test.example/log/public"), size, root, &note));
    rp_err err = rp_vault_head(copy->vault, vault_public, rp_buf_view(&note), &copy->said);
    rp_buf_done(&note);
    return err;
}

static void a_checkpoint_must_be_the_logs_and_cover_what_is_here(void **state) {
    (void)state;
    struct copy copy = {0};
    struct rp_log *log;
    struct rp_log_key other = {0};
    rp_hash root, shorter, wrong = {{7}};
    open_both(&copy);
    grow(&copy, 300);
    (void)send(&copy);
    assert_ok(rp_log_open("ledger/public", (rp_view){NULL, 0}, &log, NULL));
    uint64_t size = rp_log_size(log);
    assert_ok(rp_log_root_at(log, size, &root));
    assert_ok(rp_log_root_at(log, size - 10, &shorter));
    assert_ok(rp_ed25519_new(&copy.log.env, &other.secret));
    assert_ok(rp_ed25519_public(other.secret, other.public_key));
    const struct rp_log_key *own = &copy.log.home.key;
    assert_refused(&copy, offer_head(&copy, &other, size, &root), RP_E_BAD_SIGNATURE);
    assert_refused(&copy, offer_head(&copy, own, size - 10, &shorter), RP_E_REPLAYED);
    assert_refused(&copy, offer_head(&copy, own, size - 10, &wrong), RP_E_CORRUPT);
    assert_refused(&copy, offer_head(&copy, own, size, &wrong), RP_E_CORRUPT);
    assert_refused(&copy, offer_head(&copy, own, size + 1, &wrong), RP_E_CONFLICT);
    assert_ok(offer_head(&copy, own, size, &root)); /* the one that is kept */
    /* Another tree's checkpoint is signed by the same key, under another name. */
    struct rp_log *tenant;
    assert_ok(rp_log_open("ledger/operator", (rp_view){NULL, 0}, &tenant, NULL));
    assert_refused(&copy, rp_vault_head(copy.vault, vault_public, rp_log_note(tenant), &copy.said),
                   RP_E_BAD_SIGNATURE);
    verify("vault", entries_of_log());
    rp_log_free(tenant);
    rp_log_free(log);
    rp_secret_free(other.secret);
    close_both(&copy);
}

/* The data machine's log begins anew, under the log's own key. */
static void begin_anew(struct copy *copy) {
    vault_close(&copy->log);
    unit_rename("ledger", "gone");
    assert_ok(rp_folder_make("ledger/journal", 0700));
    vault_open(&copy->log);
}

static void a_second_history_is_refused_and_the_first_one_stays(void **state) {
    (void)state;
    struct copy copy = {0};
    open_both(&copy);
    grow(&copy, 20);
    (void)send(&copy);
    uint64_t entries = entries_of_log();
    begin_anew(&copy);
    vault_add(&copy.log, vault_tenant(9), 3); /* a tree that contradicts nothing */
    grow(&copy, 5);
    assert_false(send(&copy).refused); /* once may be a reload's doing */
    struct rp_vault_round round = send(&copy);
    assert_true(round.refused);
    assert_true(rp_is(round.refused_err, RP_E_CORRUPT));
    grow(&copy, 600); /* over tiles: what was written of them does not stay */
    (void)send(&copy);
    round = send(&copy);
    assert_true(round.refused);
    assert_true(rp_is(round.refused_err, RP_E_CORRUPT));
    verify("vault", entries);
    assert_int_equal(size_of(&copy, vault_tenant(9)).entries, 0);
    reopen(&copy);
    verify("vault", entries);
    close_both(&copy);
}

static void segments_come_once_and_only_those_that_an_entry_names(void **state) {
    (void)state;
    struct copy copy = {0};
    uint64_t time_ms, bytes, now_ms;
    open_both(&copy);
    now_ms = (uint64_t)rp_env_now_ms(&copy.log.env);
    vault_add(&copy.log, vault_public, 3);
    vault_access(&copy.log, now_ms);
    vault_access(&copy.log, now_ms + (uint64_t)40 * 24 * 3600 * 1000); /* no entry names tomorrow */
    vault_publish(&copy.log);
    unit_rename("ledger/access", "kept");
    (void)send(&copy); /* gone there: passed over */
    rp_vault_wanted(copy.vault, 0, &time_ms, &bytes);
    assert_int_equal(time_ms, now_ms);
    struct rp_vault_piece piece = {now_ms, 0, 4, RP_VIEW("evil")};
    assert_refused(&copy, rp_vault_segment(copy.vault, &piece, &copy.said), RP_E_CORRUPT);
    piece.time_ms++;
    assert_refused(&copy, rp_vault_segment(copy.vault, &piece, &copy.said), RP_E_NOT_FOUND);
    reopen(&copy); /* still wanted: found in the tree again */
    unit_rename("kept", "ledger/access");
    vault_add(&copy.log, vault_operator, 1);
    vault_publish(&copy.log);
    (void)send(&copy);
    rp_vault_wanted(copy.vault, 0, &time_ms, &bytes);
    assert_int_equal(time_ms, 0);
    piece.time_ms = now_ms;
    assert_refused(&copy, rp_vault_segment(copy.vault, &piece, &copy.said), RP_E_DUPLICATE);
    close_both(&copy);
}

/* ---- bad days ---- */

/* Each write of a round fails once; the next round puts it right. */
static void a_full_disk_is_waited_for(void **state) {
    (void)state;
    bool failed = true;
    for (int n = 0; failed; n++) {
        struct copy copy = {0};
        struct rp_vault_round round;
        open_both(&copy);
        grow(&copy, 300);
        copy.writes_left = n;
        failed = !rp_ok(try_send(&copy, &round));
        copy.writes_left = -1;
        if (n % 2 == 1) {
            reopen(&copy);
        }
        (void)send(&copy);
        assert_false(send(&copy).refused);
        verify("vault", entries_of_log());
        close_both(&copy);
        assert_true(n < 400);
    }
}

struct newest {
    uint64_t number;
};

static rp_err see_name(void *ctx, const char *name, bool is_folder) {
    struct newest *newest = ctx;
    uint64_t number;
    if (!is_folder && rp_view_to_u64(rp_view_from_cstr(name), UINT64_MAX, &number) &&
        number > newest->number) {
        newest->number = number;
    }
    return RP_OK;
}

static void newest_of(const char *folder, char out[static NAME_MAX_BYTES]) {
    struct newest newest = {0};
    assert_ok(rp_folder_each(folder, see_name, &newest));
    (void)snprintf(out, NAME_MAX_BYTES, "%s/%llu", folder, (unsigned long long)newest.number);
}

static void alter(const char *path, uint64_t at) {
    int fd = -1;
    uint8_t byte = 0;
    assert_ok(rp_file_open_rw(path, 0600, &fd));
    assert_ok(rp_file_read_at(fd, at, &byte, 1));
    byte ^= 1;
    assert_ok(rp_file_write_at(fd, at, rp_view_of(&byte, 1)));
    rp_fd_done(&fd);
}

static void cut(const char *path, uint64_t bytes) {
    int fd = -1;
    uint64_t size = 0;
    assert_ok(rp_file_open_rw(path, 0600, &fd));
    assert_ok(rp_file_size(fd, &size));
    assert_ok(rp_file_cut(fd, size - bytes));
    rp_fd_done(&fd);
}

static void torn_records_are_cut_and_altered_ones_are_not(void **state) {
    (void)state;
    struct copy copy = {0};
    char path[NAME_MAX_BYTES];
    struct rp_vault_size size;
    open_both(&copy);
    for (int i = 0; i < 3; i++) {
        grow(&copy, 3);
    }
    (void)send(&copy);
    assert_int_equal(size_of(&copy, vault_tenant(1)).records, 3);
    newest_of("vault/01010101010101010101010101010101/anchors", path);
    cut(path, 5);
    reopen(&copy);
    assert_int_equal(size_of(&copy, vault_tenant(1)).records, 2);
    grow(&copy, 3);
    (void)send(&copy);
    assert_int_equal(size_of(&copy, vault_tenant(1)).records, 4);
    verify("vault", entries_of_log());
    alter(path, 0);
    reopen(&copy);
    assert_true(rp_is(rp_vault_size(copy.vault, vault_tenant(1), &size, &copy.said), RP_E_CORRUPT));
    close_both(&copy);
}

static void a_copy_that_was_altered_is_not_opened(void **state) {
    (void)state;
    struct copy copy = {0};
    char path[NAME_MAX_BYTES];
    open_both(&copy);
    grow(&copy, 20);
    (void)send(&copy);
    rp_vault_free(copy.vault);
    copy.vault = NULL;
    newest_of("vault/public/tile/entries/000.p", path);
    alter(path, 9);
    assert_true(rp_is(try_open(&copy), RP_E_CORRUPT));
    assert_non_null(strstr(copy.said.text, path));
    close_both(&copy);
}

static void only_a_logs_public_key_is_taken(void **state) {
    (void)state;
    struct copy copy = {0};
    struct rp_vault *vault;
    open_both(&copy);
    struct rp_buf vkey = rp_buf_new(RP_VKEY_MAX);
    rp_vkey_print(&vkey, RP_VIEW("test.example/log/operator"), copy.log.home.key.public_key);
    assert_true(
        rp_is(rp_vault_open(&copy.log.env, &copy.disk, "v", rp_buf_view(&vkey), &vault, &copy.said),
              RP_E_INVALID));
    rp_buf_done(&vkey);
    close_both(&copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_is_what_the_verifier_accepts),
        cmocka_unit_test(records_that_come_later_are_sent),
        cmocka_unit_test(a_restart_goes_on_behind_the_last_checkpoint),
        cmocka_unit_test(nothing_that_stands_is_replaced),
        cmocka_unit_test(no_record_stands_in_the_way_of_the_true_one),
        cmocka_unit_test(a_checkpoint_must_be_the_logs_and_cover_what_is_here),
        cmocka_unit_test(a_second_history_is_refused_and_the_first_one_stays),
        cmocka_unit_test(segments_come_once_and_only_those_that_an_entry_names),
        cmocka_unit_test(a_full_disk_is_waited_for),
        cmocka_unit_test(torn_records_are_cut_and_altered_ones_are_not),
        cmocka_unit_test(a_copy_that_was_altered_is_not_opened),
        cmocka_unit_test(only_a_logs_public_key_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
