/* RFC 8949 appendix A where it is in our part of CBOR; and what CTAP 2 refuses. */
#include "wire/cbor.h"

#include <time.h>

#include "base/buf.h"
#include "unit.h"

static rp_view item_of(const char *hex) {
    rp_view item = {NULL, 0};
    assert_ok(rp_cbor_whole(unit_hex(hex), &item));
    return item;
}

static void numbers(void **state) {
    (void)state;
    static const struct {
        const char *hex;
        int64_t value;
    } cases[] = {{"00", 0},
                 {"17", 23},
                 {"1818", 24},
                 {"1903e8", 1000},
                 {"1a000f4240", 1000000},
                 {"1b000000e8d4a51000", 1000000000000},
                 {"20", -1},
                 {"3863", -100},
                 {"390100", -257},
                 {"3b7fffffffffffffff", INT64_MIN}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 7;
        assert_true(rp_cbor_number(item_of(cases[i].hex), &value));
        assert_int_equal(value, cases[i].value);
    }
    int64_t value = 7; /* a number, and more than we hold */
    assert_false(rp_cbor_number(item_of("1bffffffffffffffff"), &value));
    assert_int_equal(value, 7);
}

static void strings_and_maps(void **state) {
    (void)state;
    rp_view content = {NULL, 0};
    size_t pairs = 0;
    assert_true(rp_cbor_bytes(item_of("4401020304"), &content));
    assert_int_equal(content.n, 4);
    assert_false(rp_cbor_text(item_of("4401020304"), &content));
    assert_true(rp_cbor_text(item_of("62c3bc"), &content));
    assert_view(content, "\xc3\xbc");
    /* {1: 2, -3: h'00', "a": [true, null]} */
    rp_view map = item_of("a30102224100616182f5f6");
    assert_true(rp_cbor_map(map, &pairs));
    assert_int_equal(pairs, 3);
    int64_t two = 0;
    assert_true(rp_cbor_number(rp_cbor_at(map, 1), &two));
    assert_int_equal(two, 2);
    assert_true(rp_cbor_bytes(rp_cbor_at(map, -3), &content));
    assert_int_equal(rp_cbor_at_text(map, RP_VIEW("a")).n, 3);
    assert_null(rp_cbor_at(map, 2).p);
    assert_null(rp_cbor_at_text(map, RP_VIEW("b")).p);
    assert_null(rp_cbor_at(item_of("01"), 1).p);
    assert_false(rp_cbor_map((rp_view){NULL, 0}, &pairs));
}

static void one_after_the_other(void **state) {
    (void)state;
    rp_view rest = unit_hex("01a0ff"), item = {NULL, 0};
    assert_ok(rp_cbor_take(&rest, &item));
    assert_int_equal(item.n, 1);
    assert_ok(rp_cbor_take(&rest, &item));
    assert_int_equal(rest.n, 1);
    assert_err(rp_cbor_take(&rest, &item), SYNTAX);
    assert_int_equal(rest.n, 1); /* untouched */
    assert_err(rp_cbor_whole(unit_hex("01a0"), &item), SYNTAX);
}

static void what_is_not_written_so_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",                   /* nothing */
        "1817",               /* 23 in one byte too many */
        "190017",             /* and in two */
        "1a0000ffff",         /* 65535 in four */
        "1b00000000ffffffff", /* 2^32 - 1 in eight */
        "18",                 /* cut off */
        "1c",
        "1f", /* heads that are none */
        "5f4101ff",
        "7f6161ff", /* pieces without an end */
        "9f01ff",
        "bf0102ff", /* likewise */
        "42ff",     /* shorter than it says */
        "61ff",     /* no UTF-8 */
        "c100",     /* a tag */
        "f90000",
        "fa00000000", /* floats */
        "e0",
        "f7",
        "f820",                               /* other simple values, undefined */
        "8201",                               /* an item missing */
        "a101",                               /* a value missing */
        "a201020103",                         /* the key 1 twice */
        "a2616101616102",                     /* the key "a" twice */
        "a1410102",                           /* a key of bytes */
        "a1800102",                           /* a key that is an array */
        "9b00000001000000000000000000000000", /* more items than there are bytes */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rp_view item = {NULL, 0};
        if (rp_ok(rp_cbor_whole(unit_hex(bad[i]), &item))) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void depth_and_count_are_bounded(void **state) {
    (void)state;
    rp_view item = {NULL, 0};
    assert_ok(rp_cbor_whole(unit_hex("81818181818100"), &item));
    assert_err(rp_cbor_whole(unit_hex("8181818181818100"), &item), TOO_LARGE);
    uint8_t many[3 + RP_CBOR_ITEMS_MAX] = {0x99, RP_CBOR_ITEMS_MAX >> 8, RP_CBOR_ITEMS_MAX & 255};
    assert_err(rp_cbor_whole(rp_view_of(many, sizeof many), &item), TOO_LARGE);
    const uint8_t fewer[2 + RP_CBOR_ITEMS_MAX - 1] = {0x98, RP_CBOR_ITEMS_MAX - 1};
    assert_ok(rp_cbor_whole(rp_view_of(fewer, sizeof fewer), &item)); /* it counts itself */
}

/* Maps in maps, each the first value of the one around it and followed by as many keys as fit: who
 * walked again through what stands before each key would walk some hundred million times. */
static void maps_in_maps_cost_what_their_bytes_cost(void **state) {
    (void)state;
    enum { KEYS = 20, CPU_S_MAX = 2 };
    uint8_t room[512];
    struct rp_buf bytes = rp_buf_over(room, sizeof room);
    rp_view item = {NULL, 0};
    for (int depth = 0; depth < RP_CBOR_DEPTH_MAX; depth++) {
        rp_buf_add_byte(&bytes, 0xa0 | KEYS);
        rp_buf_add_byte(&bytes, 0);
    }
    rp_buf_add_byte(&bytes, 0);
    for (int depth = 0; depth < RP_CBOR_DEPTH_MAX; depth++) {
        for (uint8_t key = 1; key < KEYS; key++) {
            rp_buf_add_byte(&bytes, key);
            rp_buf_add_byte(&bytes, 0);
        }
    }
    clock_t before = clock();
    assert_ok(rp_cbor_whole(rp_buf_view(&bytes), &item));
    assert_int_equal(rp_cbor_at(item, KEYS - 1).n, 1);
    assert_true(clock() - before < CPU_S_MAX * CLOCKS_PER_SEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings_and_maps),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(what_is_not_written_so_is_refused),
        cmocka_unit_test(depth_and_count_are_bounded),
        cmocka_unit_test(maps_in_maps_cost_what_their_bytes_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
