/* body.h — request bodies taken apart, chunk by chunk: forms, multipart, JSON, XML.
 *
 * The kinds are ModSecurity's body processors, with its names for what they find: a JSON member
 * {"a":[{"b":1}]} is the argument "json.a.array_0.b", multipart fields are arguments and files, XML
 * gives its texts and attribute values; entities are never expanded and nothing outside is ever
 * loaded. Reading never fails because of what a stranger wrote: a malformed body sets `error` and
 * the strict flags, and keeps what came before, for rules to judge.
 *
 * The result is the same however the body is cut into chunks. Names and values are views into the
 * chunks where nothing had to be decoded or joined, else they lie in the arena.
 *
 * Owner: the caller keeps every chunk as long as the result. Bounded by rp_body_limits and by the
 * arena. Fails: TOO_LARGE (arena full) only.
 */
#ifndef RP_SHIELD_BODY_H
#define RP_SHIELD_BODY_H

#include "base/arena.h"

enum rp_body_kind {
    RP_BODY_URLENCODED,
    RP_BODY_MULTIPART,
    RP_BODY_JSON,
    RP_BODY_XML,
    RP_BODY_KINDS
};

struct rp_body_limits {
    unsigned depth_max;   /* JSON and XML nesting; deeper is an error of the body */
    size_t arguments_max; /* more is an error of the body, and what fits is kept */
    size_t files_max;     /* multipart */
    uint8_t separator;    /* of forms, '&' */
};
#define RP_BODY_LIMITS                                                                             \
    ((struct rp_body_limits){                                                                      \
        .depth_max = 512, .arguments_max = 1000, .files_max = 100, .separator = '&'})

struct rp_waf_pair {
    rp_view name, value;
    uint32_t offset; /* of the value in what was read, for logs; 0 when it has none */
};
struct rp_waf_pairs {
    struct rp_waf_pair *p;
    size_t n, room;
};

enum rp_multipart_flag { /* ModSecurity's MULTIPART_… variables; STRICT_ERROR is computed from them
                          */
                         RP_MULTIPART_BOUNDARY_QUOTED = 1 << 0,
                         RP_MULTIPART_BOUNDARY_WHITESPACE = 1 << 1,
                         RP_MULTIPART_DATA_BEFORE = 1 << 2,
                         RP_MULTIPART_DATA_AFTER = 1 << 3,
                         RP_MULTIPART_HEADER_FOLDING = 1 << 4,
                         RP_MULTIPART_LF_LINE = 1 << 5,
                         RP_MULTIPART_CRLF_LF_LINES = 1 << 6,
                         RP_MULTIPART_MISSING_SEMICOLON = 1 << 7,
                         RP_MULTIPART_INVALID_QUOTING = 1 << 8,
                         RP_MULTIPART_INVALID_PART = 1 << 9,
                         RP_MULTIPART_INVALID_HEADER_FOLDING = 1 << 10,
                         RP_MULTIPART_FILE_LIMIT_EXCEEDED = 1 << 11,
                         RP_MULTIPART_UNMATCHED_BOUNDARY = 1 << 12
};

struct rp_body_result {
    struct rp_waf_pairs arguments;    /* ARGS_POST */
    struct rp_waf_pairs files;        /* FILES: field name → file name */
    struct rp_waf_pairs file_sizes;   /* FILES_SIZES: field name → decimal */
    struct rp_waf_pairs part_headers; /* MULTIPART_PART_HEADERS: field name → "Header: value" */
    struct rp_waf_pairs texts;        /* XML: the text nodes ("/" + "*") … */
    struct rp_waf_pairs
        attributes; /* … and the attribute values ("//@*"); the name is the attribute's */
    rp_view multipart_name, multipart_filename; /* of the last part */
    uint64_t files_size;                        /* of all files together */
    unsigned multipart;                         /* rp_multipart_flag */
    bool error;
    const char *message; /* static text, as in ModSecurity where it has one; "" without an error;
                          * of multipart the flags say more */
    bool urlencoded_error;
};

struct rp_body;

/* content_type: the whole header (multipart finds its boundary there). NULL when memory is out. */
struct rp_body *rp_body_new(enum rp_body_kind kind, rp_view content_type,
                            const struct rp_body_limits *limits, struct rp_arena *arena);
rp_err rp_body_feed(struct rp_body *body, rp_view chunk);
/* The end of the body; the result lives as long as the arena. */
rp_err rp_body_end(struct rp_body *body, const struct rp_body_result **ret_result);

/* A query string or form by the same rules, in one go (ARGS_GET). NULL or what is wrong with it:
 * more arguments than arguments_max, of which the first are there. */
rp_err rp_body_query(rp_view query, const struct rp_body_limits *limits, struct rp_arena *arena,
                     struct rp_waf_pairs *ret_pairs, bool *ret_invalid_encoding,
                     const char **ret_problem);
/* A Cookie header's value: REQUEST_COOKIES. */
rp_err rp_body_cookies(rp_view header, struct rp_arena *arena, struct rp_waf_pairs *pairs);

rp_err rp_waf_pairs_add(struct rp_waf_pairs *pairs, struct rp_arena *arena, rp_view name,
                        rp_view value);

#endif
