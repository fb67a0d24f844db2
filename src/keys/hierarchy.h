/* hierarchy.h — unsealed: root → master versions → tenants' keys, and the key that signs
 * assertions.
 *
 * Lives in the kms only, every key in locked memory. Keys made of the root seal the keyring and
 * the tenants' halves, and nothing else; the active master version wraps tenants' keys, and every
 * former version still unwraps what it wrapped. Nothing here touches a file: the caller keeps what
 * is printed (safe_io.h).
 *
 * Owner: the creator; free wipes. Promises: S84, S85, S86.
 */
#ifndef RP_KEYS_HIERARCHY_H
#define RP_KEYS_HIERARCHY_H

#include "crypto/sign.h"
#include "keys/keyring.h"
#include "keys/root.h"
#include "keys/wrapped.h"

struct rp_hierarchy;

/* The first one: a new root, one master key, one assertion key. */
rp_err rp_hierarchy_make(const struct rp_env *env, struct rp_hierarchy **ret_hierarchy);
/* From the root (taken, whatever happens) and the keyring file. CORRUPT when the file is not what
 * this root sealed. */
rp_err rp_hierarchy_load(const struct rp_env *env, struct rp_secret *root, rp_view keyring,
                         struct rp_hierarchy **ret_hierarchy);
void rp_hierarchy_free(struct rp_hierarchy *hierarchy); /* accepts NULL */
void rp_hierarchy_freep(struct rp_hierarchy **hierarchy);

/* The keyring file. */
rp_err rp_hierarchy_print(const struct rp_hierarchy *hierarchy, struct rp_buf *out);
/* The root once more, sealed for another opener (root.h). */
rp_err rp_hierarchy_seal_root(const struct rp_hierarchy *hierarchy, enum rp_root_kind kind,
                              rp_view opener, struct rp_buf *out);

size_t rp_hierarchy_count(const struct rp_hierarchy *hierarchy);
struct rp_key_fact rp_hierarchy_fact(const struct rp_hierarchy *hierarchy, size_t index);
/* The index of the active version. */
size_t rp_hierarchy_active(const struct rp_hierarchy *hierarchy, enum rp_key_kind kind);

/* A new active version; the former is deactivated. TOO_LARGE when the keyring is full. The caller
 * prints and keeps it, or takes it back. */
rp_err rp_hierarchy_rotate(struct rp_hierarchy *hierarchy, enum rp_key_kind kind);
void rp_hierarchy_rotate_undo(struct rp_hierarchy *hierarchy);

/* The tenant's half (half_io.h), sealed for the tenant under a key of the root's; and opened.
 * CORRUPT when it is another tenant's, or altered. */
rp_err rp_hierarchy_seal_half(const struct rp_hierarchy *hierarchy, rp_id tenant,
                              const struct rp_secret *half, struct rp_buf *out);
rp_err rp_hierarchy_open_half(const struct rp_hierarchy *hierarchy, rp_id tenant, rp_view sealed,
                              struct rp_secret **ret_half);

/* A new key for the tenant, wrapped; the key itself is wiped again. half NULL: under the master key
 * alone, for what is no tenant's. */
rp_err rp_hierarchy_new_tenant_key(const struct rp_hierarchy *hierarchy, rp_id tenant,
                                   const struct rp_secret *half, struct rp_buf *ret_wrapped);
/* NOT_FOUND when no key here wrapped it, CORRUPT when it is altered, another tenant's, or of
 * another half; NULL is none. *ret_index (nullable) is the master version that wrapped it. */
rp_err rp_hierarchy_unwrap(const struct rp_hierarchy *hierarchy, rp_id tenant,
                           const struct rp_secret *half, rp_view wrapped,
                           struct rp_secret **ret_key, size_t *ret_index);
/* The same key, wrapped under the active master version and this half. */
rp_err rp_hierarchy_rewrap(const struct rp_hierarchy *hierarchy, rp_id tenant,
                           const struct rp_secret *half, const struct rp_secret *key,
                           struct rp_buf *ret_wrapped);

/* Of an assertion key. */
void rp_hierarchy_public(const struct rp_hierarchy *hierarchy, size_t index,
                         uint8_t ret_public[static RP_P256_PUBLIC]);
/* By the active assertion key. For keys/assertion.c, which builds what is signed. */
rp_err rp_hierarchy_sign(const struct rp_hierarchy *hierarchy, rp_view input,
                         uint8_t ret_signature[static RP_SIGNATURE]);

#endif
