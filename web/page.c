/* page.c — what every page shares: the frame, times as people write them, links. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/templates.h"

enum { LINK_MAX = 8192 };

static rp_view other_language(struct rp_request *request) {
    struct rp_buf out = rp_buf_new(LINK_MAX);
    rp_view path = request->path.p ? request->path : RP_VIEW("/");
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '/') {
            rp_buf_add_byte(&out, '/');
        } else {
            rp_url_encode(&out, rp_view_sub(path, i, 1));
        }
    }
    rp_buf_printf(&out, "?lang=%s", request->lang == RP_FR ? "en" : "fr");
    for (size_t i = 0; i < request->query.n; i++) {
        if (rp_view_equal(request->query.p[i].name, RP_VIEW("lang"))) {
            continue;
        }
        rp_buf_add_byte(&out, '&');
        rp_url_encode(&out, request->query.p[i].name);
        rp_buf_add_byte(&out, '=');
        rp_url_encode(&out, request->query.p[i].value);
    }
    rp_view copy = {NULL, 0};
    rp_err err = rp_buf_err(&out);
    if (rp_ok(err)) {
        err = rp_arena_copy(request->arena, rp_buf_view(&out), &copy);
    }
    rp_buf_done(&out);
    return rp_ok(err) ? copy : RP_VIEW("/trust");
}

void rp_page_finish(struct rp_request *request, enum rp_text_key title, struct rp_buf *body,
                    bool wide) {
    RP_ASSERT(body != NULL);
    const struct rp_template_frame frame = {
        .title = rp_text(request->lang, title),
        .robots = wide ? (rp_view){NULL, 0} : RP_VIEW("noindex"),
        .style = rp_view_from_cstr(request->web->style_path),
        .script = request->response.scripted ? rp_view_from_cstr(request->web->script_path)
                                             : (rp_view){NULL, 0},
        .trust = RP_VIEW("/trust"),
        .account = RP_VIEW("/.rempart/id/account"),
        .other_lang_path = other_language(request),
        .wide = wide,
        .body = rp_buf_view(body)};
    request->response.content_type = "text/html; charset=utf-8";
    rp_template_frame_print(&request->response.body, request->lang, &frame);
    if (!rp_ok(rp_buf_err(body))) {
        request->response.body.failed = true; /* half a page is no page */
    }
    rp_response_head(&request->response, "Content-Language",
                     request->lang == RP_FR ? RP_VIEW("fr") : RP_VIEW("en"));
    rp_response_head(&request->response, "Vary", RP_VIEW("Accept-Language, Cookie"));
    rp_buf_done(body);
}

rp_view rp_page_time_iso(struct rp_request *request, int64_t ms) {
    struct rp_time_text text = rp_time_print(ms / 1000);
    rp_view copy = {NULL, 0};
    rp_ignore(
        rp_arena_copy(request->arena, rp_view_from_cstr(text.s), &copy)); /* then it is empty */
    return copy;
}

rp_view rp_page_time(struct rp_request *request, int64_t ms) {
    static const char *const months[RP_LANG_COUNT][12] = {
        {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
         "octobre", "novembre", "décembre"},
        {"January", "February", "March", "April", "May", "June", "July", "August", "September",
         "October", "November", "December"}};
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000);
    if (!gmtime_r(&seconds, &tm)) {
        return (rp_view){NULL, 0};
    }
    RP_ASSERT(tm.tm_mon >= 0 && tm.tm_mon < 12);
    const char *month = months[request->lang][tm.tm_mon];
    if (request->lang == RP_FR) {
        return rp_arena_printf(request->arena, "%d%s %s %d à %d h %02d UTC", tm.tm_mday,
                               tm.tm_mday == 1 ? "er" : "", month, tm.tm_year + 1900, tm.tm_hour,
                               tm.tm_min);
    }
    return rp_arena_printf(request->arena, "%d %s %d, %02d:%02d UTC", tm.tm_mday, month,
                           tm.tm_year + 1900, tm.tm_hour, tm.tm_min);
}

rp_view rp_page_size(struct rp_request *request, uint64_t bytes) {
    static const char *const units[RP_LANG_COUNT][5] = {{"octets", "ko", "Mo", "Go", "To"},
                                                        {"bytes", "kB", "MB", "GB", "TB"}};
    size_t unit = 0;
    uint64_t whole = bytes, tenths = 0;
    for (; whole >= 1000 && unit + 1 < RP_COUNT_OF(units[0]); unit++) {
        tenths = whole % 1000 / 100;
        whole /= 1000;
    }
    const char *name = units[request->lang][unit];
    if (unit == 0) { /* one byte, in French none too */
        bool single = whole == 1 || (whole == 0 && request->lang == RP_FR);
        return rp_arena_printf(request->arena, "%llu %.*s", (unsigned long long)whole,
                               (int)(strlen(name) - single), name);
    }
    return rp_arena_printf(request->arena, "%llu%c%llu %s", (unsigned long long)whole,
                           request->lang == RP_FR ? ',' : '.', (unsigned long long)tenths, name);
}

static void add_pair(struct rp_buf *out, char separator, const char *name, rp_view value) {
    rp_buf_printf(out, "%c%s=", separator, name);
    rp_url_encode(out, value);
}

rp_view rp_page_link(struct rp_request *request, const char *path, const char *name, rp_view value,
                     const char *name2, rp_view value2) {
    struct rp_buf out = rp_buf_new(LINK_MAX);
    rp_buf_add_cstr(&out, path);
    bool first = value.p != NULL;
    if (first) {
        add_pair(&out, '?', name, value);
    }
    if (value2.p) {
        add_pair(&out, first ? '&' : '?', name2, value2);
    }
    rp_view copy = {NULL, 0};
    rp_err err = rp_buf_err(&out);
    if (rp_ok(err)) {
        err = rp_arena_copy(request->arena, rp_buf_view(&out), &copy);
    }
    rp_buf_done(&out);
    return rp_ok(err) ? copy : rp_view_from_cstr(path);
}

rp_err rp_page_link_refused(struct rp_request *request, rp_err err, enum rp_text_key expired) {
    enum rp_text_key key = RP_TEXT_link_unknown;
    if (rp_is(err, RP_E_REPLAYED)) {
        key = RP_TEXT_link_spent;
    } else if (rp_is(err, RP_E_EXPIRED)) {
        key = expired;
    } else if (!rp_is(err, RP_E_NOT_FOUND)) {
        return err;
    }
    rp_err shown = rp_is(err, RP_E_NOT_FOUND) ? err : RP_ERR(EXPIRED);
    return rp_fail(&request->diag, shown, "%.*s", RP_FMT(rp_text(request->lang, key)));
}
