/* XML documents from anybody; the first byte says where they are cut. */
#include "body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n > 0) {
        rp_view bytes = rp_view_of(data + 1, n - 1);
        body_fuzz(RP_BODY_XML, RP_VIEW(""), bytes, RP_MIN(data[0], bytes.n));
    }
    return 0;
}
