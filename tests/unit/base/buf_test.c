#include "base/buf.h"
#include "unit.h"

static void grows_to_its_maximum_and_says_so(void **state) {
    (void)state;
    struct rp_buf buf = rp_buf_new(10);
    rp_buf_add_cstr(&buf, "0123456789");
    assert_ok(rp_buf_err(&buf));
    rp_buf_add_byte(&buf, 'x');
    assert_err(rp_buf_err(&buf), TOO_LARGE);
    assert_view(rp_buf_view(&buf), "0123456789");
    rp_buf_clear(&buf);
    rp_buf_add_u64(&buf, 0);
    rp_buf_add_u64(&buf, 1234567);
    assert_ok(rp_buf_err(&buf));
    assert_view(rp_buf_view(&buf), "01234567");
    rp_buf_done(&buf);
}

static void printing_and_consuming(void **state) {
    (void)state;
    struct rp_buf buf = rp_buf_new(1000);
    rp_buf_printf(&buf, "%s=%d;", "a", 1);
    rp_buf_printf(&buf, "%0300d", 0);
    assert_int_equal(buf.n, 304);
    rp_buf_consume(&buf, 4);
    assert_int_equal(buf.n, 300);
    rp_buf_consume(&buf, 300);
    assert_int_equal(buf.n, 0);
    rp_buf_done(&buf);
}

static void one_that_wipes_leaves_nothing(void **state) {
    (void)state;
    struct rp_buf buf = rp_buf_new_wiping(1000);
    rp_buf_add_cstr(&buf, "user=lea&password=correct horse");
    rp_buf_consume(&buf, 9);
    assert_view(rp_buf_view(&buf), "password=correct horse");
    for (size_t i = buf.n; i < 31; i++) {
        assert_int_equal(buf.p[i], 0); /* what moved left no copy behind it */
    }
    rp_buf_clear(&buf);
    for (size_t i = 0; i < 31; i++) {
        assert_int_equal(buf.p[i], 0);
    }
    rp_buf_printf(&buf, "%0900d", 7);
    assert_int_equal(buf.n, 900);
    assert_int_equal(buf.p[899], '7');
    rp_buf_done(&buf);
    rp_buf_add_cstr(&buf, "again"); /* and it wipes as before */
    assert_true(buf.wipes);
    rp_buf_done(&buf);
}

static void over_given_bytes_nothing_is_allocated_and_nothing_runs_over(void **state) {
    (void)state;
    char bytes[6] = "......";
    struct rp_buf buf = rp_buf_over(bytes, 5);
    rp_buf_add_cstr(&buf, "tile");
    assert_ptr_equal(buf.p, bytes);
    rp_buf_add_byte(&buf, '/');
    assert_ok(rp_buf_err(&buf));
    rp_buf_add_byte(&buf, '0');
    assert_err(rp_buf_err(&buf), TOO_LARGE);
    assert_memory_equal(bytes, "tile/.", sizeof bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_given_bytes_nothing_is_allocated_and_nothing_runs_over),
        cmocka_unit_test(grows_to_its_maximum_and_says_so),
        cmocka_unit_test(printing_and_consuming),
        cmocka_unit_test(one_that_wipes_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
