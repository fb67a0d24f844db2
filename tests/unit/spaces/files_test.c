/* files_test.c — files of two tenants, what an attacker may do to their bytes, and what they weigh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "neighbours.h"
#include "os/batch.h"
#include "os/file.h"
#include "spaces/files.h"

#define DOCS RP_VIEW("docs")
enum { BYTES = 3 * RP_BLOB_CHUNK + 777 };

static struct neighbours near;
static uint8_t bytes[BYTES];

static int setup(void **state) {
    (void)state;
    neighbours_start(&near);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    neighbours_stop(&near);
    return 0;
}

static struct rp_space space_of(rp_id tenant) {
    return neighbours_space(&near, tenant);
}

static rp_err put(struct rp_space *space, rp_id file, enum rp_label label, size_t n,
                  struct rp_file *ret_file) {
    struct rp_upload wish = {.collection = DOCS,
                             .file = file,
                             .label = label,
                             .name = RP_VIEW("a.txt"),
                             .type = RP_VIEW("text/plain"),
                             .size = n};
    struct rp_upload upload;
    struct rp_blob blob;
    RP_TRY(rp_upload_begin(space, &wish, 0, near.arena, &upload, &blob, NULL));
    /* In pieces that no chunk begins with. */
    rp_err err = RP_OK;
    for (size_t at = 0; at < n && rp_ok(err); at += 100001) {
        size_t part = n - at < 100001 ? n - at : 100001;
        err = rp_blob_add(&near.env, space->key, &blob, rp_view_of(bytes + at, part));
    }
    if (rp_ok(err)) {
        err = rp_upload_end(space, &upload, &blob, near.arena, ret_file, NULL);
    }
    rp_blob_done(&blob);
    if (!rp_ok(err)) {
        assert_ok(rp_upload_drop(space, upload.id));
    }
    return err;
}

static rp_err read_all(struct rp_space *space, const struct rp_file *file, struct rp_buf *out) {
    struct rp_blob blob = {.fd = -1};
    rp_buf_clear(out);
    RP_TRY(rp_space_file_open(space, DOCS, file, near.arena, &blob));
    rp_err err = rp_blob_read(space->key, &blob, 0, (size_t)file->size, out);
    rp_blob_done(&blob);
    return err;
}

static uint64_t bytes_used(rp_id tenant) {
    struct rp_space space = space_of(tenant);
    struct rp_space_use use = {0};
    assert_ok(rp_space_use(space.db, &use));
    return use.bytes;
}

static void path_of(rp_id tenant, rp_id blob, char out[static 160]) {
    struct rp_id_text t = rp_id_print(tenant), b = rp_id_print(blob);
    (void)snprintf(out, 160, "tenants/%.2s/%.2s/%s.files/%.2s/%s", t.s, t.s + 2, t.s, b.s, b.s);
}

static void goes_in_and_out(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, RP_BLOB_CHUNK, RP_BLOB_CHUNK + 1, BYTES};
    struct rp_space space = space_of(near.alpha);
    struct rp_buf out = rp_buf_new(BYTES);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct rp_file made, file;
        char path[160];
        assert_ok(put(&space, (rp_id){{0}}, RP_LABEL_NONE, sizes[i], &made));
        assert_ok(rp_space_file_read(&space, DOCS, made.record.id, 0, near.arena, &file));
        assert_int_equal(file.size, sizes[i]);
        assert_ok(read_all(&space, &file, &out));
        assert_view_equal(rp_buf_view(&out), rp_view_of(bytes, sizes[i]));
        path_of(near.alpha, file.blob, path);
        rp_view sealed = {NULL, 0};
        assert_ok(rp_file_read(path, 1 << 20, near.arena, &sealed));
        assert_int_equal(sealed.n, rp_blob_sealed_size(sizes[i]));
    }
    rp_buf_done(&out);
}

