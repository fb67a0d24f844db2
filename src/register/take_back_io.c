/* take_back_io.c — a record that should not be there, taken back by who made it, for a day.
 *
 * What people have acted on stays: the history is proof. So only a record that no move and no
 * evidence has touched, that nobody names, and that its own author made within a day, goes; the log
 * keeps that it was there, who made it and who took it back, and its number is not given again.
 */
#include "base/assert.h"
#include "register/retention.h"

static const int64_t regret_ms = (int64_t)RP_DAY_S * 1000;

static const char *say(const struct rp_desk *desk, const char *fr, const char *en) {
    return desk->lang == RP_FR ? fr : en;
}

/* A change that is more than an edit by hand: a move, a file, a deadline that was held. */
static rp_err was_acted_on(struct rp_desk *desk, const struct rp_entry *record, bool *ret_acted) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT 1 FROM register_change WHERE record = ?1 "
                       "AND coalesce(change ->> '$.move', change ->> '$.filed', "
                       "change ->> '$.clock') IS NOT NULL LIMIT 1",
                       &row));
    rp_row_bind_u64(row, 1, record->row);
    return rp_row_next(row, ret_acted);
}

static rp_err check_may(struct rp_desk *desk, const struct rp_entry *record) {
    struct rp_id_text actor = rp_id_print(desk->actor.id);
    bool acted = false, named = false;
    RP_TRY(rp_desk_check_write(desk, record->facts.reg, record));
    if (!rp_view_equal(rp_text_of_id(&record->facts.author_text), rp_text_of_id(&actor))) {
        return rp_fail(
            desk->diag, RP_ERR(DENIED), "%s",
            say(desk, "seul son auteur retire une fiche", "only its author takes a record back"));
    }
    RP_TRY(was_acted_on(desk, record, &acted));
    RP_TRY(rp_entry_is_named(desk, record, &named));
    bool old = rp_env_now_ms(desk->env) - record->facts.created_ms > regret_ms;
    if (acted || named || old || record->facts.example) {
        return rp_fail(desk->diag, RP_ERR(CONFLICT), "%s",
                       say(desk,
                           "une fiche se retire dans la journée, tant que rien ne s’y est passé et "
                           "qu’aucune autre ne la nomme ; ensuite elle va à son terme",
                           "a record is taken back within a day, while nothing has happened to it "
                           "and no other names it; after that it goes its way"));
    }
    return RP_OK;
}

struct taking {
    struct rp_desk *desk;
    const struct rp_register *reg;
    rp_id id;
};

static rp_err take_back(struct rp_db *db, void *ctx) {
    struct taking *taking = ctx;
    struct rp_desk *desk = taking->desk;
    struct rp_entry record;
    RP_TRY(rp_entry_by_id(desk, taking->reg, taking->id, &record));
    RP_TRY(check_may(desk, &record));
    struct rp_event *event = rp_desk_event(desk, RP_EVENT_REGISTER_TAKEN_BACK, &record);
    rp_event_add_u64(event, "number", record.facts.number);
    rp_event_add_id(event, "by", desk->actor.id);
    rp_event_add_text(event, "how", rp_view_from_cstr(desk->actor.how));
    RP_TRY(rp_entry_destroy(desk, &record, record.facts.created_ms));
    return rp_db_emit(db, event);
}

rp_err rp_desk_take_back(struct rp_desk *desk, const struct rp_register *reg, rp_id id) {
    RP_ASSERT(desk->key != NULL);
    struct taking taking = {desk, reg, id};
    rp_err err = rp_db_transact(desk->db, take_back, &taking);
    if (rp_is(err, RP_E_DENIED)) {
        rp_desk_refused(desk, reg, id);
    }
    return err;
}
