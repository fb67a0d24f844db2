#include "report.h"

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
    TRIES = 60, /* half a minute: longer than a role's restart takes */
    PAUSE_MS = 500
};

struct report {
    const struct daemon *daemon;
    struct rp_pool *pool;
    struct rp_ipc_client *ledger; /* used by the pool's thread only */
    atomic_bool closing;
};

struct message {
    struct report *report;
    size_t n;
    uint8_t bytes[];
};

static void pause_a_little(void) {
    struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    (void)nanosleep(&pause, NULL); /* a signal only makes the next try come sooner */
}

static void hand_over(void *thread_state, void *ctx) {
    struct message *message = ctx;
    struct report *report = message->report;
    const rp_view event = rp_view_of(message->bytes, message->n);
    const struct rp_tree tree = {.kind = RP_TREE_OPERATOR};
    (void)thread_state;
    rp_err err = RP_ERR(LEDGER_DOWN);
    for (int i = 0; i < TRIES && rp_err_retry(err); i++) {
        if (i > 0) {
            pause_a_little();
        }
        if (atomic_load(&report->closing)) {
            break;
        }
        err = rp_ledger_append(report->ledger, tree, (rp_id){0}, 0, &event, 1, NULL);
    }
    if (!rp_ok(err)) {
        daemon_say(report->daemon, "the ledger did not take an event (%s): %.*s", rp_err_name(err),
                   RP_FMT(event));
    }
    free(message);
}

rp_err report_new(const struct daemon *daemon, struct report **ret_report) {
    struct report *report = calloc(1, sizeof *report);
    if (!report) {
        return RP_ERR(NO_MEMORY);
    }
    report->daemon = daemon;
    report->ledger = rp_ipc_client_new(RP_ROLE_SUPERVISOR, RP_ROLE_LEDGER, ANSWER_WITHIN_MS);
    rp_err err = report->ledger ? rp_pool_new(1, WAITING_MAX, NULL, NULL, NULL, &report->pool)
                                : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        report_free(report);
        return err;
    }
    *ret_report = report;
    return RP_OK;
}

void report_free(struct report *report) {
    if (!report) {
        return;
    }
    atomic_store(&report->closing, true);
    rp_pool_free(report->pool);
    rp_ipc_client_free(report->ledger);
    free(report);
}

static rp_err submit(struct report *report, const struct rp_event *event) {
    rp_view bytes = {NULL, 0};
    RP_TRY(rp_event_print(event, &bytes));
    RP_ASSERT(bytes.n <= EVENT_MAX);
    struct message *message = malloc(sizeof *message + bytes.n);
    if (!message) {
        return RP_ERR(NO_MEMORY);
    }
    *message = (struct message){.report = report, .n = bytes.n};
    memcpy(message->bytes, bytes.p, bytes.n);
    rp_err err = rp_pool_submit(report->pool, hand_over, message);
    if (!rp_ok(err)) {
        free(message);
    }
    return err;
}

/* A new event in a new arena; the caller adds its fields and calls finish. */
static struct rp_event *begin(const struct report *report, struct rp_arena *arena,
                              enum rp_event_kind kind) {
    return rp_event_new(arena, kind, rp_env_now_ms(&report->daemon->env), RP_ROLE_SUPERVISOR);
}

static void finish(struct report *report, struct rp_arena *arena, const struct rp_event *event) {
    rp_err err = submit(report, event);
    if (!rp_ok(err)) {
        daemon_say(report->daemon, "an event is lost (%s)", rp_err_name(err));
    }
    rp_arena_free(arena);
}

/* Without memory for an event there is none; the line on stderr has been said already. */
static struct rp_arena *event_arena(void) {
    return rp_arena_new(4 * EVENT_MAX);
}

void report_started(struct report *report, const char *role, const char *version,
                    const char *isolation) {
    struct rp_arena *arena = event_arena();
    if (arena) {
        struct rp_event *event = begin(report, arena, RP_EVENT_ROLE_STARTED);
        rp_event_add_text(event, "name", rp_view_from_cstr(role));
        rp_event_add_text(event, "version", rp_view_from_cstr(version));
        rp_event_add_text(event, "isolation", rp_view_from_cstr(isolation));
        finish(report, arena, event);
    }
}

void report_stopped(struct report *report, const char *role, const char *reason,
                    unsigned restarts) {
    struct rp_arena *arena = event_arena();
    if (arena) {
        struct rp_event *event = begin(report, arena, RP_EVENT_ROLE_STOPPED);
        rp_event_add_text(event, "name", rp_view_from_cstr(role));
        rp_event_add_text(event, "reason", rp_view_from_cstr(reason));
        rp_event_add_u64(event, "restarts", restarts);
        finish(report, arena, event);
    }
}

void report_config_refused(struct report *report, const char *file, const struct rp_diag *diag) {
    struct rp_arena *arena = event_arena();
    if (arena) {
        struct rp_event *event = begin(report, arena, RP_EVENT_CONFIG_REFUSED);
        rp_event_add_text(event, "what", rp_view_from_cstr(file));
        rp_event_add_u64(event, "line", diag->line);
        rp_event_add_u64(event, "column", diag->column);
        rp_event_add_text(event, "detail", rp_view_from_cstr(diag->text));
        finish(report, arena, event);
    }
}
