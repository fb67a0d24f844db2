/* layers.c — one attack meets several defences: does each of them hold right now?
 *
 * A layer is watched by a probe of its own, which breaks nothing of the others. What they saw last
 * stands in the tables of both probe roles; here it is only read, by the same rule as the page's.
 */
#include "base/checked.h"
#include "hunt.h"
#include "os/shm.h"
#include "promise/table.h"

static const struct {
    const char *name, *probe;
} layers[] = {{RP_WORDS("the open ports"), "network.open_ports"},
              {RP_WORDS("encryption"), "tls.versions"},
              {RP_WORDS("the lists"), "gate.lists"},
              {RP_WORDS("the limits"), "ddos.flood_drill"},
              {RP_WORDS("the application firewall"), "waf.attacks_blocked"},
              {RP_WORDS("the sign-in"), "signin.password_alone"}};

static const struct rp_part *find_part(const struct rp_promises *promises, const char *probe) {
    for (size_t i = 0; i < promises->count; i++) {
        const struct rp_promise *promise = &promises->promises[i];
        for (size_t k = 0; k < promise->part_count; k++) {
            if (strcmp(promise->parts[k].probe, probe) == 0) {
                return &promise->parts[k];
            }
        }
    }
    return NULL;
}

/* Nothing, when the table is not there. */
static void last_seen(const struct rp_part *part, struct rp_observation *ret_seen) {
    bool files = part->probe_index >= 0 && rp_probes[part->probe_index].role == RP_PROBE_FILES;
    struct rp_shm table;
    *ret_seen = (struct rp_observation){.verdict = RP_VERDICT_NONE};
    if (!rp_ok(rp_shm_open(files ? "run/hunt.tab" : "run/probe.tab", false,
                           rp_promise_table_bytes(), &table))) {
        return;
    }
    if (rp_ok(rp_shm_survive(&table)) && rp_ok(rp_promise_table_check(table.p, table.n))) {
        rp_ignore(rp_promise_table_get(table.p, part->id, ret_seen));
    }
    rp_shm_done(&table);
}

static enum rp_status status_of(const struct hunt *hunt, const char *probe) {
    const struct rp_part *part = find_part(hunt->promises, probe);
    struct rp_observation seen;
    if (!part) {
        return RP_STATUS_NOT_BUILT;
    }
    last_seen(part, &seen);
    return rp_part_status(part, &seen, rp_env_now_ms(&hunt->env));
}

void hunt_layers(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    enum rp_status weakest = RP_STATUS_PROVEN;
    const char *which = NULL;
    for (size_t i = 0; i < RP_COUNT_OF(layers); i++) {
        enum rp_status status = status_of(hunt, layers[i].probe);
        if (status < weakest) {
            weakest = status;
            which = layers[i].name;
        }
    }
    if (weakest == RP_STATUS_PROVEN) {
        rp_probe_holds(seen, "%zu layers, each attacked or read by a probe of its own, all hold",
                       RP_COUNT_OF(layers));
    } else if (weakest == RP_STATUS_FAILING) {
        rp_probe_broken(seen, "a layer does not hold: %s", which);
    } else if (weakest == RP_STATUS_NOT_MET) {
        rp_probe_not_met(seen, "a layer cannot be watched on this installation: %s", which);
    } else {
        rp_probe_unsure(seen, "a layer was not looked at lately: %s", which);
    }
}
