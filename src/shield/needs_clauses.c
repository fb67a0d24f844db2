/* needs_clauses.c — the clauses of an expression's parts: one after the other, one or the other. */
#include "base/checked.h"
#include "shield/needs.h"
#include "shield/transform_parts.h"

/* A set that most values meet says nothing. */
static const double CHANCE_MAX = 0.25;

static bool is_empty(const struct rp_byte_set *set) {
    return (set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]) == 0;
}

static void set_add(struct rp_byte_set *set, uint8_t byte) {
    set->bits[byte >> 6] |= UINT64_C(1) << (byte & 63);
}

static void set_add_both(struct rp_byte_set *set, uint8_t byte) {
    set_add(set, byte);
    if (rp_is_alpha(byte)) {
        set_add(set, byte ^ 0x20);
    }
}

static void set_or(struct rp_byte_set *set, const struct rp_byte_set *other) {
    for (size_t word = 0; word < RP_COUNT_OF(set->bits); word++) {
        set->bits[word] |= other->bits[word];
    }
}

/* One of these bytes occurs: among the sets of the clause if it is rarer than one there. */
static void clause_any(struct rp_clause *clause, const struct rp_byte_set *set) {
    double chance = rp_bytes_chance(set);
    if (chance > CHANCE_MAX || is_empty(set)) {
        return;
    }
    size_t at = clause->any_count;
    if (at == RP_CLAUSE_SETS) {
        at = 0;
        for (size_t i = 1; i < RP_CLAUSE_SETS; i++) {
            at = rp_bytes_chance(&clause->any[i]) > rp_bytes_chance(&clause->any[at]) ? i : at;
        }
        if (chance >= rp_bytes_chance(&clause->any[at])) {
            return;
        }
    } else {
        clause->any_count++;
    }
    clause->any[at] = *set;
}

static void clause_and(struct rp_clause *clause, const struct rp_clause *other) {
    set_or(&clause->all, &other->all);
    for (size_t i = 0; i < other->any_count; i++) {
        clause_any(clause, &other->any[i]);
    }
}

/* The rarest thing that the clause asks for, as a set; empty when it asks for nothing. */
static struct rp_byte_set rarest_of(const struct rp_clause *clause) {
    struct rp_byte_set best = {{0}};
    unsigned rarity = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        if (rp_byte_in(&clause->all, (uint8_t)byte) && rp_rarity((uint8_t)byte) > rarity) {
            rarity = rp_rarity((uint8_t)byte);
            best = (struct rp_byte_set){{0}};
            set_add_both(&best, (uint8_t)byte);
        }
    }
    for (size_t i = 0; i < clause->any_count; i++) {
        bool rarer = is_empty(&best) || rp_bytes_chance(&clause->any[i]) < rp_bytes_chance(&best);
        best = rarer ? clause->any[i] : best;
    }
    return best;
}

/* What both ask for. */
static void clause_or(struct rp_clause *clause, const struct rp_clause *other) {
    struct rp_byte_set one = rarest_of(clause);
    struct rp_byte_set two = rarest_of(other);
    bool either = !is_empty(&one) && !is_empty(&two);
    for (size_t word = 0; word < RP_COUNT_OF(clause->all.bits); word++) {
        clause->all.bits[word] &= other->all.bits[word];
    }
    clause->any_count = 0;
    if (either) {
        set_or(&one, &two);
        clause_any(clause, &one);
    }
}

/* ---- lists ---- */

void rp_clause_list_start(struct rp_clause_list *list) {
    list->p[0] = (struct rp_clause){.any_count = 0};
    list->n = 1;
}

static void list_add(struct rp_clause_list *list, const struct rp_clause *clause) {
    if (list->n < RP_CLAUSES_MAX) {
        list->p[list->n] = *clause;
    } else {
        clause_or(&list->p[list->n % RP_CLAUSES_MAX], clause);
    }
    list->n++;
}

static void list_of_texts(struct rp_clause_list *list, struct rp_texts texts) {
    for (size_t i = 0; i < texts.n; i++) {
        struct rp_clause clause = {.any_count = 0};
        for (size_t byte = 0; byte < texts.p[i].n; byte++) {
            set_add(&clause.all, texts.p[i].p[byte]);
        }
        list_add(list, &clause);
    }
}

