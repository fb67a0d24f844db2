/* tls_internal.h — what the two files of TLS share. Only they include it. */
#ifndef RP_CRYPTO_TLS_INTERNAL_H
#define RP_CRYPTO_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "crypto/tls_key.h"

struct rp_tls_key {
    SSL_CTX *tls; /* for both ends, with key, certificate, and what is spoken */
    struct rp_sha256 fingerprint;
};

/* The fingerprint of a certificate's key; false when it has none that can be printed. */
bool rp_tls_fingerprint_of(X509 *cert, struct rp_sha256 *ret_fingerprint);
/* tls_channel.c: the only judge of the other's certificate. */
int rp_tls_judge(X509_STORE_CTX *store, void *unused);

#endif
