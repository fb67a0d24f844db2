/* spaces_test.c — records of two tenants, and everything an attacker may do to their rows. */
#include <stdlib.h>
#include <unistd.h>

#include "at_rest.h"
#include "neighbours.h"

#define NOTES RP_VIEW("notes")

static struct neighbours near;

static int setup(void **state) {
    (void)state;
    neighbours_start(&near);
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

static struct rp_record create(rp_id tenant, const char *document) {
    struct rp_space space = space_of(tenant);
    struct rp_record record;
    assert_ok(rp_space_create(&space, NOTES, rp_view_from_cstr(document), RP_LABEL_NONE, near.arena,
                              &record, NULL));
    return record;
}

static struct rp_record update(rp_id tenant, rp_id id, const char *document) {
    struct rp_space space = space_of(tenant);
    struct rp_record record;
    assert_ok(rp_space_update(&space, NOTES, id, 0, rp_view_from_cstr(document), RP_LABEL_NONE,
                              near.arena, &record, NULL));
    return record;
}

static rp_err read_in(rp_id tenant, rp_view collection, rp_id id, struct rp_record *ret_record) {
    struct rp_space space = space_of(tenant);
    return rp_space_read(&space, collection, id, near.arena, ret_record);
}

static size_t events_with(rp_id tenant, const char *needle) {
    struct rp_space space = space_of(tenant);
    uint64_t first = 0;
    rp_view *events = NULL;
    size_t count = 0, found = 0;
    assert_ok(rp_db_outbox(space.db, 1000, near.arena, &first, &events, &count));
    for (size_t i = 0; i < count; i++) {
        found += rp_view_find(events[i], rp_view_from_cstr(needle)) < events[i].n;
    }
    return found;
}

/* ---- the ordinary day ---- */

static void what_was_written_is_read_canonically(void **state) {
    (void)state;
    struct rp_record got, record = create(near.alpha, " { \"b\" : 1.0 , \"a\" : \"\\u00e9\" } ");
    assert_int_equal(record.version, 1);
    assert_view(record.document, "{\"a\":\"\xc3\xa9\",\"b\":1}");
    assert_ok(read_in(near.alpha, NOTES, record.id, &got));
    assert_view_equal(got.document, record.document);
    assert_int_equal(got.version, 1);
    assert_int_equal(got.changed_ms, (int64_t)1800000000 * 1000);
    assert_err(read_in(near.alpha, NOTES, (rp_id){{9}}, &got), NOT_FOUND);
    assert_err(read_in(near.alpha, RP_VIEW("other"), record.id, &got), NOT_FOUND);
    assert_err(read_in(near.alpha, RP_VIEW("../x"), record.id, &got), NOT_FOUND);
}

static void a_change_names_the_version_it_saw(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), got;
    struct rp_space space = space_of(near.alpha);
    assert_ok(rp_space_update(&space, NOTES, record.id, 1, RP_VIEW("{\"n\":2}"), RP_LABEL_NONE,
                              near.arena, &got, NULL));
    assert_int_equal(got.version, 2);
    assert_err(rp_space_update(&space, NOTES, record.id, 1, RP_VIEW("{\"n\":3}"), RP_LABEL_NONE,
                               near.arena, &got, NULL),
               CONFLICT);
    assert_err(rp_space_delete(&space, NOTES, record.id, 1), CONFLICT);
    assert_ok(rp_space_update(&space, NOTES, record.id, 0, RP_VIEW("{\"n\":4}"), RP_LABEL_NONE,
                              near.arena, &got, NULL));
    assert_int_equal(got.version, 3);
    assert_ok(rp_space_read(&space, NOTES, record.id, near.arena, &got));
    assert_view(got.document, "{\"n\":4}");
    assert_ok(rp_space_delete(&space, NOTES, record.id, 3));
    assert_err(rp_space_read(&space, NOTES, record.id, near.arena, &got), NOT_FOUND);
    assert_err(rp_space_delete(&space, NOTES, record.id, 0), NOT_FOUND);
    assert_err(rp_space_update(&space, NOTES, record.id, 0, RP_VIEW("1"), RP_LABEL_NONE, near.arena,
                               &got, NULL),
               NOT_FOUND);
}

