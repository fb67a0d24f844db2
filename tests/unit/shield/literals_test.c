/* The prefilter misses nothing that PCRE2 finds, and says as much as a pattern allows. */
#include "unit.h"

#include <stdio.h>

#include "expression.h"
#include "shield/clauses.h"
#include "shield/literals.h"
#include "shield/literals_format.h"
#include "soup.h"

static struct rp_arena *arena;

static int start(void **state) {
    (void)state;
    arena = rp_arena_new(256 << 20);
    return arena == NULL;
}

static int stop(void **state) {
    (void)state;
    rp_arena_free(arena);
    return 0;
}

static struct rp_needs needs_of(rp_view pattern) {
    struct rp_needs needs = {0};
    assert_ok(rp_literals_of_pattern(pattern, arena, &needs));
    assert_int_equal(needs.always + needs.needs_byte + (needs.literal_count > 0), 1);
    return needs;
}

/* "select|union": the literals, sorted; "[<>]": the bytes; "*": always. */
static void check(const char *pattern, const char *want) {
    struct rp_needs needs = needs_of(rp_view_from_cstr(pattern));
    char text[2048] = {0};
    size_t n = 0;
    for (size_t i = 0; i < needs.literal_count; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s", i > 0 ? "|" : "",
                              RP_FMT(needs.literals[i]));
    }
    if (needs.needs_byte) {
        text[n++] = '[';
        for (unsigned byte = 0; byte < 256; byte++) {
            if (needs.bytes.bits[byte >> 6] >> (byte & 63) & 1) {
                text[n++] = (char)byte;
            }
        }
        text[n++] = ']';
    }
    assert_string_equal(needs.always ? "*" : text, want);
    rp_arena_reset(arena);
}

static void patterns_say_what_they_need(void **state) {
    (void)state;
    check("(?i)Union\\s+SELECT", "select");
    check("(?i:select|union|insert)", "insert|select|union");
    check("\\bon(?:click|load)\\s*=", "onclick|onload");
    check("<script[^>]*>", "<script");
    check("s(?:e(?:lect|t)|how)", "select|set|show");
    check("(?:a|b)[xy]z", "axz|ayz|bxz|byz");
    check("[<>]", "[<>]");
    check("^[^<]*[<>].*$", "[<>]");
    check("ab?cd", "abcd|acd");
    check("x{3}", "xxx");
    check("(?:foo)+bar", "foobar");
    check("(?:foo)*bar\\d{2,3}", "bar");
    check("(?x) a b c # de\n f", "abcf");
    check("a\\x2e\\.\\056b", "a...b");
    check("[[:digit:]]+[a-c]e", "ae|be|ce");
    check("(foo)\\1bar", "bar");
    check("(?=foo)bar(?!baz)", "bar");
    check(".*", "*");
    check("a?", "*");
    check("", "*");
    check("^$", "*");
    check("(?:abc|.*)", "*");
    check("(?(1)a|b)c", "*");
    check("(*UTF8)abc", "*");
    check("a(?#b)*cde", "*");
    check("a\\E*cde", "*");
}

/* ---- against PCRE2 ---- */

enum { PATTERN_MAX = 400, DEEP = 4 };

struct writer {
    char text[PATTERN_MAX];
    size_t n;
    uint64_t *seed;
};

static size_t pick(struct writer *w, size_t n) {
    return soup_next(w->seed) % n;
}

static void put(struct writer *w, const char *text) {
    int n = snprintf(w->text + w->n, sizeof w->text - w->n, "%s", text);
    w->n += RP_MIN((size_t)n, sizeof w->text - 1 - w->n);
}

static void write_alternatives(struct writer *w, unsigned depth);

