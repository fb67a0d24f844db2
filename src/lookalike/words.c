#include "lookalike/words.h"

#include "base/assert.h"
#include "base/checked.h"
#include "lookalike/edits.h"

static const rp_view words[] = {
#define RP_WORD(text) RP_VIEW_INIT(text),
#include "lookalike/words.def"
#undef RP_WORD
};

/* A name of three letters stands in too many words, and one of five is too near to others. */
enum { JOINED_LEAST = 4, HYPHENED_LEAST = 3, SLIP_LEAST = 6 };

/* A stretch of a label, as it stands or as skeletons have it. */
struct piece {
    const uint32_t *p;
    size_t n;
    bool folded;
};

static struct piece piece_of(const struct rp_points *points, size_t from, size_t to, bool folded) {
    RP_ASSERT(from <= to && to <= points->n);
    return (struct piece){points->p + from, to - from, folded};
}

static bool begins_with(const struct piece *piece, size_t at, rp_view word) {
    struct rp_points plain = {.n = word.n}, wanted;
    for (size_t i = 0; i < word.n; i++) {
        plain.p[i] = word.p[i];
    }
    wanted = plain;
    if (piece->folded) {
        rp_skeleton(&plain, &wanted);
    }
    return piece->n - at >= wanted.n &&
           __builtin_memcmp(piece->p + at, wanted.p, wanted.n * sizeof wanted.p[0]) == 0;
}

/* How many characters the word takes in this piece. */
static size_t length_in(const struct piece *piece, rp_view word) {
    struct rp_points plain = {.n = word.n}, folded;
    for (size_t i = 0; i < word.n; i++) {
        plain.p[i] = word.p[i];
    }
    rp_skeleton(&plain, &folded);
    return piece->folded ? folded.n : word.n;
}

/* Nothing but words, joined or with hyphens between them; nothing at all counts. */
static bool is_words(struct piece piece) {
    bool reached[RP_POINTS_MAX + 1] = {true};
    for (size_t at = 0; at < piece.n; at++) {
        if (!reached[at]) {
            continue;
        }
        if (piece.p[at] == '-') {
            reached[at + 1] = true;
        }
        for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
            if (begins_with(&piece, at, words[i])) {
                reached[at + length_in(&piece, words[i])] = true;
            }
        }
    }
    return reached[piece.n];
}

/* Our name at this place, and around it words. */
static bool has_words_around(const struct rp_points *ours, const struct rp_points *label, size_t at,
                             bool folded) {
    size_t end = at + ours->n;
    bool alone_before = at == 0 || label->p[at - 1] == '-';
    bool alone_behind = end == label->n || label->p[end] == '-';
    size_t least = alone_before && alone_behind ? HYPHENED_LEAST : JOINED_LEAST;
    return ours->n >= least && ours->n < label->n && is_words(piece_of(label, 0, at, folded)) &&
           is_words(piece_of(label, end, label->n, folded));
}

static bool has_name_and_words(const struct rp_points *ours, const struct rp_points *label,
                               bool folded) {
    for (size_t at = 0; at + ours->n <= label->n; at++) {
        bool here = __builtin_memcmp(label->p + at, ours->p, ours->n * sizeof ours->p[0]) == 0;
        if (here && has_words_around(ours, label, at, folded)) {
            return true;
        }
    }
    return false;
}

/* One of the pieces between hyphens is a slip of our name, all others are words. */
static bool has_slip_and_words(const struct rp_points *ours, const struct rp_points *label) {
    size_t slips = 0, others = 0;
    for (size_t from = 0, to = 0; from <= label->n; from = to + 1) {
        struct rp_points one = {.n = 0};
        for (to = from; to < label->n && label->p[to] != '-'; to++) {
            one.p[one.n++] = label->p[to];
        }
        if (rp_one_edit(ours, &one) != RP_LOOKALIKE_NONE) {
            slips++;
        } else if (one.n > 0 && is_words(piece_of(label, from, to, false))) {
            others++;
        } else {
            return false;
        }
    }
    return slips == 1 && others > 0;
}

bool rp_has_words(const struct rp_watched_name *own, const struct rp_points *label,
                  const struct rp_points *skeleton) {
    return has_name_and_words(&own->label, label, false) ||
           has_name_and_words(&own->skeleton, skeleton, true) ||
           (own->label.n >= SLIP_LEAST && has_slip_and_words(&own->label, label));
}
