/* phrases_format.h — the automaton's bytes; for phrases*.c only.
 *
 * Aho and Corasick's automaton in a double array: the child of state s by a byte of class c is
 * slot base[s] + c, if that slot's `check` is s. Where there is none, the search goes on in `fail`.
 * Before it starts it passes over the pairs of bytes that no phrase begins with.
 */
#ifndef RP_SHIELD_PHRASES_FORMAT_H
#define RP_SHIELD_PHRASES_FORMAT_H

#include "shield/transform.h"

enum {
    RP_PHRASES_MAGIC = 0x31504d50, /* "PMP1" */
    RP_PHRASES_SLOTS_MAX = 1 << 24,
    RP_PHRASE_MAX = 4096,
    RP_PHRASES_NO_SLOT = -1
};

struct rp_phrases_head {
    uint32_t magic, slots, classes, rows;
    uint8_t class_of[256]; /* 0: in no phrase */
    uint8_t row_of[256];   /* by the first byte; row 0 is empty */
    /* rows × struct rp_byte_set, the second bytes; slots × struct rp_phrases_slot */
};
_Static_assert(sizeof(struct rp_phrases_head) == 528, "no gaps, and what follows is aligned");

struct rp_phrases_slot {
    uint32_t base;
    uint32_t check; /* the parent; RP_PHRASES_NO_SLOT: unused, or the root */
    uint32_t fail;  /* the longest proper suffix that is a state too */
    uint16_t depth; /* bytes read from the root */
    uint16_t out;   /* the longest phrase that ends here; 0 = none */
};
_Static_assert(sizeof(struct rp_phrases_slot) == 16, "no gaps");

#endif
