/* outdated.c — a canary comes to sign in with software of all ages: the old one must be warned of,
 * and the new one must not. */
#include <stdio.h>

#include "base/checked.h"
#include "probe.h"

#define MOZILLA "User-Agent: Mozilla/5.0 "
#define KHTML "AppleWebKit/537.36 (KHTML, like Gecko) "

static const char *const old[] = {
    MOZILLA "(Windows NT 10.0; Win64; x64; rv:78.0) Gecko/20100101 Firefox/78.0",
    MOZILLA "(Windows NT 10.0; Win64; x64) " KHTML "Chrome/88.0.4324.150 Safari/537.36",
    MOZILLA "(Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/13.1.2 Safari/605.1.15",
    MOZILLA "(Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    MOZILLA "(Linux; Android 7.0; SM-G930V) " KHTML "Chrome/999.0.0.0 Mobile Safari/537.36",
};
/* Versions that no table of today calls old. */
static const char *const fresh[] = {
    MOZILLA "(X11; Linux x86_64; rv:999.0) Gecko/20100101 Firefox/999.0",
    MOZILLA "(Windows NT 10.0; Win64; x64) " KHTML "Chrome/999.0.0.0 Safari/537.36 Edg/999.0.0.0",
};

static bool is_warned(struct http *http, const char *agent, const char *lang, bool *ret_warned,
                      struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer page = http_answer_new();
    const char *const headers[] = {agent, lang, NULL};
    const struct http_request request = {
        .method = "GET", .path = "/.rempart/id/sign-in", .headers = headers};
    if (!rp_ok(http_ask(http, &request, &page)) || page.status != 200 ||
        !http_has_field(&page, "email")) {
        rp_probe_unsure(seen, "there is no page to sign in at (status %ld)", page.status);
        return false;
    }
    *ret_warned = rp_view_find(rp_buf_view(&page.body), RP_VIEW("id=\"outdated\"")) < page.body.n;
    return true;
}

static bool each_is(struct http *http, const char *const *agents, size_t count, bool warned,
                    struct rp_observation *seen) {
    static const char *const langs[] = {"Accept-Language: fr", "Accept-Language: en"};
    for (size_t i = 0; i < 2 * count; i++) {
        const char *agent = agents[i / 2];
        bool is = false;
        if (!is_warned(http, agent, langs[i % 2], &is, seen)) {
            return false;
        }
        if (is != warned) {
            rp_probe_broken(seen, "%s \"%.120s\" %s", warned ? "old software," : "new software,",
                            agent + strlen(MOZILLA), is ? "was warned of" : "passed unwarned");
            return false;
        }
    }
    return true;
}

/*= S172 */
void probe_customer_outdated_notice(void *ctx, struct rp_observation *seen) {
    struct http *stranger = probe_browser(ctx);
    if (!stranger) {
        rp_probe_unsure(seen, "no memory for a browser");
        return;
    }
    if (each_is(stranger, old, RP_COUNT_OF(old), true, seen) &&
        each_is(stranger, fresh, RP_COUNT_OF(fresh), false, seen)) {
        rp_probe_holds(seen,
                       "%zu pieces of software that get no fixes any more, each warned of in "
                       "French and English where people sign in; newer ones were not",
                       RP_COUNT_OF(old));
    }
    http_free(stranger);
}
