/* ip_table.c — networks and addresses: short lists read each time, long ones as a sorted table.
 *
 * A table is ranges, sorted, apart from each other: first and last address of each, 128 bits big
 * endian as two numbers. IPv4 stands among them as IPv4-mapped IPv6 (wire/ip.h). A search halves
 * 100,000 entries 17 times.
 */
#include <stdlib.h>

#include "base/checked.h"
#include "shield/operators.h"
#include "wire/ip.h"

enum { MAGIC = 0x31544950, NETWORKS_MAX = 1 << 22 }; /* "PIT1" */

struct head {
    uint32_t magic, count;
};

struct address {
    uint64_t high, low;
};

struct range {
    struct address first, last;
};
_Static_assert(sizeof(struct range) == 32, "no gaps");

static uint64_t big_endian(const uint8_t bytes[static 8]) {
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static struct address address_of(const struct rp_ip *ip) {
    return (struct address){big_endian(ip->b), big_endian(ip->b + 8)};
}

static int compare(struct address a, struct address b) {
    if (a.high != b.high) {
        return a.high < b.high ? -1 : 1;
    }
    return a.low < b.low ? -1 : a.low > b.low ? 1 : 0;
}

/* A network as ModSecurity takes it: bits beyond the prefix may be set, and do not count. */
static bool read_network(rp_view text, struct range *ret_range) {
    rp_view prefix = rp_view_trim(text);
    rp_view host = rp_view_cut(&prefix, '/');
    struct rp_ip ip;
    if (!rp_ok(rp_ip_parse(host, &ip))) {
        return false;
    }
    unsigned before = rp_view_find_byte(host, ':') == host.n ? RP_IP_V4_BITS : 0;
    uint64_t bits = 128 - before;
    if (prefix.p != NULL && !rp_view_to_u64(prefix, 128 - before, &bits)) {
        return false;
    }
    bits += before;
    struct address a = address_of(&ip);
    uint64_t high = bits >= 64 ? 0 : UINT64_MAX >> bits;
    uint64_t low = bits >= 128 ? 0 : bits <= 64 ? UINT64_MAX : UINT64_MAX >> (bits - 64);
    ret_range->first = (struct address){a.high & ~high, a.low & ~low};
    ret_range->last = (struct address){a.high | high, a.low | low};
    return true;
}

bool rp_op_ip_match(rp_view list, rp_view address) {
    struct rp_ip ip;
    if (!rp_ok(rp_ip_parse(address, &ip))) {
        return false;
    }
    struct address asked = address_of(&ip);
    while (list.p != NULL && list.n > 0) {
        rp_view part = rp_view_cut(&list, ',');
        struct range range;
        if (read_network(part, &range) && compare(range.first, asked) <= 0 &&
            compare(asked, range.last) <= 0) {
            return true;
        }
    }
    return false;
}

/* ---- the table ---- */

static int by_first(const void *a, const void *b) {
    const struct range *left = a;
    const struct range *right = b;
    return compare(left->first, right->first);
}

/* One that begins within the one before, or right after it, joins it. */
static bool joins(const struct range *before, const struct range *next) {
    struct address after = {before->last.high + (before->last.low == UINT64_MAX ? 1 : 0),
                            before->last.low + 1};
    bool wraps = after.high == 0 && after.low == 0;
    return wraps || compare(next->first, after) <= 0;
}

static size_t merge(struct range *ranges, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (n > 0 && joins(&ranges[n - 1], &ranges[i])) {
            if (compare(ranges[i].last, ranges[n - 1].last) > 0) {
                ranges[n - 1].last = ranges[i].last;
            }
        } else {
            ranges[n++] = ranges[i];
        }
    }
    return n;
}

rp_err rp_ip_table_build(const rp_view *networks, size_t count, struct rp_arena *scratch,
                         struct rp_buf *out, struct rp_diag *diag) {
    struct range *ranges =
        count <= NETWORKS_MAX ? rp_arena_array(scratch, count, sizeof *ranges) : NULL;
    if (ranges == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_network(networks[i], &ranges[i])) {
            return rp_fail(diag, RP_ERR(INVALID),
                           "entry %zu, \"%.*s\", is no address or network; expected one like "
                           "192.0.2.0/24 or 2001:db8::/32",
                           i + 1, RP_FMT(rp_view_sub(networks[i], 0, 60)));
        }
    }
    qsort(ranges, count, sizeof *ranges, by_first);
    struct head head = {MAGIC, (uint32_t)merge(ranges, count)};
    while (out->n % 8 != 0 && !out->failed) {
        rp_buf_add_byte(out, 0);
    }
    rp_buf_add(out, rp_view_of(&head, sizeof head));
    rp_buf_add(out, rp_view_of(ranges, head.count * sizeof *ranges));
    return rp_buf_err(out);
}

static const struct range *ranges_of(rp_view table) {
    return (const void *)(table.p + sizeof(struct head));
}

bool rp_ip_table_check(rp_view table) {
    if (table.p == NULL || table.n < sizeof(struct head) ||
        (uintptr_t)table.p % _Alignof(struct range) != 0) {
        return false;
    }
    struct head head;
    memcpy(&head, table.p, sizeof head);
    if (head.magic != MAGIC || head.count > NETWORKS_MAX ||
        table.n != sizeof head + head.count * sizeof(struct range)) {
        return false;
    }
    const struct range *ranges = ranges_of(table);
    bool sorted = true;
    for (uint32_t i = 0; sorted && i < head.count; i++) {
        sorted = compare(ranges[i].first, ranges[i].last) <= 0 &&
                 (i == 0 || compare(ranges[i - 1].last, ranges[i].first) < 0);
    }
    return sorted;
}

bool rp_ip_table_find(rp_view table, rp_view address) {
    struct rp_ip ip;
    if (!rp_ok(rp_ip_parse(address, &ip))) {
        return false;
    }
    struct address asked = address_of(&ip);
    const struct range *ranges = ranges_of(table);
    size_t low = 0;
    size_t high = (table.n - sizeof(struct head)) / sizeof *ranges;
    while (low < high) { /* the first range that ends at or after the address lies in between */
        size_t middle = low + (high - low) / 2;
        if (compare(ranges[middle].last, asked) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < (table.n - sizeof(struct head)) / sizeof *ranges &&
           compare(ranges[low].first, asked) <= 0;
}
