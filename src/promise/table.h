/* table.h — what the probes saw last, one shared table a probe role.
 *
 * run/probe.tab and run/hunt.tab: written by their role, mapped by core for the trust page. One
 * slot a part, named by its id, seqlocked. A missing table or a torn slot is "never observed",
 * which the page shows as stale. Pure: works on mapped memory.
 */
#ifndef RP_PROMISE_TABLE_H
#define RP_PROMISE_TABLE_H

#include "promise/promise.h"

enum { RP_PROMISE_SLOTS = 512, RP_PART_ID_MAX = 64 };

size_t rp_promise_table_bytes(void);
void rp_promise_table_init(void *table);
rp_err rp_promise_table_check(const void *table, size_t n);
rp_err rp_promise_table_put(void *table, const char *part_id, const struct rp_observation *seen);
/* NOT_FOUND when the part was never put. */
rp_err rp_promise_table_get(const void *table, const char *part_id,
                            struct rp_observation *ret_seen);

#endif
