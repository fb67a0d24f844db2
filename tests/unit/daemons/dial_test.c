/* What the configuration names is dialled for whom it is named, and nothing else is. */
#include "dial.h"

#include <stdio.h>

#include "unit.h"

static struct rp_arena *arena;
static struct places places;

static void read_file(const char *text) {
    struct rp_config config;
    struct rp_diag diag = {0};
    arena = rp_arena_new(4 << 20);
    assert_non_null(arena);
    rp_err err = rp_config_parse(rp_view_from_cstr(text), arena, &config, &diag);
    if (!rp_ok(err)) {
        fail_msg("line %u: %s", diag.line, diag.text);
    }
    assert_ok(places_of(&config, &places, &diag));
}

static int tear_down(void **state) {
    (void)state;
    rp_arena_free(arena);
    arena = NULL;
    return 0;
}

static const struct place *find(enum rp_role_id role, const char *host, uint16_t port) {
    struct rp_socks_request wanted = {.port = port};
    snprintf(wanted.host, sizeof wanted.host, "%s", host);
    return places_find(&places, RP_ROLE_BIT(role), &wanted);
}

/*= S71 type=test */
static void each_gets_what_is_named_for_it(void **state) {
    (void)state;
    read_file(
        "host: example.org\ngate:\n  listen_http: 8080\n"
        "smtp:\n  url: smtps://Mail.Example.org\n  from: a@example.org\n"
        "acme:\n  directory: https://acme.example:14000/dir\n  terms_agreed: true\n"
        "webhooks:\n"
        "  - {name: ops, endpoint: 'https://hooks.example/a?b=c', secret: /s, events: ['*']}\n"
        "  - {name: in, endpoint: 'https://192.0.2.7:8443/', secret: /s, private: true, "
        "events: ['*']}\n");
    const struct place *mail = find(RP_ROLE_COURIER, "mail.example.org", 465);
    assert_non_null(mail);
    assert_true(mail->also_private); /* the operator's own */
    const struct place *hook = find(RP_ROLE_COURIER, "hooks.example", 443);
    assert_non_null(hook);
    assert_false(hook->also_private);
    const struct place *inside = find(RP_ROLE_COURIER, "192.0.2.7", 8443);
    assert_non_null(inside);
    assert_true(inside->also_private);
    assert_non_null(find(RP_ROLE_ACME, "acme.example", 14000));
}

/*= S71 type=test */
static void nobody_gets_anything_else(void **state) {
    (void)state;
    read_file("host: www.example.org\ngate:\n  listen_http: 8080\nsmtp:\n  url: "
              "smtp://mail.example.org:587\n  from: "
              "a@example.org\n"
              "acme:\n  directory: https://acme.example/dir\n  terms_agreed: true\n");
    assert_null(find(RP_ROLE_COURIER, "mail.example.org", 25));
    assert_null(find(RP_ROLE_COURIER, "mail.example.org.attacker.example", 587));
    assert_null(find(RP_ROLE_COURIER, "acme.example", 443));
    assert_null(find(RP_ROLE_ACME, "mail.example.org", 587));
    assert_null(find(RP_ROLE_CORE, "mail.example.org", 587));
    assert_null(find(RP_ROLE_COURIER, "127.0.0.1", 587));
    const struct rp_socks_request wanted = {.host = "mail.example.org", .port = 587};
    assert_null(places_find(&places, 0, &wanted)); /* a stranger */
}

static void an_empty_file_names_nothing(void **state) {
    (void)state;
    read_file("{}\n");
    assert_int_equal(places.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_gets_what_is_named_for_it, tear_down),
        cmocka_unit_test_teardown(nobody_gets_anything_else, tear_down),
        cmocka_unit_test_teardown(an_empty_file_names_nothing, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
