/* outbox.h — what waits to be sent, and what became of it.
 *
 * A mail is taken (sending), given to the courier, and settled: sent, later (with a
 * growing pause) or refused for good. One that is found in `sending` was under way when a process
 * ended: it is handed to the courier again, which knows by the notice's id whether it went out.
 * Sent and refused rows keep no text; they stay for 400 days, so that their key is not used twice.
 *
 * All but rp_notice_open work on the system database alone. Owner: views live in the arena.
 */
#ifndef RP_NOTIFY_OUTBOX_H
#define RP_NOTIFY_OUTBOX_H

#include "notify/notify.h"

enum {
    RP_NOTICES_MAX = 10000,
    RP_NOTICE_VALUES_MAX = 16,
    RP_NOTICE_PROBLEM = 200,
    RP_BUNDLE_MAX = 50
};

/* Facts about kinds; total over the enum. */
const char *rp_notice_kind_name(enum rp_notice_kind kind);
bool rp_notice_kind_parse(rp_view name, enum rp_notice_kind *ret_kind);
/* The names of the values that its texts print, separated by spaces. */
const char *rp_notice_kind_values(enum rp_notice_kind kind);

struct rp_notice_row {
    rp_id id, tenant, person;
    enum rp_notice_channel channel;
    enum rp_notice_kind kind;
    enum rp_lang lang;
    unsigned tries;
    int64_t created_ms, next_ms;
    bool gather, bundled; /* may go with others; who goes with it is settled */
    rp_view state, problem;
    rp_view sealed; /* n = 0: nothing is left of it */
};

/* A row's text, opened. */
struct rp_notice_content {
    rp_view address; /* n = 0: the person's own */
    struct rp_notice_value values[RP_NOTICE_VALUES_MAX];
    size_t value_count;
};

/* ---- sending ---- */

/* "mail", "inbox". */
const char *rp_notice_channel_name(enum rp_notice_channel channel);
/* The mail that is due for longest: NOT_FOUND when none is. */
rp_err rp_notify_due(const struct rp_env *env, struct rp_db *db, struct rp_arena *arena,
                     struct rp_notice_row *ret_row);
/* Opens it under the tenant's key. CORRUPT when the bytes are not those that were put there. */
rp_err rp_notice_open(const struct rp_secret *key, const struct rp_notice_row *row,
                      struct rp_arena *arena, struct rp_notice_content *ret_content);
/* Before it is handed on: whoever finds it so knows that it may have gone out. One that may be
 * gathered takes with it what else is due of the same person and kind, 50 at most. */
rp_err rp_notify_take(struct rp_db *db, const struct rp_notice_row *row);
/* What was taken with it, itself among them, in the order of their making; one that is gathered
 * with nothing is alone. They are settled together. */
rp_err rp_notify_bundle(struct rp_db *db, const struct rp_notice_row *first, struct rp_arena *arena,
                        struct rp_notice_row **ret_rows, size_t *ret_count);

/* It was not handed on: nobody listened yet. No try, and no pause but a second. */
rp_err rp_notify_put_back(const struct rp_env *env, struct rp_db *db,
                          const struct rp_notice_row *row);

enum rp_notice_outcome { RP_NOTICE_SENT, RP_NOTICE_LATER, RP_NOTICE_REFUSED };
/* problem: what the other side said; cut to 200 bytes, control characters become spaces. LATER
 * turns into a refusal 3 days after the notice was put down. */
rp_err rp_notify_settle(const struct rp_env *env, struct rp_db *db, const struct rp_notice_row *row,
                        enum rp_notice_outcome outcome, rp_view problem);

/* Inside the caller's transaction: this person's reminders that wait and were never handed on go
 * out at another time, each alone or all together. */
rp_err rp_notify_retime(struct rp_db *db, rp_id person, int64_t next_ms, bool gather);

/* ---- looking ---- */

/* Newest first, at most max. person: none = mails; else this person's inbox. */
rp_err rp_notify_list(struct rp_db *db, rp_id person, size_t max, struct rp_arena *arena,
                      struct rp_notice_row **ret_rows, size_t *ret_count);
/* Due now, from the start of its pauses. NOT_FOUND when nothing of this id waits or was refused
 * with its text still there. */
rp_err rp_notify_retry(const struct rp_env *env, struct rp_db *db, rp_id id);
/* Marks one of the person's own as read. NOT_FOUND. */
rp_err rp_notify_read(struct rp_db *db, rp_id person, rp_id id);
/* Deletes what is over its time: call now and then. */
rp_err rp_notify_expire(const struct rp_env *env, struct rp_db *db);
/* What waits longer than anything can, because the clock had run ahead, is due now: mails and
 * webhooks. Call it now and then. */
rp_err rp_notify_set_right(const struct rp_env *env, struct rp_db *db);

#endif
