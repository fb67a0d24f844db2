/* literals_build.c — what rules need, gathered, sorted and written as the scan's flat bytes. */
#include <stdlib.h>

#include "base/checked.h"
#include "shield/literals.h"
#include "shield/literals_format.h"
#include "shield/needs.h"
#include "shield/transform_parts.h"

/* ---- phrases ---- */

rp_err rp_literals_of_phrases(const rp_view *phrases, size_t count, struct rp_arena *arena,
                              struct rp_needs *ret_needs) {
    enum { KEPT = 24 }; /* of a long phrase */
    rp_view *texts = rp_arena_array(arena, count, sizeof *texts);
    if (texts == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_byte_set bytes = {{0}};
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        bool ok = true;
        struct rp_part part = rp_part_text(arena, rp_view_sub(phrases[i], 0, KEPT), &ok);
        if (!ok) {
            return RP_ERR(TOO_LARGE);
        }
        texts[i] = part.prefix.p[0];
        least = RP_MIN(least, texts[i].n);
        uint8_t first = texts[i].n > 0 ? texts[i].p[0] : 0;
        bytes.bits[first >> 6] |= UINT64_C(1) << (first & 63);
        if (first >= 'a' && first <= 'z') {
            bytes.bits[1] |= UINT64_C(1) << ((first - 0x20) & 63);
        }
    }
    if (count == 0 || least == 0) {
        *ret_needs = (struct rp_needs){.always = true};
    } else if (least == 1) {
        *ret_needs = (struct rp_needs){.needs_byte = true, .bytes = bytes};
    } else {
        *ret_needs = (struct rp_needs){.literals = texts, .literal_count = count};
    }
    return RP_OK;
}

/* ---- gathering ---- */

struct item { /* a rule's literal; then its place among the buckets */
    rp_view text;
    uint32_t key, bucket;
    uint16_t rule, anchor;
};

struct builder {
    struct rp_literals_head head;
    struct item *items;
    size_t item_count;
    uint64_t *by_byte; /* 256 × words: the rules that a byte is enough for */
    uint64_t *rows;
    uint64_t always[RP_LITERALS_RULES_MAX / 64];
    uint64_t *begins, *map;
    uint32_t *buckets;
    struct rp_literals_entry *entries;
    uint16_t *refs;
    uint8_t *texts;
};

static uint32_t key_at(rp_view text, size_t at) {
    if (text.n == 2) {
        return text.p[0] | (uint32_t)text.p[1] << 8 | RP_LITERALS_PAIR;
    }
    return text.p[at] | (uint32_t)text.p[at + 1] << 8 | (uint32_t)text.p[at + 2] << 16;
}

/* The rarest three bytes, which few places of an ordinary value share. */
static uint16_t anchor_of(rp_view text) {
    size_t best = 0;
    unsigned best_rarity = 0;
    for (size_t at = 0; at + 3 <= text.n; at++) {
        unsigned rarity =
            rp_rarity(text.p[at]) + rp_rarity(text.p[at + 1]) + rp_rarity(text.p[at + 2]);
        if (rarity > best_rarity) {
            best = at;
            best_rarity = rarity;
        }
    }
    return (uint16_t)best;
}

static void gather_rule(struct builder *b, const struct rp_needs *needs, uint16_t rule) {
    if (needs->always) {
        b->always[rule / 64] |= UINT64_C(1) << rule % 64;
    } else if (needs->literal_count == 0) {
        for (size_t byte = 0; byte < 256; byte++) {
            bool enough = rp_byte_in(&needs->bytes, (uint8_t)byte);
            b->by_byte[byte * b->head.words + rule / 64] |= (uint64_t)enough << rule % 64;
        }
    }
    for (size_t i = 0; !needs->always && i < needs->literal_count; i++) {
        rp_view text = needs->literals[i];
        uint16_t anchor = anchor_of(text);
        b->items[b->item_count++] = (struct item){
            .text = text, .key = key_at(text, anchor), .rule = rule, .anchor = anchor};
    }
}

