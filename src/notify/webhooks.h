/* webhooks.h — how far each of the operator's programs is in the operator's log, and how it
 * answers.
 *
 * The log itself is the queue: a webhook remembers the entry that it looks at next, and moves on
 * when a call was taken. So nothing is lost however long a receiver is away, and events come in
 * their order. A call that is not taken is tried again after 1, 5, 15 minutes, 1, 3, 6 and then
 * every 12 hours; after three days the webhook is paused, which its operators are told, until
 * somebody resumes it. A webhook that is new begins with what happens from then on.
 *
 * Owner: views live in the arena. All but the pure functions work on the system database.
 */
#ifndef RP_NOTIFY_WEBHOOKS_H
#define RP_NOTIFY_WEBHOOKS_H

#include "base/env.h"
#include "store/store.h"

enum { RP_WEBHOOK_PROBLEM = 200 };

struct rp_webhook {
    rp_view name;
    uint64_t at, sent;
    unsigned tries;
    int64_t next_ms, failing_ms, paused_ms, test_ms, last_ms;
    char problem[RP_WEBHOOK_PROBLEM + 1];
};

/* NOT_FOUND: it never ran. name stays the caller's. */
rp_err rp_webhook_find(struct rp_db *db, rp_view name, struct rp_webhook *ret_hook);
/* All but whether a test was asked for, which is asked from elsewhere. */
rp_err rp_webhook_save(struct rp_db *db, const struct rp_webhook *hook);

/* ---- pure: what an answer changes ---- */
/* May it call now? */
bool rp_webhook_ready(const struct rp_webhook *hook, int64_t now_ms);
/* Taken, or wanted no more (problem says so): on to the next entry. */
void rp_webhook_passed(struct rp_webhook *hook, int64_t now_ms, rp_view problem);
/* True when this failure pauses it. */
bool rp_webhook_failed(struct rp_webhook *hook, int64_t now_ms, rp_view problem);

/* ---- by hand: each NOT_FOUND when it never ran ---- */
rp_err rp_webhook_ask_test(const struct rp_env *env, struct rp_db *db, rp_view name);
/* The answer to that test; problem empty: taken. */
rp_err rp_webhook_tested(const struct rp_env *env, struct rp_db *db, struct rp_webhook *hook,
                         rp_view problem);
rp_err rp_webhook_resume(struct rp_db *db, rp_view name);

#endif
