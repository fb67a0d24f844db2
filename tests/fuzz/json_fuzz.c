/* What the reader accepts, the printer prints; read and printed again it is the same bytes. */
#include "fuzz.h"
#include "wire/json.h"

static void round_trip(struct rp_arena *arena, const struct rp_json *root, size_t n) {
    struct rp_buf once = rp_buf_new(64 * n + 64);
    struct rp_buf twice = rp_buf_new(64 * n + 64);
    struct rp_json *again = NULL;
    FUZZ_CHECK(rp_ok(rp_json_print(root, &once)));
    FUZZ_CHECK(rp_ok(rp_json_parse(rp_buf_view(&once), RP_JSON_LIMITS, arena, &again, NULL)));
    FUZZ_CHECK(rp_ok(rp_json_print(again, &twice)));
    FUZZ_CHECK(rp_view_equal(rp_buf_view(&once), rp_buf_view(&twice)));
    rp_buf_done(&once);
    rp_buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_json *root = NULL;
    struct rp_diag diag = {0};
    rp_err err = rp_json_parse(rp_view_of(data, n), RP_JSON_LIMITS, arena, &root, &diag);
    if (rp_ok(err)) {
        round_trip(arena, root, n);
    } else {
        FUZZ_CHECK(root == NULL);
        FUZZ_CHECK(diag.text[0] != 0);
    }
    rp_arena_free(arena);
    return 0;
}
