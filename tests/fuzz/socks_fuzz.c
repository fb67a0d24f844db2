/* What a caller says to rempart-dial: a greeting, then a request. What is read of it is a host that
 * can be looked up, as text without surprises, and a port. */
#include "fuzz.h"
#include "wire/socks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rp_view bytes = rp_view_of(data, size);
    struct rp_socks_request request;
    size_t used = 0;
    if (rp_ok(rp_socks_greeting(bytes, &used))) {
        FUZZ_CHECK(used >= 3 && used <= bytes.n);
        bytes = rp_view_from(bytes, used);
    }
    if (rp_ok(rp_socks_request(bytes, &request, &used))) {
        FUZZ_CHECK(used >= 8 && used <= bytes.n && request.port > 0);
        size_t n = strnlen(request.host, sizeof request.host);
        FUZZ_CHECK(n > 0 && n < sizeof request.host);
        for (size_t i = 0; i < n; i++) {
            FUZZ_CHECK(request.host[i] > ' ' && request.host[i] < 0x7f);
        }
    }
    return 0;
}
