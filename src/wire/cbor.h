/* cbor.h — the part of CBOR that authenticators write. RFC 8949; CTAP 2.2 section 8.
 *
 *   item   head content
 *   head   major type (3 bits) and a number in 0, 1, 2, 4 or 8 bytes more, as short as it goes
 *   major  0 number · 1 -1 - number · 2 bytes · 3 text (UTF-8) · 4 array · 5 map · 7 false, true,
 * null
 *
 * Definite lengths only, no tags, no floats, no key twice; depth and count are bounded. The order
 * of a map's keys is not asked for: programs that keep passkeys do not all keep to CTAP's.
 *
 * An item is a view into the bytes that were read. rp_cbor_take checks the whole of it, once; what
 * looks into an item after that takes only what it gave. Fails: SYNTAX, TOO_LARGE.
 */
#ifndef RP_WIRE_CBOR_H
#define RP_WIRE_CBOR_H

#include "base/err.h"

enum { RP_CBOR_DEPTH_MAX = 6, RP_CBOR_ITEMS_MAX = 256 };

/* Checks the item at the start of *rest and moves behind it. */
rp_err rp_cbor_take(rp_view *rest, rp_view *ret_item);
/* The same where nothing may follow. */
rp_err rp_cbor_whole(rp_view bytes, rp_view *ret_item);

/* ---- looking into an item; all accept p == NULL and answer "no" ---- */
/* A number of -2^63 to 2^63 - 1. */
bool rp_cbor_number(rp_view item, int64_t *ret_number);
bool rp_cbor_bytes(rp_view item, rp_view *ret_bytes);
bool rp_cbor_text(rp_view item, rp_view *ret_text);
/* How many pairs a map has. */
bool rp_cbor_map(rp_view item, size_t *ret_pairs);
/* The value of a key; p == NULL when the map has none, or the item is no map. */
rp_view rp_cbor_at(rp_view map, int64_t key);
rp_view rp_cbor_at_text(rp_view map, rp_view key);

#endif
