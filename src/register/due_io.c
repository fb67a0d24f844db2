/* due_io.c — a record's deadlines: begun and ended with its states, and what happens when one is
 * due. */
#include "base/assert.h"
#include "clock/trust_io.h"
#include "register/retention.h"

enum { DUE_AT_ONCE = 64 };

/* Does it run for a record that is so? */
static rp_err runs_for(const struct rp_draft *draft, const struct rp_deadline *d,
                       const struct rp_facts *facts, bool *ret_runs) {
    int at = rp_register_state(draft->reg, facts->state);
    bool in = at >= 0 && (d->in >> at & 1) == 1;
    if (!in || !d->when) {
        *ret_runs = in;
        return RP_OK;
    }
    struct rp_asking asking = rp_desk_asking(draft->desk);
    return rp_expr_true(d->when, facts, &asking, ret_runs);
}

/* The field's instant; false when it has no value. */
static bool date_of(const struct rp_facts *facts, const char *name, int64_t *ret_ms) {
    const struct rp_field *field = rp_register_field(facts->reg, rp_view_from_cstr(name));
    struct rp_value value = rp_value_of_json(field, rp_json_get(facts->open, name));
    *ret_ms = value.ms;
    return value.kind == RP_VALUE_TIME && value.ms > 0;
}

/* Where it starts and ends. False: it cannot run, the date of its end is missing. A date is a whole
 * day: what ends on it ends when it is over. What was never done, and so has no date, is due from
 * now on as if it had been done now: else it would be due never. */
static bool bounds(const struct rp_draft *draft, const struct rp_deadline *d,
                   const struct rp_facts *facts, int64_t *ret_start, int64_t *ret_due) {
    const struct rp_calendar *calendar = &draft->desk->calendar;
    int64_t start = draft->now_ms;
    if (d->at) {
        const struct rp_field *field = rp_register_field(facts->reg, rp_view_from_cstr(d->at));
        *ret_start = RP_MIN(start, facts->changed_ms);
        bool there = date_of(facts, d->at, ret_due);
        *ret_due += field->type == RP_FIELD_DATE ? (int64_t)RP_DAY_S * 1000 : 0;
        return there;
    }
    int64_t from = 0;
    start = d->from && date_of(facts, d->from, &from) ? from : start;
    *ret_start = start;
    *ret_due = d->legal ? rp_span_add_legal(calendar, d->within, start)
                        : rp_span_add(calendar, d->within, start);
    return true;
}

/* A date that says when, changed: the clock starts anew. */
static bool moved(const struct rp_draft *draft, const struct rp_deadline *d) {
    const char *name = d->at ? d->at : d->from;
    int64_t was = 0, now = 0;
    if (!name) {
        return false;
    }
    bool had = draft->was.version > 0 && date_of(&draft->was.facts, name, &was);
    bool has = date_of(&draft->now.facts, name, &now);
    return had != has || was != now;
}

static rp_err set_clock(const struct rp_draft *draft, const struct rp_deadline *d) {
    struct rp_clock_key key = {draft->now.facts.id, rp_view_from_cstr(d->id)};
    bool ran = false, runs = false;
    if (draft->was.version > 0) {
        RP_TRY(runs_for(draft, d, &draft->was.facts, &ran));
    }
    RP_TRY(runs_for(draft, d, &draft->now.facts, &runs));
    if (runs && ran && !moved(draft, d)) {
        return RP_OK;
    }
    int64_t start = 0, due = 0;
    if (!runs || !bounds(draft, d, &draft->now.facts, &start, &due)) {
        return ran ? rp_clock_stop(draft->desk->db, &key) : RP_OK;
    }
    struct rp_clock clock = rp_clock_plan(&draft->desk->calendar, &d->plan, start, due);
    clock.working = d->within.unit == RP_WORKING_DAYS || d->legal;
    return rp_clock_put(draft->desk->db, &key, &clock);
}

rp_err rp_draft_clocks(const struct rp_draft *draft) {
    for (size_t i = 0; i < draft->reg->deadline_count; i++) {
        RP_TRY(set_clock(draft, &draft->reg->deadlines[i]));
    }
    return rp_draft_retention(draft);
}

/* ---- due ---- */

static const struct rp_deadline *deadline_of(const struct rp_register *reg, rp_view id) {
    for (size_t i = 0; i < reg->deadline_count; i++) {
        if (rp_view_equal(id, rp_view_from_cstr(reg->deadlines[i].id))) {
            return &reg->deadlines[i];
        }
    }
    return NULL;
}

