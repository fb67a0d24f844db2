#include "base/view.h"

#include "base/assert.h"

bool rp_view_equal_nocase(rp_view a, rp_view b) {
    if (a.n != b.n) {
        return false;
    }
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= a.n; i += sizeof(uint64_t)) {
        uint64_t of_a, of_b;
        memcpy(&of_a, a.p + i, sizeof of_a);
        memcpy(&of_b, b.p + i, sizeof of_b);
        if (of_a != of_b && rp_lower_word(of_a) != rp_lower_word(of_b)) {
            return false;
        }
    }
    for (; i < a.n; i++) {
        if (rp_lower(a.p[i]) != rp_lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

int rp_view_compare(rp_view a, rp_view b) {
    size_t shorter = a.n < b.n ? a.n : b.n;
    int order = shorter ? __builtin_memcmp(a.p, b.p, shorter) : 0;
    if (order != 0) {
        return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

bool rp_view_starts(rp_view v, rp_view prefix) {
    return v.n >= prefix.n && rp_view_equal(rp_view_of(v.p, prefix.n), prefix);
}

bool rp_view_ends(rp_view v, rp_view suffix) {
    return v.n >= suffix.n && rp_view_equal(rp_view_from(v, v.n - suffix.n), suffix);
}

size_t rp_view_find_byte(rp_view v, uint8_t byte) {
    const uint8_t *at = v.n ? memchr(v.p, byte, v.n) : NULL;
    return at ? (size_t)(at - v.p) : v.n;
}

size_t rp_view_find(rp_view v, rp_view needle) {
    if (needle.n == 0) {
        return 0;
    }
    const uint8_t *at = v.n >= needle.n ? memmem(v.p, v.n, needle.p, needle.n) : NULL;
    return at ? (size_t)(at - v.p) : v.n;
}

size_t rp_view_characters(rp_view v) {
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        n += (v.p[i] & 0xc0) != 0x80;
    }
    return n;
}

rp_view rp_view_from(rp_view v, size_t from) {
    size_t start = from < v.n ? from : v.n;
    return v.p ? rp_view_of(v.p + start, v.n - start) : v;
}

rp_view rp_view_sub(rp_view v, size_t from, size_t n) {
    rp_view rest = rp_view_from(v, from);
    rest.n = n < rest.n ? n : rest.n;
    return rest;
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

rp_view rp_view_trim(rp_view v) {
    while (v.n > 0 && is_space(v.p[0])) {
        v = rp_view_from(v, 1);
    }
    while (v.n > 0 && is_space(v.p[v.n - 1])) {
        v.n--;
    }
    return v;
}

rp_view rp_view_cut(rp_view *v, uint8_t separator) {
    RP_ASSERT(v != NULL);
    size_t at = rp_view_find_byte(*v, separator);
    rp_view head = rp_view_sub(*v, 0, at);
    *v = at < v->n ? rp_view_from(*v, at + 1) : (rp_view){NULL, 0};
    return head;
}

bool rp_view_take(rp_view *v, rp_view prefix) {
    RP_ASSERT(v != NULL);
    if (!rp_view_starts(*v, prefix)) {
        return false;
    }
    *v = rp_view_from(*v, prefix.n);
    return true;
}

bool rp_view_to_u64(rp_view v, uint64_t max, uint64_t *ret_value) {
    RP_ASSERT(ret_value != NULL);
    if (v.n == 0 || v.n > 20 || (v.n > 1 && v.p[0] == '0')) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9' || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(v.p[i] - '0'), &value)) {
            return false;
        }
    }
    if (value > max) {
        return false;
    }
    *ret_value = value;
    return true;
}
