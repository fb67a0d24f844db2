#include "shield/literals.h"

#include "base/checked.h"
#include "shield/literals_format.h"
#include "shield/transform_parts.h"

struct rp_literals rp_literals_at(const struct rp_literals_head *head, const void *bytes) {
    const uint8_t *start = bytes;
    struct rp_literals l = {.head = bytes};
    size_t at = sizeof *head;
    l.always = (const void *)(start + at);
    at += head->words * sizeof *l.always;
    l.rows = (const void *)(start + at);
    at += (size_t)head->rows * head->words * sizeof *l.rows;
    l.pair_map = (const void *)(start + at);
    at += RP_LITERALS_PAIR_WORDS * sizeof *l.pair_map;
    l.map = (const void *)(start + at);
    at += ((size_t)1 << head->map_bits) / 8;
    l.entries = (const void *)(start + at);
    at += head->entries * sizeof *l.entries;
    l.buckets = (const void *)(start + at);
    at += (((size_t)1 << head->map_bits) / 32 + 1) * sizeof *l.buckets;
    l.refs = (const void *)(start + at);
    at += head->refs * sizeof *l.refs;
    l.texts = start + at;
    at += head->text_bytes;
    l.size = (at + 7) & ~(size_t)7;
    return l;
}

/* ---- what the scan relies on, proven once ---- */

static bool refs_fit(const struct rp_literals *l, uint32_t first, uint32_t count) {
    return first <= l->head->refs && count <= l->head->refs - first;
}

static bool entry_fits(const struct rp_literals *l, const struct rp_literals_entry *entry) {
    uint32_t anchored = entry->key & RP_LITERALS_PAIR ? 2 : 3;
    return refs_fit(l, entry->refs, entry->ref_count) && entry->text <= l->head->text_bytes &&
           entry->length <= l->head->text_bytes - entry->text &&
           (uint32_t)entry->anchor + anchored <= entry->length;
}

static bool parts_fit(const struct rp_literals *l) {
    for (uint32_t i = 0; i < l->head->entries; i++) {
        if (!entry_fits(l, &l->entries[i])) {
            return false;
        }
    }
    for (size_t byte = 0; byte < 256; byte++) {
        if (l->head->row_of[byte] >= l->head->rows) {
            return false;
        }
    }
    for (uint32_t i = 0; i < l->head->refs; i++) {
        if (l->refs[i] >= l->head->rules) {
            return false;
        }
    }
    size_t buckets = ((size_t)1 << l->head->map_bits) / 32;
    for (size_t i = 0; i < buckets; i++) {
        if (l->buckets[i] > l->buckets[i + 1] || l->buckets[i + 1] > l->head->entries) {
            return false;
        }
    }
    return true;
}

/* No rule beyond the last. */
static bool words_fit(const struct rp_literals *l) {
    uint32_t last = l->head->rules % 64;
    for (size_t row = 0; last > 0 && row <= l->head->rows; row++) { /* always, then the rows */
        if (l->always[(row + 1) * l->head->words - 1] >> last != 0) {
            return false;
        }
    }
    return true;
}

bool rp_literals_check(rp_view set, size_t rule_count) {
    const struct rp_literals_head *head = (const void *)set.p;
    if (set.p == NULL || set.n < sizeof *head || (uintptr_t)set.p % _Alignof(uint64_t) != 0 ||
        head->magic != RP_LITERALS_MAGIC || head->rules != rule_count ||
        head->rules > RP_LITERALS_RULES_MAX || head->words != (head->rules + 63) / 64 ||
        head->map_bits < RP_LITERALS_MAP_BITS_MIN || head->map_bits > RP_LITERALS_MAP_BITS_MAX ||
        head->entries > RP_LITERALS_MAX || head->rows == 0 || head->rows > 256 ||
        head->refs > 16 * RP_LITERALS_MAX ||
        head->text_bytes > (uint32_t)RP_LITERALS_MAX * RP_LITERAL_MAX) {
        return false;
    }
    struct rp_literals l = rp_literals_at(head, set.p);
    return l.size == set.n && parts_fit(&l) && words_fit(&l);
}

/* ---- the scan ---- */

