/* Shares: any k bring the secret back, k - 1 nothing; and shares that others made are combined. */
#include "unit.h"

#include "crypto/secret_bytes.h"
#include "crypto/shamir.h"

static struct unit_world world = {.now_ns = 1};

static void make_secret(const uint8_t *bytes, size_t n, struct rp_secret **ret_secret) {
    uint8_t copy[RP_SHAMIR_BYTES_MAX];
    assert_ok(rp_crypto_start());
    memcpy(copy, bytes, n);
    assert_ok(rp_secret_new_take(copy, n, ret_secret));
}

/* Combines the shares that `chosen` (a bit set) names. */
static bool brings_back(uint8_t shares[][RP_SHAMIR_BYTES_MAX], unsigned chosen,
                        const uint8_t *secret, size_t n) {
    uint8_t some[RP_SHAMIR_MAX][RP_SHAMIR_BYTES_MAX], places[RP_SHAMIR_MAX];
    struct rp_secret *got = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < RP_SHAMIR_MAX; i++) {
        if (chosen >> i & 1u) {
            places[count] = (uint8_t)(i + 1);
            memcpy(some[count++], shares[i], RP_SHAMIR_BYTES_MAX);
        }
    }
    assert_ok(
        rp_shamir_combine(places, (const uint8_t(*)[RP_SHAMIR_BYTES_MAX])some, count, n, &got));
    bool same = rp_ct_equal(rp_secret_view(got), rp_view_of(secret, n));
    rp_secret_free(got);
    return same;
}

static void every_choice_of_k_brings_it_back(void **state) {
    struct rp_env env = unit_env(&world);
    uint8_t bytes[32];
    (void)state;
    for (unsigned count = 2; count <= 6; count++) {
        for (unsigned threshold = 2; threshold <= count; threshold++) {
            struct rp_secret *secret = NULL;
            uint8_t shares[RP_SHAMIR_MAX][RP_SHAMIR_BYTES_MAX];
            env.fill_random(env.ctx, bytes, sizeof bytes);
            make_secret(bytes, sizeof bytes, &secret);
            rp_shamir_split(&env, secret, threshold, count, shares);
            for (unsigned chosen = 0; chosen < 1u << count; chosen++) {
                unsigned k = (unsigned)__builtin_popcount(chosen);
                if (k >= 2) {
                    assert_int_equal(brings_back(shares, chosen, bytes, sizeof bytes),
                                     k >= threshold);
                }
            }
            rp_secret_free(secret);
        }
    }
}

/* 2 of 2 for the byte 0x42 with the line 0x42 + 0x83 x, worked out by hand: at 2, 0x83·2 is 0x106,
 * less 0x11b, 0x1d; so 0x5f. At 1, 0xc1. */
static void it_is_the_field_of_aes(void **state) {
    (void)state;
    uint8_t shares[RP_SHAMIR_MAX][RP_SHAMIR_BYTES_MAX] = {{0xc1}, {0x5f}};
    const uint8_t secret[] = {0x42};
    assert_ok(rp_crypto_start());
    assert_true(brings_back(shares, 3, secret, 1));
    shares[1][0] ^= 1;
    assert_false(brings_back(shares, 3, secret, 1));
}

/* With k - 1 shares known every secret is as likely: each value of the missing share gives another.
 */
static void fewer_tell_nothing(void **state) {
    struct rp_env env = unit_env(&world);
    (void)state;
    const uint8_t byte[] = {0x37};
    struct rp_secret *secret = NULL;
    uint8_t shares[RP_SHAMIR_MAX][RP_SHAMIR_BYTES_MAX];
    bool seen[256] = {false};
    make_secret(byte, 1, &secret);
    rp_shamir_split(&env, secret, 3, 3, shares);
    for (unsigned guess = 0; guess < 256; guess++) {
        const uint8_t places[] = {1, 2, 3};
        struct rp_secret *got = NULL;
        shares[2][0] = (uint8_t)guess;
        assert_ok(
            rp_shamir_combine(places, (const uint8_t(*)[RP_SHAMIR_BYTES_MAX])shares, 3, 1, &got));
        uint8_t value = rp_secret_view(got).p[0];
        assert_false(seen[value]);
        seen[value] = true;
        rp_secret_free(got);
    }
    rp_secret_free(secret);
}

static void two_of_one_place_are_refused(void **state) {
    (void)state;
    const uint8_t shares[2][RP_SHAMIR_BYTES_MAX] = {{1}, {2}};
    const uint8_t same[] = {3, 3}, none[] = {0, 1};
    struct rp_secret *got = NULL;
    assert_ok(rp_crypto_start());
    assert_err(rp_shamir_combine(same, shares, 2, 1, &got), INVALID);
    assert_err(rp_shamir_combine(none, shares, 2, 1, &got), INVALID);
    assert_null(got);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_choice_of_k_brings_it_back),
        cmocka_unit_test(it_is_the_field_of_aes),
        cmocka_unit_test(fewer_tell_nothing),
        cmocka_unit_test(two_of_one_place_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
