/* literals.h — the prefilter: which expressions can possibly match this value?
 *
 * From each regular expression a set of literals is derived one of which must stand in every text
 * that matches (FilteredRE2's idea). All literals of a group of rules are searched in one pass; a
 * rule none of whose literals occurs needs no regular expression. Expressions without a useful
 * literal may still need a byte from a set (rp_literals holds both), or are always candidates.
 *
 * Sound: a rule that would match is always a candidate; a test over all corpora holds it to that.
 * Comparison is without regard to ASCII case. Pure; the set is flat, position-independent bytes.
 */
#ifndef RP_SHIELD_LITERALS_H
#define RP_SHIELD_LITERALS_H

#include "base/arena.h"
#include "base/buf.h"
#include "shield/transform.h"

/* What one expression needs: any one of the literals; or, with none, any byte of `bytes`; or
 * nothing (always a candidate). */
struct rp_needs {
    const rp_view *literals; /* lower case, 2 bytes and more each */
    size_t literal_count;
    bool needs_byte;
    struct rp_byte_set bytes;
    bool always;
};

/* pattern: PCRE2 syntax as CRS writes it, matched without options but those written in it, DOTALL
 * and multi-line as ModSecurity 3 compiles @rx. What the analysis does not understand is `always`.
 */
rp_err rp_literals_of_pattern(rp_view pattern, struct rp_arena *arena, struct rp_needs *ret_needs);
/* The same for a list of phrases, of which any is enough (@pm), or of one (@contains, @streq). */
rp_err rp_literals_of_phrases(const rp_view *phrases, size_t count, struct rp_arena *arena,
                              struct rp_needs *ret_needs);

/* A group of up to 2,048 rules: builds their common set. Rule i is bit i. */
rp_err rp_literals_build(const struct rp_needs *rules, size_t rule_count, struct rp_arena *scratch,
                         struct rp_buf *out);
bool rp_literals_check(rp_view set, size_t rule_count);
/* For people: what rule i of a set that was checked waits for. Its literals go to `each`, in no
 * order. */
void rp_literals_of_rule(rp_view set, unsigned rule, void (*each)(void *ctx, rp_view literal),
                         void *ctx, struct rp_byte_set *ret_bytes, bool *ret_always);
/* ORs into bits[] ((rule_count + 63) / 64 words) the rules that may match the value. */
void rp_literals_scan(rp_view set, rp_view value, const struct rp_byte_set *present,
                      uint64_t *bits);

#endif