static rp_err count_items(const struct rp_needs *rules, size_t rule_count, size_t *ret_items,
                          size_t *ret_bytes) {
    size_t items = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < rule_count; i++) {
        for (size_t j = 0; j < rules[i].literal_count; j++) {
            if (rules[i].literals[j].n < 2) {
                return RP_ERR(INVALID);
            }
            if (rules[i].literals[j].n > RP_LITERAL_MAX) {
                return RP_ERR(TOO_LARGE);
            }
            bytes += rules[i].literals[j].n;
        }
        if (!rp_add(items, rules[i].literal_count, &items) || items > RP_LITERALS_MAX) {
            return RP_ERR(TOO_LARGE);
        }
    }
    *ret_items = items;
    *ret_bytes = bytes;
    return RP_OK;
}

static rp_err gather(struct builder *b, const struct rp_needs *rules, size_t rule_count,
                     struct rp_arena *scratch) {
    size_t items = 0;
    size_t bytes = 0;
    RP_TRY(count_items(rules, rule_count, &items, &bytes));
    b->items = rp_arena_array(scratch, items, sizeof *b->items);
    b->by_byte = rp_arena_array(scratch, 256 * (size_t)b->head.words, sizeof *b->by_byte);
    b->rows = rp_arena_array(scratch, 257 * (size_t)b->head.words, sizeof *b->rows);
    b->refs = rp_arena_array(scratch, items, sizeof *b->refs);
    b->texts = rp_arena_alloc(scratch, bytes);
    b->entries = rp_arena_array(scratch, items, sizeof *b->entries);
    if (!b->items || !b->by_byte || !b->rows || !b->refs || !b->texts || !b->entries) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < rule_count; i++) {
        gather_rule(b, &rules[i], (uint16_t)i);
    }
    return RP_OK;
}

/* ---- sorting ---- */

static int by_bucket_and_text(const void *a, const void *b) {
    const struct item *left = a;
    const struct item *right = b;
    if (left->bucket != right->bucket) {
        return left->bucket < right->bucket ? -1 : 1;
    }
    int order = rp_view_compare(left->text, right->text);
    return order != 0 ? order : (int)left->rule - (int)right->rule;
}

/* A map of which about a sixteenth is set: small enough for the first cache. */
static uint32_t map_bits_for(size_t items) {
    uint32_t bits = RP_LITERALS_MAP_BITS_MIN;
    while (bits < RP_LITERALS_MAP_BITS_MAX && ((size_t)1 << bits) < 16 * items) {
        bits++;
    }
    return bits;
}

static rp_err fill_maps(struct builder *b, struct rp_arena *scratch) {
    uint32_t bits = map_bits_for(b->item_count);
    b->head.map_bits = bits;
    b->map = rp_arena_alloc(scratch, ((size_t)1 << bits) / 8);
    b->begins = rp_arena_array(scratch, RP_LITERALS_BEGIN_WORDS, sizeof *b->begins);
    b->buckets = rp_arena_array(scratch, ((size_t)1 << bits) / 32 + 1, sizeof *b->buckets);
    if (!b->map || !b->begins || !b->buckets) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < b->item_count; i++) {
        struct item *item = &b->items[i];
        uint32_t bit = rp_literals_bit(&b->head, item->key);
        item->bucket = bit / 32;
        b->map[bit >> 6] |= UINT64_C(1) << (bit & 63);
        uint32_t pair = item->key & 0xffff;
        b->begins[pair >> 6] |= UINT64_C(1) << (pair & 63);
    }
    qsort(b->items, b->item_count, sizeof *b->items, by_bucket_and_text);
    return RP_OK;
}

/* ---- rows ---- */

/* From the anchor on, or as far before it as the literal's end demands. */
static struct rp_literals_entry entry_of(const struct item *item) {
    rp_view text = item->text;
    size_t n = RP_MIN(text.n, (size_t)RP_LITERALS_PROBE);
    size_t first = RP_MIN((size_t)item->anchor, text.n - n);
    struct rp_literals_entry entry = {.length = (uint16_t)text.n, .anchor = item->anchor};
    entry.back = (uint16_t)(item->anchor - first);
    for (size_t i = 0; i < n; i++) {
        entry.probe |= (uint64_t)text.p[first + i] << 8 * i;
        entry.mask |= (uint64_t)0xff << 8 * i;
    }
    return entry;
}

