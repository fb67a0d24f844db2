/* assertion.h — the token that tells an application who stands in front of it.
 *
 * A JWT, ES256, good for a minute. The claims are built here, inside the kms, from fields that are
 * each checked: the signing key signs nothing that somebody else put together.
 */
#ifndef RP_KEYS_ASSERTION_H
#define RP_KEYS_ASSERTION_H

#include "base/arena.h"
#include "keys/client.h"
#include "keys/hierarchy.h"

enum {
    RP_ASSERTION_S = 60,
    RP_ASSERTION_AUDIENCE_MAX = 64,
    RP_ASSERTION_EMAIL_MAX = 254,
    RP_ASSERTION_ROLES_MAX = 512
};

/* The request on the wire between core and the kms. */
rp_err rp_assertion_pack(const struct rp_assertion *assertion, struct rp_buf *out);
/* Texts in the arena. PROTOCOL when it is not what pack wrote, INVALID when a field is. */
rp_err rp_assertion_unpack(rp_view request, struct rp_arena *arena,
                           struct rp_assertion *ret_assertion);

/* Claims: iss = host, sub, tid (unless none), sid, roles, email (unless empty), acr, aud, iat, nbf,
 * exp, jti. The token is appended to out. */
rp_err rp_assertion_sign(const struct rp_env *env, const struct rp_hierarchy *hierarchy,
                         const char *host, const struct rp_assertion *assertion,
                         struct rp_arena *arena, struct rp_buf *out);

#endif
