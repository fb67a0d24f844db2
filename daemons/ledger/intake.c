#include "ledger.h"

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/witnessed_io.h"
#include "os/file.h"

enum {
    APPEND = RP_IPC_CORE_LEDGER_APPEND,
    HEAD = RP_IPC_CORE_LEDGER_HEAD,
    STREAM = RP_IPC_CORE_LEDGER_STREAM,
    COSIGNED = RP_IPC_CORE_LEDGER_COSIGNED,
    HOLD = RP_IPC_CLI_LEDGER_HOLD,
    RELEASE = RP_IPC_CLI_LEDGER_RELEASE
};

static const struct rp_tree operator_tree = {.kind = RP_TREE_OPERATOR};

static int64_t now_ms(const struct ledger *ledger) {
    return rp_env_now_ms(&ledger->daemon->env);
}

/* ---- telling "stored" ---- */

static void answer_waiting(struct ledger *ledger, rp_err err) {
    for (size_t i = 0; i < ledger->waiting_count; i++) {
        _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(16);
        if (rp_ok(err)) {
            rp_pack_u64(&reply, ledger->waiting[i].next);
        }
        rp_ipc_reply(ledger->server, ledger->waiting[i].call, err, rp_buf_view(&reply));
    }
    ledger->waiting_count = 0;
}

rp_err intake_commit(struct ledger *ledger) {
    rp_err err = rp_engine_commit(ledger->engine);
    answer_waiting(ledger, err);
    if (rp_is(err, RP_E_SYSTEM)) {
        ledger_stop(ledger, err, "journal: the disk failed to keep what it took", NULL);
    }
    return err;
}

static void commit_posted(void *ctx) {
    struct ledger *ledger = ctx;
    ledger->commit_posted = false;
    if (grower_is_behind(ledger)) {
        ledger->commit_held = true;
        return;
    }
    rp_ignore(intake_commit(ledger)); /* whoever waits was told */
}

void intake_release(struct ledger *ledger) {
    if (ledger->commit_held) {
        ledger->commit_held = false;
        rp_ignore(intake_commit(ledger));
    }
}

/* At the end of this turn of the loop: what else arrives in it shares the wait for the disk. */
static void commit_soon(struct ledger *ledger) {
    if (!ledger->commit_posted && !ledger->commit_held) {
        ledger->commit_posted = rp_ok(rp_loop_post(ledger->daemon->loop, commit_posted, ledger));
        if (!ledger->commit_posted) {
            rp_ignore(intake_commit(ledger));
        }
    }
}

static rp_err stage(struct ledger *ledger, const struct rp_append *append, uint64_t *ret_next) {
    rp_err err = rp_engine_stage(ledger->engine, append, now_ms(ledger), ret_next);
    if (rp_is(err, RP_E_OVERLOAD)) {
        RP_TRY(intake_commit(ledger));
        err = rp_engine_stage(ledger->engine, append, now_ms(ledger), ret_next);
    }
    return err;
}

/* ---- requests ---- */

/*= S113: the log stands apart: roles hand it events by one table, and none can change or read it */
/* Who may write where: the key service, the supervisor, acme and the link tell the operator; core
 * tells the operator and the tenants; what the probes find is public, and hunt's canaries of each
 * stream stand among the operator's. */
static bool may_write(enum rp_role_id from, enum rp_tree_kind kind) {
    switch (kind) {
    case RP_TREE_PUBLIC:
        return from == RP_ROLE_PROBE || from == RP_ROLE_HUNT;
    case RP_TREE_OPERATOR:
        return from == RP_ROLE_KMS || from == RP_ROLE_SUPERVISOR || from == RP_ROLE_CORE ||
               from == RP_ROLE_ACME || from == RP_ROLE_HUNT || from == RP_ROLE_LINK ||
               from == RP_ROLE_WITNESS || from == RP_ROLE_DIAL;
    case RP_TREE_TENANT:
        return from == RP_ROLE_CORE;
    case RP_TREE_COUNT:
        break;
    }
    return false;
}

static bool is_canary(rp_view event) {
    static const enum rp_event_kind canaries[] = {RP_EVENT_CANARY_EVENT, RP_EVENT_CANARY_AUDIT,
                                                  RP_EVENT_CANARY_FAULT, RP_EVENT_CANARY_ADMIN,
                                                  RP_EVENT_CANARY_OPERATOR};
    for (size_t i = 0; i < RP_COUNT_OF(canaries); i++) {
        if (rp_event_is(event, canaries[i])) {
            return true;
        }
    }
    return false;
}