static void bad_documents_are_refused_whole(void **state) {
    (void)state;
    struct rp_space space = space_of(near.alpha);
    struct rp_record record;
    struct rp_diag diag = {0};
    uint64_t last = 9;
    static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "\"\xff\"", "[1,]", "nul"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(rp_space_create(&space, NOTES, rp_view_from_cstr(bad[i]), RP_LABEL_NONE,
                                   near.arena, &record, &diag),
                   SYNTAX);
        assert_true(diag.line > 0 && diag.text[0] != 0);
    }
    static const char *const names[] = {"",
                                        "Notes",
                                        "a b",
                                        "a/b",
                                        "caf\xc3\xa9",
                                        "0123456789012345678901234567890123456789"
                                        "01234567890123456789012345"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_err(rp_space_create(&space, rp_view_from_cstr(names[i]), RP_VIEW("1"), RP_LABEL_NONE,
                                   near.arena, &record, &diag),
                   INVALID);
    }
    assert_ok(rp_db_outbox_last(space.db, &last));
    assert_int_equal(last, 0);
}

static void the_largest_document_fits_and_one_more_byte_does_not(void **state) {
    (void)state;
    struct rp_space space = space_of(near.alpha);
    struct rp_record record, got;
    char *big = test_malloc(RP_RECORD_MAX + 1);
    memset(big, 'x', RP_RECORD_MAX + 1);
    big[0] = big[RP_RECORD_MAX - 1] = '"';
    rp_view document = rp_view_of(big, RP_RECORD_MAX);
    assert_ok(rp_space_create(&space, NOTES, document, RP_LABEL_NONE, near.arena, &record, NULL));
    assert_ok(rp_space_read(&space, NOTES, record.id, near.arena, &got));
    assert_view_equal(got.document, document);
    big[RP_RECORD_MAX - 1] = 'x';
    big[RP_RECORD_MAX] = '"';
    document.n++;
    assert_err(rp_space_create(&space, NOTES, document, RP_LABEL_NONE, near.arena, &record, NULL),
               TOO_LARGE);
    test_free(big);
}

static void pages_follow_each_other(void **state) {
    (void)state;
    struct rp_space space = space_of(near.alpha);
    struct rp_record *records = NULL, record;
    size_t count = 0, seen = 0;
    rp_id after = {{0}};
    for (int i = 0; i < 23; i++) {
        assert_ok(rp_space_create(&space, NOTES, RP_VIEW("{}"), RP_LABEL_NONE, near.arena, &record,
                                  NULL));
    }
    assert_ok(rp_space_create(&space, RP_VIEW("other"), RP_VIEW("{}"), RP_LABEL_NONE, near.arena,
                              &record, NULL));
    do {
        assert_ok(rp_space_list(&space, NOTES, after, 10, near.arena, &records, &count));
        for (size_t i = 0; i < count; i++) {
            assert_true(__builtin_memcmp(records[i].id.b, after.b, RP_ID_BYTES) > 0);
            after = records[i].id;
        }
        seen += count;
    } while (count > 0);
    assert_int_equal(seen, 23);
    assert_err(rp_space_list(&space, NOTES, after, 0, near.arena, &records, &count), INVALID);
    assert_err(rp_space_list(&space, NOTES, after, RP_PAGE_MAX + 1, near.arena, &records, &count),
               INVALID);
}

/*= S114 type=test */
static void every_change_is_an_event_of_its_tenant(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"text\":\"PLANTED\"}");
    (void)update(near.alpha, record.id, "{}");
    struct rp_space space = space_of(near.alpha);
    assert_ok(rp_space_delete(&space, NOTES, record.id, 0));
    char id[64];
    snprintf(id, sizeof id, "\"record\":\"%s\"", rp_id_print(record.id).s);
    assert_int_equal(events_with(near.alpha, id), 3);
    assert_int_equal(events_with(near.alpha, "record.created"), 1);
    assert_int_equal(events_with(near.alpha, "record.updated"), 1);
    assert_int_equal(events_with(near.alpha, "record.deleted"), 1);
    assert_int_equal(events_with(near.alpha, "\"app\":\"notes-app\""), 3);
    assert_int_equal(events_with(near.alpha, "PLANTED"), 0);
    assert_int_equal(events_with(near.beta, "record"), 0);
}

