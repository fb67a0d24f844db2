/* The keyring file: parse(print(x)) = x, and nothing that print would not print is read. */
#include "unit.h"

#include "base/checked.h"
#include "keys/keyring.h"

static const struct rp_keyring_entry two[] = {
    {{{{1}}, RP_KEY_MASTER, RP_KEY_DEACTIVATED, 1, 1790000000}, RP_VIEW_INIT("sealed one")},
    {{{{2}}, RP_KEY_ASSERTION, RP_KEY_ACTIVE, 7, 1790000001}, RP_VIEW_INIT("")},
};

static struct rp_buf printed(void) {
    struct rp_buf out = rp_buf_new(RP_KEYRING_BYTES_MAX);
    uint8_t mac[RP_KEYRING_MAC] = {0xaa};
    assert_ok(rp_keyring_print(two, RP_COUNT_OF(two), &out));
    rp_buf_add(&out, rp_view_of(mac, sizeof mac));
    return out;
}

static void what_is_printed_is_read_back(void **state) {
    (void)state;
    struct rp_buf file = printed();
    struct rp_keyring keyring;
    assert_ok(rp_keyring_parse(rp_buf_view(&file), &keyring));
    assert_int_equal(keyring.count, RP_COUNT_OF(two));
    for (size_t i = 0; i < keyring.count; i++) {
        assert_true(rp_id_equal(keyring.entries[i].fact.id, two[i].fact.id));
        assert_int_equal(keyring.entries[i].fact.kind, two[i].fact.kind);
        assert_int_equal(keyring.entries[i].fact.state, two[i].fact.state);
        assert_int_equal(keyring.entries[i].fact.version, two[i].fact.version);
        assert_int_equal(keyring.entries[i].fact.created_s, two[i].fact.created_s);
        assert_view_equal(keyring.entries[i].sealed, two[i].sealed);
    }
    assert_int_equal(keyring.covered.n + keyring.mac.n, file.n);
    assert_int_equal(keyring.mac.p[0], 0xaa);
    rp_buf_done(&file);
}

static void a_shorter_or_longer_file_is_refused(void **state) {
    (void)state;
    struct rp_buf file = printed();
    struct rp_keyring keyring;
    for (size_t n = 0; n < file.n; n++) {
        assert_err(rp_keyring_parse(rp_view_sub(rp_buf_view(&file), 0, n), &keyring), CORRUPT);
    }
    rp_buf_add_byte(&file, 0);
    assert_err(rp_keyring_parse(rp_buf_view(&file), &keyring), CORRUPT);
    rp_buf_done(&file);
}

static void values_out_of_range_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        enum rp_code code;
    } cases[] = {
        {0, 'X', RP_E_CORRUPT},      {3, '0', RP_E_CORRUPT},
        {3, '2', RP_E_EXISTS_NEWER}, {4, 0xff, RP_E_CORRUPT}, /* count */
        {5, 3, RP_E_CORRUPT},        {6, 0, RP_E_CORRUPT},    /* the id becomes none */
        {22, 0, RP_E_CORRUPT},       {22, 9, RP_E_CORRUPT},   /* kind */
        {23, 0, RP_E_CORRUPT},       {23, 9, RP_E_CORRUPT},   /* state */
        {27, 0, RP_E_CORRUPT},                                /* version 0 */
        {28, 0x7f, RP_E_CORRUPT},                             /* created far beyond any calendar */
        {36, 1, RP_E_CORRUPT}, /* the sealed part is longer than the file */
    };
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        struct rp_buf file = printed();
        struct rp_keyring keyring;
        file.p[cases[i].at] = cases[i].value;
        unit_assert_err(rp_keyring_parse(rp_buf_view(&file), &keyring), cases[i].code, __FILE__,
                        __LINE__);
        rp_buf_done(&file);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_is_read_back),
        cmocka_unit_test(a_shorter_or_longer_file_is_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
