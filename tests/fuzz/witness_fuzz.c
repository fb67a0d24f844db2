/* What strangers send to a witness: it has one form, and nothing is cosigned but what its log
 * signed. The first line of the input is the log's key, the rest the body; a body is also what a
 * witness could answer. */
#include "crypto/secret.h"
#include "fuzz.h"
#include "ledger/asking.h"
#include "ledger/witness.h"

static void one_form(rp_view body) {
    struct rp_tlog_add add;
    if (!rp_ok(rp_tlog_add_parse(body, &add))) {
        return;
    }
    struct rp_buf out = rp_buf_new(body.n + 64);
    rp_tlog_add_print(&out, &add);
    FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), body));
    rp_buf_done(&out);
}

static void judged(const struct rp_tlog_vkey *vkey, rp_view body, uint64_t size) {
    struct rp_arena *arena = rp_arena_new(RP_WITNESS_ARENA);
    struct rp_witness_log log = {.vkey = *vkey, .size = size};
    struct rp_tlog_checkpoint checkpoint;
    struct rp_witness_judgement asked = rp_witness_judge(body, &log, 1, arena);
    if (asked.verdict == RP_WITNESS_COSIGNS) {
        FUZZ_CHECK(rp_ok(rp_checkpoint_check(asked.note, vkey, arena, &checkpoint)));
        FUZZ_CHECK(checkpoint.size == asked.size && asked.size >= size);
    }
    rp_arena_free(arena);
}

static void heard(const struct rp_tlog_vkey *vkey, rp_view body) {
    struct rp_witness_question question = {vkey, RP_VIEW("o\n1\nx\n\n\xE2\x80\x94 o AAAAAAA=\n"), 0,
                                           1};
    struct rp_buf lines = rp_buf_new(RP_WITNESSED_MAX);
    const unsigned statuses[] = {200, 409};
    for (size_t i = 0; i < 2; i++) {
        struct rp_witness_answer answer = {statuses[i], true, body};
        struct rp_witness_heard word = rp_witness_hear(&question, &answer, &lines);
        FUZZ_CHECK(word.word == RP_WITNESS_COSIGNED || lines.n == 0);
    }
    rp_buf_done(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view body = rp_view_of(data, n);
    rp_view key = rp_view_cut(&body, '\n');
    struct rp_arena *arena = rp_arena_new(8 * n + 4096);
    struct rp_tlog_vkey vkey;
    FUZZ_CHECK(rp_ok(rp_crypto_start()));
    one_form(body);
    if (rp_ok(rp_vkey_parse(key, arena, &vkey))) {
        judged(&vkey, body, 0);
        judged(&vkey, body, 7);
        heard(&vkey, body);
    }
    rp_arena_free(arena);
    return 0;
}
