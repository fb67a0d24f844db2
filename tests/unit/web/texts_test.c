/* texts_test.c — which language a reader gets, and that both say something everywhere. */
#include "unit.h"

#include "web/texts.h"

static void accept_language_is_weighed(void **state) {
    (void)state;
    static const struct {
        rp_view header;
        enum rp_lang lang;
    } cases[] = {{RP_VIEW_INIT("fr"), RP_FR},
                 {RP_VIEW_INIT("en-GB"), RP_EN},
                 {RP_VIEW_INIT("de, en;q=0.5, fr;q=0.6"), RP_FR},
                 {RP_VIEW_INIT("fr;q=0.2,en;q=0.9"), RP_EN},
                 {RP_VIEW_INIT("FR-ca;q=1.0 , en"), RP_FR},
                 {RP_VIEW_INIT("en;q=0"), RP_FR},
                 {RP_VIEW_INIT("en;q=banana"), RP_FR},
                 {RP_VIEW_INIT("en;q=0.0001, fr;q=0.001"), RP_FR},
                 {RP_VIEW_INIT(";;;,,,="), RP_FR},
                 {RP_VIEW_INIT(""), RP_FR},
                 {RP_VIEW_INIT("english"), RP_FR},
                 {RP_VIEW_INIT("*"), RP_FR}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(rp_lang_accept(cases[i].header, RP_FR), cases[i].lang);
    }
    assert_int_equal(rp_lang_accept(RP_VIEW("de"), RP_EN), RP_EN);
}

static void only_two_languages_parse(void **state) {
    (void)state;
    enum rp_lang lang = RP_LANG_COUNT;
    assert_false(rp_lang_parse(RP_VIEW("FR"), &lang));
    assert_false(rp_lang_parse(RP_VIEW("fra"), &lang));
    assert_false(rp_lang_parse((rp_view){NULL, 0}, &lang));
    assert_int_equal(lang, RP_LANG_COUNT);
    assert_true(rp_lang_parse(RP_VIEW("en"), &lang));
    assert_int_equal(lang, RP_EN);
}

static size_t count_places(rp_view text) {
    size_t n = 0;
    for (size_t at; (at = rp_view_find(text, RP_VIEW("{}"))) < text.n; n++) {
        text = rp_view_from(text, at + 2);
    }
    return n;
}

static void both_languages_say_the_same_shape(void **state) {
    (void)state;
    for (int key = 0; key < RP_TEXT_COUNT; key++) {
        rp_view fr = rp_text(RP_FR, (enum rp_text_key)key),
                en = rp_text(RP_EN, (enum rp_text_key)key);
        assert_true(fr.n > 0 && en.n > 0);
        assert_int_equal(count_places(fr), count_places(en));
    }
}

static void arguments_are_escaped(void **state) {
    (void)state;
    struct rp_buf out = rp_buf_new(1000);
    const struct rp_text_arg args[] = {{.is_number = true, .number = 12},
                                       {.is_number = true, .number = 165}};
    rp_text_print(&out, RP_EN, RP_TEXT_trust_count, args, 2);
    assert_view(rp_buf_view(&out), "12 of 165 promises proven");
    rp_buf_clear(&out);
    const struct rp_text_arg html[] = {{.text = RP_VIEW("<b>{}")}};
    rp_text_print(&out, RP_EN, RP_TEXT_trust_operator, html, 1);
    assert_view(rp_buf_view(&out), "Operator: &lt;b&gt;{}");
    rp_buf_done(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(accept_language_is_weighed),
                                       cmocka_unit_test(only_two_languages_parse),
                                       cmocka_unit_test(both_languages_say_the_same_shape),
                                       cmocka_unit_test(arguments_are_escaped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
