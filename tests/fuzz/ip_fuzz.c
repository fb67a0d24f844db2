/* Any bytes as an address or a range: refused, or printed and read again as the same. */
#include "fuzz.h"
#include "wire/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rp_ip_net net, again;
    char text[RP_IP_TEXT_MAX];
    if (!rp_ok(rp_ip_net_parse(rp_view_of(data, size), &net))) {
        return 0;
    }
    FUZZ_CHECK(net.bits <= 128 && rp_ip_in(&net.ip, &net));
    size_t n = rp_ip_print(&net.ip, text);
    FUZZ_CHECK(n > 0 && n == strlen(text));
    struct rp_ip ip;
    FUZZ_CHECK(rp_ok(rp_ip_parse(rp_view_of(text, n), &ip)));
    FUZZ_CHECK(rp_view_equal(rp_view_of(ip.b, 16), rp_view_of(net.ip.b, 16)));
    FUZZ_CHECK(rp_ok(rp_ip_net_parse(rp_view_of(text, n), &again)));
    FUZZ_CHECK(rp_ip_in(&again.ip, &net));
    return 0;
}
