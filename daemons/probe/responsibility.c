/* responsibility.c — the document on shared responsibility, read as a customer reads it. */
#include <stdio.h>

#include "base/checked.h"
#include "probe.h"

#define PAGE "/trust/responsibility"
enum { DUTIES_LEAST = 10 };

static rp_err get(struct http *http, const char *path, struct http_answer *answer) {
    return http_ask(http, &(struct http_request){.method = "GET", .path = path}, answer);
}

/* 200; else it has concluded. */
static bool is_there(struct http *http, const char *path, struct http_answer *answer,
                     struct rp_observation *seen) {
    rp_err err = get(http, path, answer);
    if (!rp_ok(err) || answer->status >= 500 || answer->status == 429) {
        rp_probe_unsure(seen, "%s gave no answer (status %ld)", path, answer->status);
        return false;
    }
    if (answer->status != 200) {
        rp_probe_broken(seen, "%s was answered with %ld", path, answer->status);
        return false;
    }
    return true;
}

static bool says_in_both(const struct rp_json *duty, const char *what) {
    const struct rp_json *text = rp_json_get(duty, what);
    return rp_json_get_string(text, "fr").n > 0 && rp_json_get_string(text, "en").n > 0;
}

/* Each duty says what is ours and what is yours, and who it is on either side. */
static bool owned(const struct rp_json *duties, struct rp_observation *seen) {
    static const char *const musts[] = {"title", "ours", "our_owner", "yours", "your_owner"};
    for (const struct rp_json *duty = duties->first; duty; duty = duty->next) {
        for (size_t i = 0; i < RP_COUNT_OF(musts); i++) {
            if (!says_in_both(duty, musts[i])) {
                rp_probe_broken(seen, "the duty \"%.*s\" has no %s",
                                RP_FMT(rp_json_get_string(duty, "id")), musts[i]);
                return false;
            }
        }
    }
    return true;
}

/* What the operator added: ours needs somebody, too. */
static bool added_owned(const struct rp_json *added, struct rp_observation *seen) {
    for (const struct rp_json *duty = added ? added->first : NULL; duty; duty = duty->next) {
        bool owned = false;
        bool customer = rp_view_equal(rp_json_get_string(duty, "side"), RP_VIEW("customer"));
        if (!customer && (!rp_json_get_bool(duty, "owned", &owned) || !owned)) {
            rp_probe_broken(seen, "a duty that the operator added has no owner");
            return false;
        }
    }
    return true;
}

static bool page_shows(struct http *http, const char *path, const struct rp_json *duties,
                       struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer page = http_answer_new();
    if (!is_there(http, path, &page, seen)) {
        return false;
    }
    for (const struct rp_json *duty = duties->first; duty; duty = duty->next) {
        rp_view id = rp_json_get_string(duty, "id");
        rp_view place = rp_arena_printf(page.arena, "id=\"duty-%.*s\"", RP_FMT(id));
        if (rp_view_find(rp_buf_view(&page.body), place) == page.body.n) {
            rp_probe_broken(seen, "%s does not show the duty \"%.*s\"", path, RP_FMT(id));
            return false;
        }
    }
    return true;
}

static bool is_linked(struct http *http, struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer trust = http_answer_new();
    if (!is_there(http, "/trust", &trust, seen)) {
        return false;
    }
    if (rp_view_find(rp_buf_view(&trust.body), RP_VIEW("href=\"" PAGE "\"")) == trust.body.n) {
        rp_probe_broken(seen, "the trust page does not lead to the document");
        return false;
    }
    return true;
}

static void look(struct http *http, struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer document = http_answer_new();
    if (!is_there(http, PAGE ".json", &document, seen)) {
        return;
    }
    const struct rp_json *root = http_json(&document), *duties = rp_json_get(root, "duties");
    if (!duties || duties->count < DUTIES_LEAST) {
        rp_probe_broken(seen, "the document names %zu duties", duties ? duties->count : 0);
        return;
    }
    if (owned(duties, seen) && added_owned(rp_json_get(root, "added"), seen) &&
        page_shows(http, PAGE "?lang=fr", duties, seen) &&
        page_shows(http, PAGE "?lang=en", duties, seen) && is_linked(http, seen)) {
        rp_probe_holds(seen, "%zu duties in French and English, each with an owner on either side",
                       duties->count);
    }
}

/*= S177, S178 */
void probe_customer_responsibility_page(void *ctx, struct rp_observation *seen) {
    struct http *stranger = probe_browser(ctx);
    if (!stranger) {
        rp_probe_unsure(seen, "no memory for a browser");
        return;
    }
    look(stranger, seen);
    http_free(stranger);
}