static void write_atom(struct writer *w, unsigned depth) {
    static const char *const simple[] = {
        "a",       "b",         "c",        "A",     "B",      "d",           "ab",
        "cd",      "[ab]",      "[^a]",     "[a-c]", "[^b-d]", ".",           "\\w",
        "\\d",     "\\s",       "\\W",      "\\b",   "^",      "$",           "\\x61",
        "\\x{62}", "\\143",     "\\Qab\\E", "\\.",   "-",      "[[:alpha:]]", "[[:^lower:]]",
        "[\\w-]",  "[]a]",      "[^]a]",    "\\1",   "\\g{1}", "(?i)",        "(?-i)",
        "(?#x)",   "\\E",       "(?=a)",    "(?!b)", "(?<=a)", "(?<!b)",      "\\h",
        "\\R",     "{",         "a{",       "b{x",   "(?x)",   " ",           "#c\n",
        "\\K",     "[\\x61-c]", "[a\\]b]",  "\\N",   "(?s)",   "[[:upper:]]", "[B-C]",
        "(?1)",    "\\e",       "\\cA",
    };
    static const char *const groups[] = {
        "(", "(?:", "(?i:", "(?>", "(?=", "(?!", "(?|", "(?<n>", "(?x:"};
    if (depth > 0 && pick(w, 4) == 0) {
        put(w, groups[pick(w, RP_COUNT_OF(groups))]);
        write_alternatives(w, depth - 1);
        put(w, ")");
    } else {
        put(w, simple[pick(w, RP_COUNT_OF(simple))]);
    }
}

static void write_alternatives(struct writer *w, unsigned depth) {
    static const char *const repeats[] = {"*",  "+",  "?",  "{2}", "{1,2}", "{0,1}", "{2,}",
                                          "*?", "++", "??", "{0}", "{3}",   "{5}",   "{1,}+"};
    size_t branches = 1 + pick(w, 3);
    for (size_t branch = 0; branch < branches; branch++) {
        put(w, branch > 0 ? "|" : "");
        size_t atoms = pick(w, 5);
        for (size_t i = 0; i < atoms; i++) {
            write_atom(w, depth);
            put(w, pick(w, 3) == 0 ? repeats[pick(w, RP_COUNT_OF(repeats))] : "");
        }
    }
}

static rp_view some_value(uint64_t *seed, uint8_t *bytes, size_t room) {
    static const char letters[] = "aaabbbccddABCD0 -.x\x01\x1b\n{";
    size_t n = soup_next(seed) % room;
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)letters[soup_next(seed) % (sizeof letters - 1)];
    }
    return rp_view_of(bytes, n);
}

static bool is_candidate(rp_view set, rp_view value) {
    struct rp_byte_set present = rp_byte_set_of(value);
    uint64_t bits[1] = {0};
    rp_literals_scan(set, value, &present, bits);
    return bits[0] & 1;
}

static void no_match_is_missed(void **state) {
    (void)state;
    uint64_t seed = 2024;
    size_t matches = 0;
    size_t filtered = 0;
    size_t forbidden = 0;
    for (size_t round = 0; round < 30000; round++) {
        struct writer w = {.seed = &seed};
        write_alternatives(&w, DEEP);
        rp_view pattern = rp_view_of(w.text, w.n);
        struct expression expression;
        if (!expression_new(pattern, 20000, &expression)) {
            continue;
        }
        struct rp_needs needs = needs_of(pattern);
        struct rp_clauses clauses;
        assert_ok(rp_clauses_of_pattern(pattern, arena, &clauses));
        struct rp_buf set = rp_buf_new(1 << 20);
        assert_ok(rp_literals_build(&needs, 1, arena, &set));
        assert_true(rp_literals_check(rp_buf_view(&set), 1));
        for (size_t i = 0; i < 12; i++) {
            uint8_t bytes[24];
            rp_view value = some_value(&seed, bytes, sizeof bytes);
            bool candidate = is_candidate(rp_buf_view(&set), value);
            bool match = expression_matches(&expression, value);
            if (match && !candidate) {
                fail_msg("missed: /%s/ on \"%.*s\"", w.text, RP_FMT(value));
            }
            struct rp_byte_set present = rp_byte_set_of(value);
            bool allowed = rp_clauses_allow(clauses, &present);
            if (match && !allowed) {
                fail_msg("its clauses: /%s/ on \"%.*s\"", w.text, RP_FMT(value));
            }
            forbidden += allowed ? 0 : 1;
            matches += match ? 1 : 0;
            filtered += candidate ? 0 : 1;
        }
        rp_buf_done(&set);
        expression_done(&expression);
        rp_arena_reset(arena);
    }
    assert_true(matches > 20000);
    assert_true(filtered > 20000);
    assert_true(forbidden > 20000);
}

