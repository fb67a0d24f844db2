#include "crypto/phc.h"

#include "base/checked.h"
#include "crypto/base64.h"
#include "crypto/password.h"

/* What `prefix` begins, up to `end`; false when text does not begin so. */
static bool take_field(rp_view *text, rp_view prefix, uint8_t end, rp_view *ret_field) {
    if (!rp_view_take(text, prefix)) {
        return false;
    }
    size_t n = rp_view_find_byte(*text, end);
    if (n == text->n) {
        return false;
    }
    *ret_field = rp_view_sub(*text, 0, n);
    *text = rp_view_from(*text, n + 1);
    return true;
}

static bool is_base64(rp_view text, size_t min, size_t max) {
    uint8_t bytes[64];
    size_t n = 0;
    return rp_base64_bytes(text, RP_BASE64_USUAL, bytes, RP_MIN(max, sizeof bytes), &n) && n >= min;
}

rp_err rp_phc_parse(rp_view text, struct rp_phc *ret_phc) {
    struct rp_phc phc = {0};
    rp_view kib;
    rp_view ops;
    rp_view rest = text;
    if (text.n >= RP_PASSWORD_TEXT || rp_view_find_byte(text, 0) != text.n ||
        !take_field(&rest, RP_VIEW("$argon2id$v=19$m="), ',', &kib) ||
        !take_field(&rest, RP_VIEW("t="), ',', &ops) ||
        !take_field(&rest, RP_VIEW("p=1$"), '$', &phc.salt)) {
        return RP_ERR(CORRUPT);
    }
    phc.hash = rest;
    if (!rp_view_to_u64(kib, RP_PHC_KIB_MAX, &phc.kib) || phc.kib < 8 ||
        !rp_view_to_u64(ops, RP_PHC_OPS_MAX, &phc.ops) || phc.ops < 1 ||
        !is_base64(phc.salt, 8, 48) || !is_base64(phc.hash, 16, 64)) {
        return RP_ERR(CORRUPT);
    }
    *ret_phc = phc;
    return RP_OK;
}
