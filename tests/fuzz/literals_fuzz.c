/* The first line is an expression, the rest a text: where PCRE2 finds the one in the other, the
 * prefilter has to let it through. And any bytes as a set: refused, or scanned without harm. */
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "fuzz.h"
#include "shield/clauses.h"
#include "shield/literals.h"

enum { STEPS_MAX = 20000 };

static bool matches(rp_view pattern, rp_view value) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code =
        pcre2_compile(pattern.p, pattern.n, PCRE2_DOTALL | PCRE2_MULTILINE, &error, &offset, NULL);
    if (code == NULL) {
        return false;
    }
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(context, STEPS_MAX);
    bool found = pcre2_match(code, value.p, value.n, 0, 0, data, context) >= 0;
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return found;
}

static uint64_t scan(rp_view set, rp_view value) {
    struct rp_byte_set present = rp_byte_set_of(value);
    uint64_t bits[1] = {0};
    rp_literals_scan(set, value, &present, bits);
    return bits[0];
}

static void any_bytes(const uint8_t *data, size_t n) {
    uint8_t *aligned = malloc(n + 1);
    RP_ASSERT(aligned != NULL);
    memcpy(aligned, data, n);
    rp_view bytes = rp_view_of(aligned, n);
    if (rp_literals_check(bytes, 3)) {
        FUZZ_CHECK(scan(bytes, bytes) < 8);
    }
    free(aligned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    any_bytes(data, n);
    rp_view value = rp_view_of(data, n);
    rp_view pattern = rp_view_cut(&value, '\n');
    struct rp_arena *arena = rp_arena_new(64 << 20);
    struct rp_needs needs[3] = {{.always = true}, {.always = true}, {.always = true}};
    struct rp_buf out = rp_buf_new(64 << 20);
    if (pattern.n <= 2000 && rp_ok(rp_literals_of_pattern(pattern, arena, &needs[1]))) {
        FUZZ_CHECK(needs[1].always || needs[1].needs_byte || needs[1].literal_count > 0);
        FUZZ_CHECK(rp_ok(rp_literals_build(needs, 3, arena, &out)));
        FUZZ_CHECK(rp_literals_check(rp_buf_view(&out), 3));
        bool candidate = (scan(rp_buf_view(&out), value) & 2) != 0;
        struct rp_clauses clauses;
        FUZZ_CHECK(rp_ok(rp_clauses_of_pattern(pattern, arena, &clauses)));
        struct rp_byte_set present = rp_byte_set_of(value);
        candidate = candidate && rp_clauses_allow(clauses, &present);
        FUZZ_CHECK(candidate || !matches(pattern, value));
        any_bytes(out.p, out.n);
    }
    rp_buf_done(&out);
    rp_arena_free(arena);
    return 0;
}
