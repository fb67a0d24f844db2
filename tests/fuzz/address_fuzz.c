/* An address that is accepted is its own normal form. */
#include "fuzz.h"
#include "identity/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_email email, again;
    if (rp_ok(rp_email_normalise(rp_view_of(data, n), &email))) {
        FUZZ_CHECK(rp_ok(rp_email_normalise(rp_view_from_cstr(email.s), &again)));
        FUZZ_CHECK(rp_view_equal(rp_view_from_cstr(email.s), rp_view_from_cstr(again.s)));
        FUZZ_CHECK(rp_view_find_byte(rp_view_from_cstr(email.s), '@') < strlen(email.s));
    }
    (void)rp_ok(rp_identity_check_password(rp_view_of(data, n), RP_VIEW("ann@example.org")));
    return 0;
}
