#include "recorder.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "ipc/ipc.h"
#include "ledger/client.h"
#include "os/pool.h"

enum {
    WAITING_MAX = 128, /* events; more than that and something else is wrong */
    EVENT_MAX = 16 * 1024,
    ANSWER_WITHIN_MS = 5000,
    PAUSE_MS = 500
};

struct recorder {
    const struct daemon *daemon;
    struct rp_pool *pool;
    struct rp_ipc_client *ledger; /* used by the pool's thread only */
    atomic_bool closing;
};

struct message {
    struct recorder *recorder;
    size_t n;
    uint8_t bytes[];
};

static void pause_a_little(void) {
    struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    (void)nanosleep(&pause, NULL); /* a signal only makes the next try come sooner */
}

static void hand_over(void *thread_state, void *ctx) {
    struct message *message = ctx;
    struct recorder *recorder = message->recorder;
    const rp_view event = rp_view_of(message->bytes, message->n);
    const struct rp_tree tree = {.kind = RP_TREE_OPERATOR};
    (void)thread_state;
    rp_err err = RP_ERR(LEDGER_DOWN);
    for (bool again = false; rp_err_retry(err) && !atomic_load(&recorder->closing); again = true) {
        if (again) {
            pause_a_little();
        }
        err = rp_ledger_append(recorder->ledger, tree, (rp_id){0}, 0, &event, 1, NULL);
    }
    if (!rp_ok(err)) {
        daemon_say(recorder->daemon, "the ledger did not take an event (%s): %.*s",
                   rp_err_name(err), RP_FMT(event));
    }
    free(message);
}

rp_err recorder_new(const struct daemon *daemon, struct recorder **ret_recorder) {
    struct recorder *recorder = calloc(1, sizeof *recorder);
    if (!recorder) {
        return RP_ERR(NO_MEMORY);
    }
    recorder->daemon = daemon;
    recorder->ledger = rp_ipc_client_new(daemon->role, RP_ROLE_LEDGER, ANSWER_WITHIN_MS);
    rp_err err = recorder->ledger ? rp_pool_new(1, WAITING_MAX, NULL, NULL, NULL, &recorder->pool)
                                  : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        recorder_free(recorder);
        return err;
    }
    *ret_recorder = recorder;
    return RP_OK;
}

void recorder_free(struct recorder *recorder) {
    if (!recorder) {
        return;
    }
    atomic_store(&recorder->closing, true);
    rp_pool_free(recorder->pool);
    rp_ipc_client_free(recorder->ledger);
    free(recorder);
}

static rp_err submit(struct recorder *recorder, const struct rp_event *event) {
    rp_view bytes = {NULL, 0};
    RP_TRY(rp_event_print(event, &bytes));
    RP_ASSERT(bytes.n <= EVENT_MAX);
    struct message *message = malloc(sizeof *message + bytes.n);
    if (!message) {
        return RP_ERR(NO_MEMORY);
    }
    *message = (struct message){.recorder = recorder, .n = bytes.n};
    memcpy(message->bytes, bytes.p, bytes.n);
    rp_err err = rp_pool_submit(recorder->pool, hand_over, message);
    if (!rp_ok(err)) {
        free(message);
    }
    return err;
}

struct recorder_note recorder_begin(const struct recorder *recorder, enum rp_event_kind kind) {
    const struct daemon *daemon = recorder->daemon;
    struct recorder_note note = {.arena = rp_arena_new(4 * EVENT_MAX)};
    if (note.arena) {
        note.event = rp_event_new(note.arena, kind, rp_env_now_ms(&daemon->env), daemon->role);
    }
    return note;
}

void recorder_finish(struct recorder *recorder, struct recorder_note *note) {
    rp_err err = note->event ? submit(recorder, note->event) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        daemon_say(recorder->daemon, "an event is lost (%s)", rp_err_name(err));
    }
    rp_arena_free(note->arena);
}
