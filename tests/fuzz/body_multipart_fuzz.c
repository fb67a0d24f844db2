/* Multipart bodies from anybody: a byte that says where to cut, a line of Content-Type, the body.
 */
#include "body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n > 0) {
        rp_view bytes = rp_view_of(data + 1, n - 1);
        rp_view content_type = rp_view_cut(&bytes, '\n');
        body_fuzz(RP_BODY_MULTIPART, content_type, bytes, RP_MIN(data[0], bytes.n));
    }
    return 0;
}
