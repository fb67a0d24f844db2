/* Lines of feeds: what is in them, and what is refused. */
#include "lookalike/feed.h"

#include "base/checked.h"
#include "unit.h"

struct line {
    const char *text;
    enum rp_code code;
    size_t count;
    const char *last;
};

static const struct line lines[] = {
    {"exemple.fr", RP_E_NONE, 1, "exemple.fr"},
    {"  exemple.fr \r", RP_E_NONE, 1, "exemple.fr"},
    {"", RP_E_NONE, 0, NULL},
    {"# what follows was bought today", RP_E_NONE, 0, NULL},
    {"{\"dns_names\":[\"a.fr\",\"*.b.fr\"]}", RP_E_NONE, 2, "*.b.fr"},
    {"{\"names\":[\"a.fr\"],\"dns_names\":[\"b.fr\"]}", RP_E_NONE, 1, "b.fr"},
    {"{\"id\":7,\"names\":[]}", RP_E_NONE, 0, NULL},
    {"{\"data\":{\"leaf_cert\":{\"all_domains\":[\"c.fr\"]}},\"message_type\":\"u\"}", RP_E_NONE, 1,
     "c.fr"},
    {"{\"dns_names\":\"a.fr\"}", RP_E_INVALID, 0, NULL},
    {"{\"dns_names\":[\"a.fr\",7]}", RP_E_INVALID, 0, NULL},
    {"{}", RP_E_INVALID, 0, NULL},
    {"{\"dns_names\":[\"a.fr\"]", RP_E_SYNTAX, 0, NULL},
};

/*= S176 type=test */
static void test_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(lines); i++) {
        struct rp_arena *arena = rp_arena_new(1 << 16);
        const struct rp_json *names = NULL;
        rp_err err = rp_feed_line(rp_view_from_cstr(lines[i].text), arena, &names, NULL);
        assert_int_equal(err.code, lines[i].code);
        assert_int_equal(names ? names->count : 0, lines[i].count);
        if (lines[i].last) {
            assert_view_equal(names->last->string, rp_view_from_cstr(lines[i].last));
        }
        rp_arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
