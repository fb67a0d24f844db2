/* calendar.h — dates as people in France count them: civil days, Paris time, working days.
 *
 * Pure arithmetic: no libc time zone, no tables to update. Instants are milliseconds since 1970
 * UTC; a day is its number since 1970-01-01. Paris follows the European rule (summer time between
 * the last Sundays of March and October, 01:00 UTC), which is French law since 1996; earlier
 * instants are counted by the same rule.
 *
 * Holidays are the eleven of the Code du travail (L3133-1), and two more in Alsace and Moselle.
 * Fails: nothing; years from 1583 to 9999.
 */
#ifndef RP_CLOCK_CALENDAR_H
#define RP_CLOCK_CALENDAR_H

#include "base/view.h"

enum { RP_DAY_S = 86400 };

struct rp_date {
    int year;
    unsigned month, day; /* from 1 */
};

int64_t rp_date_to_day(struct rp_date date);
struct rp_date rp_date_of_day(int64_t day);
unsigned rp_month_length(int year, unsigned month);
/* 0 Monday … 6 Sunday. */
unsigned rp_weekday(int64_t day);
/* "2026-11-24", exactly, and a date that exists. */
bool rp_date_parse(rp_view text, struct rp_date *ret_date);
struct rp_date_text {
    char s[24];
};
struct rp_date_text rp_date_print(struct rp_date date);
/* "2026-11-24T10:00:00Z", exactly, in milliseconds. */
bool rp_instant_parse(rp_view text, int64_t *ret_ms);

/* ---- Paris ---- */
/* Seconds to add to UTC: 3600 or 7200. */
int64_t rp_paris_offset_s(int64_t utc_s);
/* The day and the second of the day on a clock in Paris. */
struct rp_local {
    int64_t day;
    int64_t ms; /* of the day, 0 to 86,399,999 */
};
struct rp_local rp_paris_of_ms(int64_t utc_ms);
/* The instant. A time that the spring jump leaves out is one hour later; of a time that happens
 * twice in autumn the first. */
int64_t rp_paris_to_ms(struct rp_local local);
/* 00:00 in Paris on that day. */
int64_t rp_paris_midnight_ms(int64_t day);

/* ---- working days ---- */
struct rp_calendar {
    bool alsace; /* Good Friday and 26 December too */
};

struct rp_date rp_easter(int year);
/* The holiday's name in French, NULL when it is none. */
const char *rp_holiday(const struct rp_calendar *calendar, int64_t day);
bool rp_working_day(const struct rp_calendar *calendar, int64_t day);

#endif
