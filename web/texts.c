#include "web/texts.h"

#include "base/assert.h"
#include "base/checked.h"
#include "wire/http.h"

static const rp_view texts[RP_TEXT_COUNT][RP_LANG_COUNT] = {
#define RP_TEXT(key, fr, en) {RP_VIEW_INIT(fr), RP_VIEW_INIT(en)},
#include "web/texts.def"
#undef RP_TEXT
};

rp_view rp_text(enum rp_lang lang, enum rp_text_key key) {
    RP_ASSERT(lang < RP_LANG_COUNT && key < RP_TEXT_COUNT);
    return texts[key][lang];
}

static void print_arg(struct rp_buf *out, const struct rp_text_arg *arg) {
    if (arg->is_number) {
        rp_buf_add_u64(out, arg->number);
    } else {
        rp_html_escape(out, arg->text);
    }
}

void rp_text_print(struct rp_buf *out, enum rp_lang lang, enum rp_text_key key,
                   const struct rp_text_arg *args, size_t count) {
    rp_view rest = rp_text(lang, key);
    for (size_t i = 0;; i++) {
        size_t at = rp_view_find(rest, RP_VIEW("{}"));
        rp_html_escape(out, rp_view_sub(rest, 0, at));
        if (at == rest.n) {
            RP_ASSERT(i == count);
            return;
        }
        RP_ASSERT(i < count);
        print_arg(out, &args[i]);
        rest = rp_view_from(rest, at + 2);
    }
}

bool rp_lang_parse(rp_view text, enum rp_lang *ret_lang) {
    if (rp_view_equal(text, RP_VIEW("fr"))) {
        *ret_lang = RP_FR;
        return true;
    }
    if (rp_view_equal(text, RP_VIEW("en"))) {
        *ret_lang = RP_EN;
        return true;
    }
    return false;
}

/* A weight "0.8" in thousandths; what is not a weight counts as none. RFC 9110 12.4.2. */
static unsigned weight_of(rp_view parameters) {
    while (parameters.p) {
        rp_view one = rp_view_trim(rp_view_cut(&parameters, ';'));
        if (!rp_view_starts(one, RP_VIEW("q="))) {
            continue;
        }
        rp_view digits = rp_view_from(one, 2);
        if (digits.n == 0 || digits.n > 5 || (digits.n > 1 && digits.p[1] != '.')) {
            return 0;
        }
        unsigned weight = 0, unit = 1000;
        for (size_t i = 0; i < digits.n; i++) {
            if (i == 1) {
                continue;
            }
            if (digits.p[i] < '0' || digits.p[i] > '9') {
                return 0;
            }
            weight += (unsigned)(digits.p[i] - '0') * unit;
            unit /= 10;
        }
        return RP_MIN(weight, 1000u);
    }
    return 1000;
}

enum rp_lang rp_lang_accept(rp_view header, enum rp_lang otherwise) {
    unsigned best = 0;
    enum rp_lang lang = otherwise;
    while (header.p) {
        rp_view range = rp_view_cut(&header, ',');
        rp_view parameters = range;
        rp_view tag = rp_view_trim(rp_view_cut(&parameters, ';'));
        rp_view primary = rp_view_cut(&tag, '-');
        unsigned weight = weight_of(parameters);
        bool french = rp_view_equal_nocase(primary, RP_VIEW("fr"));
        if ((french || rp_view_equal_nocase(primary, RP_VIEW("en"))) && weight > best) {
            best = weight;
            lang = french ? RP_FR : RP_EN;
        }
    }
    return lang;
}