static void without_room_for_its_event_a_change_does_not_happen(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), got;
    struct rp_space space = space_of(near.alpha);
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(space.db, "UPDATE outbox_state SET last = 100000", &row));
    assert_ok(rp_row_run(row, NULL));
    assert_err(rp_space_create(&space, NOTES, RP_VIEW("1"), RP_LABEL_NONE, near.arena, &got, NULL),
               OVERLOAD);
    assert_err(rp_space_update(&space, NOTES, record.id, 0, RP_VIEW("1"), RP_LABEL_NONE, near.arena,
                               &got, NULL),
               OVERLOAD);
    assert_err(rp_space_delete(&space, NOTES, record.id, 0), OVERLOAD);
    assert_ok(rp_space_read(&space, NOTES, record.id, near.arena, &got));
    assert_view(got.document, "{\"n\":1}");
    assert_int_equal(got.version, 1);
}

/* ---- labels, trash, versions, search, limits ---- */

static rp_err put(struct rp_space *space, rp_id id, const char *document, enum rp_label label,
                  struct rp_record *ret_record) {
    return rp_space_update(space, NOTES, id, 0, rp_view_from_cstr(document), label, near.arena,
                           ret_record, NULL);
}

/*= S174 type=test */
static void a_label_goes_up_for_everybody_and_down_for_administrators(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{}"), got;
    struct rp_space space = space_of(near.alpha);
    assert_int_equal(record.label, RP_LABEL_INTERNAL);
    assert_ok(put(&space, record.id, "{}", RP_LABEL_SENSITIVE, &got));
    assert_err(put(&space, record.id, "{}", RP_LABEL_PUBLIC, &got), DENIED);
    assert_ok(put(&space, record.id, "{\"n\":2}", RP_LABEL_NONE, &got));
    assert_int_equal(got.label, RP_LABEL_SENSITIVE);
    assert_ok(rp_space_restore(&space, NOTES, record.id, 1, near.arena, &got, NULL));
    assert_int_equal(got.label, RP_LABEL_SENSITIVE); /* an old version is no way around it */
    space.may_lower = true;
    assert_ok(put(&space, record.id, "{}", RP_LABEL_PUBLIC, &got));
    assert_ok(rp_space_read(&space, NOTES, record.id, near.arena, &got));
    assert_int_equal(got.label, RP_LABEL_PUBLIC);
}

static void set_column(rp_id tenant, const char *sql) {
    struct rp_space space = space_of(tenant);
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(space.db, sql, &row));
    assert_ok(rp_row_run(row, NULL));
}

/*= S67 type=test */
static void what_is_said_of_a_record_cannot_be_altered(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{}"), got;
    static const char *const altered[] = {
        "UPDATE record SET label = 1", "UPDATE record SET label = 0",
        "UPDATE record SET label = 2, changed_ms = changed_ms + 1",
        "UPDATE record SET changed_ms = changed_ms - 1, version = 2"};
    for (size_t i = 0; i < sizeof altered / sizeof altered[0]; i++) {
        set_column(near.alpha, altered[i]);
        assert_err(read_in(near.alpha, NOTES, record.id, &got), CORRUPT);
    }
    set_column(near.alpha, "UPDATE record SET version = 1");
    assert_ok(read_in(near.alpha, NOTES, record.id, &got));
    struct rp_space space = space_of(near.alpha);
    assert_ok(rp_space_delete(&space, NOTES, record.id, 0));
    set_column(near.alpha, "UPDATE record SET trashed_ms = 0");
    assert_err(read_in(near.alpha, NOTES, record.id, &got), CORRUPT);
}

/*= S89 type=test */
static void deleted_is_in_the_trash_and_comes_back(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), got, *records = NULL;
    struct rp_space space = space_of(near.alpha);
    struct rp_space_query trash = {.limit = 10, .trashed = true};
    size_t count = 9;
    assert_err(rp_space_restore(&space, NOTES, record.id, 0, near.arena, &got, NULL), CONFLICT);
    assert_ok(rp_space_delete(&space, NOTES, record.id, 0));
    assert_ok(rp_space_find(&space, NOTES, &trash, near.arena, &records, &count, NULL));
    assert_int_equal(count, 1);
    assert_true(records[0].trashed_ms > 0);
    assert_ok(rp_space_restore(&space, NOTES, record.id, 0, near.arena, &got, NULL));
    assert_int_equal(got.version, 3);
    assert_ok(rp_space_read(&space, NOTES, record.id, near.arena, &got));
    assert_view(got.document, "{\"n\":1}");
    assert_ok(rp_space_find(&space, NOTES, &trash, near.arena, &records, &count, NULL));
    assert_int_equal(count, 0);
}

