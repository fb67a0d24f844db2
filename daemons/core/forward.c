/* forward.c — outboxes to the ledger: what committed is handed on until the ledger has it.
 *
 * The loop keeps the set of databases in which something may wait, and hands it to the one
 * forwarder thread every 100 ms; what could not be sent comes back into the set. At start the set
 * is everything. A ledger that was away is asked at every round, so that writes wait no longer than
 * they must. A tenant's database that cannot be read, or that the ledger finds a gap in, keeps
 * nobody else waiting: it stays in the set and is tried again each second.
 *
 * While a backup copies the databases, what the ledger has stays in them: so every copy holds all
 * that the ledger's copy, which was made before, does not (docs/operations/backup.md).
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "os/file.h"
#include "outbox.h"

enum { ROUND_MS = 100, PING_MS = 1000, SET_MAX = 4096 };

/* The system database's own numbering; every other stream is a tenant's id. */
static const rp_id system_stream = {
    {'r', 'e', 'm', 'p', 'a', 'r', 't', ' ', 's', 'y', 's', 't', 'e', 'm', 0, 1}};

/* A bounded set of databases; over its bound it simply means "all". */
struct dirty {
    rp_id tenants[SET_MAX];
    size_t count;
    bool own, all; /* own: the system database */
};

struct forwarder {
    struct core *core;
    struct rp_pool *pool;     /* one thread */
    struct dirty next, round; /* the loop's; the thread's while a round runs */
    bool running, sent, waited, ledger_up, disk_low;
    bool keep;     /* the round's: what was sent stays in the outbox */
    bool kept;     /* the last round's, when it reached every database that it looked at */
    bool rebase;   /* the round's: databases that were put back go on behind the ledger's numbers */
    size_t broken; /* tenants of the last round that stayed in the set for their own fault */
    int64_t pinged_ms;
    bool said_down; /* the thread's: one line a change */
};

/* One round, as the thread goes through it. */
struct sending {
    struct core_outbox outbox;
    struct dirty *set;
    bool waits;      /* a database was busy or away: not all of its events were looked at */
    bool say_broken; /* one line when the first breaks, not one a second */
    size_t broken;
};

static void add(struct dirty *set, rp_id tenant) {
    if (rp_id_is_none(tenant)) {
        set->own = true;
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        if (rp_id_equal(set->tenants[i], tenant)) {
            return;
        }
    }
    if (set->count == SET_MAX) {
        set->all = true;
        return;
    }
    set->tenants[set->count++] = tenant;
}

void core_forward_soon(struct core *core, rp_id tenant) {
    add(&core->forwarder->next, tenant);
}

void core_forward_all(struct core *core) {
    core->forwarder->next.all = true;
}

bool core_forward_runs(const struct core *core) {
    return core->forwarder->running;
}

/* ---- a round, on the forwarder's thread ---- */

static rp_err send_system(struct sending *sending) {
    struct rp_db *db = NULL;
    RP_TRY(rp_store_system(sending->outbox.thread->store, &db, NULL));
    RP_TRY(core_outbox_send(&sending->outbox, db, (struct rp_tree){.kind = RP_TREE_OPERATOR},
                            system_stream));
    rp_ignore(rp_db_checkpoint(db)); /* the next round does what this one could not */
    return RP_OK;
}

/* A database that is busy or away for a moment is no ledger that is down: its events wait for the
 * next round, and who writes is told by the database itself. */
static bool only_waits(struct sending *sending, rp_err err) {
    bool waits =
        !sending->outbox.ledger_failed && (rp_is(err, RP_E_BUSY) || rp_is(err, RP_E_UNREACHABLE));
    sending->waits = sending->waits || waits;
    return waits;
}

/* RP_OK also when its events have to wait: then set->own stays. */
static rp_err try_system(struct sending *sending) {
    sending->outbox.ledger_failed = false;
    rp_err err = send_system(sending);
    sending->set->own = only_waits(sending, err);
    return sending->set->own ? RP_OK : err;
}

