/* Anchor records and plans: what is accepted is, byte for byte, what is printed again. */
#include "fuzz.h"
#include "ledger/anchor.h"
#include "ledger/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view rest = rp_view_of(data, n), before = rest;
    struct rp_anchor anchor;
    struct rp_anchor_plan plan;
    struct rp_ledger_state state;
    struct rp_arena *arena = rp_arena_new(4 * n + 4096);
    struct rp_buf out = rp_buf_new(2 * n + RP_ANCHOR_RECORD_MAX);
    while (rest.n > 0 && rp_ok(rp_anchor_parse(&rest, &anchor))) {
        rp_buf_clear(&out);
        rp_anchor_print(&out, &anchor);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), rp_view_sub(before, 0, before.n - rest.n)));
        before = rest;
    }
    if (rp_ok(rp_anchor_plan_parse(rp_view_of(data, n), arena, &plan))) {
        rp_buf_clear(&out);
        rp_anchor_plan_print(&out, &plan);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), rp_view_of(data, n)));
    }
    rp_ledger_state_start(&state);
    (void)rp_ok(rp_ledger_state_parse(rp_view_of(data, n), &state));
    rp_ledger_state_done(&state);
    rp_buf_done(&out);
    rp_arena_free(arena);
    return 0;
}
