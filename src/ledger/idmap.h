/* idmap.h — a number for each id: the last sequence of a stream, the size of a tenant's tree.
 *
 * Open addressing over random ids, so their first bytes are the hash. Grows by doubling up to the
 * maximum named at its birth; nothing is ever removed.
 */
#ifndef RP_LEDGER_IDMAP_H
#define RP_LEDGER_IDMAP_H

#include "base/err.h"
#include "base/id.h"

struct rp_idmap {
    struct rp_idmap_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    size_t max;
};
struct rp_idmap_slot {
    rp_id id; /* none = empty */
    uint64_t value;
};

struct rp_idmap rp_idmap_new(size_t max);
void rp_idmap_done(struct rp_idmap *map);
/* 0 for an id that was never set. */
uint64_t rp_idmap_get(const struct rp_idmap *map, rp_id id);
/* TOO_LARGE past the maximum, NO_MEMORY; the map is as it was. id is not none. */
rp_err rp_idmap_set(struct rp_idmap *map, rp_id id, uint64_t value);
/* Keeps the memory. */
void rp_idmap_clear(struct rp_idmap *map);

#endif
