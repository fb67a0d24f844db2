/* address_change.h — a person takes another address, in three steps that mails join.
 *
 * Asked for by who is signed in and shows password and second factor; the new address gets a link
 * for an hour, and nothing changes before it is used. The former address gets a link at once,
 * for a week: it stops the change, or undoes it, and ends every session and the password. Nobody
 * but the mailbox itself learns whether an address has an account. Five a day for a person, and
 * none while the last one can still be undone.
 */
#ifndef RP_IDENTITY_ADDRESS_CHANGE_H
#define RP_IDENTITY_ADDRESS_CHANGE_H

#include "identity/identity.h"

struct rp_address_ask {
    const struct rp_sign_in *own; /* rp_identity_own_password; it was right */
    rp_view email, code, client;  /* code: of who has codes */
    bool fresh; /* rp_identity_is_fresh: whose only second factor is a key showed it just now */
    enum rp_lang lang;
};
/* INVALID (no address), DUPLICATE (it is theirs already), DENIED or REPLAYED (the code), RATE,
 * SECOND_FACTOR (a key, and the session is not fresh),
 * CONFLICT (one took effect and can still be undone), UNSUPPORTED (this installation sends no
 * mails). */
rp_err rp_identity_address_ask(struct rp_identity *identity, const struct rp_address_ask *ask);

/* The new address's link. NOT_FOUND (also after it was stopped), EXPIRED, REPLAYED. */
rp_err rp_identity_find_address_change(struct rp_identity *identity, rp_view token,
                                       char ret_email[static RP_EMAIL_MAX + 1]);
/* Also DUPLICATE: somebody else has it by now. */
rp_err rp_identity_address_confirm(struct rp_identity *identity, rp_view token);

/* The former address's link. *ret_used: the change has taken effect and would be undone. */
rp_err rp_identity_find_address_stop(struct rp_identity *identity, rp_view token, bool *ret_used);
/* The password opens nothing any more either: the person asks for a new one. Also DUPLICATE:
 * somebody else has the former address by now. */
rp_err rp_identity_address_stop(struct rp_identity *identity, rp_view token,
                                struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                                size_t *ret_count);

#endif
