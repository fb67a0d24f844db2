#include "wire/log_line.h"

#include "unit.h"
#include "wire/json.h"

static uint8_t out[RP_LOG_LINE_MAX];

static struct rp_log_line line_of(rp_view message) {
    return (struct rp_log_line){.time_ms = 1795687836123,
                                .level = RP_VIEW("info"),
                                .role = "core",
                                .pid = 12,
                                .message = message};
}

static rp_view print(rp_view message) {
    struct rp_log_line line = line_of(message);
    return rp_view_of(out, rp_log_line_print(&line, out));
}

static void a_line_is_one_object(void **state) {
    (void)state;
    assert_view(print(RP_VIEW("set up")),
                "{\"level\":\"info\",\"message\":\"set up\",\"pid\":12,"
                "\"role\":\"core\",\"time\":\"2026-11-26T10:10:36.123Z\"}\n");
}

static void whatever_it_says_it_is_one_line_of_json(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    static const struct {
        rp_view said;
        const char *read;
    } rows[] = {
        {RP_VIEW("a \"name\" \\ and\nanother line\t\x7f"), "a \"name\" \\ and\nanother line\t\x7f"},
        {RP_VIEW("caf\xc3\xa9 \xf0\x9f\x98\x80"), "caf\xc3\xa9 \xf0\x9f\x98\x80"},
        {RP_VIEW("\xff\xc3(\xed\xa0\x80"),
         "\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {RP_VIEW("cut \xe2\x82"), "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {RP_VIEW(""), ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rp_json *json = NULL;
        rp_view text = print(rows[i].said);
        assert_int_equal(rp_view_find_byte(text, '\n'), text.n - 1);
        assert_ok(
            rp_json_parse(rp_view_sub(text, 0, text.n - 1), RP_JSON_LIMITS, arena, &json, NULL));
        assert_view_equal(rp_json_get_string(json, "message"), rp_view_from_cstr(rows[i].read));
    }
    rp_arena_free(arena);
}

static void a_long_one_is_cut_and_says_so(void **state) {
    (void)state;
    static uint8_t long_one[3 * RP_LOG_LINE_MAX];
    for (size_t fill = 0; fill < 2; fill++) {
        memset(long_one, fill ? '\n' : 'x', sizeof long_one);
        rp_view text = print(rp_view_of(long_one, sizeof long_one));
        assert_true(text.n > RP_LOG_LINE_MAX - 200 && text.n <= RP_LOG_LINE_MAX);
        assert_true(rp_view_find(text, RP_VIEW("\xe2\x80\xa6\",\"pid\":12")) < text.n);
        assert_int_equal(text.p[text.n - 1], '\n');
    }
}

static void nginx_is_taken_apart(void **state) {
    (void)state;
    struct rp_log_line line = line_of(RP_VIEW(""));
    rp_log_line_of_nginx(RP_VIEW("2026/11/26 09:50:36 [warn] 12180#7: *104 client: 127.0.0.1\n"),
                         &line);
    assert_view(line.level, "warn");
    assert_int_equal(line.pid, 12180);
    assert_view(line.message, "*104 client: 127.0.0.1");
    static const char *const others[] = {
        "nginx: [emerg] no such file",    "2026/11/26 09:50:36 [loud] 1#1: x",
        "2026/11/26 09:50:36 [warn] 1",   "2026/11/26 09:50:36 [warn] x#1: y",
        "2026/11/26 09:50:36 [warn] 1#1", "",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        rp_log_line_of_nginx(rp_view_from_cstr(others[i]), &line);
        assert_view(line.level, "error");
        assert_view_equal(line.message, rp_view_from_cstr(others[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_object),
        cmocka_unit_test(whatever_it_says_it_is_one_line_of_json),
        cmocka_unit_test(a_long_one_is_cut_and_says_so),
        cmocka_unit_test(nginx_is_taken_apart),
    };
    return cmocka_run_group_tests_name("log_line", tests, NULL, NULL);
}
