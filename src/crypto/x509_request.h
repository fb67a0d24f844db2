/* x509_request.h — asking an authority for a certificate, and judging what it sent.
 *
 * The gate makes a key and a request (PKCS #10) for one name; the request goes to an authority by
 * the acme role, which never sees the key. What comes back is a stranger's text: it is taken only
 * when it is a server's certificate for that very key and name, valid now, with its chain in order,
 * and it is printed anew from what was understood, so that nothing else in the text goes along.
 */
#ifndef RP_CRYPTO_X509_REQUEST_H
#define RP_CRYPTO_X509_REQUEST_H

#include "base/arena.h"
#include "base/env.h"
#include "crypto/x509.h"

/* A new P-256 key and the request for `name` (a DNS name), as PEM text. INVALID. */
rp_err rp_x509_make_request(const char *name, struct rp_buf *ret_request, struct rp_buf *ret_key);

struct rp_x509_wanted {
    const char *name;
    rp_view key; /* PEM: the private key, or the request made with it */
    int64_t now_s;
};
/* The chain, leaf first, printed anew. SYNTAX or INVALID, with what is wrong in diag. */
rp_err rp_x509_take(const struct rp_x509_wanted *wanted, rp_view chain, struct rp_buf *ret_chain,
                    struct rp_diag *diag);

#endif
