/* evidence.h — files that prove a record: handed in by pieces, sealed, missed when they are gone.
 *
 * A field of the record names a file by its SHA-256; whoever may write the record hands it in, in
 * pieces of at most 256 KiB. When the last one is there, the whole is compared with its name, and
 * the record's history and the log say that it was filed. A field that is marked `digest: true`
 * takes no file: of criminal records nobody keeps a copy.
 *
 * Fails: INVALID (no field names it, a piece out of range, another content), TOO_LARGE, DENIED,
 * NOT_FOUND, CORRUPT (altered in the database file). Promises: S8.
 */
#ifndef RP_REGISTER_EVIDENCE_H
#define RP_REGISTER_EVIDENCE_H

#include "crypto/hash.h"
#include "register/desk.h"

enum {
    RP_PIECE_MAX = 256 * 1024,
    RP_PIECES_MAX = 64,
    RP_EVIDENCE_MAX = RP_PIECE_MAX * RP_PIECES_MAX /* 16 MiB */
};

struct rp_piece {
    const struct rp_register *reg;
    rp_id record;
    struct rp_sha256 sha256; /* of the whole */
    uint64_t piece, pieces;  /* which, of how many */
    rp_view bytes;
};
/* *ret_filed: that was the last one, and the whole is what its name says. A piece that came before
 * is replaced; a whole that is another is forgotten, INVALID. */
rp_err rp_desk_file_piece(struct rp_desk *desk, const struct rp_piece *piece, bool *ret_filed);
/* The whole file; who may read the record may. NOT_FOUND when it was never handed in whole. */
rp_err rp_desk_read_file(struct rp_desk *desk, const struct rp_entry *record,
                         const struct rp_sha256 *sha256, struct rp_buf *out);
/* Of how many pieces the record's history says it is; 0: it was never handed in whole. */
rp_err rp_evidence_is_filed(struct rp_db *db, rp_id record, rp_view hex, uint64_t *ret_pieces);
/* Without a key: was it never handed in, or is it here as it was? For guards and probes. */
rp_err rp_evidence_is_intact(struct rp_db *db, rp_id record, rp_view hex, bool *ret_intact);

#endif
