/* ask.c — in place of a role that runs elsewhere: its socket, its rules, somebody else's answers.
 *
 * Who may ask is judged by rp_ipc_server, as that role itself would; then the question goes to the
 * machine that runs it. Without a connection the caller hears at once that nobody is there, and
 * when a connection ends, that the answer will not come: as from a role that died. No question is
 * sent twice.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "ipc/table.h"
#include "link.h"

static struct call *free_place(struct link *link) {
    for (size_t i = 0; i < LINK_CALLS; i++) {
        if (!link->calls[i].stand) {
            return &link->calls[i];
        }
    }
    return NULL;
}

static void answer(struct call *call, rp_err err, rp_view payload) {
    struct rp_ipc_server *server = call->stand->server;
    struct rp_ipc_call_id id = call->id;
    *call = (struct call){.stand = NULL};
    rp_ipc_reply(server, id, err, payload);
}

static rp_err forward(struct stand *stand, const struct rp_parcel *parcel) {
    struct wire *wire = &stand->machine->asks;
    struct call *call = free_place(stand->link);
    if (parcel->client == RP_ROLE_CLI) {
        return RP_ERR(DENIED); /* an operator's question is asked on the machine that it is about */
    }
    if (wire->state != WIRE_UP) {
        return RP_ERR(UNREACHABLE);
    }
    if (!call) {
        return RP_ERR(OVERLOAD);
    }
    RP_TRY(wire_send(wire, parcel));
    *call = (struct call){.stand = stand,
                          .id = {parcel->channel, parcel->head.request},
                          .from = parcel->client,
                          .number = parcel->head.number,
                          .wire = wire->number,
                          .since_ms = link_now_ms(stand->link)};
    return RP_OK;
}

static void asked(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                  struct rp_ipc_call_id id, rp_view request) {
    struct stand *stand = ctx;
    const struct rp_parcel parcel = {.channel = id.peer,
                                     .client = from,
                                     .server = stand->role,
                                     .head = {.number = message, .request = id.request},
                                     .payload = request};
    rp_err err = forward(stand, &parcel);
    if (!rp_ok(err)) {
        rp_ipc_reply(stand->server, id, err, (rp_view){NULL, 0});
    }
}

static void refused(void *ctx, enum rp_role_id named, pid_t pid, const char *reason) {
    struct stand *stand = ctx;
    struct recorder_note note = recorder_begin(stand->link->recorder, RP_EVENT_PEER_REFUSED);
    rp_event_add_text(note.event, "name", rp_view_from_cstr(rp_role_name(named)));
    rp_event_add_u64(note.event, "pid", (uint64_t)pid);
    rp_event_add_text(note.event, "reason", rp_view_from_cstr(reason));
    recorder_finish(stand->link->recorder, &note);
}

static bool is_this(const struct call *call, const struct wire *wire,
                    const struct rp_parcel *parcel) {
    return call->stand && call->wire == wire->number && call->stand->role == parcel->server &&
           call->from == parcel->client && call->number == parcel->head.number &&
           call->id.peer == parcel->channel && call->id.request == parcel->head.request;
}

rp_err ask_take(struct wire *wire, const struct rp_parcel *parcel) {
    struct link *link = wire->link;
    const struct rp_ipc_rule *rule =
        rp_ipc_rule_find(parcel->client, parcel->server, parcel->head.number);
    if (!rule || parcel->payload.n > rule->max_reply) {
        return RP_ERR(PROTOCOL);
    }
    for (size_t i = 0; i < LINK_CALLS; i++) {
        if (is_this(&link->calls[i], wire, parcel)) {
            answer(&link->calls[i], parcel->head.err, parcel->payload);
            return RP_OK;
        }
    }
    /* Its caller was given up before, and the answer comes late: of this wire, so not a breach. */
    return parcel->channel != 0 ? RP_OK : RP_ERR(PROTOCOL);
}

void ask_wire_ended(struct wire *wire) {
    for (size_t i = 0; i < LINK_CALLS; i++) {
        struct call *call = &wire->link->calls[i];
        if (call->stand && call->wire == wire->number) {
            answer(call, RP_ERR(CLOSED), (rp_view){NULL, 0});
        }
    }
}

void ask_tick(struct link *link) {
    for (size_t i = 0; i < LINK_CALLS; i++) {
        struct call *call = &link->calls[i];
        if (call->stand && link_now_ms(link) - call->since_ms >= LINK_CALL_MS) {
            answer(call, RP_ERR(TIMEOUT), (rp_view){NULL, 0});
        }
    }
}

/* ---- start ---- */

/* Whether anybody on this machine asks the role anything. */
static bool is_asked_here(const struct rp_config *config, enum rp_role_id role) {
    for (unsigned id = 0; id < RP_ROLE_COUNT; id++) {
        enum rp_role_id client = (enum rp_role_id)id;
        bool here = client == RP_ROLE_SUPERVISOR || client == RP_ROLE_LINK ||
                    rp_config_runs_here(config, client);
        if (here && rp_ipc_pair_exists(client, role)) {
            return true;
        }
    }
    return false;
}

static rp_err stand_for(struct link *link, enum rp_role_id role, struct machine *machine) {
    RP_ASSERT(link->stand_count < LINK_STANDS);
    struct stand *stand = &link->stands[link->stand_count++];
    *stand = (struct stand){.link = link, .role = role, .machine = machine};
    RP_TRY(rp_ipc_server_new(link->daemon.loop, role, asked, stand, &stand->server));
    rp_ipc_server_on_refused(stand->server, refused, stand);
    return RP_OK;
}

rp_err ask_start(struct link *link) {
    const struct rp_config *config = &link->daemon.config;
    for (size_t i = 0; i < link->machine_count; i++) {
        struct machine *machine = &link->machines[i];
        for (unsigned id = 0; id < RP_ROLE_COUNT; id++) {
            enum rp_role_id role = (enum rp_role_id)id;
            if ((machine->peer->runs & RP_ROLE_BIT(role)) && is_asked_here(config, role)) {
                RP_TRY(stand_for(link, role, machine));
            }
        }
    }
    return RP_OK;
}
