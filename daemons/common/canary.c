#include "canary.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/id.h"
#include "os/file.h"
#include "os/socket.h"

enum { DIAL_MS = 2000, LOOPBACK_A = 127, LOOPBACK_D = 1 };

void canary_print(const struct canary_order *order, char out[static CANARY_TEXT_MAX]) {
    char token[2 * RP_ESCAPE_TOKEN + 1];
    rp_hex_print(rp_view_of(order->token, RP_ESCAPE_TOKEN), token);
    int n = snprintf(out, CANARY_TEXT_MAX, "%u,%u,%u,%u,%s", order->ports[0], order->ports[1],
                     order->ports[2], order->ports[3], token);
    RP_ASSERT(n > 0 && n < CANARY_TEXT_MAX);
}

bool canary_parse(rp_view text, struct canary_order *ret_order) {
    struct canary_order order = {.ports = {0}};
    for (size_t i = 0; i < RP_ESCAPE_WAYS; i++) {
        uint64_t port = 0;
        if (!rp_view_to_u64(rp_view_cut(&text, ','), UINT16_MAX, &port)) {
            return false;
        }
        order.ports[i] = (uint16_t)port;
    }
    if (!rp_hex_parse(text, order.token, sizeof order.token)) {
        return false;
    }
    *ret_order = order;
    return true;
}

static rp_err receive_exactly(int fd, uint8_t *out, size_t n) {
    for (size_t have = 0; have < n;) {
        size_t got = 0;
        RP_TRY(rp_socket_receive(fd, out + have, n - have, &got));
        have += got;
    }
    return RP_OK;
}

/* As libcurl would (RFC 1928), to an address that no setting names. OK: the token is on its way. */
static rp_err leave_by_dial(uint16_t port, const uint8_t token[static RP_ESCAPE_TOKEN]) {
    const uint8_t greeting[] = {5, 1, 0};
    const uint8_t request[] = {
        5, 1, 0, 1, LOOPBACK_A, 0, 0, LOOPBACK_D, (uint8_t)(port >> 8), (uint8_t)port};
    uint8_t method[2], reply[10];
    _cleanup_fd_ int fd = -1;
    RP_TRY(rp_socket_connect(DAEMON_DIAL_SOCKET, RP_SOCKET_STREAM, DIAL_MS, &fd));
    RP_TRY(rp_socket_send(fd, rp_view_of(greeting, sizeof greeting)));
    RP_TRY(receive_exactly(fd, method, sizeof method));
    RP_TRY(rp_socket_send(fd, rp_view_of(request, sizeof request)));
    RP_TRY(receive_exactly(fd, reply, sizeof reply));
    RP_TRY(reply[1] == 0 ? RP_OK : RP_ERR(DENIED));
    return rp_socket_send(fd, rp_view_of(token, RP_ESCAPE_TOKEN));
}

int canary_run(const struct daemon *daemon, const struct canary_order *order) {
    unsigned left = rp_escape_try(order->ports, order->token);
    bool may_ask = daemon_role(daemon->role)->connect != RP_CONNECT_NEVER;
    if (may_ask && rp_ok(leave_by_dial(order->ports[0], order->token))) {
        left |= RP_ESCAPE_DIAL;
    }
    return left == 0 ? 0 : CANARY_ESCAPED + (int)left;
}
