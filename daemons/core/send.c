/* send.c — mails to the courier: taken, handed over, settled, one after the other on one thread,
 * which serves webhooks too (webhooks.c).
 *
 * Each second: what is due. A notice is marked before it is handed over and after; one that was
 * under way when core or the courier ended is asked about again, and the courier knows by its id
 * whether it went out. Without smtp.url no mail is taken: they wait, in plain
 * sight (`rempart notify list`).
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "identity/organisations.h"
#include "ledger/read_io.h"
#include "notify/letter.h"

enum {
    ROUND_MS = 1000,
    EXPIRE_MS = 3600 * 1000,
    AT_ONCE = 32, /* mails in a round */
    DEADLINE_MS = 75000,
    ARENA_BYTES = 4 << 20,
    REPLY_MAX = 512
};

struct sender {
    struct core *core;
    struct rp_pool *pool;          /* one thread */
    struct rp_ipc_client *courier; /* that thread's */
    struct rp_log *log;            /* what webhooks read; the thread's */
    bool running;                  /* the loop's */
    int64_t expired_ms;            /* the thread's */
};

/* ---- one notice, on the sender's thread ---- */

static rp_err open_one(struct rp_web_thread *thread, const struct rp_notice_row *row,
                       struct rp_arena *arena, struct rp_notice_content *ret_content) {
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_tenant_key(thread->identity, row->tenant, &key));
    return rp_notice_open(key, row, arena, ret_content);
}

/* Alone, or with what was taken with it. */
static rp_err print_letter(struct rp_web_thread *thread, struct rp_db *db,
                           const struct rp_notice_row *row, const struct rp_notice_content *content,
                           struct rp_arena *arena, struct rp_letter *ret_letter) {
    struct rp_notice_row *rows = NULL;
    size_t count = 0;
    if (row->gather) {
        RP_TRY(rp_notify_bundle(db, row, arena, &rows, &count));
    }
    if (count < 2) {
        return rp_letter_print(row->kind, row->lang, content, arena, ret_letter);
    }
    struct rp_notice_content *contents = rp_arena_array(arena, count, sizeof *contents);
    if (!contents) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < count; i++) {
        RP_TRY(open_one(thread, &rows[i], arena, &contents[i]));
    }
    return rp_digest_print(row->kind, row->lang, contents, count, arena, ret_letter);
}

static rp_err pack_mail(const struct core *core, const struct rp_notice_row *row, rp_view address,
                        const struct rp_letter *letter, struct rp_buf *request) {
    const struct rp_mail mail = {.from = rp_view_from_cstr(core->config.smtp_from),
                                 .to = address,
                                 .name = rp_view_from_cstr(core->config.operator_name),
                                 .id = row->id,
                                 .lang = row->lang,
                                 .date_s = row->created_ms / 1000};
    struct rp_buf text = rp_buf_new(RP_MAIL_MAX);
    rp_err err = rp_mail_print(&mail, letter, &text);
    rp_pack_id(request, row->id);
    rp_pack_bytes(request, address);
    rp_pack_bytes(request, rp_buf_view(&text));
    rp_wipe(text.p, text.n);
    rp_buf_done(&text);
    return rp_ok(err) ? rp_buf_err(request) : err;
}

static rp_err print(const struct core *core, struct rp_web_thread *thread, struct rp_db *db,
                    const struct rp_notice_row *row, struct rp_arena *arena,
                    struct rp_buf *request) {
    struct rp_notice_content content;
    struct rp_letter letter;
    char email[RP_EMAIL_MAX + 1];
    RP_TRY(open_one(thread, row, arena, &content));
    if (content.address.n == 0) {
        RP_TRY(rp_identity_address_of(thread->identity, row->person, email));
        content.address = rp_view_from_cstr(email);
    }
    RP_TRY(print_letter(thread, db, row, &content, arena, &letter));
    return pack_mail(core, row, content.address, &letter, request);
}

rp_err core_ask_courier(struct rp_ipc_client *courier, enum rp_ipc_message message, rp_view request,
                        struct rp_arena *arena, struct core_outcome *ret_outcome) {
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(REPLY_MAX);
    RP_TRY(rp_ipc_call(courier, message, request, &reply));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    uint8_t what = rp_unpack_u8(&in);
    rp_view problem = rp_unpack_bytes(&in, REPLY_MAX);
    RP_TRY(rp_unpack_end(&in));
    if (what > RP_NOTICE_REFUSED) {
        return RP_ERR(PROTOCOL);
    }
    ret_outcome->what = (enum rp_notice_outcome)what;
    return rp_arena_copy(arena, problem, &ret_outcome->problem);
}

