#include "shield/lists.h"

#include <stdlib.h>

#include "base/checked.h"
#include "unit.h"

static const int64_t now_s = 1700000000;

struct built {
    struct rp_arena *arena;
    struct rp_lists_builder *builder;
    struct rp_buf table;
};

static struct built start(size_t count) {
    struct built b = {.arena = rp_arena_new(64 << 20), .table = rp_buf_new(RP_LIST_TABLE_MAX)};
    assert_non_null(b.arena);
    b.builder = rp_lists_builder_new(b.arena, count);
    assert_non_null(b.builder);
    return b;
}

static void end(struct built *b) {
    rp_buf_done(&b->table);
    rp_arena_free(b->arena);
}

static void finish(struct built *b) {
    assert_ok(rp_lists_finish(b->builder, 7, &b->table));
    assert_ok(rp_lists_check(b->table.p, b->table.n));
    assert_int_equal(rp_lists_generation(b->table.p), 7);
}

static struct rp_list_entry network(enum rp_list_action action, const char *text,
                                    int64_t expires_s) {
    struct rp_list_entry entry = {.action = action, .expires_s = expires_s};
    assert_ok(rp_ip_net_parse(rp_view_from_cstr(text), &entry.network));
    return entry;
}

static void add(struct built *b, enum rp_list_action action, const char *text, int64_t expires_s) {
    struct rp_list_entry entry = network(action, text, expires_s);
    assert_ok(rp_lists_add(b->builder, &entry));
}

struct sent {
    const char *name, *value;
};

static bool has_header(const void *ctx, rp_view name, rp_view text) {
    const struct sent *sent = ctx;
    return sent && rp_view_equal_nocase(name, rp_view_from_cstr(sent->name)) &&
           rp_view_equal(text, rp_view_from_cstr(sent->value));
}

static enum rp_list_verdict ask_all(const struct built *b, const char *address, const char *method,
                                    const char *path, const struct sent *sent, int64_t at_s) {
    struct rp_ip ip;
    assert_ok(rp_ip_parse(rp_view_from_cstr(address), &ip));
    struct rp_list_request request = {.address = &ip,
                                      .path = rp_view_from_cstr(path),
                                      .method = rp_view_from_cstr(method),
                                      .has_header = has_header,
                                      .ctx = sent,
                                      .now_s = at_s};
    return rp_lists_judge(b->table.p, &request);
}

static enum rp_list_verdict ask(const struct built *b, const char *address) {
    return ask_all(b, address, "GET", "/", NULL, now_s);
}

static void an_empty_table_says_nothing(void **state) {
    (void)state;
    struct built b = start(0);
    finish(&b);
    assert_int_equal(ask(&b, "192.0.2.1"), RP_LIST_SILENT);
    end(&b);
}

static void networks_of_both_families_are_found_to_their_edges(void **state) {
    (void)state;
    struct built b = start(10);
    add(&b, RP_LIST_DENY, "192.0.2.0/24", 0);
    add(&b, RP_LIST_DENY, "198.51.100.7", 0);
    add(&b, RP_LIST_DENY, "2001:db8:1::/48", 0);
    finish(&b);
    static const struct {
        const char *address;
        bool denied;
    } rows[] = {{"192.0.1.255", false},  {"192.0.2.0", true},
                {"192.0.2.255", true},   {"192.0.3.0", false},
                {"198.51.100.6", false}, {"198.51.100.7", true},
                {"198.51.100.8", false}, {"2001:db8:0:ffff::1", false},
                {"2001:db8:1::", true},  {"2001:db8:1:ffff:ffff:ffff:ffff:ffff", true},
                {"2001:db8:2::", false}, {"::ffff:192.0.2.9", true},
                {"::", false},           {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false}};
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        assert_int_equal(ask(&b, rows[i].address),
                         rows[i].denied ? RP_LIST_DENIED : RP_LIST_SILENT);
    }
    end(&b);
}

static void an_allowed_address_wins_over_a_denied_network(void **state) {
    (void)state;
    struct built b = start(10);
    add(&b, RP_LIST_DENY, "0.0.0.0/0", 0);
    add(&b, RP_LIST_DENY, "::/0", 0);
    add(&b, RP_LIST_ALLOW, "192.0.2.7", 0);
    finish(&b);
    assert_int_equal(ask(&b, "192.0.2.7"), RP_LIST_ALLOWED);
    assert_int_equal(ask(&b, "192.0.2.8"), RP_LIST_DENIED);
    assert_int_equal(ask(&b, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), RP_LIST_DENIED);
    end(&b);
}

