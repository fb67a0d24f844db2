#include "lookalike/domain.h"

#include "base/assert.h"
#include "base/checked.h"
#include "wire/http.h"

static const rp_view suffixes[] = {
#define RP_SUFFIX(name) RP_VIEW_INIT(name),
#include "lookalike/suffixes.def"
#undef RP_SUFFIX
};

static const char prefix[] = "xn--";
enum { PREFIX = sizeof prefix - 1, FULL_WIDTH = 0xFEE0 };

/* ---- characters of a label ---- */

/* Of capitals their small letter; full-width forms are the ASCII that they stand for. */
static uint32_t lower_point(uint32_t c) {
    if (c >= 0xFF01 && c <= 0xFF5E) {
        c -= FULL_WIDTH;
    }
    bool ascii = c >= 'A' && c <= 'Z', latin = c >= 0xC0 && c <= 0xDE && c != 0xD7;
    bool greek = c >= 0x391 && c <= 0x3A9 && c != 0x3A2, cyrillic = c >= 0x410 && c <= 0x42F;
    if (ascii || latin || greek || cyrillic) {
        return c + 32;
    }
    return c >= 0x400 && c <= 0x40F ? c + 80 : c >= 0x531 && c <= 0x556 ? c + 48 : c;
}

/* The next character of text that is UTF-8. */
static uint32_t next_point(rp_view *text) {
    uint8_t lead = text->p[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        point = point << 6 | (text->p[i] & 0x3FU);
    }
    *text = rp_view_from(*text, length);
    return point;
}

static bool may_stand(uint32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c > 0xA0;
}

static bool read_points(rp_view label, struct rp_points *points) {
    points->n = 0;
    while (label.n > 0) {
        uint32_t point = lower_point(next_point(&label));
        if (points->n == RP_LABEL_MAX || !may_stand(point)) {
            return false;
        }
        points->p[points->n++] = point;
    }
    return points->n > 0;
}

/* The label in ASCII. False when it is none. */
static bool print_label(rp_view label, struct rp_buf *out) {
    struct rp_points points, hidden;
    size_t before = out->n;
    if (!read_points(label, &points)) {
        return false;
    }
    if (!rp_points_are_ascii(&points)) {
        rp_buf_add_cstr(out, prefix);
        return rp_punycode_encode(&points, out) && out->n - before <= RP_LABEL_MAX;
    }
    for (size_t i = 0; i < points.n; i++) {
        rp_buf_add_byte(out, (uint8_t)points.p[i]);
    }
    rp_view ascii = rp_view_from(rp_buf_view(out), before);
    return !rp_view_starts(ascii, RP_VIEW("xn--")) ||
           rp_punycode_decode(rp_view_from(ascii, PREFIX), &hidden);
}

void rp_label_points(rp_view label, struct rp_points *ret_points) {
    struct rp_points points = {.n = 0};
    if (!rp_view_starts(label, RP_VIEW("xn--")) ||
        !rp_punycode_decode(rp_view_from(label, PREFIX), &points)) {
        RP_ASSERT(label.n <= RP_LABEL_MAX);
        for (points.n = 0; points.n < label.n; points.n++) {
            points.p[points.n] = label.p[points.n];
        }
    }
    *ret_points = points;
}

/* ---- the name ---- */

rp_view rp_domain_from(const struct rp_domain *domain, size_t label) {
    RP_ASSERT(label < domain->label_count);
    return rp_view_from(rp_view_of(domain->text, domain->n), domain->starts[label]);
}

rp_view rp_domain_label(const struct rp_domain *domain, size_t label) {
    rp_view rest = rp_domain_from(domain, label);
    return rp_view_cut(&rest, '.');
}

bool rp_domain_within(rp_view inner, rp_view outer) {
    return rp_view_ends(inner, outer) &&
           (inner.n == outer.n || inner.p[inner.n - outer.n - 1] == '.');
}

static bool is_suffix(rp_view text) {
    for (size_t i = 0; i < RP_COUNT_OF(suffixes); i++) {
        if (rp_view_equal(text, suffixes[i])) {
            return true;
        }
    }
    return false;
}

static size_t find_sold(const struct rp_domain *domain) {
    size_t count = domain->label_count;
    size_t behind = count >= 2 && is_suffix(rp_domain_from(domain, count - 2)) ? 2 : 1;
    return count > behind ? count - behind - 1 : count;
}

/* 192.0.2.1 is an address, and no name. */
static bool is_number(rp_view label) {
    for (size_t i = 0; i < label.n; i++) {
        if (label.p[i] < '0' || label.p[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool read_labels(rp_view text, struct rp_domain *domain, struct rp_buf *out) {
    while (text.p) {
        rp_view label = rp_view_cut(&text, '.');
        if (domain->label_count == RP_DOMAIN_LABELS_MAX) {
            return false;
        }
        domain->starts[domain->label_count++] = (uint8_t)out->n;
        if (!print_label(label, out) || (text.p && out->n == RP_DOMAIN_MAX)) {
            return false;
        }
        if (text.p) {
            rp_buf_add_byte(out, '.');
        }
    }
    return rp_ok(rp_buf_err(out));
}

rp_err rp_domain_parse(rp_view text, struct rp_domain *ret_domain) {
    struct rp_domain domain = {.n = 0};
    struct rp_buf out = rp_buf_over(domain.text, RP_DOMAIN_MAX);
    text = rp_view_trim(text);
    text = rp_view_starts(text, RP_VIEW("*.")) ? rp_view_from(text, 2) : text;
    text = rp_view_ends(text, RP_VIEW(".")) ? rp_view_sub(text, 0, text.n - 1) : text;
    if (text.n == 0 || !rp_utf8_valid(text) || !read_labels(text, &domain, &out)) {
        return RP_ERR(INVALID);
    }
    domain.n = out.n;
    if (is_number(rp_domain_label(&domain, domain.label_count - 1))) {
        return RP_ERR(INVALID);
    }
    domain.sold = find_sold(&domain);
    *ret_domain = domain;
    return RP_OK;
}

void rp_domain_show(rp_view text, struct rp_buf *out) {
    while (text.p) {
        struct rp_points points;
        rp_label_points(rp_view_cut(&text, '.'), &points);
        for (size_t i = 0; i < points.n; i++) {
            rp_point_print(out, points.p[i]);
        }
        if (text.p) {
            rp_buf_add_byte(out, '.');
        }
    }
}

bool rp_domain_is_local(const struct rp_domain *domain) {
    static const rp_view local[] = {RP_VIEW_INIT("localhost"), RP_VIEW_INIT("test"),
                                    RP_VIEW_INIT("example"),   RP_VIEW_INIT("invalid"),
                                    RP_VIEW_INIT("local"),     RP_VIEW_INIT("internal")};
    rp_view last = rp_domain_label(domain, domain->label_count - 1);
    for (size_t i = 0; i < RP_COUNT_OF(local); i++) {
        if (rp_view_equal(last, local[i])) {
            return true;
        }
    }
    return false;
}
