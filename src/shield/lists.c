#include "shield/lists.h"

#include "base/assert.h"
#include "base/checked.h"
#include "shield/lists_format.h"

/* The parts of a table that was checked. */
struct parts {
    const struct lists_address *last[RP_LIST_ACTION_COUNT], *first[RP_LIST_ACTION_COUNT];
    const int64_t *expires_s[RP_LIST_ACTION_COUNT];
    const struct lists_rule *rules[RP_LIST_ACTION_COUNT];
    const uint8_t *texts;
};

static uint64_t big_endian(const uint8_t bytes[static 8]) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return __builtin_bswap64(value);
}

struct lists_address lists_address_of(const struct rp_ip *ip) {
    return (struct lists_address){big_endian(ip->b), big_endian(ip->b + 8)};
}

struct rp_sha256 lists_checksum(const struct lists_head *head, rp_view rest) {
    struct lists_head without = *head;
    memset(without.sha256, 0, sizeof without.sha256);
    return rp_sha256_of2(rp_view_of(&without, sizeof without), rest);
}

/* Where each part stands; the counts were checked. */
static struct parts parts_of(const struct lists_head *head) {
    struct parts parts;
    const uint8_t *at = (const uint8_t *)(head + 1);
    for (unsigned i = 0; i < RP_LIST_ACTION_COUNT; i++) {
        parts.last[i] = (const void *)at;
        at += head->ranges[i] * sizeof(struct lists_address);
        parts.first[i] = (const void *)at;
        at += head->ranges[i] * sizeof(struct lists_address);
        parts.expires_s[i] = (const void *)at;
        at += head->ranges[i] * sizeof(int64_t);
    }
    for (unsigned i = 0; i < RP_LIST_ACTION_COUNT; i++) {
        parts.rules[i] = (const void *)at;
        at += head->rules[i] * sizeof(struct lists_rule);
    }
    parts.texts = at;
    return parts;
}

/* ---- is it a table ---- */

static bool counts_are_good(const struct lists_head *head, size_t n) {
    uint64_t bytes = sizeof *head;
    for (unsigned i = 0; i < RP_LIST_ACTION_COUNT; i++) {
        /* Two ranges may come of one network that others lie within. */
        if (head->ranges[i] > 2 * RP_LIST_ENTRIES_MAX || head->rules[i] > RP_LIST_RULES_MAX) {
            return false;
        }
        bytes += head->ranges[i] * (2 * sizeof(struct lists_address) + sizeof(int64_t)) +
                 head->rules[i] * sizeof(struct lists_rule);
    }
    return head->reserved == 0 && bytes + head->text_bytes == n;
}

static bool ranges_are_good(const struct parts *parts, unsigned action, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        bool apart =
            i == 0 || lists_compare(parts->last[action][i - 1], parts->first[action][i]) < 0;
        if (!apart || lists_compare(parts->first[action][i], parts->last[action][i]) > 0 ||
            parts->expires_s[action][i] < 0) {
            return false;
        }
    }
    return true;
}

static bool text_is_good(uint32_t at, uint16_t n, size_t max, uint32_t text_bytes) {
    return n <= max && at <= text_bytes && n <= text_bytes - at;
}

static bool rule_is_good(const struct lists_rule *rule, uint32_t text_bytes) {
    return lists_compare(rule->first, rule->last) <= 0 && rule->expires_s >= 0 &&
           text_is_good(rule->path_at, rule->path_n, RP_LIST_TEXT_MAX, text_bytes) &&
           text_is_good(rule->method_at, rule->method_n, RP_LIST_METHOD_MAX, text_bytes) &&
           text_is_good(rule->header_at, rule->header_n, RP_LIST_TEXT_MAX, text_bytes) &&
           text_is_good(rule->value_at, rule->value_n, RP_LIST_TEXT_MAX, text_bytes);
}