static const uint8_t lower[256] = {
#define EIGHT(n) (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7
    EIGHT(0),   EIGHT(8),   EIGHT(16),  EIGHT(24),  EIGHT(32),  EIGHT(40),  EIGHT(48),  EIGHT(56),
    64,         'a',        'b',        'c',        'd',        'e',        'f',        'g',
    'h',        'i',        'j',        'k',        'l',        'm',        'n',        'o',
    'p',        'q',        'r',        's',        't',        'u',        'v',        'w',
    'x',        'y',        'z',        91,         92,         93,         94,         95,
    EIGHT(96),  EIGHT(104), EIGHT(112), EIGHT(120), EIGHT(128), EIGHT(136), EIGHT(144), EIGHT(152),
    EIGHT(160), EIGHT(168), EIGHT(176), EIGHT(184), EIGHT(192), EIGHT(200), EIGHT(208), EIGHT(216),
    EIGHT(224), EIGHT(232), EIGHT(240), EIGHT(248),
#undef EIGHT
};

static void set_refs(const struct rp_literals *l, uint32_t first, uint32_t count, uint64_t *bits) {
    for (uint32_t i = first; i < first + count; i++) {
        bits[l->refs[i] >> 6] |= UINT64_C(1) << (l->refs[i] & 63);
    }
}

static bool stands_at(const struct rp_literals *l, const struct rp_literals_entry *entry,
                      rp_view value, size_t start) {
    const uint8_t *text = l->texts + entry->text;
    for (size_t i = 0; i < entry->length; i++) {
        if (lower[value.p[start + i]] != text[i]) {
            return false;
        }
    }
    return true;
}

/* The literals whose anchor is `key`, which stands at `at`. */
static void __attribute__((noinline))
compare(const struct rp_literals *l, uint32_t key, rp_view value, size_t at, uint64_t *bits) {
    uint32_t bucket = rp_literals_bit(l->head, key) / 32;
    for (uint32_t i = l->buckets[bucket]; i < l->buckets[bucket + 1]; i++) {
        const struct rp_literals_entry *entry = &l->entries[i];
        if (entry->key == key && at >= entry->anchor &&
            value.n - (at - entry->anchor) >= entry->length &&
            stands_at(l, entry, value, at - entry->anchor)) {
            set_refs(l, entry->refs, entry->ref_count, bits);
        }
    }
}

static void scan_text(const struct rp_literals *l, rp_view value, uint64_t *bits) {
    const uint64_t *map = l->map;
    const uint64_t *pair_map = l->pair_map;
    const struct rp_literals_head head = {.map_bits = l->head->map_bits};
    uint32_t key = 0;
    for (size_t i = 0; i < value.n; i++) {
        key = (key << 8 | lower[value.p[i]]) & 0xffffff;
        uint32_t pair = key & 0xffff;
        uint32_t three = rp_literals_bit(&head, key);
        /* The first keys are not full: a zero before the value is no byte of it. */
        if (__builtin_expect(pair_map[pair >> 6] >> (pair & 63) & 1, 0) && i >= 1) {
            compare(l, pair | RP_LITERALS_PAIR, value, i - 1, bits);
        }
        if (__builtin_expect(map[three >> 6] >> (three & 63) & 1, 0) && i >= 2) {
            compare(l, key, value, i - 2, bits);
        }
    }
}

/* The rules for which a byte of the value is enough. */
static void scan_bytes(const struct rp_literals *l, const struct rp_byte_set *present,
                       uint64_t *bits) {
    uint32_t words = l->head->words;
    for (size_t word = 0; word < RP_COUNT_OF(present->bits); word++) {
        uint64_t left = present->bits[word] & l->head->bytes.bits[word];
        uint64_t rows_seen = 0; /* of the first 64: neighbours share a row */
        for (; left != 0; left &= left - 1) {
            uint32_t row = l->head->row_of[word * 64 + (size_t)__builtin_ctzll(left)];
            if (row < 64 && (rows_seen >> row & 1)) {
                continue;
            }
            rows_seen |= row < 64 ? UINT64_C(1) << row : 0;
            const uint64_t *rules = l->rows + (size_t)row * words;
            for (uint32_t i = 0; i < words; i++) {
                bits[i] |= rules[i];
            }
        }
    }
}

void rp_literals_scan(rp_view set, rp_view value, const struct rp_byte_set *present,
                      uint64_t *bits) {
    struct rp_literals l = rp_literals_at((const void *)set.p, set.p);
    for (uint32_t word = 0; word < l.head->words; word++) {
        bits[word] |= l.always[word];
    }
    scan_bytes(&l, present, bits);
    scan_text(&l, value, bits);
}
