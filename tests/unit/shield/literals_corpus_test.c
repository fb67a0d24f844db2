/* Every expression of Debian's Core Rule Set 3.3.4 on every line of its own tests: not one match
 * is missed, and most expressions say what they need. */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expression.h"
#include "shield/compile_io.h"
#include "shield/literals.h"
#include "soup.h"

enum { RULES_MAX = 2048, VALUES_MAX = 60000, WORDS = RULES_MAX / 64 };

struct world {
    struct rp_arena *arena;
    struct expression expressions[RULES_MAX];
    struct rp_needs needs[RULES_MAX];
    size_t count;
    rp_view *values;
    size_t value_count;
};

static int start(void **state) {
    struct world *w = test_calloc(1, sizeof *w);
    w->arena = rp_arena_new((size_t)1 << 30);
    w->values = test_calloc(VALUES_MAX, sizeof *w->values);
    *state = w;
    return 0;
}

static int stop(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < w->count; i++) {
        expression_done(&w->expressions[i]);
    }
    rp_arena_free(w->arena);
    test_free(w->values);
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
            assert_ok(rp_literals_of_pattern(pattern, w->arena, &w->needs[w->count++]));
        }
    }
    return true;
}

static void value_add(struct world *w, rp_view text) {
    if (text.n >= 2 && w->value_count < VALUES_MAX) {
        w->values[w->value_count++] = text;
    }
}

/* A line as it stands, what follows its key, and that decoded. */
static void line_add(struct world *w, rp_view line) {
    line = rp_view_trim(line);
    rp_view value = line;
    rp_view key = rp_view_cut(&value, ':');
    value = value.p != NULL ? rp_view_trim(value) : key;
    if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'')) {
        value = rp_view_sub(value, 1, value.n - 2);
    }
    rp_view decoded = {0};
    assert_ok(rp_transform_apply(RP_T_URL_DECODE_UNI, value, NULL, w->arena, &decoded));
    value_add(w, value);
    if (!rp_view_equal(decoded, value)) {
        value_add(w, decoded);
    }
}

static void folder_add(struct world *w, const char *path, unsigned depth) {
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[4096];
        struct stat at;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || stat(name, &at) != 0) {
            continue;
        }
        if (S_ISDIR(at.st_mode) && depth < 4) {
            folder_add(w, name, depth + 1);
        } else if (S_ISREG(at.st_mode)) {
            size_t n = 0;
            uint8_t *bytes = unit_file(name, &n);
            rp_view rest = {0};
            assert_ok(rp_arena_copy(w->arena, rp_view_of(bytes, n), &rest));
            test_free(bytes);
            while (rest.p != NULL) {
                line_add(w, rp_view_cut(&rest, '\n'));
            }
        }
    }
    closedir(folder);
}

static int by_bytes(const void *a, const void *b) {
    return rp_view_compare(*(const rp_view *)a, *(const rp_view *)b);
}

static void without_doubles(struct world *w) {
    qsort(w->values, w->value_count, sizeof *w->values, by_bytes);
    size_t kept = 0;
    for (size_t i = 0; i < w->value_count; i++) {
        if (kept == 0 || !rp_view_equal(w->values[kept - 1], w->values[i])) {
            w->values[kept++] = w->values[i];
        }
    }
    w->value_count = kept;
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
            if (!(bits[i / 64] >> i % 64 & 1)) {
                fail_msg("expression %zu is missed on \"%.*s\"", i, RP_FMT(value));
            }
        }
    }
    return matches;
}

/* Two values cut and put together, and a byte changed. */
static rp_view mutated(const struct world *w, uint64_t *seed, uint8_t *bytes, size_t room) {
    rp_view a = w->values[soup_next(seed) % w->value_count];
    rp_view b = w->values[soup_next(seed) % w->value_count];
    a = rp_view_sub(a, 0, RP_MIN(soup_next(seed) % (a.n + 1), room / 2));
    b = rp_view_sub(rp_view_from(b, soup_next(seed) % b.n), 0, room / 2);
    memcpy(bytes, a.p, a.n);
    memcpy(bytes + a.n, b.p, b.n);
    size_t n = a.n + b.n;
    bytes[soup_next(seed) % n] ^= (uint8_t)(soup_next(seed) % 2 == 0 ? 0x20 : 1);
    return rp_view_of(bytes, n);
}

static void nothing_of_the_rule_set_is_missed(void **state) {
    struct world *w = *state;
    const char *corpus = unit_corpora("crs-3.3.4/tests");
    if (corpus == NULL || !read_rules(w)) {
        print_message("needs REMPART_CORPORA and Debian's modsecurity-crs\n");
        skip();
    }
    folder_add(w, corpus, 0);
    without_doubles(w);
    struct rp_buf set = rp_buf_new(64 << 20);
    assert_ok(rp_literals_build(w->needs, w->count, w->arena, &set));
    assert_true(rp_literals_check(rp_buf_view(&set), w->count));
    size_t matches = 0;
    for (size_t i = 0; i < w->value_count; i++) {
        matches += matches_of(w, rp_buf_view(&set), w->values[i]);
    }
    uint64_t seed = 77;
    for (size_t i = 0; i < 5000; i++) {
        uint8_t bytes[600];
        matches += matches_of(w, rp_buf_view(&set), mutated(w, &seed, bytes, sizeof bytes));
    }
    print_message("%zu values and 5000 mutated, %zu matches\n", w->value_count, matches);
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
