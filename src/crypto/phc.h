/* phc.h — takes an argon2id hash string apart, before the slow function ever sees it.
 *
 * The string comes from a database row. Whoever can alter a row must not be able to ask for
 * gigabytes or minutes: the costs are bounded here. Pure; fuzzed.
 *
 *   "$argon2id$v=19$m=" 1*DIGIT ",t=" 1*DIGIT ",p=1$" salt "$" hash
 *   salt, hash: base64 (RFC 4648 4) without padding, 8 to 48 and 16 to 64 bytes
 */
#ifndef RP_CRYPTO_PHC_H
#define RP_CRYPTO_PHC_H

#include "base/err.h"

enum { RP_PHC_KIB_MAX = 1024 * 1024, RP_PHC_OPS_MAX = 16 };

struct rp_phc {
    uint64_t kib; /* 8 … RP_PHC_KIB_MAX */
    uint64_t ops; /* 1 … RP_PHC_OPS_MAX */
    rp_view salt; /* base64, into the text */
    rp_view hash;
};

/* CORRUPT for anything else. */
rp_err rp_phc_parse(rp_view text, struct rp_phc *ret_phc);

#endif
