/* What the log machine may be asked: the first byte is the message. What is read packs back to the
 * same bytes; answers are read as the asking side reads them. */
#include "fuzz.h"
#include "ledger/proven.h"
#include "ledger/vault_message_io.h"

/* Anchor records with their proofs, one behind the other. */
static void records(rp_view bytes) {
    struct rp_proven proven;
    struct rp_buf out = rp_buf_new(1 << 18);
    rp_view rest = bytes;
    while (rest.n > 0 && rp_ok(rp_proven_next(&rest, &proven))) {
        rp_proven_pack(&out, &proven);
    }
    FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), rp_view_sub(bytes, 0, bytes.n - rest.n)));
    rp_buf_done(&out);
}

static void request(enum rp_vault_message what, rp_view message) {
    struct rp_vault_request read;
    struct rp_buf out = rp_buf_new(1 << 18);
    if (rp_ok(rp_vault_request_unpack(what, message, &read))) {
        rp_vault_request_pack(&out, what, &read);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), message));
        records(read.bytes);
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
