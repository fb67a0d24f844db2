/* availability.c — a page, asked for like a visitor does: all of it, and soon. */
#include "probe.h"

enum { SLOW_MS = 5000 };

/*= S52: what is slow or does not come is not available, whatever the reason. */
void probe_ddos_availability(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    const struct http_request request = {.method = "GET", .path = "/trust"};
    if (!probe_ready(probe, seen)) {
        return;
    }
    int64_t from_ns = probe->env.monotonic_ns(probe->env.ctx);
    rp_err err = http_ask(probe->people[0].http, &request, &answer);
    long long took_ms = (probe->env.monotonic_ns(probe->env.ctx) - from_ns) / 1000000;
    if (!rp_ok(err)) {
        rp_probe_broken(seen, "the trust page did not come (%s)", rp_err_name(err));
    } else if (answer.status == 429) {
        rp_probe_unsure(seen, "the probe itself asked too often");
    } else if (answer.status != 200) {
        rp_probe_broken(seen, "the trust page was answered with status %ld", answer.status);
    } else if (took_ms > SLOW_MS) {
        rp_probe_broken(seen, "the trust page took %lld ms", took_ms);
    } else {
        rp_probe_holds(seen, "the trust page, %zu bytes, came in %lld ms", answer.body.n, took_ms);
    }
}