/* Where several entries hold an address, the one that lasts longest counts. */
static void what_ran_out_counts_no_more(void **state) {
    (void)state;
    struct built b = start(10);
    add(&b, RP_LIST_DENY, "10.0.0.0/8", now_s + 10);
    add(&b, RP_LIST_DENY, "10.1.0.0/16", now_s + 100);
    add(&b, RP_LIST_DENY, "10.1.2.0/24", 0);
    add(&b, RP_LIST_DENY, "10.1.2.3", now_s + 1);
    add(&b, RP_LIST_DENY, "10.1.2.3", now_s + 2);
    finish(&b);
    static const struct {
        const char *address;
        int64_t lasts_s;
    } rows[] = {{"10.0.0.1", 10},    {"10.255.0.1", 10},    {"10.1.0.1", 100},
                {"10.1.255.1", 100}, {"10.1.2.3", 1000000}, {"10.1.2.200", 1000000}};
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        int64_t last = now_s + rows[i].lasts_s - 1;
        assert_int_equal(ask_all(&b, rows[i].address, "GET", "/", NULL, last), RP_LIST_DENIED);
        if (rows[i].lasts_s < 1000) {
            assert_int_equal(ask_all(&b, rows[i].address, "GET", "/", NULL, last + 1),
                             RP_LIST_SILENT);
        }
    }
    end(&b);
}

static void all_that_an_entry_asks_for_must_match(void **state) {
    (void)state;
    struct built b = start(10);
    struct rp_list_entry entry = network(RP_LIST_DENY, "192.0.2.0/24", now_s + 5);
    entry.path = RP_VIEW("/admin/");
    entry.method = RP_VIEW("POST");
    assert_ok(rp_lists_add(b.builder, &entry));
    struct rp_list_entry agent = {.action = RP_LIST_DENY,
                                  .any_address = true,
                                  .header = RP_VIEW("User-Agent"),
                                  .value = RP_VIEW("sqlmap")};
    assert_ok(rp_lists_add(b.builder, &agent));
    finish(&b);
    assert_int_equal(rp_lists_count(b.table.p, RP_LIST_DENY), 2);
    const struct sent sent = {"user-agent", "sqlmap"}, other = {"X-Other", "sqlmap"};
    assert_int_equal(ask_all(&b, "192.0.2.1", "POST", "/admin/x", NULL, now_s), RP_LIST_DENIED);
    assert_int_equal(ask_all(&b, "192.0.2.1", "POST", "/admin/x", NULL, now_s + 5), RP_LIST_SILENT);
    assert_int_equal(ask_all(&b, "192.0.2.1", "GET", "/admin/x", NULL, now_s), RP_LIST_SILENT);
    assert_int_equal(ask_all(&b, "192.0.2.1", "POST", "/admin", NULL, now_s), RP_LIST_SILENT);
    assert_int_equal(ask_all(&b, "192.0.3.1", "POST", "/admin/x", NULL, now_s), RP_LIST_SILENT);
    assert_int_equal(ask_all(&b, "192.0.3.1", "GET", "/", &sent, now_s), RP_LIST_DENIED);
    assert_int_equal(ask_all(&b, "192.0.3.1", "GET", "/", &other, now_s), RP_LIST_SILENT);
    end(&b);
}

/* Many networks, some within others, against reading them one by one. */
static void a_table_says_what_the_list_says(void **state) {
    (void)state;
    enum { NETWORKS = 500, ASKED = 20000 };
    struct built b = start(NETWORKS);
    static struct rp_ip_net nets[NETWORKS];
    static int64_t ends[NETWORKS];
    uint32_t seed = 1;
    for (size_t i = 0; i < NETWORKS; i++) {
        uint8_t bytes[4];
        for (size_t k = 0; k < 4; k++) {
            seed = seed * 1103515245 + 12345;
            bytes[k] = k == 0 ? 10 : (uint8_t)(seed >> 24 & 15);
        }
        unsigned bits = RP_IP_V4_BITS + 24 + (seed >> 16) % 9;
        struct rp_ip ip = rp_ip_of(bytes, 4);
        nets[i] = (struct rp_ip_net){rp_ip_mask(&ip, bits), bits};
        ends[i] = seed >> 8 & 1 ? 0 : now_s - 50 + (int64_t)(seed >> 9 & 127);
        struct rp_list_entry entry = {
            .action = RP_LIST_DENY, .network = nets[i], .expires_s = ends[i]};
        assert_ok(rp_lists_add(b.builder, &entry));
    }
    finish(&b);
    size_t denied = 0;
    for (size_t i = 0; i < ASKED; i++) {
        uint8_t bytes[4] = {10, (uint8_t)(i >> 12 & 31), (uint8_t)(i >> 6 & 15), (uint8_t)(i & 31)};
        struct rp_ip ip = rp_ip_of(bytes, 4);
        bool want = false;
        for (size_t k = 0; k < NETWORKS && !want; k++) {
            want = rp_ip_in(&ip, &nets[k]) && (ends[k] == 0 || ends[k] > now_s);
        }
        struct rp_list_request request = {.address = &ip, .now_s = now_s};
        assert_int_equal(rp_lists_judge(b.table.p, &request) == RP_LIST_DENIED, want);
        denied += want;
    }
    assert_in_range(denied, ASKED / 100, ASKED - ASKED / 100);
    end(&b);
}

