/* Any lines as a list of networks: the table that is built of them is a table, and finds each. Any
 * bytes as a table, with a checksum that fits: refused, or asked without harm. */
#include <stdlib.h>

#include "fuzz.h"
#include "shield/lists_format.h"

enum { NETWORKS_MAX = 64 };

static bool has_header(const void *ctx, rp_view name, rp_view text) {
    FUZZ_CHECK(ctx == NULL && name.n > 0 && name.n <= RP_LIST_TEXT_MAX &&
               text.n <= RP_LIST_TEXT_MAX);
    return name.p[0] == 'x';
}

static void ask(const void *table, const struct rp_ip *ip) {
    const struct rp_list_request request = {.address = ip,
                                            .path = RP_VIEW("/a/path"),
                                            .method = RP_VIEW("GET"),
                                            .has_header = has_header,
                                            .now_s = 1700000000};
    enum rp_list_verdict verdict = rp_lists_judge(table, &request);
    FUZZ_CHECK(verdict <= RP_LIST_DENIED);
}

/* The checksum would stop nearly everything, and stops nobody who can write the file. */
static void as_table(const uint8_t *data, size_t n) {
    uint8_t *table = malloc(n + 1);
    RP_ASSERT(table != NULL);
    memcpy(table, data, n);
    FUZZ_CHECK(n >= sizeof(struct lists_head) || !rp_ok(rp_lists_check(table, n)));
    if (n >= sizeof(struct lists_head)) {
        struct lists_head head;
        memcpy(&head, table, sizeof head);
        head.bytes = n;
        struct rp_sha256 sum =
            lists_checksum(&head, rp_view_of(table + sizeof head, n - sizeof head));
        memcpy(head.sha256, sum.b, sizeof head.sha256);
        memcpy(table, &head, sizeof head);
    }
    if (rp_ok(rp_lists_check(table, n))) {
        struct rp_ip ip = {{32, 1}};
        ask(table, &ip);
        ask(table, NULL);
    }
    free(table);
}

struct lines {
    struct rp_ip_net nets[NETWORKS_MAX];
    size_t count;
};

static rp_err keep(void *ctx, const struct rp_ip_net *net) {
    struct lines *lines = ctx;
    lines->nets[lines->count++] = *net;
    return RP_OK;
}

static void as_lines(rp_view text) {
    struct lines lines = {.count = 0};
    struct rp_diag diag = {0};
    if (!rp_ok(rp_list_lines(text, NETWORKS_MAX, keep, &lines, &diag))) {
        FUZZ_CHECK(diag.text[0] != 0 && diag.line > 0);
        return;
    }
    struct rp_arena *arena = rp_arena_new(4 << 20);
    struct rp_buf out = rp_buf_new(1 << 20);
    struct rp_lists_builder *builder = rp_lists_builder_new(arena, lines.count);
    RP_ASSERT(builder != NULL);
    for (size_t i = 0; i < lines.count; i++) {
        const struct rp_list_entry entry = {.action = RP_LIST_DENY, .network = lines.nets[i]};
        FUZZ_CHECK(rp_ok(rp_lists_add(builder, &entry)));
    }
    FUZZ_CHECK(rp_ok(rp_lists_finish(builder, 1, &out)));
    FUZZ_CHECK(rp_ok(rp_lists_check(out.p, out.n)));
    for (size_t i = 0; i < lines.count; i++) {
        const struct rp_list_request request = {.address = &lines.nets[i].ip, .now_s = 1};
        FUZZ_CHECK(rp_lists_judge(out.p, &request) == RP_LIST_DENIED);
    }
    as_table(out.p, out.n);
    rp_buf_done(&out);
    rp_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    as_table(data, n);
    as_lines(rp_view_of(data, n));
    return 0;
}
