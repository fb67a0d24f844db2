/* Baits are recognised, and how; honest names are let pass. */
#include "lookalike/judge.h"

#include "base/checked.h"
#include "unit.h"

struct watch {
    struct rp_arena *arena;
    struct rp_watched watched;
};

static int start(void **state) {
    static struct watch watch;
    watch.arena = rp_arena_new(1 << 20);
    assert_ok(rp_watched_new(watch.arena, 8, 8, &watch.watched));
    static const char *const ours[] = {"exemple.fr", "app.moncoffre.com", "port-bank.eu",
                                       "api.exemple.fr"};
    for (size_t i = 0; i < RP_COUNT_OF(ours); i++) {
        assert_ok(rp_watched_add(&watch.watched, rp_view_from_cstr(ours[i]), false));
    }
    assert_ok(rp_watched_add_honest(&watch.watched, RP_VIEW("partner.example")));
    *state = &watch;
    return 0;
}

static int end(void **state) {
    const struct watch *watch = *state;
    rp_arena_free(watch->arena);
    return 0;
}

static struct rp_lookalike judge(const struct watch *watch, const char *name,
                                 struct rp_domain *domain) {
    rp_err err = rp_domain_parse(rp_view_from_cstr(name), domain);
    if (!rp_ok(err)) {
        fail_msg("%s: no name", name);
    }
    return rp_lookalike_judge(&watch->watched, domain);
}

/*= S176 type=test */
static void test_baits(void **state) {
    static const struct {
        enum rp_lookalike_kind kind;
        const char *name;
    } baits[] = {
#define BAIT(kind, name) {RP_LOOKALIKE_##kind, name},
#include "baits.def"
#undef BAIT
    };
    size_t missed = 0;
    for (size_t i = 0; i < RP_COUNT_OF(baits); i++) {
        struct rp_domain domain;
        struct rp_lookalike found = judge(*state, baits[i].name, &domain);
        if (found.kind != baits[i].kind) {
            print_message("# %s: %s, not %s\n", baits[i].name, rp_lookalike_name(found.kind),
                          rp_lookalike_name(baits[i].kind));
            missed++;
        }
    }
    assert_int_equal(missed, 0);
    assert_true(RP_COUNT_OF(baits) > 100);
}

/*= S176 type=test */
static void test_honest(void **state) {
    static const char *const honest[] = {
#define HONEST(name) name,
#include "honest.def"
#undef HONEST
    };
    size_t alarms = 0;
    for (size_t i = 0; i < RP_COUNT_OF(honest); i++) {
        struct rp_domain domain;
        struct rp_lookalike found = judge(*state, honest[i], &domain);
        if (found.kind != RP_LOOKALIKE_NONE) {
            print_message("# %s: %s of %s\n", honest[i], rp_lookalike_name(found.kind), found.own);
            alarms++;
        }
    }
    assert_int_equal(alarms, 0);
    assert_true(RP_COUNT_OF(honest) >= 200);
}

static void test_what_was_sold(void **state) {
    struct rp_domain domain;
    struct rp_lookalike found = judge(*state, "mail.a.exempel.co.uk", &domain);
    assert_view(found.part, "exempel.co.uk");
    assert_string_equal(found.own, "exemple.fr");
    found = judge(*state, "x7.www.moncoffre.com.evil.top", &domain);
    assert_view(found.part, "moncoffre.com.evil.top");
    assert_string_equal(found.own, "moncoffre.com");
}

/* The shorter our name, the less is an alarm. */
static void test_short_names(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum rp_lookalike_kind kind;
    } cases[] = {
        {"sfs.fr", RP_LOOKALIKE_NONE},
        {"sfr.com", RP_LOOKALIKE_NONE},
        {"sfr-login.com", RP_LOOKALIKE_WORD},
        {"sfrlogin.com", RP_LOOKALIKE_NONE},
        {"ѕfr.fr", RP_LOOKALIKE_HOMOGLYPH},
        {"sfr.evil.top", RP_LOOKALIKE_NONE},
        {"sfr.fr.evil.top", RP_LOOKALIKE_SUBDOMAIN},
    };
    struct rp_arena *arena = rp_arena_new(1 << 16);
    struct rp_watched watched;
    assert_ok(rp_watched_new(arena, 1, 1, &watched));
    assert_ok(rp_watched_add(&watched, RP_VIEW("sfr.fr"), true));
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        struct rp_domain domain;
        assert_ok(rp_domain_parse(rp_view_from_cstr(cases[i].name), &domain));
        assert_int_equal(rp_lookalike_judge(&watched, &domain).kind, cases[i].kind);
    }
    rp_arena_free(arena);
}

