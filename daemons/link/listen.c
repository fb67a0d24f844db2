/* listen.c — the machines that ask roles here: strangers until they have shown a key that we know.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "link.h"
#include "os/file.h"

enum { ACCEPTS_PER_TURN = 8 };

rp_err listen_open(struct link *link) {
    const struct rp_config *config = &link->daemon.config;
    rp_err err = rp_tcp_listen(config->link.address, config->link.port, &link->listener);
    if (!rp_ok(err)) {
        daemon_say(&link->daemon, "link.listen: %s: %s", config->link_listen,
                   rp_is(err, RP_E_INVALID) ? "this machine has no such address"
                                            : rp_err_text(err, RP_EN));
    }
    return err;
}

/* A free place; when strangers fill theirs, that of the one who has had it longest. */
static struct wire *place_for_stranger(struct link *link) {
    struct wire *free_one = NULL, *oldest = NULL;
    size_t strangers = 0;
    for (size_t i = 0; i < LINK_INBOUND; i++) {
        struct wire *wire = &link->inbound[i];
        if (wire->state == WIRE_CLOSED) {
            free_one = wire;
        } else if (!wire->machine) {
            strangers++;
            oldest = !oldest || wire->number < oldest->number ? wire : oldest;
        }
    }
    if (strangers < LINK_STRANGERS) {
        return free_one;
    }
    wire_close(oldest, link_why(LINK_CROWD));
    return oldest;
}

static void accept_ready(void *ctx, unsigned events) {
    struct link *link = ctx;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        _cleanup_fd_ int fd = -1;
        char from[RP_TCP_ADDRESS_MAX];
        if (!rp_ok(rp_tcp_accept(link->listener, &fd, from))) {
            return;
        }
        struct wire *wire = place_for_stranger(link);
        RP_ASSERT(wire != NULL); /* a place for each machine and each stranger */
        wire->machine = NULL;
        memcpy(wire->from, from, sizeof from);
        rp_ignore(wire_open(wire, &fd, WIRE_SHAKING)); /* without memory it dials again */
    }
}

rp_err listen_start(struct link *link) {
    for (size_t i = 0; i < LINK_INBOUND; i++) {
        link->inbound[i] = (struct wire){.link = link, .fd = -1};
    }
    return rp_loop_watch(link->daemon.loop, link->listener, RP_READY_READ, accept_ready, link,
                         &link->watch);
}

void listen_known(struct wire *wire) {
    const struct rp_sha256 *shown = rp_tls_channel_peer(wire->tls);
    struct link *link = wire->link;
    RP_ASSERT(shown != NULL && wire->machine == NULL);
    for (size_t i = 0; i < link->machine_count; i++) {
        struct machine *machine = &link->machines[i];
        if (rp_sha256_equal(&machine->key, shown)) {
            if (machine->answers) {
                wire_close(machine->answers, link_why(LINK_ANEW));
            }
            machine->answers = wire;
            wire->machine = machine;
        }
    }
    RP_ASSERT(wire->machine != NULL); /* TLS let nobody else in */
}

void listen_up(struct wire *wire) {
    tell_up(wire->machine, false);
}

void listen_ended(struct wire *wire, const char *reason) {
    struct machine *machine = wire->machine;
    wire->machine = NULL;
    if (machine) {
        RP_ASSERT(machine->answers == wire);
        machine->answers = NULL;
        tell_down(machine, false, reason);
    }
}
