/* The head of a backup that is read is the one that would be printed. */
#include "fuzz.h"
#include "keep/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(4 << 20);
    struct rp_keep_head head;
    FUZZ_CHECK(arena != NULL);
    if (rp_ok(rp_keep_head_parse(rp_view_of(data, n), arena, &head, NULL))) {
        struct rp_buf out = rp_buf_new(RP_KEEP_HEAD_MAX);
        struct rp_keep_head again;
        FUZZ_CHECK(rp_ok(rp_keep_head_print(&head, arena, &out)));
        FUZZ_CHECK(rp_ok(rp_keep_head_parse(rp_buf_view(&out), arena, &again, NULL)));
        FUZZ_CHECK(rp_id_equal(head.id, again.id) && rp_view_equal(head.keyring, again.keyring));
        FUZZ_CHECK(rp_view_equal(head.host, again.host) && head.made_at_s == again.made_at_s);
        rp_buf_done(&out);
    }
    rp_arena_free(arena);
    return 0;
}
