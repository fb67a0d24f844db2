/* members.h — who belongs to an organisation, with which roles, and the end of it.
 *
 * Changing somebody's roles or removing them ends their sessions in that organisation in the same
 * transaction; the caller revokes them in the gate's table. The last administrator of an
 * organisation stays one: nobody locks an organisation out of itself. Whoever belongs to no
 * organisation any more is forgotten: address, password, seed and recovery codes are deleted, and
 * the address may be invited again.
 *
 * Threads: as identity.h. Promises: S104, S105, S175.
 */
#ifndef RP_IDENTITY_MEMBERS_H
#define RP_IDENTITY_MEMBERS_H

#include "identity/identity.h"

struct rp_member {
    rp_id person; /* of an invitation: the one to be */
    unsigned roles;
    bool invited;     /* an open invitation, not a person yet */
    int64_t since_ms; /* enrolled; of an invitation: until when it is valid */
    bool has_totp;    /* the second factors: an authenticator, keys, codes in their place */
    size_t passkeys, recovery_left;
    char email[RP_EMAIL_MAX + 1];
};
/* People in the order of their enrolment, then open invitations. NOT_FOUND: no such tenant. */
rp_err rp_identity_each_member(struct rp_identity *identity, rp_id tenant,
                               rp_err (*each)(void *ctx, const struct rp_member *member),
                               void *ctx);

/* Everybody who operates this installation, whatever organisation that stands in. */
rp_err rp_identity_each_operator(struct rp_identity *identity,
                                 rp_err (*each)(void *ctx, rp_id person), void *ctx);

struct rp_member_change {
    rp_id tenant, person;
    rp_id by;       /* none: the machine's own administrator */
    unsigned roles; /* set of rp_tenant_role; 0 = removed */
};
/* A person's roles, or their removal; of an invitation only the removal. NOT_FOUND when this person
 * is not in the tenant, DENIED when `by` may not (S105), CONFLICT for the last administrator. */
rp_err rp_identity_change_member(struct rp_identity *identity,
                                 const struct rp_member_change *change,
                                 struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                                 size_t *ret_count);

/* The person of this tenant with this address, or who is invited under it. NOT_FOUND. */
rp_err rp_identity_member_at(struct rp_identity *identity, rp_id tenant, rp_view email,
                             rp_id *ret_person);

/* ---- people of another system ---- */
struct rp_people_file;
struct rp_people_import {
    rp_id tenant;
    bool dry_run;  /* all is judged, nothing kept */
    bool skip_bad; /* refused lines are left out; otherwise one refused line keeps all out */
    struct rp_people_file *file; /* judged further: its lines say what became of each */
    size_t imported, invited, refused;
    bool applied;
};
/* Whoever has a password and the second factor that is asked for is here at once; the others are
 * invited, by mail where this installation sends mails. All in one transaction. NOT_FOUND: no such
 * tenant; OVERLOAD: too many mails wait. The caller wipes the file. */
rp_err rp_identity_import(struct rp_identity *identity, struct rp_people_import *import);

#endif
