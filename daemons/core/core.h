/* core.h — the parts of rempart-core and what they share.
 *
 * One loop thread owns connections, timers and flags. Two store threads run handlers, each with
 * its own database connections, keys and identity; a tenant is always on the same one, the system
 * database on the one of key 0. Two password threads do argon2id. One forwarder thread carries
 * outboxes to the ledger, one sends notices, one asks witnesses. They share nothing but queues, and
 * `web`, which is read-only but for its flags.
 */
#ifndef RP_CORE_CORE_H
#define RP_CORE_CORE_H

#include <pthread.h>

#include "daemon.h"
#include "identity/breached.h"
#include "identity/closing.h"
#include "notify/outbox.h"
#include "os/loop.h"
#include "os/pool.h"
#include "os/shm.h"
#include "promise/promise.h"
#include "register/tidy.h"
#include "web/router.h"

enum {
    CORE_STORE_THREADS = 2,
    CORE_PASSWORD_THREADS = 2,
    CORE_PASSWORD_QUEUE = 64,
    CORE_STORE_QUEUE = 1024,
    CORE_CONNECTIONS_MAX = 256,
    CORE_STREAMS_MAX = 48, /* half a megabyte each */
    CORE_TIMERS_MAX = 16,
    CORE_STREAMS_OF_ONE = 16 /* of one organisation: the others find two thirds free */
};

/* leave.c, in this order. */
enum core_leaving { CORE_STAYS, CORE_ANSWERS, CORE_WAITS_FOR_THREADS, CORE_HANDED_OVER };

struct core {
    struct daemon *daemon;
    struct rp_env env;
    struct rp_loop *loop;
    struct rp_arena *arena; /* lives as long as the process */
    struct rp_config config;
    const char *origin; /* "https://host:port" */
    struct rp_promises promises;
    struct rp_registers registers;
    struct rp_web web;
    struct rp_shm sessions, seen, assertions;
    struct rp_breached_file breached; /* opened before entry */
    struct rp_pool *store_pool, *password_pool;
    struct forwarder *forwarder;
    struct sender *sender;
    struct vault *vault;         /* NULL: no machine keeps a copy of the log */
    struct witnesses *witnesses; /* NULL without ledger.witnesses */
    pthread_mutex_t stop_lock;   /* no password job enters the store pool once it closes */
    bool stopping;
    _Atomic bool ticking;             /* the deadlines are being looked at */
    bool clock_looked, clock_doubted; /* what clock.c told last; whoever ticks */
    struct rp_tidying tidying;        /* the registers' index of words; whoever ticks */
    int64_t ticked_ms;                /* by the clock on the wall: the same */
    _Atomic bool closing_now;         /* a round of closings.c runs */
    int64_t closed_ms;                /* monotonic: when the last one began */
    /* Of the last round, with a new canary; the loop's once it is over. */
    rp_id closing_tenants[RP_CLOSINGS_AT_ONCE + 1];
    size_t closing_count;
    _Atomic bool rang;        /* they made events: the ledger is to have them */
    struct connection *first; /* all of them */
    uid_t owner;              /* of the state folder: may administer over run/cli.sock */
    unsigned connections, streams;
    rp_id purged; /* the last tenant whose trash was looked at; the thread of key 0 */
    int core_fd, cli_fd;
    struct rp_watch *doors[2]; /* of these; NULL while nobody is let in */
    struct rp_timer *timers[CORE_TIMERS_MAX];
    size_t timer_count;
    enum core_leaving leaving;
    unsigned threads_back;
};

/* ---- thread.c: what one store thread owns ---- */

/* A thread's place; what stands in it is opened at the first job, and again after a failure, so
 * that a key service that is sealed or a disk that is full is waited for. */
struct core_slot {
    struct core *core;
    struct rp_web_thread *thread;
    int64_t tried_ms;
};

rp_err core_thread_open(const struct core *core, struct rp_web_thread **ret_thread,
                        struct rp_diag *diag);
void core_thread_close(struct rp_web_thread *thread);
/* A database that is of a newer version, or none of ours, goes on record: it cannot itself hold
 * the event, so the ledger gets it straight, if it is there. Every other error is passed over. */
void core_tell_refused(const struct core *core, struct rp_ipc_client *ledger, const char *what,
                       rp_err why, const struct rp_diag *diag);
/* NULL while it cannot be opened: then requests answer 503. */
struct rp_web_thread *core_slot_thread(struct core_slot *slot);
void *core_slot_new(void *core, unsigned index);
void core_slot_free(void *slot);
rp_err core_pools_start(struct core *core);
/* Waits for what runs; afterwards nobody but the loop's thread is left. */
void core_pools_stop(struct core *core);

/* ---- tables.c: what the gate maps ---- */
rp_err core_tables_create(struct core *core); /* beside those that are there */
rp_err core_tables_fill(struct core *core, struct rp_identity *identity);
rp_err core_tables_publish(struct core *core); /* in their place */
rp_err core_tables_keep(struct core *core);    /* the heartbeat, each second */

/* ---- lists.c: who may always come in at the gate, and who may not ---- */
/* Puts the canaries of S58 there, and the workers' table in place. Needs no key service. */
rp_err core_lists_start(struct core *core);
/* What ran out goes, and a table that is not as the rows are is made anew. */
void core_lists_keep(const struct core *core, struct rp_web_thread *thread);

