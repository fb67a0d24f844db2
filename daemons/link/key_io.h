/* key_io.h — link/key.pem: this machine's key among machines, made when it is first asked for.
 *
 * Root's, and for nobody else to read: the link reads it before it takes its own user. The command
 * line prints its fingerprint.
 */
#ifndef RP_DAEMONS_LINK_KEY_IO_H
#define RP_DAEMONS_LINK_KEY_IO_H

#include "base/arena.h"
#include "crypto/tls_key.h"

/* In the state folder. What goes wrong with the file is in diag. */
rp_err link_key_load(const struct rp_env *env, struct rp_arena *arena, struct rp_tls_key **ret_key,
                     struct rp_diag *diag);

#endif
