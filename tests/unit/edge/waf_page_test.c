#include "unit.h"

#include "judge/waf_page.h"
#include "wire/json.h"

static const char incident[] = "0123456789abcdef0123456789abcdef";

/*= S58 type=test */
static void every_refusal_says_what_why_and_the_number_in_both_languages(void **state) {
    (void)state;
    for (enum judge_waf_refusal refusal = 0; refusal < JUDGE_WAF_REFUSAL_COUNT; refusal++) {
        struct rp_buf pages[RP_LANG_COUNT];
        for (enum rp_lang lang = 0; lang < RP_LANG_COUNT; lang++) {
            pages[lang] = rp_buf_new(JUDGE_WAF_PAGE_MAX);
            judge_waf_page_html(&pages[lang], refusal, lang, 403, rp_view_from_cstr(incident));
            rp_view page = rp_buf_view(&pages[lang]);
            assert_ok(rp_buf_err(&pages[lang]));
            assert_true(rp_view_find(page, rp_view_from_cstr(incident)) < page.n);
            rp_view tag =
                lang == RP_FR ? RP_VIEW("<html lang=\"fr\">") : RP_VIEW("<html lang=\"en\">");
            assert_true(rp_view_find(page, tag) < page.n);
        }
        assert_false(rp_view_equal(rp_buf_view(&pages[RP_FR]), rp_buf_view(&pages[RP_EN])));
        rp_buf_done(&pages[RP_FR]);
        rp_buf_done(&pages[RP_EN]);
    }
}

/* The texts go into JSON as they are: a parser must find nothing to complain about. */
static void every_refusal_is_a_problem_document(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    assert_non_null(arena);
    for (enum judge_waf_refusal refusal = 0; refusal < JUDGE_WAF_REFUSAL_COUNT; refusal++) {
        for (enum rp_lang lang = 0; lang < RP_LANG_COUNT; lang++) {
            struct rp_buf text = rp_buf_new(JUDGE_WAF_PAGE_MAX);
            judge_waf_page_json(&text, refusal, lang, 413, rp_view_from_cstr(incident));
            struct rp_json *root = NULL;
            assert_ok(rp_json_parse(rp_buf_view(&text), RP_JSON_LIMITS, arena, &root, NULL));
            rp_buf_done(&text);
        }
    }
    rp_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_says_what_why_and_the_number_in_both_languages),
        cmocka_unit_test(every_refusal_is_a_problem_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
