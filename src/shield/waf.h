/* waf.h — an opened image: its rows, its expressions compiled, and what each expression needs at
 * the least. Read-only after rp_waf_open. */
#ifndef RP_SHIELD_WAF_H
#define RP_SHIELD_WAF_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "shield/compile.h"
#include "shield/literals_format.h"

/* An expression, and four things without which it cannot match; each is cheap to ask. */
struct rp_waf_pattern {
    pcre2_code *code;
    pcre2_code *at_start;  /* the same at a text's first byte only; of numbers with check digits */
    pcre2_code *stoppable; /* with a callout before each item, for the interpreter; NULL of those
                              that are made for one transaction */
    bool jit;
    bool takes_all;    /* matches every text, from its start to its end */
    bool is_divisible; /* a search from a later place finds what the first one would have */
    uint32_t min_bytes, captures;
    struct rp_byte_set first, last; /* any byte of it must occur; all bytes when nothing is known */
    struct rp_clauses clauses;      /* of the image */
};

/* An expression that selects names: TX:/^header_/. */
struct rp_waf_selector {
    uint64_t *hits;  /* the image's names that it means, a bit each; NULL: it has to be asked */
    rp_view literal; /* what every name holds that it means, in any case; n == 0: not known */
    bool begins;     /* it is ^literal: a name that begins with it, as it stands, is meant */
};

struct rp_waf_row_of_id {
    uint64_t id;
    uint32_t row;
};

/* A rule in brief, at its row: what settles it for most requests without a look at the rule. */
enum rp_waf_settled_by {
    RP_BY_ASKING,   /* nothing: the rule is asked */
    RP_BY_FILTER,   /* the prefilter's answers of its class */
    RP_BY_TX,       /* TX:name compared with a number, or with TX:other */
    RP_BY_TX_COUNT, /* &TX:name */
    RP_BY_TX_ANY,   /* several of both kinds; a match that writes is asked */
    RP_BY_NOTHING   /* SecAction */
};
struct rp_waf_brief {
    uint8_t by, op, group;
    bool negated;
    uint8_t targets;
    bool quiet;       /* a match writes TX variables and jumps; nobody else can tell */
    uint32_t subject; /* a class, a TX variable, or the first of the targets */
    uint32_t other;   /* the TX variable that is the argument; 0 = the number is */
    uint32_t bit, after, jump;
    int64_t number;
};

/* What is too short for any rule of a unit: what its pipeline made, and what it may make of a value
 * that it was not asked for yet. */
struct rp_waf_bounds {
    uint32_t least, shortest;
};

/* A unit of a class, with what gathering it asks for: rows of the image that lie far apart. */
struct rp_waf_member {
    uint64_t mask; /* of the unit's pipeline; 0 for a source, which has none */
    uint32_t unit, source, variable;
};

struct rp_waf {
    struct rp_image image;
    struct rp_waf_pattern *patterns;
    struct rp_waf_selector *selectors; /* by expression */
    struct rp_waf_brief *briefs;
    struct rp_waf_bounds *bounds;  /* by unit */
    struct rp_waf_member *members; /* in the order of the image's */
    uint32_t *alike; /* by class: the first one that looks at the same, whatever the pipeline */
    struct rp_literals literals[RP_IMAGE_GROUPS]; /* where the group's prefilter lies */
    struct rp_waf_row_of_id *ids;                 /* sorted */
    size_t id_count;
    /* Of the transformations that any pipeline uses: those that one byte of a value is enough for,
     * by the byte; those that change any value; those that need two bytes. */
    uint64_t touched_by[256], touched_always, touched_by_two;
    size_t jit_bytes;
    uint8_t sha256[32];
};

/* brief.c: fills waf->briefs, bounds, members and alike; and one of waf->selectors. NO_MEMORY. */
rp_err rp_waf_briefs(struct rp_waf *waf);
rp_err rp_waf_selector_learn(struct rp_waf *waf, uint32_t pattern);

/* open.c: the row of a rule; NONE. */
uint32_t rp_waf_row(const struct rp_waf *waf, uint64_t id);
/* One expression; code == NULL when memory is out or PCRE2 refuses it. */
struct rp_waf_pattern rp_waf_pattern_new(rp_view text, bool nocase);

#endif