static rp_err send_tenant(struct sending *sending, rp_id tenant, struct rp_diag *diag) {
    struct rp_db *db = NULL;
    RP_TRY(rp_store_tenant(sending->outbox.thread->store, tenant, false, &db, diag));
    return core_outbox_send(&sending->outbox, db,
                            (struct rp_tree){.kind = RP_TREE_TENANT, .tenant = tenant}, tenant);
}

/* Between two rounds its files went, or its rows (a handle that is still open finds none: CORRUPT),
 * and with them what there was to send: nothing. */
static bool was_closed(struct rp_web_thread *thread, rp_id tenant, rp_err err) {
    char name[129];
    return (rp_is(err, RP_E_NOT_FOUND) || rp_is(err, RP_E_CORRUPT)) &&
           rp_is(rp_identity_tenant_name(thread->identity, tenant, name), RP_E_NOT_FOUND);
}

static void say_broken(struct sending *sending, rp_id tenant, rp_err err,
                       const struct rp_diag *diag) {
    daemon_say(sending->outbox.core->daemon, "tenant %s: its events wait: %s",
               rp_id_print(tenant).s, rp_err_text(err, RP_EN));
    core_tell_refused(sending->outbox.core, sending->outbox.thread->ledger, rp_id_print(tenant).s,
                      err, diag);
}

/* RP_OK also when only this tenant's events have to wait: then *ret_broken. */
static rp_err try_tenant(struct sending *sending, rp_id tenant, bool *ret_broken) {
    struct rp_diag diag = {0};
    sending->outbox.ledger_failed = false;
    rp_err err = send_tenant(sending, tenant, &diag);
    if (sending->outbox.ledger_failed) {
        return err;
    }
    *ret_broken = !rp_ok(err) && !was_closed(sending->outbox.thread, tenant, err);
    if (*ret_broken && sending->say_broken && sending->broken == 0) {
        say_broken(sending, tenant, err, &diag);
    }
    sending->broken += *ret_broken;
    return RP_OK;
}

/* A ledger that does not answer ends the round: it is one, and what is left stays. */
static rp_err send_set(struct sending *sending) {
    struct dirty *set = sending->set;
    if (set->own) {
        RP_TRY(try_system(sending));
    }
    /* Those that are broken gather at the front. */
    while (set->count > sending->broken) {
        rp_id *last = &set->tenants[set->count - 1], tenant = *last;
        bool broken = false;
        RP_TRY(try_tenant(sending, tenant, &broken));
        if (broken) {
            *last = set->tenants[sending->broken - 1];
            set->tenants[sending->broken - 1] = tenant;
        } else {
            set->count--;
        }
    }
    return RP_OK;
}

static rp_err send_one(void *ctx, rp_id tenant, rp_view name) {
    struct sending *sending = ctx;
    bool broken = false;
    (void)name;
    RP_TRY(try_tenant(sending, tenant, &broken));
    if (broken) {
        add(sending->set, tenant);
    }
    return RP_OK;
}

static rp_err send_every(struct sending *sending) {
    struct dirty *set = sending->set;
    RP_TRY(try_system(sending));
    set->count = 0;
    rp_err err = rp_identity_each_tenant(sending->outbox.thread->identity, send_one, sending);
    if (only_waits(sending, err)) {
        return RP_OK; /* all of them again, in the next round */
    }
    RP_TRY(err);
    set->all = sending->broken > SET_MAX; /* then the set does not hold them */
    return RP_OK;
}

