#include "wire/number.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

enum { DIGITS_MAX = 17, TEXT_MAX = 512 };

/* 0.d1 d2 d3 … times ten to the power of `point`. */
struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
};

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double read_decimal(const struct decimal *d) {
    char text[40];
    snprintf(text, sizeof text, "0.%.17se%d", d->digits, d->point);
    return strtod(text, NULL);
}

/* The decimal of `count` digits that is nearest to the value. */
static struct decimal round_to(double value, int count) {
    char text[40];
    int n = snprintf(text, sizeof text, "%.*e", count - 1, value); /* d.ddde±xx */
    struct decimal d = {.count = count};
    RP_ASSERT(n > count && (size_t)n < sizeof text);
    d.digits[0] = text[0];
    if (count > 1) {
        memcpy(d.digits + 1, text + 2, (size_t)(count - 1));
    }
    const char *at = strchr(text, 'e') + 1;
    bool negative = *at++ == '-';
    int exponent = 0;
    for (; *at; at++) {
        exponent = exponent * 10 + (*at - '0');
    }
    d.point = (negative ? -exponent : exponent) + 1;
    return d;
}

/* The next decimal of as many digits. */
static void step_up(struct decimal *d) {
    int i = d->count - 1;
    while (i >= 0 && d->digits[i] == '9') {
        d->digits[i--] = '0';
    }
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->point++;
    }
}

/* Below a power of two doubles lie twice as dense as above it, so the nearest decimal may read
 * back as a neighbour while the next one up reads back right. */
static bool reads_back(struct decimal *d, double value) {
    if (bits_of(read_decimal(d)) == bits_of(value)) {
        return true;
    }
    if ((bits_of(value) & 0xFFFFFFFFFFFFFu) != 0) {
        return false;
    }
    struct decimal above = *d;
    step_up(&above);
    if (bits_of(read_decimal(&above)) != bits_of(value)) {
        return false;
    }
    *d = above;
    return true;
}

static struct decimal shortest(double value) {
    /* What has a text of up to 15 digits shows it when rounded to 15, zeros behind it. That is
     * only so for normal numbers; subnormal ones carry fewer digits. */
    bool subnormal = bits_of(value) >> 52 == 0;
    struct decimal d = {.count = 0};
    for (int count = subnormal ? 1 : 15; count <= DIGITS_MAX; count++) {
        d = round_to(value, count);
        if (reads_back(&d, value)) {
            break;
        }
    }
    while (d.count > 1 && d.digits[d.count - 1] == '0') {
        d.count--;
    }
    return d;
}

/* ECMA-262, Number::toString, steps 6 to 10; n and k are the standard's names. */
static void lay_out(const struct decimal *d, struct rp_number_text *text) {
    int k = d->count;
    int n = d->point;
    char *to = text->s + text->n;
    size_t room = sizeof text->s - text->n;
    int length;
    if (k <= n && n <= 21) {
        length = snprintf(to, room, "%.*s%.*s", k, d->digits, n - k, "00000000000000000000");
    } else if (0 < n && n <= 21) {
        /* cppcheck-suppress pointerOutOfBoundsCond ; n < k here, and k is 17 at most */
        length = snprintf(to, room, "%.*s.%.*s", n, d->digits, k - n, d->digits + n);
    } else if (-6 < n && n <= 0) {
        length = snprintf(to, room, "0.%.*s%.*s", -n, "00000", k, d->digits);
    } else if (k == 1) {
        length = snprintf(to, room, "%ce%+d", d->digits[0], n - 1);
    } else {
        length = snprintf(to, room, "%c.%.*se%+d", d->digits[0], k - 1, d->digits + 1, n - 1);
    }
    RP_ASSERT(length > 0 && (size_t)length < room);
    text->n += (size_t)length;
}

struct rp_number_text rp_number_print(double value) {
    RP_ASSERT(__builtin_isfinite(value));
    struct rp_number_text text = {.n = 0};
    bool negative = value < 0; /* not so for -0, which is printed as 0 */
    double magnitude = negative ? -value : value;
    if (negative) {
        text.s[text.n++] = '-';
    }
    if (magnitude < 9007199254740992.0 && magnitude == (double)(uint64_t)magnitude) {
        text.n += (size_t)snprintf(text.s + text.n, sizeof text.s - text.n, "%llu",
                                   (unsigned long long)magnitude);
        return text;
    }
    struct decimal d = shortest(magnitude);
    lay_out(&d, &text);
    return text;
}

rp_err rp_number_parse(rp_view text, double *ret_value) {
    RP_ASSERT(ret_value != NULL);
    char copy[TEXT_MAX + 1];
    if (text.n > TEXT_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    char *end = NULL;
    double value = strtod(copy, &end);
    if (end != copy + text.n || !__builtin_isfinite(value)) {
        return RP_ERR(INVALID);
    }
    *ret_value = value;
    return RP_OK;
}
