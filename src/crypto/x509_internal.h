/* x509_internal.h — what the files of x509 share. Only they include it. */
#ifndef RP_CRYPTO_X509_INTERNAL_H
#define RP_CRYPTO_X509_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/x509.h"

enum { RP_X509_PEM_MAX = 65536 };

void rp_x509_free_cert(X509 **cert);
void rp_x509_free_key(EVP_PKEY **key);
void rp_x509_free_bio(BIO **bio);

/* A certificate key is born in OpenSSL, with OpenSSL's own generator: it leaves as PEM at once and
 * belongs to nginx, so it is never a rp_secret. */
EVP_PKEY *rp_x509_new_key(void);
BIO *rp_x509_reader(rp_view text);
/* SYNTAX. */
rp_err rp_x509_parse_key(rp_view pem, EVP_PKEY **ret_key);
/* A certificate that the key signs for itself, for the many days of one that nobody has to trust:
 * what counts of it is its key. */
X509 *rp_x509_self_signed(const struct rp_env *env, EVP_PKEY *key, const char *common_name);
/* The private key as PKCS #8 text. */
rp_err rp_x509_print_key(EVP_PKEY *key, struct rp_buf *ret_key);

#endif
