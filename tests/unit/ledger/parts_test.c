/* parts_test.c — the small pure parts: limits of refusals, messages, numbers, anchors, records. */
#include "base/checked.h"
#include "ipc/pack.h"
#include "ledger/anchor.h"
#include "ledger/journal.h"
#include "ledger/limits.h"
#include "ledger/message_io.h"
#include "ledger/origin.h"
#include "ledger/state.h"
#include "unit.h"

static struct rp_gate_record refused_by(unsigned client) {
    struct rp_gate_record record;
    rp_gate_record_start(&record, RP_GATE_REFUSED, 1);
    record.client_hash[0] = (uint8_t)(client >> 8);
    record.client_hash[1] = (uint8_t)client;
    record.client_hash[15] = 1;
    return record;
}

static unsigned allowed(struct rp_gate_limits *limits, unsigned clients, unsigned each) {
    unsigned n = 0;
    for (unsigned i = 0; i < each; i++) {
        for (unsigned c = 0; c < clients; c++) {
            struct rp_gate_record record = refused_by(c);
            n += rp_gate_limits_allow(limits, &record, limits->second) ? 1 : 0;
        }
    }
    return n;
}

static void test_limits(void **state) {
    struct rp_gate_limits *limits = test_calloc(1, sizeof *limits);
    (void)state;
    assert_int_equal(rp_gate_limits_turn(limits, 10), 0);
    assert_int_equal(allowed(limits, 1, 100), 20);
    assert_int_equal(rp_gate_limits_turn(limits, 10), 0);
    assert_int_equal(rp_gate_limits_turn(limits, 11), 80);
    assert_int_equal(allowed(limits, 100, 10), 500);
    assert_int_equal(rp_gate_limits_turn(limits, 12), 500);
    assert_int_equal(rp_gate_limits_turn(limits, 13), 0);
    struct rp_gate_record down = refused_by(1);
    down.kind = RP_GATE_UPSTREAM_DOWN;
    assert_int_equal(allowed(limits, 100, 5), 500);
    assert_true(rp_gate_limits_allow(limits, &down, 13)); /* another class has its own */
    test_free(limits);
}

static struct rp_append sample(void) {
    struct rp_append append = {.tree = {RP_TREE_TENANT, {{9}}}, .stream = {{8}}};
    append.first_sequence = 5;
    append.count = 2;
    append.events[0] = RP_VIEW("{}");
    append.events[1] = RP_VIEW("{\"a\":1}");
    return append;
}

static rp_err round_trip(const struct rp_append *append, struct rp_append *ret) {
    static struct rp_buf out;
    rp_buf_done(&out);
    out = rp_buf_new(1 << 17);
    rp_append_pack(&out, append);
    assert_ok(rp_buf_err(&out));
    return rp_append_unpack(rp_buf_view(&out), ret);
}

static void test_append_messages(void **state) {
    (void)state;
    struct rp_append append = sample(), got;
    assert_ok(round_trip(&append, &got));
    assert_int_equal(got.count, 2);
    assert_int_equal(got.first_sequence, 5);
    assert_view(got.events[1], "{\"a\":1}");
    append.tree.kind = RP_TREE_PUBLIC; /* with a tenant */
    assert_err(round_trip(&append, &got), PROTOCOL);
    append = sample();
    append.tree.tenant = (rp_id){{0}};
    assert_err(round_trip(&append, &got), PROTOCOL);
    append = sample();
    append.stream = (rp_id){{0}}; /* numbered without a stream */
    assert_err(round_trip(&append, &got), PROTOCOL);
    append = sample();
    append.first_sequence = 0;
    assert_err(round_trip(&append, &got), PROTOCOL);
    append = sample();
    append.first_sequence = UINT64_MAX;
    assert_err(round_trip(&append, &got), PROTOCOL);
    append = sample();
    append.count = 0;
    assert_err(round_trip(&append, &got), PROTOCOL);
    append = sample();
    append.events[0] = RP_VIEW("");
    assert_err(round_trip(&append, &got), PROTOCOL);
    append = sample();
    append.tree.kind = (enum rp_tree_kind)7;
    assert_err(round_trip(&append, &got), PROTOCOL);
}

/* Every beginning of a message, and one byte too many, are refused. */
static void test_cut_messages(void **state) {
    (void)state;
    struct rp_append append = sample(), got;
    struct rp_buf out = rp_buf_new(1 << 12);
    rp_append_pack(&out, &append);
    for (size_t n = 0; n < out.n; n++) {
        assert_err(rp_append_unpack(rp_view_of(out.p, n), &got), PROTOCOL);
    }
    rp_buf_add_byte(&out, 0);
    assert_err(rp_append_unpack(rp_buf_view(&out), &got), PROTOCOL);
    rp_buf_done(&out);
}

