/* names.c — where this installation's own public names lead: asked by hunt, which has no network,
 * to see whether the provider that is declared stands in front. No other name is looked up for it.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "config/ways.h"
#include "dial.h"
#include "os/outward.h"

enum { ADDRESSES_MAX = 24, ADDRESS_BYTES = 16 };

/* One question at a time. */
struct names {
    struct dial *dial;
    struct rp_ipc_server *server;
    bool busy;
    struct rp_ipc_call_id asked;
    const char *host;
    rp_err result;
    uint8_t addresses[ADDRESSES_MAX][ADDRESS_BYTES];
    size_t count;
};

static void reply(void *ctx) {
    struct names *names = ctx;
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(ADDRESSES_MAX * ADDRESS_BYTES);
    if (rp_ok(names->result)) {
        rp_buf_add(&out, rp_view_of(names->addresses, names->count * ADDRESS_BYTES));
    }
    rp_ipc_reply(names->server, names->asked, names->result, rp_buf_view(&out));
    names->busy = false;
}

/* On a thread. */
static void look_up(void *thread_state, void *ctx) {
    struct names *names = ctx;
    (void)thread_state;
    names->count = 0;
    names->result =
        rp_outward_addresses(names->host, names->addresses, ADDRESSES_MAX, &names->count);
    rp_err err = rp_loop_post(names->dial->daemon.loop, reply, names);
    RP_ASSERT(rp_ok(err)); /* one post at a time */
}

static void asked(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                  struct rp_ipc_call_id call, rp_view request) {
    struct names *names = ctx;
    struct rp_unpack in = rp_unpack_new(request);
    uint8_t place = rp_unpack_u8(&in);
    RP_ASSERT(from == RP_ROLE_HUNT && (int)message == (int)RP_IPC_HUNT_DIAL_ADDRESSES);
    rp_err err = rp_unpack_end(&in);
    if (rp_ok(err)) {
        names->host =
            names->busy ? names->host : rp_config_own_name(&names->dial->daemon.config, place);
        err = names->busy ? RP_ERR(BUSY) : names->host ? RP_OK : RP_ERR(INVALID);
    }
    if (rp_ok(err)) {
        err = rp_pool_submit(names->dial->pool, look_up, names);
    }
    if (!rp_ok(err)) {
        rp_ipc_reply(names->server, call, err, RP_VIEW(""));
        return;
    }
    names->busy = true;
    names->asked = call;
}

rp_err names_open(struct dial *dial) {
    struct names *names = rp_arena_alloc(dial->daemon.arena, sizeof *names);
    if (!names) {
        return RP_ERR(NO_MEMORY);
    }
    *names = (struct names){.dial = dial};
    dial->names = names;
    return rp_ipc_server_new(dial->daemon.loop, RP_ROLE_DIAL, asked, names, &names->server);
}

void names_close(struct dial *dial) {
    if (dial->names) {
        rp_ipc_server_free(dial->names->server);
    }
}
