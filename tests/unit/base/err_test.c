#include <errno.h>

#include "base/err.h"
#include "unit.h"

static rp_err passes_on(rp_err err) {
    RP_TRY(err);
    return RP_ERR(INVALID);
}

static void every_error_speaks_both_languages(void **state) {
    (void)state;
    for (int32_t code = 1; code < RP_E_COUNT; code++) {
        rp_err err = {code};
        assert_true(rp_err_text(err, RP_FR)[0] != 0);
        assert_true(rp_err_text(err, RP_EN)[0] != 0);
        assert_in_range(rp_err_http(err), 400, 599);
    }
}

static void try_hands_on(void **state) {
    (void)state;
    assert_err(passes_on(RP_OK), INVALID);
    assert_err(passes_on(RP_ERR(DENIED)), DENIED);
}

static void errno_becomes_an_error(void **state) {
    (void)state;
    assert_ok(rp_err_from_errno(0));
    assert_err(rp_err_from_errno(ENOSPC), NO_SPACE);
    assert_err(rp_err_from_errno(EADDRINUSE), BUSY);
    assert_err(rp_err_from_errno(EISDIR), IS_FOLDER);
    assert_err(rp_err_from_errno(ENOTDIR), NOT_FOUND);
    assert_err(rp_err_from_errno(ENOTTY), SYSTEM);
}

static void detail_is_bounded(void **state) {
    (void)state;
    struct rp_diag diag = {0};
    assert_err(rp_fail_at(&diag, RP_ERR(SYNTAX), 3, 9, "expected %s", "a number"), SYNTAX);
    assert_string_equal(diag.text, "expected a number");
    assert_int_equal(diag.line, 3);
    assert_int_equal(diag.column, 9);
    assert_err(rp_fail(&diag, RP_ERR(SYNTAX), "%0500d", 0), SYNTAX);
    assert_true(rp_view_ends(rp_view_from_cstr(diag.text), RP_VIEW("…")));
    assert_err(rp_fail(NULL, RP_ERR(SYNTAX), "nobody listens"), SYNTAX);
}

/* The conversions of a format, in their order: "%.*s %zu" is "*s z". */
static void conversions(const char *text, char out[static 64]) {
    size_t n = 0;
    for (; *text; text++) {
        if (*text != '%') {
            continue;
        }
        for (text++; strchr(".*0123456789zl", *text); text++) {
            out[n++] = *text;
        }
        out[n++] = *text;
        assert_in_range(n, 0, 60);
    }
    out[n] = 0;
}

static void french_says_the_same_with_the_same_values(void **state) {
    (void)state;
    static const struct {
        const char *english, *french;
    } texts[] = {
#define RP_FRENCH(english, french) {english, french},
#include "base/findings.def"
#include "base/french.def"
#include "base/french_tools.def"
#undef RP_FRENCH
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char english[64], french[64];
        conversions(texts[i].english, english);
        conversions(texts[i].french, french);
        assert_string_equal(english, french);
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(texts[i].english, texts[other].english);
        }
    }
}

static void a_detail_speaks_the_language_of_its_reader(void **state) {
    (void)state;
    struct rp_diag diag = {.french = true};
    assert_err(rp_fail(&diag, RP_ERR(INVALID), "days: 1 to %d", 90), INVALID);
    assert_string_equal(diag.text, "days\u00a0: de 1 à 90");
    rp_ignore(rp_fail(&diag, RP_ERR(INVALID), "a text without its French: %d", 7));
    assert_string_equal(diag.text, "a text without its French: 7");
    rp_diag_clear(&diag);
    assert_true(diag.french);
    assert_int_equal(diag.text[0], 0);
    assert_string_equal(rp_diag_say(&diag, "a value"), "une valeur");
    diag.french = false;
    rp_ignore(rp_fail(&diag, RP_ERR(INVALID), "days: 1 to %d", 90));
    assert_string_equal(diag.text, "days: 1 to 90");
    assert_string_equal(rp_diag_say(NULL, "a value"), "a value");
}

static void two_readers_are_told_each_in_their_language(void **state) {
    (void)state;
    struct rp_diag french = {.french = true}, diag = {.also = &french};
    assert_err(rp_fail_at(&diag, RP_ERR(INVALID), 3, 4, "days: 1 to %d", 90), INVALID);
    assert_string_equal(diag.text, "days: 1 to 90");
    assert_string_equal(french.text, "days\u00a0: de 1 à 90");
    assert_int_equal(french.line, 3);
    assert_int_equal(french.column, 4);
    rp_diag_clear(&diag);
    rp_ignore(rp_fail(&diag, RP_ERR(INVALID), "a value"));
    assert_string_equal(french.text, "une valeur");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_speaks_both_languages),
        cmocka_unit_test(try_hands_on),
        cmocka_unit_test(errno_becomes_an_error),
        cmocka_unit_test(detail_is_bounded),
        cmocka_unit_test(french_says_the_same_with_the_same_values),
        cmocka_unit_test(two_readers_are_told_each_in_their_language),
        cmocka_unit_test(a_detail_speaks_the_language_of_its_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
