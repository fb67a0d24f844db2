/* recovery.h — the code on the sheet of paper: 160 random bits, and a check against typing errors.
 *
 * Nine groups of four base32 letters, "ABCD-EFGH-…": 32 letters of the code, then four that are
 * the first 20 bits of its SHA-256. Reading forgives what hands do: lower case, spaces, missing
 * dashes, and 0, 1, 8 for O, I, B, which base32 does not have. Pure; fuzzed.
 */
#ifndef RP_KEYS_RECOVERY_H
#define RP_KEYS_RECOVERY_H

#include "crypto/secret.h"

enum { RP_RECOVERY_CODE = 20, RP_RECOVERY_TEXT = 9 * 4 + 8 };

/* Text of RP_RECOVERY_TEXT bytes. */
rp_err rp_recovery_print(const uint8_t code[static RP_RECOVERY_CODE], struct rp_buf *out);
/* INVALID when a letter is wrong, missing or too many; nothing is tried with such a code. */
rp_err rp_recovery_parse(rp_view text, uint8_t ret_code[static RP_RECOVERY_CODE]);

/* Exactly `count` base32 letters out of what was typed, forgiving as above; for shares as well. */
bool rp_recovery_letters(rp_view text, uint8_t *letters, size_t count);

#endif
