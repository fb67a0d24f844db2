/* hold.c — for a moment the log's files stand still, so that a backup copies one state of them.
 *
 * HOLD: the trees catch up with the journal and are signed, and from then on nothing below ledger/
 * changes but the journal's end, which the answer names. Events are taken as ever; after 12 MiB of
 * them senders wait. RELEASE ends it, and so do ten seconds: a backup that died holds nobody up.
 */
#include "base/checked.h"
#include "ledger.h"

enum { HOLD_MS = 10 * 1000, LOOK_MS = 20 };

static int64_t monotonic_ms(const struct ledger *ledger) {
    return rp_env_monotonic_ms(&ledger->daemon->env);
}

static void end_hold(struct ledger *ledger) {
    rp_timer_free(ledger->hold_timer);
    ledger->hold_timer = NULL;
    ledger->hold = HOLD_NONE;
    intake_release(ledger);
}

static void refuse(struct ledger *ledger, rp_err err) {
    rp_ipc_reply(ledger->server, ledger->still.call, err, RP_VIEW(""));
    end_hold(ledger);
}

static void stands_still(struct job *job) {
    struct ledger *ledger = job->ledger;
    if (ledger->hold != HOLD_WANTED) {
        return; /* it took too long, and was told so */
    }
    if (!rp_ok(job->err)) {
        refuse(ledger, job->err);
        return;
    }
    grower_grew(job);
    ledger->hold = HOLD_STANDS;
    ledger->hold_until_ms = monotonic_ms(ledger) + HOLD_MS;
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(16);
    rp_pack_u64(&reply, job->end.segment);
    rp_pack_u64(&reply, job->end.offset);
    rp_ipc_reply(ledger->server, job->call, rp_buf_err(&reply), rp_buf_view(&reply));
}

/* What was begun before comes to its end first; nothing new begins while somebody waits. */
static void look(void *ctx) {
    struct ledger *ledger = ctx;
    bool late = monotonic_ms(ledger) > ledger->hold_until_ms;
    if (late && ledger->hold == HOLD_STANDS) {
        daemon_say(ledger->daemon, "a backup held the log for ten seconds: it goes on without it");
        end_hold(ledger);
        return;
    }
    if (ledger->hold != HOLD_WANTED || ledger->still.busy) {
        return;
    }
    if (late) {
        refuse(ledger, RP_ERR(BUSY));
        return;
    }
    if (ledger->grow.busy || ledger->anchor.busy || ledger->access.busy) {
        return;
    }
    rp_err err = intake_commit(ledger); /* the cut holds what was sent before the question */
    ledger->still.which = RP_FOREST_ALL;
    if (!rp_ok(err)) {
        refuse(ledger, err);
    } else {
        (void)grower_submit(&ledger->still); /* busy: the next look asks again */
    }
}

void hold_start(struct ledger *ledger, struct rp_ipc_call_id call) {
    if (ledger->hold != HOLD_NONE || ledger->still.busy) {
        rp_ipc_reply(ledger->server, call, RP_ERR(BUSY), RP_VIEW(""));
        return;
    }
    ledger->still.call = call;
    ledger->hold = HOLD_WANTED;
    ledger->hold_until_ms = monotonic_ms(ledger) + HOLD_MS;
    rp_err err = rp_loop_timer(ledger->daemon->loop, 0, LOOK_MS, look, ledger, &ledger->hold_timer);
    if (!rp_ok(err)) {
        refuse(ledger, err);
    }
}

void hold_release(struct ledger *ledger, struct rp_ipc_call_id call) {
    bool stood = ledger->hold == HOLD_STANDS;
    if (stood) {
        end_hold(ledger);
    }
    rp_ipc_reply(ledger->server, call, stood ? RP_OK : RP_ERR(NOT_FOUND), RP_VIEW(""));
}

void hold_init(struct ledger *ledger, void (*run)(struct job *job)) {
    ledger->still = (struct job){.ledger = ledger, .run = run, .done = stands_still};
}

void hold_stop(struct ledger *ledger) {
    rp_timer_free(ledger->hold_timer);
    ledger->hold_timer = NULL;
}
