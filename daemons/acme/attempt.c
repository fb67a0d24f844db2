/* attempt.c — one name at a time: an account where there is none yet, then an order; uacme does
 * both, and its answer is judged before anybody else sees it. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "acme.h"
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "crypto/x509_request.h"
#include "os/file.h"
#include "os/process.h"
#include "plan.h"

enum {
    PATH_BYTES = 400,
    PEM_MAX = 65536,
    WITHIN_MS = 150000,
    HEAR = 4096,
    NONCES = 3,
    AGAIN_S = 2
};
static const char uacme[] = "/usr/bin/uacme";

static const char *path_of(char out[static PATH_BYTES], const char *folder, const char *name,
                           const char *ending) {
    int n = snprintf(out, PATH_BYTES, "%s/%s%s", folder, name, ending);
    RP_ASSERT(n > 0 && n < PATH_BYTES);
    return out;
}

/* An account belongs to one authority: each has a folder, named by its address. */
static void account_folder(const struct acme *acme, char out[static PATH_BYTES]) {
    struct rp_sha256 hash =
        rp_sha256_of(rp_view_from_cstr(rp_config_acme_url(&acme->daemon.config)));
    char hex[17] = "";
    rp_hex_print(rp_view_of(hash.b, 8), hex);
    path_of(out, "acme/accounts", hex, "");
}

static uint32_t chance(const struct acme *acme) {
    uint32_t number = 0;
    acme->daemon.env.fill_random(acme->daemon.env.ctx, (uint8_t *)&number, sizeof number);
    return number;
}

static int64_t now_s(const struct acme *acme) {
    return rp_env_now_s(&acme->daemon.env);
}

/* ---- the end of an attempt ---- */

static void conclude(struct acme *acme) {
    struct attempt *attempt = &acme->attempt;
    struct entry *entry = attempt->entry;
    RP_ASSERT(entry != NULL && attempt->pid == 0);
    rp_watch_free(attempt->watch);
    rp_timer_free(attempt->timer);
    rp_fd_done(&attempt->fd);
    *attempt = (struct attempt){.fd = -1};
    entry->asked = false;
    acme_concluded(acme, entry);
}

static void fail(struct acme *acme, const char *reason) {
    struct entry *entry = acme->attempt.entry;
    entry->tried_s = now_s(acme);
    entry->failures++;
    snprintf(entry->reason, sizeof entry->reason, "%s", reason);
    entry->next_s =
        plan_retry_s(entry->tried_s, entry->failures, acme->attempt.told.wait_s, chance(acme));
    entry->news = NEWS_FAILED;
    daemon_say(&acme->daemon, "%s: no certificate: %s", entry->name, entry->reason);
    conclude(acme);
}

static rp_err tell_issued(struct acme *acme) {
    char text[32];
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)++acme->book.issued);
    RP_ASSERT(n > 0);
    return rp_file_replace("acme/issued", 0644, rp_view_of(text, (size_t)n));
}

/* Judged against the request that was sent; the gate judges it again against its key. */
static rp_err judge(struct acme *acme, struct rp_arena *arena, struct rp_diag *diag) {
    struct entry *entry = acme->attempt.entry;
    char path[PATH_BYTES];
    rp_view request, answer;
    struct rp_x509_facts facts;
    _cleanup_(rp_buf_done) struct rp_buf chain = rp_buf_new(PEM_MAX);
    RP_TRY(rp_file_read(path_of(path, "acme/work", entry->name, ".csr"), PEM_MAX, arena, &request));
    RP_TRY(rp_file_read(path_of(path, "acme/work", entry->name, "-cert.pem"), PEM_MAX, arena,
                        &answer));
    struct rp_x509_wanted wanted = {entry->name, request, now_s(acme)};
    RP_TRY(rp_x509_take(&wanted, answer, &chain, diag));
    RP_TRY(rp_x509_read(rp_buf_view(&chain), arena, &facts));
    RP_TRY(rp_file_replace(path_of(path, "acme/live", entry->name, ".pem"), 0644,
                           rp_buf_view(&chain)));
    entry->since_s = facts.since_s;
    entry->until_s = facts.until_s;
    return tell_issued(acme);
}

