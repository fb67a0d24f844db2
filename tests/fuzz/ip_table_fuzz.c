/* Any lines as networks: a table holds what the list holds. Any bytes as a table: refused, or
 * searched without harm. */
#include <stdlib.h>

#include "fuzz.h"
#include "shield/operators.h"

enum { NETWORKS_MAX = 64 };

static void search(const uint8_t *data, size_t n) {
    uint8_t *aligned = malloc(n + 1);
    RP_ASSERT(aligned != NULL);
    memcpy(aligned, data, n);
    rp_view table = rp_view_of(aligned, n);
    bool found = rp_ip_table_check(table) && rp_ip_table_find(table, RP_VIEW("192.0.2.1"));
    FUZZ_CHECK(!found || n >= 40);
    free(aligned);
}

static void same(rp_view table, rp_view network) {
    rp_view rest = network;
    rp_view address = rp_view_trim(rp_view_cut(&rest, '/'));
    bool single = rp_view_find_byte(network, ',') == network.n;
    FUZZ_CHECK(!single || !rp_op_ip_match(network, address) || rp_ip_table_find(table, address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    search(data, n);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_buf out = rp_buf_new(1 << 20);
    rp_view networks[NETWORKS_MAX];
    size_t count = 0;
    for (rp_view rest = rp_view_of(data, n); rest.p != NULL && count < NETWORKS_MAX;) {
        networks[count++] = rp_view_cut(&rest, '\n');
    }
    struct rp_diag diag = {0};
    if (rp_ok(rp_ip_table_build(networks, count, arena, &out, &diag))) {
        FUZZ_CHECK(rp_ip_table_check(rp_buf_view(&out)));
        for (size_t i = 0; i < count; i++) {
            same(rp_buf_view(&out), networks[i]);
        }
        search(out.p, out.n);
    } else {
        FUZZ_CHECK(diag.text[0] != 0 && out.n == 0);
    }
    rp_buf_done(&out);
    rp_arena_free(arena);
    return 0;
}
