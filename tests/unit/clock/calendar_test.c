/* calendar_test.c — every day of four centuries, every hour of Paris beside libc's, every holiday.
 */
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "base/checked.h"
#include "clock/span.h"

static const struct rp_calendar france = {.alsace = false}, alsace = {.alsace = true};

static int64_t day_of(const char *text) {
    struct rp_date date;
    assert_true(rp_date_parse(rp_view_from_cstr(text), &date));
    return rp_date_to_day(date);
}

static void every_day_comes_after_the_one_before(void **state) {
    (void)state;
    struct rp_date date = {1583, 1, 1};
    int64_t first = rp_date_to_day(date);
    assert_int_equal(rp_date_to_day((struct rp_date){1970, 1, 1}), 0);
    for (int64_t day = first; date.year < 2400; day++) {
        struct rp_date back = rp_date_of_day(day);
        assert_int_equal(rp_date_to_day(date), day);
        assert_true(back.year == date.year && back.month == date.month && back.day == date.day);
        if (date.day < rp_month_length(date.year, date.month)) {
            date.day++;
        } else {
            date.day = 1;
            date.year += date.month == 12;
            date.month = date.month % 12 + 1;
        }
    }
    assert_int_equal(rp_weekday(day_of("2026-11-24")), 1); /* a Tuesday */
    assert_int_equal(rp_weekday(day_of("1900-01-01")), 0);
}

static void only_dates_that_exist_are_read(void **state) {
    (void)state;
    struct rp_date date;
    static const char *const wrong[] = {"2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31",
                                        "2026-1-01",  "2026/01/01", "0000-01-01", "2026-01-01 ",
                                        "",           "20260101",   "2026-0a-01", "2026-01-00"};
    for (size_t i = 0; i < RP_COUNT_OF(wrong); i++) {
        assert_false(rp_date_parse(rp_view_from_cstr(wrong[i]), &date));
    }
    assert_true(rp_date_parse(RP_VIEW("2028-02-29"), &date));
    assert_string_equal(rp_date_print(date).s, "2028-02-29");
}

/* libc's zone file is another implementation of the same law. */
static void paris_agrees_with_libc_for_every_hour(void **state) {
    (void)state;
    setenv("TZ", "Europe/Paris", 1);
    tzset();
    struct tm tm;
    time_t summer = 1782864000; /* 2026-07-01 */
    localtime_r(&summer, &tm);
    if (tm.tm_gmtoff != 7200) {
        skip(); /* no zone files here */
    }
    int64_t end = day_of("2037-01-01") * RP_DAY_S;
    for (int64_t s = day_of("1996-01-01") * RP_DAY_S; s < end; s += 1800) {
        time_t t = s;
        localtime_r(&t, &tm);
        assert_int_equal(rp_paris_offset_s(s), tm.tm_gmtoff);
        struct rp_local local = rp_paris_of_ms(s * 1000);
        assert_int_equal(local.ms / 1000, tm.tm_hour * 3600 + tm.tm_min * 60);
        /* Back again, but for the hour that happens twice. */
        int64_t back = rp_paris_to_ms(local) / 1000;
        assert_true(back == s || back == s - 3600);
        assert_true(back == s || rp_paris_offset_s(back) == 7200);
    }
    /* 29 March 2026, 02:30 does not exist; 25 October 2026, 02:30 does twice. */
    struct rp_local half_past_two = {day_of("2026-03-29"), 9000000};
    assert_int_equal(rp_paris_to_ms(half_past_two) / 1000, day_of("2026-03-29") * RP_DAY_S + 5400);
    half_past_two.day = day_of("2026-10-25");
    assert_int_equal(rp_paris_to_ms(half_past_two) / 1000, day_of("2026-10-25") * RP_DAY_S + 1800);
}

static void easter_and_the_holidays_that_move_with_it(void **state) {
    (void)state;
    static const char *const easters[] = {"1961-04-02", "1970-03-29", "2000-04-23", "2008-03-23",
                                          "2011-04-24", "2023-04-09", "2024-03-31", "2025-04-20",
                                          "2026-04-05", "2027-03-28", "2028-04-16", "2038-04-25",
                                          "2049-04-18", "2285-03-22"};
    for (size_t i = 0; i < RP_COUNT_OF(easters); i++) {
        struct rp_date date;
        assert_true(rp_date_parse(rp_view_from_cstr(easters[i]), &date));
        assert_int_equal(rp_date_to_day(rp_easter(date.year)), rp_date_to_day(date));
        assert_int_equal(rp_weekday(rp_date_to_day(date)), 6);
    }
    static const char *const of_2026[] = {"2026-01-01", "2026-04-06", "2026-05-01", "2026-05-08",
                                          "2026-05-14", "2026-05-25", "2026-07-14", "2026-08-15",
                                          "2026-11-01", "2026-11-11", "2026-12-25"};
    size_t found = 0;
    for (int64_t day = day_of("2026-01-01"); day <= day_of("2026-12-31"); day++) {
        if (rp_holiday(&france, day)) {
            assert_true(found < RP_COUNT_OF(of_2026));
            assert_int_equal(day, day_of(of_2026[found]));
            found++;
        }
    }
    assert_int_equal(found, 11);
    assert_null(rp_holiday(&france, day_of("2026-04-03")));
    assert_string_equal(rp_holiday(&alsace, day_of("2026-04-03")), "Vendredi saint");
    assert_non_null(rp_holiday(&alsace, day_of("2026-12-26")));
}

