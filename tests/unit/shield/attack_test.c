#include "shield/attack.h"

#include <stdio.h>

#include "base/checked.h"
#include "crypto/hash.h"
#include "unit.h"

static const uint8_t salt[RP_ATTACK_SALT] = "sixteen bytes...";
static const int64_t now_s = 1700000000;
enum { TEXT = 160 };

/* What the page's script does. */
static uint64_t solve(const char challenge[static RP_ATTACK_CHALLENGE], unsigned place) {
    for (uint64_t number = 0;; number++) {
        char text[80];
        int n = snprintf(text, sizeof text, "%.*s.%u.%llu", RP_ATTACK_CHALLENGE, challenge, place,
                         (unsigned long long)number);
        struct rp_sha256 hash = rp_sha256_of(rp_view_of(text, (size_t)n));
        if (hash.b[0] == 0 && hash.b[1] >> (16 - RP_ATTACK_BITS) == 0) {
            return number;
        }
    }
}

static rp_view pass_for(const struct rp_attack_table *table, rp_view who, int64_t end_s,
                        char out[static TEXT]) {
    char challenge[RP_ATTACK_CHALLENGE];
    rp_attack_challenge(table, who, end_s, challenge);
    int n =
        snprintf(out, TEXT, "%lld.%llu.%llu.%llu.%llu", (long long)end_s,
                 (unsigned long long)solve(challenge, 0), (unsigned long long)solve(challenge, 1),
                 (unsigned long long)solve(challenge, 2), (unsigned long long)solve(challenge, 3));
    assert_in_range(n, 1, RP_ATTACK_PASS_MAX - 1);
    return rp_view_of(out, (size_t)n);
}

static void work_is_a_pass_for_who_did_it_until_its_end(void **state) {
    (void)state;
    struct rp_attack_table table, other;
    char text[TEXT];
    rp_attack_init(&table, salt);
    rp_attack_init(&other, (const uint8_t *)"another salt now");
    rp_view who = RP_VIEW("\xc0\x00\x02\x07");
    int64_t end_s = now_s + RP_ATTACK_PASS_S;
    rp_view pass = pass_for(&table, who, end_s, text);
    assert_true(rp_attack_pass_is_good(&table, who, pass, now_s));
    assert_true(rp_attack_pass_is_good(&table, who, pass, end_s - 1));
    assert_false(rp_attack_pass_is_good(&table, who, pass, end_s));
    assert_false(rp_attack_pass_is_good(&table, who, pass, now_s - 1)); /* would last too long */
    assert_false(rp_attack_pass_is_good(&table, RP_VIEW("\xc0\x00\x02\x08"), pass, now_s));
    assert_false(rp_attack_pass_is_good(&other, who, pass, now_s));
    for (size_t i = 0; i < pass.n; i++) {
        assert_false(rp_attack_pass_is_good(&table, who, rp_view_sub(pass, 0, i), now_s));
    }
    char longer[TEXT + 2];
    int n = snprintf(longer, sizeof longer, "%.*s.", RP_FMT(pass));
    assert_false(rp_attack_pass_is_good(&table, who, rp_view_of(longer, (size_t)n), now_s));
    text[0] = '0'; /* another end */
    assert_false(rp_attack_pass_is_good(&table, who, pass, now_s));
}

static void the_table_says_for_which_applications_and_until_when(void **state) {
    (void)state;
    struct rp_attack_table table;
    rp_attack_init(&table, salt);
    assert_false(rp_attack_is_on(&table, RP_VIEW("shop"), now_s));
    assert_ok(rp_attack_add(&table, RP_VIEW("shop"), now_s + 10));
    assert_true(rp_attack_is_on(&table, RP_VIEW("shop"), now_s + 9));
    assert_false(rp_attack_is_on(&table, RP_VIEW("shop"), now_s + 10));
    assert_false(rp_attack_is_on(&table, RP_VIEW("sho"), now_s));
    assert_ok(rp_attack_add(&table, RP_VIEW(""), 0));
    assert_true(rp_attack_is_on(&table, RP_VIEW("sho"), now_s + 1000000));
    assert_ok(rp_attack_check(&table, sizeof table));
    for (unsigned i = 2; i <= RP_ATTACK_APPS_MAX; i++) {
        assert_ok(rp_attack_add(&table, RP_VIEW("x"), 0));
    }
    assert_err(rp_attack_add(&table, RP_VIEW("x"), 0), TOO_LARGE);
}

static void a_foreign_file_is_no_table(void **state) {
    (void)state;
    struct rp_attack_table table;
    rp_attack_init(&table, salt);
    assert_err(rp_attack_check(&table, sizeof table - 1), CORRUPT);
    assert_err(rp_attack_check(NULL, sizeof table), CORRUPT);
    table.count = RP_ATTACK_APPS_MAX + 2;
    assert_err(rp_attack_check(&table, sizeof table), CORRUPT);
    table.count = 1;
    table.rows[0].name_n = RP_ATTACK_NAME_MAX + 1;
    assert_err(rp_attack_check(&table, sizeof table), CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_a_pass_for_who_did_it_until_its_end),
        cmocka_unit_test(the_table_says_for_which_applications_and_until_when),
        cmocka_unit_test(a_foreign_file_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
