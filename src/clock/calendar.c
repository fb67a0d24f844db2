#include "clock/calendar.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"

static bool leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned rp_month_length(int year, unsigned month) {
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    RP_ASSERT(month >= 1 && month <= 12);
    return month == 2 && leap(year) ? 29 : lengths[month - 1];
}

static bool is_valid(struct rp_date date) {
    return date.year >= 1583 && date.year <= 9999 && date.month >= 1 && date.month <= 12 &&
           date.day >= 1 && date.day <= rp_month_length(date.year, date.month);
}

/* Years are counted from March, so that the leap day is the last of its year. */
int64_t rp_date_to_day(struct rp_date date) {
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t month = (int64_t)((date.month + 9) % 12);
    int64_t day_of_year = (153 * month + 2) / 5 + (int64_t)date.day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

struct rp_date rp_date_of_day(int64_t day) {
    int64_t z = day + 719468;
    int64_t era = z / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    unsigned civil = (unsigned)(month < 10 ? month + 3 : month - 9);
    return (struct rp_date){.year = (int)(year + era * 400 + (civil <= 2)),
                            .month = civil,
                            .day = (unsigned)(of_year - (153 * month + 2) / 5 + 1)};
}

/* 1970-01-01 was a Thursday. */
unsigned rp_weekday(int64_t day) {
    int64_t of_week = (day + 3) % 7;
    return (unsigned)(of_week < 0 ? of_week + 7 : of_week);
}

static bool digits(rp_view v, size_t from, size_t n, unsigned *ret_number) {
    unsigned number = 0;
    for (size_t i = from; i < from + n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9') {
            return false;
        }
        number = number * 10 + (unsigned)(v.p[i] - '0');
    }
    *ret_number = number;
    return true;
}

bool rp_date_parse(rp_view text, struct rp_date *ret_date) {
    unsigned year = 0, month = 0, day = 0;
    if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' || !digits(text, 0, 4, &year) ||
        !digits(text, 5, 2, &month) || !digits(text, 8, 2, &day)) {
        return false;
    }
    struct rp_date date = {.year = (int)year, .month = month, .day = day};
    if (!is_valid(date)) {
        return false;
    }
    *ret_date = date;
    return true;
}

struct rp_date_text rp_date_print(struct rp_date date) {
    struct rp_date_text text;
    (void)snprintf(text.s, sizeof text.s, "%04d-%02u-%02u", date.year, date.month % 100,
                   date.day % 100);
    return text;
}

bool rp_instant_parse(rp_view text, int64_t *ret_ms) {
    struct rp_date date;
    uint64_t clock[3];
    if (text.n != 20 || text.p[10] != 'T' || text.p[13] != ':' || text.p[16] != ':' ||
        text.p[19] != 'Z' || !rp_date_parse(rp_view_sub(text, 0, 10), &date)) {
        return false;
    }
    static const uint64_t most[3] = {23, 59, 59};
    for (size_t i = 0; i < 3; i++) {
        uint8_t tens = text.p[11 + 3 * i], ones = text.p[12 + 3 * i];
        if (tens < '0' || tens > '9' || ones < '0' || ones > '9') {
            return false;
        }
        clock[i] = (uint64_t)(tens - '0') * 10 + (uint64_t)(ones - '0');
        if (clock[i] > most[i]) {
            return false;
        }
    }
    int64_t s = rp_date_to_day(date) * RP_DAY_S;
    *ret_ms = (s + (int64_t)(clock[0] * 3600 + clock[1] * 60 + clock[2])) * 1000;
    return true;
}

/* ---- Paris ---- */

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* 01:00 UTC on the last Sunday of the month, which has 31 days. */
static int64_t last_sunday_s(int year, unsigned month) {
    int64_t last = rp_date_to_day((struct rp_date){.year = year, .month = month, .day = 31});
    return (last - (int64_t)(rp_weekday(last) + 1) % 7) * RP_DAY_S + 3600;
}

int64_t rp_paris_offset_s(int64_t utc_s) {
    int year = rp_date_of_day(floor_div(utc_s, RP_DAY_S)).year;
    bool summer = utc_s >= last_sunday_s(year, 3) && utc_s < last_sunday_s(year, 10);
    return summer ? 7200 : 3600;
}

struct rp_local rp_paris_of_ms(int64_t utc_ms) {
    int64_t local_ms = utc_ms + rp_paris_offset_s(floor_div(utc_ms, 1000)) * 1000;
    int64_t day = floor_div(local_ms, (int64_t)RP_DAY_S * 1000);
    return (struct rp_local){.day = day, .ms = local_ms - day * RP_DAY_S * 1000};
}

/* Tried with summer time first: what happens twice is then the first of both, and what never
 * happens falls to winter time, one hour on. */
int64_t rp_paris_to_ms(struct rp_local local) {
    int64_t wall_ms = local.day * RP_DAY_S * 1000 + local.ms;
    int64_t summer_ms = wall_ms - 7200 * 1000;
    if (rp_paris_offset_s(floor_div(summer_ms, 1000)) == 7200) {
        return summer_ms;
    }
    return wall_ms - 3600 * 1000;
}

int64_t rp_paris_midnight_ms(int64_t day) {
    return rp_paris_to_ms((struct rp_local){.day = day});
}

/* ---- working days ---- */

/* The Gregorian computus, as Meeus and others print it. */
struct rp_date rp_easter(int year) {
    int a = year % 19, b = year / 100, c = year % 100;
    int d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
    int h = (19 * a + b - d - g + 15) % 30;
    int i = c / 4, k = c % 4;
    int l = (32 + 2 * e + 2 * i - h - k) % 7;
    int m = (a + 11 * h + 22 * l) / 451;
    int n = h + l - 7 * m + 114;
    return (struct rp_date){
        .year = year, .month = (unsigned)(n / 31), .day = (unsigned)(n % 31 + 1)};
}

struct fixed {
    unsigned month, day;
    bool alsace;
    const char *name;
};
static const struct fixed fixed[] = {
    {1, 1, false, "jour de l’An"},  {5, 1, false, "fête du Travail"},
    {5, 8, false, "8 mai 1945"},    {7, 14, false, "fête nationale"},
    {8, 15, false, "Assomption"},   {11, 1, false, "Toussaint"},
    {11, 11, false, "11 novembre"}, {12, 25, false, "Noël"},
    {12, 26, true, "Saint-Étienne"}};

struct moving {
    int64_t after_easter;
    bool alsace;
    const char *name;
};
static const struct moving moving[] = {{-2, true, "Vendredi saint"},
                                       {1, false, "lundi de Pâques"},
                                       {39, false, "Ascension"},
                                       {50, false, "lundi de Pentecôte"}};

const char *rp_holiday(const struct rp_calendar *calendar, int64_t day) {
    struct rp_date date = rp_date_of_day(day);
    for (size_t i = 0; i < RP_COUNT_OF(fixed); i++) {
        if (fixed[i].month == date.month && fixed[i].day == date.day &&
            (!fixed[i].alsace || calendar->alsace)) {
            return fixed[i].name;
        }
    }
    int64_t easter = rp_date_to_day(rp_easter(date.year));
    for (size_t i = 0; i < RP_COUNT_OF(moving); i++) {
        if (day == easter + moving[i].after_easter && (!moving[i].alsace || calendar->alsace)) {
            return moving[i].name;
        }
    }
    return NULL;
}

bool rp_working_day(const struct rp_calendar *calendar, int64_t day) {
    return rp_weekday(day) < 5 && rp_holiday(calendar, day) == NULL;
}
