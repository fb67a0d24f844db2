/* literals.c — the prefilter's bytes: where its parts lie, the proof that they stay inside, and
 * what they say of one rule. */
#include "shield/literals.h"

#include "base/checked.h"
#include "shield/literals_format.h"

struct rp_literals rp_literals_at(const struct rp_literals_head *head, const void *bytes) {
    const uint8_t *start = bytes;
    struct rp_literals l = {.head = bytes};
    size_t at = sizeof *head;
    l.always = (const void *)(start + at);
    at += head->words * sizeof *l.always;
    l.rows = (const void *)(start + at);
    at += (size_t)head->rows * head->words * sizeof *l.rows;
    l.begins = (const void *)(start + at);
    at += RP_LITERALS_BEGIN_WORDS * sizeof *l.begins;
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
    return refs_fit(l, entry->refs, entry->ref_count) && entry->text <= l->head->text_bytes &&
           entry->length <= l->head->text_bytes - entry->text && entry->length >= 2 &&
           entry->anchor < entry->length && entry->back <= entry->anchor &&
           entry->back <= RP_LITERALS_PROBE;
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

/* ---- what one rule waits for ---- */

static bool is_rule_of(const struct rp_literals *l, const struct rp_literals_entry *entry,
                       unsigned rule) {
    for (uint32_t i = 0; i < entry->ref_count; i++) {
        if (l->refs[entry->refs + i] == rule) {
            return true;
        }
    }
    return false;
}

static bool has_rule(const uint64_t *bits, unsigned rule) {
    return bits[rule / 64] >> rule % 64 & 1;
}

void rp_literals_of_rule(rp_view set, unsigned rule, void (*each)(void *ctx, rp_view literal),
                         void *ctx, struct rp_byte_set *ret_bytes, bool *ret_always) {
    struct rp_literals l = rp_literals_at((const void *)set.p, set.p);
    for (uint32_t i = 0; i < l.head->entries; i++) {
        const struct rp_literals_entry *entry = &l.entries[i];
        if (is_rule_of(&l, entry, rule)) {
            each(ctx, rp_view_of(l.texts + entry->text, entry->length));
        }
    }
    *ret_bytes = (struct rp_byte_set){{0}};
    for (size_t byte = 0; byte < 256; byte++) {
        size_t row = (size_t)l.head->row_of[byte] * l.head->words;
        if ((l.head->bytes.bits[byte / 64] >> byte % 64 & 1) && has_rule(l.rows + row, rule)) {
            ret_bytes->bits[byte / 64] |= UINT64_C(1) << byte % 64;
        }
    }
    *ret_always = has_rule(l.always, rule);
}
