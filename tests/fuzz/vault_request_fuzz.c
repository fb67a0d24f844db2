/* What the log machine may be asked: the first byte is the message. What is read packs back to the
 * same bytes; answers are read as the asking side reads them. */
#include "fuzz.h"
#include "ledger/vault_message_io.h"

static void request(enum rp_vault_message what, rp_view message) {
    struct rp_vault_request read;
    struct rp_buf out = rp_buf_new(1 << 18);
    if (rp_ok(rp_vault_request_unpack(what, message, &read))) {
        rp_vault_request_pack(&out, what, &read);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), message));
    }
    rp_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_vault_size size;
    uint64_t time_ms, bytes;
    if (n == 0) {
        return 0;
    }
    rp_view message = rp_view_of(data + 1, n - 1);
    request((enum rp_vault_message)data[0], message);
    if (rp_ok(rp_vault_size_unpack(message, &size))) {
        FUZZ_CHECK(message.n == 24);
    }
    if (rp_ok(rp_vault_wanted_unpack(message, &time_ms, &bytes))) {
        FUZZ_CHECK(message.n == 16);
    }
    return 0;
}
