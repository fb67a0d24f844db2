#include "crypto/shamir.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/secret_bytes.h"

enum { REDUCTION = 0x1b }; /* x^8 = x^4 + x^3 + x + 1 */

/* Eight rounds, always. */
static uint8_t multiply(uint8_t a, uint8_t b) {
    uint8_t product = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t take = (uint8_t)(0u - (b & 1u));  /* 0xff when this bit counts */
        uint8_t over = (uint8_t)(0u - (a >> 7u)); /* 0xff when x^8 appears */
        product ^= (uint8_t)(a & take);
        a = (uint8_t)(((unsigned)a << 1u) ^ (REDUCTION & over));
        b = (uint8_t)(b >> 1u);
    }
    return product;
}

/* a^254, which is 1/a: the group has 255 members. 0 gives 0. */
static uint8_t invert(uint8_t a) {
    uint8_t result = 1;
    for (unsigned bit = 0x80; bit != 0; bit >>= 1) {
        result = multiply(result, result);
        if (254u & bit) { /* of a constant, not of a */
            result = multiply(result, a);
        }
    }
    return result;
}

/* Horner, from the highest coefficient down to the secret. */
static uint8_t at(const uint8_t *coefficients, unsigned count, uint8_t x) {
    uint8_t y = 0;
    for (unsigned i = count; i-- > 0;) {
        y = (uint8_t)(multiply(y, x) ^ coefficients[i]);
    }
    return y;
}

void rp_shamir_split(const struct rp_env *env, const struct rp_secret *secret, unsigned threshold,
                     unsigned count, uint8_t out[][RP_SHAMIR_BYTES_MAX]) {
    rp_view bytes = rp_secret_view(secret);
    uint8_t coefficients[RP_SHAMIR_MAX];
    RP_ASSERT(threshold >= 2 && threshold <= count && count <= RP_SHAMIR_MAX);
    RP_ASSERT(bytes.n > 0 && bytes.n <= RP_SHAMIR_BYTES_MAX);
    for (size_t i = 0; i < bytes.n; i++) {
        env->fill_random(env->ctx, coefficients, threshold);
        coefficients[0] = bytes.p[i];
        for (unsigned k = 0; k < count; k++) {
            out[k][i] = at(coefficients, threshold, (uint8_t)(k + 1));
        }
    }
    rp_wipe(coefficients, sizeof coefficients);
}

/* Lagrange's weight of share `mine` at 0. Places are no secret. */
static uint8_t weight(const uint8_t *places, unsigned count, unsigned mine) {
    uint8_t top = 1, bottom = 1;
    for (unsigned i = 0; i < count; i++) {
        if (i != mine) {
            top = multiply(top, places[i]);
            bottom = multiply(bottom, places[i] ^ places[mine]);
        }
    }
    return multiply(top, invert(bottom));
}

static bool are_distinct(const uint8_t *places, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (places[i] == 0) {
            return false;
        }
        for (unsigned k = 0; k < i; k++) {
            if (places[k] == places[i]) {
                return false;
            }
        }
    }
    return true;
}

rp_err rp_shamir_combine(const uint8_t *places, const uint8_t shares[][RP_SHAMIR_BYTES_MAX],
                         unsigned count, size_t n, struct rp_secret **ret_secret) {
    RP_ASSERT(count >= 2 && count <= RP_SHAMIR_MAX && n > 0 && n <= RP_SHAMIR_BYTES_MAX);
    if (!are_distinct(places, count)) {
        return RP_ERR(INVALID);
    }
    _cleanup_(rp_secret_freep) struct rp_secret *secret = NULL;
    RP_TRY(rp_secret_new_empty(n, &secret));
    uint8_t *out = rp_secret_bytes(secret);
    for (unsigned k = 0; k < count; k++) {
        uint8_t w = weight(places, count, k);
        for (size_t i = 0; i < n; i++) {
            out[i] ^= multiply(shares[k][i], w);
        }
    }
    *ret_secret = rp_take(&secret);
    return RP_OK;
}
