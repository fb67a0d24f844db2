#include "shield/needs.h"

#include <stdlib.h>

#include "base/checked.h"
#include "shield/transform_parts.h"

enum {
    TEXT_MAX = 24,       /* a longer text says no more */
    ALIKE_MAX = 256,     /* texts, where two sets multiply */
    EITHER_MAX = 4096,   /* texts, where alternatives add up */
    EDGE_MAX = 512,      /* beginnings, ends */
    CLASS_MAX = 5,       /* bytes of a class that become texts: white space has six */
    REPEATS_MAX = 4,     /* that are written out */
    COMPARE_MAX = 600,   /* texts that are compared with each other, to drop longer ones */
    LITERALS_FAVOUR = 64 /* a set of bytes has to be so much rarer */
};

/* English, addresses, JSON; by hand from their shapes. Half a bit is a factor of 1.4. */
unsigned rp_rarity(uint8_t byte) {
    static const uint8_t letters[26] = {8, 11, 10, 9,  7, 11, 11, 10, 8,  16, 13, 9,  10,
                                        8, 8,  10, 17, 8, 8,  8,  10, 13, 12, 15, 11, 16};
    static const uint8_t signs[128] = {
        [' '] = 7,  ['"'] = 9,  ['%'] = 12,  ['&'] = 12,  ['\''] = 14, ['('] = 15, [')'] = 15,
        ['+'] = 13, [','] = 10, ['-'] = 11,  ['.'] = 10,  ['/'] = 10,  [':'] = 11, [';'] = 14,
        ['<'] = 16, ['='] = 11, ['>'] = 16,  ['?'] = 14,  ['['] = 14,  [']'] = 14, ['_'] = 11,
        ['{'] = 13, ['}'] = 13, ['\n'] = 14, ['\r'] = 16, ['\t'] = 16,
    };
    if (rp_is_alpha(byte)) {
        return letters[rp_to_lower(byte) - 'a'];
    }
    if (rp_is_digit(byte)) {
        return 10;
    }
    return byte >= 128 ? 18 : signs[byte] != 0 ? signs[byte] : 19;
}

static const rp_view nothing[1] = {{(const uint8_t *)"", 0}};
static const struct rp_texts unknown = {nothing, 1};

struct rp_part rp_part_empty(void) {
    return (struct rp_part){.exact = true, .prefix = unknown, .suffix = unknown};
}

struct rp_part rp_part_anything(void) {
    return (struct rp_part){.prefix = unknown, .suffix = unknown};
}

/* ---- how good a set is: the chance that it is met at a place of ordinary text ---- */

static double chance_of(unsigned half_bits) {
    return 1.0 / (double)(UINT64_C(1) << RP_MIN(half_bits / 2, 60)) *
           (half_bits % 2 == 1 ? 0.7 : 1.0);
}

static double texts_chance(struct rp_texts texts) {
    double chance = 0;
    for (size_t i = 0; i < texts.n; i++) {
        unsigned half_bits = 0;
        for (size_t byte = 0; byte < texts.p[i].n; byte++) {
            half_bits += rp_rarity(texts.p[i].p[byte]);
        }
        chance += chance_of(half_bits);
    }
    return chance;
}

double rp_bytes_chance(const struct rp_byte_set *set) {
    double chance = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        chance += rp_byte_in(set, (uint8_t)byte) ? chance_of(rp_rarity((uint8_t)byte)) : 0;
    }
    return chance;
}

static size_t shortest(struct rp_texts texts) {
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < texts.n; i++) {
        least = RP_MIN(least, texts.p[i].n);
    }
    return least;
}

static void set_with_case(struct rp_byte_set *set, uint8_t byte) {
    set->bits[byte >> 6] |= UINT64_C(1) << (byte & 63);
    if (rp_is_alpha(byte)) {
        byte ^= 0x20;
        set->bits[byte >> 6] |= UINT64_C(1) << (byte & 63);
    }
}

static void consider_bytes(struct rp_part *part, const struct rp_byte_set *bytes) {
    if (!part->has_bytes || rp_bytes_chance(bytes) < rp_bytes_chance(&part->bytes)) {
        part->has_bytes = true;
        part->bytes = *bytes;
    }
}

/* One of these texts must occur: a candidate, and so are the rarest bytes of each. */
static void consider(struct rp_part *part, struct rp_texts texts) {
    size_t least = shortest(texts);
    if (least >= 2 && (!part->has_best || texts_chance(texts) < texts_chance(part->best))) {
        part->has_best = true;
        part->best = texts;
    }
    if (least == 0) {
        return;
    }
    struct rp_byte_set bytes = {{0}};
    for (size_t i = 0; i < texts.n; i++) {
        uint8_t rarest = texts.p[i].p[0];
        for (size_t byte = 1; byte < texts.p[i].n; byte++) {
            uint8_t other = texts.p[i].p[byte];
            rarest = rp_rarity(other) > rp_rarity(rarest) ? other : rarest;
        }
        set_with_case(&bytes, rarest);
    }
    consider_bytes(part, &bytes);
}

