/* leases.h — what the kms remembers of the keys it lent: which tenant's, and until when.
 *
 * Never the key: once lent, the kms holds nothing of it. A lease that its holder does not end runs
 * out by itself. Pure, bounded.
 */
#ifndef RP_KEYS_LEASES_H
#define RP_KEYS_LEASES_H

#include "base/err.h"
#include "base/id.h"

/* Room for every lease that core may hold, and for those of a core that died with as many. */
enum { RP_LEASE_TABLE_MAX = 4096 };

struct rp_lease {
    uint64_t id; /* never 0 */
    rp_id tenant;
    int64_t until_ms; /* monotonic */
};

struct rp_lease_table;

rp_err rp_lease_table_new(struct rp_lease_table **ret_table);
void rp_lease_table_free(struct rp_lease_table *table); /* accepts NULL */

/* OVERLOAD when the table is full, DUPLICATE for an id that is there. */
rp_err rp_lease_table_add(struct rp_lease_table *table, const struct rp_lease *lease);
bool rp_lease_table_has(const struct rp_lease_table *table, uint64_t id);
/* Forgets one. NOT_FOUND for one that is not there (any more). */
rp_err rp_lease_table_end(struct rp_lease_table *table, uint64_t id);
/* Takes out one whose time is over; false when there is none. */
bool rp_lease_table_expired(struct rp_lease_table *table, int64_t now_ms,
                            struct rp_lease *ret_lease);
size_t rp_lease_table_count(const struct rp_lease_table *table);

#endif
