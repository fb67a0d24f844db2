#include "wire/socks.h"

#include <string.h>

#include "base/assert.h"
#include "wire/ip.h"

enum { VERSION = 5, NO_AUTHENTICATION = 0, CONNECT = 1, HEAD = 4, PORT = 2 };
enum { ADDRESS_V4 = 1, ADDRESS_NAME = 3, ADDRESS_V6 = 4 };

/* Section 3. */
rp_err rp_socks_greeting(rp_view bytes, size_t *ret_used) {
    if (bytes.n > 0 && bytes.p[0] != VERSION) {
        return RP_ERR(PROTOCOL);
    }
    if (bytes.n < 2 || bytes.n < 2u + bytes.p[1]) {
        return RP_ERR(BUSY);
    }
    size_t count = bytes.p[1];
    if (rp_view_find_byte(rp_view_sub(bytes, 2, count), NO_AUTHENTICATION) == count) {
        return RP_ERR(PROTOCOL);
    }
    *ret_used = 2 + count;
    return RP_OK;
}

/* Letters, digits, dots and dashes: what a name of the DNS can be made of. */
static rp_err take_name(rp_view name, char out[static RP_SOCKS_HOST_MAX]) {
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        bool upper = c >= 'A' && c <= 'Z';
        bool fine = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '-' || c == '_';
        if (!fine) {
            return RP_ERR(PROTOCOL);
        }
        out[i] = (char)(upper ? c - 'A' + 'a' : c);
    }
    out[name.n] = '\0';
    return name.n > 0 ? RP_OK : RP_ERR(PROTOCOL);
}

static rp_err take_host(uint8_t kind, rp_view address, char out[static RP_SOCKS_HOST_MAX]) {
    _Static_assert(RP_SOCKS_HOST_MAX > UINT8_MAX && UINT8_MAX >= (int)RP_IP_TEXT_MAX,
                   "any name and any address fit");
    if (kind == ADDRESS_NAME) {
        return take_name(address, out);
    }
    struct rp_ip ip = rp_ip_of(address.p, address.n);
    rp_ip_print(&ip, out);
    return RP_OK;
}

/* Section 4. The length of the address: *ret_n, after `before` bytes of head. */
static rp_err measure(rp_view bytes, size_t *ret_before, size_t *ret_n) {
    const uint8_t expected[] = {VERSION, CONNECT, 0};
    for (size_t i = 0; i < sizeof expected && i < bytes.n; i++) {
        if (bytes.p[i] != expected[i]) {
            return RP_ERR(PROTOCOL);
        }
    }
    if (bytes.n <= HEAD) {
        return RP_ERR(BUSY);
    }
    uint8_t kind = bytes.p[3];
    *ret_before = kind == ADDRESS_NAME ? HEAD + 1 : HEAD;
    *ret_n = kind == ADDRESS_V4 ? 4 : kind == ADDRESS_V6 ? 16 : bytes.p[4];
    return kind == ADDRESS_V4 || kind == ADDRESS_NAME || kind == ADDRESS_V6 ? RP_OK
                                                                            : RP_ERR(PROTOCOL);
}

rp_err rp_socks_request(rp_view bytes, struct rp_socks_request *ret_request, size_t *ret_used) {
    size_t before = 0, n = 0;
    struct rp_socks_request request;
    RP_TRY(measure(bytes, &before, &n));
    if (bytes.n < before + n + PORT) {
        return RP_ERR(BUSY);
    }
    RP_TRY(take_host(bytes.p[3], rp_view_sub(bytes, before, n), request.host));
    const uint8_t *port = bytes.p + before + n;
    request.port = (uint16_t)(port[0] << 8 | port[1]);
    if (request.port == 0) {
        return RP_ERR(PROTOCOL);
    }
    *ret_request = request;
    *ret_used = before + n + PORT;
    return RP_OK;
}

void rp_socks_print_method(uint8_t out[static RP_SOCKS_METHOD_BYTES]) {
    out[0] = VERSION;
    out[1] = NO_AUTHENTICATION;
}

void rp_socks_print_reply(enum rp_socks_reply reply, uint8_t out[static RP_SOCKS_REPLY_BYTES]) {
    memset(out, 0, RP_SOCKS_REPLY_BYTES);
    out[0] = VERSION;
    out[1] = (uint8_t)reply;
    out[3] = ADDRESS_V4;
}
