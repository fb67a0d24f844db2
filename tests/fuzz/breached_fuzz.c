/* Any bytes as a list: the search ends; in a list that is one throughout, it finds what a reading
 * from the start finds. */
#include "fuzz.h"
#include "identity/breached.h"

static rp_err read_bytes(void *ctx, uint64_t at, uint8_t *out, size_t n, size_t *ret_n) {
    rp_view piece = rp_view_sub(*(rp_view *)ctx, (size_t)at, n);
    if (piece.n > 0) {
        memcpy(out, piece.p, piece.n);
    }
    *ret_n = piece.n;
    return RP_OK;
}

/* 1: it stands there; 0: it does not; -1: this is no list. */
static int read_through(rp_view text, const char hex[static 41]) {
    int found = 0;
    char before[41] = "";
    while (text.p && text.n > 0) {
        rp_view line = rp_view_cut(&text, '\n');
        char here[41] = "";
        if (line.n < 40) {
            return -1;
        }
        for (size_t i = 0; i < 40; i++) {
            here[i] = (char)rp_lower(line.p[i]);
        }
        if (strcmp(before, here) >= 0) {
            return -1;
        }
        memcpy(before, here, sizeof before);
        found |= strcmp(here, hex) == 0;
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    uint8_t hash[RP_BREACHED_HASH] = {0};
    rp_view text = rp_view_of(data, n);
    struct rp_breached list = {.read = read_bytes, .ctx = &text, .size = n};
    char hex[41];
    bool found = false;
    /* The hash to look for: that of the middle line, when there is one. */
    rp_view rest = rp_view_from(text, n / 2);
    if (rp_view_find_byte(rest, '\n') + 41 < rest.n) {
        rest = rp_view_from(rest, rp_view_find_byte(rest, '\n') + 1);
    }
    for (size_t i = 0; i < 40; i++) {
        uint8_t c = i < rest.n ? rp_lower(rest.p[i]) : '0';
        int value = c >= 'a' && c <= 'f' ? c - 'a' + 10 : c & 15;
        hash[i / 2] = (uint8_t)(hash[i / 2] << 4 | value);
    }
    for (size_t i = 0; i < 40; i++) {
        hex[i] = "0123456789abcdef"[hash[i / 2] >> (i % 2 ? 0 : 4) & 15];
    }
    hex[40] = 0;
    rp_err err = rp_breached_find(&list, hash, &found);
    FUZZ_CHECK(rp_ok(err) || rp_is(err, RP_E_CORRUPT));
    bool whole = n > 0 && rp_ok(rp_breached_sample(&list, (unsigned)n, NULL));
    if (whole) {
        int there = read_through(text, hex);
        FUZZ_CHECK(there >= 0 && rp_ok(err) && found == (there == 1));
    }
    return 0;
}
