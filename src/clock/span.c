#include "clock/span.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"

static const char *const units[RP_SPAN_COUNT] = {"min", "h", "d", "wd", "mo"};

bool rp_span_parse(rp_view text, struct rp_span *ret_span) {
    size_t n = 0;
    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9') {
        n++;
    }
    uint64_t amount = 0;
    if (!rp_view_to_u64(rp_view_sub(text, 0, n), RP_SPAN_MAX, &amount) || amount == 0) {
        return false;
    }
    for (size_t i = 0; i < RP_COUNT_OF(units); i++) {
        if (rp_view_equal(rp_view_from(text, n), rp_view_from_cstr(units[i]))) {
            *ret_span = (struct rp_span){(uint32_t)amount, (enum rp_span_unit)i};
            return true;
        }
    }
    return false;
}

struct rp_span_text rp_span_print(struct rp_span span) {
    struct rp_span_text text;
    RP_ASSERT((size_t)span.unit < RP_SPAN_COUNT);
    (void)snprintf(text.s, sizeof text.s, "%u%s", span.amount, units[span.unit]);
    return text;
}

/* The same day of another month, or that month's last. */
static int64_t move_months(int64_t day, int64_t months) {
    struct rp_date date = rp_date_of_day(day);
    int64_t count = (int64_t)date.year * 12 + (int64_t)date.month - 1 + months;
    date.year = (int)(count / 12);
    date.month = (unsigned)(count % 12) + 1;
    unsigned last = rp_month_length(date.year, date.month);
    date.day = RP_MIN(date.day, last);
    return rp_date_to_day(date);
}

static int64_t next_working_day(const struct rp_calendar *calendar, int64_t day, int64_t step) {
    do {
        day += step;
    } while (!rp_working_day(calendar, day));
    return day;
}

static struct rp_local move_working_days(const struct rp_calendar *calendar, struct rp_local at,
                                         int64_t amount) {
    int64_t step = amount < 0 ? -1 : 1;
    if (!rp_working_day(calendar, at.day)) {
        /* Counted from the first hour of the next working day: backwards, from the same place. */
        at = (struct rp_local){.day = next_working_day(calendar, at.day, 1)};
    }
    for (int64_t i = 0; i != amount; i += step) {
        at.day = next_working_day(calendar, at.day, step);
    }
    return at;
}

static int64_t move(const struct rp_calendar *calendar, struct rp_span span, int64_t sign,
                    int64_t ms) {
    int64_t amount = sign * (int64_t)span.amount;
    struct rp_local at = rp_paris_of_ms(ms);
    switch (span.unit) {
    case RP_MINUTES:
        return ms + amount * 60000;
    case RP_HOURS:
        return ms + amount * 3600000;
    case RP_DAYS:
        at.day += amount;
        break;
    case RP_WORKING_DAYS:
        at = move_working_days(calendar, at, amount);
        break;
    case RP_MONTHS:
        at.day = move_months(at.day, amount);
        break;
    case RP_SPAN_COUNT:
        RP_UNREACHABLE();
    }
    return rp_paris_to_ms(at);
}

int64_t rp_span_add(const struct rp_calendar *calendar, struct rp_span span, int64_t from_ms) {
    return move(calendar, span, 1, from_ms);
}

int64_t rp_span_before(const struct rp_calendar *calendar, struct rp_span span, int64_t to_ms) {
    return move(calendar, span, -1, to_ms);
}

int64_t rp_span_add_legal(const struct rp_calendar *calendar, struct rp_span span,
                          int64_t from_ms) {
    int64_t end_ms = rp_span_add(calendar, span, from_ms);
    if (span.unit == RP_MINUTES || span.unit == RP_HOURS) {
        return end_ms;
    }
    int64_t day = rp_paris_of_ms(end_ms).day;
    if (!rp_working_day(calendar, day)) {
        day = next_working_day(calendar, day, 1);
    }
    return rp_paris_midnight_ms(day + 1);
}
