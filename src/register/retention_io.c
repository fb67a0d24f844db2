/* retention_io.c — the clock of a closed record, and what is done when it rings. */
#include "register/retention.h"
#include "register/words.h"

#include "base/assert.h"
#include "clock/trust_io.h"

/* Others still name it: looked at again this much later. */
static const int64_t again_ms = (int64_t)30 * RP_DAY_S * 1000;
/* The machine's clock is doubted: looked at again this much later. */
static const int64_t doubt_ms = (int64_t)3600 * 1000;

const struct rp_deadline rp_retention_deadline = {.id = RP_RETENTION_CLOCK,
                                                  .label = {{"Conservation", "Retention"}}};

static bool closed_in(const struct rp_register *reg, rp_view state) {
    int at = rp_register_state(reg, state);
    return at >= 0 && (reg->closed >> at & 1) == 1;
}

bool rp_entry_is_closed(const struct rp_entry *record) {
    return closed_in(record->facts.reg, record->facts.state);
}

/* ---- when ---- */

/* The move that brought it where it is; whoever moves from a state to itself closes nothing. An
 * emptied record's history says when that was. */
static rp_err find_closing(struct rp_desk *desk, const struct rp_entry *record,
                           int64_t *ret_closed_ms) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool found = false;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT coalesce(change ->> '$.closed_at', change ->> '$.at') "
                       "FROM register_change WHERE record = ?1 "
                       "AND (change ->> '$.closed_at' IS NOT NULL "
                       "OR change ->> '$.from' <> change ->> '$.to') "
                       "ORDER BY version DESC LIMIT 1",
                       &row));
    rp_row_bind_u64(row, 1, record->row);
    RP_TRY(rp_row_next(row, &found));
    *ret_closed_ms = record->facts.created_ms;
    return !found || rp_instant_parse(rp_row_text(row, 0), ret_closed_ms) ? RP_OK : RP_ERR(CORRUPT);
}

static int64_t end_of(const struct rp_desk *desk, const struct rp_register *reg,
                      int64_t closed_ms) {
    return rp_span_add(&desk->calendar, reg->retention, closed_ms);
}

rp_err rp_retention_end(struct rp_desk *desk, const struct rp_entry *record, int64_t *ret_end_ms) {
    int64_t closed_ms = 0;
    RP_TRY(find_closing(desk, record, &closed_ms));
    *ret_end_ms = end_of(desk, record->facts.reg, closed_ms);
    return RP_OK;
}

/* ---- the clock ---- */

static struct rp_clock_key key_of(const struct rp_entry *record) {
    return (struct rp_clock_key){record->facts.id, RP_VIEW(RP_RETENTION_CLOCK)};
}

static rp_err start(struct rp_desk *desk, const struct rp_entry *record, int64_t from_ms,
                    int64_t end_ms) {
    static const struct rp_plan plan = {.remind_count = 0};
    struct rp_clock_key key = key_of(record);
    struct rp_clock clock = rp_clock_plan(&desk->calendar, &plan, from_ms, end_ms);
    return rp_clock_put(desk->db, &key, &clock);
}

rp_err rp_draft_retention(const struct rp_draft *draft) {
    const struct rp_facts *was = &draft->was.facts, *now = &draft->now.facts;
    struct rp_clock_key key = key_of(&draft->now);
    bool there = draft->was.version > 0;
    if (now->example || (there && rp_view_equal(was->state, now->state))) {
        return RP_OK;
    }
    if (closed_in(draft->reg, now->state)) {
        int64_t closed_ms = draft->now_ms / 1000 * 1000; /* as the history will say it */
        int64_t end_ms = end_of(draft->desk, draft->reg, closed_ms);
        return start(draft->desk, &draft->now, closed_ms, end_ms);
    }
    return there && closed_in(draft->reg, was->state) ? rp_clock_stop(draft->desk->db, &key)
                                                      : RP_OK;
}

/* Rings it at the end; or a little later, where others name the record still? */
static bool is_planned(const struct rp_clock *clock, int64_t end_ms, int64_t now_ms) {
    int64_t next_ms = 0;
    if (clock->paused_ms != 0) {
        return true;
    }
    return rp_clock_next(clock, &next_ms) &&
           (next_ms == end_ms ||
            (end_ms <= now_ms && next_ms > now_ms && next_ms - now_ms <= again_ms));
}

struct planning {
    struct rp_desk *desk;
    const struct rp_entry *record;
    int64_t end_ms;
};

static rp_err start_late(struct rp_db *db, void *ctx) {
    (void)db;
    struct planning *planning = ctx;
    int64_t changed_ms = planning->record->facts.changed_ms;
    return start(planning->desk, planning->record, changed_ms, planning->end_ms);
}