/* ---- certificates.c ---- */
/* What cannot be renewed, to the operator's people by mail; once each. */
void core_certificates_tell(const struct core *core, struct rp_web_thread *thread);

/* ---- first_start.c ---- */
/* Tenants, canaries, tokens and the first administrator's link, where they are missing. */
rp_err core_first_start(struct core *core, struct rp_web_thread *thread, struct rp_diag *diag);

/* ---- chores.c: what is done now and then ---- */
/* First start and the session table, now or, when the key service is not ready, as soon as it is.
 */
rp_err core_set_up(struct core *core, struct rp_diag *diag);
/* Leases and sessions that ran out, every half minute. */
rp_err core_chores_start(struct core *core);
/* On a store thread: what ran out ends, and what a wrong clock put off is due. */
void core_expire(const struct core *core, struct rp_web_thread *thread);

/* ---- closings.c: organisations that are due to end ---- */
/* A step of each every second while there are some. */
rp_err core_closings_start(struct core *core);
/* Lets go of the databases and keys of those that ended; each thread for itself. */
void core_closings_forget(struct rp_web_thread *thread);

/* ---- closing_canary.c: one organisation that lives, one that was closed, and a copy of each ----
 */
/* True while there is something left to do soon. *ret_made: the one it has just made, whose events
 * are to be forwarded; else untouched. */
bool core_closing_canary(const struct core *core, struct rp_web_thread *thread, rp_id *ret_made);

/* ---- registers.c: deadlines, and rows that somebody altered ---- */
rp_err core_registers_start(struct core *core);
/* A schema that would orphan records is refused. */
rp_err core_registers_check(struct core *core, struct rp_web_thread *thread, struct rp_diag *diag);
/* The canary's own record of persons, on its own shelf: begun, nothing signed, for this account. */
rp_err core_registers_canary(struct core *core, struct rp_web_thread *thread, rp_id account);
/* An access purpose beside it, which it may not change; made once. */
rp_err core_registers_purpose(struct core *core, struct rp_web_thread *thread);

/* ---- clock.c: is this machine's clock believed? ---- */
/* With the deadlines, on their thread: what changed is told. */
void core_clock_look(struct core *core, struct rp_db *db);
/* Before anything is destroyed because its time has come. False also when nobody can say. */
bool core_clock_is_believed(const struct core *core, struct rp_web_thread *thread);

/* ---- doors.c ---- */
/* On the sockets that the supervisor holds, or on our own. */
rp_err core_listen(struct core *core);
/* Nobody new is let in. */
void core_shut_doors(struct core *core);
/* A request is under way that has to be answered before we hand over, or may still come on an open
 * connection; streams, and answers that their reader is slow to take, do not count. */
bool core_is_answering(const struct core *core);
/* Each connection ends with the answer that it is at. */
void core_close_after_answers(struct core *core);
/* The pools are closed: what was under way is dropped. */
void core_hang_up(struct core *core);

/* ---- forward.c: outboxes to the ledger ---- */
rp_err core_forward_start(struct core *core);
void core_forward_stop(struct core *core);
/* Something waits in this tenant's outbox (none = the system's). Loop thread only. */
void core_forward_soon(struct core *core, rp_id tenant);
void core_forward_all(struct core *core);
bool core_forward_runs(const struct core *core);

/* ---- tell.c ---- */
/* The installation's operators, by mail and inbox: the same kind with the same first and last value
 * is told each once. */
rp_err core_tell_operators(struct rp_web_thread *thread, enum rp_notice_kind kind,
                           const struct rp_notice_value *values, size_t value_count);

/* ---- webhooks.c: events to the operator's own programs ---- */
struct rp_log;
/* A round, on the sender's thread; *log is its own, NULL at first. */
void core_webhooks_serve(struct core *core, struct rp_web_thread *thread,
                         struct rp_ipc_client *courier, struct rp_log **log);

/* ---- send.c: notices to the courier ---- */
struct core_outcome {
    enum rp_notice_outcome what;
    rp_view problem;
};
/* A mail or a webhook handed over; problem, in the arena: what the other side said. */
rp_err core_ask_courier(struct rp_ipc_client *courier, enum rp_ipc_message message, rp_view request,
                        struct rp_arena *arena, struct core_outcome *ret_outcome);
rp_err core_send_start(struct core *core);
void core_send_stop(struct core *core);
bool core_send_runs(const struct core *core);

/* ---- vault.c: the log to the log machine ---- */
rp_err core_vault_start(struct core *core);
void core_vault_stop(struct core *core);
bool core_vault_runs(const struct core *core);
void core_vault_leave(struct core *core); /* the round under way ends early */
/* ---- witnesses.c: our log's head to those who cosign it ---- */
rp_err core_witnesses_start(struct core *core);
void core_witnesses_stop(struct core *core);

/* ---- leave.c: at a reload, to a successor ---- */
/* Before any thread starts, so that the signal is blocked in all of them. */
rp_err core_leave_start(struct core *core);
/* A timer of what core does by itself: it ends when core leaves. Loop thread only. */
rp_err core_every(struct core *core, int64_t after_ms, int64_t period_ms, void (*fire)(void *ctx),
                  void *ctx);

#endif
