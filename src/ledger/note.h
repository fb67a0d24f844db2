/* note.h — a tree's size and root under the log's signature, and the check of it.
 *
 * C2SP signed-note and tlog-checkpoint: one Ed25519 key signs every tree, under the name that is
 * the tree's origin, so that a checkpoint of one tree is never taken for another's.
 */
#ifndef RP_LEDGER_NOTE_H
#define RP_LEDGER_NOTE_H

#include "base/arena.h"
#include "crypto/sign.h"
#include "ledger/merkle.h"
#include "wire/tlog.h"

enum { RP_NOTE_MAX = 4096, RP_VKEY_MAX = 512 };

struct rp_log_key {
    struct rp_secret *secret;
    uint8_t public_key[RP_ED25519_PUBLIC];
};

/* What a key signs with: the algorithm byte of signed-note. A cosigner's is of cosign.h. */
enum rp_vkey_type { RP_VKEY_LOG = 1, RP_VKEY_COSIGNER = 4 };

/* The verifier key of `name`, with the key id that is its own. */
struct rp_tlog_vkey rp_vkey_of(enum rp_vkey_type type, rp_view name,
                               const uint8_t key[static RP_ED25519_PUBLIC]);
/* A log's, as one line of text without its end. */
void rp_vkey_print(struct rp_buf *out, rp_view name, const uint8_t key[static RP_ED25519_PUBLIC]);
/* Parses and checks that the key id is the name's and the key's own. UNSUPPORTED for a key of
 * another type; a log's for rp_vkey_parse. */
rp_err rp_vkey_parse_as(enum rp_vkey_type type, rp_view text, struct rp_arena *arena,
                        struct rp_tlog_vkey *ret_vkey);
rp_err rp_vkey_parse(rp_view text, struct rp_arena *arena, struct rp_tlog_vkey *ret_vkey);
/* Whether the line says it is by this key: its name and key id. */
bool rp_signature_is_by(const struct rp_tlog_signature *signature, const struct rp_tlog_vkey *vkey);

rp_err rp_checkpoint_sign(const struct rp_log_key *key, rp_view origin, uint64_t size,
                          const rp_hash *root, struct rp_buf *out);
/* BAD_SIGNATURE unless the key of vkey signed it under vkey's name and the origin is that name. */
rp_err rp_checkpoint_check(rp_view note, const struct rp_tlog_vkey *vkey, struct rp_arena *arena,
                           struct rp_tlog_checkpoint *ret_checkpoint);

#endif