static void succeed_or_fail(struct acme *acme) {
    struct entry *entry = acme->attempt.entry;
    struct rp_arena *arena = rp_arena_new(8 * PEM_MAX);
    struct rp_diag diag = {0};
    rp_err err = arena ? judge(acme, arena, &diag) : RP_ERR(NO_MEMORY);
    rp_arena_free(arena);
    if (!rp_ok(err)) {
        char reason[TOLD_REASON];
        snprintf(reason, sizeof reason, "the authority's answer is not used: %.200s",
                 diag.text[0] ? diag.text : rp_err_text(err, RP_EN));
        fail(acme, reason);
        return;
    }
    entry->tried_s = now_s(acme);
    entry->failures = 0;
    entry->reason[0] = '\0';
    entry->next_s = plan_renewal_s(entry->since_s, entry->until_s, chance(acme));
    entry->news = NEWS_ISSUED;
    daemon_say(&acme->daemon, "%s: certificate until %s", entry->name,
               rp_time_print(entry->until_s).s);
    conclude(acme);
}

/* ---- uacme ---- */

static void start(struct acme *acme);

/* The account's file says for which contact it was made. */
static void account_done(struct acme *acme, const char *folder) {
    char path[PATH_BYTES];
    rp_err err = rp_file_replace(path_of(path, folder, "contact", ""), 0600,
                                 rp_view_from_cstr(acme->daemon.config.acme_contact));
    if (!rp_ok(err)) {
        fail(acme, "the account cannot be noted");
        return;
    }
    start(acme);
}

static void ended(struct acme *acme) {
    struct attempt *attempt = &acme->attempt;
    char folder[PATH_BYTES], path[PATH_BYTES];
    account_folder(acme, folder);
    rp_timer_free(attempt->timer);
    attempt->timer = NULL;
    told_end(&attempt->told, now_s(acme));
    if (attempt->account && (attempt->code == 0 || attempt->told.exists)) {
        account_done(acme, folder);
    } else if (!attempt->account && attempt->code == 0) {
        succeed_or_fail(acme);
    } else if (!attempt->account && !attempt->again &&
               strcmp(attempt->told.type, "accountDoesNotExist") == 0) {
        attempt->again = true; /* the authority forgot us */
        rp_ignore(rp_file_remove(path_of(path, folder, "contact", "")));
        start(acme);
    } else if (strcmp(attempt->told.type, "badNonce") == 0 && attempt->nonces++ < NONCES) {
        start(acme); /* RFC 8555, 6.5: asked again, beyond what uacme does */
    } else {
        fail(acme, told_reason(&attempt->told));
    }
}

/* Both have to come: the end of what it prints, and its own. */
static void ended_maybe(struct acme *acme) {
    if (acme->attempt.entry && acme->attempt.pid == 0 && acme->attempt.fd < 0) {
        ended(acme);
    }
}

static void readable(void *ctx, unsigned events) {
    struct acme *acme = ctx;
    struct attempt *attempt = &acme->attempt;
    uint8_t bytes[HEAR];
    size_t n = 0;
    (void)events;
    rp_err err = rp_process_read_ready(attempt->fd, bytes, sizeof bytes, &n);
    if (rp_ok(err)) {
        told_feed(&attempt->told, rp_view_of(bytes, n), now_s(acme));
    } else if (!rp_is(err, RP_E_BUSY)) {
        rp_watch_free(attempt->watch);
        attempt->watch = NULL;
        rp_fd_done(&attempt->fd);
        ended_maybe(acme);
    }
}

void attempt_reap(struct acme *acme) {
    struct rp_exit gone;
    while (rp_process_reap(&gone)) {
        if (gone.pid == acme->attempt.pid) {
            rp_process_end_group(gone.pid);
            acme->attempt.pid = 0;
            acme->attempt.code = gone.signal ? -1 : gone.code;
            ended_maybe(acme);
        }
    }
}

static void too_late(void *ctx) {
    struct acme *acme = ctx;
    daemon_say(&acme->daemon, "%s: uacme takes too long; ending it", acme->attempt.entry->name);
    if (acme->attempt.pid) {
        rp_process_end_group(acme->attempt.pid);
    }
}

static rp_err listen_to(struct acme *acme, const char *const *arguments) {
    struct attempt *attempt = &acme->attempt;
    static const char *const variables[] = {"PATH=/usr/bin:/bin", "LANG=C",
                                            "all_proxy=" DAEMON_DIAL_PROXY, NULL};
    struct rp_process process = {uacme, arguments, variables, .heard = true};
    attempt->told = (struct told){0};
    RP_TRY(rp_process_start(&process, &attempt->pid, &attempt->fd));
    RP_TRY(rp_loop_timer(acme->daemon.loop, WITHIN_MS, 0, too_late, acme, &attempt->timer));
    return rp_loop_watch(acme->daemon.loop, attempt->fd, RP_READY_READ, readable, acme,
                         &attempt->watch);
}