rp_err rp_retention_plan(struct rp_desk *desk, const struct rp_entry *record) {
    struct planning planning = {.desk = desk, .record = record};
    struct rp_clock_key key = key_of(record);
    struct rp_clock clock;
    if (record->facts.example || record->canary || !rp_entry_is_closed(record)) {
        return RP_OK;
    }
    RP_TRY(rp_retention_end(desk, record, &planning.end_ms));
    rp_err err = rp_clock_find(desk->db, &key, &clock);
    if (rp_ok(err) && is_planned(&clock, planning.end_ms, rp_env_now_ms(desk->env))) {
        return RP_OK;
    }
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND) && !rp_is(err, RP_E_CORRUPT)) {
        return err;
    }
    return rp_db_transact(desk->db, start_late, &planning);
}

rp_err rp_retention_look_again(struct rp_desk *desk) {
    struct rp_row *row = NULL;
    uint64_t now_ms = (uint64_t)rp_env_now_ms(desk->env);
    RP_TRY(rp_db_query(desk->db,
                       "DELETE FROM clock WHERE name = ?1 AND paused_ms = 0 "
                       "AND next_ms BETWEEN ?2 AND ?3",
                       &row));
    rp_row_bind_text(row, 1, RP_VIEW(RP_RETENTION_CLOCK));
    rp_row_bind_u64(row, 2, now_ms);
    rp_row_bind_u64(row, 3, now_ms + (uint64_t)doubt_ms);
    return rp_row_run(row, NULL);
}

rp_err rp_retention_go_on(struct rp_desk *desk, const struct rp_entry *record) {
    struct rp_clock_key key = key_of(record);
    struct rp_clock clock;
    int64_t end_ms = 0;
    RP_TRY(rp_clock_find(desk->db, &key, &clock));
    if (clock.paused_ms == 0) {
        return RP_ERR(INVALID);
    }
    RP_TRY(rp_retention_end(desk, record, &end_ms));
    return start(desk, record, clock.started_ms, end_ms);
}

/* ---- who names it ---- */

static rp_err names_it(struct rp_desk *desk, const struct rp_register *reg,
                       const struct rp_field *field, const struct rp_entry *record,
                       bool *ret_named) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT 1 FROM register_value WHERE register = ?1 AND field = ?2 "
                       "AND value = ?3 AND record <> ?4 LIMIT 1",
                       &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(reg->id));
    rp_row_bind_text(row, 2, rp_view_from_cstr(field->id));
    rp_row_bind_text(row, 3, rp_text_of_id(&record->facts.id_text));
    rp_row_bind_u64(row, 4, record->row);
    return rp_row_next(row, ret_named);
}

rp_err rp_entry_is_named(struct rp_desk *desk, const struct rp_entry *record, bool *ret_named) {
    *ret_named = false;
    for (size_t i = 0; i < desk->registers->count; i++) {
        const struct rp_register *reg = &desk->registers->list[i];
        for (size_t f = 0; f < reg->field_count && !*ret_named; f++) {
            if (reg->fields[f].target == record->facts.reg && reg->fields[f].indexed) {
                RP_TRY(names_it(desk, reg, &reg->fields[f], record, ret_named));
            }
        }
    }
    return RP_OK;
}

/* ---- gone ---- */

static rp_err delete_of(struct rp_desk *desk, const struct rp_entry *record,
                        const char *const *parts, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(desk->db, parts[i], &row));
        rp_row_bind_u64(row, 1, record->row);
        RP_TRY(rp_row_run(row, NULL));
    }
    return RP_OK;
}

static rp_err forget_history(struct rp_desk *desk, const struct rp_entry *record) {
    static const char *const parts[] = {"DELETE FROM register_change WHERE record = ?1",
                                        "DELETE FROM register_piece WHERE record = ?1"};
    return delete_of(desk, record, parts, RP_COUNT_OF(parts));
}

static rp_err delete_all(struct rp_desk *desk, const struct rp_entry *record) {
    static const char *const parts[] = {"DELETE FROM register_value WHERE record = ?1"};
    static const char *const whole[] = {"DELETE FROM register_record WHERE row = ?1"};
    RP_TRY(rp_clock_stop_all(desk->db, record->facts.id));
    RP_TRY(delete_of(desk, record, parts, RP_COUNT_OF(parts)));
    RP_TRY(rp_words_drop(desk->db, record->row));
    RP_TRY(forget_history(desk, record));
    return delete_of(desk, record, whole, RP_COUNT_OF(whole));
}

/* Its number is not given again, and that it was there stays known. */
static rp_err remember(struct rp_desk *desk, const struct rp_entry *record, int64_t closed_ms) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "INSERT INTO register_retired (id, register, number, closed_ms, retired_ms) "
                       "VALUES (?1, ?2, ?3, ?4, ?5)",
                       &row));
    rp_row_bind_id(row, 1, record->facts.id);
    rp_row_bind_text(row, 2, rp_view_from_cstr(record->facts.reg->id));
    rp_row_bind_u64(row, 3, record->facts.number);
    rp_row_bind_u64(row, 4, (uint64_t)closed_ms);
    rp_row_bind_u64(row, 5, (uint64_t)rp_env_now_ms(desk->env));
    return rp_row_run(row, NULL);
}

