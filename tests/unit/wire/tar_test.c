#include "unit.h"

#include "wire/tar.h"

static void a_header_has_its_fields_and_its_sum(void **state) {
    (void)state;
    uint8_t block[RP_TAR_BLOCK];
    assert_ok(rp_tar_header(RP_VIEW("records/a/b/000001.jsonl"), 01234, 0, block));
    assert_string_equal((const char *)block, "records/a/b/000001.jsonl");
    assert_string_equal((const char *)block + 124, "00000001234");
    assert_memory_equal(block + 257, "ustar\00000", 8);
    unsigned sum = 0;
    char printed[16];
    for (size_t i = 0; i < sizeof block; i++) {
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    }
    snprintf(printed, sizeof printed, "%06o", sum);
    assert_string_equal((const char *)block + 148, printed);
    assert_int_equal(rp_tar_padding(0), 0);
    assert_int_equal(rp_tar_padding(1), 511);
    assert_int_equal(rp_tar_padding(512), 0);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    uint8_t block[RP_TAR_BLOCK];
    char name[RP_TAR_NAME_MAX + 1];
    memset(name, 'a', sizeof name);
    assert_ok(rp_tar_header(rp_view_of(name, RP_TAR_NAME_MAX), 077777777777, 0, block));
    assert_err(rp_tar_header(rp_view_of(name, sizeof name), 0, 0, block), TOO_LARGE);
    assert_err(rp_tar_header(RP_VIEW("a"), 0100000000000, 0, block), TOO_LARGE);
    assert_err(rp_tar_header(RP_VIEW(""), 0, 0, block), INVALID);
    assert_err(rp_tar_header(RP_VIEW("/a"), 0, 0, block), INVALID);
    assert_err(rp_tar_header(RP_VIEW("a/../b"), 0, 0, block), INVALID);
    assert_err(rp_tar_header(RP_VIEW("a\0b"), 0, 0, block), INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_has_its_fields_and_its_sum),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
