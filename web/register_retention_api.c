/* register_retention_api.c — what retention takes, told to the machine's owner and done for them.
 */
#include "clock/calendar.h"
#include "clock/trust_io.h"
#include "register/retention.h"
#include "web/register_desk.h"

enum { DAYS_MAX = 36500, DAY_MS = 86400000 };

/* Closed before there were such clocks, or under another span: those get theirs first. */
static rp_err open_planned(struct rp_request *request, struct rp_desk *ret_desk) {
    uint64_t rows = 0, altered = 0;
    RP_TRY(rp_desk_open(request, ret_desk));
    struct rp_desk sweeping = *ret_desk;
    sweeping.arena = rp_arena_new(16 * 1024 * 1024);
    if (!sweeping.arena) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = rp_desk_sweep(&sweeping, &rows, &altered);
    rp_arena_free(sweeping.arena);
    return err;
}

/* {"clock":{…},"records":[…]} */
static rp_err send(struct rp_request *request, const struct rp_desk *desk, struct rp_json *list) {
    struct rp_clock_trust trust;
    RP_TRY(rp_clock_trust_read(desk->env, desk->db, &trust));
    struct rp_json *root = rp_json_object(request->arena);
    struct rp_json *clock = rp_json_add_object(request->arena, root, "clock");
    rp_json_add_bool(request->arena, clock, "believed", trust.believed);
    rp_json_add_cstr(request->arena, clock, "believed_until",
                     rp_time_print(trust.seen_ms / 1000).s);
    rp_json_add_cstr(request->arena, clock, "now", rp_time_print(rp_env_now_s(desk->env)).s);
    rp_json_add(request->arena, root, "records", list);
    return rp_api_send(request, 200, root);
}

/* Whoever says that the clock is right says which day it is: it has to be the clock's own, in
 * Paris. */
static rp_err confirm_clock(struct rp_request *request, rp_view today) {
    struct rp_desk opened, *desk = &opened;
    RP_TRY(rp_desk_open(request, desk));
    struct rp_date date;
    struct rp_local local = rp_paris_of_ms(rp_env_now_ms(desk->env));
    struct rp_date_text own = rp_date_print(rp_date_of_day(local.day));
    if (!rp_date_parse(today, &date)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "today: 2026-11-26");
    }
    if (rp_date_to_day(date) != local.day) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "today: %s != %.*s", own.s, RP_FMT(today));
    }
    rp_err err = rp_clock_trust_confirm(desk->env, desk->db, RP_VIEW("owner"));
    if (rp_is(err, RP_E_INVALID)) {
        return RP_OK; /* nobody doubted it */
    }
    RP_TRY(err);
    return rp_retention_look_again(desk);
}

/* ?days=30: what goes by then, a thousand at most. */
rp_err rp_admin_retention(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_json *list = NULL;
    uint64_t days = 0;
    rp_view text = rp_request_query(request, "days");
    if (text.n > 0 && !rp_view_to_u64(text, DAYS_MAX, &days)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "days: 0 … %d", DAYS_MAX);
    }
    RP_TRY(open_planned(request, &desk));
    int64_t by_ms = rp_env_now_ms(desk.env) + (int64_t)days * DAY_MS;
    RP_TRY(rp_desk_retiring(&desk, by_ms, &list));
    return send(request, &desk, list);
}

/* All clocks that are due ring, as they do twice a second by themselves. ?today=2026-11-26: after
 * the clock leapt, and that is the day. */
rp_err rp_admin_retention_now(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_json *list = NULL;
    size_t fired = 1;
    rp_view today = rp_request_query(request, "today");
    if (today.n > 0) {
        RP_TRY(confirm_clock(request, today));
    }
    RP_TRY(open_planned(request, &desk));
    RP_TRY(rp_desk_retiring(&desk, rp_env_now_ms(desk.env), &list));
    while (fired > 0) {
        struct rp_desk ringing = desk;
        ringing.arena = rp_arena_new(16 * 1024 * 1024);
        rp_err err = ringing.arena ? rp_desk_tick(&ringing, &fired) : RP_ERR(NO_MEMORY);
        rp_arena_free(ringing.arena);
        RP_TRY(err);
    }
    return send(request, &desk, list);
}
