/* lists_format.h — how run/lists.tab lies in memory; between lists.c and lists_build.c. */
#ifndef RP_SHIELD_LISTS_FORMAT_H
#define RP_SHIELD_LISTS_FORMAT_H

#include "crypto/hash.h"
#include "shield/lists.h"

enum { RP_LISTS_MAGIC = 0x534c5052 /* "RPLS" */, RP_LISTS_VERSION = 1 };

struct lists_head {
    uint32_t magic, version;
    uint64_t bytes, generation;
    uint8_t sha256[RP_SHA256]; /* of the head with zeros here, and of all that follows */
    uint32_t ranges[RP_LIST_ACTION_COUNT];
    uint32_t rules[RP_LIST_ACTION_COUNT];
    uint32_t text_bytes, reserved;
};
_Static_assert(sizeof(struct lists_head) == 80, "no gaps");

/* An address as a number. */
struct lists_address {
    uint64_t high, low;
};

/* Of each action: the last addresses of its ranges, which a search reads; then the first ones; then
 * until when each counts. */
struct lists_rule {
    struct lists_address first, last;
    int64_t expires_s; /* 0 = never */
    uint32_t path_at, method_at, header_at, value_at;
    uint16_t path_n, method_n, header_n, value_n;
};
_Static_assert(sizeof(struct lists_rule) == 64, "no gaps");

static inline int lists_compare(struct lists_address a, struct lists_address b) {
    if (a.high != b.high) {
        return a.high < b.high ? -1 : 1;
    }
    return a.low < b.low ? -1 : a.low > b.low ? 1 : 0;
}

struct lists_address lists_address_of(const struct rp_ip *ip);
struct rp_sha256 lists_checksum(const struct lists_head *head, rp_view rest);

#endif
