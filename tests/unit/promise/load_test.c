#include <stdio.h>

#include "os/file.h"
#include "promise/promise.h"
#include "unit.h"

static const char sections[] = "sections:\n  - id: web\n    title: {fr: \"Toile\", en: \"Web\"}\n";
static const char good[] = "id: one\nsection: web\nsentences:\n  S73: {fr: \"a\", en: "
                           "\"b\"}\nenforced_by: {fr: \"a\", en: \"b\"}\n"
                           "parts:\n  - id: p1\n    probe: tls.versions\n    grade: A\n    period: "
                           "30s\n    validity: 90s\n"
                           "    shows: {fr: \"a\", en: \"b\"}\n  - id: p2\n    probe: "
                           "nowhere.yet\n    grade: D\n    period: 1d\n"
                           "    validity: 90d\n    shows: {fr: \"a\", en: \"b\"}\n";

static void put(const char *folder, const char *name, const char *text) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(rp_file_create(path, 0644, rp_view_from_cstr(text)));
}

static void a_folder_becomes_promises(void **state) {
    (void)state;
    char *folder = unit_dir_new();
    put(folder, "sections.yaml", sections);
    put(folder, "073-one.yaml", good);
    struct rp_arena *arena = rp_arena_new(1 << 22);
    struct rp_promises promises;
    struct rp_diag diag = {0};
    assert_ok(rp_promises_load(folder, arena, &promises, &diag));
    assert_int_equal(promises.count, 1);
    assert_int_equal(promises.sentence_count, 1);
    assert_int_equal(promises.promises[0].sentences[0].number, 73);
    assert_true(promises.promises[0].parts[0].probe_index >= 0);
    assert_int_equal(promises.promises[0].parts[0].validity_ms, 90000);
    assert_int_equal(promises.promises[0].parts[1].probe_index, -1);
    assert_null(promises.promises[0].not_met.s[0]);
    rp_arena_free(arena);
    unit_dir_remove(folder);
}

/* Each wrong file is refused, and the message names it. */
static void mistakes_are_named(void **state) {
    (void)state;
    static const char *const bad[] = {
        "id: two\n",
        "id: two\nsection: nowhere\n",
        "id: two\nsection: web\nsentences:\n  S179: {fr: \"a\", en: \"b\"}\n",
        "id: two\nsection: web\nsentences:\n  S73: {fr: \"a\", en: \"b\"}\n",
        "id: two\nsection: web\nsentences:\n  S74: {fr: \"a\"}\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *folder = unit_dir_new();
        put(folder, "sections.yaml", sections);
        put(folder, "073-one.yaml", good);
        put(folder, "074-two.yaml", bad[i]);
        struct rp_arena *arena = rp_arena_new(1 << 22);
        struct rp_promises promises;
        struct rp_diag diag = {0};
        assert_err(rp_promises_load(folder, arena, &promises, &diag), SYNTAX);
        assert_true(rp_view_find(rp_view_from_cstr(diag.text), RP_VIEW("074-two.yaml")) <
                    strlen(diag.text));
        rp_arena_free(arena);
        unit_dir_remove(folder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_becomes_promises),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
