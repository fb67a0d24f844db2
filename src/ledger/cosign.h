/* cosign.h — a witness's word on a checkpoint: "at this time, this was the largest tree I saw of
 * that log, and it continues every one before it".
 *
 * C2SP tlog-cosignature v1 with Ed25519: a note's signature line whose bytes are the time and a
 * signature of "cosignature/v1", the time and the checkpoint's text. ML-DSA-44 is not supported.
 */
#ifndef RP_LEDGER_COSIGN_H
#define RP_LEDGER_COSIGN_H

#include "ledger/note.h"

enum { RP_COSIGNATURE = 8 + RP_SIGNATURE };

/* The line of `name` with its key over the text of a checkpoint. now_s is seconds since 1970. */
rp_err rp_cosign(const struct rp_log_key *key, rp_view name, rp_view text, int64_t now_s,
                 struct rp_buf *out);

struct rp_cosignature {
    int64_t time_s;
    const struct rp_tlog_signature *line; /* of the note */
};

/* The newest line by this cosigner's key. NOT_FOUND when it signed nothing here; BAD_SIGNATURE
 * when any line in its name is not its own. */
rp_err rp_cosignature_find(const struct rp_tlog_note *note, const struct rp_tlog_vkey *vkey,
                           struct rp_cosignature *ret_cosignature);

#endif