static void consider_best_of(struct rp_part *part, const struct rp_part *from) {
    if (from->exact) {
        consider(part, from->prefix);
        return;
    }
    if (from->has_best) {
        consider(part, from->best);
    }
    if (from->has_bytes) {
        consider_bytes(part, &from->bytes);
    }
}

/* ---- sets of texts ---- */

static int by_text(const void *a, const void *b) {
    return rp_view_compare(*(const rp_view *)a, *(const rp_view *)b);
}

static struct rp_texts without_doubles(rp_view *texts, size_t n) {
    qsort(texts, n, sizeof *texts, by_text);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !rp_view_equal(texts[kept - 1], texts[i])) {
            texts[kept++] = texts[i];
        }
    }
    return (struct rp_texts){texts, kept};
}

static bool holds_nothing(struct rp_texts texts) {
    return texts.n == 1 && texts.p[0].n == 0;
}

static size_t longest(struct rp_texts texts) {
    size_t most = 0;
    for (size_t i = 0; i < texts.n; i++) {
        most = RP_MAX(most, texts.p[i].n);
    }
    return most;
}

static bool multiply_fits(struct rp_texts a, struct rp_texts b) {
    size_t product = a.n * b.n;
    bool few = product <= ALIKE_MAX || ((a.n == 1 || b.n == 1) && product <= EITHER_MAX);
    return few && longest(a) + longest(b) <= TEXT_MAX;
}

/* Every text of a followed by every one of b. */
static struct rp_texts multiply(struct rp_arena *arena, struct rp_texts a, struct rp_texts b,
                                bool *ok) {
    if (holds_nothing(a) || holds_nothing(b)) {
        return holds_nothing(a) ? b : a;
    }
    rp_view *texts = rp_arena_array(arena, a.n * b.n, sizeof *texts);
    uint8_t *bytes = rp_arena_array(arena, a.n * b.n, longest(a) + longest(b));
    if (texts == NULL || bytes == NULL) {
        *ok = false;
        return unknown;
    }
    size_t n = 0;
    for (size_t i = 0; i < a.n; i++) {
        for (size_t j = 0; j < b.n; j++) {
            memcpy(bytes, a.p[i].p, a.p[i].n);
            memcpy(bytes + a.p[i].n, b.p[j].p, b.p[j].n);
            texts[n++] = rp_view_of(bytes, a.p[i].n + b.p[j].n);
            bytes += a.p[i].n + b.p[j].n;
        }
    }
    return without_doubles(texts, n);
}

/* The texts of both; `unknown` over the limit. */
static struct rp_texts add(struct rp_arena *arena, struct rp_texts a, struct rp_texts b,
                           size_t most, bool *ok) {
    rp_view *texts = a.n + b.n <= most ? rp_arena_array(arena, a.n + b.n, sizeof *texts) : NULL;
    if (texts == NULL) {
        *ok = *ok && a.n + b.n > most;
        return unknown;
    }
    memcpy(texts, a.p, a.n * sizeof *texts);
    memcpy(texts + a.n, b.p, b.n * sizeof *texts);
    return without_doubles(texts, a.n + b.n);
}

/* ---- parts ---- */

struct rp_part rp_part_text(struct rp_arena *arena, rp_view text, bool *ok) {
    rp_view *one = rp_arena_alloc(arena, sizeof *one);
    uint8_t *bytes = rp_arena_alloc(arena, text.n);
    if (one == NULL || bytes == NULL) {
        *ok = false;
        return rp_part_anything();
    }
    for (size_t i = 0; i < text.n; i++) {
        bytes[i] = rp_to_lower(text.p[i]);
    }
    *one = rp_view_of(bytes, text.n);
    struct rp_texts texts = {one, 1};
    return (struct rp_part){.exact = true, .prefix = texts, .suffix = texts};
}

struct rp_part rp_part_class(struct rp_arena *arena, const struct rp_byte_set *set, bool *ok) {
    uint8_t *bytes = rp_arena_alloc(arena, 256);
    rp_view *texts = rp_arena_array(arena, CLASS_MAX, sizeof *texts);
    struct rp_part part = rp_part_anything();
    if (bytes == NULL || texts == NULL) {
        *ok = false;
        return part;
    }
    struct rp_byte_set with_case = {{0}};
    size_t n = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t low = rp_to_lower((uint8_t)byte);
        if (rp_byte_in(set, (uint8_t)byte) && !rp_byte_in(&with_case, low)) {
            set_with_case(&with_case, low);
            bytes[n] = low;
            if (n < CLASS_MAX) {
                texts[n] = rp_view_of(&bytes[n], 1);
            }
            n++;
        }
    }
    if (n > 0 && n <= CLASS_MAX) {
        part.exact = true;
        part.prefix = part.suffix = (struct rp_texts){texts, n};
    } else if (n > 0) {
        part.has_bytes = true;
        part.bytes = with_case;
    }
    return part;
}

