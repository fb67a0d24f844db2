/* conformance.c — what every store must do, whatever is behind its URL.
 *
 * The URL comes from REMPART_STORE (default "sqlite:"); a second implementation passes this suite
 * unchanged. What is particular to files is in sqlite_test.c.
 */
#include "unit.h"

#include <unistd.h>

#include "store/store.h"

static const rp_id alpha = {{0xaa, 1}}, beta = {{0xbb, 2}}, record = {{7}};

static struct unit_world world = {.now_ns = 1000000000};
static struct rp_env env;
static struct rp_store *store;
static struct rp_arena *arena;
static char *folder;

static int setup(void **state) {
    (void)state;
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    env = unit_env(&world);
    arena = rp_arena_new(1 << 20);
    assert_non_null(arena);
    assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rp_store_close(store);
    rp_arena_free(arena);
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

static struct rp_db *open_tenant(rp_id tenant) {
    struct rp_db *db = NULL;
    assert_ok(rp_store_tenant(store, tenant, true, &db, NULL));
    assert_true(rp_id_equal(rp_db_tenant(db), tenant));
    return db;
}

static rp_err insert(struct rp_db *db, rp_id id, rp_view text) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
                       "VALUES ('notes', 'a', ?1, 1, 5, ?2)",
                       &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_blob(row, 2, text);
    return rp_row_run(row, NULL);
}

static uint64_t count_records(struct rp_db *db) {
    struct rp_row *row = NULL;
    bool has_row = false;
    assert_ok(rp_db_query(db, "SELECT count(*) FROM record", &row));
    assert_ok(rp_row_next(row, &has_row));
    assert_true(has_row);
    uint64_t count = rp_row_u64(row, 0);
    rp_row_done(row);
    return count;
}

static rp_err emit(struct rp_db *db, uint64_t version) {
    struct rp_arena *scratch = rp_arena_new(1 << 16);
    struct rp_event *event = rp_event_new(scratch, RP_EVENT_RECORD_CREATED, 5, RP_ROLE_CORE);
    rp_event_add_u64(event, "version", version);
    rp_err err = rp_db_emit(db, event);
    rp_arena_free(scratch);
    return err;
}

static void emit_all(struct rp_db *db, uint64_t from, uint64_t to) {
    assert_ok(rp_db_begin(db));
    for (uint64_t i = from; i <= to; i++) {
        assert_ok(emit(db, i));
    }
    assert_ok(rp_db_commit(db));
}

static void other_urls_are_refused(void **state) {
    (void)state;
    struct rp_store *other = NULL;
    struct rp_diag diag = {0};
    assert_err(rp_store_open(&env, "nonsense:", &other, &diag), UNSUPPORTED);
    assert_non_null(strstr(diag.text, "nonsense:"));
    assert_null(other);
}

static void what_was_committed_is_read_after_a_restart(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    assert_ok(rp_db_begin(db));
    assert_ok(insert(db, record, RP_VIEW("one")));
    assert_ok(rp_db_commit(db));
    rp_store_close(store);
    assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    assert_ok(rp_store_tenant(store, alpha, false, &db, NULL));
    assert_int_equal(count_records(db), 1);
}

static void what_was_rolled_back_is_gone(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    assert_ok(rp_db_begin(db));
    assert_ok(insert(db, record, RP_VIEW("one")));
    assert_int_equal(count_records(db), 1);
    rp_db_rollback(db);
    assert_int_equal(count_records(db), 0);
    rp_db_rollback(db); /* harmless */
    assert_ok(rp_db_begin(db));
    assert_ok(rp_db_commit(db));
}

/*= S66 type=test */
/*= S68 type=test */
static void a_handle_reaches_its_tenant_only(void **state) {
    (void)state;
    assert_ok(insert(open_tenant(alpha), record, RP_VIEW("alpha's")));
    assert_int_equal(count_records(open_tenant(beta)), 0);
    assert_ok(insert(open_tenant(beta), record, RP_VIEW("beta's")));
    struct rp_row *row = NULL;
    bool has_row = false;
    assert_ok(rp_db_query(open_tenant(alpha), "SELECT sealed FROM record", &row));
    assert_ok(rp_row_next(row, &has_row));
    assert_true(has_row);
    assert_view(rp_row_blob(row, 0), "alpha's");
    assert_ok(rp_row_next(row, &has_row));
    assert_false(has_row);
}

static void an_unknown_tenant_is_not_found(void **state) {
    (void)state;
    struct rp_db *db = NULL;
    assert_err(rp_store_tenant(store, alpha, false, &db, NULL), NOT_FOUND);
    assert_null(db);
}

