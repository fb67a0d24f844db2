#include "ledger/note.h"

#include "base/assert.h"
#include "base/checked.h"

struct rp_tlog_vkey rp_vkey_of(enum rp_vkey_type type, rp_view name,
                               const uint8_t key[static RP_ED25519_PUBLIC]) {
    struct rp_tlog_vkey vkey = {.name = name, .type = (uint8_t)type};
    vkey.public_key = rp_view_of(key, RP_ED25519_PUBLIC);
    rp_note_key_id(name, vkey.type, vkey.public_key, vkey.key_id);
    return vkey;
}

void rp_vkey_print(struct rp_buf *out, rp_view name, const uint8_t key[static RP_ED25519_PUBLIC]) {
    struct rp_tlog_vkey vkey = rp_vkey_of(RP_VKEY_LOG, name, key);
    rp_tlog_vkey_print(out, &vkey);
}

rp_err rp_vkey_parse_as(enum rp_vkey_type type, rp_view text, struct rp_arena *arena,
                        struct rp_tlog_vkey *ret_vkey) {
    struct rp_tlog_vkey vkey;
    RP_TRY(rp_tlog_vkey_parse(text, arena, &vkey));
    if (vkey.type != (uint8_t)type || vkey.public_key.n != RP_ED25519_PUBLIC) {
        return RP_ERR(UNSUPPORTED);
    }
    struct rp_tlog_vkey own = rp_vkey_of(type, vkey.name, vkey.public_key.p);
    if (!rp_view_equal(rp_view_of(own.key_id, sizeof own.key_id),
                       rp_view_of(vkey.key_id, sizeof vkey.key_id))) {
        return RP_ERR(CORRUPT);
    }
    *ret_vkey = vkey;
    return RP_OK;
}

rp_err rp_vkey_parse(rp_view text, struct rp_arena *arena, struct rp_tlog_vkey *ret_vkey) {
    return rp_vkey_parse_as(RP_VKEY_LOG, text, arena, ret_vkey);
}

bool rp_signature_is_by(const struct rp_tlog_signature *signature,
                        const struct rp_tlog_vkey *vkey) {
    return rp_view_equal(signature->name, vkey->name) &&
           rp_view_equal(rp_view_of(signature->key_id, sizeof signature->key_id),
                         rp_view_of(vkey->key_id, sizeof vkey->key_id));
}

rp_err rp_checkpoint_sign(const struct rp_log_key *key, rp_view origin, uint64_t size,
                          const rp_hash *root, struct rp_buf *out) {
    struct rp_tlog_checkpoint checkpoint = {.origin = origin, .size = size};
    memcpy(checkpoint.root, root->b, sizeof checkpoint.root);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_NOTE_MAX);
    rp_tlog_checkpoint_print(&text, &checkpoint);
    RP_TRY(rp_buf_err(&text));
    uint8_t signature[RP_SIGNATURE];
    RP_TRY(rp_ed25519_sign(key->secret, rp_buf_view(&text), signature));
    struct rp_tlog_vkey vkey = rp_vkey_of(RP_VKEY_LOG, origin, key->public_key);
    rp_buf_add(out, rp_buf_view(&text));
    rp_buf_add_byte(out, '\n');
    rp_tlog_signature_print(out, origin, vkey.key_id, rp_view_of(signature, sizeof signature));
    return rp_buf_err(out);
}

/* One good signature by the key; none of its own may be bad, others are none of our business. */
static rp_err check_signatures(const struct rp_tlog_note *note, const struct rp_tlog_vkey *vkey) {
    bool signed_by_key = false;
    for (size_t i = 0; i < note->signature_count; i++) {
        const struct rp_tlog_signature *s = &note->signatures[i];
        if (rp_signature_is_by(s, vkey)) {
            RP_TRY(rp_ed25519_verify(vkey->public_key, note->text, s->bytes));
            signed_by_key = true;
        }
    }
    return signed_by_key ? RP_OK : RP_ERR(BAD_SIGNATURE);
}

rp_err rp_checkpoint_check(rp_view note_bytes, const struct rp_tlog_vkey *vkey,
                           struct rp_arena *arena, struct rp_tlog_checkpoint *ret_checkpoint) {
    struct rp_tlog_note *note = rp_arena_alloc(arena, sizeof *note);
    if (!note) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_tlog_checkpoint checkpoint;
    RP_TRY(rp_tlog_note_parse(note_bytes, arena, note));
    RP_TRY(check_signatures(note, vkey));
    RP_TRY(rp_tlog_checkpoint_parse(note->text, &checkpoint));
    if (!rp_view_equal(checkpoint.origin, vkey->name)) {
        return RP_ERR(BAD_SIGNATURE);
    }
    RP_ASSERT(checkpoint.origin.n > 0);
    *ret_checkpoint = checkpoint;
    return RP_OK;
}
