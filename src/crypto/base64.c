#include "crypto/base64.h"

/* The value of a digit, or -1. */
static int digit(uint8_t c, const char *alphabet) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == (uint8_t)alphabet[0] ? 62 : c == (uint8_t)alphabet[1] ? 63 : -1;
}

bool rp_base64_bytes(rp_view text, const char *alphabet, uint8_t *out, size_t max, size_t *ret_n) {
    uint32_t bits = 0;
    unsigned held = 0;
    size_t n = 0;
    if (text.n % 4 == 1) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        int value = digit(text.p[i], alphabet);
        if (value < 0) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            if (n == max) {
                return false;
            }
            out[n++] = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1U << held) - 1)) != 0) {
        return false;
    }
    *ret_n = n;
    return true;
}
