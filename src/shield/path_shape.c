#include "shield/path_shape.h"

#include "base/assert.h"

enum { HEX_LONG = 12 };

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c) {
    uint8_t low = rp_lower(c);
    return is_digit(c) || (low >= 'a' && low <= 'f');
}

static bool is_plain(uint8_t c) {
    uint8_t low = rp_lower(c);
    return is_digit(c) || (low >= 'a' && low <= 'z') || c == '-' || c == '_' || c == '.' ||
           c == '~';
}

struct counts {
    size_t digits, hex, dashes, plain;
};

static struct counts count(rp_view segment) {
    struct counts c = {0, 0, 0, 0};
    for (size_t i = 0; i < segment.n; i++) {
        c.digits += is_digit(segment.p[i]);
        c.hex += is_hex(segment.p[i]);
        c.dashes += segment.p[i] == '-';
        c.plain += is_plain(segment.p[i]);
    }
    return c;
}

/* Does it name one thing among many? */
static bool is_name(rp_view segment) {
    struct counts c = count(segment);
    bool uuid = segment.n == 36 && c.hex == 32 && c.dashes == 4;
    bool long_hex = segment.n >= HEX_LONG && c.hex == segment.n && c.digits > 0;
    return segment.n > 0 && (c.digits == segment.n || uuid || long_hex || c.plain != segment.n);
}

bool rp_path_shape(rp_view path, uint8_t out[static RP_PATH_SHAPE_MAX], size_t *ret_len) {
    if (path.n == 0 || path.p[0] != '/') {
        return false;
    }
    size_t n = 0;
    rp_view rest = rp_view_from(path, 1);
    for (bool more = true; more;) {
        more = rp_view_find_byte(rest, '/') < rest.n;
        rp_view segment = rp_view_cut(&rest, '/');
        segment = is_name(segment) ? RP_VIEW("*") : segment;
        if (n + 1 + segment.n > RP_PATH_SHAPE_MAX) {
            return false;
        }
        out[n++] = '/';
        if (segment.n > 0) {
            memcpy(out + n, segment.p, segment.n);
        }
        n += segment.n;
    }
    *ret_len = n;
    return true;
}

bool rp_path_shape_fits(rp_view shape, rp_view path) {
    if (shape.n == 0 || path.n == 0 || shape.p[0] != '/' || path.p[0] != '/') {
        return false;
    }
    rp_view a = rp_view_from(shape, 1), b = rp_view_from(path, 1);
    for (;;) {
        bool more_a = rp_view_find_byte(a, '/') < a.n, more_b = rp_view_find_byte(b, '/') < b.n;
        rp_view wanted = rp_view_cut(&a, '/'), there = rp_view_cut(&b, '/');
        bool any = rp_view_equal(wanted, RP_VIEW("*")) && there.n > 0;
        if (more_a != more_b || (!any && !rp_view_equal(wanted, there))) {
            return false;
        }
        if (!more_a) {
            return true;
        }
    }
}

bool rp_path_shape_is_good(rp_view shape) {
    if (shape.n == 0 || shape.n > RP_PATH_SHAPE_MAX || shape.p[0] != '/') {
        return false;
    }
    rp_view rest = rp_view_from(shape, 1);
    while (rest.n > 0) {
        rp_view segment = rp_view_cut(&rest, '/');
        if (!rp_view_equal(segment, RP_VIEW("*")) && count(segment).plain != segment.n) {
            return false;
        }
    }
    return true;
}
