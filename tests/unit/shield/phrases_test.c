/* @pm: against a search that tries every phrase at every place, and against ModSecurity's own. */
#include "unit.h"

#include "modsecurity.h"
#include "shield/phrases.h"
#include "soup.h"

enum { PHRASES_MAX = 64 };

static struct rp_buf build(const rp_view *phrases, size_t count) {
    struct rp_arena *arena = rp_arena_new(64 << 20);
    struct rp_buf out = rp_buf_new(16 << 20);
    assert_ok(rp_phrases_build(phrases, count, arena, &out));
    assert_true(rp_phrases_check(rp_buf_view(&out)));
    rp_arena_free(arena);
    return out;
}

/* The longest of the phrases that end first. */
static bool plain_search(const rp_view *phrases, size_t count, rp_view value, rp_view *ret_match) {
    for (size_t end = 1; end <= value.n; end++) {
        size_t longest = 0;
        for (size_t i = 0; i < count; i++) {
            rp_view tail =
                rp_view_sub(value, end < phrases[i].n ? value.n : end - phrases[i].n, phrases[i].n);
            if (tail.n == phrases[i].n && rp_view_equal_nocase(tail, phrases[i])) {
                longest = RP_MAX(longest, tail.n);
            }
        }
        if (longest > 0) {
            *ret_match = rp_view_of(value.p + end - longest, longest);
            return true;
        }
    }
    return false;
}

static void the_phrase_that_ends_first_is_found(void **state) {
    (void)state;
    const rp_view phrases[] = {RP_VIEW_INIT("union select"), RP_VIEW_INIT("/ETC/passwd"),
                               RP_VIEW_INIT("passwd"), RP_VIEW_INIT("\xc3\xa9"), RP_VIEW_INIT("")};
    struct rp_buf out = build(phrases, RP_COUNT_OF(phrases));
    rp_view found = {0};
    assert_true(rp_phrases_find(rp_buf_view(&out), RP_VIEW("a=UNION Select 1"), &found));
    assert_view(found, "UNION Select");
    assert_true(rp_phrases_find(rp_buf_view(&out), RP_VIEW("../etc/PASSWD"), &found));
    assert_view(found, "/etc/PASSWD");
    assert_true(rp_phrases_find(rp_buf_view(&out), RP_VIEW("caf\xc3\xa9"), &found));
    assert_false(rp_phrases_find(rp_buf_view(&out), RP_VIEW("union  select passw"), &found));
    assert_false(rp_phrases_find(rp_buf_view(&out), RP_VIEW(""), &found));
    rp_buf_done(&out);
}

static void none_match_nothing(void **state) {
    (void)state;
    struct rp_buf out = build(NULL, 0);
    rp_view found = {0};
    assert_false(rp_phrases_find(rp_buf_view(&out), RP_VIEW("anything"), &found));
    rp_buf_done(&out);
}

static void every_byte_may_stand_in_a_phrase(void **state) {
    (void)state;
    uint8_t bytes[256];
    rp_view phrases[256];
    for (size_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        phrases[i] = rp_view_of(&bytes[i], 1);
    }
    struct rp_buf out = build(phrases, 256);
    for (size_t i = 0; i < 256; i++) {
        rp_view found = {0};
        assert_true(rp_phrases_find(rp_buf_view(&out), phrases[i], &found));
        assert_view_equal(found, phrases[i]);
    }
    rp_buf_done(&out);
}

/* Few letters, so that phrases overlap, begin and end with each other. */
static rp_view word(uint64_t *seed, uint8_t *bytes, size_t n) {
    static const uint8_t letters[] = "abAbc\xe9-";
    for (size_t i = 0; i < n; i++) {
        bytes[i] = letters[soup_next(seed) % 7];
    }
    return rp_view_of(bytes, n);
}

static size_t some_phrases(uint64_t *seed, rp_view *phrases, uint8_t *room) {
    size_t count = 1 + soup_next(seed) % PHRASES_MAX;
    for (size_t i = 0; i < count; i++) {
        phrases[i] = word(seed, room + 16 * i, 1 + soup_next(seed) % 9);
    }
    return count;
}

