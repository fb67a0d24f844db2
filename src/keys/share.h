/* share.h — one share of what unseals the root, on a person's paper.
 *
 *   set (4) · threshold (1) · place (1) · bytes (32) · check (2) = 40 bytes, 64 base32 letters in
 *   sixteen groups of four
 *
 * The set names the split that it belongs to, so that a share of an earlier one is refused before
 * anything is tried; the check, the first two bytes of a SHA-256, finds typing errors. Reading
 * forgives what reading a recovery code forgives. Pure; fuzzed.
 */
#ifndef RP_KEYS_SHARE_H
#define RP_KEYS_SHARE_H

#include "keys/root.h"

enum { RP_SHARE_SET = 4, RP_SHARE_TEXT = 16 * 4 + 15 };

struct rp_share {
    uint8_t set[RP_SHARE_SET];
    uint8_t threshold, place;
    uint8_t bytes[RP_UNSEAL_KEY];
};

/* Text of RP_SHARE_TEXT bytes. */
rp_err rp_share_print(const struct rp_share *share, struct rp_buf *out);
/* INVALID when a letter is wrong, missing or too many. */
rp_err rp_share_parse(rp_view text, struct rp_share *ret_share);
/* The set that shares of this sealed root belong to. */
void rp_share_set(const struct rp_root_seal *seal, uint8_t ret_set[static RP_SHARE_SET]);

#endif
