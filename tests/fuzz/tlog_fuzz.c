/* Each text of the log has one form: what is accepted is, byte for byte, what is printed again. */
#include "fuzz.h"
#include "wire/tlog.h"

static void note(rp_view text, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_tlog_note parsed;
    if (!rp_ok(rp_tlog_note_parse(text, arena, &parsed))) {
        return;
    }
    rp_buf_clear(out);
    rp_buf_add(out, parsed.text);
    rp_buf_add_byte(out, '\n');
    for (size_t i = 0; i < parsed.signature_count; i++) {
        const struct rp_tlog_signature *s = &parsed.signatures[i];
        rp_tlog_signature_print(out, s->name, s->key_id, s->bytes);
    }
    FUZZ_CHECK(rp_view_equal(rp_buf_view(out), text));
}

static void checkpoint(rp_view text, struct rp_buf *out) {
    struct rp_tlog_checkpoint parsed;
    if (rp_ok(rp_tlog_checkpoint_parse(text, &parsed))) {
        rp_buf_clear(out);
        rp_tlog_checkpoint_print(out, &parsed);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(out), text));
    }
}

static void vkey(rp_view text, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_tlog_vkey parsed;
    if (rp_ok(rp_tlog_vkey_parse(text, arena, &parsed))) {
        rp_buf_clear(out);
        rp_tlog_vkey_print(out, &parsed);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(out), text));
    }
}

static void tile(rp_view text, struct rp_buf *out) {
    struct rp_tlog_tile parsed;
    if (rp_ok(rp_tlog_tile_parse(text, &parsed))) {
        rp_buf_clear(out);
        rp_tlog_tile_print(out, parsed);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(out), text));
    }
}

static void proof(rp_view text, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_tlog_proof parsed;
    if (rp_ok(rp_tlog_proof_parse(text, arena, &parsed))) {
        rp_buf_clear(out);
        rp_tlog_proof_print(out, &parsed);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(out), text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view text = rp_view_of(data, n);
    struct rp_arena *arena = rp_arena_new(8 * n + 4096);
    struct rp_buf out = rp_buf_new(2 * n + 64);
    note(text, arena, &out);
    checkpoint(text, &out);
    vkey(text, arena, &out);
    tile(text, &out);
    proof(text, arena, &out);
    rp_buf_done(&out);
    rp_arena_free(arena);
    return 0;
}
