/* Whatever uacme prints: the reason is one printable line, the wait has its limits, and how the
 * text was cut into pieces makes no difference. */
#include "fuzz.h"
#include "told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct told whole = {.line_n = 0}, pieces = {.line_n = 0};
    told_feed(&whole, rp_view_of(data, n), 1000);
    told_end(&whole, 1000);
    for (size_t i = 0; i < n; i += 3) {
        told_feed(&pieces, rp_view_sub(rp_view_of(data, n), i, 3), 1000);
    }
    told_end(&pieces, 1000);
    FUZZ_CHECK(whole.wait_s >= 0 && whole.wait_s <= TOLD_WAIT_MAX_S);
    FUZZ_CHECK(strcmp(told_reason(&whole), told_reason(&pieces)) == 0);
    const char *reason = told_reason(&whole);
    FUZZ_CHECK(strlen(reason) > 0 && strlen(reason) < TOLD_REASON);
    for (; *reason; reason++) {
        FUZZ_CHECK(*reason >= ' ' && *reason <= '~');
    }
    return 0;
}
