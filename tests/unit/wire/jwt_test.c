#include "unit.h"
#include "wire/encode.h"
#include "wire/jwt.h"

static int arena_up(void **state) {
    *state = rp_arena_new(100000);
    return *state ? 0 : -1;
}

static int arena_down(void **state) {
    rp_arena_free(*state);
    return 0;
}

static void prints_and_takes_apart(void **state) {
    struct rp_arena *arena = *state;
    struct rp_json *claims = rp_json_object(arena);
    rp_json_add_cstr(arena, claims, "sub", "alice");
    rp_json_add_u64(arena, claims, "exp", 1700000000);
    struct rp_buf text = rp_buf_new(1000);
    assert_ok(rp_jwt_signing_input("k1", claims, &text));
    assert_view(rp_buf_view(&text), "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiSldUIn0."
                                    "eyJleHAiOjE3MDAwMDAwMDAsInN1YiI6ImFsaWNlIn0");
    size_t signed_n = text.n;
    uint8_t signature[64];
    memset(signature, 0xAB, sizeof signature);
    rp_jwt_append_signature(&text, rp_view_of(signature, sizeof signature));
    struct rp_jwt jwt;
    assert_ok(rp_jwt_parse(rp_buf_view(&text), arena, &jwt));
    assert_view_equal(jwt.signing_input, rp_view_sub(rp_buf_view(&text), 0, signed_n));
    assert_view(rp_json_get_string(jwt.header, "kid"), "k1");
    assert_view(rp_json_get_string(jwt.claims, "sub"), "alice");
    assert_view_equal(jwt.signature, rp_view_of(signature, sizeof signature));
    rp_buf_done(&text);
}

/* RFC 7515 appendix A.3: an ES256 JWS without typ. */
static void example_of_the_rfc(void **state) {
    rp_view text = RP_VIEW(
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    struct rp_jwt jwt;
    assert_ok(rp_jwt_parse(text, *state, &jwt));
    assert_view(rp_json_get_string(jwt.claims, "iss"), "joe");
    assert_int_equal(jwt.signature.p[0], 14);
    assert_int_equal(jwt.signature.p[63], 213);
}

static void token(struct rp_buf *out, const char *header, const char *claims, size_t signature_n) {
    uint8_t signature[65] = {1};
    rp_buf_clear(out);
    rp_base64url_print(out, rp_view_from_cstr(header));
    rp_buf_add_byte(out, '.');
    rp_base64url_print(out, rp_view_from_cstr(claims));
    rp_buf_add_byte(out, '.');
    rp_base64url_print(out, rp_view_of(signature, signature_n));
}

static void refused(void **state) {
    struct rp_buf text = rp_buf_new(1000);
    struct rp_jwt jwt;
    token(&text, "{\"alg\":\"ES256\"}", "{}", 64);
    assert_ok(rp_jwt_parse(rp_buf_view(&text), *state, &jwt));
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"es256\"}",
        "{\"typ\":\"JWT\"}",
        "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"ES256\",\"typ\":1}",
        "{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"ES256\",\"alg\":\"none\"}",
        "[]",
        "",
    };
    for (size_t i = 0; i < 10; i++) {
        token(&text, headers[i], "{}", 64);
        assert_err(rp_jwt_parse(rp_buf_view(&text), *state, &jwt), SYNTAX);
    }
    token(&text, "{\"alg\":\"ES256\"}", "[]", 64);
    assert_err(rp_jwt_parse(rp_buf_view(&text), *state, &jwt), SYNTAX);
    token(&text, "{\"alg\":\"ES256\"}", "{}", 63);
    assert_err(rp_jwt_parse(rp_buf_view(&text), *state, &jwt), SYNTAX);
    token(&text, "{\"alg\":\"ES256\"}", "{}", 65);
    assert_err(rp_jwt_parse(rp_buf_view(&text), *state, &jwt), SYNTAX);
    token(&text, "{\"alg\":\"ES256\"}", "{}", 64);
    rp_buf_add_cstr(&text, ".x");
    assert_err(rp_jwt_parse(rp_buf_view(&text), *state, &jwt), SYNTAX);
    token(&text, "{\"alg\":\"ES256\"}", "{}", 64);
    rp_buf_add_cstr(&text, "=");
    assert_err(rp_jwt_parse(rp_buf_view(&text), *state, &jwt), SYNTAX);
    assert_err(rp_jwt_parse(RP_VIEW(""), *state, &jwt), SYNTAX);
    assert_err(rp_jwt_parse(RP_VIEW("a.b"), *state, &jwt), SYNTAX);
    assert_err(rp_jwt_parse(RP_VIEW(".."), *state, &jwt), SYNTAX);
    rp_buf_done(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(prints_and_takes_apart, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(example_of_the_rfc, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(refused, arena_up, arena_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
