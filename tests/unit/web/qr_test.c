/* qr_test.c — the SVG holds exactly the code's modules, in the right places. */
#include "unit.h"

#include <qrencode.h>

#include "web/qr.h"

enum { QUIET = 4, SIDE_MAX = 200 };

static uint64_t number(rp_view *rest, char end) {
    uint64_t value = 0;
    size_t n = rp_view_find_byte(*rest, (uint8_t)end);
    assert_true(rp_view_to_u64(rp_view_sub(*rest, 0, n), SIDE_MAX, &value));
    *rest = rp_view_from(*rest, n + 1);
    return value;
}

/* Paints "Mx yhNv1h-Nz" runs. */
static size_t paint(rp_view path, bool dark[SIDE_MAX][SIDE_MAX]) {
    size_t count = 0;
    while (path.n > 0) {
        assert_int_equal(path.p[0], 'M');
        path = rp_view_from(path, 1);
        uint64_t x = number(&path, ' '), y = number(&path, 'h'), n = number(&path, 'v');
        path = rp_view_from(path, rp_view_find_byte(path, 'z') + 1);
        for (uint64_t i = 0; i < n; i++, count++) {
            assert_false(dark[y][x + i]);
            dark[y][x + i] = true;
        }
    }
    return count;
}

static void the_picture_is_the_code(void **state) {
    (void)state;
    static bool dark[SIDE_MAX][SIDE_MAX];
    const rp_view text =
        RP_VIEW("otpauth://totp/"
                "example.org:a%40b.c?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=example.org");
    struct rp_buf svg = rp_buf_new(128 * 1024);
    assert_ok(rp_qr_svg(text, RP_VIEW("a \"label\""), &svg));
    rp_view v = rp_buf_view(&svg);
    assert_true(rp_view_find(v, RP_VIEW("aria-label=\"a &quot;label&quot;\"")) < v.n);
    rp_view rest = rp_view_from(v, rp_view_find(v, RP_VIEW("fill=\"#000\" d=\"")) + 15);
    size_t painted = paint(rp_view_sub(rest, 0, rp_view_find_byte(rest, '"')), dark);

    QRcode *code = QRcode_encodeData((int)text.n, text.p, 0, QR_ECLEVEL_M);
    assert_non_null(code);
    size_t expected = 0;
    for (int y = 0; y < code->width; y++) {
        for (int x = 0; x < code->width; x++) {
            bool want = code->data[y * code->width + x] & 1;
            assert_int_equal(dark[y + QUIET][x + QUIET], want);
            expected += want;
        }
    }
    assert_int_equal(painted, expected);
    QRcode_free(code);
    rp_buf_done(&svg);
}

static void too_long_is_refused(void **state) {
    (void)state;
    uint8_t text[2000];
    memset(text, 'a', sizeof text);
    struct rp_buf svg = rp_buf_new(128 * 1024);
    assert_err(rp_qr_svg(rp_view_of(text, sizeof text), RP_VIEW("x"), &svg), TOO_LARGE);
    assert_err(rp_qr_svg(RP_VIEW(""), RP_VIEW("x"), &svg), TOO_LARGE);
    assert_int_equal(svg.n, 0);
    rp_buf_done(&svg);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_picture_is_the_code),
                                       cmocka_unit_test(too_long_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
