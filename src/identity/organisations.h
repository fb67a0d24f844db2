/* organisations.h — a person may belong to several organisations, and is in one of them at a time.
 *
 * A session is bound to one organisation for its whole life. Who goes to another gets another
 * session: a new id, a new cookie, the same end. So nothing that was made for the former one, no
 * assertion, no slot of a table, is ever found under the new one.
 *
 * An invitation to an address that has an account makes no second account: whoever is signed in
 * with that address joins by its link. Promises: S66, S105.
 */
#ifndef RP_IDENTITY_ORGANISATIONS_H
#define RP_IDENTITY_ORGANISATIONS_H

#include "identity/identity.h"

enum { RP_ORGANISATIONS_MAX = 64 };
struct rp_organisation {
    rp_id tenant;
    unsigned roles;
    char name[129];
};
/* Those of a person, by name; what is beyond the maximum is left out. */
rp_err rp_identity_organisations(struct rp_identity *identity, rp_id person,
                                 struct rp_organisation list[static RP_ORGANISATIONS_MAX],
                                 size_t *ret_count);

/* Ends the session and opens one in the other organisation, where the next sign-in begins too. It
 * ends when the former would have. NOT_FOUND when the person is not in it. The caller revokes the
 * former one in the table. */
rp_err rp_identity_switch(struct rp_identity *identity, const struct rp_session *session,
                          rp_id tenant, rp_view client, struct rp_token *ret_cookie,
                          struct rp_session *ret_session);

/* The invitation's link, used by somebody who has an account. NOT_FOUND, EXPIRED, REPLAYED as the
 * link; DENIED when it went to another address, DUPLICATE when the person is in it already,
 * UNCLEARED as any way to operate the installation. */
rp_err rp_identity_join(struct rp_identity *identity, rp_view token, rp_id person,
                        rp_id *ret_tenant);

struct rp_db;
/* Inside a transaction: seals address and one-time code's seed of everybody whose home is `from`
 * and who belongs to another organisation, too, under that one's key. The keys may be asked for: it
 * is once in an organisation's life. Errors as the keys'; then nothing was changed. */
rp_err rp_identity_rehome(struct rp_identity *identity, struct rp_db *db, rp_id from);

/* A person's address, whatever they belong to. NOT_FOUND. */
rp_err rp_identity_address_of(struct rp_identity *identity, rp_id person,
                              char ret_email[static RP_EMAIL_MAX + 1]);

#endif