/* Of what happens here hunt knows nothing: to the operator it says nothing but canaries; and the
 * witness, which reads what strangers send, nothing but that it refused to cosign. */
static bool says_its_own(enum rp_role_id from, const struct rp_append *append) {
    for (size_t i = 0; i < append->count; i++) {
        rp_view event = append->events[i];
        bool hunts = from == RP_ROLE_HUNT && append->tree.kind == RP_TREE_OPERATOR;
        if ((hunts && !is_canary(event)) ||
            (from == RP_ROLE_WITNESS && !rp_event_is(event, RP_EVENT_WITNESS_REFUSED))) {
            return false;
        }
    }
    return true;
}

/* What only the ledger itself says: others' files and trees hang on these. */
static bool holds_own_event(const struct rp_append *append) {
    for (size_t i = 0; i < append->count; i++) {
        if (rp_event_is(append->events[i], RP_EVENT_ANCHOR) ||
            rp_event_is(append->events[i], RP_EVENT_GATE_SEGMENT)) {
            return true;
        }
    }
    return false;
}

/* Its sender tries again each second; one event a minute says it. */
static void say_diverged(struct ledger *ledger, const struct rp_append *append) {
    enum { AGAIN_MS = 60000 };
    if (ledger->diverged_ms != 0 && now_ms(ledger) - ledger->diverged_ms < AGAIN_MS) {
        return;
    }
    ledger->diverged_ms = now_ms(ledger);
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return;
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_STREAM_DIVERGED, now_ms(ledger), RP_ROLE_LEDGER);
    if (append->tree.kind == RP_TREE_TENANT) {
        rp_event_add_id(event, "tenant", append->tree.tenant);
    }
    rp_event_add_u64(event, "sequence", append->first_sequence);
    rp_ignore(intake_emit(ledger, operator_tree, event)); /* the events were refused all the same */
}

static rp_err take_append(struct ledger *ledger, enum rp_role_id from, rp_view request,
                          uint64_t *ret_next) {
    struct rp_append append;
    RP_TRY(rp_append_unpack(request, &append));
    if (!may_write(from, append.tree.kind) || !says_its_own(from, &append) ||
        holds_own_event(&append)) {
        return RP_ERR(DENIED);
    }
    if (ledger->disk_low) {
        return RP_ERR(NO_SPACE);
    }
    rp_err err = stage(ledger, &append, ret_next);
    if (rp_is(err, RP_E_CONFLICT)) {
        say_diverged(ledger, &append);
    }
    return err;
}

static void request_append(struct ledger *ledger, enum rp_role_id from, struct rp_ipc_call_id call,
                           rp_view request) {
    uint64_t next;
    rp_err err = take_append(ledger, from, request, &next);
    if (!rp_ok(err)) {
        rp_ipc_reply(ledger->server, call, err, RP_VIEW(""));
        return;
    }
    ledger->waiting[ledger->waiting_count++] = (struct waiting){call, next};
    if (ledger->waiting_count == WAITING_MAX) {
        rp_ignore(intake_commit(ledger));
        return;
    }
    commit_soon(ledger);
}

static void request_head(struct ledger *ledger, struct rp_ipc_call_id call, rp_view request) {
    struct rp_tree tree;
    rp_err err = rp_head_unpack(request, &tree);
    if (rp_ok(err) && tree.kind == RP_TREE_TENANT && rp_engine_size(ledger->engine, tree) == 0) {
        err = RP_ERR(NOT_FOUND);
    }
    if (!rp_ok(err)) {
        rp_ipc_reply(ledger->server, call, err, RP_VIEW(""));
        return;
    }
    grower_head(ledger, tree, call);
}

/* What is not durable yet is not where a stream stands. */
static void request_stream(struct ledger *ledger, struct rp_ipc_call_id call, rp_view request) {
    struct rp_unpack in = rp_unpack_new(request);
    rp_id stream = rp_unpack_id(&in);
    rp_err err = rp_unpack_end(&in);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(16);
    if (rp_ok(err)) {
        err = intake_commit(ledger);
    }
    if (rp_ok(err)) {
        struct rp_stream_end end;
        rp_engine_stream(ledger->engine, stream, &end);
        rp_pack_u64(&reply, end.last);
        rp_pack_u64(&reply, end.tail);
        err = rp_buf_err(&reply);
    }
    rp_ipc_reply(ledger->server, call, err, rp_buf_view(&reply));
}

