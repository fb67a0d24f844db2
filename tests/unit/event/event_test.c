#include "event/event.h"

#include <string.h>

#include "base/arena.h"
#include "unit.h"
#include "wire/json.h"

static int enter(void **state) {
    *state = rp_arena_new(64 * 1024);
    return 0;
}

static int leave(void **state) {
    rp_arena_free(*state);
    return 0;
}

static void test_canonical_bytes(void **state) {
    struct rp_event *event =
        rp_event_new(*state, RP_EVENT_SIGN_IN_REFUSED, 1700000000123, RP_ROLE_CORE);
    rp_event_add_text(event, "reason", RP_VIEW("password"));
    rp_event_add_id(event, "person", (rp_id){{0xab}});
    rp_view bytes;
    assert_ok(rp_event_print(event, &bytes));
    assert_view(bytes,
                "{\"activity_id\":1,\"category_uid\":3,\"class_uid\":3002,\"metadata\":{"
                "\"event_code\":\"sign_in.refused\",\"log_name\":\"audit\",\"log_provider\":"
                "\"core\",\"version\":\"1.9.0\"},\"severity_id\":2,\"time\":1700000000123,"
                "\"type_uid\":300201,\"unmapped\":{\"person\":\"ab000000000000000000000000000000\","
                "\"reason\":\"password\"}}");
}

static void test_reads_what_it_prints(void **state) {
    struct rp_event *event = rp_event_new(*state, RP_EVENT_ANCHOR, 5, RP_ROLE_LEDGER);
    rp_event_add_u64(event, "trees", 12);
    rp_view bytes;
    struct rp_event_read read;
    uint64_t trees = 0;
    assert_ok(rp_event_print(event, &bytes));
    assert_ok(rp_event_parse(bytes, *state, &read));
    assert_int_equal(read.kind, RP_EVENT_ANCHOR);
    assert_int_equal(read.time_ms, 5);
    assert_view(read.provider, "ledger");
    assert_true(rp_json_get_u64(read.fields, "trees", &trees));
    assert_int_equal(trees, 12);
    assert_true(rp_event_is(bytes, RP_EVENT_ANCHOR));
    assert_false(rp_event_is(bytes, RP_EVENT_GATE_SEGMENT));
}

/* A stranger's bytes end as text: bounded, well-formed, cut between characters. */
static void test_text_is_cleaned_and_bounded(void **state) {
    struct rp_event *event = rp_event_new(*state, RP_EVENT_GATE_REFUSED, 1, RP_ROLE_LEDGER);
    char text[900];
    memset(text, 'a', sizeof text);
    memcpy(text + 511, "\xc3\xa9", 2);
    rp_event_add_text(event, "path", rp_view_of(text, sizeof text));
    rp_event_add_text(event, "host", RP_VIEW("x\xff\xed\xa0\x80y\xf4\x90\x80\x80\xc0\xaf\n\"z"));
    rp_view bytes;
    struct rp_event_read read;
    assert_ok(rp_event_print(event, &bytes));
    assert_ok(rp_event_parse(bytes, *state, &read));
    assert_int_equal(rp_json_get_string(read.fields, "path").n, 511);
    assert_view(rp_json_get_string(read.fields, "host"),
                "x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd"
                "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n\"z");
}

static void test_numbers_beyond_json_are_text(void **state) {
    struct rp_event *event = rp_event_new(*state, RP_EVENT_DISK_LOW, 1, RP_ROLE_LEDGER);
    rp_event_add_u64(event, "free_bytes", UINT64_MAX);
    rp_event_add_u64(event, "percent", ((uint64_t)1 << 53) - 1);
    rp_view bytes;
    struct rp_event_read read;
    assert_ok(rp_event_print(event, &bytes));
    assert_ok(rp_event_parse(bytes, *state, &read));
    assert_view(rp_json_get_string(read.fields, "free_bytes"), "18446744073709551615");
}

static void test_a_full_arena_is_an_answer(void **state) {
    (void)state;
    for (size_t max = 1; max < 4000; max += 100) {
        struct rp_arena *small = rp_arena_new(max);
        struct rp_event *event = rp_event_new(small, RP_EVENT_GATE_REFUSED, 1, RP_ROLE_LEDGER);
        rp_event_add_text(event, "path", RP_VIEW("/some/path"));
        rp_event_add_u64(event, "status", 403);
        rp_view bytes = {0};
        rp_err err = rp_event_print(event, &bytes);
        if (rp_ok(err)) {
            struct rp_event_read read;
            struct rp_arena *big = rp_arena_new(1 << 16);
            assert_ok(rp_event_parse(bytes, big, &read));
            assert_view(rp_json_get_string(read.fields, "path"), "/some/path");
            rp_arena_free(big);
        } else {
            assert_err(err, TOO_LARGE);
        }
        rp_arena_free(small);
    }
}

/*= S111 type=test: each kind of event names its log, and the five of them are used */
static void test_table(void **state) {
    (void)state;
    unsigned streams = 0;
    for (int i = 0; i < RP_EVENT_COUNT; i++) {
        enum rp_event_kind kind;
        assert_true(rp_event_kind_of(rp_view_from_cstr(rp_event_id((enum rp_event_kind)i)), &kind));
        assert_int_equal(kind, i);
        streams |= 1u << rp_event_stream(kind);
        assert_true(strlen(rp_event_text(kind, RP_FR)) > 0);
        assert_true(strlen(rp_event_text(kind, RP_EN)) > 0);
    }
    assert_int_equal(streams, 31);
    enum rp_event_kind kind;
    assert_false(rp_event_kind_of(RP_VIEW("no.such"), &kind));
}

static void test_foreign_json_is_refused(void **state) {
    struct rp_event_read read;
    assert_err(rp_event_parse(RP_VIEW("{}"), *state, &read), INVALID);
    assert_err(rp_event_parse(RP_VIEW("[1]"), *state, &read), INVALID);
    assert_false(rp_ok(rp_event_parse(RP_VIEW("{\"a\":1,\"a\":2}"), *state, &read)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_canonical_bytes),
        TEST(test_reads_what_it_prints),
        TEST(test_text_is_cleaned_and_bounded),
        TEST(test_numbers_beyond_json_are_text),
        TEST(test_a_full_arena_is_an_answer),
        TEST(test_table),
        TEST(test_foreign_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
