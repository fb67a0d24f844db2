/* clock.h — one running deadline: its reminders before, its end, its escalations after.
 *
 * A plan says how long and whom to remind when; planning it from an instant gives steps, each
 * with its own instant. A clock remembers which step comes next, so that every step fires once,
 * however long the machine slept or was off, and in order. Pausing stops it; resuming moves all
 * that is left by the time that it stood.
 *
 * Pure. clock_io.h keeps clocks in the database.
 */
#ifndef RP_CLOCK_CLOCK_H
#define RP_CLOCK_CLOCK_H

#include "clock/span.h"

enum { RP_CLOCK_SPANS_MAX = 4, RP_CLOCK_STEPS_MAX = 2 * RP_CLOCK_SPANS_MAX + 1 };

enum rp_step_kind { RP_STEP_REMIND, RP_STEP_DUE, RP_STEP_ESCALATE, RP_STEP_COUNT };
const char *rp_step_name(enum rp_step_kind kind); /* "remind", "due", "escalate" */

struct rp_plan {
    struct rp_span remind[RP_CLOCK_SPANS_MAX]; /* before the end */
    size_t remind_count;
    struct rp_span escalate[RP_CLOCK_SPANS_MAX]; /* after it */
    size_t escalate_count;
};

struct rp_step {
    int64_t at_ms;
    enum rp_step_kind kind;
    uint8_t index; /* which span of the plan */
};

struct rp_clock {
    int64_t started_ms, due_ms;
    struct rp_step steps[RP_CLOCK_STEPS_MAX]; /* in order of time */
    size_t step_count;
    size_t next;       /* equals step_count when all have fired */
    int64_t paused_ms; /* 0 = it runs */
    bool working;      /* the end lies on a working day, after a pause too */
};

/* Reminders that lie before the start are left out. */
struct rp_clock rp_clock_plan(const struct rp_calendar *calendar, const struct rp_plan *plan,
                              int64_t started_ms, int64_t due_ms);
/* When something is to be done; false when nothing is, or the clock stands. */
bool rp_clock_next(const struct rp_clock *clock, int64_t *ret_at_ms);
/* The next step that is due by now, taken; false when none is. */
bool rp_clock_take(struct rp_clock *clock, int64_t now_ms, struct rp_step *ret_step);
void rp_clock_pause(struct rp_clock *clock, int64_t now_ms);
void rp_clock_resume(struct rp_clock *clock, const struct rp_calendar *calendar, int64_t now_ms);

#endif
