/* secret_bytes.h — the inside of a secret, for the sources of crypto only.
 *
 * No other room includes this file (scripts/check-layers: door), so that nothing outside can turn
 * a key into a view that a printer or a log would take.
 */
#ifndef RP_CRYPTO_SECRET_BYTES_H
#define RP_CRYPTO_SECRET_BYTES_H

#include "crypto/secret.h"

/* n zeroed bytes, locked. NO_MEMORY when the pages cannot be had or cannot be locked. */
rp_err rp_secret_new_empty(size_t n, struct rp_secret **ret_secret);
rp_view rp_secret_view(const struct rp_secret *secret);
uint8_t *rp_secret_bytes(struct rp_secret *secret);

#endif
