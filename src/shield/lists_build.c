/* lists_build.c — entries as they stand in the database, to the table that workers map. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "shield/lists_format.h"

enum { TEXT_BYTES_MAX = RP_LIST_RULES_MAX * 2 * (3 * RP_LIST_TEXT_MAX + RP_LIST_METHOD_MAX) };

struct range {
    struct lists_address first, last;
    int64_t expires_s;
};

struct side {
    struct range *ranges;
    size_t range_count;
    struct lists_rule rules[RP_LIST_RULES_MAX];
    size_t rule_count;
};

struct rp_lists_builder {
    struct rp_arena *arena;
    size_t count, max;
    struct side sides[RP_LIST_ACTION_COUNT];
    uint8_t texts[TEXT_BYTES_MAX];
    uint32_t text_bytes;
};

struct rp_lists_builder *rp_lists_builder_new(struct rp_arena *arena, size_t count) {
    struct rp_lists_builder *builder = rp_arena_alloc(arena, sizeof *builder);
    if (!builder) {
        return NULL;
    }
    builder->arena = arena;
    builder->max = RP_MIN(count, (size_t)RP_LIST_ENTRIES_MAX);
    for (unsigned i = 0; i < RP_LIST_ACTION_COUNT; i++) {
        struct side *side = &builder->sides[i];
        side->ranges = rp_arena_array(arena, builder->max, sizeof *side->ranges);
        if (!side->ranges) {
            return NULL;
        }
    }
    return builder;
}

/* ---- one entry ---- */

static struct range range_of(const struct rp_list_entry *entry) {
    if (entry->any_address) {
        return (struct range){{0, 0}, {UINT64_MAX, UINT64_MAX}, entry->expires_s};
    }
    RP_ASSERT(entry->network.bits <= 128);
    unsigned bits = entry->network.bits;
    struct lists_address a = lists_address_of(&entry->network.ip);
    uint64_t high = bits >= 64 ? 0 : UINT64_MAX >> bits;
    uint64_t low = bits >= 128 ? 0 : bits <= 64 ? UINT64_MAX : UINT64_MAX >> (bits - 64);
    return (struct range){
        {a.high & ~high, a.low & ~low}, {a.high | high, a.low | low}, entry->expires_s};
}

static uint32_t keep_text(struct rp_lists_builder *builder, rp_view text) {
    uint32_t at = builder->text_bytes;
    RP_ASSERT(text.n <= sizeof builder->texts - at);
    if (text.n > 0) {
        memcpy(builder->texts + at, text.p, text.n);
    }
    builder->text_bytes += (uint32_t)text.n;
    return at;
}

static void add_rule(struct rp_lists_builder *builder, struct side *side,
                     const struct rp_list_entry *entry) {
    struct range range = range_of(entry);
    side->rules[side->rule_count++] =
        (struct lists_rule){.first = range.first,
                            .last = range.last,
                            .expires_s = range.expires_s,
                            .path_at = keep_text(builder, entry->path),
                            .path_n = (uint16_t)entry->path.n,
                            .method_at = keep_text(builder, entry->method),
                            .method_n = (uint16_t)entry->method.n,
                            .header_at = keep_text(builder, entry->header),
                            .header_n = (uint16_t)entry->header.n,
                            .value_at = keep_text(builder, entry->value),
                            .value_n = (uint16_t)entry->value.n};
}

bool rp_list_entry_is_network(const struct rp_list_entry *entry) {
    return entry->path.n == 0 && entry->method.n == 0 && entry->header.n == 0;
}

rp_err rp_lists_add(struct rp_lists_builder *builder, const struct rp_list_entry *entry) {
    RP_ASSERT(entry->action < RP_LIST_ACTION_COUNT);
    RP_TRY(rp_list_entry_check(entry, NULL));
    struct side *side = &builder->sides[entry->action];
    bool network = rp_list_entry_is_network(entry);
    if (builder->count == builder->max || (!network && side->rule_count == RP_LIST_RULES_MAX)) {
        return RP_ERR(TOO_LARGE);
    }
    builder->count++;
    if (network) {
        side->ranges[side->range_count++] = range_of(entry);
    } else {
        add_rule(builder, side, entry);
    }
    return RP_OK;
}

/* ---- networks to ranges that lie apart ---- */

/* The wider one first, so that whatever lies within another comes after it. */
static int by_place(const void *a, const void *b) {
    const struct range *left = a, *right = b;
    int first = lists_compare(left->first, right->first);
    return first != 0 ? first : lists_compare(right->last, left->last);
}

static int64_t later(int64_t a, int64_t b) {
    return a == 0 || b == 0 ? 0 : RP_MAX(a, b);
}

struct flat {
    struct range *ranges;
    size_t count;
};

static struct lists_address next_of(struct lists_address a) {
    return (struct lists_address){a.high + (a.low == UINT64_MAX ? 1 : 0), a.low + 1};
}

static struct lists_address before(struct lists_address a) {
    return (struct lists_address){a.high - (a.low == 0 ? 1 : 0), a.low - 1};
}

