/* apps.h — applications' tokens: which application calls, and what its token may do.
 *
 * A token alone reaches nobody's data: a call needs an assertion of a person who is there, or a
 * grant of an organisation, as well. An application may have several tokens, so that one is
 * replaced without a pause: make the new one, hand it over, take the old one back. Of a token only
 * a hash is kept.
 *
 * Threads: as identity.h. Promises: S105, S175.
 */
#ifndef RP_IDENTITY_APPS_H
#define RP_IDENTITY_APPS_H

#include "identity/identity.h"

enum rp_scope {
    RP_SCOPE_RECORDS_READ = 1,
    RP_SCOPE_RECORDS_WRITE = 2,
    RP_SCOPE_FILES_READ = 4,
    RP_SCOPE_FILES_WRITE = 8,
    RP_SCOPE_SHARES = 16
};
enum { RP_SCOPES_ALL = 31, RP_SCOPES_TEXT = 96, RP_APP_NAME_MAX = 32 };

/* "records:read,files:write", or "*" for all. INVALID, saying which are known. Pure. */
rp_err rp_scopes_parse(rp_view text, unsigned *ret_scopes, struct rp_diag *diag);
/* The same, in the order of the enum. Pure. */
void rp_scopes_print(unsigned scopes, char out[static RP_SCOPES_TEXT]);

struct rp_app_token {
    rp_id id;
    char app[RP_APP_NAME_MAX + 1];
    unsigned scopes;
    int64_t created_ms, until_ms, ended_ms; /* 0 = without end; 0 = not taken back */
};

/* wish: app, scopes, until_ms. alone: every other token of the application ends with this. INVALID
 * for a name, an empty set or a time that is over. */
rp_err rp_identity_new_app_token(struct rp_identity *identity, const struct rp_app_token *wish,
                                 bool alone, rp_id *ret_id, struct rp_token *ret_token);
/* The newest first, those that ended too. */
rp_err rp_identity_each_app_token(struct rp_identity *identity,
                                  rp_err (*each)(void *ctx, const struct rp_app_token *token),
                                  void *ctx);
/* At once. NOT_FOUND. */
rp_err rp_identity_end_app_token(struct rp_identity *identity, rp_id id);
/* Whose token this is, and what it may. UNAUTHENTICATED, also for one that ended. */
rp_err rp_identity_app_of_token(struct rp_identity *identity, rp_view token,
                                struct rp_app_token *ret_token);

#endif
