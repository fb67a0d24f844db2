/* clearing.h — the persons register's word on accounts: whose they are, and whether they were
 * checked.
 *
 * The identity room asks here, inside its own transactions, before it makes an operator (S9), and
 * has the account of an invitation written into the person's record. Both act on the same database
 * connection as the transaction that is under way.
 *
 * Owner: one per store thread, beside its identity. Fails: UNCLEARED, NOT_FOUND, CONFLICT.
 */
#ifndef RP_REGISTER_CLEARING_H
#define RP_REGISTER_CLEARING_H

#include "identity/identity.h"
#include "register/desk.h"

struct rp_clearing_desk {
    const struct rp_env *env;
    const struct rp_registers *registers;
    struct rp_store *store;
    struct rp_identity *identity;
};
/* Is the account that of somebody here whose check is cleared? Whoever has no key may ask, too. The
 * desk's actor is then that account. */
rp_err rp_desk_account_cleared(struct rp_desk *desk, rp_id account, bool *ret_cleared);
/* From now on this identity asks the register; desk outlives it. */
void rp_clearing_start(struct rp_clearing_desk *desk);

#endif
