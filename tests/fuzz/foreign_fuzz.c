/* A foreign hash that is read has bounded costs and parts within their arrays; it is ours or
 * theirs, never half of each. */
#include "crypto/foreign.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_foreign foreign;
    rp_err err = rp_foreign_parse(rp_view_of(data, n), &foreign);
    if (!rp_ok(err)) {
        FUZZ_CHECK(rp_is(err, RP_E_INVALID) || rp_is(err, RP_E_UNSUPPORTED) ||
                   rp_is(err, RP_E_TOO_LARGE));
        return 0;
    }
    FUZZ_CHECK(foreign.kind < RP_FOREIGN_COUNT && n < RP_FOREIGN_TEXT);
    FUZZ_CHECK(foreign.salt_n <= RP_FOREIGN_SALT && foreign.hash_n <= RP_FOREIGN_HASH);
    switch (foreign.kind) {
    case RP_FOREIGN_BCRYPT:
    case RP_FOREIGN_BCRYPT_SHA256:
        FUZZ_CHECK(foreign.text.n == 60 && foreign.cost <= RP_FOREIGN_BCRYPT_MAX);
        break;
    case RP_FOREIGN_PBKDF2_SHA1:
    case RP_FOREIGN_PBKDF2_SHA256:
    case RP_FOREIGN_PBKDF2_SHA512:
        FUZZ_CHECK(foreign.cost >= 1 && foreign.cost <= RP_FOREIGN_PBKDF2_MAX);
        FUZZ_CHECK(foreign.hash_n >= 16 && foreign.salt_n > 0);
        break;
    case RP_FOREIGN_SCRYPT:
        FUZZ_CHECK(foreign.cost * foreign.block * 128 <= (uint64_t)RP_FOREIGN_SCRYPT_MIB << 20);
        FUZZ_CHECK(foreign.lanes <= RP_FOREIGN_LANES_MAX && foreign.hash_n >= 16);
        break;
    case RP_FOREIGN_ARGON2I:
    case RP_FOREIGN_ARGON2ID:
        FUZZ_CHECK(foreign.cost <= (uint64_t)RP_FOREIGN_ARGON2_MIB * 1024);
        FUZZ_CHECK(foreign.cost * foreign.passes <= (uint64_t)RP_FOREIGN_ARGON2_WORK_MIB * 1024);
        FUZZ_CHECK(foreign.lanes <= RP_FOREIGN_LANES_MAX && foreign.text.n < RP_FOREIGN_TEXT);
        break;
    case RP_FOREIGN_COUNT:
        FUZZ_CHECK(false);
    }
    return 0;
}
