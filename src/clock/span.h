/* span.h — how long: "30min", "24h", "90d", "1wd", "12mo"; and the instant after that long.
 *
 * Minutes and hours are exact. Days and months keep the time on a clock in Paris, so that summer
 * time moves no deadline; a month ends on the same day or on the month's last. Working days skip
 * Saturdays, Sundays and holidays; one that begins on such a day begins with the next working day.
 *
 * rp_span_add_legal counts as Regulation (EEC) 1182/71 does: a period in days or months ends with
 * the last hour of its last day, and when that is no working day, of the next working day.
 */
#ifndef RP_CLOCK_SPAN_H
#define RP_CLOCK_SPAN_H

#include "clock/calendar.h"

enum rp_span_unit { RP_MINUTES, RP_HOURS, RP_DAYS, RP_WORKING_DAYS, RP_MONTHS, RP_SPAN_COUNT };

struct rp_span {
    uint32_t amount; /* 1 to 100,000 */
    enum rp_span_unit unit;
};

enum { RP_SPAN_MAX = 100000 };

bool rp_span_parse(rp_view text, struct rp_span *ret_span);
struct rp_span_text {
    char s[16];
};
struct rp_span_text rp_span_print(struct rp_span span);

int64_t rp_span_add(const struct rp_calendar *calendar, struct rp_span span, int64_t from_ms);
/* The instant that lies that long before. */
int64_t rp_span_before(const struct rp_calendar *calendar, struct rp_span span, int64_t to_ms);
int64_t rp_span_add_legal(const struct rp_calendar *calendar, struct rp_span span, int64_t from_ms);

#endif
