/* jansson as a second opinion: on thousands of mutated documents both readers accept or refuse
 * alike, and what ours prints, jansson reads as the same document. */
#include <jansson.h>
#include <stdlib.h>

#include "unit.h"
#include "wire/json.h"

static const char *const seeds[] = {
    "{\"a\":[1,2.5,-3e2,true,false,null],\"b\":{\"c\":\"d\\u00e9\\n\"},\"e\":\"\"}",
    "[[[]],{},{\"x\":{\"y\":[0]}},\"\\ud83d\\ude00\",1e5]",
    "\"\\\\\\\"\\/\\b\\f\\n\\r\\t\xC3\xA9\"",
    "{\"k\":-0.5,\"K\":12345678,\"kk\":[1E+2,1e-2]}",
};

static bool jansson_accepts(rp_view text, json_t **ret_root) {
    json_error_t error;
    *ret_root = json_loadb((const char *)text.p, text.n,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL |
                               JSON_DECODE_INT_AS_REAL,
                           &error);
    return *ret_root != NULL;
}

static void compare(rp_view text, struct rp_arena *arena, size_t *accepted) {
    json_t *theirs = NULL;
    struct rp_json *ours = NULL;
    bool they = jansson_accepts(text, &theirs);
    bool we = rp_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &ours, NULL));
    if (they != we) {
        fail_msg("jansson %d, ours %d: %.*s", they, we, RP_FMT(text));
    }
    if (we) {
        struct rp_buf out = rp_buf_new(10000);
        assert_ok(rp_json_print(ours, &out));
        json_t *again = NULL;
        assert_true(jansson_accepts(rp_buf_view(&out), &again));
        if (!json_equal(theirs, again)) {
            fail_msg("%.*s became %.*s", RP_FMT(text), RP_FMT(rp_buf_view(&out)));
        }
        json_decref(again);
        rp_buf_done(&out);
        ++*accepted;
    }
    json_decref(theirs);
}

/* One to three bytes replaced, removed or doubled. */
static size_t mutate(uint8_t *text, size_t n, const struct rp_env *env) {
    static const char bytes[] = "{}[]\",:\\0123456789.eE+-truefalsn \n/\xC3\xA9\x80u";
    uint8_t chance[9];
    env->fill_random(env->ctx, chance, sizeof chance);
    for (size_t i = 0; i <= chance[8] % 3u && n > 1; i++) {
        size_t at = chance[i * 2] % n;
        if (chance[i * 2 + 1] % 4 == 0) {
            memmove(text + at, text + at + 1, n - at - 1);
            n--;
        } else if (chance[i * 2 + 1] % 4 == 1) {
            memmove(text + at + 1, text + at, n - at);
            n++;
        } else {
            text[at] = (uint8_t)bytes[chance[i * 2 + 1] % (sizeof bytes - 1)];
        }
    }
    return n;
}

static void both_readers_agree(void **state) {
    (void)state;
    struct unit_world world = {.random_state = 2026};
    struct rp_env env = unit_env(&world);
    struct rp_arena *arena = rp_arena_new(100000);
    size_t accepted = 0;
    enum { ROUNDS = 20000 };
    for (size_t round = 0; round < ROUNDS; round++) {
        uint8_t text[128];
        rp_view seed = rp_view_from_cstr(seeds[round % 4]);
        memcpy(text, seed.p, seed.n);
        size_t n = round < 4 ? seed.n : mutate(text, seed.n, &env);
        compare(rp_view_of(text, n), arena, &accepted);
        rp_arena_reset(arena);
    }
    rp_arena_free(arena);
    /* The mutations must reach both sides of the border. */
    assert_in_range(accepted, ROUNDS / 20, ROUNDS * 19 / 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_readers_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
