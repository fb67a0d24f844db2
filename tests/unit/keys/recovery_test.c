/* The code on paper: what hands write is read, what hands mistype is noticed. */
#include "unit.h"

#include <ctype.h>

#include "base/checked.h"
#include "keys/recovery.h"

static const uint8_t code[RP_RECOVERY_CODE] = {0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54,
                                               0xb6, 0x35, 0xcf, 0x84, 0x65, 0x3a, 0x56,
                                               0xd7, 0xc6, 0x75, 0xbe, 0x77, 0xdf};

static int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    return 0;
}

static rp_view text_of(struct rp_buf *out) {
    rp_buf_clear(out);
    assert_ok(rp_recovery_print(code, out));
    return rp_buf_view(out);
}

static void a_code_is_nine_groups_and_reads_back(void **state) {
    (void)state;
    struct rp_buf out = rp_buf_new(128);
    rp_view text = text_of(&out);
    /* The bytes above are base32's alphabet in order; the last group is the check. */
    assert_int_equal(text.n, RP_RECOVERY_TEXT);
    assert_true(rp_view_starts(text, RP_VIEW("ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567-")));
    uint8_t back[RP_RECOVERY_CODE];
    assert_ok(rp_recovery_parse(text, back));
    assert_memory_equal(back, code, sizeof code);
    rp_buf_done(&out);
}

static void sloppy_writing_is_read(void **state) {
    (void)state;
    struct rp_buf out = rp_buf_new(128);
    struct rp_buf sloppy = rp_buf_new(256);
    rp_view text = text_of(&out);
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        rp_buf_add_byte(&sloppy, c == '-'   ? ' '
                                 : c == 'O' ? '0'
                                 : c == 'I' ? '1'
                                 : c == 'B' ? '8'
                                            : (uint8_t)tolower(c));
    }
    uint8_t back[RP_RECOVERY_CODE];
    assert_ok(rp_recovery_parse(rp_buf_view(&sloppy), back));
    assert_memory_equal(back, code, sizeof code);
    rp_buf_done(&sloppy);
    rp_buf_done(&out);
}

static void one_wrong_letter_is_noticed(void **state) {
    (void)state;
    struct rp_buf out = rp_buf_new(128);
    rp_view text = text_of(&out);
    uint8_t back[RP_RECOVERY_CODE] = {0};
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '-') {
            uint8_t before = out.p[i];
            out.p[i] = before == 'A' ? 'C' : 'A';
            assert_err(rp_recovery_parse(text, back), INVALID);
            out.p[i] = before;
        }
    }
    /* Two neighbours swapped. */
    uint8_t a = out.p[0];
    out.p[0] = out.p[1];
    out.p[1] = a;
    assert_err(rp_recovery_parse(text, back), INVALID);
    rp_buf_done(&out);
}

static void no_code_at_all_is_refused(void **state) {
    (void)state;
    uint8_t back[RP_RECOVERY_CODE];
    static const char *const bad[] = {"",
                                      "-",
                                      "ABCD",
                                      "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567",
                                      "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567-AAAA-AAAA",
                                      "!BCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567-AAAA",
                                      "9BCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567-AAAA"};
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        assert_err(rp_recovery_parse(rp_view_from_cstr(bad[i]), back), INVALID);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_nine_groups_and_reads_back),
        cmocka_unit_test(sloppy_writing_is_read),
        cmocka_unit_test(one_wrong_letter_is_noticed),
        cmocka_unit_test(no_code_at_all_is_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
