/* Forms from anybody, read as a query and as cookies as well; the first byte says where they are
 * cut. */
#include "body.h"

static void query_and_cookies(rp_view bytes) {
    struct rp_arena *arena = rp_arena_new(BODY_ARENA);
    struct rp_body_limits limits = RP_BODY_LIMITS;
    struct rp_waf_pairs pairs = {0};
    bool invalid = false;
    const char *problem = NULL;
    if (rp_ok(rp_body_query(bytes, &limits, arena, &pairs, &invalid, &problem))) {
        FUZZ_CHECK(pairs.n <= limits.arguments_max);
    }
    pairs = (struct rp_waf_pairs){0};
    if (rp_ok(rp_body_cookies(bytes, arena, &pairs))) {
        for (size_t i = 0; i < pairs.n; i++) {
            FUZZ_CHECK(pairs.p[i].name.n > 0 && pairs.p[i].offset <= bytes.n);
        }
    }
    rp_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n > 0) {
        rp_view bytes = rp_view_of(data + 1, n - 1);
        body_fuzz(RP_BODY_URLENCODED, RP_VIEW(""), bytes, RP_MIN(data[0], bytes.n));
        query_and_cookies(bytes);
    }
    return 0;
}
