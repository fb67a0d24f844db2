/* vault_sending.h — what the sending of a log's copy holds, for its three stories: trees and rounds
 * (vault_send_io), records of anchors (vault_send_records_io), access segments
 * (vault_send_access_io).
 */
#ifndef RP_LEDGER_VAULT_SENDING_H
#define RP_LEDGER_VAULT_SENDING_H

#include "ledger/idmap.h"
#include "ledger/read_io.h"
#include "ledger/vault_send_io.h"

enum { RP_VAULT_PATH_SIZE = 256 };

struct rp_vault_sending {
    const char *folder;
    struct rp_vault_door door;
    struct rp_buf request, reply, bytes;
    struct rp_idmap sent; /* tree → the first bytes of the hash of the checkpoint that was sent */
    struct rp_idmap records; /* tree → how many of its anchor records were */
    uint64_t anchors_seen;   /* public entries in which anchors were looked for */
    struct rp_arena *arena;
    struct rp_arena *anchor;    /* one anchor's entry, while the arena holds a file of records */
    struct rp_buf proof;        /* of that entry */
    struct rp_vault_round last; /* refused then */
    /* of the round under way */
    const atomic_bool *stop;
    struct rp_vault_round round;
    struct rp_log *public_log;
    uint64_t public_size;
    bool anchored; /* the public tree names anchors whose records may not have been sent */
    rp_err failed; /* of a tree that cannot be read here: the others go on */
    struct rp_diag *diag;
};

/* One question to the vault; the answer stands in s->reply. CLOSED when the round is to stop. */
rp_err rp_vault_ask(struct rp_vault_sending *s, enum rp_vault_message what,
                    const struct rp_vault_request *request);
rp_err rp_vault_ask_size(struct rp_vault_sending *s, struct rp_tree tree,
                         struct rp_vault_size *ret_size);

rp_id rp_vault_key_of(struct rp_tree tree);
void rp_vault_tree_path(const struct rp_vault_sending *s, struct rp_tree tree, const char *name,
                        char out[static RP_VAULT_PATH_SIZE]);

/* What the vault has not yet of the tree's anchor records, each with what proves it. */
rp_err rp_vault_send_records(struct rp_vault_sending *s, struct rp_tree tree);
/* The access segments that the vault asks for. */
rp_err rp_vault_send_segments(struct rp_vault_sending *s);

#endif
