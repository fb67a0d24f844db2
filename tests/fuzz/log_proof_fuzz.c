/* Proofs from a stranger: raw hashes against the checks of the Merkle tree, and a whole
 * .tlog-proof.
 *
 * Raw: index, size and the other size (8 bytes each), root, root, then hashes. A proof that is
 * accepted is refused with one hash less, or with a bit of its root changed. */
#include "crypto/secret.h"
#include "fuzz.h"
#include "ledger/read_io.h"

enum { FIXED = 3 * 8 + 2 * RP_SHA256 };

static uint64_t get(const uint8_t *p) {
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static void raw(const uint8_t *data, size_t n) {
    rp_hash a, b, proof[RP_MERKLE_PROOF_MAX] = {0};
    size_t count = (n - FIXED) / RP_SHA256;
    count = count > RP_MERKLE_PROOF_MAX ? RP_MERKLE_PROOF_MAX : count;
    uint64_t x = get(data), y = get(data + 8), z = get(data + 16);
    memcpy(a.b, data + 24, RP_SHA256);
    memcpy(b.b, data + 24 + RP_SHA256, RP_SHA256);
    memcpy(proof, data + FIXED, count * RP_SHA256);
    rp_hash other = b;
    other.b[x % RP_SHA256] ^= 1;
    if (rp_ok(rp_merkle_check_inclusion(&a, x, y, proof, count, &b))) {
        FUZZ_CHECK(!rp_ok(rp_merkle_check_inclusion(&a, x, y, proof, count, &other)));
        FUZZ_CHECK(count == 0 || !rp_ok(rp_merkle_check_inclusion(&a, x, y, proof, count - 1, &b)));
    }
    if (rp_ok(rp_merkle_check_consistency(x, &a, y, &b, proof, count))) {
        FUZZ_CHECK(!rp_ok(rp_merkle_check_consistency(x, &a, y, &other, proof, count)));
    }
    if (rp_ok(rp_merkle_check_subtree(x, y, z, &a, &b, proof, count)) && x < y) {
        FUZZ_CHECK(!rp_ok(rp_merkle_check_subtree(x, y, z, &a, &other, proof, count)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    FUZZ_CHECK(rp_ok(rp_crypto_start()));
    if (n >= FIXED) {
        raw(data, n);
    }
    rp_view proof = rp_view_of(data, n);
    rp_view key = rp_view_cut(&proof, '\n');
    if (proof.p && rp_ok(rp_verify_proof(proof, RP_VIEW("entry 2"), key, NULL))) {
        FUZZ_CHECK(!rp_ok(rp_verify_proof(proof, RP_VIEW("entry 3"), key, NULL)));
    }
    return 0;
}