/*= S67 type=test */
static void bytes_open_at_their_place_alone(void **state) {
    (void)state;
    struct rp_space space = space_of(near.alpha);
    struct rp_file one, two, next, theirs;
    struct rp_buf out = rp_buf_new(BYTES);
    char from[160], to[160];
    rp_view sealed = {NULL, 0};
    assert_ok(put(&space, (rp_id){{0}}, RP_LABEL_NONE, BYTES, &one));
    assert_ok(put(&space, (rp_id){{0}}, RP_LABEL_NONE, BYTES, &two));
    assert_ok(put(&space, one.record.id, RP_LABEL_NONE, BYTES, &next));
    space = space_of(near.beta);
    assert_ok(put(&space, (rp_id){{0}}, RP_LABEL_NONE, BYTES, &theirs));
    /* The same plain bytes and the same size: only the place differs. */
    const rp_id others[] = {one.blob, two.blob, theirs.blob};
    const rp_id owners[] = {near.alpha, near.alpha, near.beta};
    path_of(near.alpha, next.blob, to);
    for (size_t i = 0; i < 3; i++) {
        path_of(owners[i], others[i], from);
        assert_ok(rp_file_read(from, 1 << 20, near.arena, &sealed));
        assert_ok(rp_file_replace(to, 0640, sealed));
        space = space_of(near.alpha);
        assert_err(read_all(&space, &next, &out), CORRUPT);
        assert_int_equal(out.n, 0);
    }
    /* The record says which file it is: another's record over the same bytes does not open them. */
    space = space_of(near.alpha);
    struct rp_file lie = two;
    lie.blob = one.blob;
    assert_err(read_all(&space, &lie, &out), CORRUPT);
    lie = one;
    lie.made = 7;
    assert_err(read_all(&space, &lie, &out), CORRUPT);
    lie = one;
    lie.size -= 1;
    assert_err(read_all(&space, &lie, &out), CORRUPT);
    assert_ok(read_all(&space, &one, &out));
    rp_buf_done(&out);
}

/*= S174 type=test */
static void a_label_does_not_come_off(void **state) {
    (void)state;
    struct rp_space space = space_of(near.alpha);
    struct rp_file file, changed;
    assert_ok(put(&space, (rp_id){{0}}, RP_LABEL_SENSITIVE, 10, &file));
    assert_err(put(&space, file.record.id, RP_LABEL_PUBLIC, 10, &changed), DENIED);
    assert_err(rp_space_file_change(&space, DOCS, file.record.id, 0, (rp_view){NULL, 0},
                                    RP_LABEL_PERSONAL, near.arena, &changed, NULL),
               DENIED);
    assert_ok(put(&space, file.record.id, RP_LABEL_NONE, 20, &changed));
    assert_int_equal(changed.record.label, RP_LABEL_SENSITIVE);
    space.may_lower = true;
    assert_ok(rp_space_file_change(&space, DOCS, file.record.id, 0, (rp_view){NULL, 0},
                                   RP_LABEL_PERSONAL, near.arena, &changed, NULL));
    assert_int_equal(changed.record.label, RP_LABEL_PERSONAL);
}

static void what_nobody_holds_is_swept_and_counted_out(void **state) {
    (void)state;
    struct rp_space space = space_of(near.beta);
    struct rp_file file, restored;
    struct rp_buf out = rp_buf_new(BYTES);
    char first[160], newest[160];
    uint64_t before = bytes_used(near.beta);
    assert_ok(put(&space, (rp_id){{0}}, RP_LABEL_NONE, 1000, &file));
    path_of(near.beta, file.blob, first);
    rp_id id = file.record.id;
    for (unsigned i = 0; i < RP_VERSIONS_KEPT; i++) {
        assert_ok(put(&space, id, RP_LABEL_NONE, 1000 + i, &file));
    }
    assert_ok(rp_files_sweep(&near.env, space.db, 100));
    assert_true(rp_file_exists(first)); /* fifty earlier ones are kept */
    /* The oldest comes back in the same moment in which it would go. */
    assert_ok(rp_space_file_restore(&space, DOCS, id, 1, near.arena, &restored, NULL));
    assert_ok(rp_files_sweep(&near.env, space.db, 100));
    assert_ok(read_all(&space, &restored, &out));
    assert_int_equal(out.n, 1000);
    path_of(near.beta, file.blob, newest);
    assert_ok(rp_space_file_delete(&space, DOCS, id, 0));
    near.world.now_ns += (int64_t)(RP_TRASH_DAYS + 1) * 24 * 3600 * 1000000000;
    size_t count = 0;
    assert_ok(rp_space_purge(&near.env, space.db, rp_env_now_ms(&near.env) - 1, 10, &count));
    assert_int_equal(count, 1);
    assert_ok(rp_files_sweep(&near.env, space.db, 1000));
    assert_false(rp_file_exists(first));
    assert_false(rp_file_exists(newest));
    assert_int_equal(bytes_used(near.beta), before);
    rp_buf_done(&out);
}

static void a_limit_counts_files_and_what_is_coming(void **state) {
    (void)state;
    struct rp_space space = space_of(near.alpha);
    struct rp_file file;
    struct rp_upload wish = {.collection = DOCS,
                             .name = RP_VIEW("x"),
                             .type = RP_VIEW("a/b"),
                             .size = 50000},
                     upload;
    struct rp_blob blob;
    space.bytes_max = bytes_used(near.alpha) + 100000;
    assert_ok(rp_upload_begin(&space, &wish, 0, near.arena, &upload, &blob, NULL));
    rp_blob_done(&blob);
    assert_err(put(&space, (rp_id){{0}}, RP_LABEL_NONE, 60000, &file), TOO_LARGE);
    assert_ok(rp_upload_drop(&space, upload.id));
    assert_ok(put(&space, (rp_id){{0}}, RP_LABEL_NONE, 60000, &file));
    assert_err(put(&space, (rp_id){{0}}, RP_LABEL_NONE, 60000, &file), TOO_LARGE);
    wish.size = RP_FILE_MAX + 1;
    space.bytes_max = 0;
    assert_err(rp_upload_begin(&space, &wish, 0, near.arena, &upload, &blob, NULL), TOO_LARGE);
}

