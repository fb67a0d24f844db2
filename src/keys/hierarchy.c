#include "keys/hierarchy.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "ipc/pack.h"

enum { HIERARCHY_MAGIC = 0x4b657973, SCALAR = 32 };

struct held_key {
    struct rp_key_fact fact;
    struct rp_secret *secret;
    uint8_t public_key[RP_P256_PUBLIC]; /* of an assertion key */
};

struct rp_hierarchy {
    uint32_t magic;
    struct rp_env env;
    struct rp_secret *root;
    struct rp_secret *seal; /* seals keyring entries and halves; derived from the root */
    struct rp_secret *mac;  /* covers the keyring; derived from the root */
    struct held_key keys[RP_KEYRING_KEYS_MAX];
    size_t count;
};

static void check(const struct rp_hierarchy *hierarchy) {
    RP_ASSERT(hierarchy != NULL);
    RP_ASSERT(hierarchy->magic == HIERARCHY_MAGIC);
}

void rp_hierarchy_free(struct rp_hierarchy *hierarchy) {
    if (!hierarchy) {
        return;
    }
    check(hierarchy);
    for (size_t i = 0; i < hierarchy->count; i++) {
        rp_secret_free(hierarchy->keys[i].secret);
    }
    rp_secret_free(hierarchy->mac);
    rp_secret_free(hierarchy->seal);
    rp_secret_free(hierarchy->root);
    free(hierarchy);
}

void rp_hierarchy_freep(struct rp_hierarchy **hierarchy) {
    rp_hierarchy_free(*hierarchy);
}

/* Takes the root, whatever happens. */
static rp_err new_empty(const struct rp_env *env, struct rp_secret *root,
                        struct rp_hierarchy **ret_hierarchy) {
    struct rp_hierarchy *made = calloc(1, sizeof *made);
    if (!made) {
        rp_secret_free(root);
        return RP_ERR(NO_MEMORY);
    }
    made->magic = HIERARCHY_MAGIC;
    made->env = *env;
    made->root = root;
    _cleanup_(rp_hierarchy_freep) struct rp_hierarchy *hierarchy = made;
    RP_TRY(rp_hkdf_sha256(root, RP_VIEW(""), RP_VIEW("rempart keyring seal"), RP_AEAD_KEY,
                          &hierarchy->seal));
    RP_TRY(rp_hkdf_sha256(root, RP_VIEW(""), RP_VIEW("rempart keyring mac"), RP_SHA256,
                          &hierarchy->mac));
    *ret_hierarchy = rp_take(&hierarchy);
    return RP_OK;
}

/* A key's name and age are bound to its seal; its state is not, for the MAC covers that. */
static rp_err place(const struct rp_key_fact *fact, struct rp_buf *aad) {
    rp_buf_add(aad, RP_VIEW("keyring"));
    rp_pack_id(aad, fact->id);
    rp_pack_u8(aad, (uint8_t)fact->kind);
    rp_pack_u32(aad, fact->version);
    rp_pack_u64(aad, (uint64_t)fact->created_s);
    return rp_buf_err(aad);
}

static rp_err new_secret(const struct rp_env *env, enum rp_key_kind kind,
                         struct rp_secret **ret_secret) {
    return kind == RP_KEY_MASTER ? rp_secret_new_random(env, RP_AEAD_KEY, ret_secret)
                                 : rp_es256_new(env, ret_secret);
}

/* Puts a key at the end; takes the secret, whatever happens. */
static rp_err hold(struct rp_hierarchy *hierarchy, const struct rp_key_fact *fact,
                   struct rp_secret *taken) {
    _cleanup_(rp_secret_freep) struct rp_secret *secret = taken;
    RP_ASSERT(hierarchy->count < RP_KEYRING_KEYS_MAX);
    struct held_key key = {.fact = *fact};
    if (fact->kind == RP_KEY_ASSERTION) {
        RP_TRY(rp_es256_public(secret, key.public_key));
    }
    key.secret = rp_take(&secret);
    hierarchy->keys[hierarchy->count++] = key;
    return RP_OK;
}

static rp_err add_new(struct rp_hierarchy *hierarchy, const struct rp_key_fact *fact) {
    struct rp_secret *secret = NULL;
    RP_TRY(new_secret(&hierarchy->env, fact->kind, &secret));
    return hold(hierarchy, fact, secret);
}