struct rp_part rp_part_join(struct rp_arena *arena, const struct rp_part *a,
                            const struct rp_part *b, bool *ok) {
    struct rp_part part = rp_part_anything();
    bool fits = multiply_fits(a->suffix, b->prefix);
    struct rp_texts middle = fits ? multiply(arena, a->suffix, b->prefix, ok) : unknown;
    part.exact = a->exact && b->exact && fits;
    part.prefix = a->exact && fits ? middle : a->prefix;
    part.suffix = b->exact && fits ? middle : b->suffix;
    if (part.exact) {
        return part;
    }
    if (fits) {
        consider(&part, middle);
    } else {
        consider(&part, a->suffix);
        consider(&part, b->prefix);
    }
    consider_best_of(&part, a);
    consider_best_of(&part, b);
    return part;
}

/* Of texts that are many, their beginnings say enough. */
static struct rp_texts edges(struct rp_arena *arena, const struct rp_texts a,
                             const struct rp_texts b, bool *ok) {
    return add(arena, a, b, EDGE_MAX, ok);
}

struct rp_part rp_part_either(struct rp_arena *arena, const struct rp_part *a,
                              const struct rp_part *b, bool *ok) {
    struct rp_part part = rp_part_anything();
    if (a->exact && b->exact && a->prefix.n + b->prefix.n <= EITHER_MAX) {
        part.exact = true;
        part.prefix = part.suffix = add(arena, a->prefix, b->prefix, EITHER_MAX, ok);
        return part;
    }
    part.prefix = edges(arena, a->prefix, b->prefix, ok);
    part.suffix = edges(arena, a->suffix, b->suffix, ok);
    struct rp_part left = rp_part_anything();
    struct rp_part right = rp_part_anything();
    consider_best_of(&left, a);
    consider_best_of(&right, b);
    if (left.has_best && right.has_best && left.best.n + right.best.n <= EITHER_MAX) {
        part.has_best = true;
        part.best = add(arena, left.best, right.best, EITHER_MAX, ok);
    }
    if (left.has_bytes && right.has_bytes) {
        part.has_bytes = true;
        for (size_t word = 0; word < RP_COUNT_OF(part.bytes.bits); word++) {
            part.bytes.bits[word] = left.bytes.bits[word] | right.bytes.bits[word];
        }
    }
    return part;
}

struct rp_part rp_part_repeat(struct rp_arena *arena, const struct rp_part *a, unsigned least,
                              unsigned most, bool *ok) {
    if (most == 0) {
        return rp_part_empty();
    }
    if (least == 0) {
        struct rp_part empty = rp_part_empty();
        return most == 1 && a->exact ? rp_part_either(arena, a, &empty, ok) : rp_part_anything();
    }
    struct rp_part part = *a;
    for (unsigned i = 1; i < RP_MIN(least, REPEATS_MAX); i++) {
        part = rp_part_join(arena, &part, a, ok);
    }
    if (most == least && least <= REPEATS_MAX) {
        return part;
    }
    /* More may stand in between; it still begins and ends like this. */
    struct rp_part open = {.prefix = part.prefix, .suffix = part.suffix};
    consider_best_of(&open, &part);
    return open;
}

/* ---- the whole ---- */

/* A text that holds another one of the set adds nothing. */
static struct rp_texts without_longer(struct rp_arena *arena, struct rp_texts texts, bool *ok) {
    rp_view *kept = rp_arena_array(arena, texts.n, sizeof *kept);
    if (kept == NULL) {
        *ok = false;
        return texts;
    }
    size_t n = 0;
    for (size_t i = 0; i < texts.n; i++) {
        bool covered = false;
        for (size_t j = 0; texts.n <= COMPARE_MAX && j < texts.n && !covered; j++) {
            covered =
                texts.p[j].n < texts.p[i].n && rp_view_find(texts.p[i], texts.p[j]) < texts.p[i].n;
        }
        if (!covered) {
            kept[n++] = texts.p[i];
        }
    }
    return (struct rp_texts){kept, n};
}

struct rp_needs rp_part_needs(struct rp_arena *arena, const struct rp_part *part, bool *ok) {
    struct rp_part whole = rp_part_anything();
    consider_best_of(&whole, part);
    if (whole.has_best &&
        (!whole.has_bytes ||
         texts_chance(whole.best) <= LITERALS_FAVOUR * rp_bytes_chance(&whole.bytes))) {
        struct rp_texts best = without_longer(arena, whole.best, ok);
        return (struct rp_needs){.literals = best.p, .literal_count = best.n};
    }
    uint64_t every = UINT64_MAX;
    for (size_t word = 0; word < RP_COUNT_OF(whole.bytes.bits); word++) {
        every &= whole.bytes.bits[word];
    }
    if (whole.has_bytes && every != UINT64_MAX) {
        return (struct rp_needs){.needs_byte = true, .bytes = whole.bytes};
    }
    return (struct rp_needs){.always = true};
}
