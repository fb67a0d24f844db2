/* messages.h — what core and the kms say to each other about leases, packed and unpacked in one
 * place (ipc/pack.h); assertions have their own file.
 *
 *   NEW_KEY    tenant                          → wrapped
 *   LEASE      tenant · wrapped                → lease (u64) · seconds (u32) · key
 *   LEASE_END  count (u16) · {lease · uses · reason (u8)}…   → nothing
 *   PUBLIC     nothing                         → key set · inventory
 */
#ifndef RP_KEYS_MESSAGES_H
#define RP_KEYS_MESSAGES_H

#include "ipc/pack.h"
#include "keys/lease_cache.h"

enum { RP_LEASE_REPORTS_MAX = 1024, RP_LEASE_REPORT_BYTES = 17 };

struct rp_lease_request {
    rp_id tenant;
    rp_view wrapped; /* into the message */
};

rp_err rp_lease_request_pack(const struct rp_lease_request *request, struct rp_buf *out);
rp_err rp_lease_request_unpack(rp_view message, struct rp_lease_request *ret_request);

struct rp_lease_reply {
    uint64_t lease;
    uint32_t seconds;
    rp_view key; /* into the message, which the reader wipes */
};

rp_err rp_lease_reply_pack(uint64_t lease, uint32_t seconds, const struct rp_secret *key,
                           struct rp_buf *out);
rp_err rp_lease_reply_unpack(rp_view message, struct rp_lease_reply *ret_reply);

rp_err rp_lease_reports_pack(const struct rp_lease_report *reports, size_t count,
                             struct rp_buf *out);
/* reports has RP_LEASE_REPORTS_MAX places. */
rp_err rp_lease_reports_unpack(rp_view message, struct rp_lease_report *reports, size_t *ret_count);

#endif
