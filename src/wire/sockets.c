#include "wire/sockets.h"

#include "base/assert.h"

enum { WORD_DIGITS = 8, WORDS_MAX = 4, PORT_DIGITS = 4, STATE_DIGITS = 2 };

/* Columns that nobody here asks for: peer, queues, timers, retransmissions. */
enum { BEFORE_STATE = 1, BEFORE_UID = 3 };

static rp_view next_column(rp_view *rest) {
    rp_view column = {NULL, 0};
    while (rest->p && column.n == 0) {
        column = rp_view_cut(rest, ' ');
    }
    return column;
}

static int digit_of(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Exactly that many of the kernel's digits, which are upper-case. */
static bool hex_of(rp_view text, size_t digits, uint32_t *ret_value) {
    uint32_t value = 0;
    if (text.n != digits) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        int digit = digit_of(text.p[i]);
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    *ret_value = value;
    return true;
}

/* The kernel prints an address as words of its own byte order, of bytes that lie in the net's. */
static bool address_of(rp_view text, struct rp_ip *ret_ip) {
    uint32_t words[WORDS_MAX];
    size_t n = text.n / WORD_DIGITS;
    if (text.n % WORD_DIGITS != 0 || (n != 1 && n != WORDS_MAX)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!hex_of(rp_view_sub(text, i * WORD_DIGITS, WORD_DIGITS), WORD_DIGITS, &words[i])) {
            return false;
        }
    }
    *ret_ip = rp_ip_of((const uint8_t *)words, n * sizeof words[0]);
    return true;
}

rp_err rp_socket_parse(rp_view line, struct rp_socket *ret_socket) {
    RP_ASSERT(ret_socket != NULL);
    struct rp_socket socket;
    uint32_t port = 0, state = 0;
    uint64_t uid = 0;
    rp_view rest = line;
    next_column(&rest); /* its number in the list */
    rp_view at = next_column(&rest);
    rp_view address = rp_view_cut(&at, ':');
    bool good = address_of(address, &socket.ip) && hex_of(at, PORT_DIGITS, &port);
    for (size_t i = 0; i < BEFORE_STATE; i++) {
        next_column(&rest);
    }
    good = good && hex_of(next_column(&rest), STATE_DIGITS, &state);
    for (size_t i = 0; i < BEFORE_UID; i++) {
        next_column(&rest);
    }
    if (!good || !rp_view_to_u64(next_column(&rest), UINT32_MAX, &uid)) {
        return RP_ERR(SYNTAX);
    }
    socket.port = (uint16_t)port;
    socket.state = (uint8_t)state;
    socket.uid = (uint32_t)uid;
    *ret_socket = socket;
    return RP_OK;
}

bool rp_socket_is_everywhere(const struct rp_socket *socket) {
    static const uint8_t nothing[16];
    size_t from = rp_ip_is_v4(&socket->ip) ? RP_IP_V4_BITS / 8 : 0;
    size_t n = sizeof nothing - from;
    return rp_view_equal(rp_view_of(socket->ip.b + from, n), rp_view_of(nothing, n));
}

bool rp_socket_is_local(const struct rp_socket *socket) {
    static const uint8_t v6_loopback[16] = {[15] = 1};
    return rp_ip_is_v4(&socket->ip)
               ? socket->ip.b[RP_IP_V4_BITS / 8] == 127
               : rp_view_equal(rp_view_of(socket->ip.b, 16), rp_view_of(v6_loopback, 16));
}
