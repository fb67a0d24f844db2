/* waf.h — an opened image: its rows, its expressions compiled, and what each expression needs at
 * the least. Read-only after rp_waf_open. */
#ifndef RP_SHIELD_WAF_H
#define RP_SHIELD_WAF_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "shield/compile.h"

/* An expression, and four things without which it cannot match; each is cheap to ask. */
struct rp_waf_pattern {
    pcre2_code *code;
    bool jit;
    uint32_t min_bytes, captures;
    struct rp_byte_set first, last; /* any byte of it must occur; all bytes when nothing is known */
    struct rp_clauses clauses;      /* of the image */
};

struct rp_waf_row_of_id {
    uint64_t id;
    uint32_t row;
};

struct rp_waf {
    struct rp_image image;
    struct rp_waf_pattern *patterns;
    struct rp_byte_set *name_sets; /* of the image's names, which expressions select from */
    struct rp_waf_row_of_id *ids;  /* sorted */
    size_t id_count;
    /* Of the transformations that any pipeline uses: those that one byte of a value is enough for,
     * by the byte; those that change any value; those that need two bytes. */
    uint64_t touched_by[256], touched_always, touched_by_two;
    size_t jit_bytes;
    uint8_t sha256[32];
};

/* The row of a rule; NONE. */
uint32_t rp_waf_row(const struct rp_waf *waf, uint64_t id);
/* One expression; code == NULL when memory is out or PCRE2 refuses it. */
struct rp_waf_pattern rp_waf_pattern_new(rp_view text, bool nocase);

#endif
