/* What is taken is a beginning of the input, is taken again as the whole of itself, and anything
 * looked up in it lies inside it. */
#include "fuzz.h"
#include "wire/cbor.h"

static bool inside(rp_view part, rp_view whole) {
    return !part.p || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void look(rp_view item) {
    rp_view content = {NULL, 0};
    int64_t number = 0;
    size_t pairs = 0;
    FUZZ_CHECK(inside(rp_cbor_at(item, 3), item));
    FUZZ_CHECK(inside(rp_cbor_at_text(item, RP_VIEW("fmt")), item));
    FUZZ_CHECK(!rp_cbor_bytes(item, &content) || inside(content, item));
    FUZZ_CHECK(!rp_cbor_text(item, &content) || inside(content, item));
    FUZZ_CHECK(!(rp_cbor_number(item, &number) && rp_cbor_map(item, &pairs)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view rest = rp_view_of(data, n), item = {NULL, 0}, again = {NULL, 0};
    while (rest.n > 0 && rp_ok(rp_cbor_take(&rest, &item))) {
        FUZZ_CHECK(item.n > 0 && item.p + item.n == rest.p);
        FUZZ_CHECK(rp_ok(rp_cbor_whole(item, &again)) && rp_view_equal(item, again));
        look(item);
    }
    return 0;
}
