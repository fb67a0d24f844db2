/* main.c — the role itself: what is due, who asks, and what the log is told. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "acme.h"
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/secret.h"
#include "ledger/client.h"
#include "os/file.h"
#include "plan.h"

enum { TICK_MIN_S = 1, TICK_MAX_S = 60, LEDGER_MS = 5000, EVENT_ARENA = 16384 };

/* ---- the log ---- */

static rp_err tell(struct acme *acme, const struct entry *entry) {
    struct rp_arena *arena = rp_arena_new(EVENT_ARENA);
    rp_view bytes = {NULL, 0};
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    bool good = entry->news == NEWS_ISSUED;
    struct rp_event *event =
        rp_event_new(arena, good ? RP_EVENT_CERTIFICATE_ISSUED : RP_EVENT_CERTIFICATE_FAILED,
                     rp_env_now_ms(&acme->daemon.env), RP_ROLE_ACME);
    rp_event_add_text(event, "name", rp_view_from_cstr(entry->name));
    if (good) {
        rp_event_add_text(event, "until", rp_view_from_cstr(rp_time_print(entry->until_s).s));
    } else {
        rp_event_add_text(event, "reason", rp_view_from_cstr(entry->reason));
        rp_event_add_u64(event, "failures", entry->failures);
        rp_event_add_text(event, "next", rp_view_from_cstr(rp_time_print(entry->next_s).s));
    }
    rp_err err = rp_event_print(event, &bytes);
    if (rp_ok(err)) {
        err = rp_ledger_append(acme->ledger, (struct rp_tree){.kind = RP_TREE_OPERATOR},
                               (rp_id){{0}}, 0, &bytes, 1, NULL);
    }
    rp_arena_free(arena);
    return err;
}

/* What the log does not take now is told at the next tick. */
static void tell_news(struct acme *acme) {
    for (size_t i = 0; i < acme->book.count; i++) {
        struct entry *entry = &acme->book.entries[i];
        if (entry->news != NEWS_NONE && rp_ok(tell(acme, entry))) {
            entry->news = NEWS_NONE;
        }
    }
}

/* ---- what is due ---- */

static void tick(void *ctx);

static bool has_news(const struct acme *acme) {
    for (size_t i = 0; i < acme->book.count; i++) {
        if (acme->book.entries[i].news != NEWS_NONE) {
            return true;
        }
    }
    return false;
}

/* A minute at most: the wall clock may have been set. */
static void set_tick(struct acme *acme) {
    int64_t now_s = rp_env_now_s(&acme->daemon.env);
    int64_t wait_s = has_news(acme) ? TICK_MIN_S : TICK_MAX_S;
    for (size_t i = 0; i < acme->book.count; i++) {
        const struct entry *entry = &acme->book.entries[i];
        wait_s = entry->asked ? TICK_MIN_S : RP_MIN(wait_s, entry->next_s - now_s);
    }
    wait_s = RP_MAX(wait_s, (int64_t)TICK_MIN_S);
    rp_timer_free(acme->tick);
    acme->tick = NULL;
    rp_err err = rp_loop_timer(acme->daemon.loop, wait_s * 1000, 0, tick, acme, &acme->tick);
    RP_ASSERT(rp_ok(err)); /* a few bytes */
}

static struct entry *find_due(struct acme *acme) {
    int64_t now_s = rp_env_now_s(&acme->daemon.env);
    struct entry *due = NULL;
    for (size_t i = 0; i < acme->book.count; i++) {
        struct entry *entry = &acme->book.entries[i];
        if (entry->asked) {
            return entry;
        }
        bool is_due = plan_is_due(entry->next_s, entry->tried_s, now_s);
        due = is_due && (!due || entry->next_s < due->next_s) ? entry : due;
    }
    return due;
}

static void begin_due(struct acme *acme) {
    struct entry *due = acme->attempt.entry ? NULL : find_due(acme);
    if (due) {
        attempt_begin(acme, due);
    }
    set_tick(acme);
}

static void tick(void *ctx) {
    struct acme *acme = ctx;
    tell_news(acme);
    begin_due(acme);
}

/* ---- who asks for a renewal now ---- */

static void answer(struct acme *acme, struct waiter *waiter) {
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(sizeof waiter->problem + 8);
    rp_pack_bytes(&reply, rp_view_from_cstr(waiter->problem));
    rp_ipc_reply(acme->server, waiter->call, rp_buf_err(&reply), rp_buf_view(&reply));
    waiter->used = false;
}

void acme_concluded(struct acme *acme, struct entry *entry) {
    size_t at = (size_t)(entry - acme->book.entries);
    rp_err err = book_save(&acme->book, &acme->daemon);
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(&acme->daemon, err, "acme/state.json", NULL));
    }
    for (size_t i = 0; i < ACME_WAITERS; i++) {
        struct waiter *waiter = &acme->waiters[i];
        if (!waiter->used || !waiter->pending[at]) {
            continue;
        }
        waiter->pending[at] = false;
        if (entry->failures > 0 && !waiter->problem[0]) {
            snprintf(waiter->problem, sizeof waiter->problem, "%.100s: %.190s", entry->name,
                     entry->reason);
        }
        bool more = false;
        for (size_t k = 0; k < acme->book.count; k++) {
            more = more || waiter->pending[k];
        }
        if (!more) {
            answer(acme, waiter);
        }
    }
    tell_news(acme);
    set_tick(acme); /* the next one begins from the loop, not from within this one's end */
}

