/* A checkpoint from a stranger: nothing is accepted but what the key signed, to the byte. The first
 * line of the input is the verifier key, the rest the note. */
#include "crypto/secret.h"
#include "fuzz.h"
#include "ledger/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view note = rp_view_of(data, n);
    rp_view key = rp_view_cut(&note, '\n');
    struct rp_arena *arena = rp_arena_new(64 * 1024 + 8 * n);
    struct rp_tlog_vkey vkey;
    struct rp_tlog_checkpoint checkpoint;
    FUZZ_CHECK(rp_ok(rp_crypto_start()));
    if (rp_ok(rp_vkey_parse(key, arena, &vkey)) &&
        rp_ok(rp_checkpoint_check(note, &vkey, arena, &checkpoint))) {
        struct rp_buf out = rp_buf_new(n + 64);
        rp_tlog_checkpoint_print(&out, &checkpoint);
        FUZZ_CHECK(rp_view_starts(note, rp_buf_view(&out)));
        FUZZ_CHECK(rp_view_equal(checkpoint.origin, vkey.name));
        rp_buf_done(&out);
    }
    rp_arena_free(arena);
    return 0;
}
