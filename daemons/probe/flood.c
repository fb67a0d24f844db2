/* flood.c — a small flood of our own, and whether a good client notices it.
 *
 * A crowd asks from one address of the loopback, as fast as it can, for some thousand requests or
 * five seconds at most: first for a page that costs nothing, then for the sign-in. The limits must
 * refuse what is over them, and a canary that is signed in must be served all the while. The crowd
 * comes from networks of its own, so that no limit of anybody else is touched.
 */
#include "base/checked.h"
#include "crowd.h"
#include "probe.h"

enum {
    LEAST_MS = 300,
    LONGEST_MS = 5000,
    GOOD_LEAST = 20,      /* a client is judged by that many requests */
    GOOD_PERCENT = 99,    /* of them are served */
    MORE_THAN_EXACT = 32, /* two clocks, several workers */
    TRIES = 2
};

struct flood {
    const char *what, *from, *path, *setting;
    uint64_t rate, burst; /* what the gate lets through of one address */
    unsigned requests_max, refusals_enough;
};

static struct crowd_plan plan_of(const struct flood *flood) {
    return (struct crowd_plan){.from = flood->from,
                               .path = flood->path,
                               .requests_max = flood->requests_max,
                               .refusals_enough = flood->refusals_enough,
                               .least_ms = LEAST_MS,
                               .longest_ms = LONGEST_MS};
}

/* Refused is what is over the limit, and the limit is one that a flood of this size can meet. */
static bool is_stopped(const struct flood *flood, const struct crowd_seen *crowd,
                       struct rp_observation *seen) {
    uint64_t allowed = flood->burst + flood->rate * (uint64_t)crowd->took_ms / 1000;
    bool whole = crowd->answered >= flood->requests_max;
    if (crowd->passed > allowed + MORE_THAN_EXACT) {
        rp_probe_broken(seen,
                        "%u of %u requests for %s from one address passed in %lld ms; %s "
                        "lets %llu",
                        crowd->passed, crowd->answered, flood->what, (long long)crowd->took_ms,
                        flood->setting, (unsigned long long)allowed);
        return false;
    }
    if (crowd->refused == 0 && whole) {
        rp_probe_broken(seen,
                        "%u requests for %s from one address in %lld ms, and none was "
                        "refused: %s is %llu",
                        crowd->answered, flood->what, (long long)crowd->took_ms, flood->setting,
                        (unsigned long long)flood->rate);
        return false;
    }
    if (crowd->refused == 0) {
        rp_probe_unsure(seen, "the flood was too slow to reach the limit: %u requests in %lld ms",
                        crowd->answered, (long long)crowd->took_ms);
        return false;
    }
    return true;
}

static bool is_good_client_served(const struct crowd_seen *crowd, struct rp_observation *seen) {
    if (crowd->good_asked < GOOD_LEAST) {
        rp_probe_unsure(seen, "the good client asked %u times only", crowd->good_asked);
        return false;
    }
    if (crowd->good_served * 100 < crowd->good_asked * GOOD_PERCENT) {
        rp_probe_broken(seen, "during a flood, a good client was served %u of %u times",
                        crowd->good_served, crowd->good_asked);
        return false;
    }
    return true;
}

static bool flood_with(const struct crowd_target *target, const struct flood *flood,
                       struct crowd_seen *crowd, struct crowd_seen *all,
                       struct rp_observation *seen) {
    const struct crowd_plan plan = plan_of(flood);
    rp_err err = crowd_run(target, &plan, crowd);
    all->answered += crowd->answered;
    all->refused += crowd->refused;
    all->good_asked += crowd->good_asked;
    all->good_served += crowd->good_served;
    all->good_slowest_ms = RP_MAX(all->good_slowest_ms, crowd->good_slowest_ms);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "no flood could be made from %s: %s", flood->from,
                        rp_err_text(err, RP_EN));
    }
    return rp_ok(err) && is_stopped(flood, crowd, seen);
}

/* Each try comes from networks of its own: the one before has emptied what these may still ask. */
static void drill(struct probe *probe, unsigned try, struct rp_observation *seen) {
    static const char *const from[TRIES][2] = {{"127.66.1.9", "127.66.2.9"},
                                               {"127.66.3.9", "127.66.4.9"}};
    const struct rp_config *config = probe->config;
    /* daemons/gate/render.c and servers.c: twice the second's worth at once, five times there. */
    const struct flood floods[] = {
        {RP_WORDS("a page"), from[try][0], "/.rempart/log/public/vkey", "limits.address_per_second",
         config->limit_address, 2 * config->limit_address, 6000, 400},
        {RP_WORDS("the sign-in"), from[try][1], "/.rempart/id/sign-in", "limits.sign_in_per_second",
         config->limit_sign_in, 5 * config->limit_sign_in, 1000, 200}};
    const struct crowd_target target = {.env = &probe->env,
                                        .config = config,
                                        .address = probe->address,
                                        .good = probe->people[0].http,
                                        .good_path = "/.rempart/canary/"};
    struct crowd_seen all = {.answered = 0};
    for (size_t i = 0; i < RP_COUNT_OF(floods); i++) {
        struct crowd_seen crowd = {.answered = 0};
        if (!flood_with(&target, &floods[i], &crowd, &all, seen)) {
            return;
        }
    }
    if (is_good_client_served(&all, seen)) {
        rp_probe_holds(seen,
                       "two floods of %u requests, %u refused; meanwhile a good client was served "
                       "%u of %u times, the slowest in %lld ms",
                       all.answered, all.refused, all.good_served, all.good_asked,
                       (long long)all.good_slowest_ms);
    }
}

/*= S51, S52: bad traffic is refused and good traffic is not. */
void probe_ddos_flood_drill(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen) || !canary_sign_in(probe, &probe->people[0], seen)) {
        return;
    }
    drill(probe, 0, seen);
    /* A gate that starts anew in the middle is no flood that hurt: what broke is tried once more.
     */
    if (seen->verdict == RP_VERDICT_BROKEN) {
        drill(probe, 1, seen);
    }
}
