/* A slot of a worker's ring: what is accepted keeps its lengths, and is the slot's own bytes. */
#include "event/gate_record.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    uint8_t bytes[RP_GATE_RECORD_BYTES] = {0};
    struct rp_gate_record record;
    memcpy(bytes, data, n > sizeof bytes ? sizeof bytes : n);
    if (rp_ok(rp_gate_record_parse(bytes, &record))) {
        FUZZ_CHECK(record.host_len <= sizeof record.host && record.path_len <= sizeof record.path);
        FUZZ_CHECK(record.method_len <= sizeof record.method);
        FUZZ_CHECK(record.app_len <= sizeof record.app);
        FUZZ_CHECK(rp_gate_reason_text((enum rp_gate_reason)record.reason)[0] != 'u' ||
                   record.reason != RP_GATE_REASON_NONE);
        FUZZ_CHECK(__builtin_memcmp(&record, bytes, sizeof bytes) == 0);
    }
    return 0;
}
