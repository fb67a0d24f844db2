/* canary.h — the credentials of the canaries: two tenants, a person in each, one application.
 *
 * Core makes them at first start and writes canary/credentials.json for the probe role; they open
 * nothing but two empty tenants. What the outside probe plants there, it writes to canary/planted,
 * so that the file probe knows what to hunt for. Pure text: JSON in, struct out.
 */
#ifndef RP_PROMISE_CANARY_H
#define RP_PROMISE_CANARY_H

/* A name that the gate answers to, and where a certificate of nobody at all is asked for. */
#define RP_CLIENT_CANARY "client-canary.rempart.invalid"

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"

enum { RP_CANARIES = 2 };

struct rp_canary {
    rp_id tenant;
    const char *email, *password;
    const char *seed; /* base32 */
};

struct rp_canaries {
    const char *app, *app_token;
    struct rp_canary people[RP_CANARIES];
};

/* {"app":…,"app_token":…,"people":[{"tenant":…,"email":…,"password":…,"seed":…},{…}]} */
rp_err rp_canaries_parse(rp_view text, struct rp_arena *arena, struct rp_canaries *ret_canaries);
/* One canary alone, as canary/staff.json has the one that tries the registers' gates. */
rp_err rp_canary_parse(rp_view text, struct rp_arena *arena, struct rp_canary *ret_canary);
rp_err rp_canary_print(const struct rp_canary *canary, struct rp_arena *arena, struct rp_buf *out);
rp_err rp_canaries_print(const struct rp_canaries *canaries, struct rp_arena *arena,
                         struct rp_buf *out);

#endif
