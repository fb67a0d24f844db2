#include "promise/canary.h"
#include "unit.h"

static void credentials_round_trip(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_canaries canaries = {.app = "canary",
                                   .app_token = "token",
                                   .people = {{{{1}}, "a@canary", "pass \"a\"", "ABCD"},
                                              {{{2}}, "b@canary", "pass b", "EFGH"}}};
    struct rp_buf out = rp_buf_new(4096);
    assert_ok(rp_canaries_print(&canaries, arena, &out));
    struct rp_canaries back;
    assert_ok(rp_canaries_parse(rp_buf_view(&out), arena, &back));
    assert_string_equal(back.app_token, "token");
    assert_string_equal(back.people[0].password, "pass \"a\"");
    assert_true(rp_id_equal(back.people[1].tenant, canaries.people[1].tenant));
    rp_buf_clear(&out);
    struct rp_canary one;
    assert_ok(rp_canary_print(&canaries.people[1], arena, &out));
    assert_ok(rp_canary_parse(rp_buf_view(&out), arena, &one));
    assert_string_equal(one.seed, "EFGH");
    assert_false(rp_ok(rp_canary_parse(RP_VIEW("{}"), arena, &one)));
    rp_buf_done(&out);
    rp_arena_free(arena);
}

static void anything_else_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", "{}", "{\"app\":\"x\",\"app_token\":\"y\",\"people\":[]}",
                                      "{\"app\":\"x\",\"app_token\":\"y\",\"people\":[{},{}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rp_arena *arena = rp_arena_new(1 << 20);
        struct rp_canaries canaries;
        assert_false(rp_ok(rp_canaries_parse(rp_view_from_cstr(bad[i]), arena, &canaries)));
        rp_arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_round_trip),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