/* A backup copies what stands beside the trees: nothing changes there under its hold. */
static void request_cosigned(struct ledger *ledger, struct rp_ipc_call_id call, rp_view request) {
    struct rp_unpack in = rp_unpack_new(request);
    rp_view note = rp_unpack_bytes(&in, RP_WITNESSED_MAX);
    char origin[RP_ORIGIN_MAX];
    rp_tree_origin(ledger->home.host, (struct rp_tree){.kind = RP_TREE_PUBLIC}, origin);
    struct rp_tlog_vkey vkey =
        rp_vkey_of(RP_VKEY_LOG, rp_view_from_cstr(origin), ledger->home.key.public_key);
    rp_err err = rp_unpack_end(&in);
    if (rp_ok(err)) {
        err = ledger->hold == HOLD_NONE ? rp_witnessed_keep("ledger/public", &vkey, note)
                                        : RP_ERR(BUSY);
    }
    rp_ipc_reply(ledger->server, call, err, RP_VIEW(""));
}

void intake_request(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                    struct rp_ipc_call_id call, rp_view request) {
    struct ledger *ledger = ctx;
    if ((int)message == (int)APPEND) {
        request_append(ledger, from, call, request);
    } else if ((int)message == (int)HEAD) {
        request_head(ledger, call, request);
    } else if ((int)message == (int)STREAM) {
        request_stream(ledger, call, request);
    } else if ((int)message == (int)COSIGNED) {
        request_cosigned(ledger, call, request);
    } else if ((int)message == (int)HOLD) {
        hold_start(ledger, call);
    } else if ((int)message == (int)RELEASE) {
        hold_release(ledger, call);
    } else {
        rp_ipc_reply(ledger->server, call, RP_ERR(PROTOCOL), RP_VIEW(""));
    }
}

/* ---- the ledger's own events ---- */

rp_err intake_emit(struct ledger *ledger, struct rp_tree tree, const struct rp_event *event) {
    struct rp_append append = {.tree = tree, .count = 1};
    uint64_t next;
    RP_TRY(rp_event_print(event, &append.events[0]));
    RP_TRY(stage(ledger, &append, &next));
    commit_soon(ledger);
    return RP_OK;
}

rp_err intake_emit_now(struct ledger *ledger, struct rp_tree tree, const struct rp_event *event) {
    RP_TRY(intake_emit(ledger, tree, event));
    return intake_commit(ledger);
}

void intake_peer_refused(void *ctx, enum rp_role_id named, pid_t pid, const char *reason) {
    struct ledger *ledger = ctx;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return;
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_PEER_REFUSED, now_ms(ledger), RP_ROLE_LEDGER);
    rp_event_add_text(event, "name", rp_view_from_cstr(rp_role_name(named)));
    rp_event_add_u64(event, "pid", (uint64_t)pid);
    rp_event_add_text(event, "reason", rp_view_from_cstr(reason));
    rp_ignore(intake_emit(ledger, operator_tree, event)); /* the breach was ended all the same */
}

/* ---- the disk ---- */

static void say_disk_low(struct ledger *ledger, uint64_t bytes, unsigned percent) {
    daemon_say(ledger->daemon, "disk: %u%% free, refusing new events until there is room", percent);
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return;
    }
    struct rp_event *event = rp_event_new(arena, RP_EVENT_DISK_LOW, now_ms(ledger), RP_ROLE_LEDGER);
    rp_event_add_u64(event, "free_bytes", bytes);
    rp_event_add_u64(event, "percent", percent);
    /* What is left of the disk is our reserve for this one. */
    rp_ignore(intake_emit(ledger, operator_tree, event));
}

void intake_check_disk(void *ctx) {
    struct ledger *ledger = ctx;
    uint64_t bytes;
    unsigned percent, wanted = (unsigned)ledger->daemon->config.disk_free_percent;
    if (!rp_ok(rp_folder_free("ledger", &bytes, &percent))) {
        return;
    }
    if (!ledger->disk_low && percent < wanted) {
        ledger->disk_low = true;
        say_disk_low(ledger, bytes, percent);
    } else if (ledger->disk_low && percent >= wanted) {
        ledger->disk_low = false;
        daemon_say(ledger->daemon, "disk: %u%% free, taking events again", percent);
    }
}
