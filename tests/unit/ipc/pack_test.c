#include "ipc/pack.h"

#include "unit.h"

static void what_is_packed_comes_out(void **state) {
    (void)state;
    struct rp_buf buf = rp_buf_new(200);
    rp_id id = {{1, 2, 3}};
    rp_pack_u8(&buf, 0xab);
    rp_pack_u16(&buf, 0xabcd);
    rp_pack_u32(&buf, 0xabcdef01);
    rp_pack_u64(&buf, UINT64_MAX - 1);
    rp_pack_id(&buf, id);
    rp_pack_bytes(&buf, RP_VIEW("some bytes"));
    rp_pack_bytes(&buf, RP_VIEW(""));
    assert_ok(rp_buf_err(&buf));
    assert_view_equal(rp_view_sub(rp_buf_view(&buf), 0, 7), unit_hex("ababcdabcdef01"));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&buf));
    assert_int_equal(rp_unpack_u8(&in), 0xab);
    assert_int_equal(rp_unpack_u16(&in), 0xabcd);
    assert_int_equal(rp_unpack_u32(&in), 0xabcdef01);
    assert_true(rp_unpack_u64(&in) == UINT64_MAX - 1);
    assert_true(rp_id_equal(rp_unpack_id(&in), id));
    assert_err(rp_unpack_end(&in), PROTOCOL);
    assert_view(rp_unpack_bytes(&in, 10), "some bytes");
    assert_int_equal(rp_unpack_bytes(&in, 0).n, 0);
    assert_ok(rp_unpack_end(&in));
    rp_buf_done(&buf);
}

static void every_shorter_message_is_refused(void **state) {
    (void)state;
    struct rp_buf buf = rp_buf_new(100);
    rp_pack_u16(&buf, 7);
    rp_pack_bytes(&buf, RP_VIEW("abc"));
    rp_pack_u64(&buf, 9);
    for (size_t n = 0; n <= buf.n; n++) {
        struct rp_unpack in = rp_unpack_new(rp_view_of(buf.p, n));
        rp_unpack_u16(&in);
        rp_unpack_bytes(&in, 100);
        rp_unpack_u64(&in);
        if (n < buf.n) {
            assert_err(rp_unpack_end(&in), PROTOCOL);
        } else {
            assert_ok(rp_unpack_end(&in));
        }
    }
    rp_buf_done(&buf);
}

static void a_failure_sticks(void **state) {
    (void)state;
    struct rp_unpack in = rp_unpack_new(unit_hex("00000005616263"));
    assert_int_equal(rp_unpack_bytes(&in, 100).n, 0);
    assert_int_equal(rp_unpack_u8(&in), 0);
    assert_int_equal(rp_unpack_u32(&in), 0);
    assert_true(rp_id_is_none(rp_unpack_id(&in)));
    assert_err(rp_unpack_end(&in), PROTOCOL);
}

static void counted_bytes_have_a_maximum(void **state) {
    (void)state;
    struct rp_unpack in = rp_unpack_new(unit_hex("00000003616263"));
    assert_int_equal(rp_unpack_bytes(&in, 2).n, 0);
    assert_err(rp_unpack_end(&in), PROTOCOL);
    in = rp_unpack_new(unit_hex("ffffffff616263"));
    assert_int_equal(rp_unpack_bytes(&in, SIZE_MAX).n, 0);
    assert_err(rp_unpack_end(&in), PROTOCOL);
}

static void a_full_buffer_is_told_once_at_the_end(void **state) {
    (void)state;
    struct rp_buf buf = rp_buf_new(5);
    rp_pack_u32(&buf, 1);
    rp_pack_u16(&buf, 2);
    rp_pack_u8(&buf, 3);
    assert_err(rp_buf_err(&buf), TOO_LARGE);
    rp_buf_done(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_out),
        cmocka_unit_test(every_shorter_message_is_refused),
        cmocka_unit_test(a_failure_sticks),
        cmocka_unit_test(counted_bytes_have_a_maximum),
        cmocka_unit_test(a_full_buffer_is_told_once_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
