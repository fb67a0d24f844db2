/* outbox.h — what waits in one database's outbox goes to the ledger, on the forwarder's thread.
 *
 * Sending again after a doubt is always right: the ledger knows (stream, sequence). Where rows may
 * be known to it already (at the start, during a backup and after one) it is asked how far its
 * stream goes, and sending begins behind it.
 */
#ifndef RP_DAEMONS_CORE_OUTBOX_H
#define RP_DAEMONS_CORE_OUTBOX_H

#include "ledger/client.h"
#include "store/store.h"

struct core;
struct rp_web_thread;

struct core_outbox {
    const struct core *core;
    struct rp_web_thread *thread;
    bool keep;          /* rows stay: a backup is being made */
    bool ask;           /* the ledger may have more than the outbox knows */
    bool rebase;        /* databases that were put back go on behind the ledger's numbers */
    bool ledger_failed; /* the last error was the ledger's, not one database's */
};

/* All that waits, until nothing does or something fails. */
rp_err core_outbox_send(struct core_outbox *outbox, struct rp_db *db, struct rp_tree tree,
                        rp_id stream);

#endif
