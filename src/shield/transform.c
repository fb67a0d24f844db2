#include "base/assert.h"
#include "base/checked.h"
#include "shield/transform_parts.h"

enum { MARKS_FROM = 32 }; /* bytes of a text for which a table of marks is worth its making */

/* How the rows write their sets: 64 bytes of the alphabet a word. */
#define SET(a, b, c, d)                                                                            \
    {                                                                                              \
        { (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d) }                             \
    }
#define NONE SET(0, 0, 0, 0)
#define ANY SET(~0, ~0, ~0, ~0)
#define AT(c) (UINT64_C(1) << ((c) % 64))
#define UPPER UINT64_C(0x07fffffe)
#define LOWER UINT64_C(0x07fffffe00000000)
#define DIGITS UINT64_C(0x03ff000000000000)
#define SPACES (AT(' ') | AT('\t') | AT('\n') | AT('\v') | AT('\f') | AT('\r'))
#define ODD UINT64_C(0x6996966996696996) /* the numbers under 64 with an odd number of ones */

static const struct row {
    rp_transform_rewriter *rewrite;
    struct rp_byte_set any, both, or_both;
    uint8_t growth, extra;
    bool always;
} rows[] = {
#define ROW(NAME, rewriter, any, both, or_both, growth, extra, always)                             \
    [RP_T_##NAME] = {rewriter, any, both, or_both, growth, extra, always},
#include "shield/transform_rows.def"
#undef ROW
};
_Static_assert(RP_COUNT_OF(rows) == RP_T_COUNT, "a row for each transformation");

static const char *const names[] = {
#define RP_TRANSFORM(NAME, name) [RP_T_##NAME] = name,
#include "shield/transforms.def"
#undef RP_TRANSFORM
};

static const struct {
    const char *name;
    enum rp_transform transform;
} other_names[] = {
    {"cmdline", RP_T_CMD_LINE},
    {"normalisePath", RP_T_NORMALIZE_PATH},
    {"normalisePathWin", RP_T_NORMALIZE_PATH_WIN},
};

const char *rp_transform_name(enum rp_transform transform) {
    RP_ASSERT(transform < RP_T_COUNT);
    return names[transform];
}

enum rp_transform rp_transform_named(rp_view name) {
    for (unsigned i = 0; i < RP_T_COUNT; i++) {
        if (rp_view_equal_nocase(name, rp_view_from_cstr(names[i]))) {
            return (enum rp_transform)i;
        }
    }
    for (size_t i = 0; i < RP_COUNT_OF(other_names); i++) {
        if (rp_view_equal_nocase(name, rp_view_from_cstr(other_names[i].name))) {
            return other_names[i].transform;
        }
    }
    return RP_T_COUNT;
}

/* Of a longer text: each byte leaves a mark in a table, and no two of them wait for each other;
 * then eight marks at once become eight bits. */
static struct rp_byte_set set_of_marks(rp_view value) {
    uint8_t marks[256] = {0};
    struct rp_byte_set set = {{0}};
#pragma GCC unroll 8
    for (size_t i = 0; i < value.n; i++) {
        marks[value.p[i]] = 1;
    }
    for (size_t i = 0; i < 256; i += 8) {
        uint64_t eight;
        memcpy(&eight, marks + i, sizeof eight);
        uint64_t bits = eight * UINT64_C(0x0102040810204080) >> 56;
        set.bits[i / 64] |= bits << i % 64;
    }
    return set;
}

struct rp_byte_set rp_byte_set_of(rp_view value) {
    if (value.n >= MARKS_FROM) {
        return set_of_marks(value);
    }
    struct rp_byte_set set = {{0}};
    /* Two sets, so that a byte need not wait for the one before it. */
    struct rp_byte_set odd = {{0}};
    size_t i = 0;
    for (; i + 2 <= value.n; i += 2) {
        set.bits[value.p[i] >> 6] |= UINT64_C(1) << (value.p[i] & 63);
        odd.bits[value.p[i + 1] >> 6] |= UINT64_C(1) << (value.p[i + 1] & 63);
    }
    if (i < value.n) {
        set.bits[value.p[i] >> 6] |= UINT64_C(1) << (value.p[i] & 63);
    }
    for (size_t word = 0; word < RP_COUNT_OF(set.bits); word++) {
        set.bits[word] |= odd.bits[word];
    }
    return set;
}

static bool meets(const struct rp_byte_set *a, const struct rp_byte_set *b) {
    return ((a->bits[0] & b->bits[0]) | (a->bits[1] & b->bits[1]) | (a->bits[2] & b->bits[2]) |
            (a->bits[3] & b->bits[3])) != 0;
}

/* All of a non-empty set is present. */
static bool holds_all(const struct rp_byte_set *present, const struct rp_byte_set *wanted) {
    bool missing = false;
    bool empty = true;
    for (size_t word = 0; word < RP_COUNT_OF(wanted->bits); word++) {
        missing = missing || (wanted->bits[word] & ~present->bits[word]) != 0;
        empty = empty && wanted->bits[word] == 0;
    }
    return !missing && !empty;
}

bool rp_transform_touches(enum rp_transform transform, const struct rp_byte_set *present) {
    RP_ASSERT(transform < RP_T_COUNT);
    const struct row *row = &rows[transform];
    if (row->always || meets(present, &row->any)) {
        return true;
    }
    /* Each pair of the rows has a byte under 64: most transformations end here. */
    return ((row->both.bits[0] | row->or_both.bits[0]) & present->bits[0]) != 0 &&
           (holds_all(present, &row->both) || holds_all(present, &row->or_both));
}

/* The first byte that can matter; n when there is none. */
static size_t first_trigger(const struct row *row, rp_view value) {
    struct rp_byte_set triggers;
    for (size_t word = 0; word < RP_COUNT_OF(triggers.bits); word++) {
        triggers.bits[word] = row->any.bits[word] | row->both.bits[word] | row->or_both.bits[word];
    }
    size_t i = 0;
    while (i < value.n && !rp_byte_in(&triggers, value.p[i])) {
        i++;
    }
    return i;
}

static rp_view trimmed(enum rp_transform transform, rp_view value) {
    size_t start = 0;
    size_t end = value.n;
    while (transform != RP_T_TRIM_LEFT && end > 0 && rp_is_space(value.p[end - 1])) {
        end--;
    }
    while (transform != RP_T_TRIM_RIGHT && start < end && rp_is_space(value.p[start])) {
        start++;
    }
    return start == 0 && end == value.n ? value : rp_view_of(value.p + start, end - start);
}

size_t rp_transform_longest(enum rp_transform transform, size_t n) {
    RP_ASSERT(transform < RP_T_COUNT);
    if (transform == RP_T_BASE64_DECODE || transform == RP_T_BASE64_DECODE_EXT) {
        return (3 * n + 3) / 4;
    }
    return RP_MAX(n, n * rows[transform].growth + rows[transform].extra);
}

rp_err rp_transform_apply(enum rp_transform transform, rp_view value, const uint16_t *unicode_map,
                          struct rp_arena *arena, rp_view *ret_value) {
    RP_ASSERT(transform < RP_T_COUNT);
    const struct row *row = &rows[transform];
    if (row->rewrite == NULL) {
        *ret_value = trimmed(transform, value);
        return RP_OK;
    }
    size_t from = first_trigger(row, value);
    if (from == value.n && !row->always) {
        *ret_value = value;
        return RP_OK;
    }
    size_t room = 0;
    if (!rp_mul(value.n, row->growth, &room) || !rp_add(room, row->extra, &room)) {
        return RP_ERR(TOO_LARGE);
    }
    uint8_t *out = rp_arena_room(arena, room);
    if (out == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    if (from > 0 && row->growth > 0) {
        memcpy(out, value.p, from);
    }
    rp_view answer = rp_view_of(out, row->rewrite(value, from, out, unicode_map));
    RP_ASSERT(answer.n <= room);
    *ret_value = rp_view_equal(answer, value) ? value : answer;
    return RP_OK;
}
