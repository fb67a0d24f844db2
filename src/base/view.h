/* view.h — bytes that somebody else owns, passed by value.
 *
 * A view is two words: where, and how many. It never owns, never ends in NUL, and may
 * hold any byte. The literal "" is a view of zero bytes. Functions on views never allocate.
 *
 * Owner: whoever made the bytes; a view must not outlive them.   Threads: any.
 */
#ifndef RP_BASE_VIEW_H
#define RP_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct rp_view {
    const uint8_t *p;
    size_t n;
} rp_view;

/* A view of a string literal, without its NUL. */
#define RP_VIEW(literal) ((rp_view){(const uint8_t *)("" literal), sizeof(literal) - 1})
/* For static tables, where a compound literal is not a constant. */
#define RP_VIEW_INIT(literal)                                                                      \
    { (const uint8_t *)("" literal), sizeof(literal) - 1 }
/* For printf: "%.*s", RP_FMT(v). */
#define RP_FMT(v) (int)(v).n, (const char *)(v).p

static inline rp_view rp_view_of(const void *p, size_t n) {
    return (rp_view){(const uint8_t *)p, n};
}

static inline rp_view rp_view_from_cstr(const char *s) {
    return s ? rp_view_of(s, strlen(s)) : (rp_view){NULL, 0};
}

static inline bool rp_view_equal(rp_view a, rp_view b) {
    return a.n == b.n && (a.n == 0 || __builtin_memcmp(a.p, b.p, a.n) == 0);
}

static inline uint8_t rp_lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Eight bytes at once: those from A to Z get their sixth bit. Bytes over 127 stay. */
static inline uint64_t rp_lower_word(uint64_t word) {
    const uint64_t high = 0x8080808080808080U;
    uint64_t low = word & ~high;
    uint64_t from_a = low + (0x7f - 'A' + 1) * 0x0101010101010101U;
    uint64_t past_z = low + (0x7f - 'Z') * 0x0101010101010101U;
    uint64_t is_upper = (from_a & ~past_z & ~word) & high;
    return word | is_upper >> 2;
}

/* ASCII letters without regard to case; other bytes exactly. */
bool rp_view_equal_nocase(rp_view a, rp_view b);

/* Byte order, shorter first where one begins the other: <0, 0, >0. */
int rp_view_compare(rp_view a, rp_view b);

bool rp_view_starts(rp_view v, rp_view prefix);
bool rp_view_ends(rp_view v, rp_view suffix);

/* First index of the byte or of the needle; v.n when absent. */
size_t rp_view_find_byte(rp_view v, uint8_t byte);
size_t rp_view_find(rp_view v, rp_view needle);

/* Characters of a text in UTF-8: bytes that begin one. */
size_t rp_view_characters(rp_view v);

/* Bytes [from, from + n), clamped to v. */
rp_view rp_view_sub(rp_view v, size_t from, size_t n);
rp_view rp_view_from(rp_view v, size_t from);

/* Without spaces, tabs, CR and LF at both ends. */
rp_view rp_view_trim(rp_view v);

/* Cuts v at the first `separator`: returns what stands before it and leaves the rest in *v;
 * without a separator returns all of *v and leaves it empty with p == NULL. */
rp_view rp_view_cut(rp_view *v, uint8_t separator);

/* Drops the prefix that v begins with; false, and v as it was, when it begins otherwise. */
bool rp_view_take(rp_view *v, rp_view prefix);

/* A decimal number, digits only, no sign, no leading zero but "0" itself; false when it is
 * anything else or over max. */
bool rp_view_to_u64(rp_view v, uint64_t max, uint64_t *ret_value);

#endif
