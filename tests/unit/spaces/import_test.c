/* import_test.c — one tenant's export in another: as it was, within limits, and again after a
 * break.
 */
#include <zlib.h>

#include "neighbours.h"
#include "spaces/archive.h"
#include "spaces/files.h"
#include "spaces/import.h"
#include "spaces/import_line.h"

#define NOTES RP_VIEW("notes")
enum { RECORDS = 150, FILE_BYTES = 300001, ARCHIVE_MAX = 8 << 20, ALL = 1 << 30 };

static struct neighbours near;
static struct rp_buf archive;

static struct rp_space space_of(rp_id tenant) {
    return neighbours_space(&near, tenant);
}

static void put_file(struct rp_space *space) {
    static uint8_t bytes[FILE_BYTES];
    const struct rp_upload wish = {.collection = NOTES,
                                   .name = RP_VIEW("a.bin"),
                                   .type = RP_VIEW("image/png"),
                                   .size = FILE_BYTES};
    struct rp_upload upload;
    struct rp_blob blob;
    struct rp_file file;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * i / 7 + i);
    }
    assert_ok(rp_upload_begin(space, &wish, 0, near.arena, &upload, &blob, NULL));
    assert_ok(rp_blob_add(&near.env, space->key, &blob, rp_view_of(bytes, sizeof bytes)));
    assert_ok(rp_upload_end(space, &upload, &blob, near.arena, &file, NULL));
    rp_blob_done(&blob);
}

static void export_alpha(void) {
    struct rp_space space = space_of(near.alpha);
    struct rp_archive *making = NULL;
    bool more = true;
    assert_ok(rp_archive_new(&near.env, near.alpha, &making));
    while (more) {
        assert_ok(rp_archive_next(making, &space, &archive, &more, NULL));
    }
    rp_archive_free(making);
}

static int setup(void **state) {
    (void)state;
    neighbours_start(&near);
    archive = rp_buf_new(ARCHIVE_MAX);
    struct rp_space space = space_of(near.alpha);
    struct rp_record record;
    for (int i = 0; i < RECORDS; i++) {
        rp_view text = rp_arena_printf(near.arena, "{\"n\":%d}", i);
        assert_ok(
            rp_space_create(&space, NOTES, text, RP_LABEL_PERSONAL, near.arena, &record, NULL));
    }
    /* The last one has three versions, and is in the trash. */
    assert_ok(rp_space_update(&space, NOTES, record.id, 0, RP_VIEW("{\"n\":\"last\"}"),
                              RP_LABEL_NONE, near.arena, &record, NULL));
    assert_ok(rp_space_delete(&space, NOTES, record.id, 0));
    put_file(&space);
    export_alpha();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rp_buf_done(&archive);
    neighbours_stop(&near);
    return 0;
}

static enum rp_space_import_fault any_app(void *ctx, rp_view app) {
    (void)ctx;
    (void)app;
    return RP_IMPORT_GOOD;
}

static enum rp_space_import_fault no_app(void *ctx, rp_view app) {
    (void)ctx;
    (void)app;
    return RP_IMPORT_APP_UNKNOWN;
}

/* What became of these bytes. The import ends as it does when who sends goes away. */
static struct rp_space_import_report import_bytes(struct rp_space *space, bool dry_run,
                                                  rp_view rest, bool whole) {
    const struct rp_space_import_rules rules = {.dry_run = dry_run, .app = any_app};
    struct rp_space_import *import = NULL;
    bool more = true;
    assert_ok(rp_space_import_new(&rules, &import));
    while (more || rest.n > 0) {
        assert_ok(rp_space_import_step(import, space, &rest, &more, NULL));
    }
    rp_err err = rp_space_import_end(import, NULL);
    assert_int_equal(rp_ok(err), whole);
    rp_space_import_leave(import, space);
    struct rp_space_import_report report = *rp_space_import_report(import);
    rp_space_import_free(import);
    return report;
}

/* The first `bytes` of the archive. */
static struct rp_space_import_report import_some(struct rp_space *space, bool dry_run,
                                                 size_t bytes) {
    rp_view some = rp_view_sub(rp_buf_view(&archive), 0, bytes);
    return import_bytes(space, dry_run, some, some.n == archive.n);
}

