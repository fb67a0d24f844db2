#include "keys/wrapped.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "ipc/pack.h"

_Static_assert((int)RP_WRAPPED_BYTES <= (int)RP_WRAPPED_MAX, "a wrapped key fits its column");

enum { PLAIN = '1', HALVED = '2' };
static const uint8_t magic[3] = {'R', 'P', 'W'};

rp_err rp_wrapped_parse(rp_view bytes, struct rp_wrapped *ret_wrapped) {
    if (!rp_view_starts(bytes, rp_view_of(magic, sizeof magic)) || bytes.n <= sizeof magic) {
        return RP_ERR(CORRUPT);
    }
    uint8_t kind = bytes.p[sizeof magic];
    if (kind != PLAIN && kind != HALVED) {
        return kind > HALVED && kind <= '9' ? RP_ERR(EXISTS_NEWER) : RP_ERR(CORRUPT);
    }
    if (bytes.n != RP_WRAPPED_BYTES) {
        return RP_ERR(CORRUPT);
    }
    struct rp_unpack in = rp_unpack_new(rp_view_from(bytes, sizeof magic + 1));
    struct rp_wrapped wrapped = {.halved = kind == HALVED};
    wrapped.master = rp_unpack_id(&in);
    wrapped.version = rp_unpack_u32(&in);
    wrapped.sealed = in.rest;
    RP_ASSERT(!in.failed);
    if (rp_id_is_none(wrapped.master) || wrapped.version == 0) {
        return RP_ERR(CORRUPT);
    }
    *ret_wrapped = wrapped;
    return RP_OK;
}

/* What the seal is bound to. */
static void place(struct rp_buf *aad, rp_id tenant, uint32_t version) {
    rp_buf_add(aad, RP_VIEW("tenant-key"));
    rp_pack_id(aad, tenant);
    rp_pack_u32(aad, version);
}

rp_err rp_wrapping_key(const struct rp_secret *master_key, const struct rp_secret *half,
                       struct rp_secret **ret_key) {
    uint8_t salt[RP_TENANT_HALF];
    RP_ASSERT(rp_secret_size(half) == sizeof salt);
    rp_secret_reveal(half, salt, sizeof salt);
    rp_err err = rp_hkdf_sha256(master_key, rp_view_of(salt, sizeof salt),
                                RP_VIEW("rempart tenant key"), RP_AEAD_KEY, ret_key);
    rp_wipe(salt, sizeof salt);
    return err;
}

/*= S85 */ /* the keys that encrypt data are encrypted under master keys */
rp_err rp_wrapped_seal(const struct rp_env *env, const struct rp_secret *wrapping,
                       const struct rp_wrapped *wrapped, rp_id tenant, const struct rp_secret *key,
                       struct rp_buf *out) {
    const uint8_t kind = wrapped->halved ? HALVED : PLAIN;
    RP_ASSERT(rp_secret_size(key) == RP_TENANT_KEY);
    RP_ASSERT(wrapped->version > 0);
    _cleanup_(rp_buf_done) struct rp_buf aad = rp_buf_new(64);
    place(&aad, tenant, wrapped->version);
    RP_TRY(rp_buf_err(&aad));
    rp_buf_add(out, rp_view_of(magic, sizeof magic));
    rp_pack_u8(out, kind);
    rp_pack_id(out, wrapped->master);
    rp_pack_u32(out, wrapped->version);
    RP_TRY(rp_aead_seal_secret(env, wrapping, rp_buf_view(&aad), key, out));
    return rp_buf_err(out);
}

rp_err rp_wrapped_open(const struct rp_secret *wrapping, const struct rp_wrapped *wrapped,
                       rp_id tenant, struct rp_secret **ret_key) {
    _cleanup_(rp_buf_done) struct rp_buf aad = rp_buf_new(64);
    place(&aad, tenant, wrapped->version);
    RP_TRY(rp_buf_err(&aad));
    return rp_aead_open_secret(wrapping, rp_buf_view(&aad), wrapped->sealed, ret_key);
}
