#include "judge/set_cookie.h"

#include "base/assert.h"
#include "base/checked.h"
#include "judge/cookie.h"

/* Laravel, Angular, Django, Rails and Express put the token there for their own scripts. */
static const rp_view tokens[] = {
    RP_VIEW_INIT("XSRF-TOKEN"), RP_VIEW_INIT("csrftoken"),  RP_VIEW_INIT("csrf-token"),
    RP_VIEW_INIT("csrf_token"), RP_VIEW_INIT("CSRF-TOKEN"), RP_VIEW_INIT("_csrf_token"),
};

static bool is_one_of(rp_view name, const rp_view *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (rp_view_equal(name, list[i])) {
            return true;
        }
    }
    return false;
}

/* A browser sends "=__Host-rempart=x" back as "__Host-rempart=x". */
static bool becomes_ours(rp_view header) {
    rp_view pair = rp_view_trim(rp_view_cut(&header, ';'));
    while (pair.n > 0 && (pair.p[0] == '=' || pair.p[0] == ' ' || pair.p[0] == '\t')) {
        pair = rp_view_from(pair, 1);
    }
    return judge_cookie_is_ours(pair);
}

struct attributes {
    bool secure, http_only, same_site;
};

static struct attributes attributes_of(rp_view header) {
    struct attributes found = {0};
    rp_view_cut(&header, ';');
    while (header.p) {
        rp_view attribute = rp_view_cut(&header, ';');
        rp_view name = rp_view_trim(rp_view_cut(&attribute, '='));
        found.secure |= rp_view_equal_nocase(name, RP_VIEW("Secure"));
        found.http_only |= rp_view_equal_nocase(name, RP_VIEW("HttpOnly"));
        found.same_site |= rp_view_equal_nocase(name, RP_VIEW("SameSite"));
    }
    return found;
}

static void add(uint8_t *out, size_t *n, rp_view text) {
    memcpy(out + *n, text.p, text.n);
    *n += text.n;
}

enum judge_set_cookie judge_set_cookie(rp_view header, const rp_view *for_scripts,
                                       size_t for_scripts_count, uint8_t *out,
                                       rp_view *ret_header) {
    RP_ASSERT(out != NULL && ret_header != NULL);
    if (becomes_ours(header)) {
        return JUDGE_DROP;
    }
    rp_view rest = header;
    rp_view pair = rp_view_cut(&rest, ';');
    rp_view name = rp_view_trim(rp_view_cut(&pair, '='));
    bool for_script = is_one_of(name, tokens, RP_COUNT_OF(tokens)) ||
                      is_one_of(name, for_scripts, for_scripts_count);
    struct attributes have = attributes_of(header);
    bool http_only = have.http_only || for_script;
    if (have.secure && http_only && have.same_site) {
        return JUDGE_KEEP;
    }
    size_t n = 0;
    add(out, &n, header);
    /*= S81: authentication cookies are marked as secure, whatever the application forgot. */
    if (!have.secure) {
        add(out, &n, RP_VIEW("; Secure"));
    }
    if (!http_only) {
        add(out, &n, RP_VIEW("; HttpOnly"));
    }
    if (!have.same_site) {
        add(out, &n, RP_VIEW("; SameSite=Lax"));
    }
    RP_ASSERT(n > header.n && n <= header.n + JUDGE_SET_COOKIE_EXTRA);
    *ret_header = rp_view_of(out, n);
    return JUDGE_CHANGED;
}