static void the_trash_ends_after_its_time_and_not_before(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), live = create(near.alpha, "{}"), got;
    struct rp_space space = space_of(near.alpha);
    struct rp_space_use use = {0};
    size_t count = 9;
    assert_ok(rp_space_delete(&space, NOTES, record.id, 0));
    int64_t now_ms = rp_env_now_ms(&near.env);
    assert_ok(rp_space_purge(&near.env, space.db, now_ms, 10, &count));
    assert_int_equal(count, 0);
    assert_ok(rp_space_purge(&near.env, space.db, now_ms + 1, 10, &count));
    assert_int_equal(count, 1);
    assert_err(rp_space_restore(&space, NOTES, record.id, 0, near.arena, &got, NULL), NOT_FOUND);
    assert_ok(rp_space_read(&space, NOTES, live.id, near.arena, &got));
    assert_int_equal(events_with(near.alpha, "record.purged"), 1);
    assert_ok(rp_space_use(space.db, &use));
    assert_int_equal(use.records, 1);
    assert_true(use.bytes > 0 && use.bytes < 100);
}

static void earlier_versions_are_read_and_restored_the_last_fifty(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), got, *records = NULL;
    struct rp_space space = space_of(near.alpha);
    size_t count = 0;
    char document[32];
    for (int i = 2; i <= RP_VERSIONS_KEPT + 5; i++) {
        snprintf(document, sizeof document, "{\"n\":%d}", i);
        assert_ok(put(&space, record.id, document, RP_LABEL_NONE, &got));
    }
    assert_ok(rp_space_versions(&space, NOTES, record.id, near.arena, &records, &count));
    assert_int_equal(count, RP_VERSIONS_KEPT + 1); /* the current one too */
    assert_int_equal(records[0].version, RP_VERSIONS_KEPT + 5);
    assert_ok(rp_space_read_version(&space, NOTES, record.id, 10, near.arena, &got));
    assert_view(got.document, "{\"n\":10}");
    assert_err(rp_space_read_version(&space, NOTES, record.id, 1, near.arena, &got), NOT_FOUND);
    assert_ok(rp_space_restore(&space, NOTES, record.id, 10, near.arena, &got, NULL));
    assert_ok(rp_space_read(&space, NOTES, record.id, near.arena, &got));
    assert_view(got.document, "{\"n\":10}");
    space = space_of(near.beta);
    assert_err(rp_space_versions(&space, NOTES, record.id, near.arena, &records, &count),
               NOT_FOUND);
    assert_err(rp_space_read_version(&space, NOTES, record.id, 10, near.arena, &got), NOT_FOUND);
}

static size_t found(rp_id tenant, const char *field, const char *value) {
    struct rp_space space = space_of(tenant);
    struct rp_space_query query = {
        .limit = 10, .field = rp_view_from_cstr(field), .value = rp_view_from_cstr(value)};
    struct rp_record *records = NULL;
    size_t count = 0;
    assert_ok(rp_space_find(&space, NOTES, &query, near.arena, &records, &count, NULL));
    return count;
}

