/* punycode.h — letters beyond ASCII in a label of the DNS (RFC 3492), both ways, bounded.
 *
 * A label has at most 63 octets, and so at most as many characters: what is longer, overflows, or
 * stands for something that is no character is refused.
 */
#ifndef RP_LOOKALIKE_PUNYCODE_H
#define RP_LOOKALIKE_PUNYCODE_H

#include "base/buf.h"

enum {
    RP_LABEL_MAX = 63,
    RP_POINTS_MAX = 3 * RP_LABEL_MAX /* a character looks like three letters at most */
};

/* Characters, as Unicode counts them. */
struct rp_points {
    uint32_t p[RP_POINTS_MAX];
    size_t n;
};

bool rp_points_are_ascii(const struct rp_points *points);
/* What stands behind "xn--". False when it is none, or longer than a label may be. */
bool rp_punycode_decode(rp_view text, struct rp_points *ret_points);
/* The same text, without "xn--". False when it does not fit into a label. */
bool rp_punycode_encode(const struct rp_points *points, struct rp_buf *out);
/* One character as UTF-8. */
void rp_point_print(struct rp_buf *out, uint32_t point);

#endif
