/* egress.c — can what runs here send something to an address that nobody named?
 *
 * The supervisor starts a canary in each role's own walls, which tries by TCP, by UDP and by the
 * one door out. The address is one of this machine's own: what is refused there never left it, and
 * what gets there is seen to arrive.
 */
#include "base/checked.h"
#include "ipc/ipc.h"
#include "os/escape.h"
#include "probe.h"

enum { ROUND_MS = 60000, REPLY_MAX = 128, NOT_TRIED = 0xff };

struct round {
    unsigned tried, fenced;
    enum rp_role_id escaped, open, untried; /* the first of each; NONE = none */
    unsigned ways;                          /* of the one that escaped */
};

/* Those whose walls are of ports alone, unless the supervisor's fence stands. */
static bool dials_itself(enum rp_role_id role) {
    return role == RP_ROLE_GATE || role == RP_ROLE_LINK || role == RP_ROLE_PROBE;
}

static void count(struct round *round, enum rp_role_id role, unsigned left, bool fenced) {
    bool open = dials_itself(role) && !fenced;
    round->tried++;
    round->fenced += fenced;
    if (open && round->open == RP_ROLE_NONE) {
        round->open = role;
    }
    if (left == NOT_TRIED) {
        round->untried = role;
    } else if (left != 0 && !open && round->escaped == RP_ROLE_NONE) {
        round->escaped = role;
        round->ways = left;
    }
}

static rp_err read_round(rp_view reply, struct round *round) {
    struct rp_unpack in = rp_unpack_new(reply);
    while (in.rest.n > 0) {
        uint8_t role = rp_unpack_u8(&in), left = rp_unpack_u8(&in), fenced = rp_unpack_u8(&in);
        if (in.failed || role == RP_ROLE_NONE || role >= RP_ROLE_COUNT) {
            return RP_ERR(PROTOCOL);
        }
        count(round, (enum rp_role_id)role, left, fenced != 0);
    }
    return rp_unpack_end(&in);
}

static const char *name_ways(unsigned ways) {
    return (ways & RP_ESCAPE_DIAL)                      ? RP_WORDS("by way of rempart-dial")
           : (ways & (RP_ESCAPE_TCP4 | RP_ESCAPE_TCP6)) ? RP_WORDS("over TCP")
                                                        : RP_WORDS("over UDP");
}

static void judge(const struct round *round, struct rp_observation *seen) {
    if (round->escaped != RP_ROLE_NONE) {
        rp_probe_broken(seen, "the canary of %s sent its token to an address that nobody named, %s",
                        rp_role_name(round->escaped), name_ways(round->ways));
    } else if (round->untried != RP_ROLE_NONE || round->tried == 0) {
        rp_probe_unsure(seen, "the canary of %s could not try", rp_role_name(round->untried));
    } else if (round->open != RP_ROLE_NONE) {
        rp_probe_not_met(seen,
                         "%s is kept to its ports, not to its addresses: that takes root, the "
                         "kernel's nf_tables, and applications named by address",
                         rp_role_name(round->open));
    } else {
        rp_probe_holds(
            seen,
            "the canaries of %u roles tried TCP, UDP and the way out; nothing arrived. %u "
            "roles that dial by themselves are fenced by address and port",
            round->tried, round->fenced);
    }
}

/*= S71 */
void probe_tenant_egress_blocked(void *ctx, struct rp_observation *seen) {
    const struct probe *probe = ctx;
    struct round round = {.tried = 0};
    (void)probe;
    struct rp_ipc_client *supervisor =
        rp_ipc_client_new(RP_ROLE_PROBE, RP_ROLE_SUPERVISOR, ROUND_MS);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(REPLY_MAX);
    rp_err err = supervisor
                     ? rp_ipc_call(supervisor, RP_IPC_PROBE_SUPERVISOR_ESCAPE, RP_VIEW(""), &reply)
                     : RP_ERR(NO_MEMORY);
    rp_ipc_client_free(supervisor);
    if (rp_ok(err)) {
        err = read_round(rp_buf_view(&reply), &round);
    }
    if (rp_ok(err)) {
        judge(&round, seen);
    } else {
        rp_probe_unsure(seen, "no round of canaries: %s", rp_err_text(err, RP_EN));
    }
}
