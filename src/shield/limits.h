/* limits.h — how often somebody may ask: GCRA over one shared table.
 *
 * run/limits.tab: a line of header, then buckets of one cache line, eight slots of eight bytes: 24
 * bits that tell a key, 40 bits that say when its debt is paid (microseconds). A slot is read and
 * written by one compare-and-swap, so workers need no lock. A paid slot is free: nothing is ever
 * swept. A full bucket gives up the debt that is paid first: somebody is let off, nobody is shut
 * out for another, but for the two in a million whose 24 bits and bucket are the same.
 * Keys are SipHash under a salt of the table: nobody can aim at another's slot.
 *
 * Pure: works on mapped memory, time comes from outside and may jump. A debt further away than any
 * limit allows is no debt.
 */
#ifndef RP_SHIELD_LIMITS_H
#define RP_SHIELD_LIMITS_H

#include "base/err.h"

enum {
    RP_LIMITS_MAGIC = 0x544c5052, /* "RPLT" */
    RP_LIMITS_VERSION = 1,
    RP_LIMITS_SALT = 16,
    RP_LIMITS_BUCKETS = 240000, /* 15.4 MB for 1,920,000 slots */
    RP_LIMITS_RATE_MAX = 100000,
    RP_LIMITS_BURST_MAX = 1000000
};

/* Whom a limit counts; part of the key. */
enum rp_limit_kind {
    RP_LIMIT_ADDRESS,
    RP_LIMIT_NETWORK,
    RP_LIMIT_ROUTE,
    RP_LIMIT_SESSION,
    RP_LIMIT_TENANT,
    RP_LIMIT_STRANGERS, /* all of an application's who are not signed in, together */
    RP_LIMIT_KIND_COUNT
};

/* interval_us 0: no limit. */
struct rp_limit {
    uint32_t interval_us;  /* what one request costs */
    uint32_t tolerance_us; /* how much debt is allowed */
};

/* rate a second on the long run, burst at once; both at least 1. */
struct rp_limit rp_limit_of(uint64_t rate, uint64_t burst);

size_t rp_limits_bytes(void);
void rp_limits_init(void *table, const uint8_t salt[static RP_LIMITS_SALT]);
/* CORRUPT unless the mapping is a table of this version. */
rp_err rp_limits_check(const void *table, size_t n);

uint64_t rp_limits_key(const void *table, enum rp_limit_kind kind, rp_view who);
/* True, and the request counts; or false, it does not, and *ret_wait_ms says when the next may. */
bool rp_limits_take(void *table, uint64_t key, struct rp_limit limit, uint64_t now_us,
                    uint32_t *ret_wait_ms);

#endif
