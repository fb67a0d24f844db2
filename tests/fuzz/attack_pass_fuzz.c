/* Any bytes as a pass: worked for or refused; and as a table: refused, or asked without harm. */
#include "fuzz.h"
#include "shield/attack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const uint8_t salt[RP_ATTACK_SALT] = "sixteen bytes...";
    const int64_t now_s = 1700000000;
    struct rp_attack_table table;
    rp_attack_init(&table, salt);
    rp_view pass = rp_view_of(data, n);
    if (rp_attack_pass_is_good(&table, RP_VIEW("fuzz"), pass, now_s)) {
        FUZZ_CHECK(n <= RP_ATTACK_PASS_MAX && rp_view_find_byte(pass, '.') == 10);
        FUZZ_CHECK(
            !rp_attack_pass_is_good(&table, RP_VIEW("fuzz"), pass, now_s + RP_ATTACK_PASS_S));
    }
    if (n == sizeof table) {
        memcpy(&table, data, n);
        if (rp_ok(rp_attack_check(&table, n))) {
            (void)rp_attack_is_on(&table, RP_VIEW("shop"), now_s);
        }
    }
    return 0;
}
