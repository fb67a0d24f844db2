#include "keys/keyring.h"

#include "base/assert.h"
#include "ipc/pack.h"

static const uint8_t magic[4] = {'R', 'P', 'K', '1'};

static bool fact_is_valid(uint8_t kind, uint8_t state, const struct rp_key_fact *fact,
                          uint64_t created) {
    return kind >= RP_KEY_MASTER && kind < RP_KEY_KIND_END && state >= RP_KEY_ACTIVE &&
           state < RP_KEY_STATE_END && fact->version > 0 && !rp_id_is_none(fact->id) &&
           created <= INT64_MAX / 1000000000;
}

static bool take_entry(struct rp_unpack *in, struct rp_keyring_entry *entry) {
    struct rp_key_fact *fact = &entry->fact;
    fact->id = rp_unpack_id(in);
    uint8_t kind = rp_unpack_u8(in);
    uint8_t state = rp_unpack_u8(in);
    fact->version = rp_unpack_u32(in);
    uint64_t created = rp_unpack_u64(in);
    entry->sealed = rp_unpack_bytes(in, RP_KEYRING_SEALED_MAX);
    if (in->failed || !fact_is_valid(kind, state, fact, created)) {
        return false;
    }
    fact->kind = (enum rp_key_kind)kind;
    fact->state = (enum rp_key_state)state;
    fact->created_s = (int64_t)created;
    return true;
}

rp_err rp_keyring_parse(rp_view bytes, struct rp_keyring *ret_keyring) {
    if (bytes.n < sizeof magic + 2 + RP_KEYRING_MAC || bytes.n > RP_KEYRING_BYTES_MAX ||
        !rp_view_starts(bytes, rp_view_of(magic, 3))) {
        return RP_ERR(CORRUPT);
    }
    if (bytes.p[3] != magic[3]) {
        return bytes.p[3] > magic[3] && bytes.p[3] <= '9' ? RP_ERR(EXISTS_NEWER) : RP_ERR(CORRUPT);
    }
    struct rp_keyring keyring = {0};
    keyring.covered = rp_view_sub(bytes, 0, bytes.n - RP_KEYRING_MAC);
    keyring.mac = rp_view_from(bytes, bytes.n - RP_KEYRING_MAC);
    struct rp_unpack in = rp_unpack_new(rp_view_from(keyring.covered, sizeof magic));
    size_t count = rp_unpack_u16(&in);
    if (count > RP_KEYRING_KEYS_MAX) {
        return RP_ERR(CORRUPT);
    }
    for (; keyring.count < count; keyring.count++) {
        if (!take_entry(&in, &keyring.entries[keyring.count])) {
            return RP_ERR(CORRUPT);
        }
    }
    if (!rp_ok(rp_unpack_end(&in))) {
        return RP_ERR(CORRUPT);
    }
    *ret_keyring = keyring;
    return RP_OK;
}

rp_err rp_keyring_print(const struct rp_keyring_entry *entries, size_t count, struct rp_buf *out) {
    RP_ASSERT(count <= RP_KEYRING_KEYS_MAX);
    rp_buf_add(out, rp_view_of(magic, sizeof magic));
    rp_pack_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct rp_key_fact *fact = &entries[i].fact;
        RP_ASSERT(entries[i].sealed.n <= RP_KEYRING_SEALED_MAX);
        rp_pack_id(out, fact->id);
        rp_pack_u8(out, (uint8_t)fact->kind);
        rp_pack_u8(out, (uint8_t)fact->state);
        rp_pack_u32(out, fact->version);
        rp_pack_u64(out, (uint64_t)fact->created_s);
        rp_pack_bytes(out, entries[i].sealed);
    }
    return rp_buf_err(out);
}

const char *rp_key_kind_name(enum rp_key_kind kind) {
    RP_ASSERT(kind >= RP_KEY_MASTER);
    RP_ASSERT(kind < RP_KEY_KIND_END);
    return kind == RP_KEY_MASTER ? "master" : "assertion";
}

const char *rp_key_state_name(enum rp_key_state state) {
    RP_ASSERT(state >= RP_KEY_ACTIVE);
    RP_ASSERT(state < RP_KEY_STATE_END);
    return state == RP_KEY_ACTIVE ? "active" : "deactivated";
}
