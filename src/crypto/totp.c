#include "crypto/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/assert.h"
#include "crypto/secret_bytes.h"

/* SHA-1 stands here and nowhere else: RFC 6238 as authenticator applications speak it. HMAC does
 * not lean on the collision resistance that SHA-1 has lost. */
void rp_totp_code(const struct rp_secret *key, uint64_t step, char ret_digits[static 6]) {
    uint8_t counter[8];
    for (size_t i = 0; i < sizeof counter; i++) {
        counter[i] = (uint8_t)(step >> (56 - 8 * i));
    }
    uint8_t mac[RP_SHA1];
    unsigned n = 0;
    rp_view k = rp_secret_view(key);
    const uint8_t *ok = HMAC(EVP_sha1(), k.p, (int)k.n, counter, sizeof counter, mac, &n);
    RP_ASSERT(ok != NULL);
    RP_ASSERT(n == sizeof mac);
    /* Dynamic truncation, RFC 4226 5.3. */
    size_t at = mac[RP_SHA1 - 1] & 0x0f;
    uint32_t code = ((uint32_t)(mac[at] & 0x7f) << 24) | ((uint32_t)mac[at + 1] << 16) |
                    ((uint32_t)mac[at + 2] << 8) | (uint32_t)mac[at + 3];
    for (size_t i = 6; i-- > 0; code /= 10) {
        ret_digits[i] = (char)('0' + code % 10);
    }
    rp_wipe(mac, sizeof mac);
}
