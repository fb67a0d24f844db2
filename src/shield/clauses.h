/* clauses.h — which bytes every match of an expression holds: what is asked before PCRE2 is.
 *
 * A match fulfils one of the clauses: all bytes of `all` occur in it, and one of each `any`. A
 * value's set of bytes is known, so a clause costs a few instructions. Case is never told apart:
 * `all` is in lower case, `any` in both. Limits make clauses weaker, never wrong.
 */
#ifndef RP_SHIELD_CLAUSES_H
#define RP_SHIELD_CLAUSES_H

#include "shield/transform.h"

enum { RP_CLAUSE_SETS = 3, RP_CLAUSES_MAX = 24 };

struct rp_clause {
    struct rp_byte_set all;
    struct rp_byte_set any[RP_CLAUSE_SETS];
    uint64_t any_count; /* the first of them */
};

struct rp_clauses {
    const struct rp_clause *p;
    size_t n; /* 0: nothing is known */
};

/* pattern: as for rp_literals_of_pattern. Fails: TOO_LARGE when the arena is full. */
rp_err rp_clauses_of_pattern(rp_view pattern, struct rp_arena *arena,
                             struct rp_clauses *ret_clauses);
/* False when no text of exactly these bytes can match. */
bool rp_clauses_allow(struct rp_clauses clauses, const struct rp_byte_set *present);

#endif
