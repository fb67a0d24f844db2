/* address_internal.h — what asking for another address (address_ask.c) and the links of its letters
 * (address_change.c) share.
 */
#ifndef RP_IDENTITY_ADDRESS_INTERNAL_H
#define RP_IDENTITY_ADDRESS_INTERNAL_H

#include "identity/address_change.h"
#include "identity/passkey_internal.h"

/* How long the former mailbox can undo a change. */
static const int64_t rp_address_stop_ms = (int64_t)7 * 24 * 3600 * 1000;

/* An address as it stands in a row. */
struct rp_sealed_address {
    uint8_t b[RP_SEALED_MAX];
    size_t n;
};

static inline rp_view rp_sealed_address_view(const struct rp_sealed_address *sealed) {
    return rp_view_of(sealed->b, sealed->n);
}

/* CORRUPT where there is none, or one that is too long. */
static inline rp_err rp_sealed_address_keep(rp_view from, struct rp_sealed_address *to) {
    if (from.n == 0 || from.n > sizeof to->b) {
        return RP_ERR(CORRUPT);
    }
    memcpy(to->b, from.p, from.n);
    to->n = from.n;
    return RP_OK;
}

/* An event of the change that says whose it is, and no more. */
rp_err rp_address_emit(struct rp_identity *identity, enum rp_event_kind kind, rp_id tenant,
                       rp_id person);

#endif
