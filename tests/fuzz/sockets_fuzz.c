/* Any bytes as a line of the kernel's list of sockets: refused, or an address that prints. */
#include "fuzz.h"
#include "wire/sockets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rp_socket socket;
    char text[RP_IP_TEXT_MAX];
    struct rp_ip ip;
    if (!rp_ok(rp_socket_parse(rp_view_of(data, size), &socket))) {
        return 0;
    }
    size_t n = rp_ip_print(&socket.ip, text);
    FUZZ_CHECK(rp_ok(rp_ip_parse(rp_view_of(text, n), &ip)));
    FUZZ_CHECK(rp_view_equal(rp_view_of(ip.b, 16), rp_view_of(socket.ip.b, 16)));
    FUZZ_CHECK(!rp_socket_is_local(&socket) || !rp_socket_is_everywhere(&socket));
    return 0;
}
