/* dial.c — the machines that roles here ask: dialled, and dialled again after a pause that doubles.
 */
#include "base/checked.h"
#include "link.h"
#include "os/file.h"

static void wait_before_next(struct machine *machine) {
    machine->dial_at_ms = link_now_ms(machine->asks.link) + machine->pause_ms;
    machine->pause_ms = RP_MIN(machine->pause_ms * 2, LINK_PAUSE_MAX_MS);
}

void dial_tick(struct machine *machine) {
    struct wire *wire = &machine->asks;
    wire_tick(wire);
    if (wire->state != WIRE_CLOSED || link_now_ms(wire->link) < machine->dial_at_ms) {
        return;
    }
    _cleanup_fd_ int fd = -1;
    rp_err err = rp_tcp_begin(machine->peer->at.address, machine->peer->at.port, &fd);
    if (rp_ok(err)) {
        err = wire_open(wire, &fd, WIRE_CONNECTING);
    }
    if (!rp_ok(err)) {
        wait_before_next(machine);
        tell_down(machine, true, rp_err_text(err, RP_EN));
    }
}

void dial_up(struct wire *wire) {
    wire->machine->pause_ms = LINK_PAUSE_MIN_MS;
    tell_up(wire->machine, true);
}

void dial_ended(struct wire *wire, const char *reason) {
    wait_before_next(wire->machine);
    tell_down(wire->machine, true, reason);
}
