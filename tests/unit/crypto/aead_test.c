/* AES-256-GCM: the standard's own numbers, and that nothing opens anywhere but where it belongs. */
#include "unit.h"

#include "base/checked.h"
#include "crypto/aead.h"

static struct unit_world world = {.random_state = 1};
static struct rp_env env;

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    return 0;
}

static struct rp_secret *secret_of(const char *hex) {
    rp_view v = unit_hex(hex);
    uint8_t copy[64] = {0};
    assert_true(v.n <= sizeof copy);
    memcpy(copy, v.p, v.n);
    struct rp_secret *secret = NULL;
    assert_ok(rp_secret_new_take(copy, v.n, &secret));
    return secret;
}

/* The GCM specification's test case 16, put into our sealed form by hand. */
static const char case16_key[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
static const char case16_aad[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
static const char case16_plain[] =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b5"
    "25b16aedf5aa0de657ba637b39";
static const char case16_sealed[] =
    "52503141" /* RP1A */
    "cafebabefacedbaddecaf888"
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10568288"
    "38c5f61e6393ba7a0abcc9f662"
    "76fc6ece0f4e1768cddf8853bb2d551b";

static rp_view copy_hex(const char *hex, uint8_t *out) {
    rp_view v = unit_hex(hex);
    memcpy(out, v.p, v.n);
    return rp_view_of(out, v.n);
}

static void opens_the_standards_case(void **state) {
    (void)state;
    uint8_t aad_bytes[64];
    uint8_t sealed_bytes[256];
    rp_view aad = copy_hex(case16_aad, aad_bytes);
    rp_view sealed = copy_hex(case16_sealed, sealed_bytes);
    struct rp_secret *key = secret_of(case16_key);
    struct rp_buf plain = rp_buf_new(1024);
    assert_ok(rp_aead_open(key, aad, sealed, &plain));
    assert_view_equal(rp_buf_view(&plain), unit_hex(case16_plain));
    rp_buf_done(&plain);
    rp_secret_free(key);
}

static void fixed_nonce(void *ctx, uint8_t *out, size_t n) {
    (void)ctx;
    memcpy(out, unit_hex("cafebabefacedbaddecaf888").p, n);
}

static void seals_the_standards_case(void **state) {
    (void)state;
    uint8_t aad_bytes[64];
    uint8_t plain_bytes[64];
    rp_view aad = copy_hex(case16_aad, aad_bytes);
    rp_view plain = copy_hex(case16_plain, plain_bytes);
    struct rp_env fixed = env;
    fixed.fill_random = fixed_nonce;
    struct rp_secret *key = secret_of(case16_key);
    struct rp_buf sealed = rp_buf_new(1024);
    assert_ok(rp_aead_seal(&fixed, key, aad, plain, &sealed));
    assert_view_equal(rp_buf_view(&sealed), unit_hex(case16_sealed));
    rp_buf_done(&sealed);
    rp_secret_free(key);
}

/*= S82 type=test */
static void any_flipped_bit_is_noticed(void **state) {
    (void)state;
    struct rp_secret *key = secret_of(case16_key);
    struct rp_buf sealed = rp_buf_new(1024);
    struct rp_buf plain = rp_buf_new(1024);
    assert_ok(rp_aead_seal(&env, key, RP_VIEW("tenant/a/1"), RP_VIEW("a note"), &sealed));
    for (size_t bit = 0; bit < sealed.n * 8; bit++) {
        sealed.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_err(rp_aead_open(key, RP_VIEW("tenant/a/1"), rp_buf_view(&sealed), &plain), CORRUPT);
        assert_int_equal(plain.n, 0);
        sealed.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_ok(rp_aead_open(key, RP_VIEW("tenant/a/1"), rp_buf_view(&sealed), &plain));
    assert_view(rp_buf_view(&plain), "a note");
    rp_buf_done(&plain);
    rp_buf_done(&sealed);
    rp_secret_free(key);
}

/*= S67 type=test */
static void a_sealed_row_opens_only_in_its_place_and_with_its_key(void **state) {
    (void)state;
    struct rp_secret *key = secret_of(case16_key);
    struct rp_secret *neighbour = NULL;
    assert_ok(rp_secret_new_random(&env, RP_AEAD_KEY, &neighbour));
    struct rp_buf sealed = rp_buf_new(1024);
    struct rp_buf plain = rp_buf_new(1024);
    assert_ok(rp_aead_seal(&env, key, RP_VIEW("tenant/a/1"), RP_VIEW("a note"), &sealed));
    rp_view v = rp_buf_view(&sealed);
    assert_err(rp_aead_open(key, RP_VIEW("tenant/b/1"), v, &plain), CORRUPT);
    assert_err(rp_aead_open(key, RP_VIEW(""), v, &plain), CORRUPT);
    assert_err(rp_aead_open(neighbour, RP_VIEW("tenant/a/1"), v, &plain), CORRUPT);
    for (size_t n = 0; n < v.n; n++) {
        assert_err(rp_aead_open(key, RP_VIEW("tenant/a/1"), rp_view_sub(v, 0, n), &plain), CORRUPT);
    }
    rp_buf_done(&plain);
    rp_buf_done(&sealed);
    rp_secret_free(neighbour);
    rp_secret_free(key);
}

static void nothing_and_much_both_seal(void **state) {
    (void)state;
    static uint8_t much[100000];
    struct rp_secret *key = secret_of(case16_key);
    size_t sizes[] = {0, 1, 15, 16, 17, sizeof much};
    for (size_t i = 0; i < RP_COUNT_OF(sizes); i++) {
        struct rp_buf sealed = rp_buf_new(200000);
        struct rp_buf plain = rp_buf_new(200000);
        assert_ok(rp_aead_seal(&env, key, RP_VIEW("x"), rp_view_of(much, sizes[i]), &sealed));
        assert_int_equal(sealed.n, sizes[i] + RP_AEAD_OVERHEAD);
        assert_ok(rp_aead_open(key, RP_VIEW("x"), rp_buf_view(&sealed), &plain));
        assert_view_equal(rp_buf_view(&plain), rp_view_of(much, sizes[i]));
        rp_buf_done(&plain);
        rp_buf_done(&sealed);
    }
    rp_secret_free(key);
}

static void a_full_buffer_is_an_answer_and_keeps_what_it_held(void **state) {
    (void)state;
    struct rp_secret *key = secret_of(case16_key);
    struct rp_buf small = rp_buf_new(20);
    assert_err(rp_aead_seal(&env, key, RP_VIEW("x"), RP_VIEW("y"), &small), TOO_LARGE);
    assert_int_equal(small.n, 0);
    struct rp_buf sealed = rp_buf_new(100);
    assert_ok(rp_aead_seal(&env, key, RP_VIEW("x"), RP_VIEW("a text of 24 characters."), &sealed));
    assert_err(rp_aead_open(key, RP_VIEW("x"), rp_buf_view(&sealed), &small), TOO_LARGE);
    rp_buf_done(&small);
    rp_buf_done(&sealed);
    rp_secret_free(key);
}

static void a_key_travels_from_locked_memory_to_locked_memory(void **state) {
    (void)state;
    struct rp_secret *key = secret_of(case16_key);
    struct rp_secret *inner = NULL;
    struct rp_secret *back = NULL;
    assert_ok(rp_secret_new_random(&env, 32, &inner));
    struct rp_buf sealed = rp_buf_new(256);
    assert_ok(rp_aead_seal_secret(&env, key, RP_VIEW("k"), inner, &sealed));
    assert_err(rp_aead_open_secret(key, RP_VIEW("j"), rp_buf_view(&sealed), &back), CORRUPT);
    assert_null(back);
    assert_ok(rp_aead_open_secret(key, RP_VIEW("k"), rp_buf_view(&sealed), &back));
    uint8_t a[32];
    uint8_t b[32];
    rp_secret_reveal(inner, a, sizeof a);
    rp_secret_reveal(back, b, sizeof b);
    assert_memory_equal(a, b, sizeof a);
    /* The sealed form does not hold the key's bytes. */
    assert_int_equal(rp_view_find(rp_buf_view(&sealed), rp_view_of(a, 8)), sealed.n);
    rp_buf_done(&sealed);
    rp_secret_free(back);
    rp_secret_free(inner);
    rp_secret_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_the_standards_case),
        cmocka_unit_test(seals_the_standards_case),
        cmocka_unit_test(any_flipped_bit_is_noticed),
        cmocka_unit_test(a_sealed_row_opens_only_in_its_place_and_with_its_key),
        cmocka_unit_test(nothing_and_much_both_seal),
        cmocka_unit_test(a_full_buffer_is_an_answer_and_keeps_what_it_held),
        cmocka_unit_test(a_key_travels_from_locked_memory_to_locked_memory),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
