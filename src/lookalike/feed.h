/* feed.h — the names in one line of a feed.
 *
 * A line is a name, or a JSON object as monitors of Certificate Transparency print one per
 * certificate: {"dns_names":[…]}, {"names":[…]}, or {"data":{"leaf_cert":{"all_domains":[…]}}}.
 * Empty lines and those that begin with # say nothing. Names are not judged here, nor are they
 * known to be names.
 *
 * Fails: SYNTAX (JSON that is none), INVALID (an object without names), TOO_LARGE (arena).
 */
#ifndef RP_LOOKALIKE_FEED_H
#define RP_LOOKALIKE_FEED_H

#include "wire/json.h"

enum { RP_FEED_LINE_MAX = 1 << 20 };

/* The array of an object that has one of these forms, all of it texts; NULL when it has none. */
const struct rp_json *rp_feed_names(const struct rp_json *object);
/* The line's names as an array of texts; NULL for a line that says nothing. */
rp_err rp_feed_line(rp_view line, struct rp_arena *arena, const struct rp_json **ret_names,
                    struct rp_diag *diag);

#endif
