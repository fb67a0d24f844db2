#include "plan.h"

#include "base/assert.h"
#include "base/checked.h"

enum { FIRST_S = 60, GROWS = 4, LAST_S = 12 * 3600, CLOCKS_DIFFER_S = 60 };

/* From 0 to less than `whole`. */
static int64_t part_of(int64_t whole, uint32_t chance) {
    RP_ASSERT(whole >= 0 && whole <= INT32_MAX);
    return whole * (int64_t)chance / ((int64_t)UINT32_MAX + 1);
}

int64_t plan_renewal_s(int64_t since_s, int64_t until_s, uint32_t chance) {
    RP_ASSERT(until_s >= since_s);
    int64_t life_s = RP_MIN(until_s - since_s, (int64_t)INT32_MAX);
    return until_s - life_s / 3 - part_of(life_s / 24, chance);
}

int64_t plan_retry_s(int64_t now_s, uint64_t failures, int64_t wait_s, uint32_t chance) {
    RP_ASSERT(failures > 0);
    int64_t pause_s = FIRST_S;
    for (uint64_t i = 1; i < failures && pause_s < LAST_S; i++) {
        pause_s *= GROWS;
    }
    pause_s = RP_MIN(pause_s, (int64_t)LAST_S);
    pause_s += part_of(pause_s / 10, chance);
    return now_s + RP_MAX(pause_s, wait_s);
}

bool plan_is_due(int64_t next_s, int64_t tried_s, int64_t now_s) {
    return next_s <= now_s || tried_s > now_s + CLOCKS_DIFFER_S;
}