static void an_upload_goes_on_after_a_crash(void **state) {
    (void)state;
    struct rp_space space = space_of(near.alpha);
    struct rp_upload wish = {.collection = DOCS,
                             .name = RP_VIEW("x"),
                             .type = RP_VIEW("a/b"),
                             .size = BYTES},
                     upload, found, other;
    struct rp_blob blob, again;
    struct rp_file file;
    struct rp_buf out = rp_buf_new(BYTES);
    size_t kept = RP_BLOB_CHUNK + 500;
    assert_ok(rp_upload_begin(&space, &wish, 0, near.arena, &upload, &blob, NULL));
    assert_ok(rp_blob_add(&near.env, space.key, &blob, rp_view_of(bytes, kept)));
    assert_ok(rp_upload_keep(&space, &upload, &blob, NULL));
    /* More came, some of it is on the disk, none of it was kept. */
    assert_ok(rp_blob_add(&near.env, space.key, &blob, rp_view_of(bytes + kept, RP_BLOB_CHUNK)));
    rp_blob_done(&blob);
    assert_ok(rp_upload_find(&space, upload.id, near.arena, &found));
    assert_int_equal(found.received, kept);
    /* The chunk that was kept has been written again, longer: all before it is still there. */
    assert_ok(rp_upload_resume(&space, &found, near.arena, &blob));
    assert_int_equal(found.received, RP_BLOB_CHUNK);
    assert_ok(rp_blob_add(&near.env, space.key, &blob,
                          rp_view_of(bytes + RP_BLOB_CHUNK, BYTES - RP_BLOB_CHUNK - 1)));
    assert_err(rp_upload_end(&space, &found, &blob, near.arena, &file, NULL),
               INVALID); /* one is missing */
    /* Somebody else goes on: whoever was at it before may not. */
    assert_ok(rp_upload_keep(&space, &found, &blob, NULL));
    assert_ok(rp_upload_find(&space, upload.id, near.arena, &other));
    assert_ok(rp_upload_resume(&space, &other, near.arena, &again));
    assert_err(rp_upload_check(&space, &found), CONFLICT);
    rp_blob_done(&blob);
    assert_ok(rp_blob_add(&near.env, space.key, &again, rp_view_of(bytes + BYTES - 1, 1)));
    assert_ok(rp_upload_end(&space, &other, &again, near.arena, &file, NULL));
    rp_blob_done(&again);
    assert_ok(read_all(&space, &file, &out));
    assert_view_equal(rp_buf_view(&out), rp_view_of(bytes, BYTES));
    assert_err(rp_upload_find(&space, upload.id, near.arena, &found), NOT_FOUND);
    rp_buf_done(&out);
}

static void an_upload_that_was_left_is_swept(void **state) {
    (void)state;
    struct rp_space space = space_of(near.alpha);
    struct rp_upload wish = {.collection = DOCS,
                             .name = RP_VIEW("x"),
                             .type = RP_VIEW("a/b"),
                             .size = BYTES},
                     upload, found;
    struct rp_blob blob;
    char path[160];
    assert_ok(rp_upload_begin(&space, &wish, 0, near.arena, &upload, &blob, NULL));
    rp_blob_done(&blob);
    path_of(near.alpha, upload.id, path);
    near.world.now_ns += (int64_t)(RP_UPLOAD_HOURS - 1) * 3600 * 1000000000;
    assert_ok(rp_files_sweep(&near.env, space.db, 100));
    assert_true(rp_file_exists(path));
    near.world.now_ns += (int64_t)2 * 3600 * 1000000000;
    space = space_of(near.alpha);
    assert_ok(rp_files_sweep(&near.env, space.db, 100));
    assert_false(rp_file_exists(path));
    assert_err(rp_upload_find(&space, upload.id, near.arena, &found), NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_in_and_out),
        cmocka_unit_test(bytes_open_at_their_place_alone),
        cmocka_unit_test(a_label_does_not_come_off),
        cmocka_unit_test(what_nobody_holds_is_swept_and_counted_out),
        cmocka_unit_test(a_limit_counts_files_and_what_is_coming),
        cmocka_unit_test(an_upload_goes_on_after_a_crash),
        cmocka_unit_test(an_upload_that_was_left_is_swept),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