/* More were put together into those that there is room for. */
static size_t kept(const struct rp_clause_list *list) {
    return RP_MIN(list->n, (size_t)RP_CLAUSES_MAX);
}

/* One byte of several, as of a class: a set, where texts would be a clause each. */
static bool is_one_byte(const struct rp_part *part, struct rp_byte_set *ret_set) {
    struct rp_byte_set set = {{0}};
    for (size_t i = 0; i < part->prefix.n; i++) {
        if (part->prefix.p[i].n != 1) {
            return false;
        }
        set_add_both(&set, part->prefix.p[i].p[0]);
    }
    *ret_set = set;
    return part->exact && part->prefix.n > 1;
}

void rp_clause_list_either(struct rp_clause_list *list, const struct rp_part *part) {
    struct rp_clause nothing = {.any_count = 0};
    struct rp_byte_set set;
    if (is_one_byte(part, &set)) {
        clause_any(&nothing, &set);
        list_add(list, &nothing);
    } else if (part->clauses.n > 0) {
        for (size_t i = 0; i < part->clauses.n; i++) {
            list_add(list, &part->clauses.p[i]);
        }
    } else if (part->exact || part->has_best) {
        list_of_texts(list, part->exact ? part->prefix : part->best);
    } else if (part->has_bytes) {
        clause_any(&nothing, &part->bytes);
        list_add(list, &nothing);
    } else {
        list_add(list, &nothing);
    }
}

void rp_clause_list_then(struct rp_clause_list *list, const struct rp_part *part) {
    struct rp_clause_list next = {.n = 0};
    rp_clause_list_either(&next, part);
    size_t n = kept(list);
    size_t m = kept(&next);
    if (n * m > RP_CLAUSES_MAX) { /* too many together: what all of the next ask for */
        for (size_t i = 1; i < m; i++) {
            clause_or(&next.p[0], &next.p[i]);
        }
        m = 1;
    }
    struct rp_clause before[RP_CLAUSES_MAX];
    memcpy(before, list->p, n * sizeof *before);
    list->n = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < m; j++) {
            struct rp_clause both = before[i];
            clause_and(&both, &next.p[j]);
            list_add(list, &both);
        }
    }
}

struct rp_clauses rp_clause_list_keep(const struct rp_clause_list *list, struct rp_arena *arena,
                                      bool *ok) {
    for (size_t i = 0; i < kept(list); i++) {
        if (is_empty(&list->p[i].all) && list->p[i].any_count == 0) {
            return (struct rp_clauses){NULL, 0}; /* a clause that asks for nothing */
        }
    }
    struct rp_clause *copy = rp_arena_array(arena, kept(list), sizeof *copy);
    if (copy == NULL) {
        *ok = false;
        return (struct rp_clauses){NULL, 0};
    }
    memcpy(copy, list->p, kept(list) * sizeof *copy);
    return (struct rp_clauses){copy, kept(list)};
}

/* ---- asked ---- */

static bool meets(const struct rp_byte_set *a, const struct rp_byte_set *b) {
    return ((a->bits[0] & b->bits[0]) | (a->bits[1] & b->bits[1]) | (a->bits[2] & b->bits[2]) |
            (a->bits[3] & b->bits[3])) != 0;
}

static bool lacks(const struct rp_byte_set *present, const struct rp_byte_set *wanted) {
    return ((wanted->bits[0] & ~present->bits[0]) | (wanted->bits[1] & ~present->bits[1]) |
            (wanted->bits[2] & ~present->bits[2]) | (wanted->bits[3] & ~present->bits[3])) != 0;
}

bool rp_clauses_allow(struct rp_clauses clauses, const struct rp_byte_set *present) {
    struct rp_byte_set either_case = *present;
    either_case.bits[1] |= (present->bits[1] & UINT64_C(0x07fffffe)) << 32;
    for (size_t i = 0; i < clauses.n; i++) {
        const struct rp_clause *clause = &clauses.p[i];
        bool fits = !lacks(&either_case, &clause->all);
        for (size_t set = 0; fits && set < clause->any_count; set++) {
            fits = meets(&either_case, &clause->any[set]);
        }
        if (fits) {
            return true;
        }
    }
    return clauses.n == 0;
}