static void exact_search_finds_declared_fields_and_nothing_else(void **state) {
    (void)state;
    struct rp_record old = create(near.alpha, "{\"mail\":\"ann@example.org\",\"n\":5}"), got;
    struct rp_space space = space_of(near.alpha);
    struct rp_record *records = NULL;
    size_t count = 0;
    const rp_view fields[] = {RP_VIEW("mail"), RP_VIEW("n")};
    struct rp_space_query query = {.limit = 10, .field = fields[0], .value = RP_VIEW("x")};
    assert_err(rp_space_find(&space, NOTES, &query, near.arena, &records, &count, NULL), INVALID);
    assert_ok(rp_space_declare(&space, NOTES, fields, 2, near.arena, NULL));
    (void)create(near.alpha, "{\"mail\":\"bob@example.org\",\"n\":\"5\"}");
    assert_int_equal(found(near.alpha, "mail", "ann@example.org"), 1);
    assert_int_equal(found(near.alpha, "mail", "ann"), 0);
    assert_int_equal(found(near.alpha, "n", "5"), 2);
    (void)update(near.alpha, old.id, "{\"mail\":\"other@example.org\"}");
    assert_int_equal(found(near.alpha, "mail", "ann@example.org"), 0);
    assert_int_equal(found(near.alpha, "mail", "other@example.org"), 1);
    space = space_of(near.alpha);
    assert_ok(rp_space_delete(&space, NOTES, old.id, 0));
    assert_int_equal(found(near.alpha, "mail", "other@example.org"), 0);
    assert_ok(rp_space_restore(&space, NOTES, old.id, 0, near.arena, &got, NULL));
    assert_int_equal(found(near.alpha, "mail", "other@example.org"), 1);
    /* The same value has another token at the neighbour's. */
    space = space_of(near.beta);
    assert_ok(rp_space_declare(&space, NOTES, fields, 2, near.arena, NULL));
    assert_int_equal(found(near.beta, "mail", "other@example.org"), 0);
}

static void a_full_space_refuses_and_says_so(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), got;
    struct rp_space space = space_of(near.alpha);
    struct rp_diag diag = {0};
    space.records_max = 1;
    assert_err(
        rp_space_create(&space, NOTES, RP_VIEW("{}"), RP_LABEL_NONE, near.arena, &got, &diag),
        TOO_LARGE);
    assert_non_null(strstr(diag.text, "may hold 1"));
    assert_ok(put(&space, record.id, "{}", RP_LABEL_NONE, &got));
    space.bytes_max = 100;
    assert_err(put(&space, record.id, "{}", RP_LABEL_NONE, &got), TOO_LARGE);
    assert_ok(rp_space_read(&space, NOTES, record.id, near.arena, &got));
    assert_int_equal(got.version, 2);
    assert_ok(rp_space_delete(&space, NOTES, record.id, 0)); /* throwing away always goes */
}

/* ---- the other tenant ---- */

/*= S66 type=test */
/*= S68 type=test */
static void a_tenant_sees_nothing_of_another(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), got, *records = NULL;
    size_t count = 9;
    assert_err(read_in(near.beta, NOTES, record.id, &got), NOT_FOUND);
    struct rp_space space = space_of(near.beta);
    assert_ok(rp_space_list(&space, NOTES, (rp_id){{0}}, 10, near.arena, &records, &count));
    assert_int_equal(count, 0);
    assert_err(rp_space_update(&space, NOTES, record.id, 0, RP_VIEW("1"), RP_LABEL_NONE, near.arena,
                               &got, NULL),
               NOT_FOUND);
    assert_err(rp_space_delete(&space, NOTES, record.id, 0), NOT_FOUND);
    assert_ok(read_in(near.alpha, NOTES, record.id, &got));
}

static void an_app_sees_its_own_records_only(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), got;
    struct rp_space space = space_of(near.alpha);
    space.app = RP_VIEW("wiki");
    assert_err(rp_space_read(&space, NOTES, record.id, near.arena, &got), NOT_FOUND);
    assert_err(rp_space_delete(&space, NOTES, record.id, 0), NOT_FOUND);
}

