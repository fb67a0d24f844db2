#include "wire/socks.h"

#include "unit.h"

static rp_err greet(const char *bytes, size_t n, size_t *ret_used) {
    return rp_socks_greeting(rp_view_of(bytes, n), ret_used);
}
static rp_err ask(const char *bytes, size_t n, struct rp_socks_request *ret, size_t *ret_used) {
    return rp_socks_request(rp_view_of(bytes, n), ret, ret_used);
}

static void who_can_do_without_a_password_is_greeted(void **state) {
    (void)state;
    size_t used = 0;
    assert_ok(greet("\5\1\0\5", 4, &used));
    assert_int_equal(used, 3);
    assert_ok(greet("\5\2\2\0", 4, &used));
    assert_int_equal(used, 4);
    assert_err(greet("\5\2\1\2", 4, &used), PROTOCOL);
    assert_err(greet("\5\0", 2, &used), PROTOCOL);
    assert_err(greet("\4", 1, &used), PROTOCOL);
    assert_err(greet("\5\2\0", 3, &used), BUSY);
    assert_err(greet("", 0, &used), BUSY);
}

static void a_name_and_addresses_are_read(void **state) {
    (void)state;
    static const char name[] = "\5\1\0\3\7A.Bc.De\1\273rest";
    static const char four[] = "\5\1\0\1\177\0\0\1\0\31";
    static const char six[] = "\5\1\0\4\40\1\r\270\0\0\0\0\0\0\0\0\0\0\0\1\1\273";
    struct rp_socks_request request;
    size_t used = 0;
    assert_ok(ask(name, sizeof name - 1, &request, &used));
    assert_string_equal(request.host, "a.bc.de");
    assert_int_equal(request.port, 443);
    assert_int_equal(used, 14);
    assert_ok(ask(four, sizeof four - 1, &request, &used));
    assert_string_equal(request.host, "127.0.0.1");
    assert_int_equal(request.port, 25);
    assert_ok(ask(six, sizeof six - 1, &request, &used));
    assert_string_equal(request.host, "2001:db8::1");
    for (size_t n = 0; n < 14; n++) {
        assert_err(ask(name, n, &request, &used), BUSY);
    }
}

static void anything_else_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        {"\4\1\0\1", 4},                /* SOCKS 4 */
        {"\5\2\0\1", 4},                /* BIND */
        {"\5\3\0\1", 4},                /* UDP */
        {"\5\1\1\1", 4},                /* reserved */
        {"\5\1\0\2\1\1\1\1\1\1", 10},   /* no such kind of address */
        {"\5\1\0\3\0\1\273", 7},        /* no name */
        {"\5\1\0\3\3a\0b\1\273", 10},   /* a NUL within */
        {"\5\1\0\3\3a\nb\1\273", 10},   /* a line within */
        {"\5\1\0\1\177\0\0\1\0\0", 10}, /* no port */
    };
    struct rp_socks_request request;
    size_t used = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rp_err err = ask(bad[i].bytes, bad[i].n, &request, &used);
        if (!rp_is(err, RP_E_PROTOCOL)) {
            fail_msg("case %zu: %s", i, rp_err_name(err));
        }
    }
}

static void answers_are_as_the_standard_says(void **state) {
    (void)state;
    uint8_t method[RP_SOCKS_METHOD_BYTES], reply[RP_SOCKS_REPLY_BYTES];
    rp_socks_print_method(method);
    assert_memory_equal(method, "\5\0", 2);
    rp_socks_print_reply(RP_SOCKS_NOT_ALLOWED, reply);
    assert_memory_equal(reply, "\5\2\0\1\0\0\0\0\0\0", 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_can_do_without_a_password_is_greeted),
        cmocka_unit_test(a_name_and_addresses_are_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(answers_are_as_the_standard_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
