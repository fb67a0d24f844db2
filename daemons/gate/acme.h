/* acme.h — the gate's side of ACME: keys that nobody else sees, and certificates taken over.
 *
 * For each name gate/tls/acme/NAME.next (0600) holds the key of the next certificate and
 * gate/acme/NAME.csr the request that the acme role sends. What that role got, acme/live/NAME.pem,
 * is judged against the key and becomes gate/tls/acme/NAME.pem (0600: chain and key, one file, so
 * that they can never be of two minds), and gate/acme/NAME.pem (the chain, for everybody). Then a
 * new key is made for the time after. Bad bytes change nothing.
 */
#ifndef RP_GATE_ACME_H
#define RP_GATE_ACME_H

#include "daemon.h"

/* Keys and requests that are missing, certificates that are new. *ret_certified: the names that
 * have a certificate, in the daemon's arena. */
rp_err gate_acme_prepare(const struct daemon *daemon, struct rp_config_list *ret_certified);

#endif
