/* Any bytes as an artefact: refused, or put together again from its parts; what is taken strictly
 * is taken loosely, too. */
#include "fuzz.h"
#include "wire/artefact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_artefact strict, loose;
    rp_view text = rp_view_of(data, n);
    bool taken = rp_artefact_parse_loose(text, &loose);
    if (!rp_artefact_parse(text, &strict)) {
        FUZZ_CHECK(!taken || (loose.hex.n == n && loose.name.p == NULL));
        return 0;
    }
    FUZZ_CHECK(taken && loose.git == strict.git && rp_view_equal(loose.hex, strict.hex));
    size_t kind = strict.git ? strlen("git:") : strlen("sha256:");
    size_t name = strict.name.p ? strict.name.n + 1 : 0;
    FUZZ_CHECK(strict.name.n <= RP_ARTEFACT_NAME_MAX && strict.hex.n <= RP_ARTEFACT_HEX_MAX);
    FUZZ_CHECK(name + kind + strict.hex.n == n);
    return 0;
}
