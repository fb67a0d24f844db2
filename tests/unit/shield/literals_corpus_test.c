/* Every expression of Debian's Core Rule Set 3.3.4 on every line of its own tests: not one match
 * is missed, and most expressions say what they need. */
#include "unit.h"

#include <unistd.h>

#include "corpus.h"
#include "expression.h"
#include "shield/clauses.h"
#include "shield/compile_io.h"
#include "shield/literals.h"
#include "shield/literals_format.h"

enum { RULES_MAX = 2048, WORDS = RULES_MAX / 64 };

struct world {
    struct rp_arena *arena;
    struct expression expressions[RULES_MAX];
    struct rp_needs needs[RULES_MAX];
    struct rp_clauses clauses[RULES_MAX];
    size_t count;
    struct corpus corpus;
};

static int start(void **state) {
    struct world *w = test_calloc(1, sizeof *w);
    w->arena = rp_arena_new((size_t)1 << 30);
    *state = w;
    return 0;
}

static int stop(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < w->count; i++) {
        expression_done(&w->expressions[i]);
    }
    rp_arena_free(w->arena);
    test_free(w);
    return 0;
}

static bool read_rules(struct world *w) {
    static const char *const needed[] = {"/usr/share/modsecurity-crs/owasp-crs.load",
                                         "/etc/modsecurity/crs/crs-setup.conf"};
    for (size_t i = 0; i < RP_COUNT_OF(needed); i++) {
        if (access(needed[i], R_OK) != 0) {
            return false;
        }
    }
    struct rp_waf_loader loader = rp_waf_disk_loader();
    rp_view file = rp_view_from_cstr(needed[0]);
    struct rp_waf_ruleset set = {0};
    struct rp_waf_place place = {0};
    struct rp_diag diag = {0};
    assert_ok(rp_seclang_read(&loader, &file, 1, w->arena, &set, &place, &diag));
    for (size_t i = 0; i < set.rule_count && w->count < RULES_MAX; i++) {
        const struct rp_waf_rule *rule = &set.rules[i];
        bool fixed = rule->argument.count == 1 && rule->argument.pieces[0].literal;
        if (!rule->marker && !rule->unconditional && rule->op == RP_OP_RX && fixed) {
            rp_view pattern = rule->argument.pieces[0].text;
            assert_true(expression_new(pattern, 5000, &w->expressions[w->count]));
            pcre2_jit_compile(w->expressions[w->count].code, PCRE2_JIT_COMPLETE);
            assert_ok(rp_clauses_of_pattern(pattern, w->arena, &w->clauses[w->count]));
            assert_ok(rp_literals_of_pattern(pattern, w->arena, &w->needs[w->count++]));
        }
    }
    return true;
}

/* How many of the pairs matched; none of them may be missed. */
static size_t matches_of(const struct world *w, rp_view set, rp_view value) {
    uint64_t bits[WORDS] = {0};
    struct rp_byte_set present = rp_byte_set_of(value);
    rp_literals_scan(set, value, &present, bits);
    size_t matches = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (expression_matches(&w->expressions[i], value)) {
            matches++;
            if (!(bits[i / 64] >> i % 64 & 1) || !rp_clauses_allow(w->clauses[i], &present)) {
                fail_msg("expression %zu is missed on \"%.*s\"", i, RP_FMT(value));
            }
        }
    }
    return matches;
}

static void nothing_of_the_rule_set_is_missed(void **state) {
    struct world *w = *state;
    const char *corpus = unit_corpora("crs-3.3.4/tests");
    if (corpus == NULL || !read_rules(w)) {
        print_message("needs REMPART_CORPORA and Debian's modsecurity-crs\n");
        skip();
    }
    w->corpus = corpus_read(corpus, w->arena);
    struct rp_buf set = rp_buf_new(64 << 20);
    assert_ok(rp_literals_build(w->needs, w->count, w->arena, &set));
    assert_true(rp_literals_check(rp_buf_view(&set), w->count));
    size_t matches = 0;
    for (size_t i = 0; i < w->corpus.count; i++) {
        matches += matches_of(w, rp_buf_view(&set), w->corpus.values[i]);
    }
    uint64_t seed = 77;
    for (size_t i = 0; i < 5000; i++) {
        uint8_t bytes[600];
        matches += matches_of(w, rp_buf_view(&set),
                              corpus_mutated(&w->corpus, &seed, bytes, sizeof bytes));
    }
    print_message("%zu values and 5000 mutated, %zu matches\n", w->corpus.count, matches);
    assert_true(matches > 10000);
    rp_buf_done(&set);
}

static void most_expressions_say_what_they_need(void **state) {
    struct world *w = *state;
    if (w->count == 0 && !read_rules(w)) {
        skip();
    }
    size_t literals = 0;
    size_t bytes = 0;
    size_t texts = 0;
    for (size_t i = 0; i < w->count; i++) {
        literals += w->needs[i].literal_count > 0 ? 1 : 0;
        bytes += w->needs[i].needs_byte ? 1 : 0;
        texts += w->needs[i].literal_count;
    }
    print_message("of %zu expressions %zu need one of %zu literals, %zu a byte, %zu nothing\n",
                  w->count, literals, texts, bytes, w->count - literals - bytes);
    assert_true(literals * 100 >= w->count * 58);
    assert_true((literals + bytes) * 100 >= w->count * 86);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_the_rule_set_is_missed),
        cmocka_unit_test(most_expressions_say_what_they_need),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
