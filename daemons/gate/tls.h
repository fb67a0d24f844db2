/* tls.h — the certificate that the gate uses until the operator brings one.
 *
 * gate/tls/ca.key (0600) signs; ca.pem is for everybody who wants to trust this installation;
 * leaf.pem and leaf.key (0600) are what nginx serves, made anew when they are about to run out or
 * when the names changed (gate/tls/names holds those of the leaf).
 */
#ifndef RP_GATE_TLS_H
#define RP_GATE_TLS_H

#include "base/arena.h"
#include "base/env.h"
#include "config/config.h"

/* Makes what is missing. Nothing when the operator has a certificate of their own. */
rp_err gate_tls_prepare(const struct rp_config *config, const struct rp_env *env,
                        struct rp_arena *arena, struct rp_diag *diag);

#endif
