#include "judge/cookie.h"

#include "base/assert.h"

static const rp_view prefix = RP_VIEW_INIT(JUDGE_COOKIE);

/* Cuts the next "name=value" off *header; the pair without blanks around it. */
static rp_view next_pair(rp_view *header, rp_view *ret_name) {
    rp_view pair = rp_view_trim(rp_view_cut(header, ';'));
    rp_view value = pair;
    *ret_name = rp_view_trim(rp_view_cut(&value, '='));
    return pair;
}

static rp_view value_of(rp_view pair) {
    rp_view_cut(&pair, '=');
    return rp_view_trim(pair);
}

void judge_cookie_scan(rp_view header, unsigned *count, rp_view *ret_value) {
    RP_ASSERT(count != NULL && ret_value != NULL);
    while (header.p) {
        rp_view name;
        rp_view pair = next_pair(&header, &name);
        if (rp_view_equal(name, prefix)) {
            *ret_value = value_of(pair);
            ++*count;
        }
    }
}

rp_view judge_cookie_get(rp_view header, rp_view wanted) {
    while (header.p) {
        rp_view name;
        rp_view pair = next_pair(&header, &name);
        if (rp_view_equal(name, wanted)) {
            return value_of(pair);
        }
    }
    return (rp_view){NULL, 0};
}

bool judge_cookie_well_formed(rp_view value) {
    if (value.n != JUDGE_COOKIE_TEXT) {
        return false;
    }
    for (size_t i = 0; i < value.n; i++) {
        uint8_t c = value.p[i];
        bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';
        if (!fits) {
            return false;
        }
    }
    return true;
}

bool judge_cookie_is_ours(rp_view name) {
    return rp_view_equal_nocase(rp_view_sub(name, 0, prefix.n), prefix);
}

rp_view judge_cookie_without_ours(rp_view header, uint8_t *out) {
    RP_ASSERT(out != NULL || header.n == 0);
    size_t max = 2 * header.n;
    size_t n = 0;
    while (header.p) {
        rp_view name;
        rp_view pair = next_pair(&header, &name);
        if (pair.n == 0 || judge_cookie_is_ours(name)) {
            continue;
        }
        if (n > 0) {
            out[n++] = ';';
            out[n++] = ' ';
        }
        RP_ASSERT(max - n >= pair.n);
        memcpy(out + n, pair.p, pair.n);
        n += pair.n;
    }
    return rp_view_of(out, n);
}