/* Copies the sealed bytes of a row into memory of the test. */
static rp_view sealed_of(rp_id tenant, rp_id id) {
    struct rp_space space = space_of(tenant);
    struct rp_row *row = NULL;
    rp_view copy;
    assert_ok(rp_db_query(space.db, "SELECT sealed FROM record WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, id);
    assert_ok(rp_row_first(row));
    assert_ok(rp_arena_copy(near.arena, rp_row_blob(row, 0), &copy));
    rp_row_done(row);
    return copy;
}

static void put_sealed(rp_id tenant, rp_id id, rp_view sealed) {
    struct rp_space space = space_of(tenant);
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    assert_ok(rp_db_query(space.db, "UPDATE record SET sealed = ?2 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_blob(row, 2, sealed);
    assert_ok(rp_row_run(row, &changed));
    assert_int_equal(changed, 1);
}

/*= S67 type=test */
static void a_row_copied_into_another_tenants_file_does_not_open(void **state) {
    (void)state;
    struct rp_record a = create(near.alpha, "{\"owner\":\"alpha\"}"), got;
    struct rp_record b = create(near.beta, "{\"owner\":\"beta\"}");
    put_sealed(near.beta, b.id, sealed_of(near.alpha, a.id));
    assert_err(read_in(near.beta, NOTES, b.id, &got), CORRUPT);
    /* With its id as well. */
    struct rp_space space = space_of(near.beta);
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(space.db, "UPDATE record SET id = ?1", &row));
    rp_row_bind_id(row, 1, a.id);
    assert_ok(rp_row_run(row, NULL));
    assert_err(read_in(near.beta, NOTES, a.id, &got), CORRUPT);
    assert_int_equal(events_with(near.beta, "record.corrupt"), 2);
    assert_int_equal(events_with(near.alpha, "record.corrupt"), 0);
}

/*= S67 type=test */
static void another_tenants_wrapped_key_does_not_open(void **state) {
    (void)state;
    struct rp_db *db = NULL;
    struct rp_row *row = NULL;
    const struct rp_secret *key = NULL;
    rp_view wrapped;
    assert_ok(rp_store_tenant(near.store, near.alpha, false, &db, NULL));
    assert_ok(rp_db_query(db, "SELECT wrapped FROM tenant_key", &row));
    assert_ok(rp_row_first(row));
    assert_ok(rp_arena_copy(near.arena, rp_row_blob(row, 0), &wrapped));
    rp_row_done(row);
    assert_ok(rp_store_tenant(near.store, near.beta, false, &db, NULL));
    assert_ok(rp_db_query(db, "UPDATE tenant_key SET wrapped = ?1", &row));
    rp_row_bind_blob(row, 1, wrapped);
    assert_ok(rp_row_run(row, NULL));
    assert_err(rp_identity_tenant_key(near.identity, near.beta, &key), CORRUPT);
    assert_ok(rp_identity_tenant_key(near.identity, near.alpha, &key));
}

static void two_records_with_swapped_contents_do_not_open(void **state) {
    (void)state;
    struct rp_record a = create(near.alpha, "{\"n\":\"a\"}"),
                     b = create(near.alpha, "{\"n\":\"b\"}"), got;
    rp_view sealed_a = sealed_of(near.alpha, a.id), sealed_b = sealed_of(near.alpha, b.id);
    put_sealed(near.alpha, a.id, sealed_b);
    put_sealed(near.alpha, b.id, sealed_a);
    assert_err(read_in(near.alpha, NOTES, a.id, &got), CORRUPT);
    assert_err(read_in(near.alpha, NOTES, b.id, &got), CORRUPT);
    put_sealed(near.alpha, a.id, sealed_a);
    assert_ok(read_in(near.alpha, NOTES, a.id, &got));
}

static void an_old_version_put_back_does_not_open(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"balance\":1000}"), got;
    rp_view old = sealed_of(near.alpha, record.id);
    (void)update(near.alpha, record.id, "{\"balance\":0}");
    put_sealed(near.alpha, record.id, old);
    assert_err(read_in(near.alpha, NOTES, record.id, &got), CORRUPT);
}

static void a_record_moved_to_another_app_or_collection_does_not_open(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{}"), got;
    struct rp_space space = space_of(near.alpha);
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(space.db, "UPDATE record SET collection = 'public'", &row));
    assert_ok(rp_row_run(row, NULL));
    assert_err(read_in(near.alpha, RP_VIEW("public"), record.id, &got), CORRUPT);
    space = space_of(near.alpha);
    assert_ok(rp_db_query(space.db, "UPDATE record SET collection = 'notes', app = 'wiki'", &row));
    assert_ok(rp_row_run(row, NULL));
    space.app = RP_VIEW("wiki");
    assert_err(rp_space_read(&space, NOTES, record.id, near.arena, &got), CORRUPT);
}

static void each_flipped_byte_is_noticed(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"n\":1}"), got, *records = NULL;
    rp_view sealed = sealed_of(near.alpha, record.id);
    uint8_t *bytes = test_malloc(sealed.n);
    size_t count = 0;
    for (size_t i = 0; i < sealed.n; i++) {
        memcpy(bytes, sealed.p, sealed.n);
        bytes[i] ^= (uint8_t)(1u << (i % 8));
        put_sealed(near.alpha, record.id, rp_view_of(bytes, sealed.n));
        assert_err(read_in(near.alpha, NOTES, record.id, &got), CORRUPT);
    }
    for (size_t n = 0; n < sealed.n; n++) {
        put_sealed(near.alpha, record.id, rp_view_of(sealed.p, n));
        assert_err(read_in(near.alpha, NOTES, record.id, &got), CORRUPT);
    }
    assert_int_equal(events_with(near.alpha, "record.corrupt"), 2 * sealed.n);
    struct rp_space space = space_of(near.alpha);
    assert_err(rp_space_list(&space, NOTES, (rp_id){{0}}, 10, near.arena, &records, &count),
               CORRUPT);
    put_sealed(near.alpha, record.id, sealed);
    assert_ok(read_in(near.alpha, NOTES, record.id, &got));
    test_free(bytes);
}

