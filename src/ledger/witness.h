/* witness.h — whether a witness may cosign: C2SP tlog-witness v1.0.0, add-checkpoint, as one pure
 * function on bytes.
 *
 * A witness follows some logs, each known by its origin and key, and remembers of each the newest
 * tree that it cosigned. It cosigns what its log signed and what goes on from that tree; whoever
 * asks needs no right. Keeping the new tree before the answer goes out is the caller's.
 */
#ifndef RP_LEDGER_WITNESS_H
#define RP_LEDGER_WITNESS_H

#include "ledger/note.h"

enum { RP_WITNESS_BODY_MAX = 64 * 1024, RP_WITNESS_ARENA = 128 * 1024 };
#define RP_WITNESS_SIZE_TYPE "text/x.tlog.size"

/* A log that is followed. Its origin is its key's name. */
struct rp_witness_log {
    struct rp_tlog_vkey vkey;
    uint64_t size; /* of the newest tree that was cosigned; 0 = none was */
    rp_hash root;
};

enum rp_witness_verdict {
    RP_WITNESS_COSIGNS,
    RP_WITNESS_MALFORMED,
    RP_WITNESS_UNKNOWN_LOG,
    RP_WITNESS_NOT_SIGNED,
    RP_WITNESS_OTHER_SIZE, /* not from the tree that is remembered: the size is told */
    RP_WITNESS_FORKED,     /* signed, as large as the remembered one, and another: two histories */
    RP_WITNESS_INCONSISTENT, /* signed, but the proof does not lead there */
    RP_WITNESS_VERDICT_COUNT
};

struct rp_witness_judgement {
    enum rp_witness_verdict verdict;
    struct rp_witness_log *log; /* NULL before one was found */
    rp_view note;               /* the log's checkpoint with its signatures */
    rp_view text;               /* of it, what is signed */
    uint64_t size;
    rp_hash root;
};

/* Changes nothing. Views point into body and arena. An arena that is too small is MALFORMED. */
struct rp_witness_judgement rp_witness_judge(rp_view body, struct rp_witness_log *logs,
                                             size_t count, struct rp_arena *arena);
/* 200, 400, 403, 404, 409, 422. */
unsigned rp_witness_status(enum rp_witness_verdict verdict);

#endif
