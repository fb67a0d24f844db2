/* register_retention_api.c — what retention takes, told to the machine's owner and done for them.
 */
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
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add(request->arena, root, "records", list);
    return rp_api_send(request, 200, root);
}

/* All clocks that are due ring, as they do twice a second by themselves. */
rp_err rp_admin_retention_now(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_json *list = NULL;
    size_t fired = 1;
    RP_TRY(open_planned(request, &desk));
    RP_TRY(rp_desk_retiring(&desk, rp_env_now_ms(desk.env), &list));
    while (fired > 0) {
        struct rp_desk ringing = desk;
        ringing.arena = rp_arena_new(16 * 1024 * 1024);
        rp_err err = ringing.arena ? rp_desk_tick(&ringing, &fired) : RP_ERR(NO_MEMORY);
        rp_arena_free(ringing.arena);
        RP_TRY(err);
    }
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add(request->arena, root, "records", list);
    return rp_api_send(request, 200, root);
}