static bool allows(const char *pattern, const char *text) {
    struct rp_clauses clauses;
    assert_ok(rp_clauses_of_pattern(rp_view_from_cstr(pattern), arena, &clauses));
    struct rp_byte_set present = rp_byte_set_of(rp_view_from_cstr(text));
    bool allowed = rp_clauses_allow(clauses, &present);
    rp_arena_reset(arena);
    return allowed;
}

static void clauses_ask_for_bytes(void **state) {
    (void)state;
    assert_true(allows("select", "tcEleSs"));
    assert_false(allows("select", "selec"));
    assert_true(allows("a|bc", "cb"));
    assert_false(allows("a|bc", "b"));
    assert_true(allows("a?b*", ""));
    assert_false(allows("(?:ab)+c{2}", "ab"));
    assert_true(allows("(?:ab){0,3}c", "c"));
    assert_true(allows("x(?=y)", "x"));
    assert_false(allows("[<>]script", "script"));
    assert_false(allows("(?:j|&#74;)(?:a|&#65;)(?:v|&#86;)(?:a|&#65;)", "json.items"));
    assert_true(allows("(?:j|&#74;)(?:a|&#65;)(?:v|&#86;)(?:a|&#65;)", "JAVA"));
    assert_true(allows("(a)\\1", "a"));
    assert_true(allows("(?(1)a|b)", "")); /* not understood: allowed */
}

/* ---- sets ---- */

static void many_rules_are_told_apart(void **state) {
    (void)state;
    const rp_view first[] = {RP_VIEW_INIT("select"), RP_VIEW_INIT("or")};
    const rp_view second[] = {RP_VIEW_INIT("select"), RP_VIEW_INIT("</script")};
    struct rp_needs rules[130] = {0};
    for (size_t i = 0; i < RP_COUNT_OF(rules); i++) {
        rules[i].always = i == 70;
        rules[i].needs_byte = i != 0 && i != 129 && i != 70;
        rules[i].bytes.bits[0] = UINT64_C(1) << '<';
    }
    rules[0].literals = first;
    rules[129].literals = second;
    rules[0].literal_count = rules[129].literal_count = 2;
    struct rp_buf set = rp_buf_new(1 << 20);
    assert_ok(rp_literals_build(rules, RP_COUNT_OF(rules), arena, &set));
    assert_true(rp_literals_check(rp_buf_view(&set), RP_COUNT_OF(rules)));
    assert_false(rp_literals_check(rp_buf_view(&set), RP_COUNT_OF(rules) - 1));
    const struct {
        rp_view value;
        uint64_t bits[3];
    } cases[] = {
        {RP_VIEW_INIT(""), {0, UINT64_C(1) << 6, 0}},
        {RP_VIEW_INIT("O"), {0, UINT64_C(1) << 6, 0}},
        {RP_VIEW_INIT("OR"), {1, UINT64_C(1) << 6, 0}},
        {RP_VIEW_INIT("SeLeCt"), {1, UINT64_C(1) << 6, 2}},
        {RP_VIEW_INIT("<"), {~UINT64_C(1), UINT64_MAX, 1}},
        {RP_VIEW_INIT("xx</SCRIPT"), {~UINT64_C(1), UINT64_MAX, 3}},
    };
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        struct rp_byte_set present = rp_byte_set_of(cases[i].value);
        uint64_t bits[3] = {0};
        rp_literals_scan(rp_buf_view(&set), cases[i].value, &present, bits);
        assert_memory_equal(bits, cases[i].bits, sizeof bits);
    }
    rp_buf_done(&set);
}

