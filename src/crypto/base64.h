/* base64.h — base64 without padding, as hash strings write it; digits by an alphabet of choice.
 *
 * Small and without memory of its own, so that this room need not lean on another for it.
 */
#ifndef RP_CRYPTO_BASE64_H
#define RP_CRYPTO_BASE64_H

#include "base/view.h"

/* What stands for 62 and 63. */
#define RP_BASE64_USUAL "+/"
#define RP_BASE64_PASSLIB "./"

/* False for a digit outside of the alphabet, stray bits at the end, or more than max bytes. */
bool rp_base64_bytes(rp_view text, const char *alphabet, uint8_t *out, size_t max, size_t *ret_n);

#endif
