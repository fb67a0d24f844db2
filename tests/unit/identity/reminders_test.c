/* reminders_test.c — a person's own hours hold for reminders only, at once, and after a restart. */
#include "world.h"

#include "identity/reminders.h"
#include "notify/outbox.h"

enum { HOUR_MS = 3600 * 1000 };

/* 2027-01-15, 09:00 in Paris, when each test begins. */
static int64_t began_ms;

static void put(const struct person *person, bool gentle) {
    wait_ms(1); /* so that the newest is known */
    const struct rp_notice_value values[] = {{"register", RP_VIEW_INIT("Suppliers")},
                                             {"record", RP_VIEW_INIT("R1")},
                                             {"deadline", RP_VIEW_INIT("Review")},
                                             {"step", RP_VIEW_INIT("reminder")},
                                             {"due", RP_VIEW_INIT("2027-02-01T00:00:00Z")}};
    struct rp_notice notice = {.kind = RP_NOTICE_DEADLINE,
                               .channels = RP_NOTICE_MAIL,
                               .lang = RP_EN,
                               .gentle = gentle,
                               .values = values,
                               .value_count = RP_COUNT_OF(values)};
    assert_ok(rp_identity_write_to(identity, person->person, &notice));
}

/* The newest mail. */
static struct rp_notice_row newest(void) {
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_notice_row *rows = NULL;
    size_t count = 0;
    assert_ok(rp_notify_list(central, nobody, 1, arena, &rows, &count));
    assert_int_equal(count, 1);
    struct rp_notice_row row = rows[0];
    rp_arena_free(arena);
    return row;
}

static void assert_waits(int64_t hours, bool gathered) {
    struct rp_notice_row row = newest();
    assert_int_equal((row.next_ms - began_ms) / HOUR_MS, hours);
    assert_int_equal(row.gather, gathered);
}

static rp_err choose(const struct person *person, const char *quiet, const char *digest) {
    struct rp_reminders_choice choice = {.person = person->person, .tenant = person->tenant};
    RP_TRY(rp_reminders_set_quiet(&choice.reminders, rp_view_from_cstr(quiet)));
    RP_TRY(rp_reminders_set_digest(&choice.reminders, rp_view_from_cstr(digest)));
    return rp_identity_choose_reminders(identity, &choice);
}

static struct person ann_of(const char *quiet, const char *digest) {
    struct person ann = enrolled();
    identity->options.calm = rp_calm_of(rp_view_from_cstr(quiet), rp_view_from_cstr(digest));
    world.now_ns -= (int64_t)STEP_MS * 1000000;
    began_ms = rp_env_now_ms(&env);
    return ann;
}

static void a_choice_comes_before_the_installations(void **state) {
    (void)state;
    struct person ann = ann_of("22:00-07:00", "");
    put(&ann, true);
    assert_waits(0, false); /* 09:00 is not quiet for the installation */
    assert_ok(choose(&ann, "08:00-12:00", "default"));
    put(&ann, true);
    assert_waits(3, false);
    put(&ann, false);
    assert_waits(0, false); /* what is urgent asks nobody */
    assert_ok(choose(&ann, "none", "18:00"));
    put(&ann, true);
    assert_waits(9, true);
    assert_ok(choose(&ann, "17:00-20:00", "18:00"));
    put(&ann, true);
    assert_waits(11, true); /* the digest waits for the end of the quiet */
    assert_ok(choose(&ann, "default", "default"));
    put(&ann, true);
    assert_waits(0, false);
}

static void what_waits_follows_the_choice_in_the_same_step(void **state) {
    (void)state;
    struct person ann = ann_of("", "10:00");
    put(&ann, true);
    assert_waits(1, true);
    assert_ok(choose(&ann, "default", "14:00"));
    assert_waits(5, true);
    assert_ok(choose(&ann, "none", "none"));
    assert_waits(0, false);
    assert_int_equal(events_with("reminders.chosen"), 2);
    assert_ok(choose(&ann, "none", "none")); /* the same once more */
    assert_int_equal(events_with("reminders.chosen"), 2);
    /* What the courier has seen already keeps its own pauses. */
    struct rp_notice_row row = newest();
    assert_ok(rp_notify_take(central, &row));
    assert_ok(rp_notify_settle(&env, central, &row, RP_NOTICE_LATER, RP_VIEW("busy")));
    int64_t pause_ms = newest().next_ms;
    assert_ok(choose(&ann, "08:00-12:00", "none"));
    assert_int_equal(newest().next_ms, pause_ms);
}

static void it_outlasts_a_restart_and_the_change_of_the_clock(void **state) {
    (void)state;
    struct person ann = ann_of("", "");
    assert_ok(choose(&ann, "22:00-07:00", "none"));
    close_all();
    open_all(true);
    struct rp_reminders kept;
    assert_ok(rp_identity_reminders(identity, ann.person, ann.tenant, &kept));
    assert_string_equal(rp_reminders_quiet_word(&kept), "22:00-07:00");
    assert_string_equal(rp_reminders_digest_word(&kept), "none");
    /* 2027-03-28 00:30 UTC: the clock goes from 02:00 to 03:00 half an hour later. */
    world.now_ns = (int64_t)1806193799 * 1000000000;
    put(&ann, true);
    assert_int_equal(newest().next_ms, ((int64_t)1806193800 + 4 * 3600 + 1800) * 1000);
}

static void what_is_no_time_is_refused_whole(void **state) {
    (void)state;
    static const char *const bad_quiet[] = {
        "", "22:00", "22:00-22:00", "24:00-07:00", "22:00-7:00", "22:00-07:001", "Default"};
    static const char *const bad_digest[] = {"", "8:00", "24:00", "08:60", "08:00-09:00", "nonE"};
    struct person ann = ann_of("", "");
    assert_ok(choose(&ann, "22:00-07:00", "08:00"));
    for (size_t i = 0; i < RP_COUNT_OF(bad_quiet); i++) {
        assert_err(choose(&ann, bad_quiet[i], "default"), INVALID);
    }
    for (size_t i = 0; i < RP_COUNT_OF(bad_digest); i++) {
        assert_err(choose(&ann, "default", bad_digest[i]), INVALID);
    }
    struct rp_reminders kept;
    assert_ok(rp_identity_reminders(identity, ann.person, ann.tenant, &kept));
    assert_string_equal(rp_reminders_quiet_word(&kept), "22:00-07:00");
    struct person stranger = {.tenant = ann.tenant, .person = {{9}}};
    assert_err(choose(&stranger, "none", "none"), NOT_FOUND);
    struct person elsewhere = {.tenant = rp_identity_home(identity), .person = ann.person};
    assert_err(choose(&elsewhere, "none", "none"), NOT_FOUND);
    assert_int_equal(events_with("reminders.chosen"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_choice_comes_before_the_installations),
        TEST(what_waits_follows_the_choice_in_the_same_step),
        TEST(it_outlasts_a_restart_and_the_change_of_the_clock),
        TEST(what_is_no_time_is_refused_whole),
    };
    return cmocka_run_group_tests_name("identity_reminders", tests, NULL, NULL);
}
