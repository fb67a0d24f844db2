#include "clock/clock.h"

#include "base/assert.h"

const char *rp_step_name(enum rp_step_kind kind) {
    static const char *const names[RP_STEP_COUNT] = {"remind", "due", "escalate"};
    RP_ASSERT((size_t)kind < RP_STEP_COUNT);
    return names[kind];
}

/* Kept in order: few steps, so each is carried to its place. */
static void add_step(struct rp_clock *clock, struct rp_step step) {
    RP_ASSERT(clock->step_count < RP_CLOCK_STEPS_MAX);
    size_t i = clock->step_count++;
    while (i > 0 && clock->steps[i - 1].at_ms > step.at_ms) {
        clock->steps[i] = clock->steps[i - 1];
        i--;
    }
    clock->steps[i] = step;
}

struct rp_clock rp_clock_plan(const struct rp_calendar *calendar, const struct rp_plan *plan,
                              int64_t started_ms, int64_t due_ms) {
    RP_ASSERT(plan->remind_count <= RP_CLOCK_SPANS_MAX);
    RP_ASSERT(plan->escalate_count <= RP_CLOCK_SPANS_MAX);
    struct rp_clock clock = {.started_ms = started_ms, .due_ms = due_ms};
    for (size_t i = 0; i < plan->remind_count; i++) {
        int64_t at_ms = rp_span_before(calendar, plan->remind[i], due_ms);
        if (at_ms > started_ms) {
            add_step(&clock, (struct rp_step){at_ms, RP_STEP_REMIND, (uint8_t)i});
        }
    }
    add_step(&clock, (struct rp_step){due_ms, RP_STEP_DUE, 0});
    for (size_t i = 0; i < plan->escalate_count; i++) {
        int64_t at_ms = rp_span_add(calendar, plan->escalate[i], due_ms);
        add_step(&clock, (struct rp_step){at_ms, RP_STEP_ESCALATE, (uint8_t)i});
    }
    return clock;
}

bool rp_clock_next(const struct rp_clock *clock, int64_t *ret_at_ms) {
    RP_ASSERT(clock->next <= clock->step_count && clock->step_count <= RP_CLOCK_STEPS_MAX);
    if (clock->paused_ms != 0 || clock->next == clock->step_count) {
        return false;
    }
    *ret_at_ms = clock->steps[clock->next].at_ms;
    return true;
}

bool rp_clock_take(struct rp_clock *clock, int64_t now_ms, struct rp_step *ret_step) {
    int64_t at_ms = 0;
    if (!rp_clock_next(clock, &at_ms) || at_ms > now_ms) {
        return false;
    }
    *ret_step = clock->steps[clock->next++];
    return true;
}

void rp_clock_pause(struct rp_clock *clock, int64_t now_ms) {
    RP_ASSERT(now_ms > 0);
    if (clock->paused_ms == 0) {
        clock->paused_ms = now_ms;
    }
}

void rp_clock_resume(struct rp_clock *clock, const struct rp_calendar *calendar, int64_t now_ms) {
    if (clock->paused_ms == 0) {
        return;
    }
    /* The wall clock may have been set back meanwhile: then nothing is taken away. */
    int64_t stood_ms = now_ms > clock->paused_ms ? now_ms - clock->paused_ms : 0;
    int64_t due_ms = clock->due_ms + stood_ms;
    struct rp_local end = rp_paris_of_ms(due_ms);
    while (clock->working && !rp_working_day(calendar, end.day)) {
        end.day++;
    }
    int64_t shift_ms = rp_paris_to_ms(end) - clock->due_ms;
    clock->due_ms += shift_ms;
    for (size_t i = clock->next; i < clock->step_count; i++) {
        clock->steps[i].at_ms += shift_ms;
    }
    clock->paused_ms = 0;
}
