/* details.c — the two pages about encryption: there, linked, in both languages, fresh, and saying
 * what the gate and the schemas do. */
#include <stdio.h>

#include "base/checked.h"
#include "config/tls.h"
#include "probe.h"

enum { DAY_S = 86400, AHEAD_S = 60 };

struct page {
    const char *path;
    const char *const *says; /* NULL at the end */
};

static const char *const how[] = {RP_TLS_PROTOCOLS, RP_TLS_CIPHERS, "AES-256-GCM", "argon2id",
                                  NULL};
static const char *const what[] = {"AES-256-GCM", NULL};
static const struct page pages[] = {{"/trust/encryption", how}, {"/trust/encrypted-data", what}};

static bool has(const struct http_answer *answer, rp_view text) {
    rp_view body = rp_buf_view(&answer->body);
    return rp_view_find(body, text) < body.n;
}

static bool ask(struct probe *probe, const char *path, const char *lang, struct http_answer *answer,
                struct rp_observation *seen) {
    char wanted[40];
    snprintf(wanted, sizeof wanted, "Accept-Language: %s", lang);
    const char *const headers[] = {wanted, NULL};
    const struct http_request request = {.method = "GET", .path = path, .headers = headers};
    if (!rp_ok(http_ask(probe->people[0].http, &request, answer)) || answer->status == 429 ||
        answer->status >= 500) {
        rp_probe_unsure(seen, "the gate does not answer GET %s (status %ld)", path, answer->status);
        return false;
    }
    if (answer->status != 200) {
        rp_probe_broken(seen, "%s is answered with status %ld", path, answer->status);
        return false;
    }
    return true;
}

/* What the page says of its own age: times in this form are in order as texts are. */
static bool is_fresh(const struct probe *probe, const struct http_answer *answer) {
    int64_t now_s = rp_env_now_ms(&probe->env) / 1000;
    struct rp_time_text oldest = rp_time_print(now_s - DAY_S);
    struct rp_time_text newest = rp_time_print(now_s + AHEAD_S);
    rp_view body = rp_buf_view(&answer->body);
    rp_view from = RP_VIEW("<time datetime=\"");
    rp_view rest = rp_view_from(body, rp_view_find(body, from) + from.n);
    rp_view said = rp_view_cut(&rest, '"');
    return said.n == strlen(oldest.s) && rp_view_compare(said, rp_view_from_cstr(oldest.s)) >= 0 &&
           rp_view_compare(said, rp_view_from_cstr(newest.s)) <= 0;
}

static bool names_applications(const struct probe *probe, const struct http_answer *answer,
                               struct rp_observation *seen) {
    for (size_t i = 0; i < probe->config->app_count; i++) {
        const char *name = probe->config->apps[i].name;
        rp_view row = rp_arena_printf(answer->arena, "<h2>%s</h2>", name);
        if (!has(answer, row)) {
            rp_probe_broken(seen, "the application %s is not on %s", name, pages[1].path);
            return false;
        }
    }
    return true;
}

static bool is_good(struct probe *probe, const struct page *page, const char *lang,
                    struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    if (!ask(probe, page->path, lang, &answer, seen)) {
        return false;
    }
    if (!has(&answer, rp_arena_printf(answer.arena, "<html lang=\"%s\"", lang))) {
        rp_probe_broken(seen, "%s does not come in the language %s", page->path, lang);
        return false;
    }
    if (!is_fresh(probe, &answer)) {
        rp_probe_broken(seen, "%s was not made in the last 24 hours", page->path);
        return false;
    }
    for (const char *const *word = page->says; *word; word++) {
        if (!has(&answer, rp_view_from_cstr(*word))) {
            rp_probe_broken(seen, "%s does not name %s", page->path, *word);
            return false;
        }
    }
    return page != &pages[1] || names_applications(probe, &answer, seen);
}

static bool are_linked(struct probe *probe, struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    if (!ask(probe, "/trust", "en", &answer, seen)) {
        return false;
    }
    for (size_t i = 0; i < RP_COUNT_OF(pages); i++) {
        if (!has(&answer, rp_arena_printf(answer.arena, "href=\"%s\"", pages[i].path))) {
            rp_probe_broken(seen, "the trust page has no link to %s", pages[i].path);
            return false;
        }
    }
    return true;
}

/*= S87 */
void probe_page_encryption_details(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen) || !are_linked(probe, seen)) {
        return;
    }
    for (size_t i = 0; i < RP_COUNT_OF(pages); i++) {
        if (!is_good(probe, &pages[i], "fr", seen) || !is_good(probe, &pages[i], "en", seen)) {
            return;
        }
    }
    rp_probe_holds(seen, "two pages, linked from this one, in French and English, made when asked "
                         "for; they name the ciphers in use and each application");
}