/* Local wall time in, local wall time out. */
static int64_t at(const char *day, int hour, int minute) {
    return rp_paris_to_ms((struct rp_local){day_of(day), (hour * 60 + minute) * 60000});
}

static void assert_after(const char *span_text, int64_t from, int64_t want, bool legal) {
    struct rp_span span;
    assert_true(rp_span_parse(rp_view_from_cstr(span_text), &span));
    int64_t got = legal ? rp_span_add_legal(&france, span, from) : rp_span_add(&france, span, from);
    if (got != want) {
        fail_msg("%s: got %lld, wanted %lld", span_text, (long long)got, (long long)want);
    }
}

static void spans_are_counted_as_people_do(void **state) {
    (void)state;
    assert_after("72h", at("2026-03-27", 18, 0), at("2026-03-30", 19, 0), false); /* an hour lost */
    assert_after("1d", at("2026-03-28", 18, 0), at("2026-03-29", 18, 0), false);
    assert_after("1d", at("2026-10-24", 18, 0), at("2026-10-25", 18, 0), false);
    assert_after("15min", at("2026-11-24", 23, 50), at("2026-11-25", 0, 5), false);
    assert_after("1mo", at("2026-01-31", 9, 0), at("2026-02-28", 9, 0), false);
    assert_after("1mo", at("2028-01-31", 9, 0), at("2028-02-29", 9, 0), false);
    assert_after("12mo", at("2028-02-29", 9, 0), at("2029-02-28", 9, 0), false);
    assert_after("13mo", at("2026-12-15", 9, 0), at("2028-01-15", 9, 0), false);
    assert_after("1wd", at("2026-11-24", 15, 0), at("2026-11-25", 15, 0), false);
    assert_after("1wd", at("2026-11-27", 15, 0), at("2026-11-30", 15, 0), false); /* Friday */
    assert_after("1wd", at("2026-11-28", 15, 0), at("2026-12-01", 0, 0), false);  /* Saturday */
    assert_after("2wd", at("2026-12-24", 10, 0), at("2026-12-29", 10, 0), false); /* Christmas */
    assert_after("1wd", at("2026-05-13", 10, 0), at("2026-05-15", 10, 0), false); /* Ascension */
    /* Regulation 1182/71: to the end of the last day, and of a working day. */
    assert_after("1mo", at("2026-10-24", 9, 0), at("2026-11-25", 0, 0), true);
    assert_after("1mo", at("2026-11-25", 9, 0), at("2026-12-29", 0, 0),
                 true); /* 25 Dec, Sat, Sun */
    assert_after("24h", at("2026-12-24", 9, 0), at("2026-12-25", 9, 0), true);
}

static void a_span_before_is_the_way_back(void **state) {
    (void)state;
    struct rp_span span = {14, RP_DAYS};
    assert_int_equal(rp_span_before(&france, span, at("2026-04-05", 9, 0)), at("2026-03-22", 9, 0));
    span = (struct rp_span){1, RP_WORKING_DAYS};
    assert_int_equal(rp_span_before(&france, span, at("2026-11-30", 9, 0)), at("2026-11-27", 9, 0));
    for (uint32_t n = 1; n < 40; n++) { /* from working days, there and back again */
        span.amount = n;
        int64_t from = at("2026-04-01", 9, 0);
        assert_int_equal(rp_span_before(&france, span, rp_span_add(&france, span, from)), from);
    }
}

static void spans_are_read_and_printed(void **state) {
    (void)state;
    static const char *const right[] = {"15min", "24h", "90d", "1wd", "12mo", "100000d"};
    static const char *const wrong[] = {"",    "d",       "0d",  "01d", "1",   "1 d",
                                        "-1d", "100001d", "1dd", "1y",  "1.5h"};
    struct rp_span span;
    for (size_t i = 0; i < RP_COUNT_OF(right); i++) {
        assert_true(rp_span_parse(rp_view_from_cstr(right[i]), &span));
        assert_string_equal(rp_span_print(span).s, right[i]);
    }
    for (size_t i = 0; i < RP_COUNT_OF(wrong); i++) {
        assert_false(rp_span_parse(rp_view_from_cstr(wrong[i]), &span));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_comes_after_the_one_before),
        cmocka_unit_test(only_dates_that_exist_are_read),
        cmocka_unit_test(paris_agrees_with_libc_for_every_hour),
        cmocka_unit_test(easter_and_the_holidays_that_move_with_it),
        cmocka_unit_test(spans_are_counted_as_people_do),
        cmocka_unit_test(a_span_before_is_the_way_back),
        cmocka_unit_test(spans_are_read_and_printed),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
