/* tlog.h — the texts of a transparency log: signed notes, checkpoints, tile paths, proofs.
 *
 * C2SP signed-note v1.0.0, tlog-checkpoint v1.0.0, tlog-tiles v0.1.0, tlog-proof v1, tlog-witness
 * v1.0.0. Pure text: hashing and signatures are ledger's and crypto's.
 */
#ifndef RP_WIRE_TLOG_H
#define RP_WIRE_TLOG_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    RP_TLOG_HASH = 32,
    RP_TLOG_SIGNATURES_MAX = 32,
    RP_TLOG_PROOF_MAX = 64,
    RP_TLOG_ENTRY_MAX = 65535
};

struct rp_tlog_signature {
    rp_view name;
    uint8_t key_id[4];
    rp_view bytes; /* decoded, without the key id */
};

struct rp_tlog_note {
    rp_view text; /* with its last newline: what is signed */
    struct rp_tlog_signature signatures[RP_TLOG_SIGNATURES_MAX];
    size_t signature_count;
};

/* At least one signature. SYNTAX; TOO_LARGE over RP_TLOG_SIGNATURES_MAX or the arena. Views point
 * into bytes, signatures into the arena. */
rp_err rp_tlog_note_parse(rp_view bytes, struct rp_arena *arena, struct rp_tlog_note *ret_note);
/* Appends one signature line "— name base64(key_id ‖ signature)\n"; the caller wrote text and
 * the blank line before. */
void rp_tlog_signature_print(struct rp_buf *out, rp_view name, const uint8_t key_id[static 4],
                             rp_view signature);

struct rp_tlog_checkpoint {
    rp_view origin;
    uint64_t size;
    uint8_t root[RP_TLOG_HASH];
};
/* Exactly these three lines: extension lines are refused. */
rp_err rp_tlog_checkpoint_parse(rp_view text, struct rp_tlog_checkpoint *ret_checkpoint);
void rp_tlog_checkpoint_print(struct rp_buf *out, const struct rp_tlog_checkpoint *checkpoint);

/* A verifier key "name+hex8+base64(type ‖ public key)". */
struct rp_tlog_vkey {
    rp_view name;
    uint8_t key_id[4];
    uint8_t type; /* 1 = Ed25519 */
    rp_view public_key;
};
rp_err rp_tlog_vkey_parse(rp_view text, struct rp_arena *arena, struct rp_tlog_vkey *ret_vkey);
void rp_tlog_vkey_print(struct rp_buf *out, const struct rp_tlog_vkey *vkey);

/* "tile/<L>/<N>[.p/<W>]" and, for level < 0, "tile/entries/<N>[.p/<W>]". width 256 = full. */
struct rp_tlog_tile {
    int level; /* 0..63, -1 = entries */
    uint64_t n;
    unsigned width; /* 1..256 */
};
void rp_tlog_tile_print(struct rp_buf *out, struct rp_tlog_tile tile);
rp_err rp_tlog_tile_parse(rp_view path, struct rp_tlog_tile *ret_tile);

/* A .tlog-proof file. */
struct rp_tlog_proof {
    rp_view extra; /* decoded; empty when absent */
    uint64_t index;
    uint8_t hashes[RP_TLOG_PROOF_MAX][RP_TLOG_HASH];
    size_t hash_count;
    rp_view checkpoint; /* the whole signed note */
};
rp_err rp_tlog_proof_parse(rp_view bytes, struct rp_arena *arena, struct rp_tlog_proof *ret_proof);
void rp_tlog_proof_print(struct rp_buf *out, const struct rp_tlog_proof *proof);

/* What a log asks of a witness (C2SP tlog-witness v1.0.0, add-checkpoint): the size that it knows
 * of, how the tree went on from there, and the checkpoint to be cosigned. */
enum { RP_TLOG_ADD_HASHES_MAX = 63 };
struct rp_tlog_add {
    uint64_t old_size;
    uint8_t hashes[RP_TLOG_ADD_HASHES_MAX][RP_TLOG_HASH];
    size_t hash_count;
    rp_view checkpoint; /* the whole signed note, not yet parsed; not empty */
};
rp_err rp_tlog_add_parse(rp_view bytes, struct rp_tlog_add *ret_add);
void rp_tlog_add_print(struct rp_buf *out, const struct rp_tlog_add *add);

#endif
