/* An organisation's export as the probe reads it: the same verdict whether it comes at once or in
 * crumbs, and where it is whole, its records can be looked for. What is fuzzed lies inside the
 * gzip, or chance would not get past its checksum; an input that is gzip already goes in as it is.
 */
#include <stdlib.h>
#include <zlib.h>

#include "fuzz.h"
#include "unpack.h"

enum { ZIPPED_MAX = 1 << 20, GZIP = 15 + 16 };

static size_t wrap(const uint8_t *data, size_t n, uint8_t *out) {
    z_stream zip = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)n};
    FUZZ_CHECK(deflateInit2(&zip, 1, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    zip.next_out = out;
    zip.avail_out = ZIPPED_MAX;
    FUZZ_CHECK(deflate(&zip, Z_FINISH) == Z_STREAM_END);
    (void)deflateEnd(&zip);
    return ZIPPED_MAX - zip.avail_out;
}

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
    static uint8_t zipped[ZIPPED_MAX];
    uint64_t whole = 0, crumbs = 0;
    if (n > ZIPPED_MAX / 2) {
        return 0;
    }
    if (n < 2 || data[0] != 0x1f || data[1] != 0x8b) {
        n = wrap(data, n, zipped);
        data = zipped;
    }
    rp_err at_once = read_in(data, n, n ? n : 1, &whole);
    rp_err slowly = read_in(data, n, 7, &crumbs);
    FUZZ_CHECK(rp_ok(at_once) == rp_ok(slowly) && whole == crumbs);
    return 0;
}
