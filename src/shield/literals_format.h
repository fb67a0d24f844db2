/* literals_format.h — the prefilter's bytes; for literals*.c, and for who opens them once.
 *
 * Each literal is anchored at its rarest three bytes (two, when it has no more). One pass over the
 * value asks of every two bytes whether an anchor begins so, and where one does, looks the two and
 * the three up in a bit map; both maps stay in the first cache. Behind a set bit stands a bucket of
 * literals. Each has a probe, eight of its bytes, the anchor among them,
 * which one comparison holds against the value; what passes is compared whole.
 */
#ifndef RP_SHIELD_LITERALS_FORMAT_H
#define RP_SHIELD_LITERALS_FORMAT_H

#include "shield/transform.h"

enum {
    RP_LITERALS_MAGIC = 0x33544c50, /* "PLT3" */
    RP_LITERALS_RULES_MAX = 2048,
    RP_LITERALS_MAX = 1 << 18,
    RP_LITERAL_MAX = 255,
    RP_LITERALS_MAP_BITS_MIN = 12,
    RP_LITERALS_MAP_BITS_MAX = 18,
    RP_LITERALS_BEGIN_WORDS = 65536 / 64,
    RP_LITERALS_PAIR = 1 << 24, /* in the key of two bytes */
    RP_LITERALS_PROBE = 8,      /* bytes */
    RP_LITERALS_SHIFT = 14      /* of the key times the factor */
};
#define RP_LITERALS_FACTOR UINT32_C(0x9e3779b1)

/* Then follow, each aligned: always (words), rows × words, begins, map, entries, bucket starts
 * (2^map_bits / 32 + 1), refs (16 bits each), texts, and zeros up to 8. */
struct rp_literals_head {
    uint32_t magic, rules, words;
    uint32_t map_bits; /* of the bit map of anchors: 2^map_bits */
    uint32_t entries, rows, refs, text_bytes;
    struct rp_byte_set bytes; /* that any rule needs one of */
    uint8_t row_of[256];      /* by such a byte: the rules that it is enough for */
};
_Static_assert(sizeof(struct rp_literals_head) == 320, "no gaps, and what follows is aligned");

struct rp_literals_entry {
    uint64_t probe, mask; /* little-endian */
    uint32_t text;        /* where the literal begins */
    uint32_t refs;
    uint16_t ref_count, length, anchor;
    uint16_t back; /* the probe begins so many bytes before the anchor */
};
_Static_assert(sizeof(struct rp_literals_entry) == 32, "no gaps");

/* Pointers into the bytes. */
struct rp_literals {
    const struct rp_literals_head *head;
    const uint64_t *always, *rows, *begins, *map;
    const struct rp_literals_entry *entries;
    const uint32_t *buckets;
    const uint16_t *refs;
    const uint8_t *texts;
    size_t size; /* of all */
};
struct rp_literals rp_literals_at(const struct rp_literals_head *head, const void *bytes);

/* The scan, of a set that was looked at before: rp_literals_scan. */
void rp_literals_look(const struct rp_literals *l, rp_view value, const struct rp_byte_set *present,
                      uint64_t *bits);
/* Only the rules for which a byte is enough. */
void rp_literals_look_at_bytes(const struct rp_literals *l, const struct rp_byte_set *present,
                               uint64_t *bits);

/* The key of an anchor: its first byte is the lowest. Its bit in the map; 32 neighbours share a
 * bucket. */
static inline uint32_t rp_literals_bit(const struct rp_literals_head *head, uint32_t key) {
    return (key * RP_LITERALS_FACTOR) >> RP_LITERALS_SHIFT & ((UINT32_C(1) << head->map_bits) - 1);
}

#endif
