/* head.h — the clear beginning of a backup: what it is, and what opens it.
 *
 *   "REMPART BACKUP 1\n" · length of the JSON (u32, big-endian) · JSON, canonical
 *
 * Nothing in it needs to be hidden: the backup's key is wrapped, the keyring and the roots are
 * sealed. Every chunk that follows is bound to the SHA-256 of exactly these bytes, so that nobody
 * exchanges a head. Pure; fuzzed.
 */
#ifndef RP_KEEP_HEAD_H
#define RP_KEEP_HEAD_H

#include "base/arena.h"
#include "crypto/hash.h"
#include "keys/keyring.h"
#include "keys/root.h"
#include "keys/wrapped.h"

enum {
    RP_KEEP_HOST_MAX = 253,
    RP_KEEP_VERSION_MAX = 32,
    RP_KEEP_PREFIX = 17 + 4,
    RP_KEEP_JSON_MAX = 160 * 1024,
    RP_KEEP_HEAD_MAX = RP_KEEP_PREFIX + RP_KEEP_JSON_MAX
};

/* What is not there is an empty view. */
struct rp_keep_head {
    rp_id id;
    int64_t made_at_s;
    uint64_t operator_size; /* entries of the operator's tree: which of two states is newer */
    rp_view host, version;  /* of the installation */
    rp_view wrapped;        /* the backup's key under the installation's master key */
    rp_view keyring;        /* the master keys, sealed under the root */
    rp_view recovery;       /* the root, sealed under the recovery sheet's code */
    rp_view root;           /* the root, sealed under the unseal passphrase */
    rp_view passphrase;     /* the backup's key, sealed under a passphrase of its own (root.h) */
};

/* Appends the whole head. */
rp_err rp_keep_head_print(const struct rp_keep_head *head, struct rp_arena *arena,
                          struct rp_buf *out);
/* How long the whole head is, from its first RP_KEEP_PREFIX bytes. CORRUPT when it is no backup;
 * EXISTS_NEWER for one of a later program. */
rp_err rp_keep_head_length(rp_view prefix, size_t *ret_length);
/* Views into the arena. CORRUPT for anything that print does not print. */
rp_err rp_keep_head_parse(rp_view bytes, struct rp_arena *arena, struct rp_keep_head *ret_head,
                          struct rp_diag *diag);

#endif