static void it_finds_what_a_plain_search_finds(void **state) {
    (void)state;
    uint64_t seed = 11;
    size_t hits = 0;
    for (size_t round = 0; round < 400; round++) {
        rp_view phrases[PHRASES_MAX];
        uint8_t room[16 * PHRASES_MAX];
        size_t count = some_phrases(&seed, phrases, room);
        count = round % 2 == 0 ? RP_MIN(count, 4) : count;
        struct rp_buf out = build(phrases, count);
        for (size_t i = 0; i < 50; i++) {
            uint8_t bytes[40];
            rp_view value = word(&seed, bytes, soup_next(&seed) % sizeof bytes);
            rp_view want = {0};
            rp_view got = {0};
            bool there = plain_search(phrases, count, value, &want);
            assert_true(rp_phrases_find(rp_buf_view(&out), value, &got) == there);
            assert_true(got.p == want.p && got.n == want.n);
            hits += there ? 1 : 0;
        }
        rp_buf_done(&out);
    }
    assert_true(hits > 1000 && hits < 19000);
}

static void damage_is_noticed_or_harmless(void **state) {
    (void)state;
    const rp_view phrases[] = {RP_VIEW_INIT("abcab"), RP_VIEW_INIT("bca"), RP_VIEW_INIT("cc")};
    struct rp_buf out = build(phrases, RP_COUNT_OF(phrases));
    size_t refused = 0;
    for (size_t i = 0; i < out.n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            rp_view found = {0};
            out.p[i] = (uint8_t)(out.p[i] ^ (1u << bit));
            if (!rp_phrases_check(rp_buf_view(&out))) {
                refused++;
            } else if (rp_phrases_find(rp_buf_view(&out), RP_VIEW("xabcabcabccx"), &found)) {
                assert_true(found.n <= 12);
            }
            out.p[i] = (uint8_t)(out.p[i] ^ (1u << bit));
        }
    }
    assert_true(refused > 500);
    assert_false(rp_phrases_check(rp_view_of(out.p, out.n - 1)));
    rp_buf_done(&out);
}

/* ---- the original ---- */

struct acmp_state {
    void *parser, *at;
};

struct acmp {
    void *(*create)(int flags);
    int (*add)(void *parser, const char *text, void *callback, void *data, size_t n);
    int (*prepare)(void *parser);
    int (*process)(struct acmp_state *state, const char **match, const char *data, size_t n);
};

static void load(void *library, const char *symbol, void *ret_function) {
    void *found = modsecurity_symbol(library, symbol);
    memcpy(ret_function, &found, sizeof found);
}

/* It misses some phrases (its failure links are followed one step only, and bytes over 127 never
 * match); whatever it finds we find, no later. */
static void nothing_is_missed_that_the_original_finds(void **state) {
    (void)state;
    void *library = modsecurity_open();
    if (library == NULL) {
        skip();
    }
    struct acmp acmp;
    load(library, "acmp_create", &acmp.create);
    load(library, "acmp_add_pattern", &acmp.add);
    load(library, "acmp_prepare", &acmp.prepare);
    load(library, "acmp_process_quick", &acmp.process);
    uint64_t seed = 5;
    size_t same = 0;
    for (size_t round = 0; round < 200; round++) {
        rp_view phrases[PHRASES_MAX];
        uint8_t room[16 * PHRASES_MAX] = {0};
        size_t count = RP_MIN(some_phrases(&seed, phrases, room), 6);
        struct rp_buf out = build(phrases, count);
        /* It has no way to be freed; kept here it is no leak. */
        static void *parsers[200];
        void *parser = parsers[round] = acmp.create(0);
        for (size_t i = 0; i < count; i++) {
            char text[17] = {0};
            memcpy(text, phrases[i].p, phrases[i].n);
            acmp.add(parser, text, NULL, NULL, phrases[i].n);
        }
        acmp.prepare(parser);
        for (size_t i = 0; i < 50; i++) {
            uint8_t bytes[40];
            rp_view value = word(&seed, bytes, soup_next(&seed) % sizeof bytes);
            const char *match = NULL;
            struct acmp_state at = {parser, NULL};
            int offset = acmp.process(&at, &match, (const char *)value.p, value.n);
            rp_view got = {0};
            bool found = rp_phrases_find(rp_buf_view(&out), value, &got);
            assert_true(found || offset < 0);
            if (offset >= 0) {
                size_t end = (size_t)(got.p - value.p) + got.n;
                assert_true(end <= (size_t)offset + 1);
                same += end == (size_t)offset + 1 ? 1 : 0;
            }
        }
        rp_buf_done(&out);
    }
    assert_true(same > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_phrase_that_ends_first_is_found),
        cmocka_unit_test(none_match_nothing),
        cmocka_unit_test(every_byte_may_stand_in_a_phrase),
        cmocka_unit_test(it_finds_what_a_plain_search_finds),
        cmocka_unit_test(damage_is_noticed_or_harmless),
        cmocka_unit_test(nothing_is_missed_that_the_original_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
