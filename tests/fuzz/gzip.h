/* gzip.h — what is fuzzed lies inside a gzip, or chance would not get past its checksum; an input
 * that is gzip already goes in as it is. */
#ifndef RP_TESTS_FUZZ_GZIP_H
#define RP_TESTS_FUZZ_GZIP_H

#include <zlib.h>

#include "base/view.h"
#include "fuzz.h"

enum { FUZZ_ZIPPED_MAX = 1 << 20 };

/* out holds FUZZ_ZIPPED_MAX bytes; p == NULL: the input is too long to try. */
static inline rp_view fuzz_zipped(const uint8_t *data, size_t n, uint8_t *out) {
    enum { GZIP_WINDOW = 15 + 16 };
    if (n > FUZZ_ZIPPED_MAX / 2) {
        return (rp_view){NULL, 0};
    }
    if (n >= 2 && data[0] == 0x1f && data[1] == 0x8b) {
        return rp_view_of(data, n);
    }
    z_stream zip = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)n};
    FUZZ_CHECK(deflateInit2(&zip, 1, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    zip.next_out = out;
    zip.avail_out = FUZZ_ZIPPED_MAX;
    FUZZ_CHECK(deflate(&zip, Z_FINISH) == Z_STREAM_END);
    (void)deflateEnd(&zip);
    return rp_view_of(out, FUZZ_ZIPPED_MAX - zip.avail_out);
}

#endif
