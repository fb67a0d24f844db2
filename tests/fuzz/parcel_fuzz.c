/* Any bytes as what another machine sends: read parcel by parcel, and each prints back as it was.
 */
#include "fuzz.h"
#include "ipc/parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view rest = rp_view_of(data, n);
    struct rp_parcel parcel;
    size_t used = 0;
    while (rp_ok(rp_parcel_read(rest, &parcel, &used))) {
        struct rp_buf out = rp_buf_new(RP_PARCEL_MAX);
        FUZZ_CHECK(used >= RP_PARCEL_HEAD + RP_IPC_HEAD && used <= rest.n);
        FUZZ_CHECK(rp_ok(rp_parcel_write(&out, &parcel)));
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), rp_view_sub(rest, 0, used)));
        rp_buf_done(&out);
        rest = rp_view_from(rest, used);
    }
    return 0;
}