/* Is somebody there who keeps events? Asked when nothing else was sent for a second. */
static rp_err ping(struct rp_web_thread *thread) {
    struct rp_buf note = rp_buf_new(8192);
    rp_err err = rp_ledger_head(thread->ledger, (struct rp_tree){.kind = RP_TREE_OPERATOR}, &note);
    rp_buf_done(&note);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

static bool disk_is_low(const struct core *core) {
    uint64_t bytes;
    unsigned percent;
    return rp_ok(rp_folder_free("db", &bytes, &percent)) &&
           percent < core->config.disk_free_percent;
}

static void say_change(struct forwarder *f, rp_err err) {
    bool down = !rp_ok(err);
    if (down != f->said_down) {
        daemon_say(f->core->daemon, "ledger: %s", down ? rp_err_text(err, RP_EN) : "answers again");
        f->said_down = down;
    }
}

static void round_ended(void *ctx) {
    struct forwarder *f = ctx;
    RP_ASSERT(f->running);
    f->running = false;
    atomic_store(&f->core->web.ledger_down, !f->ledger_up);
    f->kept = f->keep && f->sent && !f->waited;
    atomic_store(&f->core->web.outbox_kept, f->kept);
    atomic_store(&f->core->web.disk_low, f->disk_low);
    f->next.all = f->next.all || f->round.all;
    f->next.own = f->next.own || f->round.own;
    for (size_t i = 0; i < f->round.count; i++) {
        add(&f->next, f->round.tenants[i]);
    }
    atomic_store(&f->core->web.outbox_databases, f->next.count + f->next.own);
}

static void run_round(void *thread_state, void *ctx) {
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    struct forwarder *f = ctx;
    struct sending sending = {.outbox = {.core = f->core,
                                         .thread = thread,
                                         .keep = f->keep,
                                         .ask = f->keep || f->round.all,
                                         .rebase = f->rebase},
                              .set = &f->round,
                              .say_broken = f->broken == 0};
    rp_err err = RP_ERR(NO_MEMORY);
    if (thread && atomic_load(&f->core->web.closing)) {
        core_closings_forget(thread);
    }
    if (thread) {
        err = f->round.all ? send_every(&sending) : send_set(&sending);
        if (rp_ok(err)) {
            err = ping(thread);
        }
    }
    f->broken = sending.broken;
    bool full = rp_is(err, RP_E_NO_SPACE); /* who says so is up, and people are to read "disk" */
    f->sent = rp_ok(err);
    f->waited = sending.waits;
    f->ledger_up = f->sent || full;
    f->disk_low = full || disk_is_low(f->core);
    say_change(f, err);
    rp_err posted = rp_loop_post(f->core->loop, round_ended, f);
    RP_ASSERT(rp_ok(posted));
}

/* A backup asks that rows stay. When it ends, all of them are looked at once more. */
static void look_at_backup(struct forwarder *f, int64_t now_ms) {
    bool keep = now_ms < atomic_load(&f->core->web.keep_outbox_until_ms);
    if (keep != f->keep) {
        f->keep = keep;
        f->next.own = true;
        f->next.all = f->next.all || !keep;
    }
    f->rebase = atomic_exchange(&f->core->web.rebase, false);
    f->next.all = f->next.all || f->rebase;
}

/* Nothing is new: at most what could not be sent a moment ago. */
static bool is_quiet(const struct forwarder *f) {
    const struct dirty *set = &f->next;
    return !set->all && !set->own && set->count <= f->broken;
}

static void start_round(void *ctx) {
    struct forwarder *f = ctx;
    int64_t now_ms = rp_env_monotonic_ms(&f->core->env);
    if (f->running) {
        return; /* what it counts is its own until it ends */
    }
    look_at_backup(f, now_ms);
    bool idle = is_quiet(f) && f->ledger_up;
    if (idle && now_ms - f->pinged_ms < PING_MS) {
        return;
    }
    f->pinged_ms = now_ms;
    f->round = f->next;
    f->next.count = 0;
    f->next.own = f->next.all = false;
    f->running = rp_ok(rp_pool_submit(f->pool, run_round, f));
    RP_ASSERT(f->running); /* one round at a time in a queue of four */
}

/* ---- start ---- */

rp_err core_forward_start(struct core *core) {
    struct forwarder *f = calloc(1, sizeof *f);
    if (!f) {
        return RP_ERR(NO_MEMORY);
    }
    f->core = core;
    f->ledger_up = true;
    f->next.all = true;
    core->forwarder = f;
    RP_TRY(rp_pool_new(1, 4, core_slot_new, core_slot_free, core, &f->pool));
    return core_every(core, 0, ROUND_MS, start_round, f);
}

void core_forward_stop(struct core *core) {
    if (core->forwarder) {
        rp_pool_free(core->forwarder->pool);
        free(core->forwarder);
        core->forwarder = NULL;
    }
}
