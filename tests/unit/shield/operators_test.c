/* The small operators: the ModSecurity project's cases, and its library as a referee. */
#include "unit.h"

#include <stdio.h>

#include "modsecurity.h"
#include "shield/operators.h"
#include "soup.h"

static void words_stand_alone(void **state) {
    (void)state;
    rp_view text = RP_VIEW("abc def ghi");
    assert_true(rp_op_contains_word(RP_VIEW(""), RP_VIEW("")));
    assert_true(rp_op_contains_word(text, RP_VIEW("")));
    assert_false(rp_op_contains_word(RP_VIEW(""), RP_VIEW("a")));
    assert_true(rp_op_contains_word(text, RP_VIEW("abc")));
    assert_true(rp_op_contains_word(text, RP_VIEW("def")));
    assert_true(rp_op_contains_word(text, RP_VIEW("ghi")));
    assert_false(rp_op_contains_word(RP_VIEW("abcdefghi"), RP_VIEW("def")));
    assert_true(rp_op_contains_word(RP_VIEW("hidingX<-no, ->hiding"), RP_VIEW("hiding")));
    assert_true(rp_op_contains_word(RP_VIEW("1def2"), RP_VIEW("def")));
    assert_true(rp_op_contains_word(RP_VIEW("aab aa"), RP_VIEW("aa")));
}