static void test_what_is_watched(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    struct rp_watched watched;
    assert_ok(rp_watched_new(arena, 2, 0, &watched));
    assert_ok(rp_watched_add(&watched, RP_VIEW("localhost"), false));
    assert_ok(rp_watched_add(&watched, RP_VIEW("notes.test"), false));
    assert_ok(rp_watched_add(&watched, RP_VIEW("192.0.2.1"), false));
    assert_int_equal(watched.count, 0);
    assert_err(rp_watched_add(&watched, RP_VIEW("co.uk"), true), INVALID);
    assert_err(rp_watched_add(&watched, RP_VIEW("not a name"), true), INVALID);
    assert_ok(rp_watched_add(&watched, RP_VIEW("notes.test"), true));
    assert_ok(rp_watched_add(&watched, RP_VIEW("other.notes.test"), true));
    assert_int_equal(watched.count, 1);
    assert_ok(rp_watched_add(&watched, RP_VIEW("exemple.fr"), true));
    assert_err(rp_watched_add(&watched, RP_VIEW("third.fr"), true), TOO_LARGE);
    assert_err(rp_watched_add_honest(&watched, RP_VIEW("third.fr")), TOO_LARGE);
    rp_arena_free(arena);
}

static void test_names(void **state) {
    (void)state;
    static const char *const none[] = {"",         ".",          "a..b",       "-.",
                                       "a b.fr",   "a,b.fr",     "me@here.fr", "192.0.2.1",
                                       "a.b/c",    "xn--.fr",    "\xff.fr",    "http://a.fr",
                                       "a\x01.fr", "xn--a-\x80", "..fr"};
    struct rp_domain domain;
    for (size_t i = 0; i < RP_COUNT_OF(none); i++) {
        if (i != 3) {
            assert_err(rp_domain_parse(rp_view_from_cstr(none[i]), &domain), INVALID);
        }
    }
    char longest[300];
    memset(longest, 'a', sizeof longest);
    for (size_t i = 63; i < sizeof longest; i += 64) {
        longest[i] = '.';
    }
    assert_ok(rp_domain_parse(rp_view_of(longest, 253), &domain));
    assert_err(rp_domain_parse(rp_view_of(longest, 254), &domain), INVALID);
    longest[63] = 'a';
    assert_err(rp_domain_parse(rp_view_of(longest, 100), &domain), INVALID);
}

static void test_shown_as_people_see_it(void **state) {
    (void)state;
    struct rp_domain domain;
    assert_ok(rp_domain_parse(RP_VIEW("WWW.Exémple.FR"), &domain));
    assert_view(rp_domain_from(&domain, 0), "www.xn--exmple-cva.fr");
    char text[4 * RP_DOMAIN_MAX];
    struct rp_buf out = rp_buf_over(text, sizeof text);
    rp_domain_show(rp_domain_from(&domain, 0), &out);
    assert_view(rp_buf_view(&out), "www.exémple.fr");
}

static void test_every_kind_has_its_words(void **state) {
    (void)state;
    for (size_t i = 0; i < RP_LOOKALIKE_COUNT; i++) {
        enum rp_lookalike_kind kind = (enum rp_lookalike_kind)i;
        assert_true(*rp_lookalike_name(kind) && *rp_lookalike_reason(kind, RP_FR) &&
                    *rp_lookalike_reason(kind, RP_EN));
    }
}

/* The search halves the table: each character stands behind the one before. */
static void test_confusables_are_sorted(void **state) {
    (void)state;
    static const uint32_t points[] = {
#define RP_LIKE(point, letters) point,
#include "lookalike/confusables.def"
#undef RP_LIKE
    };
    for (size_t i = 1; i < RP_COUNT_OF(points); i++) {
        assert_true(points[i - 1] < points[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_baits),
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_what_was_sold),
        cmocka_unit_test(test_short_names),
        cmocka_unit_test(test_what_is_watched),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_shown_as_people_see_it),
        cmocka_unit_test(test_every_kind_has_its_words),
        cmocka_unit_test(test_confusables_are_sorted),
    };
    return cmocka_run_group_tests(tests, start, end);
}
