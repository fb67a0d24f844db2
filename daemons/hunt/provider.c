/* provider.c — does the public traffic pass by the provider that is declared to stand in front?
 *
 * Two looks: where our own names lead, which rempart-dial asks the name servers for us, and what
 * reached the gate by nobody, which each worker notes and the ledger counts. A provider that a
 * stranger can walk around protects nothing.
 */
#include "base/checked.h"
#include "config/ways.h"
#include "hunt.h"
#include "os/file.h"
#include "wire/ip.h"
#include "wire/json.h"

enum { TALLY_MAX = 64 * 1024, TALLY_ARENA = 1 << 20, ASK_MS = 30000, REPLY_MAX = 512 };

static bool is_of_provider(const struct rp_config *config, const struct rp_ip *ip) {
    for (size_t i = 0; i < config->trusted_proxies.count; i++) {
        struct rp_ip_net net;
        rp_view text = rp_view_from_cstr(config->trusted_proxies.items[i]);
        if (rp_ok(rp_ip_net_parse(text, &net)) && rp_ip_in(ip, &net)) {
            return true;
        }
    }
    return false;
}

/* False when it has concluded. */
static bool judge_name(const struct hunt *hunt, struct rp_ipc_client *dial, size_t place,
                       struct rp_observation *seen, unsigned *addresses) {
    const char *name = rp_config_own_name(hunt->config, place);
    const uint8_t which = (uint8_t)place;
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(REPLY_MAX);
    rp_err err = rp_ipc_call(dial, RP_IPC_HUNT_DIAL_ADDRESSES, rp_view_of(&which, 1), &reply);
    if (!rp_ok(err) || reply.n == 0 || reply.n % sizeof(struct rp_ip) != 0) {
        rp_probe_unsure(seen, "%.100s: no address: %s", name,
                        rp_ok(err) ? "none is told" : rp_err_text(err, RP_EN));
        return false;
    }
    for (size_t at = 0; at < reply.n; at += sizeof(struct rp_ip)) {
        char text[RP_IP_TEXT_MAX];
        struct rp_ip ip = rp_ip_of(reply.p + at, sizeof ip);
        if (!is_of_provider(hunt->config, &ip)) {
            rp_ip_print(&ip, text);
            rp_probe_broken(seen, "%.100s leads to %s, which is not the declared provider's", name,
                            text);
            return false;
        }
        (*addresses)++;
    }
    return true;
}

static bool judge_names(const struct hunt *hunt, struct rp_observation *seen, unsigned *addresses) {
    struct rp_ipc_client *dial = rp_ipc_client_new(RP_ROLE_HUNT, RP_ROLE_DIAL, ASK_MS);
    bool good = dial != NULL;
    if (!good) {
        rp_probe_unsure(seen, "out of memory");
    }
    for (size_t i = 0; good && rp_config_own_name(hunt->config, i); i++) {
        good = judge_name(hunt, dial, i, seen, addresses);
    }
    rp_ipc_client_free(dial);
    return good;
}

/* Since the ledger began; it counts anew when it begins anew. */
static rp_err read_direct(uint64_t *ret_count) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(TALLY_ARENA);
    struct rp_json *tally = NULL;
    rp_view text = {NULL, 0};
    RP_TRY(arena ? rp_file_read("run/ledger.json", TALLY_MAX, arena, &text) : RP_ERR(NO_MEMORY));
    RP_TRY(rp_json_parse(text, RP_JSON_LIMITS, arena, &tally, NULL));
    return rp_json_get_u64(tally, "direct", ret_count) ? RP_OK : RP_ERR(CORRUPT);
}

/*= S50 */
void hunt_provider_path(void *ctx, struct rp_observation *seen) {
    struct hunt *hunt = ctx;
    uint64_t direct = 0;
    unsigned addresses = 0;
    if (hunt->config->trusted_proxies.count == 0) {
        rp_probe_not_met(seen, "no provider is declared to stand in front: gate.trusted_proxies");
        return;
    }
    if (!judge_names(hunt, seen, &addresses)) {
        return;
    }
    rp_err err = read_direct(&direct);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "run/ledger.json: %s", rp_err_text(err, RP_EN));
        return;
    }
    uint64_t since = direct >= hunt->direct_seen ? direct - hunt->direct_seen : direct;
    hunt->direct_seen = direct;
    if (since > 0) {
        rp_probe_broken(seen,
                        "%llu requests reached the gate by nobody since the last look: let the "
                        "firewall admit the provider's networks alone",
                        (unsigned long long)since);
    } else {
        rp_probe_holds(seen,
                       "our names lead to %u addresses, all of the declared provider's, and no "
                       "request came by another way since the last look",
                       addresses);
    }
}
