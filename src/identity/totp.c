/* totp.c — which time steps a one-time code belongs to. RFC 6238, one step of drift either way. */
#include "identity/internal.h"

#include "base/assert.h"

enum { STEP_S = 30, DIGITS = 6 };

/* People copy "123 456". */
static bool read_digits(rp_view code, char ret_digits[static DIGITS]) {
    size_t n = 0;
    for (size_t i = 0; i < code.n; i++) {
        if (code.p[i] == ' ') {
            continue;
        }
        if (code.p[i] < '0' || code.p[i] > '9' || n == DIGITS) {
            return false;
        }
        ret_digits[n++] = (char)code.p[i];
    }
    return n == DIGITS;
}

struct rp_totp_match rp_totp_match(const struct rp_secret *seed, rp_view code, int64_t now_ms) {
    RP_ASSERT(seed != NULL && now_ms >= (int64_t)STEP_S * 1000);
    struct rp_totp_match match = {.count = 0};
    char digits[DIGITS], expected[DIGITS];
    if (!read_digits(code, digits)) {
        return match;
    }
    uint64_t now = (uint64_t)now_ms / (STEP_S * 1000);
    for (uint64_t step = now - 1; step <= now + 1; step++) {
        rp_totp_code(seed, step, expected);
        if (rp_ct_equal(rp_view_of(digits, DIGITS), rp_view_of(expected, DIGITS))) {
            match.steps[match.count++] = step;
        }
    }
    rp_wipe(expected, sizeof expected);
    return match;
}