rp_err rp_lists_check(const void *table, size_t n) {
    const struct lists_head *head = table;
    if (!table || n < sizeof *head || (uintptr_t)table % _Alignof(struct lists_head) != 0 ||
        head->magic != RP_LISTS_MAGIC || head->version != RP_LISTS_VERSION || head->bytes != n ||
        !counts_are_good(head, n)) {
        return RP_ERR(CORRUPT);
    }
    struct rp_sha256 sum = lists_checksum(head, rp_view_of(head + 1, n - sizeof *head));
    if (!rp_view_equal(rp_view_of(sum.b, sizeof sum.b),
                       rp_view_of(head->sha256, sizeof head->sha256))) {
        return RP_ERR(CORRUPT);
    }
    struct parts parts = parts_of(head);
    bool good = true;
    for (unsigned i = 0; i < RP_LIST_ACTION_COUNT; i++) {
        good = good && ranges_are_good(&parts, i, head->ranges[i]);
        for (uint32_t k = 0; good && k < head->rules[i]; k++) {
            good = rule_is_good(&parts.rules[i][k], head->text_bytes);
        }
    }
    return good ? RP_OK : RP_ERR(CORRUPT);
}

uint64_t rp_lists_generation(const void *table) {
    const struct lists_head *head = table;
    return head->generation;
}

size_t rp_lists_count(const void *table, enum rp_list_action action) {
    RP_ASSERT(action < RP_LIST_ACTION_COUNT);
    const struct lists_head *head = table;
    return (size_t)head->ranges[action] + head->rules[action];
}

/* ---- the judgement ---- */

static bool counts(int64_t expires_s, int64_t now_s) {
    return expires_s == 0 || expires_s > now_s;
}

static bool in_ranges(const struct parts *parts, enum rp_list_action action, size_t count,
                      struct lists_address asked, int64_t now_s) {
    const struct lists_address *last = parts->last[action];
    size_t low = 0, high = count;
    while (low < high) { /* the first range that ends at or after the address lies in between */
        size_t middle = low + (high - low) / 2;
        if (lists_compare(last[middle], asked) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && lists_compare(parts->first[action][low], asked) <= 0 &&
           counts(parts->expires_s[action][low], now_s);
}

static bool all_addresses(const struct lists_rule *rule) {
    return (rule->first.high | rule->first.low) == 0 &&
           (rule->last.high & rule->last.low) == UINT64_MAX;
}

static bool rule_matches(const struct lists_rule *rule, const uint8_t *texts,
                         const struct rp_list_request *request, const struct lists_address *asked) {
    rp_view method = rp_view_of(texts + rule->method_at, rule->method_n);
    rp_view path = rp_view_of(texts + rule->path_at, rule->path_n);
    bool address = all_addresses(rule) || (asked && lists_compare(rule->first, *asked) <= 0 &&
                                           lists_compare(*asked, rule->last) <= 0);
    return address && counts(rule->expires_s, request->now_s) &&
           (method.n == 0 || rp_view_equal(method, request->method)) &&
           (path.n == 0 || rp_view_starts(request->path, path)) &&
           (rule->header_n == 0 ||
            request->has_header(request->ctx, rp_view_of(texts + rule->header_at, rule->header_n),
                                rp_view_of(texts + rule->value_at, rule->value_n)));
}

static bool matches(const struct lists_head *head, const struct parts *parts,
                    enum rp_list_action action, const struct rp_list_request *request,
                    const struct lists_address *asked) {
    if (asked && in_ranges(parts, action, head->ranges[action], *asked, request->now_s)) {
        return true;
    }
    for (uint32_t i = 0; i < head->rules[action]; i++) {
        if (rule_matches(&parts->rules[action][i], parts->texts, request, asked)) {
            return true;
        }
    }
    return false;
}

enum rp_list_verdict rp_lists_judge(const void *table, const struct rp_list_request *request) {
    const struct lists_head *head = table;
    struct parts parts = parts_of(head);
    struct lists_address asked = {0, 0};
    if (request->address) {
        asked = lists_address_of(request->address);
    }
    const struct lists_address *known = request->address ? &asked : NULL;
    if (matches(head, &parts, RP_LIST_ALLOW, request, known)) {
        return RP_LIST_ALLOWED;
    }
    return matches(head, &parts, RP_LIST_DENY, request, known) ? RP_LIST_DENIED : RP_LIST_SILENT;
}
