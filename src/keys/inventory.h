/* inventory.h — what the kms says in public: which keys it has, and how to check its signatures.
 *
 * Both are JSON, canonical. The inventory goes to the operator and to the file probe; the key set
 * (RFC 7517) goes to applications. Neither holds a key byte.
 */
#ifndef RP_KEYS_INVENTORY_H
#define RP_KEYS_INVENTORY_H

#include "base/arena.h"
#include "keys/hierarchy.h"

enum { RP_KID_TEXT = 43 }; /* base64url of a SHA-256 */

/* RFC 7638 thumbprint of a P-256 public key, the key id of our tokens. */
rp_err rp_key_thumbprint(const uint8_t public_key[static RP_P256_PUBLIC], struct rp_arena *arena,
                         char ret_kid[static RP_KID_TEXT + 1]);

/* {"keys":[{alg,crv,kid,kty,use,x,y}…]}: the active assertion key and the one before it. */
rp_err rp_jwks_print(const struct rp_hierarchy *hierarchy, struct rp_arena *arena,
                     struct rp_buf *out);

struct rp_inventory {
    const struct rp_hierarchy *hierarchy; /* NULL = sealed, or never made */
    const char *unseal;                   /* "file", "passphrase" */
    size_t leases;
    bool recovery; /* a recovery sheet was printed */
    int64_t now_s;
};

/* {"generated_at","sealed","unseal","recovery","leases","keys":[{created,id,kind,state,version,kid?}…]}
 */
rp_err rp_inventory_print(const struct rp_inventory *inventory, struct rp_arena *arena,
                          struct rp_buf *out);

#endif
