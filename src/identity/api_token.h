/* api_token.h — tokens for programs that work with the registers: scoped, and they end.
 *
 * A token acts as who made it, with the roles that this person has when it is used: who leaves
 * takes the tokens along. It shows no second factor, so it signs nothing. Its secret is seen once;
 * what is kept is its SHA-256. A token of nobody is the machine owner's.
 *
 * Fails: INVALID (name, scope, days), UNAUTHENTICATED (unknown, ended, its maker gone).
 */
#ifndef RP_IDENTITY_API_TOKEN_H
#define RP_IDENTITY_API_TOKEN_H

#include "identity/identity.h"

enum {
    RP_API_TOKEN_NAME_MAX = 100,
    RP_API_TOKEN_REGISTERS_MAX = 1000,
    RP_API_TOKEN_DAYS_MAX = 365,
    RP_API_TOKENS_MAX = 200 /* at once, in all */
};

struct rp_api_token {
    rp_id id, person; /* person none: the owner's */
    char name[RP_API_TOKEN_NAME_MAX + 1];
    bool write;
    char registers[RP_API_TOKEN_REGISTERS_MAX + 1]; /* ids separated by spaces, or * */
    int64_t created_ms, expires_ms;
    unsigned roles; /* of the person now; found by rp_identity_use_api_token */
};

/* Fills id and created_ms. The secret, with its prefix, for the caller to show once and wipe. */
struct rp_api_secret {
    char s[RP_TOKEN_TEXT + 8];
};
rp_err rp_identity_new_api_token(struct rp_identity *identity, struct rp_api_token *token,
                                 struct rp_api_secret *ret_secret);
/* Does it look like one of these tokens? */
bool rp_is_api_token(rp_view text);
rp_err rp_identity_use_api_token(struct rp_identity *identity, rp_view secret,
                                 struct rp_api_token *ret_token);
/* Those of a person, or all for the owner (none); newest first. */
rp_err rp_identity_each_api_token(struct rp_identity *identity, rp_id person,
                                  rp_err (*each)(void *ctx, const struct rp_api_token *token),
                                  void *ctx);
/* NOT_FOUND also for somebody else's. */
rp_err rp_identity_end_api_token(struct rp_identity *identity, rp_id person, rp_id token);

#endif