static struct rp_key_fact first_version(const struct rp_env *env, enum rp_key_kind kind) {
    return (struct rp_key_fact){.id = rp_env_new_id(env),
                                .kind = kind,
                                .state = RP_KEY_ACTIVE,
                                .version = 1,
                                .created_s = rp_env_now_s(env)};
}

rp_err rp_hierarchy_make(const struct rp_env *env, struct rp_hierarchy **ret_hierarchy) {
    struct rp_secret *root = NULL;
    RP_TRY(rp_secret_new_random(env, RP_ROOT_KEY, &root));
    _cleanup_(rp_hierarchy_freep) struct rp_hierarchy *hierarchy = NULL;
    RP_TRY(new_empty(env, root, &hierarchy));
    struct rp_key_fact master = first_version(env, RP_KEY_MASTER);
    struct rp_key_fact assertion = first_version(env, RP_KEY_ASSERTION);
    RP_TRY(add_new(hierarchy, &master));
    RP_TRY(add_new(hierarchy, &assertion));
    *ret_hierarchy = rp_take(&hierarchy);
    return RP_OK;
}

/* Each kind has exactly one active version, and no version stands twice. */
static bool is_consistent(const struct rp_hierarchy *hierarchy) {
    size_t active[RP_KEY_KIND_END] = {0};
    for (size_t i = 0; i < hierarchy->count; i++) {
        const struct rp_key_fact *a = &hierarchy->keys[i].fact;
        active[a->kind] += a->state == RP_KEY_ACTIVE;
        for (size_t j = 0; j < i; j++) {
            const struct rp_key_fact *b = &hierarchy->keys[j].fact;
            if (rp_id_equal(a->id, b->id) && a->version == b->version) {
                return false;
            }
        }
    }
    return active[RP_KEY_MASTER] == 1 && active[RP_KEY_ASSERTION] == 1;
}

static rp_err load_entry(struct rp_hierarchy *hierarchy, const struct rp_keyring_entry *entry) {
    _cleanup_(rp_buf_done) struct rp_buf aad = rp_buf_new(128);
    RP_TRY(place(&entry->fact, &aad));
    struct rp_secret *secret = NULL;
    RP_TRY(rp_aead_open_secret(hierarchy->seal, rp_buf_view(&aad), entry->sealed, &secret));
    if (rp_secret_size(secret) != RP_AEAD_KEY) {
        rp_secret_free(secret);
        return RP_ERR(CORRUPT);
    }
    return hold(hierarchy, &entry->fact, secret);
}

static bool mac_fits(const struct rp_hierarchy *hierarchy, const struct rp_keyring *keyring) {
    struct rp_sha256 mac = rp_hmac_sha256(hierarchy->mac, keyring->covered);
    return rp_ct_equal(rp_view_of(mac.b, sizeof mac.b), keyring->mac);
}

rp_err rp_hierarchy_load(const struct rp_env *env, struct rp_secret *root, rp_view keyring_bytes,
                         struct rp_hierarchy **ret_hierarchy) {
    _cleanup_(rp_hierarchy_freep) struct rp_hierarchy *hierarchy = NULL;
    RP_TRY(new_empty(env, root, &hierarchy));
    struct rp_keyring keyring;
    RP_TRY(rp_keyring_parse(keyring_bytes, &keyring));
    if (!mac_fits(hierarchy, &keyring)) {
        return RP_ERR(CORRUPT);
    }
    for (size_t i = 0; i < keyring.count; i++) {
        RP_TRY(load_entry(hierarchy, &keyring.entries[i]));
    }
    if (!is_consistent(hierarchy)) {
        return RP_ERR(CORRUPT);
    }
    *ret_hierarchy = rp_take(&hierarchy);
    return RP_OK;
}

/* Each key sealed into `sealed`, which is as long as it needs from the start, so that the views
 * into it stay good. */
