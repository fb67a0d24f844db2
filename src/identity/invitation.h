/* invitation.h — an invitation on its way into the database and out of it; for this room only. */
#ifndef RP_IDENTITY_INVITATION_H
#define RP_IDENTITY_INVITATION_H

#include "identity/internal.h"

struct invitation {
    rp_id tenant, by;
    rp_id person; /* who has the address already, else the one that they will be */
    rp_id record; /* of persons, while it is made; then that record names the account */
    unsigned roles;
    struct rp_sha256 token_hash, address;
    rp_view email_sealed;
};

/* One that is made: all that a transaction needs, prepared before it. */
struct invite_draft {
    struct rp_identity *identity;
    struct invitation invitation;
    uint8_t sealed[RP_SEALED_MAX];
    struct rp_token token;
    char tenant_name[129], link[512];
    struct rp_time_text until;
    struct rp_notice_value values[3];
    struct rp_notice notice; /* value_count 0: whoever invites hands the link over */
    struct rp_email email;
};
/* lang NULL: no mail. INVALID. The caller wipes the draft. */
rp_err rp_invite_prepare(struct rp_identity *identity, rp_id tenant, rp_view email, unsigned roles,
                         rp_id by, const enum rp_lang *lang, struct invite_draft *draft);
/* Inside a transaction. DENIED, DUPLICATE; ctx: the draft. */
rp_err rp_invite_put(struct rp_db *db, void *ctx);

/* Inside a transaction: the fields that "invited" and "role granted" share. by may be none. */
rp_err rp_emit_roles(struct rp_identity *identity, enum rp_event_kind kind,
                     const struct invitation *invitation);

/* Of a link: NOT_FOUND, EXPIRED, REPLAYED. email_sealed is empty here. */
rp_err rp_invitation_find(struct rp_identity *identity, rp_view token,
                          struct invitation *ret_invitation);
/* Inside a transaction: it is used. REPLAYED when it was. */
rp_err rp_invitation_spend(struct rp_identity *identity, const struct rp_sha256 *token_hash);

/* Whose account signs in with the address; none: nobody's. */
rp_err rp_person_at(struct rp_identity *identity, const struct rp_sha256 *address,
                    rp_id *ret_person);
/* Inside a transaction: a person who was invited or imported, and their membership. */
struct person_row {
    const struct invitation *invitation;
    rp_view password;    /* a hash */
    rp_view seed_sealed; /* n = 0: no second factor */
    uint64_t step;       /* of the last one-time code that was used */
    enum rp_lang lang;
};
rp_err rp_person_insert(struct rp_identity *identity, const struct person_row *person);

#endif
