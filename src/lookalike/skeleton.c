#include "lookalike/skeleton.h"

#include "base/assert.h"
#include "base/checked.h"

struct like {
    uint32_t point;
    char letters[4];
};

static const struct like likes[] = {
#define RP_LIKE(point, letters) {point, letters},
#include "lookalike/confusables.def"
#undef RP_LIKE
};

static const char *find_like(uint32_t point) {
    size_t low = 0, high = RP_COUNT_OF(likes);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (likes[middle].point == point) {
            return likes[middle].letters;
        }
        if (likes[middle].point < point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* Marks above and below, and what takes no room: a reader does not see them. */
static bool is_unseen(uint32_t c) {
    return c == 0xAD || (c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2060 && c <= 0x2064) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF;
}

static uint32_t fold(uint32_t c) {
    static const char digits[] = "olzeas6tbg"; /* 0 to 9; 6 looks like no letter of its own */
    if (c >= '0' && c <= '9') {
        return (uint8_t)digits[c - '0'];
    }
    return c == 'i' ? 'l' : c;
}

static void add(struct rp_points *out, uint32_t c) {
    RP_ASSERT(out->n < RP_POINTS_MAX);
    out->p[out->n++] = c;
}

/* Pairs that look like one letter; a replacement may begin the next pair, so once is enough. */
static void join_pairs(struct rp_points *out) {
    static const char pairs[][3] = {{'r', 'n', 'm'}, {'v', 'v', 'w'}, {'c', 'l', 'd'}};
    size_t to = 0;
    for (size_t i = 0; i < out->n; i++) {
        uint32_t c = out->p[i];
        for (size_t k = 0; k < RP_COUNT_OF(pairs) && i + 1 < out->n; k++) {
            if (c == (uint8_t)pairs[k][0] && out->p[i + 1] == (uint8_t)pairs[k][1]) {
                c = (uint8_t)pairs[k][2];
                i++;
                break;
            }
        }
        out->p[to++] = c;
    }
    out->n = to;
}

void rp_skeleton(const struct rp_points *label, struct rp_points *ret_skeleton) {
    struct rp_points out = {.n = 0};
    RP_ASSERT(label->n <= RP_LABEL_MAX);
    for (size_t i = 0; i < label->n; i++) {
        uint32_t c = label->p[i];
        const char *like = c < 0x80 ? NULL : find_like(c);
        if (is_unseen(c)) {
            continue;
        }
        if (!like) {
            add(&out, fold(c));
        }
        for (; like && *like; like++) {
            add(&out, fold((uint8_t)*like));
        }
    }
    join_pairs(&out);
    *ret_skeleton = out;
}

bool rp_points_equal(const struct rp_points *a, const struct rp_points *b) {
    return a->n == b->n && __builtin_memcmp(a->p, b->p, a->n * sizeof a->p[0]) == 0;
}
