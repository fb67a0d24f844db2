#include "keys/share.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "crypto/shamir.h"
#include "keys/recovery.h"
#include "wire/encode.h"

enum {
    CHECK = 2,
    BODY = RP_SHARE_SET + 2 + RP_UNSEAL_KEY,
    BYTES = BODY + CHECK,
    LETTERS = 64,
    GROUP = 4
};

_Static_assert(BYTES * 8 == LETTERS * 5, "no stray bits");

static void wipe_buf(struct rp_buf *buf) {
    rp_wipe(buf->p, buf->capacity);
    rp_buf_done(buf);
}

static void bytes_of(const struct rp_share *share, uint8_t out[static BYTES]) {
    memcpy(out, share->set, RP_SHARE_SET);
    out[RP_SHARE_SET] = share->threshold;
    out[RP_SHARE_SET + 1] = share->place;
    memcpy(out + RP_SHARE_SET + 2, share->bytes, RP_UNSEAL_KEY);
    struct rp_sha256 hash = rp_sha256_of(rp_view_of(out, BODY));
    memcpy(out + BODY, hash.b, CHECK);
}

rp_err rp_share_print(const struct rp_share *share, struct rp_buf *out) {
    uint8_t bytes[BYTES];
    _cleanup_(wipe_buf) struct rp_buf letters = rp_buf_new(LETTERS);
    bytes_of(share, bytes);
    rp_base32_print(&letters, rp_view_of(bytes, sizeof bytes));
    rp_wipe(bytes, sizeof bytes);
    RP_TRY(rp_buf_err(&letters));
    RP_ASSERT(letters.n == LETTERS);
    for (size_t i = 0; i < LETTERS; i += GROUP) {
        if (i > 0) {
            rp_buf_add_byte(out, '-');
        }
        rp_buf_add(out, rp_view_sub(rp_buf_view(&letters), i, GROUP));
    }
    return rp_buf_err(out);
}

static rp_err from_bytes(const uint8_t bytes[static BYTES], struct rp_share *ret_share) {
    struct rp_share share;
    uint8_t again[BYTES];
    memcpy(share.set, bytes, RP_SHARE_SET);
    share.threshold = bytes[RP_SHARE_SET];
    share.place = bytes[RP_SHARE_SET + 1];
    memcpy(share.bytes, bytes + RP_SHARE_SET + 2, RP_UNSEAL_KEY);
    bytes_of(&share, again);
    bool good = rp_ct_equal(rp_view_of(bytes, BYTES), rp_view_of(again, BYTES)) &&
                share.threshold >= 2 && share.threshold <= RP_SHAMIR_MAX && share.place >= 1 &&
                share.place <= RP_SHAMIR_MAX;
    rp_wipe(again, sizeof again);
    if (good) {
        *ret_share = share;
    }
    rp_wipe(&share, sizeof share);
    return good ? RP_OK : RP_ERR(INVALID);
}

rp_err rp_share_parse(rp_view text, struct rp_share *ret_share) {
    uint8_t letters[LETTERS];
    _cleanup_(wipe_buf) struct rp_buf bytes = rp_buf_new(BYTES + 8);
    rp_err err = rp_recovery_letters(text, letters, LETTERS) ? RP_OK : RP_ERR(INVALID);
    if (rp_ok(err)) {
        err = rp_base32_parse(rp_view_of(letters, LETTERS), &bytes);
    }
    rp_wipe(letters, sizeof letters);
    return rp_ok(err) && bytes.n == BYTES ? from_bytes(bytes.p, ret_share) : RP_ERR(INVALID);
}

void rp_share_set(const struct rp_root_seal *seal, uint8_t ret_set[static RP_SHARE_SET]) {
    struct rp_sha256 hash =
        rp_sha256_of2(RP_VIEW("rempart shares"), rp_view_of(seal->salt, sizeof seal->salt));
    memcpy(ret_set, hash.b, RP_SHARE_SET);
}
