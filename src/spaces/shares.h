/* shares.h — a link to one record or file, for somebody without an account.
 *
 * A link ends by its time, its count, or the hand of who made it or of the organisation's
 * administrator. Who holds it sees what the record is now, for as long as its label allows that:
 * raised above the operator's rule, it is closed to every link at once. Of the link only a hash is
 * kept; what was agreed (until when, how often, which password) is bound by a seal, so that nobody
 * prolongs it in the database.
 *
 * Fails: DENIED (the label), EXPIRED (by time, count or hand), RATE (wrong passwords), NOT_FOUND.
 * Promises: S71, S173.
 */
#ifndef RP_SPACES_SHARES_H
#define RP_SPACES_SHARES_H

#include "crypto/password.h"
#include "spaces/files.h"

enum {
    RP_SHARE_TOKEN_BYTES = 32,
    RP_SHARES_MAX = 1000, /* of a tenant, live */
    RP_SHARE_USES_MAX = 100000,
    RP_SHARE_WRONG_MAX = 5 /* then every further password waits a quarter of an hour */
};

struct rp_share {
    rp_id id;
    rp_view app, collection; /* in the arena; a file's without its mark */
    bool file;
    rp_id record, person;
    int64_t created_ms, until_ms;
    int64_t ended_ms; /* 0 = not taken back */
    uint64_t uses, uses_max;
    const char *password; /* PHC string in the arena; "" = none */
    uint64_t wrong;
    int64_t wrong_ms;
};

/* What the operator's rule lets out at most; RP_LABEL_NONE: nothing. */
struct rp_share_rule {
    enum rp_label label_max;
    int64_t longest_ms;
};

/* wish: collection, file, record, until_ms, uses_max, password. The token's bytes are for the link,
 * and nowhere else. INVALID (time, count), DENIED (label), RATE (a thousand live ones). */
rp_err rp_share_create(struct rp_space *space, const struct rp_share *wish,
                       const struct rp_share_rule *rule, struct rp_arena *arena,
                       struct rp_share *ret_share, uint8_t ret_token[static RP_SHARE_TOKEN_BYTES],
                       struct rp_diag *diag);
/* Newest first, at most RP_SHARES_MAX; app.n == 0: of every application; ended ones too, for as
 * long as they are kept. person none: of everybody. */
rp_err rp_share_list(struct rp_space *space, rp_view app, rp_id person, struct rp_arena *arena,
                     struct rp_share **ret_shares, size_t *ret_count);
/* Taken back. person none: whoever made it (the administrator's right). NOT_FOUND. */
rp_err rp_share_end(struct rp_space *space, rp_id id, rp_id person);

/* ---- for who holds the link; the space has no application and nobody's name ---- */

/* NOT_FOUND, EXPIRED, CORRUPT (the row was altered). */
rp_err rp_share_find(struct rp_space *space, rp_view token, struct rp_arena *arena,
                     struct rp_share *ret_share);
/* RATE while too many passwords were wrong. */
rp_err rp_share_may_try(const struct rp_space *space, const struct rp_share *share);
rp_err rp_share_wrong(struct rp_space *space, const struct rp_share *share);
/* Counts one use, and says so in the tenant's log. EXPIRED when it was the last but one more. */
rp_err rp_share_use(struct rp_space *space, const struct rp_share *share);
/* DENIED, with an event, when the label of what it leads to is above the rule. */
rp_err rp_share_check_label(struct rp_space *space, const struct rp_share *share,
                            enum rp_label label, const struct rp_share_rule *rule);

/* Forgets those that ended thirty days ago. */
rp_err rp_shares_sweep(const struct rp_env *env, struct rp_db *db);

#endif
