/* literals_scan.c — one pass over a value: which literals stand in it?
 *
 * The value is copied into a window in lower case, with zeros before and behind it, so that the
 * pass reads words of it without asking where it ends. What stands over an end is found by its
 * probe and refused when it is compared whole.
 */
#include <string.h>

#include "base/checked.h"
#include "shield/literals.h"
#include "shield/literals_format.h"

enum { BEFORE = 16, WINDOW = 1024, AFTER = 32 };

struct window {
    uint8_t bytes[BEFORE + WINDOW + AFTER];
};

static void set_refs(const struct rp_literals *l, const struct rp_literals_entry *entry,
                     uint64_t *bits) {
    for (uint32_t i = 0; i < entry->ref_count; i++) {
        uint16_t rule = l->refs[entry->refs + i];
        bits[rule >> 6] |= UINT64_C(1) << (rule & 63);
    }
}

static uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

/* All of a literal whose probe fits, with its anchor at `at`. */
static bool stands_at(const struct rp_literals *l, const struct rp_literals_entry *entry,
                      rp_view value, size_t at) {
    if (at < entry->anchor || value.n - (at - entry->anchor) < entry->length) {
        return false;
    }
    const uint8_t *text = l->texts + entry->text, *here = value.p + (at - entry->anchor);
    for (size_t i = 0; entry->length > RP_LITERALS_PROBE && i < entry->length; i++) {
        if (lower(here[i]) != text[i]) {
            return false;
        }
    }
    return true;
}

/* The literals of a key's bucket that stand at `at`, which is `here` in the window. */
static void __attribute__((noinline))
look_up(const struct rp_literals *l, uint32_t bucket, const uint8_t *here, rp_view value, size_t at,
        uint64_t *bits) {
    for (uint32_t i = l->buckets[bucket]; i < l->buckets[bucket + 1]; i++) {
        const struct rp_literals_entry *entry = &l->entries[i];
        uint64_t word;
        memcpy(&word, here - entry->back, sizeof word);
        if ((word & entry->mask) == entry->probe && stands_at(l, entry, value, at)) {
            set_refs(l, entry, bits);
        }
    }
}

/* The window's text from `first` on: `n` places where an anchor may stand, and what is around. */
static void fill(struct window *window, rp_view value, size_t first, size_t n) {
    size_t before = RP_MIN(first, (size_t)BEFORE);
    size_t after = RP_MIN(value.n - first - n, (size_t)AFTER);
    uint8_t *start = window->bytes + BEFORE;
    memset(window->bytes, 0, BEFORE);
    memcpy(start - before, value.p + first - before, before + n + after);
    memset(start + n + after, 0, AFTER - after);
    size_t end = BEFORE + n + AFTER;
    for (size_t i = BEFORE - before; i + sizeof(uint64_t) <= end; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, window->bytes + i, sizeof word);
        word = rp_lower_word(word);
        memcpy(window->bytes + i, &word, sizeof word);
    }
}

static void pass_over(const struct rp_literals *l, const struct window *window, rp_view value,
                      size_t first, size_t n, uint64_t *bits) {
    const uint64_t *begins = l->begins, *map = l->map;
    const struct rp_literals_head head = {.map_bits = l->head->map_bits};
    for (size_t i = 0; i < n; i++) {
        const uint8_t *here = window->bytes + BEFORE + i;
        uint16_t pair;
        memcpy(&pair, here, sizeof pair);
        if ((begins[pair >> 6] >> (pair & 63) & 1) == 0) {
            continue;
        }
        uint32_t two = rp_literals_bit(&head, pair | RP_LITERALS_PAIR);
        uint32_t three = rp_literals_bit(&head, pair | (uint32_t)here[2] << 16);
        if (__builtin_expect(map[two >> 6] >> (two & 63) & 1, 0)) {
            look_up(l, two / 32, here, value, first + i, bits);
        }
        if (__builtin_expect(map[three >> 6] >> (three & 63) & 1, 0)) {
            look_up(l, three / 32, here, value, first + i, bits);
        }
    }
}

/* The rules for which a byte of the value is enough. */
void rp_literals_look_at_bytes(const struct rp_literals *l, const struct rp_byte_set *present,
                               uint64_t *bits) {
    uint32_t words = l->head->words;
    uint64_t rows_seen = 0; /* of the first 64: bytes of a kind share a row */
    for (size_t word = 0; word < RP_COUNT_OF(present->bits); word++) {
        uint64_t left = present->bits[word] & l->head->bytes.bits[word];
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

void rp_literals_look(const struct rp_literals *l, rp_view value, const struct rp_byte_set *present,
                      uint64_t *bits) {
    struct window window __attribute__((uninitialized)); /* fill() writes what is read */
    for (uint32_t word = 0; word < l->head->words; word++) {
        bits[word] |= l->always[word];
    }
    rp_literals_look_at_bytes(l, present, bits);
    for (size_t first = 0; first < value.n; first += WINDOW) {
        size_t n = RP_MIN(value.n - first, (size_t)WINDOW);
        fill(&window, value, first, n);
        pass_over(l, &window, value, first, n, bits);
    }
}

void rp_literals_scan(rp_view set, rp_view value, const struct rp_byte_set *present,
                      uint64_t *bits) {
    struct rp_literals l = rp_literals_at((const void *)set.p, set.p);
    rp_literals_look(&l, value, present, bits);
}
