/* third_party.h — every foreign header of this room, read before base/banned.h poisons words that
 * they use as names of parameters.
 */
#ifndef RP_CRYPTO_THIRD_PARTY_H
#define RP_CRYPTO_THIRD_PARTY_H

/* hash.c says why it uses SHA256_Init and its like. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <crypt.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sodium.h>

#endif