static rp_err emit_due(struct rp_desk *desk, const struct rp_fired *fired,
                       const struct rp_entry *record, const struct rp_deadline *d) {
    struct rp_event *event = rp_desk_event(desk, RP_EVENT_REGISTER_DUE, record);
    const char *role = fired->step.kind == RP_STEP_REMIND ? d->remind_to : d->escalate_to;
    rp_event_add_u64(event, "number", record->facts.number);
    rp_event_add_text(event, "deadline", rp_view_from_cstr(d->id));
    rp_event_add_text(event, "step", rp_view_from_cstr(rp_step_name(fired->step.kind)));
    rp_event_add_u64(event, "due_ms", (uint64_t)fired->due_ms);
    rp_event_add_text(event, "role", rp_view_from_cstr(role ? role : "author"));
    return rp_db_emit(desk->db, event);
}

/* The move that the deadline makes, where its guard lets it: refused is no failure, and a refusal
 * comes before the first write. */
static rp_err make_move(struct rp_desk *desk, const struct rp_fired *fired,
                        const struct rp_entry *record, const struct rp_deadline *d) {
    if (fired->step.kind != RP_STEP_DUE || !d->then) {
        return RP_OK;
    }
    const struct rp_move *move = rp_register_move(record->facts.reg, rp_view_from_cstr(d->then));
    int at = rp_register_state(record->facts.reg, record->facts.state);
    if ((move->from >> at & 1) == 0) {
        return RP_OK;
    }
    struct rp_change change = {.version = record->version};
    struct rp_entry after;
    rp_err err = rp_move_inside(desk, record, move, &change, &after);
    return rp_is(err, RP_E_DENIED) || rp_is(err, RP_E_INVALID) ? RP_OK : err;
}

static rp_err emit_altered(struct rp_desk *desk, const struct rp_fired *fired) {
    struct rp_event *event = rp_event_new(desk->arena, RP_EVENT_REGISTER_ALTERED,
                                          rp_env_now_ms(desk->env), RP_ROLE_CORE);
    rp_event_add_text(event, "register", RP_VIEW("clock"));
    rp_event_add_id(event, "record", fired->subject);
    return rp_db_emit(desk->db, event);
}

struct ticking {
    struct rp_desk *desk;
    struct rp_fired fired[DUE_AT_ONCE];
    size_t count;
};

/* What a clock causes. Altered: its record or its history is not what this program wrote. */
static rp_err ring(struct rp_desk *desk, const struct rp_fired *fired) {
    struct rp_entry record;
    RP_TRY(rp_entry_by_subject(desk, fired->subject, &record));
    if (strcmp(fired->name, RP_RETENTION_CLOCK) == 0) {
        return rp_retention_reached(desk, &record);
    }
    const struct rp_deadline *d = deadline_of(record.facts.reg, rp_view_from_cstr(fired->name));
    if (!d) {
        return RP_OK; /* of a former version of the register */
    }
    RP_TRY(emit_due(desk, fired, &record, d));
    RP_TRY(rp_desk_tell_due(desk, fired, &record, d));
    return make_move(desk, fired, &record, d);
}

/* A record or a clock that was altered keeps no other from ringing. */
static rp_err claim(struct rp_db *db, void *ctx) {
    struct ticking *ticking = ctx;
    struct rp_desk *desk = ticking->desk;
    int64_t now_ms = 0;
    RP_TRY(rp_clock_trust_now(desk->env, db, &now_ms));
    RP_TRY(rp_clock_claim(db, now_ms, ticking->fired, DUE_AT_ONCE, &ticking->count));
    for (size_t i = 0; i < ticking->count; i++) {
        const struct rp_fired *fired = &ticking->fired[i];
        rp_err err = fired->altered ? RP_ERR(CORRUPT) : ring(desk, fired);
        if (rp_is(err, RP_E_CORRUPT)) {
            RP_TRY(emit_altered(desk, fired));
        } else if (!rp_is(err, RP_E_NOT_FOUND)) {
            RP_TRY(err);
        }
    }
    return RP_OK;
}

rp_err rp_desk_tick(struct rp_desk *desk, size_t *ret_count) {
    RP_ASSERT(desk != NULL && desk->key != NULL);
    struct ticking ticking = {.desk = desk};
    int64_t when = 0, now_ms = 0;
    *ret_count = 0;
    RP_TRY(rp_clock_when(desk->db, &when));
    RP_TRY(rp_clock_trust_now(desk->env, desk->db, &now_ms));
    if (when > now_ms) {
        return RP_OK;
    }
    desk->actor = (struct rp_actor){.engine = true, .how = "deadline"};
    RP_TRY(rp_db_transact(desk->db, claim, &ticking));
    *ret_count = ticking.count;
    return RP_OK;
}