static void encodings(void **state) {
    (void)state;
    assert_false(rp_op_invalid_url_encoding(RP_VIEW("")));
    assert_false(rp_op_invalid_url_encoding(RP_VIEW("a%20b%Ff")));
    assert_true(rp_op_invalid_url_encoding(RP_VIEW("100%")));
    assert_true(rp_op_invalid_url_encoding(RP_VIEW("%2")));
    assert_true(rp_op_invalid_url_encoding(RP_VIEW("%u0041")));
    assert_false(
        rp_op_invalid_utf8(RP_VIEW("ordinary text, \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    assert_true(rp_op_invalid_utf8(RP_VIEW("\xe4")));
    assert_true(rp_op_invalid_utf8(RP_VIEW("long enough to skip \xc0\xaf")));
    assert_true(rp_op_invalid_utf8(RP_VIEW("\xed\xa0\x80")));
    assert_true(rp_op_invalid_utf8(RP_VIEW("\xf4\x90\x80\x80")));
    assert_true(rp_op_invalid_utf8(RP_VIEW("\xf5\x80\x80\x80")));
}

static void sets_of_bytes(void **state) {
    (void)state;
    struct rp_byte_set allowed;
    struct rp_byte_set present = rp_byte_set_of(RP_VIEW("abcdefghi"));
    assert_ok(rp_op_byte_range(RP_VIEW("97-105"), &allowed, NULL));
    assert_false(rp_op_outside(&allowed, &present));
    present = rp_byte_set_of(RP_VIEW("abcdefghij"));
    assert_true(rp_op_outside(&allowed, &present));
    assert_ok(rp_op_byte_range(RP_VIEW("0, 9,10,13 , 32-126,128-255"), &allowed, NULL));
    present = rp_byte_set_of(RP_VIEW("text\r\n\xe9\0"));
    assert_false(rp_op_outside(&allowed, &present));
    present = rp_byte_set_of(RP_VIEW("\x7f"));
    assert_true(rp_op_outside(&allowed, &present));
    assert_ok(rp_op_byte_range(RP_VIEW(""), &allowed, NULL));
    assert_true(rp_op_outside(&allowed, &present));
    struct rp_diag diag = {0};
    assert_err(rp_op_byte_range(RP_VIEW("1-256"), &allowed, &diag), INVALID);
    assert_non_null(strstr(diag.text, "1-256"));
    assert_err(rp_op_byte_range(RP_VIEW("xxx"), &allowed, NULL), INVALID);
    assert_err(rp_op_byte_range(RP_VIEW("9-1"), &allowed, NULL), INVALID);
    assert_err(rp_op_byte_range(RP_VIEW("1,,2"), &allowed, NULL), INVALID);
}

static void numbers(void **state) {
    (void)state;
    assert_true(rp_op_luhn(RP_VIEW("5484-6050-8915-8216")));
    assert_false(rp_op_luhn(RP_VIEW("5484605089158217")));
    assert_false(rp_op_luhn(RP_VIEW("no digit")));
    assert_true(rp_op_ssn(RP_VIEW("574-57-8065")));
    assert_false(rp_op_ssn(RP_VIEW("800-57-8065")));
    assert_false(rp_op_ssn(RP_VIEW("123-45-6789")));
    assert_true(rp_op_cpf(RP_VIEW("010.817.514-60")));
    assert_false(rp_op_cpf(RP_VIEW("010.817.514-61")));
    assert_false(rp_op_cpf(RP_VIEW("111.111.111-11")));
    assert_true(rp_op_svnr(RP_VIEW("1237 010180")));
    assert_false(rp_op_svnr(RP_VIEW("1238 010180")));
    assert_false(rp_op_svnr(RP_VIEW("0000 000000")));
}

/* ---- addresses ---- */

static struct rp_buf table_of(const rp_view *networks, size_t count) {
    struct rp_arena *arena = rp_arena_new(64 << 20);
    struct rp_buf out = rp_buf_new(64 << 20);
    assert_ok(rp_ip_table_build(networks, count, arena, &out, NULL));
    assert_true(rp_ip_table_check(rp_buf_view(&out)));
    rp_arena_free(arena);
    return out;
}

static void lists_and_tables_hold_the_same(void **state) {
    (void)state;
    const rp_view networks[] = {RP_VIEW_INIT("10.0.0.0/8"),     RP_VIEW_INIT("192.0.2.7"),
                                RP_VIEW_INIT("2001:db8::/32"),  RP_VIEW_INIT(" 198.51.100.77/24 "),
                                RP_VIEW_INIT("10.1.0.0/16"),    RP_VIEW_INIT("::1"),
                                RP_VIEW_INIT("203.0.113.0/25"), RP_VIEW_INIT("203.0.113.128/25")};
    rp_view list = RP_VIEW("10.0.0.0/8,192.0.2.7,2001:db8::/32, 198.51.100.77/24 ,10.1.0.0/16,::1,"
                           "203.0.113.0/25,203.0.113.128/25");
    struct rp_buf table = table_of(networks, RP_COUNT_OF(networks));
    const struct {
        rp_view address;
        bool inside;
    } cases[] = {
        {RP_VIEW_INIT("10.255.255.255"), true},
        {RP_VIEW_INIT("11.0.0.0"), false},
        {RP_VIEW_INIT("9.255.255.255"), false},
        {RP_VIEW_INIT("192.0.2.7"), true},
        {RP_VIEW_INIT("192.0.2.8"), false},
        {RP_VIEW_INIT("2001:db8:ffff::1"), true},
        {RP_VIEW_INIT("2001:db9::"), false},
        {RP_VIEW_INIT("198.51.100.1"), true},
        {RP_VIEW_INIT("::1"), true},
        {RP_VIEW_INIT("::2"), false},
        {RP_VIEW_INIT("203.0.113.200"), true},
        {RP_VIEW_INIT("nowhere"), false},
    };
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        assert_true(rp_op_ip_match(list, cases[i].address) == cases[i].inside);
        assert_true(rp_ip_table_find(rp_buf_view(&table), cases[i].address) == cases[i].inside);
    }
    rp_buf_done(&table);
}

static void everything_is_one_range(void **state) {
    (void)state;
    const rp_view networks[] = {RP_VIEW_INIT("::/0"), RP_VIEW_INIT("0.0.0.0/0"),
                                RP_VIEW_INIT("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")};
    struct rp_buf table = table_of(networks, RP_COUNT_OF(networks));
    assert_int_equal(table.n, 8 + 32);
    assert_true(rp_ip_table_find(rp_buf_view(&table), RP_VIEW("ff02::1")));
    assert_true(rp_ip_table_find(rp_buf_view(&table), RP_VIEW("192.0.2.1")));
    rp_buf_done(&table);
    table = table_of(NULL, 0);
    assert_false(rp_ip_table_find(rp_buf_view(&table), RP_VIEW("192.0.2.1")));
    rp_buf_done(&table);
}

static void a_bad_entry_is_named(void **state) {
    (void)state;
    const rp_view networks[] = {RP_VIEW_INIT("10.0.0.0/8"), RP_VIEW_INIT("10.0.0.0/33")};
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_buf out = rp_buf_new(1 << 20);
    struct rp_diag diag = {0};
    assert_err(rp_ip_table_build(networks, 2, arena, &out, &diag), INVALID);
    assert_non_null(strstr(diag.text, "entry 2"));
    assert_int_equal(out.n, 0);
    rp_buf_done(&out);
    rp_arena_free(arena);
}

/* 100,000 networks, each a /24 of its own: found at both ends, missed between. */
static void a_large_table_finds_each_of_its_entries(void **state) {
    (void)state;
    enum { COUNT = 100000, TEXT = 24 };
    char *texts = test_calloc(COUNT, TEXT);
    rp_view *networks = test_calloc(COUNT, sizeof *networks);
    for (size_t i = 0; i < COUNT; i++) {
        size_t at = (i * 77773) % COUNT; /* in no order */
        int n = snprintf(texts + i * TEXT, TEXT, "%zu.%zu.%zu.0/24", 1 + at / 32768, at / 128 % 256,
                         at % 128 * 2);
        networks[i] = rp_view_of(texts + i * TEXT, (size_t)n);
    }
    struct rp_buf table = table_of(networks, COUNT);
    for (size_t at = 0; at < COUNT; at += 97) {
        char text[TEXT];
        int n = snprintf(text, sizeof text, "%zu.%zu.%zu.255", 1 + at / 32768, at / 128 % 256,
                         at % 128 * 2);
        assert_true(rp_ip_table_find(rp_buf_view(&table), rp_view_of(text, (size_t)n)));
        n = snprintf(text, sizeof text, "%zu.%zu.%zu.0", 1 + at / 32768, at / 128 % 256,
                     at % 128 * 2 + 1);
        assert_false(rp_ip_table_find(rp_buf_view(&table), rp_view_of(text, (size_t)n)));
    }
    rp_buf_done(&table);
    test_free(networks);
    test_free(texts);
}

/* ---- the original ---- */

typedef int verify(const char *text, int n); /* static members, but for the last */
typedef int verify_member(void *self, const char *text, int n);
typedef int utf8_character(const unsigned char *text, unsigned n);

static void load(void *library, const char *symbol, void *ret_function) {
    void *found = modsecurity_symbol(library, symbol);
    memcpy(ret_function, &found, sizeof found);
}

static void checks_are_the_original_ones(void **state) {
    (void)state;
    void *library = modsecurity_open();
    if (library == NULL) {
        skip();
    }
    verify *luhn = NULL;
    verify *ssn = NULL;
    verify_member *cpf = NULL, *svnr = NULL;
    load(library, "_ZN11modsecurity9operators8VerifyCC10luhnVerifyEPKci", &luhn);
    load(library, "_ZN11modsecurity9operators9VerifySSN6verifyEPKci", &ssn);
    load(library, "_ZN11modsecurity9operators9VerifyCPF6verifyEPKci", &cpf);
    load(library, "_ZN11modsecurity9operators10VerifySVNR6verifyEPKci", &svnr);
    char self[512] = {0};
    uint64_t seed = 3;
    size_t good = 0;
    for (size_t i = 0; i < 300000; i++) {
        char text[17] = {0};
        size_t n = (size_t[]){9, 11, 16, 10}[i % 4];
        for (size_t at = 0; at < n; at++) {
            text[at] = "0123456789-"[soup_next(&seed) % (i % 7 == 0 ? 11 : 10)];
        }
        rp_view view = rp_view_of(text, n);
        assert_true(rp_op_luhn(view) == (luhn(text, (int)n) != 0));
        assert_true(rp_op_cpf(view) == ((cpf(self, text, (int)n) & 0xff) != 0));
        assert_true(rp_op_svnr(view) == ((svnr(self, text, (int)n) & 0xff) != 0));
        assert_true(rp_op_ssn(view) == ((ssn(text, (int)n) & 0xff) != 0));
        good += rp_op_cpf(view) || rp_op_luhn(view) || rp_op_ssn(view) ? 1 : 0;
    }
    assert_true(good > 10000);
}

static bool original_utf8(utf8_character *character, rp_view value) {
    for (size_t i = 0; i < value.n;) {
        int n = character(value.p + i, (unsigned)(value.n - i));
        if (n <= 0) {
            return true;
        }
        i += (size_t)n;
    }
    return false;
}

static void encodings_are_judged_like_the_original(void **state) {
    (void)state;
    void *library = modsecurity_open();
    if (library == NULL) {
        skip();
    }
    utf8_character *character = NULL;
    load(library, "_ZN11modsecurity9operators20ValidateUtf8Encoding21detect_utf8_characterEPKhj",
         &character);
    uint64_t seed = 9;
    for (size_t i = 0; i < 50000; i++) {
        uint8_t bytes[200] = {0};
        rp_view value = soup_value(&seed, bytes, sizeof bytes - 8);
        /* The original takes what lies beyond Unicode from F4 90 on. */
        bool beyond = rp_view_find(value, RP_VIEW("\xf4\x90")) < value.n;
        assert_true(beyond || rp_op_invalid_utf8(value) == original_utf8(character, value));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_stand_alone),
        cmocka_unit_test(encodings),
        cmocka_unit_test(sets_of_bytes),
        cmocka_unit_test(numbers),
        cmocka_unit_test(lists_and_tables_hold_the_same),
        cmocka_unit_test(everything_is_one_range),
        cmocka_unit_test(a_bad_entry_is_named),
        cmocka_unit_test(a_large_table_finds_each_of_its_entries),
        cmocka_unit_test(checks_are_the_original_ones),
        cmocka_unit_test(encodings_are_judged_like_the_original),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
