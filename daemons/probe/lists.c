/* lists.c — the gate's allow and deny lists, asked like anybody would. */
#include "base/checked.h"
#include "probe.h"

/* The canary entries of core (daemons/core/lists.c). */
static const char denied[] = "/.rempart/canary/denied",
                  allowed[] = "/.rempart/canary/denied/allowed";

static bool ask(struct probe *probe, const char *path, struct http_answer *answer,
                struct rp_observation *seen) {
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct http_request request = {.method = "GET", .path = path, .headers = headers};
    if (rp_ok(http_ask(probe->people[0].http, &request, answer))) {
        return true;
    }
    rp_probe_unsure(seen, "the gate does not answer GET %s", path);
    return false;
}

/*= S58: a deny list refuses, and an allow list within it lets through. */
void probe_gate_lists(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    _cleanup_answer_ struct http_answer refused = http_answer_new();
    _cleanup_answer_ struct http_answer passed = http_answer_new();
    if (!probe_ready(probe, seen) || !ask(probe, denied, &refused, seen) ||
        !ask(probe, allowed, &passed, seen)) {
        return;
    }
    rp_view code = rp_json_get_string(http_json(&refused), "code");
    if (refused.status == 429 || passed.status == 429 || refused.status >= 500) {
        rp_probe_unsure(seen, "the gate is busy (status %ld)", refused.status);
    } else if (refused.status != 403 || !rp_view_equal(code, RP_VIEW("blocked"))) {
        rp_probe_broken(seen, "an address that a list denies was answered with status %ld",
                        refused.status);
    } else if (passed.status == 403) {
        rp_probe_broken(seen, "an address that a list allows was refused");
    } else {
        rp_probe_holds(seen, "one canary address refused by a deny list, one let through by an "
                             "allow list");
    }
}