static rp_err start_account(struct acme *acme, const char *folder, bool known) {
    const struct rp_config *config = &acme->daemon.config;
    const char *arguments[20] = {"-vvv", "-y",  "-t", "EC", "-a", rp_config_acme_url(config),
                                 "-c",   folder};
    size_t n = 8;
    RP_TRY(rp_folder_make(folder, 0700));
    if (acme->credentials[0] && !known) {
        arguments[n++] = "-e";
        arguments[n++] = acme->credentials;
    }
    arguments[n++] = known ? "update" : "new";
    if (*config->acme_contact) {
        arguments[n++] = config->acme_contact;
    }
    acme->attempt.account = true;
    return listen_to(acme, arguments);
}

static rp_err start_order(struct acme *acme, const char *folder) {
    const struct rp_config *config = &acme->daemon.config;
    char request[PATH_BYTES];
    path_of(request, "acme/work", acme->attempt.entry->name, ".csr");
    const char *const arguments[] = {
        "-vvv", "-n",       "-f",    "-o",    "-a", rp_config_acme_url(config), "-c", folder,
        "-h",   acme->hook, "issue", request, NULL};
    acme->attempt.account = false;
    return listen_to(acme, arguments);
}

/* The request is ours to hand over: uacme writes its answer beside it. */
static rp_err copy_request(const struct entry *entry) {
    char path[PATH_BYTES];
    struct rp_arena *arena = rp_arena_new(2 * PEM_MAX);
    rp_view request = {NULL, 0};
    rp_err err = arena ? rp_folder_make("acme/work", 0700) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err =
            rp_file_read(path_of(path, "gate/acme", entry->name, ".csr"), PEM_MAX, arena, &request);
    }
    if (rp_ok(err)) {
        err = rp_file_replace(path_of(path, "acme/work", entry->name, ".csr"), 0600, request);
    }
    if (rp_ok(err)) {
        err = rp_file_remove(path_of(path, "acme/work", entry->name, "-cert.pem"));
    }
    rp_arena_free(arena);
    return err;
}

static void start(struct acme *acme) {
    char folder[PATH_BYTES], path[PATH_BYTES];
    struct rp_arena *arena = rp_arena_new(PEM_MAX);
    rp_view contact = {NULL, 0};
    account_folder(acme, folder);
    bool known =
        arena && rp_ok(rp_file_read(path_of(path, folder, "contact", ""), 1024, arena, &contact));
    bool same =
        known && rp_view_equal(contact, rp_view_from_cstr(acme->daemon.config.acme_contact));
    rp_arena_free(arena);
    rp_err err = same ? start_order(acme, folder) : start_account(acme, folder, known);
    if (!rp_ok(err)) {
        if (acme->attempt.pid) {
            rp_process_end_group(acme->attempt.pid);
        }
        acme->attempt.pid = 0;
        fail(acme, rp_is(err, RP_E_NOT_FOUND) || rp_is(err, RP_E_DENIED)
                       ? "uacme is not installed: apt-get install uacme, then restart"
                       : rp_err_text(err, RP_EN));
    }
}

void attempt_begin(struct acme *acme, struct entry *entry) {
    RP_ASSERT(acme->attempt.entry == NULL);
    rp_err err = copy_request(entry);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        entry->next_s = now_s(acme) + AGAIN_S; /* the gate has not made it yet */
        return;
    }
    acme->attempt = (struct attempt){.entry = entry, .fd = -1};
    if (!rp_ok(err)) {
        fail(acme, rp_err_text(err, RP_EN));
    } else if (access(acme->hook, R_OK | X_OK) != 0) {
        /* uacme has the user of this role, and would end without a word: a clone in /root. */
        fail(acme, "the user rempart-acme cannot reach this program, which answers challenges for "
                   "uacme: install it where every user may go, such as /opt");
    } else {
        start(acme);
    }
}

void attempt_stop(struct acme *acme) {
    if (acme->attempt.pid) {
        rp_process_end_group(acme->attempt.pid);
    }
    rp_watch_free(acme->attempt.watch);
    rp_timer_free(acme->attempt.timer);
    rp_fd_done(&acme->attempt.fd);
}