static uint64_t count(struct rp_space *space, const char *sql) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(space->db, sql, &row));
    assert_ok(rp_row_first(row));
    uint64_t n = rp_row_u64(row, 0);
    rp_row_done(row);
    return n;
}

/*= S70 type=test */
static void it_comes_in_as_it_was(void **state) {
    (void)state;
    struct rp_space space = space_of(near.beta);
    struct rp_space_import_report tried = import_some(&space, true, ALL);
    assert_int_equal(tried.brought, RECORDS + 1);
    assert_int_equal(count(&space, "SELECT count(*) FROM record"), 0);
    struct rp_space_import_report done = import_some(&space, false, ALL);
    assert_int_equal(done.brought, tried.brought);
    assert_int_equal(done.refused, 0);
    assert_int_equal(done.files, 1);
    assert_int_equal(done.bytes, FILE_BYTES);
    assert_int_equal(count(&space, "SELECT count(*) FROM record WHERE version = 3 AND trashed_ms "
                                   "> 0 AND label = 3"),
                     1);
    struct rp_record *records = NULL;
    size_t found = 0;
    assert_ok(
        rp_space_list(&space, NOTES, (rp_id){{0}}, RP_PAGE_MAX, near.arena, &records, &found));
    assert_int_equal(found, RECORDS - 1);
    const struct rp_space_query all = {.limit = 10};
    struct rp_file *files = NULL;
    struct rp_blob blob;
    struct rp_buf bytes = rp_buf_new(FILE_BYTES);
    assert_ok(rp_space_file_find(&space, NOTES, &all, near.arena, &files, &found));
    assert_int_equal(found, 1);
    assert_view_equal(files[0].name, RP_VIEW("a.bin"));
    assert_ok(rp_space_file_open(&space, NOTES, &files[0], near.arena, &blob));
    assert_ok(rp_blob_read(space.key, &blob, 0, FILE_BYTES, &bytes));
    assert_int_equal(bytes.p[1000], (uint8_t)(1000 * 1000 / 7 + 1000));
    rp_blob_done(&blob);
    rp_buf_done(&bytes);
    struct rp_space source = space_of(near.alpha);
    struct rp_space_use there, here;
    assert_ok(rp_space_use(source.db, &there));
    assert_ok(rp_space_use(space_of(near.beta).db, &here));
    assert_int_equal(here.records, there.records);
}

static void what_is_there_stays(void **state) {
    (void)state;
    struct rp_space space = space_of(near.beta);
    (void)import_some(&space, false, ALL);
    struct rp_record *records = NULL, record;
    size_t found = 0;
    assert_ok(rp_space_list(&space, NOTES, (rp_id){{0}}, 1, near.arena, &records, &found));
    assert_ok(rp_space_update(&space, NOTES, records[0].id, 0, RP_VIEW("{\"mine\":true}"),
                              RP_LABEL_NONE, near.arena, &record, NULL));
    struct rp_space_import_report again = import_some(&space, false, ALL);
    assert_int_equal(again.brought, 0);
    assert_int_equal(again.there, RECORDS);
    assert_int_equal(again.other, 1);
    assert_ok(rp_space_read(&space, NOTES, record.id, near.arena, &record));
    assert_view_equal(record.document, RP_VIEW("{\"mine\":true}"));
}

/* Wherever it breaks: whole records, no half file, and the second time brings the rest. */
static void a_broken_import_goes_on(void **state) {
    (void)state;
    struct rp_space space = space_of(near.beta);
    uint64_t before = 0;
    for (size_t part = 1; part <= 8; part++) {
        size_t bytes = archive.n * part / 9;
        struct rp_space_import_report some = import_some(&space, false, bytes);
        assert_int_equal(some.there, before);
        before += some.brought;
        assert_int_equal(count(&space, "SELECT count(*) FROM record"), before);
        assert_int_equal(count(&space, "SELECT records FROM space_use"), before);
        assert_int_equal(count(&space, "SELECT count(*) FROM upload"), 0);
        assert_int_equal(count(&space, "SELECT count(*) FROM blob_of"),
                         count(&space, "SELECT count(*) FROM record WHERE collection = '@notes'"));
    }
    struct rp_space_import_report rest = import_some(&space, false, ALL);
    assert_int_equal(rest.brought + rest.there, RECORDS + 1);
    assert_int_equal(rest.there, before);
    assert_int_equal(rest.refused, 0);
}