/* ---- the disk ---- */

/*= S82 type=test */
static void no_document_lies_in_rows(void) {
    struct rp_db *db = NULL;
    assert_ok(rp_store_tenant(near.store, near.alpha, false, &db, NULL));
    assert_false(rows_hold(db, RP_VIEW("PLANTED")));
    assert_true(rows_hold(db, RP_VIEW("RP1A"))); /* what is there is sealed */
}

static void no_document_lies_in_files(void) {
    struct rp_id_text id = rp_id_print(near.alpha);
    char path[128];
    for (int wal = 1; wal >= 0; wal--) {
        snprintf(path, sizeof path, "tenants/%.2s/%.2s/%s.db%s", id.s, id.s + 2, id.s,
                 wal ? "-wal" : "");
        if (!wal) {
            rp_store_close(near.store);
            near.store = NULL;
        }
        size_t n = 0;
        uint8_t *bytes = unit_file(path, &n);
        rp_view all = rp_view_of(bytes, n);
        assert_int_equal(rp_view_find(all, RP_VIEW("PLANTED")), n);
        assert_true(rp_view_find(all, RP_VIEW("RP1A")) < n);
        test_free(bytes);
    }
    assert_ok(rp_store_open(&near.env, unit_store_url(), &near.store, NULL));
}

static void no_document_lies_in_clear(void **state) {
    (void)state;
    struct rp_record record = create(near.alpha, "{\"text\":\"PLANTED-IN-A-NOTE\"}");
    (void)update(near.alpha, record.id, "{\"text\":\"PLANTED-IN-ANOTHER\"}");
    struct rp_db *central = NULL;
    assert_ok(rp_store_system(near.store, &central, NULL));
    if (rp_db_sql(central) == RP_SQL_POSTGRESQL) {
        no_document_lies_in_rows();
    } else {
        no_document_lies_in_files();
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_canonically),
        TEST(a_change_names_the_version_it_saw),
        TEST(bad_documents_are_refused_whole),
        TEST(the_largest_document_fits_and_one_more_byte_does_not),
        TEST(pages_follow_each_other),
        TEST(every_change_is_an_event_of_its_tenant),
        TEST(without_room_for_its_event_a_change_does_not_happen),
        TEST(a_label_goes_up_for_everybody_and_down_for_administrators),
        TEST(what_is_said_of_a_record_cannot_be_altered),
        TEST(deleted_is_in_the_trash_and_comes_back),
        TEST(the_trash_ends_after_its_time_and_not_before),
        TEST(earlier_versions_are_read_and_restored_the_last_fifty),
        TEST(exact_search_finds_declared_fields_and_nothing_else),
        TEST(a_full_space_refuses_and_says_so),
        TEST(a_tenant_sees_nothing_of_another),
        TEST(an_app_sees_its_own_records_only),
        TEST(a_row_copied_into_another_tenants_file_does_not_open),
        TEST(another_tenants_wrapped_key_does_not_open),
        TEST(two_records_with_swapped_contents_do_not_open),
        TEST(an_old_version_put_back_does_not_open),
        TEST(a_record_moved_to_another_app_or_collection_does_not_open),
        TEST(each_flipped_byte_is_noticed),
        TEST(no_document_lies_in_clear),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