static rp_err seal_entries(const struct rp_hierarchy *hierarchy, struct rp_buf *sealed,
                           struct rp_keyring_entry *entries) {
    enum { ONE = SCALAR + RP_AEAD_OVERHEAD };
    _Static_assert((int)ONE <= (int)RP_KEYRING_SEALED_MAX, "a sealed key fits an entry");
    for (size_t i = 0; i < hierarchy->count; i++) {
        const struct held_key *key = &hierarchy->keys[i];
        _cleanup_(rp_buf_done) struct rp_buf aad = rp_buf_new(128);
        RP_TRY(place(&key->fact, &aad));
        RP_TRY(rp_aead_seal_secret(&hierarchy->env, hierarchy->seal, rp_buf_view(&aad), key->secret,
                                   sealed));
    }
    RP_ASSERT(sealed->n == hierarchy->count * ONE);
    for (size_t i = 0; i < hierarchy->count; i++) {
        entries[i].fact = hierarchy->keys[i].fact;
        entries[i].sealed = rp_view_sub(rp_buf_view(sealed), i * ONE, ONE);
    }
    return RP_OK;
}

rp_err rp_hierarchy_print(const struct rp_hierarchy *hierarchy, struct rp_buf *out) {
    check(hierarchy);
    RP_ASSERT(out->n == 0);
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_KEYRING_BYTES_MAX);
    struct rp_keyring_entry entries[RP_KEYRING_KEYS_MAX];
    RP_TRY(seal_entries(hierarchy, &sealed, entries));
    RP_TRY(rp_keyring_print(entries, hierarchy->count, out));
    struct rp_sha256 mac = rp_hmac_sha256(hierarchy->mac, rp_buf_view(out));
    rp_buf_add(out, rp_view_of(mac.b, sizeof mac.b));
    return rp_buf_err(out);
}

rp_err rp_hierarchy_seal_root(const struct rp_hierarchy *hierarchy, enum rp_root_kind kind,
                              rp_view opener, struct rp_buf *out) {
    check(hierarchy);
    return rp_root_seal(&hierarchy->env, kind, opener, hierarchy->root, out);
}

size_t rp_hierarchy_count(const struct rp_hierarchy *hierarchy) {
    check(hierarchy);
    return hierarchy->count;
}

struct rp_key_fact rp_hierarchy_fact(const struct rp_hierarchy *hierarchy, size_t index) {
    check(hierarchy);
    RP_ASSERT(index < hierarchy->count);
    return hierarchy->keys[index].fact;
}

size_t rp_hierarchy_active(const struct rp_hierarchy *hierarchy, enum rp_key_kind kind) {
    check(hierarchy);
    size_t i = 0;
    while (i < hierarchy->count && (hierarchy->keys[i].fact.kind != kind ||
                                    hierarchy->keys[i].fact.state != RP_KEY_ACTIVE)) {
        i++;
    }
    RP_ASSERT(i < hierarchy->count);
    return i;
}

