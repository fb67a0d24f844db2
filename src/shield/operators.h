/* operators.h — SecLang's small questions about a value, answered as ModSecurity 3 answers them.
 *
 * What is one line with views (@streq, @contains, @beginsWith, @endsWith, @within) is not here; the
 * numbers are numeric.h's, phrases are phrases.h's, expressions PCRE2's, and SQL and markup
 * injection.h's. For @verifyCC and its like the caller finds the digits with the rule's expression,
 * from every place of the value, and asks about each match.
 *
 * Pure, no allocation but a table's building.
 */
#ifndef RP_SHIELD_OPERATORS_H
#define RP_SHIELD_OPERATORS_H

#include "base/arena.h"
#include "base/buf.h"
#include "shield/transform.h"

/* The word stands in the value with no ASCII letter at either side (digits may). */
bool rp_op_contains_word(rp_view value, rp_view word);
/* A '%' without two hexadecimal digits after it. */
bool rp_op_invalid_url_encoding(rp_view value);
/* Not UTF-8 (RFC 3629): cut short, longer than need be, a surrogate, beyond U+10FFFF. */
bool rp_op_invalid_utf8(rp_view value);

/* "1-255,10": the bytes that are allowed. INVALID: not such a list, or a range backwards; diag says
 * which part. An empty list allows nothing. */
rp_err rp_op_byte_range(rp_view list, struct rp_byte_set *ret_allowed, struct rp_diag *diag);
/* A byte of the value is not among them: one glance at the value's set. */
bool rp_op_outside(const struct rp_byte_set *allowed, const struct rp_byte_set *present);

/* Whether a match of the rule's expression is one: Luhn's check (a card's number), a number of the
 * US social security, a Brazilian CPF, an Austrian SVNR. Only the digits count. */
bool rp_op_luhn(rp_view match);
bool rp_op_ssn(rp_view match);
bool rp_op_cpf(rp_view match);
bool rp_op_svnr(rp_view match);

/* ---- addresses ---- */

/* "10.0.0.0/8,2001:db8::1": a list short enough to be read each time. What is no address in it
 * matches nothing. */
bool rp_op_ip_match(rp_view list, rp_view address);

/* Many networks as one flat table, sorted and merged, aligned to 8 within `out`; each entry is one
 * network or address. INVALID names the entry in diag. */
rp_err rp_ip_table_build(const rp_view *networks, size_t count, struct rp_arena *scratch,
                         struct rp_buf *out, struct rp_diag *diag);
bool rp_ip_table_check(rp_view table);
/* False also when the text is no address. */
bool rp_ip_table_find(rp_view table, rp_view address);

#endif