/* What touches the range before and ends with it is one with it. */
static void put(struct flat *flat, struct lists_address first, struct lists_address last,
                int64_t expires_s) {
    struct range *end = flat->count > 0 ? &flat->ranges[flat->count - 1] : NULL;
    if (end && end->expires_s == expires_s && lists_compare(next_of(end->last), first) == 0) {
        end->last = last;
    } else {
        flat->ranges[flat->count++] = (struct range){first, last, expires_s};
    }
}

/* Networks lie within each other or apart, so a stack of those that are open at an address is
 * enough: at most one for each length of a prefix, once equal ones are one. Where several hold an
 * address, the one that lasts longest counts. */
static void flatten(struct side *side, struct flat *flat) {
    struct range open[130];
    size_t depth = 0;
    struct lists_address at = {0, 0}; /* everything before is said */
    qsort(side->ranges, side->range_count, sizeof *side->ranges, by_place);
    for (size_t i = 0; i <= side->range_count; i++) {
        const struct range *next = i < side->range_count ? &side->ranges[i] : NULL;
        while (depth > 0 && (!next || lists_compare(open[depth - 1].last, next->first) < 0)) {
            const struct range *top = &open[--depth];
            if (lists_compare(at, top->last) <= 0) {
                put(flat, at, top->last, top->expires_s);
                at = next_of(top->last);
            }
            if (at.high == 0 && at.low == 0) {
                return; /* the last address of all is said */
            }
        }
        if (!next) {
            return;
        }
        if (depth > 0 && lists_compare(at, next->first) < 0) {
            put(flat, at, before(next->first), open[depth - 1].expires_s);
        }
        at = next->first;
        struct range *top = depth > 0 ? &open[depth - 1] : NULL;
        if (top && lists_compare(top->first, next->first) == 0 &&
            lists_compare(top->last, next->last) == 0) {
            top->expires_s = later(top->expires_s, next->expires_s);
        } else {
            RP_ASSERT(depth < RP_COUNT_OF(open));
            int64_t expires_s = top ? later(top->expires_s, next->expires_s) : next->expires_s;
            open[depth++] = (struct range){next->first, next->last, expires_s};
        }
    }
}

/* ---- the table ---- */

static void add_ranges(struct rp_buf *out, const struct flat *flat) {
    size_t bytes = flat->count * sizeof(struct lists_address);
    uint8_t *last = rp_buf_extend(out, bytes);
    size_t last_at = out->n - bytes;
    uint8_t *first = last ? rp_buf_extend(out, bytes) : NULL;
    size_t first_at = out->n - bytes;
    uint8_t *expires = first ? rp_buf_extend(out, flat->count * sizeof(int64_t)) : NULL;
    if (!expires) {
        return;
    }
    /* Extending may have moved what stood there. */
    last = out->p + last_at;
    first = out->p + first_at;
    for (size_t i = 0; i < flat->count; i++) {
        memcpy(last + i * sizeof(struct lists_address), &flat->ranges[i].last,
               sizeof(struct lists_address));
        memcpy(first + i * sizeof(struct lists_address), &flat->ranges[i].first,
               sizeof(struct lists_address));
        memcpy(expires + i * sizeof(int64_t), &flat->ranges[i].expires_s, sizeof(int64_t));
    }
}

rp_err rp_lists_finish(struct rp_lists_builder *builder, uint64_t generation, struct rp_buf *out) {
    RP_ASSERT(out->n == 0);
    struct lists_head head = {.magic = RP_LISTS_MAGIC,
                              .version = RP_LISTS_VERSION,
                              .generation = generation,
                              .text_bytes = builder->text_bytes};
    rp_buf_add(out, rp_view_of(&head, sizeof head));
    for (unsigned i = 0; i < RP_LIST_ACTION_COUNT; i++) {
        struct side *side = &builder->sides[i];
        struct flat flat = {.ranges = rp_arena_array(builder->arena, 2 * side->range_count + 1,
                                                     sizeof(struct range))};
        if (!flat.ranges) {
            return RP_ERR(NO_MEMORY);
        }
        flatten(side, &flat);
        head.ranges[i] = (uint32_t)flat.count;
        head.rules[i] = (uint32_t)side->rule_count;
        add_ranges(out, &flat);
    }
    for (unsigned i = 0; i < RP_LIST_ACTION_COUNT; i++) {
        const struct side *side = &builder->sides[i];
        rp_buf_add(out, rp_view_of(side->rules, side->rule_count * sizeof side->rules[0]));
    }
    rp_buf_add(out, rp_view_of(builder->texts, builder->text_bytes));
    RP_TRY(rp_buf_err(out));
    head.bytes = out->n;
    struct rp_sha256 sum = lists_checksum(&head, rp_view_from(rp_buf_view(out), sizeof head));
    memcpy(head.sha256, sum.b, sizeof head.sha256);
    memcpy(out->p, &head, sizeof head);
    return RP_OK;
}
