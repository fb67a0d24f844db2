#include "notify/webhooks.h"

#include "base/assert.h"
#include "base/checked.h"
#include "notify/internal.h"

static const int64_t give_up_ms = (int64_t)3 * 24 * 3600 * 1000;

rp_err rp_webhook_find(struct rp_db *db, rp_view name, struct rp_webhook *ret_hook) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT at, tries, next_ms, failing_ms, paused_ms, test_ms, sent, last_ms, "
                       "problem FROM webhook WHERE name = ?1",
                       &row));
    rp_row_bind_text(row, 1, name);
    RP_TRY(rp_row_first(row));
    struct rp_webhook hook = {.name = name,
                              .at = rp_row_u64(row, 0),
                              .tries = (unsigned)RP_MIN(rp_row_u64(row, 1), (uint64_t)1000),
                              .next_ms = (int64_t)rp_row_u64(row, 2),
                              .failing_ms = (int64_t)rp_row_u64(row, 3),
                              .paused_ms = (int64_t)rp_row_u64(row, 4),
                              .test_ms = (int64_t)rp_row_u64(row, 5),
                              .sent = rp_row_u64(row, 6),
                              .last_ms = (int64_t)rp_row_u64(row, 7)};
    rp_view problem = rp_row_text(row, 8);
    memcpy(hook.problem, problem.p, RP_MIN(problem.n, (size_t)RP_WEBHOOK_PROBLEM));
    *ret_hook = hook;
    return RP_OK;
}

rp_err rp_webhook_save(struct rp_db *db, const struct rp_webhook *hook) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO webhook (name, at, tries, next_ms, failing_ms, paused_ms, "
                       "test_ms, sent, last_ms, problem) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
                       "ON CONFLICT (name) DO UPDATE SET at = ?2, tries = ?3, next_ms = ?4, "
                       "failing_ms = ?5, paused_ms = ?6, sent = ?8, last_ms = ?9, problem = ?10",
                       &row));
    rp_row_bind_text(row, 1, hook->name);
    rp_row_bind_u64(row, 2, hook->at);
    rp_row_bind_u64(row, 3, hook->tries);
    rp_row_bind_u64(row, 4, (uint64_t)hook->next_ms);
    rp_row_bind_u64(row, 5, (uint64_t)hook->failing_ms);
    rp_row_bind_u64(row, 6, (uint64_t)hook->paused_ms);
    rp_row_bind_u64(row, 7, (uint64_t)hook->test_ms);
    rp_row_bind_u64(row, 8, hook->sent);
    rp_row_bind_u64(row, 9, (uint64_t)hook->last_ms);
    rp_row_bind_text(row, 10, rp_view_from_cstr(hook->problem));
    return rp_row_run(row, NULL);
}

/* ---- what an answer changes ---- */

bool rp_webhook_ready(const struct rp_webhook *hook, int64_t now_ms) {
    return hook->paused_ms == 0 && hook->next_ms <= now_ms;
}

static void note(struct rp_webhook *hook, int64_t now_ms, rp_view problem) {
    uint8_t text[RP_WEBHOOK_PROBLEM];
    rp_view clean = rp_notice_clean(problem, text);
    memset(hook->problem, 0, sizeof hook->problem);
    memcpy(hook->problem, clean.p, clean.n);
    hook->last_ms = now_ms;
}

void rp_webhook_passed(struct rp_webhook *hook, int64_t now_ms, rp_view problem) {
    note(hook, now_ms, problem);
    hook->at++;
    hook->sent += problem.n == 0;
    hook->tries = 0;
    hook->next_ms = hook->failing_ms = 0;
}

bool rp_webhook_failed(struct rp_webhook *hook, int64_t now_ms, rp_view problem) {
    note(hook, now_ms, problem);
    hook->failing_ms = hook->failing_ms ? hook->failing_ms : now_ms;
    hook->next_ms = now_ms + rp_notice_pause_ms(hook->tries++);
    if (now_ms - hook->failing_ms < give_up_ms) {
        return false;
    }
    hook->paused_ms = now_ms;
    return true;
}

/* ---- by hand ---- */

static rp_err run_on(struct rp_db *db, rp_view name, const char *sql, int64_t now_ms) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_text(row, 1, name);
    rp_row_bind_u64(row, 2, (uint64_t)now_ms);
    RP_TRY(rp_row_run(row, &changed));
    return changed == 1 ? RP_OK : RP_ERR(NOT_FOUND);
}

rp_err rp_webhook_ask_test(const struct rp_env *env, struct rp_db *db, rp_view name) {
    return run_on(db, name, "UPDATE webhook SET test_ms = ?2 WHERE name = ?1", rp_env_now_ms(env));
}

rp_err rp_webhook_tested(const struct rp_env *env, struct rp_db *db, struct rp_webhook *hook,
                         rp_view problem) {
    note(hook, rp_env_now_ms(env), problem);
    hook->test_ms = 0;
    RP_TRY(rp_webhook_save(db, hook));
    return run_on(db, hook->name, "UPDATE webhook SET test_ms = ?2 WHERE name = ?1", 0);
}

rp_err rp_webhook_resume(struct rp_db *db, rp_view name) {
    return run_on(db, name,
                  "UPDATE webhook SET paused_ms = ?2, failing_ms = ?2, next_ms = ?2, tries = ?2 "
                  "WHERE name = ?1",
                  0);
}