/* A courier that may have sent it without telling: the row stays as it is, and is asked about. */
static bool is_doubt(rp_err err) {
    return rp_is(err, RP_E_TIMEOUT) || rp_is(err, RP_E_CLOSED);
}

static rp_err send_one(struct sender *sender, struct rp_web_thread *thread, struct rp_db *db,
                       const struct rp_notice_row *row, struct rp_arena *arena) {
    const struct rp_env *env = &sender->core->env;
    struct rp_buf request = rp_buf_new(RP_MAIL_MAX + 1024);
    struct core_outcome outcome = {RP_NOTICE_LATER, {NULL, 0}};
    rp_err err = rp_notify_take(db, row);
    if (rp_ok(err)) {
        err = print(sender->core, thread, db, row, arena, &request);
    }
    if (rp_ok(err)) {
        err = core_ask_courier(sender->courier, (enum rp_ipc_message)RP_IPC_CORE_COURIER_MAIL,
                               rp_buf_view(&request), arena, &outcome);
    }
    rp_wipe(request.p, request.n);
    rp_buf_done(&request);
    if (is_doubt(err)) {
        return err;
    }
    if (rp_is(err, RP_E_UNREACHABLE)) { /* the courier starts after core */
        RP_TRY(rp_notify_put_back(env, db, row));
        return err;
    }
    if (!rp_ok(err)) {
        bool for_good = !rp_err_retry(err) && !rp_is(err, RP_E_SECOND_FACTOR);
        outcome = (struct core_outcome){for_good ? RP_NOTICE_REFUSED : RP_NOTICE_LATER,
                                        rp_view_from_cstr(rp_err_text(err, RP_EN))};
    }
    return rp_notify_settle(env, db, row, outcome.what, outcome.problem);
}

static rp_err send_due(struct sender *sender, struct rp_web_thread *thread) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA_BYTES);
    struct rp_db *db = NULL;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_store_system(thread->store, &db, NULL));
    for (size_t i = 0; i < AT_ONCE; i++) {
        struct rp_notice_row row;
        rp_arena_reset(arena);
        RP_TRY(rp_notify_due(&sender->core->env, db, arena, &row));
        RP_TRY(send_one(sender, thread, db, &row, arena));
    }
    return RP_OK;
}

static void expire(struct sender *sender, struct rp_web_thread *thread) {
    int64_t now_ms = rp_env_monotonic_ms(&sender->core->env);
    struct rp_db *db = NULL;
    if (now_ms - sender->expired_ms < EXPIRE_MS || !core_clock_is_believed(sender->core, thread) ||
        !rp_ok(rp_store_system(thread->store, &db, NULL))) {
        return;
    }
    sender->expired_ms = now_ms;
    rp_ignore(rp_notify_expire(&sender->core->env, db)); /* in an hour again */
}

static void round_ended(void *ctx) {
    ((struct sender *)ctx)->running = false;
}

static void run_round(void *thread_state, void *ctx) {
    struct sender *sender = ctx;
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    if (thread) {
        expire(sender, thread);
        rp_ignore(rp_identity_reset_work(thread->identity)); /* what failed is there next second */
        if (sender->core->config.smtp_url[0]) {
            rp_ignore(send_due(sender, thread)); /* each row keeps its own state and reason */
        }
        core_webhooks_serve(sender->core, thread, sender->courier, &sender->log);
    }
    rp_err posted = rp_loop_post(sender->core->loop, round_ended, sender);
    RP_ASSERT(rp_ok(posted));
}

static void start_round(void *ctx) {
    struct sender *sender = ctx;
    if (!sender->running) {
        sender->running = rp_ok(rp_pool_submit(sender->pool, run_round, sender));
    }
}

/* ---- start ---- */

rp_err core_send_start(struct core *core) {
    struct sender *sender = calloc(1, sizeof *sender);
    if (!sender) {
        return RP_ERR(NO_MEMORY);
    }
    sender->core = core;
    core->sender = sender;
    sender->courier = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_COURIER, DEADLINE_MS);
    if (!sender->courier) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_pool_new(1, 2, core_slot_new, core_slot_free, core, &sender->pool));
    return core_every(core, ROUND_MS, ROUND_MS, start_round, sender);
}

bool core_send_runs(const struct core *core) {
    return core->sender->running;
}

void core_send_stop(struct core *core) {
    if (core->sender) {
        rp_pool_free(core->sender->pool);
        rp_ipc_client_free(core->sender->courier);
        rp_log_free(core->sender->log);
        free(core->sender);
        core->sender = NULL;
    }
}
