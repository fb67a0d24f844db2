/* jwt.h — JSON Web Tokens in compact form (RFC 7515, 7519), one algorithm: ES256.
 *
 * Pure: prints what is to be signed, takes a token apart. Signing and verifying are crypto's;
 * judging the claims is identity's.
 */
#ifndef RP_WIRE_JWT_H
#define RP_WIRE_JWT_H

#include "wire/json.h"

/* "base64url(header).base64url(claims)" with header {"alg":"ES256","kid":kid,"typ":"JWT"}. */
rp_err rp_jwt_signing_input(const char *kid, const struct rp_json *claims, struct rp_buf *out);
/* Appends ".base64url(signature)"; 64 bytes. */
void rp_jwt_append_signature(struct rp_buf *out, rp_view signature);

struct rp_jwt {
    rp_view signing_input;  /* into the text */
    struct rp_json *header; /* alg is ES256, typ JWT or absent; "crit" is refused */
    struct rp_json *claims;
    rp_view signature; /* 64 bytes */
};
/* SYNTAX for anything that is not a compact ES256 JWT, TOO_LARGE for what the arena does not
 * hold. Nothing is verified. */
rp_err rp_jwt_parse(rp_view text, struct rp_arena *arena, struct rp_jwt *ret_jwt);

#endif
