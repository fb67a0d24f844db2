/* Every transformation on any bytes: it stays in bounds, and says beforehand what it touches. */
#include "fuzz.h"
#include "shield/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(16 << 20);
    rp_view value = rp_view_of(data, n);
    struct rp_byte_set present = rp_byte_set_of(value);
    for (unsigned t = 0; t < RP_T_COUNT; t++) {
        rp_view got = {0};
        FUZZ_CHECK(rp_ok(rp_transform_apply((enum rp_transform)t, value, NULL, arena, &got)));
        bool same = got.p == value.p && got.n == value.n;
        FUZZ_CHECK(same || rp_transform_touches((enum rp_transform)t, &present));
        FUZZ_CHECK(same || !rp_view_equal(got, value));
        FUZZ_CHECK(got.n <= rp_transform_longest((enum rp_transform)t, value.n));
    }
    rp_arena_free(arena);
    return 0;
}
