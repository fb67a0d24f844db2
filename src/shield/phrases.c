#include "shield/phrases.h"

#include "base/checked.h"
#include "shield/phrases_format.h"
#include "shield/transform_parts.h"

struct automaton {
    const struct rp_phrases_head *head;
    const struct rp_byte_set *rows;
    const struct rp_phrases_slot *slots;
};

static struct automaton automaton_of(rp_view bytes) {
    struct automaton a = {.head = (const void *)bytes.p};
    a.rows = (const void *)(bytes.p + sizeof *a.head);
    a.slots = (const void *)(bytes.p + sizeof *a.head + a.head->rows * sizeof *a.rows);
    return a;
}

/* ---- what the search relies on, proven once ---- */

static bool sizes_fit(rp_view bytes) {
    const struct rp_phrases_head *head = (const void *)bytes.p;
    if (head->magic != RP_PHRASES_MAGIC || head->rows == 0 || head->rows > 256 ||
        head->classes > 255 || head->slots > RP_PHRASES_SLOTS_MAX || head->slots <= head->classes) {
        return false;
    }
    return bytes.n == sizeof *head + head->rows * sizeof(struct rp_byte_set) +
                          head->slots * sizeof(struct rp_phrases_slot);
}

static bool bytes_fit(const struct rp_phrases_head *head) {
    for (size_t byte = 0; byte < 256; byte++) {
        if (head->class_of[byte] > head->classes || head->row_of[byte] >= head->rows) {
            return false;
        }
    }
    return true;
}

/* A child is one deeper than its parent, a suffix is shorter than its state: so each step of the
 * search ends, and no phrase is longer than what was read. */
static bool slot_fits(const struct automaton *a, uint32_t at) {
    const struct rp_phrases_slot *slot = &a->slots[at];
    if (slot->base > a->head->slots - 1 - a->head->classes) {
        return false;
    }
    if (at == 0) {
        return slot->check == (uint32_t)RP_PHRASES_NO_SLOT && slot->fail == 0 && slot->depth == 0 &&
               slot->out == 0;
    }
    if (slot->check == (uint32_t)RP_PHRASES_NO_SLOT) {
        return true;
    }
    return slot->check < a->head->slots && slot->fail < a->head->slots &&
           slot->depth == a->slots[slot->check].depth + 1u &&
           a->slots[slot->fail].depth < slot->depth && slot->out <= slot->depth;
}

bool rp_phrases_check(rp_view bytes) {
    if (bytes.p == NULL || bytes.n < sizeof(struct rp_phrases_head) ||
        (uintptr_t)bytes.p % _Alignof(struct rp_byte_set) != 0 || !sizes_fit(bytes)) {
        return false;
    }
    struct automaton a = automaton_of(bytes);
    bool fits = bytes_fit(a.head);
    for (uint32_t at = 0; fits && at < a.head->slots; at++) {
        fits = slot_fits(&a, at);
    }
    return fits;
}

/* ---- the search ---- */

static uint32_t step(const struct automaton *a, uint32_t state, uint8_t class) {
    if (class == 0) {
        return 0;
    }
    for (;;) {
        uint32_t child = a->slots[state].base + class;
        if (a->slots[child].check == state) {
            return child;
        }
        if (state == 0) {
            return 0;
        }
        state = a->slots[state].fail;
    }
}

/* The next index at which a phrase can begin. */
static size_t skip(const struct automaton *a, rp_view value, size_t at) {
    while (at + 1 < value.n &&
           !rp_byte_in(&a->rows[a->head->row_of[value.p[at]]], value.p[at + 1])) {
        at++;
    }
    return at;
}

bool rp_phrases_find(rp_view automaton, rp_view value, rp_view *ret_match) {
    struct automaton a = automaton_of(automaton);
    size_t at = 0;
    uint32_t state = 0;
    while (at < value.n) {
        at = state == 0 ? skip(&a, value, at) : at;
        state = step(&a, state, a.head->class_of[value.p[at++]]);
        size_t found = a.slots[state].out;
        if (found > 0) {
            *ret_match = rp_view_of(value.p + at - found, found);
            return true;
        }
    }
    return false;
}
