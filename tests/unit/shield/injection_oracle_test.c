/* Our verdicts on SQL and markup against libinjection's own, which libmodsecurity exports: the
 * Core Rule Set's tests and our seeds, mutations of them, and values made from grammars. */
#include "unit.h"

#include "corpus.h"
#include "modsecurity.h"
#include "shield/injection.h"

enum { GENERATED = 700000, MUTATED = 100000, VALUE_MAX = 4096 };

typedef int original_sqli(const char *text, size_t n, char *ret_fingerprint);
typedef int original_xss(const char *text, size_t n);

struct referee {
    void *library;
    original_sqli *sqli;
    original_xss *xss;
    size_t values, sqli_found, xss_found;
};

static int start(void **state) {
    static struct referee referee;
    referee.library = modsecurity_open();
    if (referee.library != NULL) {
        void *symbol = modsecurity_symbol(referee.library, "libinjection_sqli");
        memcpy(&referee.sqli, &symbol, sizeof referee.sqli);
        symbol = modsecurity_symbol(referee.library, "libinjection_xss");
        memcpy(&referee.xss, &symbol, sizeof referee.xss);
    }
    *state = &referee;
    return 0;
}

static int stop(void **state) {
    struct referee *referee = *state;
    if (referee->library != NULL) {
        dlclose(referee->library);
    }
    return 0;
}

static void explain(rp_view value, const char *what, const char *got, const char *want) {
    fprintf(stderr, "# %s: got \"%s\", want \"%s\" on ", what, got, want);
    for (size_t i = 0; i < value.n; i++) {
        unsigned c = value.p[i];
        fprintf(stderr, c >= 0x20 && c < 0x7f ? "%c" : "<%02x>", c);
    }
    fprintf(stderr, "\n");
}

/* The original reads one byte further than its value: ModSecurity's strings end in a NUL. */
static void compare(struct referee *referee, rp_view value) {
    char text[VALUE_MAX + 1];
    char got[8] = "";
    char want[8] = "";
    value = rp_view_sub(value, 0, VALUE_MAX);
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    bool sqli = referee->sqli(text, value.n, want) != 0;
    bool xss = referee->xss(text, value.n) != 0;
    bool our_sqli = rp_detect_sqli(value, got);
    bool our_xss = rp_detect_xss(value);
    referee->values++;
    referee->sqli_found += sqli;
    referee->xss_found += xss;
    if (our_sqli != sqli || strcmp(got, want) != 0) {
        explain(value, "sqli", got, want);
        fail();
    }
    if (our_xss != xss) {
        explain(value, "xss", our_xss ? "found" : "none", xss ? "found" : "none");
        fail();
    }
}

/* ---- what others wrote ---- */

static void compare_corpus(struct referee *referee, struct corpus *corpus, uint64_t seed) {
    for (size_t i = 0; i < corpus->count; i++) {
        compare(referee, corpus->values[i]);
    }
    for (size_t i = 0; i < MUTATED; i++) {
        uint8_t bytes[600];
        compare(referee, corpus_mutated(corpus, &seed, bytes, sizeof bytes));
    }
}

static void same_on_the_rule_sets_own_tests(void **state) {
    struct referee *referee = *state;
    const char *path = unit_corpora("crs-3.3.4/tests");
    if (referee->library == NULL || path == NULL) {
        print_message("needs libmodsecurity3 and REMPART_CORPORA\n");
        skip();
    }
    struct rp_arena *arena = rp_arena_new((size_t)1 << 30);
    struct corpus corpus = corpus_read(path, arena);
    *referee = (struct referee){referee->library, referee->sqli, referee->xss, 0, 0, 0};
    compare_corpus(referee, &corpus, 11);
    print_message("%zu values, %zu with SQL, %zu with markup\n", referee->values,
                  referee->sqli_found, referee->xss_found);
    assert_true(referee->sqli_found > 1000 && referee->xss_found > 5000);
    rp_arena_free(arena);
}

static void same_on_all_seeds(void **state) {
    struct referee *referee = *state;
    if (referee->library == NULL) {
        skip();
    }
    struct rp_arena *arena = rp_arena_new((size_t)1 << 30);
    struct corpus corpus = corpus_read(SEEDS, arena);
    compare_corpus(referee, &corpus, 12);
    assert_true(corpus.count > 200);
    rp_arena_free(arena);
}

/* ---- what grammars make ---- */

#define F(text) RP_VIEW_INIT(text),
static const rp_view sql_pieces[] = {
#include "injection_sql_pieces.def"
};
static const rp_view html_pieces[] = {
#include "injection_html_pieces.def"
};
#undef F

/* Up to ten pieces, now and then a space between, a letter's case or one byte at random. */
static rp_view generated(const rp_view *pieces, size_t count, uint64_t *seed, uint8_t *bytes) {
    size_t n = 0;
    size_t wanted = 1 + soup_next(seed) % 10;
    for (size_t i = 0; i < wanted; i++) {
        uint64_t chance = soup_next(seed);
        rp_view piece = pieces[chance % count];
        memcpy(bytes + n, piece.p, piece.n);
        if ((chance >> 32 & 1) != 0) {
            bytes[n] = (uint8_t)(bytes[n] >= 'a' && bytes[n] <= 'z' ? bytes[n] - 32 : bytes[n]);
        }
        if ((chance >> 40 & 31) == 0) {
            bytes[n] = (uint8_t)(chance >> 48);
        }
        n += piece.n;
        if ((chance >> 33 & 3) == 0) {
            bytes[n++] = ' ';
        }
    }
    return rp_view_of(bytes, n);
}

static void same_on_generated(struct referee *referee, const rp_view *pieces, size_t count) {
    if (referee->library == NULL) {
        skip();
    }
    *referee = (struct referee){referee->library, referee->sqli, referee->xss, 0, 0, 0};
    uint64_t seed = count;
    for (size_t i = 0; i < GENERATED; i++) {
        uint8_t bytes[400];
        compare(referee, generated(pieces, count, &seed, bytes));
    }
    print_message("%zu values, %zu with SQL, %zu with markup\n", referee->values,
                  referee->sqli_found, referee->xss_found);
}

static void same_on_generated_sql(void **state) {
    struct referee *referee = *state;
    same_on_generated(referee, sql_pieces, RP_COUNT_OF(sql_pieces));
    assert_true(referee->sqli_found > GENERATED / 50);
}

static void same_on_generated_markup(void **state) {
    struct referee *referee = *state;
    same_on_generated(referee, html_pieces, RP_COUNT_OF(html_pieces));
    assert_true(referee->xss_found > GENERATED / 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_on_the_rule_sets_own_tests),
        cmocka_unit_test(same_on_all_seeds),
        cmocka_unit_test(same_on_generated_sql),
        cmocka_unit_test(same_on_generated_markup),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
