/* passkey_internal.h — rows of keys and challenges, for the files of passkeys and the second
 * factor.
 */
#ifndef RP_IDENTITY_PASSKEY_INTERNAL_H
#define RP_IDENTITY_PASSKEY_INTERNAL_H

#include "identity/internal.h"
#include "identity/passkey.h"

enum { RP_PASSKEY_BODY_MAX = 2048, RP_PASSKEY_SEALED_MAX = RP_PASSKEY_BODY_MAX + 64 };

/* The keyed index by which a key is found. Leases a key: before a transaction. */
rp_err rp_passkey_index(struct rp_identity *identity, rp_view credential_id,
                        struct rp_sha256 *ret_index);
/* Seals what is not a column; home: the tenant under whose key it lies. */
rp_err rp_passkey_seal(struct rp_identity *identity, rp_id home, rp_id person,
                       const struct rp_passkey *key, struct rp_buf *out);
/* By its index; *ret_person, *ret_home: whose it is. NOT_FOUND. */
rp_err rp_passkey_find(struct rp_identity *identity, const struct rp_sha256 *index,
                       struct rp_passkey *ret_key, rp_id *ret_person, rp_id *ret_home);
/* Inside a transaction: all keys of a person, sealed anew for another home, which their row does
 * not name yet. */
rp_err rp_passkeys_rehome(struct rp_identity *identity, rp_id person, rp_id to);
/* Inside a transaction, with the home's key leased: none of these keys opens anything alone any
 * more, since one of them may be somebody else's. */
rp_err rp_passkeys_need_password(struct rp_identity *identity, rp_id person, rp_id home);

/* Inside a transaction: the challenge that an answer signed is used up. False: it was old, used
 * before, or for something else. */
rp_err rp_passkey_challenge_use(struct rp_identity *identity, const struct rp_passkey_asked *asked,
                                const struct rp_sha256 *hash, bool *ret_good);
rp_err rp_passkey_challenge_expire(struct rp_identity *identity);
/* The SHA-256 of the challenge that stands in the answer; of nothing when none does. */
struct rp_sha256 rp_passkey_answer_hash(const struct rp_webauthn_answer *answer,
                                        struct rp_arena *arena);

#endif
