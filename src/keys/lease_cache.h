/* lease_cache.h — the keys that one thread of core holds right now, at most 1,024, each for at
 * most five minutes, the least used going first.
 *
 * A cached key belongs to one tenant and to one wrapped form of its key: another wrapped form (the
 * tenant has a new key) is another lease. What goes out of the cache is wiped and leaves its lease
 * id and count of uses to be reported.
 */
#ifndef RP_KEYS_LEASE_CACHE_H
#define RP_KEYS_LEASE_CACHE_H

#include "crypto/secret.h"
#include "keys/wrapped.h"

enum rp_lease_end { RP_LEASE_EXPIRED, RP_LEASE_EVICTED, RP_LEASE_CLOSED, RP_LEASE_END_COUNT };

/* What is reported of a lease that ended. */
struct rp_lease_report {
    uint64_t lease;
    uint64_t uses;
    enum rp_lease_end reason;
};

struct rp_lease_cache;

rp_err rp_lease_cache_new(size_t max, struct rp_lease_cache **ret_cache);
void rp_lease_cache_free(struct rp_lease_cache *cache); /* accepts NULL; wipes all */

/* The tenant's key while its lease runs, counted as one use; else NULL. */
const struct rp_secret *rp_lease_cache_get(struct rp_lease_cache *cache, rp_id tenant,
                                           rp_view wrapped, int64_t now_ms);
/* Takes the key. The cache is not full, and the tenant is not in it: make room first. */
void rp_lease_cache_put(struct rp_lease_cache *cache, rp_id tenant, rp_view wrapped, uint64_t lease,
                        int64_t until_ms, struct rp_secret *key);

/* Each takes one lease out, and wipes its key; false when there is none to take. */
bool rp_lease_cache_take_expired(struct rp_lease_cache *cache, int64_t now_ms,
                                 struct rp_lease_report *ret_report);
bool rp_lease_cache_take_tenant(struct rp_lease_cache *cache, rp_id tenant,
                                struct rp_lease_report *ret_report);
/* The one that was used longest ago. */
bool rp_lease_cache_take_oldest(struct rp_lease_cache *cache, enum rp_lease_end reason,
                                struct rp_lease_report *ret_report);

size_t rp_lease_cache_count(const struct rp_lease_cache *cache);
bool rp_lease_cache_is_full(const struct rp_lease_cache *cache);

#endif
