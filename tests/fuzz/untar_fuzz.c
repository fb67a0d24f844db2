/* An archive that is read: as many bytes as each file's header says, names that stay in their
 * folder, and the same steps whether it comes at once or byte by byte. */
#include "fuzz.h"
#include "wire/untar.h"

/* A number for everything that the steps told; 0, as good as never else, when it was refused. */
static uint64_t read_in(const uint8_t *data, size_t n, size_t piece) {
    struct rp_untar untar = {.have = 0};
    uint64_t told = 1;
    for (size_t at = 0; at < n; at += piece) {
        rp_view rest = rp_view_of(data + at, at + piece < n ? piece : n - at);
        struct rp_untar_step step = {.what = RP_UNTAR_FILE};
        while (step.what != RP_UNTAR_MORE && step.what != RP_UNTAR_END) {
            if (!rp_ok(rp_untar_step(&untar, &rest, &step))) {
                return 0;
            }
            if (step.what == RP_UNTAR_FILE) {
                FUZZ_CHECK(step.entry.name.n > 0 && step.entry.name.p[0] != '/');
                FUZZ_CHECK(rp_view_find(step.entry.name, RP_VIEW("..")) == step.entry.name.n);
                told = told * 31 + step.entry.size + step.entry.mode;
            }
            for (size_t i = 0; i < step.bytes.n; i++) {
                told = told * 31 + step.bytes.p[i];
            }
            told += step.what == RP_UNTAR_CLOSE ? 1000003 : 0;
            told += step.what == RP_UNTAR_END ? 1000033 : 0;
        }
    }
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    FUZZ_CHECK(read_in(data, n, n ? n : 1) == read_in(data, n, 1));
    return 0;
}
