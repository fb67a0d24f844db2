/* http.h — the small texts of HTTP: cookies, forms, query strings, paths.
 *
 * RFC 6265 (Cookie), WHATWG URL application/x-www-form-urlencoded, RFC 3986 percent-encoding.
 */
#ifndef RP_WIRE_HTTP_H
#define RP_WIRE_HTTP_H

#include "base/arena.h"
#include "base/buf.h"

struct rp_pair {
    rp_view name;
    rp_view value;
};

struct rp_pairs {
    struct rp_pair *p;
    size_t n;
};

/* Decoded into the arena. INVALID for a broken %-sequence or invalid UTF-8, TOO_LARGE over max. */
rp_err rp_form_parse(rp_view text, size_t max_pairs, struct rp_arena *arena,
                     struct rp_pairs *ret_pairs);
/* The first value of a name; p == NULL when absent. */
rp_view rp_pairs_get(struct rp_pairs pairs, const char *name);

/* The value of the one cookie of that name; p == NULL when absent or given twice. */
rp_view rp_cookie_get(rp_view header, const char *name);

/* Percent-encodes everything but unreserved characters. */
void rp_url_encode(struct rp_buf *out, rp_view v);
/* Decodes a path segment; INVALID for a broken sequence or a NUL. */
rp_err rp_url_decode(rp_view text, struct rp_arena *arena, rp_view *ret_decoded);

/* ---- parts of what is large ---- */

enum rp_range { RP_RANGE_ALL, RP_RANGE_PART, RP_RANGE_NOTHING };
/* Range of RFC 9110 section 14.2 for a body of `size` bytes. PART: from *ret_first up to, and
 * without, *ret_end. NOTHING: answer 416. ALL: no header, another unit, several ranges or not
 * understood; a server may then send everything, and we do. */
enum rp_range rp_range_parse(rp_view header, uint64_t size, uint64_t *ret_first, uint64_t *ret_end);

/* A value of tus' Upload-Metadata ("name <base64>, …"), decoded into the arena; p == NULL when
 * absent. INVALID for what is not that. */
rp_err rp_metadata_get(rp_view header, const char *name, struct rp_arena *arena,
                       rp_view *ret_value);

/* Text with & < > " ' as entities: safe in HTML text and quoted attributes. */
void rp_html_escape(struct rp_buf *out, rp_view text);

/* True for well-formed UTF-8 without overlong forms and surrogates. */
bool rp_utf8_valid(rp_view v);
/* How many bytes from the start are so: v.n when all are. */
size_t rp_utf8_prefix(rp_view v);
/* A name that looks like what it is: valid, without control characters, line separators, and the
 * marks that turn the direction of writing, by which "annexe.pdf" can be "anfdp.exe". */
bool rp_utf8_is_name(rp_view v);

#endif
