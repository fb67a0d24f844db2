/* witnessed_io.h — `witnessed`, a file beside a tree's checkpoint: the newest head that somebody
 * else cosigned, with their lines under ours.
 *
 * A stranger reads it like everything else: our signature on it, and that the tree goes on from it,
 * are checked here; whose cosignatures count is the reader's to say (rp_cosignature_find).
 */
#ifndef RP_LEDGER_WITNESSED_IO_H
#define RP_LEDGER_WITNESSED_IO_H

#include "ledger/asking.h"
#include "ledger/read_io.h"

struct rp_witnessed {
    struct rp_tlog_note note;
    struct rp_tlog_checkpoint head;
};

/* The file of the log's folder, into the arena. NOT_FOUND without one; CORRUPT, with the reason in
 * diag, when this log did not sign it or does not continue it. */
rp_err rp_witnessed_read(struct rp_log *log, struct rp_arena *arena,
                         struct rp_witnessed **ret_witnessed, struct rp_diag *diag);

/* For the ledger: keeps a note that bears the signature of this key and others' beside it, in a
 * tree's folder. INVALID for any other, and for one of a smaller tree than stands there. */
rp_err rp_witnessed_keep(const char *folder, const struct rp_tlog_vkey *vkey, rp_view note);

#endif