static void limits_hold_and_a_dry_run_knows_them(void **state) {
    (void)state;
    struct rp_space space = space_of(near.beta);
    space.records_max = 40;
    struct rp_space_import_report tried = import_some(&space, true, ALL);
    assert_int_equal(tried.brought, 40);
    assert_int_equal(tried.refused, RECORDS + 1 - 40);
    assert_int_equal(tried.told_count, RP_IMPORT_TOLD);
    assert_int_equal(import_some(&space, false, ALL).brought, 40);
    assert_int_equal(count(&space, "SELECT count(*) FROM record"), 40);
}

/* The bytes of a file are asked for before the first of them is kept. */
static void a_file_too_large_for_the_tenant_leaves_nothing(void **state) {
    (void)state;
    struct rp_space space = space_of(near.beta);
    space.bytes_max = 60000;
    struct rp_space_import_report small = import_some(&space, false, ALL);
    assert_int_equal(small.files, 0);
    assert_int_equal(small.refused, 1);
    assert_int_equal(small.brought, RECORDS);
    assert_int_equal(count(&space, "SELECT count(*) FROM upload"), 0);
}

/* A part of an archive that nobody's export made: no manifest vouches for it, and none is waited
 * for before its records are taken. */
static void add_part(struct rp_buf *tar, const char *name, rp_view content) {
    uint8_t head[RP_TAR_BLOCK];
    static const uint8_t zeros[RP_TAR_BLOCK];
    assert_ok(rp_tar_header(rp_view_from_cstr(name), content.n, 0, head));
    rp_buf_add(tar, rp_view_of(head, sizeof head));
    rp_buf_add(tar, content);
    rp_buf_add(tar, rp_view_of(zeros, rp_tar_padding(content.n)));
}

static void put_into_archive(rp_view tar) {
    z_stream z = {.next_in = (Bytef *)(uintptr_t)tar.p, .avail_in = (uInt)tar.n};
    rp_buf_clear(&archive);
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uLong bound = deflateBound(&z, tar.n);
    z.next_out = rp_buf_extend(&archive, bound);
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    archive.n -= z.avail_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
}

static void a_file_that_is_told_of_twice_comes_once(void **state) {
    (void)state;
#define FILE_ID "0123456789abcdef0123456789abcdef"
#define FILE_LINE                                                                                  \
    "{\"app\":\"notes-app\",\"changed_at\":\"2026-11-26T09:52:48Z\",\"collection\":\"notes\","     \
    "\"file\":{"                                                                                   \
    "\"name\":\"a.txt\",\"size\":3,\"type\":\"text/plain\"},\"id\":\"" FILE_ID                     \
    "\",\"label\":\"internal\",\"version\":1}\n"
    struct rp_space space = space_of(near.beta);
    struct rp_buf tar = rp_buf_new(1 << 16);
    add_part(&tar, "files/notes-app/notes/000001.jsonl", RP_VIEW(FILE_LINE FILE_LINE));
    add_part(&tar, "files/notes-app/notes/" FILE_ID, RP_VIEW("one"));
    add_part(&tar, "files/notes-app/notes/" FILE_ID, RP_VIEW("two"));
    put_into_archive(rp_buf_view(&tar));
    rp_buf_done(&tar);
    for (int dry_run = 1; dry_run >= 0; dry_run--) {
        struct rp_space_import_report report =
            import_bytes(&space, dry_run, rp_buf_view(&archive), false);
        assert_int_equal(report.brought, 1);
        assert_int_equal(report.refused, 1);
    }
    assert_int_equal(count(&space, "SELECT count(*) FROM record"), 1);
    assert_int_equal(count(&space, "SELECT count(*) FROM upload"), 0);
}

