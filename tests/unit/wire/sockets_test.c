#include "wire/sockets.h"

#include "unit.h"

static const char v4[] = "   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 "
                         "00000000   994        0 1076 "
                         "1 000000001a1a0a88 100 0 0 10 0                      ";
static const char v6[] =
    "  12: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 "
    "07 00000000:00000000 00:00000000 00000000     0        0 7 2";

static struct rp_socket parsed(const char *line) {
    struct rp_socket socket;
    assert_ok(rp_socket_parse(rp_view_from_cstr(line), &socket));
    return socket;
}

static void assert_at(const struct rp_socket *socket, const char *address, uint16_t port) {
    char text[RP_IP_TEXT_MAX];
    rp_ip_print(&socket->ip, text);
    assert_string_equal(text, address);
    assert_int_equal(socket->port, port);
}

/* The lines are those of a little-endian machine, as all that Rempart runs on. */
static void a_line_says_where_who_and_how(void **state) {
    (void)state;
    struct rp_socket socket = parsed(v4);
    assert_at(&socket, "0.0.0.0", 2024);
    assert_int_equal(socket.state, RP_SOCKET_LISTENS);
    assert_int_equal(socket.uid, 994);
    socket = parsed(v6);
    assert_at(&socket, "2001:db8::1", 443);
    assert_int_equal(socket.state, RP_SOCKET_CLOSED);
    assert_int_equal(socket.uid, 0);
}

static const char tail[] = " 0:0 0A 0:0 0:0 0 0 0 1";

static void where_it_is_reached_from(void **state) {
    (void)state;
    static const struct {
        const char *at;
        bool local, everywhere;
    } cases[] = {{"0100007F:0050", true, false},
                 {"4209007F:0050", true, false},
                 {"00000000:0050", false, true},
                 {"0A02000A:0050", false, false},
                 {"00000000000000000000000001000000:0050", true, false},
                 {"00000000000000000000000000000000:0050", false, true},
                 {"0000000000000000FFFF00000100007F:0050", true, false},
                 {"0000000000000000FFFF000000000000:0050", false, true},
                 {"000080FE000000000000000001000000:0050", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "0: %s%s", cases[i].at, tail);
        struct rp_socket socket = parsed(line);
        if (rp_socket_is_local(&socket) != cases[i].local ||
            rp_socket_is_everywhere(&socket) != cases[i].everywhere) {
            fail_msg("%s", cases[i].at);
        }
    }
}

static void what_is_no_line_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
        "0: 0100007F:0050",
        "0: 0100007F:005 0:0 0A 0:0 0:0 0 0 0 1",
        "0: 0100007:0050 0:0 0A 0:0 0:0 0 0 0 1",
        "0: 0100007F0100007F:0050 0:0 0A 0:0 0:0 0 0 0 1",
        "0: 0100007f:0050 0:0 0A 0:0 0:0 0 0 0 1",
        "0: 0100007F:0050 0:0 A 0:0 0:0 0 0 0 1",
        "0: 0100007F:0050 0:0 0A 0:0 0:0 0 4294967296 0 1",
        "0: 0100007F:0050 0:0 0A 0:0 0:0 0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rp_socket socket;
        if (rp_ok(rp_socket_parse(rp_view_from_cstr(bad[i]), &socket))) {
            fail_msg("%s", bad[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_where_who_and_how),
        cmocka_unit_test(where_it_is_reached_from),
        cmocka_unit_test(what_is_no_line_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
