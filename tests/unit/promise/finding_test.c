/* finding_test.c — what a probe saw, in French and in English. */
#include <stdio.h>

#include "promise/finding.h"
#include "promise/runner_io.h"
#include "unit.h"

static const struct {
    const char *english, *french;
} findings[] = {
#define RP_FRENCH(english, french) {english, french},
#include "base/findings.def"
#undef RP_FRENCH
};
enum { FINDINGS = sizeof findings / sizeof findings[0] };

#define assert_says(seen, en, fr)                                                                  \
    do {                                                                                           \
        assert_string_equal((seen).detail[RP_EN], en);                                             \
        assert_string_equal((seen).detail[RP_FR], fr);                                             \
    } while (0)

static void a_finding_is_said_in_both_languages(void **state) {
    (void)state;
    struct rp_observation seen = {.verdict = RP_VERDICT_NONE};
    rp_probe_unsure(&seen, "a canary could not sign in (status %ld)", 503L);
    assert_int_equal(seen.verdict, RP_VERDICT_UNSURE);
    assert_says(seen, "a canary could not sign in (status 503)",
                "un compte témoin n’a pas pu se connecter (statut 503)");
    rp_probe_broken(&seen, "port %u does not answer", 8443u);
    assert_says(seen, "port 8443 does not answer", "le port 8443 ne répond pas");
    rp_probe_holds(&seen, "an update and a delete stood in the customer's log after %.1f s at most",
                   2.5);
    assert_says(seen, "an update and a delete stood in the customer's log after 2.5 s at most",
                "une modification et une suppression figuraient au journal du client après 2,5 s "
                "au plus");
}

static void words_and_errors_are_translated_names_are_not(void **state) {
    (void)state;
    struct rp_observation seen = {.verdict = RP_VERDICT_NONE};
    rp_probe_broken(&seen, "%s was accepted (%s)", "a weak cipher suite", "TLS_RSA_WITH_NULL_MD5");
    assert_says(seen, "a weak cipher suite was accepted (TLS_RSA_WITH_NULL_MD5)",
                "une suite de chiffrement faible\u00a0: accepté (TLS_RSA_WITH_NULL_MD5)");
    rp_err err = RP_ERR(NO_MEMORY);
    rp_probe_unsure(&seen, "the log cannot be read: %s", rp_err_text(err, RP_EN));
    char french[RP_FINDING_MAX];
    snprintf(french, sizeof french, "le journal est illisible\u00a0: %s", rp_err_text(err, RP_FR));
    assert_string_equal(seen.detail[RP_FR], french);
    /* A view is not ended by a zero, and is somebody's name even where it reads as words. */
    rp_probe_broken(&seen, "the digest of %.*s is not known", 4, "user and more");
    assert_says(seen, "the digest of user is not known", "l’empreinte de user n’est pas connue");
}

static void the_texts_of_errors_are_among_the_words(void **state) {
    (void)state;
    for (int code = 1; code < RP_E_COUNT; code++) {
        rp_err err = {code};
        assert_string_equal(rp_french(rp_err_text(err, RP_EN)), rp_err_text(err, RP_FR));
    }
}

static void a_number_decides_the_form_behind_it(void **state) {
    (void)state;
    struct rp_observation seen = {.verdict = RP_VERDICT_NONE};
    rp_probe_unsure(&seen, "{no|some} %d {thing|things}, %zu {thing|things}, %lld {thing|things}",
                    -2, (size_t)1, 0LL);
    assert_says(seen, "some -2 things, 1 thing, 0 things", "some -2 things, 1 thing, 0 thing");
    rp_probe_broken(&seen, "%zu sealed rows stand in two places", (size_t)1);
    assert_string_equal(seen.detail[RP_FR], "1 ligne scellée figure à deux endroits");
    rp_probe_broken(&seen, "%zu sealed rows stand in two places", (size_t)3);
    assert_string_equal(seen.detail[RP_FR], "3 lignes scellées figurent à deux endroits");
}

static void a_finding_is_bounded(void **state) {
    (void)state;
    struct rp_observation seen = {.verdict = RP_VERDICT_NONE};
    char room[RP_FINDING_MAX + 1];
    memset(room, 'x', sizeof room);
    room[RP_FINDING_MAX - 1] = 0;
    rp_probe_broken(&seen, "%s", room);
    assert_string_equal(seen.detail[RP_EN], room);
    room[RP_FINDING_MAX - 1] = 'x';
    room[RP_FINDING_MAX] = 0;
    rp_probe_broken(&seen, "%s%%", room);
    for (int lang = 0; lang < RP_LANG_COUNT; lang++) {
        assert_int_equal(strlen(seen.detail[lang]), RP_FINDING_MAX - 1);
        assert_string_equal(seen.detail[lang] + RP_FINDING_MAX - 1 - strlen("x…"), "x…");
    }
    memcpy(room + RP_FINDING_MAX - strlen("…") - 2, "é", 2); /* of which the half has room */
    rp_probe_broken(&seen, "%s", room);
    assert_string_equal(seen.detail[RP_EN] + RP_FINDING_MAX - 2 - strlen("x…"), "x…");
}

/* The letter of each conversion, in order. */
static void letters_of(const char *text, char out[static 32]) {
    size_t n = 0;
    for (; (text = strchr(text, '%')); text++) {
        text += 1 + strspn(text + 1, ".*0123456789lz");
        assert_non_null(strchr("sduf%", *text));
        assert_in_range(n, 0, 30);
        out[n++] = *text;
    }
    out[n] = 0;
}

static void no_finding_has_a_value_or_a_form_that_cannot_be_printed(void **state) {
    (void)state;
    for (size_t i = 0; i < FINDINGS; i++) {
        char letters[32];
        letters_of(findings[i].french, letters);
        for (const char *at = findings[i].french; (at = strchr(at, '{')); at++) {
            size_t one = strcspn(at, "|"), end = strcspn(at, "}");
            assert_in_range(one, 1, end - 1);
            assert_null(memchr(at, '%', end));
            /* It needs a number before it. */
            assert_true(strcspn(findings[i].french, "%") < (size_t)(at - findings[i].french));
        }
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(findings[i].english, findings[other].english);
        }
    }
}

/* The catalogue of roles says its acts in both languages where they are decided. */
static void acts_are_said_as_the_policy_says_them(void **state) {
    (void)state;
    static const char *const acts[][RP_LANG_COUNT] = {
#define RP_RULE(ACTION, fr, en, who, acr, own) {[RP_FR] = fr, [RP_EN] = en},
#include "policy/policy.def"
#undef RP_RULE
    };
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        assert_string_equal(rp_french(acts[i][RP_EN]), acts[i][RP_FR]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_is_said_in_both_languages),
        cmocka_unit_test(words_and_errors_are_translated_names_are_not),
        cmocka_unit_test(the_texts_of_errors_are_among_the_words),
        cmocka_unit_test(a_number_decides_the_form_behind_it),
        cmocka_unit_test(a_finding_is_bounded),
        cmocka_unit_test(no_finding_has_a_value_or_a_form_that_cannot_be_printed),
        cmocka_unit_test(acts_are_said_as_the_policy_says_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
