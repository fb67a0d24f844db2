#include "base/arena.h"
#include "unit.h"

static void memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    for (size_t n = 0; n < 40000; n = n * 2 + 1) {
        uint8_t *p = rp_arena_alloc(arena, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(p[i], 0);
            p[i] = 0xff;
        }
    }
    rp_arena_free(arena);
}

static void the_maximum_is_an_answer(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(100);
    assert_non_null(rp_arena_alloc(arena, 60));
    assert_null(rp_arena_alloc(arena, 41));
    assert_non_null(rp_arena_alloc(arena, 40));
    assert_null(rp_arena_array(arena, SIZE_MAX / 2, 4));
    rp_view copy = RP_VIEW("untouched");
    assert_err(rp_arena_copy(arena, RP_VIEW("x"), &copy), TOO_LARGE);
    assert_view(copy, "untouched");
    rp_arena_reset(arena);
    assert_int_equal(rp_arena_used(arena), 0);
    assert_ok(rp_arena_copy(arena, RP_VIEW("x"), &copy));
    assert_view(copy, "x");
    rp_arena_free(arena);
}

/* Blocks come again, dirty; what is asked for zeroed is zeroed, and the maximum is what it was. */
static void blocks_are_used_again(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    for (int round = 0; round < 3; round++) {
        uint8_t *before = NULL;
        for (int i = 0; i < 60; i++) {
            uint8_t *p = rp_arena_alloc(arena, 9000);
            assert_non_null(p);
            for (size_t at = 0; at < 9000; at++) {
                assert_int_equal(p[at], 0);
            }
            assert_ptr_not_equal(p, before);
            memset(p, 0xff, 9000);
            assert_non_null(before = rp_arena_room(arena, 8000));
            memset(before, 0xee, 8000);
        }
        assert_null(rp_arena_alloc(arena, 1 << 20));
        rp_arena_reuse(arena, round == 1 ? 1 << 20 : 100 * 1000); /* large blocks too, or none */
        assert_int_equal(rp_arena_used(arena), 0);
    }
    rp_arena_free(arena);
}

/* Its first block and its spare ones stay its own, so that they may be looked at. */
static void nothing_is_left_of_what_it_held(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new_wiping(1 << 20);
    uint8_t *texts[3];
    for (size_t i = 0; i < 3; i++) {
        texts[i] = rp_arena_room(arena, 9000); /* a block each */
        memset(texts[i], 'p', 9000);
    }
    rp_arena_reuse(arena, 100 * 1000);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 9000; k++) {
            assert_int_equal(texts[i][k], 0);
        }
    }
    rp_arena_free(arena);
}

static void text_helpers(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1000);
    assert_view(rp_arena_printf(arena, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(rp_arena_cstr(arena, RP_VIEW("abc")), "abc");
    assert_null(rp_arena_cstr(arena, RP_VIEW("a\0c")));
    rp_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(the_maximum_is_an_answer),
        cmocka_unit_test(blocks_are_used_again),
        cmocka_unit_test(nothing_is_left_of_what_it_held),
        cmocka_unit_test(text_helpers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
