/* vault_message_io.h — what the log machine is asked, packed, unpacked and answered in one place.
 *
 * SIZE: a tree; answered by its sizes. ENTRIES: a tree, the first one's place, a bundle. HEAD: a
 * tree and a checkpoint. RECORDS: a tree and anchor records with their proofs. WANTED: a time;
 * answered by the next access segment after it and how many of its bytes are there. SEGMENT: its
 * time, a place in it, its length, bytes. There is none that reads entries back, replaces or
 * removes.
 */
#ifndef RP_LEDGER_VAULT_MESSAGE_IO_H
#define RP_LEDGER_VAULT_MESSAGE_IO_H

#include "base/buf.h"
#include "ledger/vault_io.h"

enum rp_vault_message {
    RP_VAULT_SIZE = 1,
    RP_VAULT_ENTRIES,
    RP_VAULT_HEAD,
    RP_VAULT_RECORDS,
    RP_VAULT_WANTED,
    RP_VAULT_SEGMENT
};

/* A request bears those of these that its message has. */
struct rp_vault_request {
    struct rp_tree tree;
    uint64_t at;            /* first entry; time of a segment */
    uint64_t offset, total; /* in a segment */
    rp_view bytes;          /* a view into the message */
};

/* Bytes of one message at most: the rest of a frame is for what goes before them. */
enum { RP_VAULT_BYTES_MAX = 120 * 1024 };

void rp_vault_request_pack(struct rp_buf *out, enum rp_vault_message what,
                           const struct rp_vault_request *request);
/* PROTOCOL for what rp_vault_request_pack would not write. */
rp_err rp_vault_request_unpack(enum rp_vault_message what, rp_view message,
                               struct rp_vault_request *ret_request);

/* Does what the request says, and packs the answer; the diag says what was refused. To a stranger
 * nothing is taken: what does not fit is refused as to everybody, what would fit with DENIED. */
rp_err rp_vault_answer(struct rp_vault *vault, bool stranger, enum rp_vault_message what,
                       rp_view message, struct rp_buf *reply, struct rp_diag *diag);

rp_err rp_vault_size_unpack(rp_view reply, struct rp_vault_size *ret_size);
rp_err rp_vault_wanted_unpack(rp_view reply, uint64_t *ret_time_ms, uint64_t *ret_bytes);

#endif
