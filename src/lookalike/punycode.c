#include "lookalike/punycode.h"

#include "base/assert.h"

/* RFC 3492 section 5. */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, BIAS = 72, FIRST = 128 };
enum { POINT_MAX = 0x10FFFF };

static uint32_t adapt(uint32_t delta, uint32_t count, bool first) {
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / count;
    while (delta > (BASE - T_MIN) * T_MAX / 2) {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias) {
    return k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
}

static bool read_digit(uint8_t c, uint32_t *ret_digit) {
    c = rp_lower(c);
    bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
    *ret_digit = letter ? (uint32_t)c - 'a' : (uint32_t)c - '0' + 26;
    return letter || digit;
}

static char digit_of(uint32_t digit) {
    return (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);
}

/* A number of variable length (section 3.3), added to *i. */
static bool read_delta(rp_view *rest, uint32_t bias, uint32_t *i) {
    uint32_t weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t digit, add, t = threshold(k, bias);
        if (rest->n == 0 || !read_digit(rest->p[0], &digit)) {
            return false;
        }
        *rest = rp_view_from(*rest, 1);
        if (__builtin_mul_overflow(digit, weight, &add) || __builtin_add_overflow(*i, add, i)) {
            return false;
        }
        if (digit < t) {
            return true;
        }
        if (__builtin_mul_overflow(weight, BASE - t, &weight)) {
            return false;
        }
    }
}

static bool insert(struct rp_points *points, uint32_t at, uint32_t point) {
    bool character = point >= FIRST && point <= POINT_MAX && (point < 0xD800 || point > 0xDFFF);
    if (points->n == RP_LABEL_MAX || !character) {
        return false;
    }
    RP_ASSERT(at <= points->n);
    memmove(points->p + at + 1, points->p + at, (points->n - at) * sizeof points->p[0]);
    points->p[at] = point;
    points->n++;
    return true;
}

/* What stands before the last hyphen is there as it is. */
static bool read_basic(rp_view *rest, struct rp_points *points) {
    size_t end = rest->n;
    while (end > 0 && rest->p[end - 1] != '-') {
        end--;
    }
    for (size_t i = 0; end > 0 && i < end - 1; i++) {
        if (rest->p[i] >= FIRST) {
            return false;
        }
        points->p[points->n++] = rp_lower(rest->p[i]);
    }
    *rest = rp_view_from(*rest, end);
    return true;
}

bool rp_points_are_ascii(const struct rp_points *points) {
    for (size_t i = 0; i < points->n; i++) {
        if (points->p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

bool rp_punycode_decode(rp_view text, struct rp_points *ret_points) {
    struct rp_points points = {.n = 0};
    uint32_t point = FIRST, bias = BIAS, i = 0;
    if (text.n > RP_LABEL_MAX || !read_basic(&text, &points)) {
        return false;
    }
    bool first = true;
    while (text.n > 0) {
        uint32_t before = i, count = (uint32_t)points.n + 1;
        if (!read_delta(&text, bias, &i)) {
            return false;
        }
        bias = adapt(i - before, count, first);
        first = false;
        if (__builtin_add_overflow(point, i / count, &point)) {
            return false;
        }
        i %= count;
        if (!insert(&points, i++, point)) {
            return false;
        }
    }
    *ret_points = points;
    return points.n > 0;
}

static void print_delta(struct rp_buf *out, uint32_t delta, uint32_t bias) {
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = threshold(k, bias);
        if (delta < t) {
            rp_buf_add_byte(out, (uint8_t)digit_of(delta));
            return;
        }
        rp_buf_add_byte(out, (uint8_t)digit_of(t + (delta - t) % (BASE - t)));
        delta = (delta - t) / (BASE - t);
    }
}

static uint32_t next_point(const struct rp_points *points, uint32_t from) {
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < points->n; i++) {
        least = points->p[i] >= from && points->p[i] < least ? points->p[i] : least;
    }
    return least;
}

/* Every character that is `point`, by how far it stands behind the one before. */
static void print_point(struct rp_buf *out, const struct rp_points *points, uint32_t point,
                        uint32_t *delta, uint32_t *bias, uint32_t *done, uint32_t basic) {
    for (size_t i = 0; i < points->n; i++) {
        *delta += points->p[i] < point;
        if (points->p[i] == point) {
            print_delta(out, *delta, *bias);
            *bias = adapt(*delta, *done + 1, *done == basic);
            *delta = 0;
            (*done)++;
        }
    }
}

bool rp_punycode_encode(const struct rp_points *points, struct rp_buf *out) {
    uint32_t point = FIRST, bias = BIAS, delta = 0, basic = 0;
    if (points->n > RP_LABEL_MAX) {
        return false;
    }
    for (size_t i = 0; i < points->n; i++) {
        if (points->p[i] < FIRST) {
            rp_buf_add_byte(out, (uint8_t)points->p[i]);
            basic++;
        }
    }
    if (basic > 0) {
        rp_buf_add_byte(out, '-');
    }
    for (uint32_t done = basic; done < points->n;) {
        uint32_t next = next_point(points, point);
        /* At most 0x10FFFF times 64: it cannot overflow. */
        delta += (next - point) * (done + 1);
        print_point(out, points, next, &delta, &bias, &done, basic);
        delta++;
        point = next + 1;
    }
    return rp_ok(rp_buf_err(out));
}

void rp_point_print(struct rp_buf *out, uint32_t point) {
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    unsigned length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    unsigned shift = 6 * (length - 1);
    RP_ASSERT(point <= POINT_MAX);
    rp_buf_add_byte(out, (uint8_t)(leads[length == 1 ? 0 : length] | point >> shift));
    while (shift > 0) {
        shift -= 6;
        rp_buf_add_byte(out, (uint8_t)(0x80 | (point >> shift & 0x3F)));
    }
}
