#include "judge/accept.h"

#include "base/assert.h"

enum { WEIGHT_ONE = 1000 };

/* "0.8" → 800; what is no weight counts as 1. */
static unsigned parse_weight(rp_view text) {
    if (text.n == 0 || (text.p[0] != '0' && text.p[0] != '1') || (text.n > 1 && text.p[1] != '.')) {
        return WEIGHT_ONE;
    }
    unsigned weight = text.p[0] == '1' ? WEIGHT_ONE : 0;
    unsigned unit = 100;
    for (size_t i = 2; i < text.n && i < 5; i++, unit /= 10) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return WEIGHT_ONE;
        }
        weight += (unsigned)(text.p[i] - '0') * unit;
    }
    return weight > WEIGHT_ONE ? WEIGHT_ONE : weight;
}

/* Cuts one element off the list: its name, and its weight in thousandths. */
static rp_view next_element(rp_view *list, unsigned *ret_weight) {
    rp_view element = rp_view_cut(list, ',');
    rp_view name = rp_view_trim(rp_view_cut(&element, ';'));
    unsigned weight = WEIGHT_ONE;
    while (element.p) {
        rp_view parameter = rp_view_trim(rp_view_cut(&element, ';'));
        if (rp_view_equal_nocase(rp_view_sub(parameter, 0, 2), RP_VIEW("q="))) {
            weight = parse_weight(rp_view_from(parameter, 2));
        }
    }
    *ret_weight = weight;
    return name;
}

bool judge_accepts_html(rp_view accept) {
    while (accept.p) {
        unsigned weight;
        rp_view name = next_element(&accept, &weight);
        bool html = rp_view_equal_nocase(name, RP_VIEW("text/html")) ||
                    rp_view_equal_nocase(name, RP_VIEW("application/xhtml+xml"));
        if (html && weight > 0) {
            return true;
        }
    }
    return false;
}

bool judge_wants_json(rp_view accept) {
    if (judge_accepts_html(accept)) {
        return false;
    }
    while (accept.p) {
        unsigned weight;
        rp_view name = next_element(&accept, &weight);
        bool json =
            rp_view_equal_nocase(name, RP_VIEW("application/json")) ||
            (rp_view_starts(name, RP_VIEW("application/")) && rp_view_ends(name, RP_VIEW("+json")));
        if (json && weight > 0) {
            return true;
        }
    }
    return false;
}

static bool is_language(rp_view tag, rp_view language) {
    RP_ASSERT(language.n == 2);
    return rp_view_equal_nocase(rp_view_sub(tag, 0, 2), language) &&
           (tag.n == 2 || tag.p[2] == '-');
}

enum rp_lang judge_language(rp_view list) {
    enum rp_lang best = RP_FR;
    unsigned best_weight = 0;
    while (list.p) {
        unsigned weight;
        rp_view tag = next_element(&list, &weight);
        bool french = is_language(tag, RP_VIEW("fr"));
        if ((french || is_language(tag, RP_VIEW("en"))) && weight > best_weight) {
            best = french ? RP_FR : RP_EN;
            best_weight = weight;
        }
    }
    return best;
}
