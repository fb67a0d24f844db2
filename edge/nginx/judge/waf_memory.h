/* waf_memory.h — what rules remember of an address beyond one request (IP:…, GLOBAL:…): a table of
 * fixed size in memory that all workers share. The caller holds its lock.
 *
 * Keys are known by their hash alone, so no address lies here. A value that is longer than a slot
 * is not kept. When the eight places of a key are taken, the one that expires first goes. Pure.
 */
#ifndef RP_EDGE_WAF_MEMORY_H
#define RP_EDGE_WAF_MEMORY_H

#include "base/err.h"

enum { JUDGE_MEMORY_SLOTS = 4096, JUDGE_MEMORY_VALUE_MAX = 104 };

struct judge_memory {
    struct {
        uint8_t key[16];
        int64_t expires_s; /* 0 = free */
        uint8_t length, value[JUDGE_MEMORY_VALUE_MAX - 1];
    } slots[JUDGE_MEMORY_SLOTS];
    bool held; /* something, ever: most rule sets only ask */
};

/* The view points into the table; NOT_FOUND. */
rp_err judge_memory_get(const struct judge_memory *memory, rp_view key, int64_t now_s,
                        rp_view *ret_value);
/* expires_s 0, or a value that is too long: forgets it. */
void judge_memory_put(struct judge_memory *memory, rp_view key, rp_view value, int64_t expires_s);

#endif