static void one_altered_byte_is_no_table(void **state) {
    (void)state;
    struct built b = start(10);
    add(&b, RP_LIST_DENY, "192.0.2.0/24", 0);
    add(&b, RP_LIST_ALLOW, "2001:db8::/32", now_s);
    struct rp_list_entry entry = {
        .action = RP_LIST_DENY, .any_address = true, .path = RP_VIEW("/x")};
    assert_ok(rp_lists_add(b.builder, &entry));
    finish(&b);
    for (size_t i = 0; i < b.table.n; i++) {
        b.table.p[i] ^= 0x20;
        assert_err(rp_lists_check(b.table.p, b.table.n), CORRUPT);
        b.table.p[i] ^= 0x20;
        assert_err(rp_lists_check(b.table.p, i), CORRUPT);
    }
    assert_err(rp_lists_check(NULL, 0), CORRUPT);
    assert_ok(rp_lists_check(b.table.p, b.table.n));
    end(&b);
}

static void what_asks_for_nothing_or_too_much_is_refused(void **state) {
    (void)state;
    char long_text[RP_LIST_TEXT_MAX + 2] = "/";
    memset(long_text + 1, 'a', RP_LIST_TEXT_MAX);
    const struct rp_list_entry bad[] = {
        {.any_address = true},
        {.any_address = true, .path = RP_VIEW("admin")},
        {.any_address = true, .path = RP_VIEW("/a\nb")},
        {.any_address = true, .path = rp_view_from_cstr(long_text)},
        {.any_address = true, .method = RP_VIEW("GET POST")},
        {.any_address = true, .method = RP_VIEW("ABCDEFGHIJKLMNOPQ")},
        {.any_address = true, .header = RP_VIEW("User-Agent")},
        {.any_address = true, .value = RP_VIEW("x")},
        {.any_address = true, .header = RP_VIEW("User Agent"), .value = RP_VIEW("x")},
        {.network = {.bits = 129}},
        {.any_address = true, .path = RP_VIEW("/a"), .expires_s = -1}};
    struct built b = start(100);
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        struct rp_diag diag = {0};
        assert_err(rp_list_entry_check(&bad[i], &diag), INVALID);
        assert_true(diag.text[0] != 0);
        assert_err(rp_lists_add(b.builder, &bad[i]), INVALID);
    }
    end(&b);
}

static void more_than_a_table_takes_is_refused(void **state) {
    (void)state;
    struct built b = start(RP_LIST_RULES_MAX + 2);
    struct rp_list_entry rule = {
        .action = RP_LIST_DENY, .any_address = true, .path = RP_VIEW("/x")};
    for (size_t i = 0; i < RP_LIST_RULES_MAX; i++) {
        assert_ok(rp_lists_add(b.builder, &rule));
    }
    assert_err(rp_lists_add(b.builder, &rule), TOO_LARGE);
    add(&b, RP_LIST_DENY, "192.0.2.1", 0);
    add(&b, RP_LIST_DENY, "192.0.2.2", 0);
    struct rp_list_entry one = network(RP_LIST_DENY, "192.0.2.3", 0);
    assert_err(rp_lists_add(b.builder, &one), TOO_LARGE);
    end(&b);
}

static rp_err count(void *ctx, const struct rp_ip_net *net) {
    (void)net;
    ++*(size_t *)ctx;
    return RP_OK;
}

static void files_of_networks_are_read_as_people_keep_them(void **state) {
    (void)state;
    size_t n = 0;
    struct rp_diag diag = {0};
    rp_view good = RP_VIEW("# a list\n192.0.2.0/24\t# scanners\r\n\n  2001:db8::/32\n198.51.100.7");
    assert_ok(rp_list_lines(good, 3, count, &n, &diag));
    assert_int_equal(n, 3);
    assert_err(rp_list_lines(good, 2, count, &n, &diag), TOO_LARGE);
    assert_int_equal(diag.line, 5);
    assert_err(rp_list_lines(RP_VIEW("192.0.2.1\n192.0.2.1/24\n"), 9, count, &n, &diag), INVALID);
    assert_int_equal(diag.line, 2);
    assert_err(rp_list_lines(RP_VIEW("192.0.2.1 192.0.2.2"), 9, count, &n, &diag), INVALID);
    assert_err(rp_list_lines(RP_VIEW("example.com"), 9, count, &n, &diag), INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_says_nothing),
        cmocka_unit_test(networks_of_both_families_are_found_to_their_edges),
        cmocka_unit_test(an_allowed_address_wins_over_a_denied_network),
        cmocka_unit_test(what_ran_out_counts_no_more),
        cmocka_unit_test(all_that_an_entry_asks_for_must_match),
        cmocka_unit_test(a_table_says_what_the_list_says),
        cmocka_unit_test(one_altered_byte_is_no_table),
        cmocka_unit_test(what_asks_for_nothing_or_too_much_is_refused),
        cmocka_unit_test(more_than_a_table_takes_is_refused),
        cmocka_unit_test(files_of_networks_are_read_as_people_keep_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
