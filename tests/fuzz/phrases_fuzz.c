/* Any bytes as an automaton: refused, or searched without harm. And any lines as phrases: what is
 * built is accepted, and finds each of them. */
#include <stdlib.h>

#include "fuzz.h"
#include "shield/phrases.h"

enum { PHRASES_MAX = 256 };

static void search(const uint8_t *data, size_t n) {
    uint8_t *aligned = malloc(n + 1);
    rp_view found = {0};
    RP_ASSERT(aligned != NULL);
    memcpy(aligned, data, n);
    rp_view bytes = rp_view_of(aligned, n);
    if (rp_phrases_check(bytes) && rp_phrases_find(bytes, bytes, &found)) {
        FUZZ_CHECK(found.n > 0 && found.p >= bytes.p && found.p + found.n <= bytes.p + bytes.n);
    }
    free(aligned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    search(data, n);
    struct rp_arena *arena = rp_arena_new(64 << 20);
    struct rp_buf out = rp_buf_new(64 << 20);
    rp_view phrases[PHRASES_MAX];
    size_t count = 0;
    for (rp_view rest = rp_view_of(data, n); rest.p != NULL && count < PHRASES_MAX;) {
        phrases[count++] = rp_view_cut(&rest, '\n');
    }
    if (rp_ok(rp_phrases_build(phrases, count, arena, &out))) {
        FUZZ_CHECK(rp_phrases_check(rp_buf_view(&out)));
        for (size_t i = 0; i < count; i++) {
            rp_view found = {0};
            FUZZ_CHECK(phrases[i].n == 0 || rp_phrases_find(rp_buf_view(&out), phrases[i], &found));
        }
        search(out.p, out.n);
    }
    rp_buf_done(&out);
    rp_arena_free(arena);
    return 0;
}
