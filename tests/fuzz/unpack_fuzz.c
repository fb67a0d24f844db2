/* An organisation's export as the probe reads it: the same verdict whether it comes at once or in
 * crumbs, and where it is whole, its records can be looked for. */
#include "gzip.h"
#include "unpack.h"

static rp_err read_in(const uint8_t *data, size_t n, size_t piece, uint64_t *ret_records) {
    struct unpack *unpack = unpack_new("canary/canary-export");
    rp_err err = RP_OK;
    FUZZ_CHECK(unpack != NULL);
    for (size_t at = 0; rp_ok(err) && at < n; at += piece) {
        err = unpack_take(unpack, rp_view_of(data + at, at + piece < n ? piece : n - at));
    }
    if (rp_ok(err)) {
        err = unpack_end(unpack);
    }
    if (rp_ok(err)) {
        *ret_records = unpack_records(unpack);
        (void)unpack_line(unpack, (rp_id){{1}});
        (void)unpack_file(unpack, (rp_id){{1}});
    }
    unpack_free(unpack);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static uint8_t zipped[FUZZ_ZIPPED_MAX];
    uint64_t whole = 0, crumbs = 0;
    rp_view in = fuzz_zipped(data, n, zipped);
    if (!in.p) {
        return 0;
    }
    rp_err at_once = read_in(in.p, in.n, in.n ? in.n : 1, &whole);
    rp_err slowly = read_in(in.p, in.n, 7, &crumbs);
    FUZZ_CHECK(rp_ok(at_once) == rp_ok(slowly) && whole == crumbs);
    return 0;
}
