#include "lookalike/edits.h"

#include "base/checked.h"

/* Rows of keys; a column's number is its place. */
static const char *const keyboards[][4] = {
    {"1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"},
    {"1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"},
};
enum { ROWS = 4 };

static bool find_key(const char *const rows[ROWS], uint32_t c, int *ret_row, int *ret_column) {
    for (int row = 0; row < ROWS && c < 0x80; row++) {
        const char *at = c ? strchr(rows[row], (int)c) : NULL;
        if (at) {
            *ret_row = row;
            *ret_column = (int)(at - rows[row]);
            return true;
        }
    }
    return false;
}

static bool are_neighbours(uint32_t a, uint32_t b) {
    for (size_t k = 0; k < RP_COUNT_OF(keyboards); k++) {
        int row_a, column_a, row_b, column_b;
        if (find_key(keyboards[k], a, &row_a, &column_a) &&
            find_key(keyboards[k], b, &row_b, &column_b) && abs(row_a - row_b) <= 1 &&
            abs(column_a - column_b) <= 1) {
            return true;
        }
    }
    return false;
}

static bool one_bit_apart(uint32_t a, uint32_t b) {
    return __builtin_popcount(a ^ b) == 1;
}

/* How many characters are the same from the start. */
static size_t same_start(const struct rp_points *a, const struct rp_points *b) {
    size_t i = 0;
    while (i < a->n && i < b->n && a->p[i] == b->p[i]) {
        i++;
    }
    return i;
}

static bool same_from(const struct rp_points *a, size_t from_a, const struct rp_points *b,
                      size_t from_b) {
    return a->n - from_a == b->n - from_b &&
           (a->n == from_a ||
            __builtin_memcmp(a->p + from_a, b->p + from_b, (a->n - from_a) * sizeof a->p[0]) == 0);
}

static enum rp_lookalike_kind changed(const struct rp_points *own, const struct rp_points *seen,
                                      size_t at) {
    uint32_t ours = own->p[at], theirs = seen->p[at];
    if (same_from(own, at + 1, seen, at + 1)) {
        if (ours == '-' || theirs == '-') {
            return RP_LOOKALIKE_NONE; /* two words are not read as one: moncoffre, mon-offre */
        }
        return are_neighbours(ours, theirs)  ? RP_LOOKALIKE_NEIGHBOUR
               : one_bit_apart(ours, theirs) ? RP_LOOKALIKE_BIT
                                             : RP_LOOKALIKE_LETTER;
    }
    bool swapped = at + 1 < own->n && ours == seen->p[at + 1] && theirs == own->p[at + 1] &&
                   same_from(own, at + 2, seen, at + 2);
    return swapped ? RP_LOOKALIKE_TRANSPOSITION : RP_LOOKALIKE_NONE;
}

static enum rp_lookalike_kind added(const struct rp_points *own, const struct rp_points *seen,
                                    size_t at) {
    if (at == 0 || !same_from(own, at, seen, at + 1)) {
        return same_from(own, at, seen, at + 1) ? RP_LOOKALIKE_LETTER : RP_LOOKALIKE_NONE;
    }
    return seen->p[at] == seen->p[at - 1] ? RP_LOOKALIKE_REPETITION : RP_LOOKALIKE_LETTER;
}

enum rp_lookalike_kind rp_one_edit(const struct rp_points *own, const struct rp_points *seen) {
    size_t at = same_start(own, seen);
    if (own->n == seen->n) {
        return at == own->n ? RP_LOOKALIKE_NONE : changed(own, seen, at);
    }
    if (own->n + 1 == seen->n) {
        return added(own, seen, at);
    }
    bool omitted = own->n == seen->n + 1 && same_from(own, at + 1, seen, at);
    return omitted ? RP_LOOKALIKE_OMISSION : RP_LOOKALIKE_NONE;
}
