/* A token that is read has our algorithm and 64 bytes of signature; its claims, signed again, are a
 * token that reads back with the same claims. */
#include "fuzz.h"
#include "wire/jwt.h"

static void print_claims(const struct rp_json *claims, struct rp_buf *out) {
    FUZZ_CHECK(rp_ok(rp_json_print(claims, out)));
}

static void round_trip(const struct rp_jwt *jwt, struct rp_arena *arena, size_t n) {
    struct rp_buf token = rp_buf_new(100 * n);
    struct rp_buf before = rp_buf_new(100 * n);
    struct rp_buf after = rp_buf_new(100 * n);
    struct rp_jwt again;
    FUZZ_CHECK(rp_ok(rp_jwt_signing_input("k", jwt->claims, &token)));
    rp_jwt_append_signature(&token, jwt->signature);
    FUZZ_CHECK(rp_ok(rp_jwt_parse(rp_buf_view(&token), arena, &again)));
    print_claims(jwt->claims, &before);
    print_claims(again.claims, &after);
    FUZZ_CHECK(rp_view_equal(rp_buf_view(&before), rp_buf_view(&after)));
    FUZZ_CHECK(rp_view_equal(again.signature, jwt->signature));
    rp_buf_done(&token);
    rp_buf_done(&before);
    rp_buf_done(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_jwt jwt;
    if (rp_ok(rp_jwt_parse(rp_view_of(data, n), arena, &jwt))) {
        FUZZ_CHECK(jwt.signature.n == 64);
        FUZZ_CHECK(rp_view_equal(rp_json_get_string(jwt.header, "alg"), RP_VIEW("ES256")));
        FUZZ_CHECK(jwt.signing_input.p == data && jwt.signing_input.n < n);
        round_trip(&jwt, arena, n);
    }
    rp_arena_free(arena);
    return 0;
}
