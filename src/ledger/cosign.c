#include "ledger/cosign.h"

#include "base/assert.h"
#include "base/checked.h"

enum { TIME = 8, MESSAGE_MAX = RP_NOTE_MAX + 64 };

/* What is signed; the text is the note's, with its last newline. */
static rp_err print_message(rp_view text, uint64_t time_s, struct rp_buf *out) {
    rp_buf_add_cstr(out, "cosignature/v1\ntime ");
    rp_buf_add_u64(out, time_s);
    rp_buf_add_byte(out, '\n');
    rp_buf_add(out, text);
    return rp_buf_err(out);
}

rp_err rp_cosign(const struct rp_log_key *key, rp_view name, rp_view text, int64_t now_s,
                 struct rp_buf *out) {
    RP_ASSERT(now_s > 0);
    uint8_t bytes[RP_COSIGNATURE];
    _cleanup_(rp_buf_done) struct rp_buf message = rp_buf_new(MESSAGE_MAX);
    RP_TRY(print_message(text, (uint64_t)now_s, &message));
    for (unsigned i = 0; i < TIME; i++) {
        bytes[i] = (uint8_t)((uint64_t)now_s >> (8 * (TIME - 1 - i)));
    }
    RP_TRY(rp_ed25519_sign(key->secret, rp_buf_view(&message), bytes + TIME));
    struct rp_tlog_vkey vkey = rp_vkey_of(RP_VKEY_COSIGNER, name, key->public_key);
    rp_tlog_signature_print(out, name, vkey.key_id, rp_view_of(bytes, sizeof bytes));
    return rp_buf_err(out);
}

static rp_err check(const struct rp_tlog_signature *line, rp_view text,
                    const struct rp_tlog_vkey *vkey, int64_t *ret_time_s) {
    uint64_t time_s = 0;
    if (line->bytes.n != RP_COSIGNATURE) {
        return RP_ERR(BAD_SIGNATURE);
    }
    for (unsigned i = 0; i < TIME; i++) {
        time_s = time_s << 8 | line->bytes.p[i];
    }
    if (time_s > INT64_MAX) {
        return RP_ERR(BAD_SIGNATURE);
    }
    _cleanup_(rp_buf_done) struct rp_buf message = rp_buf_new(MESSAGE_MAX);
    RP_TRY(print_message(text, time_s, &message));
    RP_TRY(rp_ed25519_verify(vkey->public_key, rp_buf_view(&message),
                             rp_view_from(line->bytes, TIME)));
    *ret_time_s = (int64_t)time_s;
    return RP_OK;
}

rp_err rp_cosignature_find(const struct rp_tlog_note *note, const struct rp_tlog_vkey *vkey,
                           struct rp_cosignature *ret_cosignature) {
    struct rp_cosignature newest = {.time_s = -1};
    for (size_t i = 0; i < note->signature_count; i++) {
        const struct rp_tlog_signature *line = &note->signatures[i];
        int64_t time_s = 0;
        if (!rp_signature_is_by(line, vkey)) {
            continue;
        }
        RP_TRY(check(line, note->text, vkey, &time_s));
        if (time_s > newest.time_s) {
            newest = (struct rp_cosignature){time_s, line};
        }
    }
    if (!newest.line) {
        return RP_ERR(NOT_FOUND);
    }
    *ret_cosignature = newest;
    return RP_OK;
}
