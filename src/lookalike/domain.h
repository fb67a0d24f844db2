/* domain.h — a name of the DNS as somebody wrote it, read: its labels, and what of it was sold.
 *
 * Names come in ASCII ("xn--…") or as people see them; capitals, a leading "*." and a dot at the
 * end make no difference. What was read has one form, in ASCII. Of "www.moncoffre.co.uk" a
 * registrar sold "moncoffre.co.uk": suffixes.def says below which names of two labels that is so.
 *
 * Fails: INVALID (no such name, or longer than one may be).
 */
#ifndef RP_LOOKALIKE_DOMAIN_H
#define RP_LOOKALIKE_DOMAIN_H

#include "lookalike/punycode.h"

enum { RP_DOMAIN_MAX = 253, RP_DOMAIN_LABELS_MAX = 32 };

struct rp_domain {
    char text[RP_DOMAIN_MAX + 1]; /* small letters, "xn--" where needed */
    size_t n;
    uint8_t starts[RP_DOMAIN_LABELS_MAX]; /* of each label in text */
    size_t label_count;
    size_t sold; /* the label that was sold with all behind it; label_count = none was */
};

rp_err rp_domain_parse(rp_view text, struct rp_domain *ret_domain);
rp_view rp_domain_label(const struct rp_domain *domain, size_t label);
/* The label and all behind it. */
rp_view rp_domain_from(const struct rp_domain *domain, size_t label);
/* Is `inner` the name itself, or below it? Both in the form of `text`. */
bool rp_domain_within(rp_view inner, rp_view outer);
/* The characters that a label shows. */
void rp_label_points(rp_view label, struct rp_points *ret_points);
/* The name as people see it, in UTF-8: 4 * RP_DOMAIN_MAX at most. */
void rp_domain_show(rp_view text, struct rp_buf *out);
/* Of a suffix that is kept for tests and networks of one's own (RFC 6761, RFC 9476)? */
bool rp_domain_is_local(const struct rp_domain *domain);

#endif