static void phrases_need_any_of_them(void **state) {
    (void)state;
    const rp_view words[] = {RP_VIEW_INIT("WGET "), RP_VIEW_INIT("curl")};
    const rp_view bytes[] = {RP_VIEW_INIT("ab"), RP_VIEW_INIT("<")};
    struct rp_needs needs;
    assert_ok(rp_literals_of_phrases(words, 2, arena, &needs));
    assert_int_equal(needs.literal_count, 2);
    assert_view(needs.literals[0], "wget ");
    assert_ok(rp_literals_of_phrases(bytes, 2, arena, &needs));
    assert_true(needs.needs_byte);
    assert_true(needs.bytes.bits[0] >> '<' & 1);
    assert_true(needs.bytes.bits[1] >> ('A' - 64) & 1);
    assert_ok(rp_literals_of_phrases(words, 0, arena, &needs));
    assert_true(needs.always);
}

/* The pass goes by windows: a word is found wherever it stands, and not beyond the value's end. */
static void no_place_is_blind(void **state) {
    (void)state;
    static const char *const words[] = {"oq", "jqz", "union", "information_schema"};
    static uint8_t text[2200];
    for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
        rp_view word = rp_view_from_cstr(words[i]);
        struct rp_needs needs;
        struct rp_buf set = rp_buf_new(1 << 20);
        assert_ok(rp_literals_of_phrases(&word, 1, arena, &needs));
        assert_ok(rp_literals_build(&needs, 1, arena, &set));
        for (size_t at = 0; at + word.n <= sizeof text; at++) {
            memset(text, 'x', sizeof text);
            memcpy(text + at, word.p, word.n);
            text[at] = (uint8_t)(text[at] - 32);
            assert_true(is_candidate(rp_buf_view(&set), rp_view_of(text, sizeof text)));
            assert_true(is_candidate(rp_buf_view(&set), rp_view_of(text, at + word.n)));
            assert_false(is_candidate(rp_buf_view(&set), rp_view_of(text, at + word.n - 1)));
        }
        rp_buf_done(&set);
    }
}

static void damage_is_noticed_or_harmless(void **state) {
    (void)state;
    struct rp_needs rules[] = {needs_of(RP_VIEW("select|union")), needs_of(RP_VIEW("[<>]")),
                               needs_of(RP_VIEW("or"))};
    struct rp_buf set = rp_buf_new(1 << 20);
    assert_ok(rp_literals_build(rules, RP_COUNT_OF(rules), arena, &set));
    size_t refused = 0;
    for (size_t i = 0; i < set.n; i++) {
        uint8_t before = set.p[i];
        set.p[i] = (uint8_t)(before ^ (1u << i % 8));
        if (rp_literals_check(rp_buf_view(&set), 3)) {
            rp_view value = RP_VIEW("union or select or <x> oruni");
            struct rp_byte_set present = rp_byte_set_of(value);
            uint64_t bits[1] = {0};
            rp_literals_scan(rp_buf_view(&set), value, &present, bits);
            assert_true(bits[0] < 8);
        } else {
            refused++;
        }
        set.p[i] = before;
    }
    assert_true(refused > 50);
    assert_false(rp_literals_check(rp_view_of(set.p, set.n - 8), 3));
    rp_buf_done(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_say_what_they_need),
        cmocka_unit_test(no_match_is_missed),
        cmocka_unit_test(clauses_ask_for_bytes),
        cmocka_unit_test(many_rules_are_told_apart),
        cmocka_unit_test(phrases_need_any_of_them),
        cmocka_unit_test(no_place_is_blind),
        cmocka_unit_test(damage_is_noticed_or_harmless),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
