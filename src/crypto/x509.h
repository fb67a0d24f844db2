/* x509.h — the local certificate authority that a first start makes.
 *
 * Until the operator brings a certificate or turns ACME on, the gate uses a leaf from a CA that
 * lives in the state folder. ECDSA P-256, SHA-256, PEM. RFC 5280.
 */
#ifndef RP_CRYPTO_X509_H
#define RP_CRYPTO_X509_H

#include "base/arena.h"
#include "crypto/secret.h"

/* A new self-signed CA: certificate and private key as PEM text. */
rp_err rp_x509_make_ca(const struct rp_env *env, const char *common_name, int days,
                       struct rp_buf *ret_cert, struct rp_buf *ret_key);
/* A server certificate for `names` (DNS names or IP addresses), signed by the CA. */
rp_err rp_x509_make_leaf(const struct rp_env *env, rp_view ca_cert, rp_view ca_key,
                         const char *const *names, size_t name_count, int days,
                         struct rp_buf *ret_cert, struct rp_buf *ret_key);
/* Until when a PEM certificate is valid, seconds since 1970. SYNTAX when it is none. */
rp_err rp_x509_not_after(rp_view cert, int64_t *ret_seconds);

struct rp_x509_facts {
    int64_t since_s, until_s;
    rp_view names;  /* DNS names and addresses, separated by spaces */
    rp_view issuer; /* "O = …, CN = …", what does not print escaped */
};
/* What the first certificate of a PEM text says, in the arena. SYNTAX when there is none. */
rp_err rp_x509_read(rp_view cert, struct rp_arena *arena, struct rp_x509_facts *ret_facts);

#endif
