/* closing.h — an organisation's end: asked for, taken back, or carried out to the last file.
 *
 *   asked ──(grace: all goes on, its administrators are told)──▶ due
 *   due: people and sessions go ─▶ its key is destroyed in the key service ─▶ its log has the last
 *        event ─▶ its database and files are removed ─▶ its name leaves the directory
 *
 * Each step is one that a crash may cut short and the next round takes up. Until it is due it can
 * be taken back; after the key, nobody can, and no copy of the database opens any more. Its log
 * stays: the operator's proof that it ended, and when.
 *
 * Threads: as identity.h; the steps on the thread of key 0 alone. Promises: S89, S90, S91.
 */
#ifndef RP_IDENTITY_CLOSING_H
#define RP_IDENTITY_CLOSING_H

#include "identity/identity.h"

enum { RP_CLOSING_DAYS_MAX = 180, RP_CLOSINGS_AT_ONCE = 16 };

struct rp_closing {
    rp_id tenant;
    int64_t asked_ms, due_ms, ended_ms, destroyed_ms, removed_ms; /* 0 = not yet */
};

/* days 0: at the next round. INVALID for this installation's own organisation, CONFLICT where
 * somebody of it operates the installation, DUPLICATE when it is closing already, NOT_FOUND. */
rp_err rp_identity_close(struct rp_identity *identity, rp_id tenant, unsigned days,
                         struct rp_closing *ret_closing, struct rp_diag *diag);
/* NOT_FOUND when it is not closing, EXPIRED when its time is over. */
rp_err rp_identity_reopen(struct rp_identity *identity, rp_id tenant);
/* NOT_FOUND. */
rp_err rp_identity_closing(struct rp_identity *identity, rp_id tenant,
                           struct rp_closing *ret_closing);
/* Those that are due and not done, the oldest first. */
rp_err rp_identity_closings_due(struct rp_identity *identity,
                                struct rp_closing closings[static RP_CLOSINGS_AT_ONCE],
                                size_t *ret_count);

/* The next step of one that is due. *ret_count: sessions that ended; the caller revokes them in the
 * table and calls again. may_remove false: files stay for now. RP_OK also while it has to wait for
 * the ledger; the caller reads closing->removed_ms. */
rp_err rp_identity_close_step(struct rp_identity *identity, struct rp_closing *closing,
                              bool may_remove,
                              struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                              size_t *ret_count);

rp_err rp_identity_tenant_created(struct rp_identity *identity, rp_id tenant, int64_t *ret_ms);

/* Wraps the key of a tenant from before keys could end, so that it can. RP_OK when it does. */
rp_err rp_identity_rewrap(struct rp_identity *identity, rp_id tenant);

#endif