static void data_of_no_application_stay_out(void **state) {
    (void)state;
    struct rp_space space = space_of(near.beta);
    const struct rp_space_import_rules rules = {.app = no_app};
    struct rp_space_import *import = NULL;
    rp_view rest = rp_buf_view(&archive);
    bool more = true;
    assert_ok(rp_space_import_new(&rules, &import));
    while (more || rest.n > 0) {
        assert_ok(rp_space_import_step(import, &space, &rest, &more, NULL));
    }
    assert_ok(rp_space_import_end(import, NULL));
    const struct rp_space_import_report *report = rp_space_import_report(import);
    assert_int_equal(report->brought, 0);
    assert_int_equal(report->refused, RECORDS + 1);
    assert_int_equal(report->told[0].fault, RP_IMPORT_APP_UNKNOWN);
    assert_int_equal(report->told[0].line, 0);
    rp_space_import_free(import);
}

static void a_line_is_taken_whole_or_not_at_all(void **state) {
    (void)state;
#define ID "\"0123456789abcdef0123456789abcdef\""
#define HEAD "{\"app\":\"a\",\"changed_at\":\"2026-11-26T09:52:48Z\",\"collection\":\"c\","
#define TAIL ",\"id\":" ID ",\"label\":\"public\",\"version\":7}"
    static const struct {
        const char *text;
        enum rp_space_import_fault fault;
    } rows[] = {
        {HEAD "\"document\":{\"b\":1}" TAIL, RP_IMPORT_GOOD},
        {HEAD "\"document\":[]" TAIL, RP_IMPORT_GOOD},
        {HEAD "\"document\":{\"b\":1}" TAIL " x", RP_IMPORT_LINE},
        {HEAD "\"document\":{}"
              ",\"id\":" ID ",\"label\":\"public\",\"version\":0}",
         RP_IMPORT_LINE},
        {HEAD "\"document\":{}"
              ",\"id\":" ID ",\"label\":\"public\",\"version\":1000000000000}",
         RP_IMPORT_GOOD},
        {HEAD "\"document\":{}" /* after one more change it were no number of JSON's */
              ",\"id\":" ID ",\"label\":\"public\",\"version\":9007199254740991}",
         RP_IMPORT_LINE},
        {HEAD "\"document\":{}"
              ",\"id\":\"7\",\"label\":\"public\",\"version\":7}",
         RP_IMPORT_LINE},
        {HEAD "\"document\":{},\"more\":1" TAIL, RP_IMPORT_LINE},
        {HEAD "\"document\":{}"
              ",\"id\":" ID ",\"label\":\"secret\",\"version\":7}",
         RP_IMPORT_LABEL},
        {HEAD "\"document\":{},\"trashed_at\":\"yesterday\"" TAIL, RP_IMPORT_TIME},
        {HEAD "\"document\":{},\"trashed_at\":\"2126-11-26T09:52:48Z\"" TAIL, RP_IMPORT_TIME},
        {"{\"app\":\"z\",\"changed_at\":\"2026-11-26T09:52:48Z\",\"collection\":\"c\","
         "\"document\":{}" TAIL,
         RP_IMPORT_PLACE},
        {HEAD "\"file\":{}" TAIL, RP_IMPORT_DOCUMENT},
        {"[]", RP_IMPORT_LINE},
        {"", RP_IMPORT_LINE},
    };
    struct rp_space_import_part part;
    struct rp_space_import_line line;
    assert_true(rp_space_import_part_parse(RP_VIEW("records/a/c/000001.jsonl"), &part));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(rp_space_import_line_parse(rp_view_from_cstr(rows[i].text), &part,
                                                    INT64_C(1900000000000), near.arena, &line),
                         rows[i].fault);
    }
    static const char *const none[] = {"records/a/c/1.jsonl",     "records/a/c/000001.jsonl/x",
                                       "files/a/c/000001.json",   "records/a/@c/000001.jsonl",
                                       "records//c/000001.jsonl", "records/a/c/0123456789abcdef"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(rp_space_import_part_parse(rp_view_from_cstr(none[i]), &part));
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_comes_in_as_it_was),
        TEST(what_is_there_stays),
        TEST(a_broken_import_goes_on),
        TEST(limits_hold_and_a_dry_run_knows_them),
        TEST(a_file_too_large_for_the_tenant_leaves_nothing),
        TEST(a_file_that_is_told_of_twice_comes_once),
        TEST(data_of_no_application_stay_out),
        TEST(a_line_is_taken_whole_or_not_at_all),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