static void test_state_round_trip(void **state_) {
    (void)state_;
    struct rp_ledger_state a, b;
    struct rp_buf out = rp_buf_new(1 << 20);
    rp_ledger_state_start(&a);
    a.segment = 77;
    a.offset = 88;
    a.fixed[RP_TREE_PUBLIC] = 3;
    for (unsigned i = 1; i <= 1000; i++) {
        rp_id id = {{(uint8_t)(i * 7), (uint8_t)i, (uint8_t)(i >> 8), 1}};
        assert_ok(rp_idmap_set(&a.tenants, id, i));
        assert_ok(rp_idmap_set(&a.streams, id, i * 2));
    }
    rp_ledger_state_print(&out, &a);
    assert_ok(rp_buf_err(&out));
    rp_ledger_state_start(&b);
    assert_ok(rp_ledger_state_parse(rp_buf_view(&out), &b));
    assert_int_equal(b.segment, 77);
    assert_int_equal(b.fixed[RP_TREE_PUBLIC], 3);
    assert_int_equal(b.tenants.count, 1000);
    for (unsigned i = 1; i <= 1000; i++) {
        rp_id id = {{(uint8_t)(i * 7), (uint8_t)i, (uint8_t)(i >> 8), 1}};
        assert_int_equal(rp_idmap_get(&b.tenants, id), i);
        assert_int_equal(rp_idmap_get(&b.streams, id), i * 2);
    }
    assert_int_equal(rp_idmap_get(&b.tenants, (rp_id){{0xee}}), 0);
    rp_ledger_state_done(&b);
    for (size_t at = 0; at < out.n; at += 997) {
        out.p[at] ^= 1;
        rp_ledger_state_start(&b);
        assert_err(rp_ledger_state_parse(rp_buf_view(&out), &b), CORRUPT);
        rp_ledger_state_done(&b);
        out.p[at] ^= 1;
    }
    rp_ledger_state_done(&a);
    rp_buf_done(&out);
}

/* Every owner's path leads to the anchor's root; nobody else's size, salt or origin does. */
static void test_anchor_paths(void **state) {
    (void)state;
    enum { TREES = 37 };
    struct rp_anchor_tree trees[TREES] = {0};
    struct rp_anchor_plan plan = {trees, TREES};
    for (unsigned i = 0; i < TREES; i++) {
        trees[i].tree = (struct rp_tree){RP_TREE_TENANT, {{(uint8_t)(i + 1)}}};
        trees[i].size = i * 10 + 1;
        trees[i].salt[3] = (uint8_t)i;
    }
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_anchor_nodes nodes;
    rp_hash root;
    assert_ok(rp_anchor_nodes_make(&plan, "h.example", arena, &nodes));
    assert_ok(rp_anchor_nodes_root(&nodes, &root));
    for (unsigned i = 0; i < TREES; i++) {
        struct rp_anchor a = {.leaf = i, .leaves = TREES, .size = trees[i].size}, read;
        char origin[RP_ORIGIN_MAX];
        memcpy(a.salt, trees[i].salt, sizeof a.salt);
        assert_ok(rp_anchor_nodes_proof(&nodes, i, a.proof, &a.proof_count));
        rp_tree_origin("h.example", trees[i].tree, origin);
        assert_ok(rp_anchor_check(&a, rp_view_from_cstr(origin), &root));
        assert_err(rp_anchor_check(&a, RP_VIEW("h.example/log/public"), &root), CORRUPT);
        struct rp_buf out = rp_buf_new(RP_ANCHOR_RECORD_MAX);
        rp_anchor_print(&out, &a);
        rp_view rest = rp_buf_view(&out);
        assert_ok(rp_anchor_parse(&rest, &read));
        assert_int_equal(rest.n, 0);
        assert_ok(rp_anchor_check(&read, rp_view_from_cstr(origin), &root));
        a.size++;
        assert_err(rp_anchor_check(&a, rp_view_from_cstr(origin), &root), CORRUPT);
        a.size--;
        a.salt[0] ^= 1;
        assert_err(rp_anchor_check(&a, rp_view_from_cstr(origin), &root), CORRUPT);
        rp_buf_done(&out);
    }
    rp_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_append_messages),
        cmocka_unit_test(test_cut_messages), cmocka_unit_test(test_state_round_trip),
        cmocka_unit_test(test_anchor_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
