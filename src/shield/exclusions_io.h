/* exclusions_io.h — what somebody decided about proposals, as core keeps it: rows with who and why;
 * and the table that the gate's workers map, made anew after each change.
 *
 * A decision and its event commit together. Publishing is a step of its own: what is stored and not
 * yet published (a full disk) is published by the next round of core's chores.
 * Thread: the system database's.
 */
#ifndef RP_SHIELD_EXCLUSIONS_IO_H
#define RP_SHIELD_EXCLUSIONS_IO_H

#include "shield/exclusions.h"
#include "store/store.h"

struct rp_waf_decision {
    rp_view id; /* 8 hexadecimal digits: rp_note_name_of */
    struct rp_exclusion exclusion;
    bool accepted; /* else rejected: not shown again */
    rp_view reason, who;
    int64_t since_ms;
    uint64_t people, organisations, requests; /* behind it */
};

/* DUPLICATE when it was decided already; INVALID; TOO_LARGE when no more exclusions fit. */
rp_err rp_waf_decision_put(const struct rp_env *env, struct rp_db *db,
                           const struct rp_waf_decision *decision, struct rp_diag *diag);
/* Takes it back: the rule is asked there again, the proposal shown again. NOT_FOUND. */
rp_err rp_waf_decision_remove(const struct rp_env *env, struct rp_db *db, rp_view id, rp_view who);
/* Views are good until each returns. */
rp_err rp_waf_decisions_each(struct rp_db *db,
                             rp_err (*each)(void *ctx, const struct rp_waf_decision *decision),
                             void *ctx);
/* How many organisations there are, but for the canaries'. */
rp_err rp_waf_decisions_organisations(struct rp_db *db, uint64_t *ret_count);
/* Puts run/exclusions.tab in place, when what lies there says something else. */
rp_err rp_exclusions_publish(struct rp_db *db);

#endif