static void values_come_back_as_they_went_in(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    struct rp_row *row = NULL;
    bool has_row = false;
    assert_ok(rp_db_query(db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6", &row));
    rp_row_bind_u64(row, 1, INT64_MAX);
    rp_row_bind_text(row, 2, RP_VIEW("d\xc3\xa9j\xc3\xa0 'vu'; --"));
    rp_row_bind_blob(row, 3, RP_VIEW("a\0b"));
    rp_row_bind_id(row, 4, alpha);
    rp_row_bind_null(row, 5);
    rp_row_bind_blob(row, 6, RP_VIEW(""));
    assert_ok(rp_row_next(row, &has_row));
    assert_true(rp_row_u64(row, 0) == INT64_MAX);
    assert_view(rp_row_text(row, 1), "d\xc3\xa9j\xc3\xa0 'vu'; --");
    assert_view(rp_row_blob(row, 2), "a\0b");
    assert_true(rp_id_equal(rp_row_id(row, 3), alpha));
    assert_true(rp_row_is_null(row, 4));
    assert_true(rp_id_is_none(rp_row_id(row, 4)));
    assert_false(rp_row_is_null(row, 5));
    assert_int_equal(rp_row_blob(row, 5).n, 0);
    rp_row_done(row);
}

static void the_same_key_twice_is_a_duplicate(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    assert_ok(insert(db, record, RP_VIEW("one")));
    assert_err(insert(db, record, RP_VIEW("two")), DUPLICATE);
    assert_int_equal(count_records(db), 1);
}

static void changed_rows_are_counted(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    assert_ok(insert(db, record, RP_VIEW("one")));
    struct rp_row *row = NULL;
    uint64_t changed = 9;
    for (uint64_t want = 1; want <= 1; want--) {
        assert_ok(rp_db_query(db, "DELETE FROM record WHERE id = ?1", &row));
        rp_row_bind_id(row, 1, record);
        assert_ok(rp_row_run(row, &changed));
        assert_int_equal(changed, want);
        if (want == 0) {
            break;
        }
    }
}

/* ---- the outbox ---- */

static void events_are_numbered_from_one_without_gaps(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    uint64_t first = 0, last = 9;
    rp_view *events = NULL;
    size_t count = 9;
    assert_ok(rp_db_outbox_last(db, &last));
    assert_int_equal(last, 0);
    assert_ok(rp_db_outbox(db, 10, arena, &first, &events, &count));
    assert_int_equal(count, 0);
    emit_all(db, 1, 3);
    assert_ok(rp_db_begin(db)); /* this one never happened */
    assert_ok(emit(db, 99));
    rp_db_rollback(db);
    emit_all(db, 4, 4);
    assert_ok(rp_db_outbox_last(db, &last));
    assert_int_equal(last, 4);
    assert_ok(rp_db_outbox(db, 10, arena, &first, &events, &count));
    assert_int_equal(first, 1);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        char want[32];
        snprintf(want, sizeof want, "\"version\":%zu", i + 1);
        assert_true(rp_view_find(events[i], rp_view_from_cstr(want)) < events[i].n);
    }
}

static void what_the_ledger_has_goes_away(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    uint64_t first = 0, last = 0;
    rp_view *events = NULL;
    size_t count = 0;
    emit_all(db, 1, 5);
    assert_ok(rp_db_outbox_ack(db, 2));
    assert_ok(rp_db_outbox_ack(db, 2)); /* twice is right */
    assert_ok(rp_db_outbox_ack(db, 1));
    assert_ok(rp_db_outbox(db, 2, arena, &first, &events, &count));
    assert_int_equal(first, 3);
    assert_int_equal(count, 2);
    assert_err(rp_db_outbox_ack(db, 6), INVALID);
    assert_ok(rp_db_outbox_ack(db, 5));
    assert_ok(rp_db_outbox(db, 2, arena, &first, &events, &count));
    assert_int_equal(first, 6);
    assert_int_equal(count, 0);
    emit_all(db, 6, 6);
    assert_ok(rp_db_outbox_last(db, &last));
    assert_int_equal(last, 6);
}

static void each_database_counts_for_itself(void **state) {
    (void)state;
    struct rp_db *central = NULL;
    uint64_t last = 9;
    emit_all(open_tenant(alpha), 1, 3);
    emit_all(open_tenant(beta), 1, 1);
    assert_ok(rp_db_outbox_last(open_tenant(beta), &last));
    assert_int_equal(last, 1);
    assert_ok(rp_store_system(store, &central, NULL));
    assert_true(rp_id_is_none(rp_db_tenant(central)));
    assert_ok(rp_db_outbox_last(central, &last));
    assert_int_equal(last, 0);
}

static void an_event_that_was_taken_out_is_noticed(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    uint64_t first = 0;
    rp_view *events = NULL;
    size_t count = 0;
    struct rp_row *row = NULL;
    emit_all(db, 1, 5);
    assert_ok(rp_db_query(db, "DELETE FROM outbox WHERE sequence = 5", &row));
    assert_ok(rp_row_run(row, NULL));
    assert_err(rp_db_outbox(db, 10, arena, &first, &events, &count), CORRUPT);
    assert_ok(rp_db_query(db, "DELETE FROM outbox WHERE sequence = 2", &row));
    assert_ok(rp_row_run(row, NULL));
    assert_err(rp_db_outbox(db, 3, arena, &first, &events, &count), CORRUPT);
}

static void an_event_that_none_of_ours_can_be_is_noticed(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    uint64_t first = 0, last = 0;
    rp_view *events = NULL;
    size_t count = 0;
    struct rp_row *row = NULL;
    emit_all(db, 1, 3);
    assert_ok(rp_db_query(db, "UPDATE outbox SET event = ?1 WHERE sequence = 2", &row));
    uint8_t *long_one = test_calloc(1, RP_EVENT_MAX + 1);
    rp_row_bind_blob(row, 1, rp_view_of(long_one, RP_EVENT_MAX + 1));
    assert_ok(rp_row_run(row, NULL));
    test_free(long_one);
    assert_err(rp_db_outbox(db, 10, arena, &first, &events, &count), CORRUPT);
    assert_ok(rp_db_query(db, "UPDATE outbox_state SET last = ?1 WHERE one = 1", &row));
    rp_row_bind_u64(row, 1, INT64_MAX);
    assert_ok(rp_row_run(row, NULL));
    assert_err(rp_db_outbox_last(db, &last), CORRUPT);
}

static void an_outbox_over_its_limit_refuses_the_change(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    struct rp_row *row = NULL;
    uint64_t last = 0;
    assert_ok(rp_db_query(db, "UPDATE outbox_state SET last = 99999 WHERE one = 1", &row));
    assert_ok(rp_row_run(row, NULL));
    emit_all(db, 1, 1);
    assert_ok(rp_db_begin(db));
    assert_ok(insert(db, record, RP_VIEW("one")));
    assert_err(emit(db, 2), OVERLOAD);
    rp_db_rollback(db);
    assert_int_equal(count_records(db), 0);
    assert_ok(rp_db_outbox_last(db, &last));
    assert_int_equal(last, RP_OUTBOX_MAX);
}

static void a_small_arena_takes_fewer_events(void **state) {
    (void)state;
    struct rp_db *db = open_tenant(alpha);
    struct rp_arena *small = rp_arena_new(4096);
    uint64_t first = 0;
    rp_view *events = NULL;
    size_t count = 0;
    emit_all(db, 1, 40);
    assert_ok(rp_db_outbox(db, 64, small, &first, &events, &count));
    assert_true(count > 0 && count < 40);
    rp_arena_reset(small);
    assert_err(rp_db_outbox(db, 256, small, &first, &events, &count), TOO_LARGE);
    rp_arena_free(small);
}

/* More tenants than handles: the least used close, and come back. */
static void more_tenants_than_open_handles(void **state) {
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 1; i <= RP_TENANTS_OPEN_MAX + 12; i++) {
            rp_id tenant = {{(uint8_t)i, (uint8_t)(i >> 8), 1}};
            struct rp_db *db = open_tenant(tenant);
            emit_all(db, 1, 1);
            uint64_t last = 0;
            assert_ok(rp_db_outbox_last(db, &last));
            assert_int_equal(last, round + 1);
        }
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(other_urls_are_refused),
        TEST(what_was_committed_is_read_after_a_restart),
        TEST(what_was_rolled_back_is_gone),
        TEST(a_handle_reaches_its_tenant_only),
        TEST(an_unknown_tenant_is_not_found),
        TEST(values_come_back_as_they_went_in),
        TEST(the_same_key_twice_is_a_duplicate),
        TEST(changed_rows_are_counted),
        TEST(events_are_numbered_from_one_without_gaps),
        TEST(what_the_ledger_has_goes_away),
        TEST(each_database_counts_for_itself),
        TEST(an_event_that_was_taken_out_is_noticed),
        TEST(an_event_that_none_of_ours_can_be_is_noticed),
        TEST(an_outbox_over_its_limit_refuses_the_change),
        TEST(a_small_arena_takes_fewer_events),
        TEST(more_tenants_than_open_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