static rp_err handle_renew(struct acme *acme, struct rp_ipc_call_id call, rp_view request) {
    struct rp_unpack in = rp_unpack_new(request);
    rp_view name = rp_unpack_bytes(&in, ACME_NAME_MAX);
    RP_TRY(rp_unpack_end(&in));
    struct entry *only = name.n > 0 ? book_find(&acme->book, name) : NULL;
    struct waiter *waiter = NULL;
    if (name.n > 0 && !only) {
        return RP_ERR(NOT_FOUND);
    }
    for (size_t i = 0; i < ACME_WAITERS; i++) {
        waiter = acme->waiters[i].used ? waiter : &acme->waiters[i];
    }
    if (!waiter) {
        return RP_ERR(OVERLOAD);
    }
    *waiter = (struct waiter){.used = true, .call = call};
    for (size_t i = 0; i < acme->book.count; i++) {
        struct entry *entry = &acme->book.entries[i];
        waiter->pending[i] = !only || entry == only;
        entry->asked = entry->asked || (waiter->pending[i] && entry != acme->attempt.entry);
    }
    begin_due(acme);
    return RP_OK;
}

static void handle(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                   struct rp_ipc_call_id call, rp_view request) {
    struct acme *acme = ctx;
    RP_ASSERT(from == RP_ROLE_CLI && (int)message == (int)RP_IPC_CLI_ACME_RENEW);
    rp_err err = handle_renew(acme, call, request);
    if (!rp_ok(err)) {
        rp_ipc_reply(acme->server, call, err, RP_VIEW(""));
    }
}

/* ---- start ---- */

static bool take_line(rp_view *text, rp_view *ret_line) {
    *ret_line = rp_view_trim(rp_view_cut(text, '\n'));
    return ret_line->n > 0 && rp_view_find_byte(*ret_line, 0) == ret_line->n &&
           rp_view_find_byte(*ret_line, ':') == ret_line->n;
}

/* Two lines, the key's identifier and the key: before entry, as afterwards they cannot be read. */
static rp_err read_credentials(struct acme *acme) {
    struct daemon *daemon = &acme->daemon;
    const char *file = daemon->config.acme_eab;
    rp_view text, id, key;
    if (!*file) {
        return RP_OK;
    }
    rp_err err = rp_file_read(file, ACME_CREDENTIAL_MAX - 2, daemon->arena, &text);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, file, NULL);
    }
    rp_view rest = text;
    if (!take_line(&rest, &id) || !take_line(&rest, &key)) {
        daemon_say(daemon, "%s: expected two lines, the key's identifier and the HMAC key", file);
        return RP_ERR(INVALID);
    }
    RP_ASSERT(id.n + key.n + 2 <= sizeof acme->credentials); /* the file is shorter */
    memcpy(acme->credentials, id.p, id.n);
    acme->credentials[id.n] = ':';
    memcpy(acme->credentials + id.n + 1, key.p, key.n);
    return RP_OK;
}

static rp_err find_hook(struct acme *acme) {
    ssize_t n = readlink("/proc/self/exe", acme->hook, sizeof acme->hook - 1);
    return n > 0 ? RP_OK : daemon_fail(&acme->daemon, RP_ERR(SYSTEM), "/proc/self/exe", NULL);
}

static void on_child(void *ctx, int number) {
    (void)number;
    attempt_reap(ctx);
}

static rp_err serve(struct acme *acme) {
    struct daemon *daemon = &acme->daemon;
    RP_TRY(read_credentials(acme));
    RP_TRY(find_hook(acme));
    if (daemon->rehearses) {
        return RP_OK;
    }
    RP_TRY(daemon_enter(daemon));
    acme->ledger = rp_ipc_client_new(RP_ROLE_ACME, RP_ROLE_LEDGER, LEDGER_MS);
    rp_err err = acme->ledger ? book_open(&acme->book, daemon) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_loop_signal(daemon->loop, SIGCHLD, on_child, acme);
    }
    if (rp_ok(err)) {
        err = rp_ipc_server_new(daemon->loop, RP_ROLE_ACME, handle, acme, &acme->server);
    }
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "start", NULL);
    }
    set_tick(acme);
    return daemon_run(daemon);
}

static int run(struct acme *acme, int argc, char **argv) {
    acme->attempt.fd = -1;
    rp_err err = daemon_start(&acme->daemon, RP_ROLE_ACME, argc, argv);
    if (rp_ok(err)) {
        err = serve(acme);
    }
    attempt_stop(acme);
    rp_timer_free(acme->tick);
    rp_ipc_server_free(acme->server);
    rp_ipc_client_free(acme->ledger);
    rp_wipe(acme->credentials, sizeof acme->credentials);
    daemon_done(&acme->daemon);
    return daemon_exit_code(err);
}

int main(int argc, char **argv) {
    if (hook_is_asked(argc, argv)) {
        return hook_run(argv);
    }
    struct acme *acme = calloc(1, sizeof *acme);
    int code = acme ? run(acme, argc, argv) : 1;
    free(acme);
    return code;
}
