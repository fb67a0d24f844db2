#include "base/id.h"

#include "base/assert.h"

_Static_assert(RP_ID_TEXT == 2 * RP_ID_BYTES, "two digits a byte");

void rp_hex_print(rp_view v, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < v.n; i++) {
        out[2 * i] = digits[v.p[i] >> 4];
        out[2 * i + 1] = digits[v.p[i] & 15];
    }
}

/* One text has one value, so a capital is no digit here. */
static int digit(uint8_t c) {
    return c >= 'A' && c <= 'F' ? -1 : rp_hex_digit(c);
}

bool rp_hex_parse(rp_view text, uint8_t *out, size_t n) {
    RP_ASSERT(out != NULL);
    if (text.n != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int high = digit(text.p[2 * i]);
        int low = digit(text.p[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

struct rp_id_text rp_id_print(rp_id id) {
    struct rp_id_text text = {{0}};
    rp_hex_print(rp_view_of(id.b, sizeof id.b), text.s);
    return text;
}

bool rp_id_parse(rp_view text, rp_id *ret_id) {
    rp_id id;
    if (!rp_hex_parse(text, id.b, sizeof id.b)) {
        return false;
    }
    *ret_id = id;
    return true;
}

bool rp_id_equal(rp_id a, rp_id b) {
    return __builtin_memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool rp_id_is_none(rp_id id) {
    static const rp_id none;
    return rp_id_equal(id, none);
}
