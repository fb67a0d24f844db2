/* Notes, path shapes, samples and exclusions: what learning stands on. */
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "shield/exclusions.h"
#include "shield/notes.h"
#include "shield/path_shape.h"
#include "shield/sample.h"
#include "unit.h"

static const uint8_t salt[RP_NOTES_SALT] = "sixteen bytes...";
static const int64_t now_ms = 1700000000000;

static void addresses_of_one_kind_have_one_shape(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"/", "/"},
        {"/doku.php", "/doku.php"},
        {"/orders/17/lines/", "/orders/*/lines/"},
        {"/u/3f2504e0-4f89-41d3-9a0c-0305e82c3301", "/u/*"},
        {"/blob/deadbeefdeadbeef0", "/blob/*"},
        {"/cafe/babe", "/cafe/babe"},
        {"/a b/c", "/*/c"},
        {"/caf\xc3\xa9", "/*"},
        {"//x", "//x"},
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        uint8_t shape[RP_PATH_SHAPE_MAX];
        size_t n = 0;
        assert_true(rp_path_shape(rp_view_from_cstr(rows[i][0]), shape, &n));
        assert_view_equal(rp_view_of(shape, n), rp_view_from_cstr(rows[i][1]));
        assert_true(rp_path_shape_is_good(rp_view_of(shape, n)));
        assert_true(rp_path_shape_fits(rp_view_of(shape, n), rp_view_from_cstr(rows[i][0])));
    }
    uint8_t shape[RP_PATH_SHAPE_MAX];
    size_t n = 0;
    char longer[200] = "/";
    memset(longer + 1, 'x', sizeof longer - 1);
    assert_false(rp_path_shape(RP_VIEW(""), shape, &n));
    assert_false(rp_path_shape(RP_VIEW("a/b"), shape, &n));
    assert_false(rp_path_shape(rp_view_of(longer, sizeof longer), shape, &n));
}

static void a_shape_fits_its_own_places_only(void **state) {
    (void)state;
    rp_view shape = RP_VIEW("/orders/*/lines");
    assert_true(rp_path_shape_fits(shape, RP_VIEW("/orders/abc/lines")));
    assert_false(rp_path_shape_fits(shape, RP_VIEW("/orders//lines")));
    assert_false(rp_path_shape_fits(shape, RP_VIEW("/orders/1/lines/2")));
    assert_false(rp_path_shape_fits(shape, RP_VIEW("/orders/1")));
    assert_false(rp_path_shape_fits(shape, RP_VIEW("/Orders/1/lines")));
    assert_false(rp_path_shape_fits(RP_VIEW("/a"), RP_VIEW("/a/")));
    assert_false(rp_path_shape_is_good(RP_VIEW("/a b")));
    assert_false(rp_path_shape_is_good(RP_VIEW("/a*")));
    assert_false(rp_path_shape_is_good(RP_VIEW("")));
}

static void a_sample_says_as_much_as_its_label_allows(void **state) {
    (void)state;
    static const struct {
        enum rp_sample_label label;
        const char *value, *shown;
    } rows[] = {
        {RP_SAMPLE_INTERNAL, "Zo\xc3\xab' OR 1=1", "Zo?\?' OR 1=1"},
        {RP_SAMPLE_PERSONAL, "Zo\xc3\xab' OR 17=17 --", "aaaa' aa 99=99 --"},
        {RP_SAMPLE_SENSITIVE, "secret", "(6)"},
        {RP_SAMPLE_PUBLIC, "a\x1b[31m", "a?[31m"},
        {RP_SAMPLE_PERSONAL, "123456789012345678901234567890123456789012345678901",
         "999999999999999999999999999999999999999999999999... (51)"},
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        uint8_t out[RP_SAMPLE_MAX];
        size_t n = rp_sample(rp_view_from_cstr(rows[i].value), rows[i].label, out);
        assert_view_equal(rp_view_of(out, n), rp_view_from_cstr(rows[i].shown));
    }
    assert_int_equal(rp_sample_label_named(RP_VIEW("sensitive")), RP_SAMPLE_SENSITIVE);
    assert_int_equal(rp_sample_label_named(RP_VIEW("secret")), RP_SAMPLE_LABEL_COUNT);
}

static void *new_table(void) {
    void *table = calloc(1, rp_notes_bytes());
    assert_non_null(table);
    rp_notes_init(table, salt);
    assert_ok(rp_notes_check(table, rp_notes_bytes()));
    return table;
}

static rp_id id_of(unsigned n) {
    rp_id id = {{(uint8_t)n, (uint8_t)(n >> 8), 1}};
    return id;
}

