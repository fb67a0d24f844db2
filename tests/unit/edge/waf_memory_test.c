#include "unit.h"

#include <stdlib.h>

#include "judge/waf_memory.h"

static struct judge_memory *memory;

static int setup(void **state) {
    (void)state;
    memory = calloc(1, sizeof *memory);
    return memory ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    free(memory);
    return 0;
}

static bool has(const char *key, int64_t now_s, const char *value) {
    rp_view found;
    return rp_ok(judge_memory_get(memory, rp_view_from_cstr(key), now_s, &found)) &&
           rp_view_equal(found, rp_view_from_cstr(value));
}

static void put(const char *key, const char *value, int64_t expires_s) {
    judge_memory_put(memory, rp_view_from_cstr(key), rp_view_from_cstr(value), expires_s);
}

static void a_value_is_there_until_its_time(void **state) {
    (void)state;
    assert_false(has("a", 99, "1")); /* nothing was ever put */
    put("a", "1", 100);
    put("a", "2", 100);
    put("b", "", 100);
    assert_true(has("a", 99, "2"));
    assert_true(has("b", 99, ""));
    assert_false(has("a", 100, "2"));
    assert_false(has("c", 99, ""));
}

static void what_is_forgotten_or_too_long_is_not_there(void **state) {
    (void)state;
    put("gone", "1", 100);
    put("gone", "1", 0);
    assert_false(has("gone", 1, "1"));
    char text[JUDGE_MEMORY_VALUE_MAX + 1] = {0};
    memset(text, 'x', JUDGE_MEMORY_VALUE_MAX - 1);
    put("long", text, 100);
    assert_true(has("long", 1, text));
    text[JUDGE_MEMORY_VALUE_MAX - 1] = 'x';
    put("long", text, 100); /* neither cut nor the former value kept */
    assert_false(has("long", 1, text));
    text[JUDGE_MEMORY_VALUE_MAX - 1] = 0;
    assert_false(has("long", 1, text));
}

/* A flood of keys takes the places of those that end soonest; the table neither grows nor breaks.
 */
static void a_full_table_keeps_what_lasts_longest(void **state) {
    (void)state;
    put("kept", "1", 1000000);
    for (int i = 0; i < 50000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        put(key, "v", 100 + i % 7);
    }
    assert_true(has("kept", 1, "1"));
    assert_true(has("k49999", 1, "v"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_there_until_its_time),
        cmocka_unit_test(what_is_forgotten_or_too_long_is_not_there),
        cmocka_unit_test(a_full_table_keeps_what_lasts_longest),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
