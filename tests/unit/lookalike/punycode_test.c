/* The samples of RFC 3492 section 7.1, both ways; what is none, and what is too long. */
#include "lookalike/punycode.h"

#include "base/checked.h"
#include "unit.h"

static const struct {
    const char *ascii;
    struct rp_points points;
} samples[] = {
    {"egbpdaj6bu4bxfgehfvwxn",
     {{0x0644, 0x064A, 0x0647, 0x0645, 0x0627, 0x0628, 0x062A, 0x0643, 0x0644, 0x0645, 0x0648,
       0x0634, 0x0639, 0x0631, 0x0628, 0x064A, 0x061F},
      17}},
    {"ihqwcrb4cv8a8dqg056pqjye",
     {{0x4ED6, 0x4EEC, 0x4E3A, 0x4EC0, 0x4E48, 0x4E0D, 0x8BF4, 0x4E2D, 0x6587}, 9}},
    {"mller-kva", {{'m', 0xFC, 'l', 'l', 'e', 'r'}, 6}},
    {"exmple-cva", {{'e', 'x', 0xE9, 'm', 'p', 'l', 'e'}, 7}},
    {"fiqs8s", {{0x4E2D, 0x56FD}, 2}},
};

static void test_samples(void **state) {
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(samples); i++) {
        struct rp_points points;
        char text[64];
        struct rp_buf out = rp_buf_over(text, sizeof text);
        assert_true(rp_punycode_decode(rp_view_from_cstr(samples[i].ascii), &points));
        assert_int_equal(points.n, samples[i].points.n);
        assert_memory_equal(points.p, samples[i].points.p, points.n * sizeof points.p[0]);
        assert_true(rp_punycode_encode(&points, &out));
        assert_view_equal(rp_buf_view(&out), rp_view_from_cstr(samples[i].ascii));
    }
}

static void test_none(void **state) {
    (void)state;
    static const char *const none[] = {"", "99999999", "a-99999999", "a-!", "kva-\x80", "\xc3-a"};
    struct rp_points points;
    for (size_t i = 0; i < RP_COUNT_OF(none); i++) {
        assert_false(rp_punycode_decode(rp_view_from_cstr(none[i]), &points));
    }
    char label[80];
    memset(label, 'a', sizeof label);
    assert_false(rp_punycode_decode(rp_view_of(label, 64), &points));
    points = (struct rp_points){.n = RP_LABEL_MAX + 1};
    char text[200];
    struct rp_buf out = rp_buf_over(text, sizeof text);
    assert_false(rp_punycode_encode(&points, &out));
}

static void test_utf8(void **state) {
    (void)state;
    char text[16];
    struct rp_buf out = rp_buf_over(text, sizeof text);
    rp_point_print(&out, 'a');
    rp_point_print(&out, 0xE9);
    rp_point_print(&out, 0x4E2D);
    rp_point_print(&out, 0x1F600);
    assert_view(rp_buf_view(&out), "aé中😀");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples), cmocka_unit_test(test_none),
                                       cmocka_unit_test(test_utf8)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
