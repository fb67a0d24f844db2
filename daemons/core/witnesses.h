/* witnesses.h — our public log's head to those who are to cosign it, ledger.witnesses.
 *
 * One thread. When the log has grown, and at least three times in ledger.witness_age_seconds, each
 * witness is asked to cosign the same head (witnesses.c): the courier carries, the ledger keeps the
 * note. What became of it stands in run/witnesses.json, and in the operator's log when it changes
 * (witness_news.c). A witness that does not answer is asked ever later, and stops nothing.
 */
#ifndef RP_CORE_WITNESSES_H
#define RP_CORE_WITNESSES_H

#include "core.h"
#include "ipc/ipc.h"
#include "ledger/asking.h"
#include "ledger/read_io.h"

/* One of them, and what it said. Times are monotonic milliseconds but for those in seconds. */
struct asked {
    struct rp_tlog_vkey vkey;
    uint64_t known_size; /* of the tree that it remembers, as far as we know */
    int64_t not_before_ms, pause_ms;
    unsigned failures; /* in a row */

    int64_t cosigned_ms; /* 0 = never by this process */
    int64_t time_s;      /* of its newest cosignature, as it says */
    uint64_t size;       /* that this one covers */
    rp_hash root;
    struct rp_buf line; /* that it is */

    const char *state; /* "new", "cosigned", "unreachable", "refused" or "diverged" */
    int64_t since_s;
    char problem[224];
    bool news; /* not told yet */
};

struct witnesses {
    struct core *core;
    struct rp_pool *pool; /* one thread */
    struct rp_ipc_client *courier, *ledger;
    _Atomic bool running, stopping;
    /* The thread's, from here on. */
    struct rp_log *log; /* NULL until it could be opened */
    struct asked all[RP_WITNESSES_MAX];
    size_t count;
    int64_t round_ms;   /* when the last one began */
    bool unsaved;       /* the ledger has not taken the newest note */
    unsigned unreached; /* the courier, so often */
    char trouble[128];  /* of our own: said once */
};

/* ---- witness_news.c ---- */

#define WITNESS_STATE_FILE "run/witnesses.json"

/* What stood there when the last core ended, so that a restart is no news. */
void witness_news_read(struct witnesses *witnesses);
/* A state that is another one becomes news. The state is a literal. */
void witness_news_set(struct witnesses *witnesses, struct asked *asked, const char *state,
                      const char *problem);
/* To the operator's log what waits, and the file. */
void witness_news_tell(struct witnesses *witnesses);

#endif