static struct rp_note_seen alarm_at(rp_view path, unsigned person, unsigned organisation) {
    return (struct rp_note_seen){.rule = 942100,
                                 .app = RP_VIEW("shop"),
                                 .name = RP_VIEW("ARGS:q"),
                                 .path = path,
                                 .sample = RP_VIEW("aaaa' aa"),
                                 .person = id_of(person),
                                 .organisation = id_of(1000 + organisation),
                                 .now_ms = now_ms + person};
}

static size_t read_all(const void *table, struct rp_note *out, size_t max) {
    size_t n = 0;
    for (size_t i = 0; i < RP_NOTES_ALARMS; i++) {
        struct rp_note note;
        if (rp_notes_get(table, i, now_ms + 1000, &note)) {
            assert_true(n < max);
            out[n++] = note;
        }
    }
    return n;
}

static void people_are_counted_once_and_named_never(void **state) {
    (void)state;
    void *table = new_table();
    struct rp_note note;
    for (unsigned i = 0; i < 20; i++) {
        struct rp_note_seen seen = alarm_at(RP_VIEW("/x"), i % 4, i % 2);
        rp_notes_see(table, &seen);
    }
    assert_int_equal(read_all(table, &note, 1), 1);
    assert_int_equal(note.count, 20);
    assert_int_equal(note.people, 4);
    assert_int_equal(note.organisations, 2);
    assert_int_equal(note.first_ms, now_ms);
    assert_view(rp_note_name(&note), "ARGS:q");
    assert_view(rp_note_sample(&note), "aaaa' aa");
    assert_int_not_equal(note.key, 0);
    rp_id person = id_of(0);
    assert_int_equal(
        rp_view_find(rp_view_of(table, rp_notes_bytes()), rp_view_of(person.b, sizeof person.b)),
        rp_notes_bytes());
    free(table);
}

/*= S58 type=test */
static void one_person_alone_fills_no_table(void **state) {
    (void)state;
    void *table = new_table();
    static struct rp_note notes[RP_NOTES_ALARMS];
    char path[32];
    for (unsigned i = 0; i < 2000; i++) {
        int n = snprintf(path, sizeof path, "/p%c%u", 'a', i);
        struct rp_note_seen seen = alarm_at(rp_view_of(path, (size_t)n), 7, 0);
        rp_notes_see(table, &seen);
    }
    assert_int_equal(read_all(table, notes, RP_NOTES_ALARMS), RP_NOTES_ALONE_MAX);
    assert_int_equal(rp_notes_lost(table), 2000 - RP_NOTES_ALONE_MAX);
    struct rp_note_seen other = alarm_at(RP_VIEW("/honest"), 8, 1);
    rp_notes_see(table, &other); /* another person's word still counts */
    assert_int_equal(read_all(table, notes, RP_NOTES_ALARMS), RP_NOTES_ALONE_MAX + 1);
    free(table);
}

static void workers_notes_are_one(void **state) {
    (void)state;
    void *a = new_table(), *b = new_table();
    struct rp_note first, second;
    struct rp_note_seen seen = alarm_at(RP_VIEW("/x"), 1, 1);
    rp_notes_see(a, &seen);
    rp_notes_see(b, &seen);
    seen = alarm_at(RP_VIEW("/x"), 2, 1);
    seen.sample = RP_VIEW("later");
    rp_notes_see(b, &seen);
    assert_int_equal(read_all(a, &first, 1), 1);
    assert_int_equal(read_all(b, &second, 1), 1);
    rp_note_merge(&first, &second);
    assert_int_equal(first.count, 3);
    assert_int_equal(first.people, 2);
    assert_int_equal(first.organisations, 1);
    assert_view(rp_note_sample(&first), "later");
    free(a);
    free(b);
}

static void damaged_notes_are_none(void **state) {
    (void)state;
    uint8_t *table = new_table();
    struct rp_note_seen seen = alarm_at(RP_VIEW("/x"), 1, 1);
    rp_notes_see(table, &seen);
    struct rp_note *notes = (struct rp_note *)(void *)(table + 64), note;
    for (size_t i = 0; i < RP_NOTES_ALARMS; i++) {
        notes[i].path_len = 200;
    }
    assert_int_equal(read_all(table, &note, 1), 0);
    table[4] ^= 1;
    assert_err(rp_notes_check(table, rp_notes_bytes()), CORRUPT);
    assert_err(rp_notes_check(table, 100), CORRUPT);
    free(table);
}