rp_err rp_hierarchy_rotate(struct rp_hierarchy *hierarchy, enum rp_key_kind kind) {
    size_t former = rp_hierarchy_active(hierarchy, kind);
    if (hierarchy->count == RP_KEYRING_KEYS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_key_fact fact = hierarchy->keys[former].fact;
    fact.version++;
    fact.created_s = rp_env_now_s(&hierarchy->env);
    RP_TRY(add_new(hierarchy, &fact));
    hierarchy->keys[former].fact.state = RP_KEY_DEACTIVATED;
    RP_ASSERT(rp_hierarchy_active(hierarchy, kind) == hierarchy->count - 1);
    return RP_OK;
}

void rp_hierarchy_rotate_undo(struct rp_hierarchy *hierarchy) {
    check(hierarchy);
    struct held_key *last = &hierarchy->keys[hierarchy->count - 1];
    RP_ASSERT(last->fact.state == RP_KEY_ACTIVE);
    RP_ASSERT(last->fact.version > 1);
    for (size_t i = 0; i < hierarchy->count - 1; i++) {
        struct rp_key_fact *fact = &hierarchy->keys[i].fact;
        if (rp_id_equal(fact->id, last->fact.id) && fact->version == last->fact.version - 1) {
            fact->state = RP_KEY_ACTIVE;
        }
    }
    rp_secret_free(last->secret);
    *last = (struct held_key){0};
    hierarchy->count--;
}

/* ---- tenants' keys ---- */

static rp_err half_place(rp_id tenant, struct rp_buf *aad) {
    rp_buf_add(aad, RP_VIEW("tenant-half"));
    rp_pack_id(aad, tenant);
    return rp_buf_err(aad);
}

rp_err rp_hierarchy_seal_half(const struct rp_hierarchy *hierarchy, rp_id tenant,
                              const struct rp_secret *half, struct rp_buf *out) {
    check(hierarchy);
    _cleanup_(rp_buf_done) struct rp_buf aad = rp_buf_new(64);
    RP_TRY(half_place(tenant, &aad));
    return rp_aead_seal_secret(&hierarchy->env, hierarchy->seal, rp_buf_view(&aad), half, out);
}

rp_err rp_hierarchy_open_half(const struct rp_hierarchy *hierarchy, rp_id tenant, rp_view sealed,
                              struct rp_secret **ret_half) {
    check(hierarchy);
    _cleanup_(rp_buf_done) struct rp_buf aad = rp_buf_new(64);
    RP_TRY(half_place(tenant, &aad));
    return rp_aead_open_secret(hierarchy->seal, rp_buf_view(&aad), sealed, ret_half);
}

rp_err rp_hierarchy_rewrap(const struct rp_hierarchy *hierarchy, rp_id tenant,
                           const struct rp_secret *half, const struct rp_secret *key,
                           struct rp_buf *ret_wrapped) {
    const struct held_key *master = &hierarchy->keys[rp_hierarchy_active(hierarchy, RP_KEY_MASTER)];
    struct rp_wrapped wrapped = {
        .master = master->fact.id, .version = master->fact.version, .halved = half != NULL};
    _cleanup_(rp_secret_freep) struct rp_secret *made = NULL;
    if (half) {
        RP_TRY(rp_wrapping_key(master->secret, half, &made));
    }
    return rp_wrapped_seal(&hierarchy->env, half ? made : master->secret, &wrapped, tenant, key,
                           ret_wrapped);
}

rp_err rp_hierarchy_new_tenant_key(const struct rp_hierarchy *hierarchy, rp_id tenant,
                                   const struct rp_secret *half, struct rp_buf *ret_wrapped) {
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(rp_secret_new_random(&hierarchy->env, RP_TENANT_KEY, &key));
    return rp_hierarchy_rewrap(hierarchy, tenant, half, key, ret_wrapped);
}

static const struct held_key *find_master(const struct rp_hierarchy *hierarchy,
                                          const struct rp_wrapped *wrapped) {
    for (size_t i = 0; i < hierarchy->count; i++) {
        const struct rp_key_fact *fact = &hierarchy->keys[i].fact;
        if (fact->kind == RP_KEY_MASTER && rp_id_equal(fact->id, wrapped->master) &&
            fact->version == wrapped->version) {
            return &hierarchy->keys[i];
        }
    }
    return NULL;
}

static rp_err open_wrapped(const struct rp_secret *master, const struct rp_secret *half,
                           const struct rp_wrapped *wrapped, rp_id tenant,
                           struct rp_secret **ret_key) {
    _cleanup_(rp_secret_freep) struct rp_secret *made = NULL;
    if (!wrapped->halved) {
        return rp_wrapped_open(master, wrapped, tenant, ret_key);
    }
    if (!half) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(rp_wrapping_key(master, half, &made));
    return rp_wrapped_open(made, wrapped, tenant, ret_key);
}

rp_err rp_hierarchy_unwrap(const struct rp_hierarchy *hierarchy, rp_id tenant,
                           const struct rp_secret *half, rp_view bytes, struct rp_secret **ret_key,
                           size_t *ret_index) {
    check(hierarchy);
    struct rp_wrapped wrapped;
    RP_TRY(rp_wrapped_parse(bytes, &wrapped));
    const struct held_key *master = find_master(hierarchy, &wrapped);
    if (!master) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(open_wrapped(master->secret, half, &wrapped, tenant, ret_key));
    if (ret_index) {
        *ret_index = (size_t)(master - hierarchy->keys);
    }
    return RP_OK;
}

void rp_hierarchy_public(const struct rp_hierarchy *hierarchy, size_t index,
                         uint8_t ret_public[static RP_P256_PUBLIC]) {
    check(hierarchy);
    RP_ASSERT(index < hierarchy->count);
    RP_ASSERT(hierarchy->keys[index].fact.kind == RP_KEY_ASSERTION);
    memcpy(ret_public, hierarchy->keys[index].public_key, RP_P256_PUBLIC);
}

rp_err rp_hierarchy_sign(const struct rp_hierarchy *hierarchy, rp_view input,
                         uint8_t ret_signature[static RP_SIGNATURE]) {
    size_t index = rp_hierarchy_active(hierarchy, RP_KEY_ASSERTION);
    return rp_es256_sign(hierarchy->keys[index].secret, input, ret_signature);
}
