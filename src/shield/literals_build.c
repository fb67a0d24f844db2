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

struct set { /* a rule's set of bytes */
    struct rp_byte_set bytes;
    bool common;
    uint16_t rule;
};

struct builder {
    struct rp_literals_head head;
    struct item *items;
    struct set *sets;
    size_t item_count, set_count;
    uint64_t always[RP_LITERALS_RULES_MAX / 64];
    uint64_t *pair_map, *map;
    uint32_t *buckets;
    struct rp_literals_entry *entries;
    struct rp_literals_set *set_rows;
    uint16_t *refs;
    uint8_t *texts;
};

static uint32_t key_at(rp_view text, size_t at) {
    if (text.n == 2) {
        return (uint32_t)text.p[0] << 8 | text.p[1] | RP_LITERALS_PAIR;
    }
    return (uint32_t)text.p[at] << 16 | (uint32_t)text.p[at + 1] << 8 | text.p[at + 2];
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

static bool has_letter_or_digit(const struct rp_byte_set *set) {
    const uint64_t digits = UINT64_C(0x03ff000000000000);
    const uint64_t letters = UINT64_C(0x07fffffe07fffffe);
    return (set->bits[0] & digits) != 0 || (set->bits[1] & letters) != 0;
}

static void gather_rule(struct builder *b, const struct rp_needs *needs, uint16_t rule) {
    if (needs->always) {
        b->always[rule / 64] |= UINT64_C(1) << rule % 64;
    } else if (needs->literal_count == 0) {
        b->sets[b->set_count++] =
            (struct set){needs->bytes, has_letter_or_digit(&needs->bytes), rule};
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
    b->sets = rp_arena_array(scratch, rule_count, sizeof *b->sets);
    b->refs = rp_arena_array(scratch, items + rule_count, sizeof *b->refs);
    b->texts = rp_arena_alloc(scratch, bytes);
    b->entries = rp_arena_array(scratch, items, sizeof *b->entries);
    b->set_rows = rp_arena_array(scratch, rule_count, sizeof *b->set_rows);
    if (!b->items || !b->sets || !b->refs || !b->texts || !b->entries || !b->set_rows) {
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

static int by_bytes(const void *a, const void *b) {
    const struct set *left = a;
    const struct set *right = b;
    if (left->common != right->common) {
        return left->common ? 1 : -1;
    }
    for (size_t word = 0; word < RP_COUNT_OF(left->bytes.bits); word++) {
        if (left->bytes.bits[word] != right->bytes.bits[word]) {
            return left->bytes.bits[word] < right->bytes.bits[word] ? -1 : 1;
        }
    }
    return (int)left->rule - (int)right->rule;
}

/* A map of which about a sixteenth is set. */
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
    b->pair_map = rp_arena_array(scratch, RP_LITERALS_PAIR_WORDS, sizeof *b->pair_map);
    b->buckets = rp_arena_array(scratch, ((size_t)1 << bits) / 32 + 1, sizeof *b->buckets);
    if (!b->map || !b->pair_map || !b->buckets) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < b->item_count; i++) {
        struct item *item = &b->items[i];
        uint32_t hash = rp_literals_hash(item->key);
        item->bucket = hash >> (32 - (bits - 5));
        uint32_t bit = item->key & RP_LITERALS_PAIR ? item->key & 0xffff : hash >> (32 - bits);
        uint64_t *map = item->key & RP_LITERALS_PAIR ? b->pair_map : b->map;
        map[bit >> 6] |= UINT64_C(1) << (bit & 63);
    }
    qsort(b->items, b->item_count, sizeof *b->items, by_bucket_and_text);
    return RP_OK;
}

/* ---- rows ---- */

/* A literal that several rules need stands once. */
static void fill_entries(struct builder *b) {
    for (size_t i = 0; i < b->item_count; i++) {
        const struct item *item = &b->items[i];
        bool again = i > 0 && rp_view_equal(item[-1].text, item->text);
        if (!again) {
            b->entries[b->head.entries++] =
                (struct rp_literals_entry){.key = item->key,
                                           .text = b->head.text_bytes,
                                           .refs = b->head.refs,
                                           .length = (uint16_t)item->text.n,
                                           .anchor = item->anchor};
            memcpy(b->texts + b->head.text_bytes, item->text.p, item->text.n);
            b->head.text_bytes += (uint32_t)item->text.n;
            b->head.pairs += item->text.n == 2 ? 1 : 0;
            b->buckets[item->bucket + 1]++;
        }
        b->entries[b->head.entries - 1].ref_count++;
        b->refs[b->head.refs++] = item->rule;
    }
    for (size_t i = 0; i < ((size_t)1 << b->head.map_bits) / 32; i++) {
        b->buckets[i + 1] += b->buckets[i];
    }
}

static bool same_bytes(const struct rp_byte_set *a, const struct rp_byte_set *b) {
    return rp_view_equal(rp_view_of(a, sizeof *a), rp_view_of(b, sizeof *b));
}

static void fill_sets(struct builder *b) {
    qsort(b->sets, b->set_count, sizeof *b->sets, by_bytes);
    for (size_t i = 0; i < b->set_count; i++) {
        const struct set *set = &b->sets[i];
        if (i == 0 || !same_bytes(&set[-1].bytes, &set->bytes)) {
            b->set_rows[b->head.sets++] =
                (struct rp_literals_set){.bytes = set->bytes, .refs = b->head.refs};
            b->head.rare_sets += set->common ? 0 : 1;
        }
        for (size_t word = 0; !set->common && word < RP_COUNT_OF(set->bytes.bits); word++) {
            b->head.all_bytes.bits[word] |= set->bytes.bits[word];
        }
        b->set_rows[b->head.sets - 1].ref_count++;
        b->refs[b->head.refs++] = set->rule;
    }
}

static void write_all(const struct builder *b, struct rp_buf *out) {
    const struct rp_literals_head *head = &b->head;
    while (out->n % 8 != 0 && !out->failed) {
        rp_buf_add_byte(out, 0);
    }
    rp_buf_add(out, rp_view_of(head, sizeof *head));
    rp_buf_add(out, rp_view_of(b->always, head->words * sizeof *b->always));
    rp_buf_add(out, rp_view_of(b->pair_map, RP_LITERALS_PAIR_WORDS * sizeof *b->pair_map));
    rp_buf_add(out, rp_view_of(b->map, ((size_t)1 << head->map_bits) / 8));
    rp_buf_add(out, rp_view_of(b->entries, head->entries * sizeof *b->entries));
    rp_buf_add(out, rp_view_of(b->set_rows, head->sets * sizeof *b->set_rows));
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
    fill_sets(b);
    write_all(b, out);
    return rp_buf_err(out);
}