static void tallies_are_by_rule_and_day(void **state) {
    (void)state;
    void *table = new_table();
    const struct rp_note_tally one = {.rule = 942100, .day = 20000, .matches = 1, .blocks = 1};
    const struct rp_note_tally next = {.rule = 942100, .day = 20001, .matches = 1, .steps = 64};
    rp_notes_tally(table, &one);
    rp_notes_tally(table, &one);
    rp_notes_tally(table, &next);
    unsigned seen = 0;
    for (size_t i = 0; i < RP_NOTES_TALLIES; i++) {
        struct rp_note_tally tally;
        if (rp_notes_get_tally(table, i, &tally)) {
            seen++;
            assert_int_equal(tally.matches, tally.day == 20000 ? 2 : 1);
            assert_int_equal(tally.blocks, tally.day == 20000 ? 2 : 0);
            assert_int_equal(tally.steps, tally.day == 20000 ? 0 : 64);
        }
    }
    assert_int_equal(seen, 2);
    free(table);
}

static void exclusions_hold_where_they_say(void **state) {
    (void)state;
    static struct rp_exclusion_table table;
    const struct rp_exclusion good = {942100, RP_VIEW("shop"), RP_VIEW("ARGS:q"),
                                      RP_VIEW("/orders/*")};
    const struct rp_exclusion whole = {941100, RP_VIEW("shop"), RP_VIEW(""), RP_VIEW("/orders/*")};
    rp_exclusions_init(&table);
    assert_ok(rp_exclusions_add(&table, &good));
    assert_ok(rp_exclusions_add(&table, &whole));
    rp_exclusions_seal(&table);
    assert_ok(rp_exclusions_check(&table, sizeof table));
    struct rp_arena *arena = rp_arena_new(4096);
    const struct rp_waf_ctl *ctls = NULL;
    size_t count = 0;
    assert_ok(
        rp_exclusions_for(&table, RP_VIEW("shop"), RP_VIEW("/orders/17"), arena, &ctls, &count));
    assert_int_equal(count, 2);
    assert_int_equal(ctls[0].kind, RP_CTL_RULE_REMOVE_TARGET_BY_ID);
    assert_int_equal(ctls[0].target.variable, RP_VAR_ARGS);
    assert_view(ctls[0].target.selector, "q");
    assert_int_equal(ctls[1].kind, RP_CTL_RULE_REMOVE_BY_ID);
    assert_int_equal(ctls[1].id_first, 941100);
    static const char *const elsewhere[][2] = {{"shop", "/"}, {"blog", "/orders/17"}};
    for (size_t i = 0; i < RP_COUNT_OF(elsewhere); i++) {
        assert_ok(rp_exclusions_for(&table, rp_view_from_cstr(elsewhere[i][0]),
                                    rp_view_from_cstr(elsewhere[i][1]), arena, &ctls, &count));
        assert_int_equal(count, 0);
    }
    rp_arena_free(arena);
    table.rows[0].rule++;
    assert_err(rp_exclusions_check(&table, sizeof table), CORRUPT);
}

static void what_cannot_be_applied_is_no_exclusion(void **state) {
    (void)state;
    const struct rp_exclusion bad[] = {
        {0, RP_VIEW("shop"), RP_VIEW("ARGS:q"), RP_VIEW("/")},
        {1, RP_VIEW(""), RP_VIEW("ARGS:q"), RP_VIEW("/")},
        {1, RP_VIEW("shop"), RP_VIEW("ARGZ:q"), RP_VIEW("/")},
        {1, RP_VIEW("shop"), RP_VIEW("ARGS:"), RP_VIEW("/")},
        {1, RP_VIEW("shop"), RP_VIEW("REQUEST_METHOD:x"), RP_VIEW("/")},
        {1, RP_VIEW("shop"), RP_VIEW("ARGS:q"), RP_VIEW("orders")},
        {1, RP_VIEW("shop"), RP_VIEW("ARGS:q"), RP_VIEW("/a b")},
    };
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        struct rp_diag diag = {0};
        assert_err(rp_exclusion_check(&bad[i], &diag), INVALID);
        assert_true(strlen(diag.text) > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_one_kind_have_one_shape),
        cmocka_unit_test(a_shape_fits_its_own_places_only),
        cmocka_unit_test(a_sample_says_as_much_as_its_label_allows),
        cmocka_unit_test(people_are_counted_once_and_named_never),
        cmocka_unit_test(one_person_alone_fills_no_table),
        cmocka_unit_test(workers_notes_are_one),
        cmocka_unit_test(damaged_notes_are_none),
        cmocka_unit_test(tallies_are_by_rule_and_day),
        cmocka_unit_test(exclusions_hold_where_they_say),
        cmocka_unit_test(what_cannot_be_applied_is_no_exclusion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
