/* ledger.h — the role that takes every event: one loop that journals, one thread that grows trees.
 *
 * intake.c answers APPEND and HEAD: what arrives in one turn of the loop becomes one write and one
 * wait, then everybody is told. grower.c hands the journal's end to the thread that owns the
 * forest: tiles, checkpoints, anchors. gate.c drains the workers' rings, and
 * gate_events.c says what was refused there. The two threads share
 * nothing but the jobs between them, each owned by one side at a time.
 */
#ifndef RP_DAEMONS_LEDGER_H
#define RP_DAEMONS_LEDGER_H

#include "daemon.h"
#include "ipc/ipc.h"
#include "ledger/access_io.h"
#include "ledger/engine_io.h"
#include "ledger/forest_io.h"
#include "ledger/limits.h"
#include "os/pool.h"
#include "os/shm.h"
#include "tally.h"

enum { WAITING_MAX = 1024, HEADS_MAX = 64, RINGS_MAX = 128 }; /* two a worker */

struct ledger;

/* Work for the growing thread, and its answer. */
struct job {
    struct ledger *ledger;
    void (*run)(struct job *job);  /* there */
    void (*done)(struct job *job); /* here, afterwards */
    bool busy;
    struct rp_journal_place end;
    uint64_t end_bytes;
    enum rp_forest_which which;
    bool as_it_stands; /* a head: nothing may be derived for it now */
    struct rp_tree tree;
    struct rp_ipc_call_id call;
    struct rp_buf bytes; /* a checkpoint's text, or the lines of an access segment */
    uint64_t time_ms, count;
    rp_hash hash;
    rp_err err;
    struct rp_diag diag;
};

/* Nothing below ledger/ changes but the journal's end: wanted, or so already (hold.c). */
enum hold { HOLD_NONE, HOLD_WANTED, HOLD_STANDS };

struct waiting {
    struct rp_ipc_call_id call;
    uint64_t next;
};

struct ring {
    uint64_t number; /* of run/ring.<number> */
    struct rp_shm shm;
    uint32_t records;
    uint64_t lost; /* as last seen */
};

struct ledger {
    struct daemon *daemon;
    struct rp_disk disk;
    struct rp_grow_home home;
    struct rp_engine *engine;
    struct rp_forest *forest; /* the growing thread's while the pool runs */
    struct rp_ipc_server *server;
    struct rp_pool *pool;
    rp_err fatal; /* why the loop was stopped */

    struct waiting waiting[WAITING_MAX];
    size_t waiting_count;
    bool commit_posted;
    bool commit_held; /* the trees are too far behind: whoever waits waits a little longer */
    bool disk_low;
    int64_t diverged_ms; /* when a sender's other events were last told; 0 = never */

    struct job grow, anchor, access;
    struct job heads[HEADS_MAX];
    uint64_t grown_bytes;             /* journal bytes that are in signed trees */
    struct rp_journal_place grown;    /* all before is in signed trees, the tenants' perhaps not */
    struct rp_journal_place anchored; /* where the last round of anchoring stood */
    struct job still;                 /* the last one before all stands still */
    enum hold hold;
    int64_t hold_until_ms;
    struct rp_timer *hold_timer;
    bool tenants_wait;
    int64_t tenants_ms;                  /* when all trees were signed last */
    struct rp_journal_place anchor_leaf; /* the journal's end with the open anchor's leaf */
    bool anchor_open;                    /* its leaf is journaled, its records not yet written */
    bool said_trouble;

    struct ring rings[RINGS_MAX];
    size_t ring_count;
    struct rp_gate_limits limits;
    uint64_t ring_lost, bad_records;
    struct tally tally;
    struct rp_buf lines; /* of the access segment that is being gathered */
    uint64_t line_count;
    int64_t lines_ms; /* when its first line came */
    uint64_t last_segment_ms;
    struct rp_timer *timers[8];
    size_t timer_count;
};

/* Ends the program for a reason that no later try would mend. */
void ledger_stop(struct ledger *ledger, rp_err err, const char *what, const struct rp_diag *diag);

/* ---- intake.c ---- */
void intake_request(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                    struct rp_ipc_call_id call, rp_view request);
void intake_peer_refused(void *ctx, enum rp_role_id named, pid_t pid, const char *reason);
/* An event of the ledger's own, durable with the next commit; now: when this returns. */
rp_err intake_emit(struct ledger *ledger, struct rp_tree tree, const struct rp_event *event);
rp_err intake_emit_now(struct ledger *ledger, struct rp_tree tree, const struct rp_event *event);
rp_err intake_commit(struct ledger *ledger);
void intake_release(struct ledger *ledger);
/* Looks at the disk; below the share that must be free, appends are refused. */
void intake_check_disk(void *ctx);

/* ---- grower.c ---- */
rp_err grower_start(struct ledger *ledger); /* opens and catches up, before anyone is answered */
rp_err grower_run(struct ledger *ledger);   /* starts the thread and the timers */
void grower_stop(struct ledger *ledger);    /* ends the thread; then publishes what is left */
/* True when the trees are so far behind the journal that no more may be taken for now; the thread
 * is at work on it, and intake_release is called when it is done. */
bool grower_is_behind(struct ledger *ledger);
/* Answers the call with the tree's checkpoint, later. */
void grower_head(struct ledger *ledger, struct rp_tree tree, struct rp_ipc_call_id call);
bool grower_submit(struct job *job); /* false: the thread is busy, ask again later */
void grower_grew(struct job *job);   /* the trees reached the job's end */

/* ---- refused.c ---- */
void refused_note(rp_err err, const struct rp_diag *diag); /* only of a log that was altered */
void refused_tell(struct ledger *ledger);                  /* the last start's, if it was refused */

/* ---- hold.c ---- */
void hold_init(struct ledger *ledger, void (*run)(struct job *job));
void hold_start(struct ledger *ledger, struct rp_ipc_call_id call); /* answers later */
void hold_release(struct ledger *ledger, struct rp_ipc_call_id call);
void hold_stop(struct ledger *ledger);

/* ---- gate.c ---- */
rp_err gate_start(struct ledger *ledger); /* leaves for segments that a crash left without one */
void gate_scan(void *ctx);                /* every second: which rings are there */
void gate_drain(void *ctx);               /* every 100 ms */
void gate_stop(struct ledger *ledger);

/* ---- gate_events.c: one that finds no room is counted, and told by the next summary ---- */
void gate_emit_record(struct ledger *ledger, const struct rp_gate_record *r,
                      struct rp_arena *arena);
void gate_emit_summary(struct ledger *ledger, uint64_t count, uint64_t lost,
                       struct rp_arena *arena);

#endif
