/* page.c — the page as served: does each of its sentences carry a status that was computed? */
#include "base/checked.h"
#include "probe.h"
#include "wire/json.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

struct counting {
    unsigned sentences, without;
    rp_view first; /* a promise whose sentences carry none */
};

/* "not-built" is one too: it says what is missing. */
static bool is_status(rp_view text) {
    static const rp_view known[] = {RP_VIEW_INIT("proven"),  RP_VIEW_INIT("declared"),
                                    RP_VIEW_INIT("failing"), RP_VIEW_INIT("stale"),
                                    RP_VIEW_INIT("not-met"), RP_VIEW_INIT("not-built")};
    for (size_t i = 0; i < RP_COUNT_OF(known); i++) {
        if (rp_view_equal(text, known[i])) {
            return true;
        }
    }
    return false;
}

static void count_promise(const struct rp_json *promise, struct counting *counting) {
    const struct rp_json *sentences = rp_json_get(promise, "sentences");
    unsigned count = sentences ? (unsigned)sentences->count : 0;
    counting->sentences += count;
    if (!is_status(rp_json_get_string(promise, "status"))) {
        if (counting->without == 0) {
            counting->first = rp_json_get_string(promise, "id");
        }
        counting->without += count;
    }
}

static void judge(rp_view body, unsigned want, struct rp_observation *seen) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_json *root = NULL;
    struct counting counting = {0};
    if (!arena || !rp_ok(rp_json_parse(body, RP_JSON_LIMITS, arena, &root, NULL))) {
        rp_probe_broken(seen, "/trust.json is no JSON");
        return;
    }
    const struct rp_json *promises = rp_json_get(root, "promises");
    for (const struct rp_json *one = promises ? promises->first : NULL; one; one = one->next) {
        count_promise(one, &counting);
    }
    if (counting.sentences != want) {
        rp_probe_broken(seen, "%u sentences are served, %u are promised", counting.sentences, want);
    } else if (counting.without > 0) {
        rp_probe_broken(seen, "%u sentences carry no status, first of \"%.60s\"", counting.without,
                        rp_arena_cstr(arena, counting.first));
    } else {
        rp_probe_holds(seen, "%u sentences, each with a computed status", counting.sentences);
    }
}

/*= S1, S2, S3: every sentence of the page has its status, and none is left out */
void probe_page_coverage(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen)) {
        return;
    }
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    struct http_request request = {.method = "GET", .path = "/trust.json"};
    if (!rp_ok(http_ask(probe->people[0].http, &request, &answer))) {
        rp_probe_unsure(seen, "the gate does not answer /trust.json");
    } else if (answer.status != 200) {
        rp_probe_broken(seen, "/trust.json answers %ld", answer.status);
    } else {
        judge(rp_buf_view(&answer.body), (unsigned)probe->promises->sentence_count, seen);
    }
}
