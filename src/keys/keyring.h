/* keyring.h — the file that holds the master and signing keys, each sealed under the root key.
 *
 *   "RPK1" · count (u16) · entries · MAC (32)
 *   entry: id (16) · kind (u8) · state (u8) · version (u32) · created (u64, seconds) · sealed (u32
 * n, n)
 *
 * The MAC (HMAC-SHA256 under a key of the root's) covers all before it, so that an entry can be
 * neither dropped nor brought back to life. This half is pure: bytes and facts. Fuzzed.
 */
#ifndef RP_KEYS_KEYRING_H
#define RP_KEYS_KEYRING_H

#include "base/buf.h"
#include "base/id.h"

enum {
    RP_KEYRING_KEYS_MAX = 128,
    RP_KEYRING_SEALED_MAX = 256,
    RP_KEYRING_BYTES_MAX = 64 * 1024,
    RP_KEYRING_MAC = 32
};

enum rp_key_kind { RP_KEY_MASTER = 1, RP_KEY_ASSERTION, RP_KEY_KIND_END };
enum rp_key_state { RP_KEY_ACTIVE = 1, RP_KEY_DEACTIVATED, RP_KEY_STATE_END };

/* What may be known of a key by anyone. */
struct rp_key_fact {
    rp_id id; /* the same for all versions of a key */
    enum rp_key_kind kind;
    enum rp_key_state state;
    uint32_t version; /* from 1 */
    int64_t created_s;
};

struct rp_keyring_entry {
    struct rp_key_fact fact;
    rp_view sealed;
};

struct rp_keyring {
    struct rp_keyring_entry entries[RP_KEYRING_KEYS_MAX];
    size_t count;
    rp_view covered; /* what the MAC covers */
    rp_view mac;
};

/* Views into bytes. CORRUPT for anything that rp_keyring_print does not print; EXISTS_NEWER for a
 * later "RPK". */
rp_err rp_keyring_parse(rp_view bytes, struct rp_keyring *ret_keyring);

/* Head and entries; the caller appends the MAC of exactly these bytes. */
rp_err rp_keyring_print(const struct rp_keyring_entry *entries, size_t count, struct rp_buf *out);

const char *rp_key_kind_name(enum rp_key_kind kind);    /* "master", "assertion" */
const char *rp_key_state_name(enum rp_key_state state); /* "active", "deactivated" */

#endif
