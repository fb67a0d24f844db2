/* passkey.h — what pages and registers share about keys: where they may be asked for, and the
 * options that the browser is given (WebAuthn Level 3, section 5.4 and 5.5, in the JSON of
 * section 5.1).
 */
#ifndef RP_WEB_PASSKEY_H
#define RP_WEB_PASSKEY_H

#include "identity/passkey.h"
#include "web/request.h"

/* The site's name and this page's origin. False where a browser would not let this page ask: the
 * name is an address of numbers, or the host does not lie below it. */
bool rp_passkey_here(struct rp_request *request, struct rp_passkey_expected *ret_expected);

/* The options of a use: keys that may answer (none: whichever the person chooses). */
struct rp_passkey_options {
    const char *site;
    rp_view challenge;
    const struct rp_passkey *keys;
    size_t count;
    bool verified;
};
struct rp_json *rp_passkey_get_options(struct rp_arena *arena,
                                       const struct rp_passkey_options *options);
/* Of a new key for this person; keys: those they have, which must not be made twice. */
struct rp_json *rp_passkey_create_options(struct rp_arena *arena,
                                          const struct rp_passkey_options *options,
                                          const struct rp_person *person);

/* Reads an answer into the arena, and says what it must have been for. SYNTAX, TOO_LARGE;
 * UNSUPPORTED where no key may be asked for. */
rp_err rp_passkey_read(struct rp_request *request, rp_view json,
                       const struct rp_passkey_asked *asked, bool verified,
                       struct rp_passkey_proof *ret_proof);

#endif
