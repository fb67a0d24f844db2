/* vault_send_io.h — the log, sent to the log machine: what it has not, in the order in which it can
 * be checked there.
 *
 * One round: each private tree's entries, its checkpoint, its anchor records, the operator's first
 * (where it is refused, nothing else is sent); then the public
 * tree's, whose checkpoint was read first, so that every anchor that it names leads somewhere. A
 * tree whose checkpoint was sent is passed over until it has another. A round that ends half is no
 * harm: the next asks how far the copy goes.
 *
 * Threads: one. Fails: what the door fails with; nothing is lost.
 */
#ifndef RP_LEDGER_VAULT_SEND_IO_H
#define RP_LEDGER_VAULT_SEND_IO_H

#include <stdatomic.h>

#include "ledger/vault_message_io.h"

/* How the vault is asked. reply is cleared first. */
struct rp_vault_door {
    void *ctx;
    rp_err (*call)(void *ctx, enum rp_vault_message what, rp_view request, struct rp_buf *reply);
};

struct rp_vault_sending;

/* folder: the ledger's. */
rp_err rp_vault_sending_new(const char *folder, struct rp_vault_door door,
                            struct rp_vault_sending **ret_sending);
void rp_vault_sending_free(struct rp_vault_sending *sending); /* accepts NULL */

struct rp_vault_round {
    uint64_t trees;   /* that had something new, or could not be sent */
    uint64_t entries; /* sent */
    uint64_t behind;  /* entries that the vault has not, as far as the round came */
    /* A tree that the vault refuses as not the one that it keeps, at two rounds in a row. */
    bool refused;
    struct rp_tree refused_tree;
    rp_err refused_err;
};
/* Ends early, with CLOSED, when *stop becomes true. */
rp_err rp_vault_sending_round(struct rp_vault_sending *sending, const atomic_bool *stop,
                              struct rp_vault_round *ret_round, struct rp_diag *diag);

#endif
