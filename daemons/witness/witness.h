/* witness.h — rempart-witness: cosigns the heads of other installations' logs.
 *
 * It reads what strangers sent, taken apart by nginx, and holds a signing key (ADR 13): so it can
 * do nothing else. The key signs cosignatures only, of trees that a log of witness.logs signed and
 * that go on from the last one; that last one is on disk before the answer goes out. One loop, one
 * thread, so that looking and keeping are one step.
 */
#ifndef RP_WITNESS_H
#define RP_WITNESS_H

#include "base/id.h"
#include "daemon.h"
#include "ledger/cosign.h"
#include "ledger/witness.h"

enum { WITNESS_LOGS_MAX = 16, WITNESS_CONNECTIONS_MAX = 64 };

/* What the operator is to know of a log: at most once in ten minutes, since anybody may ask. */
struct news {
    bool waits;
    enum rp_witness_verdict verdict;
    uint64_t size;
    int64_t told_ms; /* monotonic; 0 = never */
};

struct witness {
    struct daemon daemon;
    char name[RP_CONFIG_WITNESS_NAME_MAX];
    struct rp_log_key key;
    struct rp_witness_log logs[WITNESS_LOGS_MAX];
    struct news news[WITNESS_LOGS_MAX];
    size_t log_count;
    struct rp_ipc_client *ledger;
    int listener;
    struct rp_watch *door; /* NULL while nobody more is let in */
    struct connection *first;
    unsigned connections;
};

/* ---- keep.c: the key, and the newest tree of each log ---- */

/* Reads witness.logs, the key and what was cosigned; says what is wrong. A state that is not ours
 * is CORRUPT: to begin anew would be to forget what we vouched for. */
rp_err keep_open(struct witness *witness);
/* The same for a configuration that is tried: nothing is made or written. */
rp_err keep_rehearse(struct witness *witness);
/* Cosigns, and makes it durable where it is new. On failure nothing is remembered. */
rp_err keep_cosign(struct witness *witness, const struct rp_witness_judgement *judged,
                   struct rp_buf *line);
/* A signed head that does not continue ours: kept as evidence, to be shown to others. */
void keep_refused(struct witness *witness, const struct rp_witness_judgement *judged);
/* Tells the log what waits; what it does not take now stays for the next round. */
void keep_tell(void *witness);

/* ---- serve.c: FastCGI from the gate ---- */

rp_err serve_open(struct witness *witness);
void serve_close(struct witness *witness);

#endif
