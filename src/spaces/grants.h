/* grants.h — what an organisation lets an application do while nobody of theirs is there.
 *
 * An administrator gives a grant: one application, some scopes, at most a year. The application
 * shows it instead of an assertion, with its own token; it acts as a member, never as an
 * administrator. A grant ends by its time, by any administrator's hand, and with the membership of
 * who gave it (the caller looks). Of its text only a hash is kept; what was given is bound by a
 * seal.
 *
 * Fails: UNAUTHENTICATED (none, ended, of another application), CORRUPT. Promises: S175.
 */
#ifndef RP_SPACES_GRANTS_H
#define RP_SPACES_GRANTS_H

#include "spaces/spaces.h"

enum { RP_GRANT_TOKEN_BYTES = 32, RP_GRANTS_MAX = 100, RP_GRANT_DAYS_MAX = 366 };

struct rp_grant {
    rp_id id, person;
    rp_view app; /* in the arena */
    unsigned scopes;
    int64_t created_ms, until_ms, used_ms, ended_ms;
};

/* wish: app, scopes, until_ms; the space's person gives it. INVALID, RATE (a hundred live ones). */
rp_err rp_grant_create(struct rp_space *space, const struct rp_grant *wish,
                       struct rp_grant *ret_grant, uint8_t ret_token[static RP_GRANT_TOKEN_BYTES],
                       struct rp_diag *diag);
/* Newest first, those that ended too. */
rp_err rp_grant_list(struct rp_space *space, struct rp_arena *arena, struct rp_grant **ret_grants,
                     size_t *ret_count);
/* At once. NOT_FOUND. */
rp_err rp_grant_end(struct rp_space *space, rp_id id);
/* The grant of this text, for this application; that it was used is an event, once an hour. */
rp_err rp_grant_use(struct rp_space *space, rp_view token, rp_view app, struct rp_arena *arena,
                    struct rp_grant *ret_grant);
/* Forgets those that ended, or were over, thirty days ago. */
rp_err rp_grants_sweep(const struct rp_env *env, struct rp_db *db);

#endif
