#include "wire/json_members.h"

#include "base/assert.h"

/* UTF-8 compares bytewise as code points do. UTF-16 differs in one thing: what lies beyond
 * U+FFFF is written with surrogates (D800 to DFFF) and so comes before U+E000 to U+FFFF, whose
 * UTF-8 begins with EE or EF. */
static int rank(uint8_t byte) {
    return byte == 0xEE || byte == 0xEF ? byte + 0x20 : byte;
}

int rp_json_key_compare(rp_view a, rp_view b) {
    size_t shorter = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < shorter; i++) {
        if (a.p[i] != b.p[i]) {
            return rank(a.p[i]) - rank(b.p[i]);
        }
    }
    return (a.n > b.n) - (a.n < b.n);
}

void rp_json_append(struct rp_json *parent, struct rp_json *child) {
    RP_ASSERT(child->next == NULL);
    if (parent->last) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->count++;
}

static struct rp_json *merge(struct rp_json *a, struct rp_json *b) {
    struct rp_json *merged = NULL;
    struct rp_json **tail = &merged;
    while (a && b) {
        struct rp_json **least = rp_json_key_compare(a->key, b->key) <= 0 ? &a : &b;
        *tail = *least;
        *least = (*least)->next;
        tail = &(*tail)->next;
    }
    *tail = a ? a : b;
    return merged;
}

/* Sorts the first n of *list and moves *list behind them. */
static struct rp_json *sort(struct rp_json **list, size_t n) {
    if (n == 1) {
        struct rp_json *one = *list;
        *list = one->next;
        one->next = NULL;
        return one;
    }
    struct rp_json *left = sort(list, n / 2);
    struct rp_json *right = sort(list, n - n / 2);
    return merge(left, right);
}

void rp_json_sort(struct rp_json *object) {
    RP_ASSERT(object->kind == RP_JSON_OBJECT);
    if (object->count < 2) {
        return;
    }
    struct rp_json *rest = object->first;
    object->first = sort(&rest, object->count);
    RP_ASSERT(rest == NULL);
    struct rp_json *last = object->first;
    while (last->next) {
        last = last->next;
    }
    object->last = last;
}
