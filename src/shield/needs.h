/* needs.h — what every text that an expression matches must contain, put together from its parts;
 * for needs*.c and literals_build.c only.
 *
 * A part is known exactly (the few texts it can match), or by its beginnings and ends, and by the
 * best sets found in it: literals one of which must occur, bytes one of which must occur. Where
 * parts meet, the ends of the left one and the beginnings of the right one make longer literals.
 * Texts are lower case throughout: case is never told apart. Sets have limits; past one of them a
 * set is given up, never cut, so that what is said stays true.
 */
#ifndef RP_SHIELD_NEEDS_H
#define RP_SHIELD_NEEDS_H

#include "shield/clauses.h"
#include "shield/literals.h"

struct rp_texts {
    const rp_view *p;
    size_t n;
};

struct rp_part {
    bool exact;                     /* prefix is the whole set, and suffix the same */
    struct rp_texts prefix, suffix; /* {""}: nothing known */
    bool has_best;
    struct rp_texts best; /* two bytes and more each */
    bool has_bytes;
    struct rp_byte_set bytes;
    struct rp_clauses clauses; /* of groups and sequences; n 0: what is above says it */
};

/* Clauses being put together: more than there is room for become weaker ones. */
struct rp_clause_list {
    struct rp_clause p[RP_CLAUSES_MAX];
    size_t n;
};

enum { RP_REPEAT_FOREVER = 1 << 20 };

/* Each allocates in the arena; NULL-safe failure: *ok turns false and stays so. */
struct rp_part rp_part_empty(void);
struct rp_part rp_part_anything(void); /* also nothing at all */
struct rp_part rp_part_text(struct rp_arena *arena, rp_view text, bool *ok);
struct rp_part rp_part_class(struct rp_arena *arena, const struct rp_byte_set *set, bool *ok);
struct rp_part rp_part_join(struct rp_arena *arena, const struct rp_part *a,
                            const struct rp_part *b, bool *ok);
struct rp_part rp_part_either(struct rp_arena *arena, const struct rp_part *a,
                              const struct rp_part *b, bool *ok);
struct rp_part rp_part_repeat(struct rp_arena *arena, const struct rp_part *a, unsigned least,
                              unsigned most, bool *ok);
/* The better of what is known of the whole. */
struct rp_needs rp_part_needs(struct rp_arena *arena, const struct rp_part *part, bool *ok);

/* needs_clauses.c: begins with one clause that asks for nothing; the part follows; the part is one
 * more possibility of a list that began empty. */
void rp_clause_list_start(struct rp_clause_list *list);
void rp_clause_list_then(struct rp_clause_list *list, const struct rp_part *part);
void rp_clause_list_either(struct rp_clause_list *list, const struct rp_part *part);
struct rp_clauses rp_clause_list_keep(const struct rp_clause_list *list, struct rp_arena *arena,
                                      bool *ok);

/* ---- needs.c ---- */

/* How rare a byte is in ordinary text, in half bits. */
unsigned rp_rarity(uint8_t byte);
/* The chance that one of the bytes stands at a place of ordinary text. */
double rp_bytes_chance(const struct rp_byte_set *set);

#endif