/* A literal that several rules need stands once. */
static void fill_entries(struct builder *b) {
    for (size_t i = 0; i < b->item_count; i++) {
        const struct item *item = &b->items[i];
        bool again = i > 0 && rp_view_equal(item[-1].text, item->text);
        if (!again) {
            struct rp_literals_entry entry = entry_of(item);
            entry.text = b->head.text_bytes;
            entry.refs = b->head.refs;
            b->entries[b->head.entries++] = entry;
            memcpy(b->texts + b->head.text_bytes, item->text.p, item->text.n);
            b->head.text_bytes += (uint32_t)item->text.n;
            b->buckets[item->bucket + 1]++;
        }
        b->entries[b->head.entries - 1].ref_count++;
        b->refs[b->head.refs++] = item->rule;
    }
    for (size_t i = 0; i < ((size_t)1 << b->head.map_bits) / 32; i++) {
        b->buckets[i + 1] += b->buckets[i];
    }
}

/* The row with the same rules; a new one when there is none yet. Row 0 is empty. */
static uint8_t row_for(struct builder *b, const uint64_t *rules) {
    size_t words = b->head.words;
    rp_view wanted = rp_view_of(rules, words * sizeof *rules);
    uint32_t row = 0;
    while (row < b->head.rows &&
           !rp_view_equal(rp_view_of(b->rows + row * words, wanted.n), wanted)) {
        row++;
    }
    if (row == b->head.rows) {
        memcpy(b->rows + row * words, rules, wanted.n);
        b->head.rows++;
    }
    return (uint8_t)row;
}

static rp_err fill_rows(struct builder *b) {
    b->head.rows = 1;
    for (size_t byte = 0; byte < 256; byte++) {
        uint8_t row = row_for(b, b->by_byte + byte * b->head.words);
        b->head.row_of[byte] = row;
        b->head.bytes.bits[byte >> 6] |= (uint64_t)(row != 0) << (byte & 63);
    }
    /* 256 rows that differ and the empty one would be one too many; sets that do not tell case
     * apart make 231 at most. */
    return b->head.rows > 256 ? RP_ERR(TOO_LARGE) : RP_OK;
}

static void write_all(const struct builder *b, struct rp_buf *out) {
    const struct rp_literals_head *head = &b->head;
    while (out->n % 8 != 0 && !out->failed) {
        rp_buf_add_byte(out, 0);
    }
    rp_buf_add(out, rp_view_of(head, sizeof *head));
    rp_buf_add(out, rp_view_of(b->always, head->words * sizeof *b->always));
    rp_buf_add(out, rp_view_of(b->rows, (size_t)head->rows * head->words * sizeof *b->rows));
    rp_buf_add(out, rp_view_of(b->begins, RP_LITERALS_BEGIN_WORDS * sizeof *b->begins));
    rp_buf_add(out, rp_view_of(b->map, ((size_t)1 << head->map_bits) / 8));
    rp_buf_add(out, rp_view_of(b->entries, head->entries * sizeof *b->entries));
    rp_buf_add(
        out, rp_view_of(b->buckets, (((size_t)1 << head->map_bits) / 32 + 1) * sizeof *b->buckets));
    rp_buf_add(out, rp_view_of(b->refs, head->refs * sizeof *b->refs));
    rp_buf_add(out, rp_view_of(b->texts, head->text_bytes));
    while (out->n % 8 != 0 && !out->failed) {
        rp_buf_add_byte(out, 0);
    }
}

rp_err rp_literals_build(const struct rp_needs *rules, size_t rule_count, struct rp_arena *scratch,
                         struct rp_buf *out) {
    if (rule_count > RP_LITERALS_RULES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    struct builder *b = rp_arena_alloc(scratch, sizeof *b);
    if (b == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    b->head.magic = RP_LITERALS_MAGIC;
    b->head.rules = (uint32_t)rule_count;
    b->head.words = (uint32_t)(rule_count + 63) / 64;
    RP_TRY(gather(b, rules, rule_count, scratch));
    RP_TRY(fill_maps(b, scratch));
    fill_entries(b);
    RP_TRY(fill_rows(b));
    write_all(b, out);
    return rp_buf_err(out);
}
