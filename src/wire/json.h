/* json.h — the one JSON reader and printer. RFC 8259 in, RFC 8785 (JCS) out.
 *
 * Reading is strict: UTF-8 only, duplicate keys refused, depth and count bounded. A document is
 * a tree in an arena; strings are views into it, never into the text. Members stand in canonical
 * order, by the UTF-16 code units of their keys, both when read and when built; printing is
 * canonical, always, so that equal documents are equal bytes.
 *
 * Integers up to 2^53 - 1 are exact; other numbers are doubles.
 */
#ifndef RP_WIRE_JSON_H
#define RP_WIRE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

/* The largest integer that a double, and with it I-JSON (RFC 7493 section 2.2), holds exactly
 * together with all its neighbours. */
#define RP_JSON_INTEGER_MAX UINT64_C(9007199254740991)

enum rp_json_kind {
    RP_JSON_NULL,
    RP_JSON_BOOL,
    RP_JSON_NUMBER,
    RP_JSON_STRING,
    RP_JSON_ARRAY,
    RP_JSON_OBJECT
};

struct rp_json {
    enum rp_json_kind kind;
    bool boolean;
    double number;
    rp_view string;
    rp_view key;           /* inside an object */
    struct rp_json *first; /* of an array or object */
    struct rp_json *last;
    struct rp_json *next; /* the sibling */
    size_t count;         /* of children */
    int32_t broken;       /* an rp_code: building failed here, and printing will */
};

struct rp_json_limits {
    unsigned depth_max;
    size_t count_max; /* values in all */
};
#define RP_JSON_LIMITS ((struct rp_json_limits){.depth_max = 32, .count_max = 20000})

/* Parses exactly one document. SYNTAX (with line and column), TOO_LARGE. */
rp_err rp_json_parse(rp_view text, struct rp_json_limits limits, struct rp_arena *arena,
                     struct rp_json **ret_root, struct rp_diag *diag);

/* Canonical bytes appended to out; nothing on failure. TOO_LARGE when the arena was full while
 * the tree was built, or out is; INVALID for a string that is not UTF-8, a key given twice, a
 * number that is not exact. */
rp_err rp_json_print(const struct rp_json *root, struct rp_buf *out);

/* ---- reading a tree; all accept NULL and answer "absent" ---- */
const struct rp_json *rp_json_get(const struct rp_json *object, const char *key);
/* The member's string, or p == NULL when it is absent or no string. */
rp_view rp_json_get_string(const struct rp_json *object, const char *key);
/* A whole number up to 2^53 - 1. */
bool rp_json_get_u64(const struct rp_json *object, const char *key, uint64_t *ret_value);
bool rp_json_get_bool(const struct rp_json *object, const char *key, bool *ret_value);

/* ---- building a tree; NULL when the arena is full, and NULL is accepted everywhere: the gap is
 * remembered, so that rp_json_print fails once, at the end. Strings are copied. ---- */
struct rp_json *rp_json_object(struct rp_arena *arena);
struct rp_json *rp_json_array(struct rp_arena *arena);
/* Add a member (key copied; NULL key = append to an array). The child is returned. */
struct rp_json *rp_json_add(struct rp_arena *arena, struct rp_json *parent, const char *key,
                            struct rp_json *child);
struct rp_json *rp_json_add_object(struct rp_arena *arena, struct rp_json *parent, const char *key);
struct rp_json *rp_json_add_array(struct rp_arena *arena, struct rp_json *parent, const char *key);
void rp_json_add_string(struct rp_arena *arena, struct rp_json *parent, const char *key, rp_view v);
void rp_json_add_cstr(struct rp_arena *arena, struct rp_json *parent, const char *key,
                      const char *s);
/* Up to 2^53 - 1: times in seconds or milliseconds, not nanoseconds. */
void rp_json_add_u64(struct rp_arena *arena, struct rp_json *parent, const char *key,
                     uint64_t value);
void rp_json_add_bool(struct rp_arena *arena, struct rp_json *parent, const char *key, bool value);
void rp_json_add_null(struct rp_arena *arena, struct rp_json *parent, const char *key);

#endif
