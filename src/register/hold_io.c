/* hold_io.c — a deadline that stands for a reason, and goes on. */
#include "base/assert.h"
#include "register/retention.h"

struct holding {
    struct rp_desk *desk;
    const struct rp_register *reg;
    rp_id id;
    rp_view deadline, reason;
    struct rp_entry record;
};

static const struct rp_deadline *find_deadline(const struct holding *holding) {
    for (size_t i = 0; i < holding->reg->deadline_count; i++) {
        const struct rp_deadline *d = &holding->reg->deadlines[i];
        if (rp_view_equal(holding->deadline, rp_view_from_cstr(d->id))) {
            return d;
        }
    }
    /* A lawsuit keeps what would have gone. */
    return rp_view_equal(holding->deadline, RP_VIEW(RP_RETENTION_CLOCK)) ? &rp_retention_deadline
                                                                         : NULL;
}

static rp_err emit_held(const struct holding *holding, const struct rp_deadline *d,
                        const char *what) {
    const struct rp_desk *desk = holding->desk;
    struct rp_event *event = rp_desk_event(desk, RP_EVENT_REGISTER_HELD, &holding->record);
    rp_event_add_text(event, "deadline", rp_view_from_cstr(d->id));
    rp_event_add_text(event, "what", rp_view_from_cstr(what));
    rp_event_add_id(event, "by", desk->actor.id);
    rp_event_add_text(event, "how", rp_view_from_cstr(desk->actor.how));
    return rp_db_emit(desk->db, event);
}

static rp_err hold(struct rp_db *db, void *ctx) {
    struct holding *holding = ctx;
    struct rp_desk *desk = holding->desk;
    struct rp_entry was;
    bool stop = holding->reason.n > 0;
    const struct rp_deadline *d = find_deadline(holding);
    int64_t now_ms = rp_env_now_ms(desk->env);
    RP_TRY(rp_entry_by_id(desk, holding->reg, holding->id, &was));
    RP_TRY(rp_desk_check_write(desk, holding->reg, &was));
    if (!d) {
        return rp_fail(desk->diag, RP_ERR(NOT_FOUND), "%.*s", RP_FMT(holding->deadline));
    }
    if (d->legal) {
        return rp_fail(desk->diag, RP_ERR(INVALID), "%s: %s", d->id,
                       desk->lang == RP_FR ? "un délai légal ne s’arrête pas"
                                           : "a legal deadline does not stand");
    }
    struct rp_clock_key key = {holding->id, holding->deadline};
    rp_err err = stop                          ? rp_clock_hold(db, &key, holding->reason, now_ms)
                 : d == &rp_retention_deadline ? rp_retention_go_on(desk, &was)
                                               : rp_clock_go_on(db, &key, &desk->calendar, now_ms);
    if (rp_is(err, RP_E_INVALID)) {
        return rp_fail(desk->diag, err, "%s: %s", d->id,
                       stop ? (desk->lang == RP_FR ? "déjà suspendue, ou motif trop long"
                                                   : "it stands already, or the reason is too long")
                            : (desk->lang == RP_FR ? "elle court" : "it runs"));
    }
    RP_TRY(err);
    const char *what = stop ? "held" : "going on";
    rp_view words = rp_arena_printf(desk->arena, "%s %s", d->id, what);
    struct rp_change change = {.reason = holding->reason, .clock = (const char *)words.p};
    RP_TRY(rp_edit_inside(desk, &was, &change, &holding->record));
    return emit_held(holding, d, what);
}

rp_err rp_desk_hold(struct rp_desk *desk, const struct rp_register *reg, rp_id id, rp_view deadline,
                    rp_view reason, struct rp_entry *ret_record) {
    RP_ASSERT(desk->key != NULL);
    struct holding holding = {
        .desk = desk, .reg = reg, .id = id, .deadline = deadline, .reason = reason};
    rp_err err = rp_db_transact(desk->db, hold, &holding);
    if (rp_is(err, RP_E_DENIED)) {
        rp_desk_refused(desk, reg, id);
    }
    if (rp_ok(err)) {
        *ret_record = holding.record;
    }
    return err;
}