rp_err rp_entry_destroy(struct rp_desk *desk, const struct rp_entry *record, int64_t closed_ms) {
    /* The canary's shelf is nobody's history, and its numbers are nobody's. */
    RP_TRY(record->canary ? RP_OK : remember(desk, record, closed_ms));
    return delete_all(desk, record);
}

static rp_err emit_retired(struct rp_desk *desk, const struct rp_entry *record, const char *what,
                           int64_t closed_ms) {
    struct rp_event *event = rp_desk_event(desk, RP_EVENT_REGISTER_RETIRED, record);
    rp_event_add_u64(event, "number", record->facts.number);
    rp_event_add_text(event, "what", rp_view_from_cstr(what));
    rp_event_add_text(event, "closed_at", rp_view_from_cstr(rp_time_print(closed_ms / 1000).s));
    rp_event_add_text(event, "retention",
                      rp_view_from_cstr(rp_span_print(record->facts.reg->retention).s));
    return rp_db_emit(desk->db, event);
}

/* ---- emptied: what others need stays ---- */

static bool stays(const struct rp_field *field) {
    if (field->sealed || field->personal) {
        return false;
    }
    switch (field->type) {
    case RP_FIELD_NUMBER:
    case RP_FIELD_DATE:
    case RP_FIELD_DATETIME:
    case RP_FIELD_CHOICE:
    case RP_FIELD_MULTI:
    case RP_FIELD_PERSON:
    case RP_FIELD_REFERENCE:
    case RP_FIELD_BOOL:
    case RP_FIELD_DURATION:
        return true;
    case RP_FIELD_TEXT:
    case RP_FIELD_FILE:
    case RP_FIELD_DIGESTS:
    case RP_FIELD_LEAF:
    case RP_FIELD_URL:
    case RP_FIELD_COMPUTED:
    case RP_FIELD_TYPE_COUNT:
        break;
    }
    return false;
}

static struct rp_json *what_stays(struct rp_desk *desk, const struct rp_entry *record) {
    struct rp_json *open = rp_json_object(desk->arena);
    for (size_t i = 0; i < record->facts.reg->field_count; i++) {
        const struct rp_field *field = &record->facts.reg->fields[i];
        const struct rp_json *value = rp_json_get(record->facts.open, field->id);
        if (value && stays(field)) {
            rp_json_add(desk->arena, open, field->id, rp_json_like(desk->arena, value));
        }
    }
    return open;
}

static bool is_empty_already(const struct rp_entry *record, const struct rp_json *open) {
    return rp_json_same(record->facts.open, open) &&
           (!record->facts.secret || record->facts.secret->count == 0);
}

/* Its history says that it was emptied, and when it had been closed; nothing of what was. */
static rp_err empty_it(struct rp_desk *desk, const struct rp_entry *record, struct rp_json *open,
                       int64_t closed_ms) {
    struct rp_change change = {.clock = "retention reached", .closed_ms = closed_ms};
    struct rp_draft draft = {.desk = desk,
                             .reg = record->facts.reg,
                             .was = *record,
                             .now = *record,
                             .open = open,
                             .secret = rp_json_object(desk->arena),
                             .change = &change,
                             .now_ms = rp_env_now_ms(desk->env)};
    draft.was.facts.open = open;
    draft.was.facts.secret = NULL;
    draft.now.version++;
    draft.now.facts.changed_ms = draft.now_ms;
    RP_TRY(forget_history(desk, record));
    RP_TRY(rp_draft_save(&draft));
    return emit_retired(desk, record, "emptied", closed_ms);
}

rp_err rp_retention_reached(struct rp_desk *desk, const struct rp_entry *record) {
    int64_t closed_ms = 0, now_ms = rp_env_now_ms(desk->env);
    struct rp_clock_trust trust;
    bool named = false;
    if (record->facts.example || record->canary || !rp_entry_is_closed(record)) {
        return RP_OK;
    }
    RP_TRY(find_closing(desk, record, &closed_ms));
    int64_t end_ms = end_of(desk, record->facts.reg, closed_ms);
    if (end_ms > now_ms) { /* somebody set the clock forward, or the span grew */
        return start(desk, record, closed_ms, end_ms);
    }
    RP_TRY(rp_clock_trust_read(desk->env, desk->db, &trust));
    if (!trust.believed) {
        return start(desk, record, closed_ms, now_ms + doubt_ms);
    }
    RP_TRY(rp_entry_is_named(desk, record, &named));
    if (!named) {
        RP_TRY(rp_entry_destroy(desk, record, closed_ms));
        return emit_retired(desk, record, "destroyed", closed_ms);
    }
    struct rp_json *open = what_stays(desk, record);
    if (!is_empty_already(record, open)) {
        RP_TRY(empty_it(desk, record, open, closed_ms));
    }
    return start(desk, record, closed_ms, now_ms + again_ms);
}
