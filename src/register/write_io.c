/* write_io.c — making, editing, moving: who may, what must be true, then one transaction. */
#include "base/assert.h"
#include "register/save.h"

enum { POSSIBLE_SHOWN = 180 };

static const char *say(const struct rp_desk *desk, const char *fr, const char *en) {
    return desk->lang == RP_FR ? fr : en;
}

/* ---- who may ---- */

bool rp_desk_is_own(const struct rp_desk *desk, const struct rp_entry *record) {
    const struct rp_register *reg = record->facts.reg;
    if (!reg->own || !desk->actor.listed) {
        return false;
    }
    struct rp_id_text actor = rp_id_print(desk->actor.id);
    rp_view own = strcmp(reg->own, "id") == 0 ? rp_text_of_id(&record->facts.id_text)
                                              : rp_json_get_string(record->facts.open, reg->own);
    return rp_view_equal(own, rp_text_of_id(&actor));
}

/*= S27 */ /* in a strict register nobody has a role by being an operator or the owner */
static bool may_all(const struct rp_desk *desk, const struct rp_register *reg) {
    return !reg->strict && (desk->actor.owner || desk->actor.operator_role || desk->canary);
}

static bool among(const struct rp_desk *desk, const struct rp_register *reg,
                  const struct rp_names *names, const struct rp_entry *record) {
    for (size_t i = 0; i < names->n; i++) {
        bool self = strcmp(names->s[i], "self") == 0;
        if (self && record && rp_desk_is_own(desk, record)) {
            return true;
        }
        if (!self && (may_all(desk, reg) || rp_desk_has_role(desk, names->s[i]) ||
                      (desk->actor.listed && strcmp(names->s[i], "anyone") == 0))) {
            return true;
        }
    }
    return false;
}

static rp_err fail_with_roles(const struct rp_desk *desk, const struct rp_names *who) {
    _cleanup_(rp_buf_done) struct rp_buf roles = rp_buf_new(RP_LIST_MAX * 64);
    for (size_t i = 0; i < who->n; i++) {
        rp_buf_printf(&roles, "%s%s", i ? ", " : "", who->s[i]);
    }
    RP_TRY(rp_buf_err(&roles));
    return rp_fail(desk->diag, RP_ERR(DENIED), "%s: %.*s", say(desk, "rôle", "role"),
                   RP_FMT(roles.n ? rp_buf_view(&roles) : RP_VIEW("–")));
}

rp_err rp_desk_check_write(const struct rp_desk *desk, const struct rp_register *reg,
                           const struct rp_entry *record) {
    return among(desk, reg, &reg->write, record) ? RP_OK : fail_with_roles(desk, &reg->write);
}

/*= S62: four eyes: the author, or whom a field names, does not decide */
static rp_err check_eyes(const struct rp_desk *desk, const struct rp_move *move,
                         const struct rp_entry *was) {
    struct rp_id_text actor = rp_id_print(desk->actor.id);
    for (size_t i = 0; i < move->not_by.n; i++) {
        const char *name = move->not_by.s[i];
        rp_view whose = strcmp(name, "author") == 0 ? rp_text_of_id(&was->facts.author_text)
                                                    : rp_json_get_string(was->facts.open, name);
        if (rp_view_equal(whose, rp_text_of_id(&actor))) {
            return rp_fail(desk->diag, RP_ERR(DENIED), "%s: %s",
                           say(desk, "quatre yeux", "four eyes"), name);
        }
    }
    return RP_OK;
}

/* A signature is a person's: by their key where they have one, else in a session whose second
 * factor was shown a moment ago. */
static rp_err check_signature(const struct rp_desk *desk, const struct rp_move *move,
                              const struct rp_change *change) {
    if (!move->sign || (change->evidence && desk->actor.listed)) {
        return RP_OK;
    }
    if (desk->actor.has_key && desk->actor.listed) {
        return rp_fail(desk->diag, RP_ERR(SECOND_FACTOR), "%s",
                       say(desk,
                           "signature : par votre clé d’accès ou de sécurité (POST …/signature)",
                           "signature: by your passkey or security key (POST …/signature)"));
    }
    int64_t age_ms = rp_env_now_ms(desk->env) - desk->actor.second_factor_ms;
    if (!desk->actor.listed || desk->actor.second_factor_ms == 0 || age_ms < 0 ||
        age_ms > RP_SIGNATURE_FRESH_MS) {
        return rp_fail(desk->diag, RP_ERR(SECOND_FACTOR), "%s",
                       say(desk,
                           "signature : reconnectez-vous avec le second facteur (moins de dix "
                           "minutes), compte inscrit au registre des personnes",
                           "signature: sign in again with the second factor (within ten minutes), "
                           "the account being in the persons register"));
    }
    return RP_OK;
}

/* What somebody could have said: "review: read, approve, return". */
static rp_err fail_with_moves(const struct rp_desk *desk, const struct rp_entry *was, rp_err err,
                              rp_view asked) {
    const struct rp_register *reg = was->facts.reg;
    int at = rp_register_state(reg, was->facts.state);
    _cleanup_(rp_buf_done) struct rp_buf possible = rp_buf_new(POSSIBLE_SHOWN);
    for (size_t i = 0; i < reg->move_count; i++) {
        if ((reg->moves[i].from >> at & 1) == 1 && !reg->moves[i].automatic) {
            rp_buf_printf(&possible, "%s%s", possible.n ? ", " : "", reg->moves[i].id);
        }
    }
    RP_TRY(rp_buf_err(&possible));
    rp_view shown = possible.n ? rp_buf_view(&possible) : RP_VIEW("–");
    return rp_fail(desk->diag, err, "%.*s: %s %.*s (%s: %.*s)", RP_FMT(asked),
                   say(desk, "impossible depuis l’état", "not possible from the state"),
                   RP_FMT(was->facts.state), say(desk, "possibles", "possible"), RP_FMT(shown));
}

static rp_err check_move(const struct rp_desk *desk, const struct rp_entry *was,
                         const struct rp_move *move, const struct rp_change *change) {
    const struct rp_register *reg = was->facts.reg;
    int at = rp_register_state(reg, was->facts.state);
    if ((move->from >> at & 1) == 0) {
        return fail_with_moves(desk, was, RP_ERR(INVALID), rp_view_from_cstr(move->id));
    }
    if (desk->actor.engine) {
        return RP_OK;
    }
    const struct rp_names *who = move->who.n ? &move->who : &reg->write;
    if (move->automatic || !among(desk, reg, who, was)) {
        return fail_with_roles(desk, who);
    }
    if (move->reason && change->reason.n == 0) {
        return rp_fail(desk->diag, RP_ERR(INVALID), "reason: %s",
                       say(desk, "obligatoire", "required"));
    }
    RP_TRY(check_eyes(desk, move, was));
    return check_signature(desk, move, change);
}

/* ---- drafts ---- */

static rp_err next_number(struct rp_desk *desk, const struct rp_register *reg,
                          uint64_t *ret_number) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT max(coalesce((SELECT max(number) FROM register_record "
                       "WHERE register = ?1), 0), coalesce((SELECT max(number) "
                       "FROM register_retired WHERE register = ?1), 0)) + 1",
                       &row));
    rp_row_bind_text(row, 1, rp_desk_shelf(desk, reg));
    RP_TRY(rp_row_first(row));
    *ret_number = rp_row_u64(row, 0);
    return RP_OK;
}

static rp_err next_row(struct rp_desk *desk, uint64_t *ret_row) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    /* A row that somebody deleted in the file has left its history: its place stays taken. */
    RP_TRY(rp_db_query(desk->db,
                       "SELECT max(coalesce((SELECT max(row) FROM register_record), 0), "
                       "coalesce((SELECT max(record) FROM register_change), 0)) + 1",
                       &row));
    RP_TRY(rp_row_first(row));
    *ret_row = rp_row_u64(row, 0);
    return RP_OK;
}

static rp_err start_new(struct rp_draft *draft) {
    struct rp_desk *desk = draft->desk;
    struct rp_facts *facts = &draft->now.facts;
    facts->reg = draft->reg;
    facts->id = rp_env_new_id(desk->env);
    facts->id_text = rp_id_print(facts->id);
    facts->author_text = rp_id_print(desk->actor.id);
    facts->state = rp_view_from_cstr(draft->reg->states[0].id);
    facts->created_ms = facts->changed_ms = draft->now_ms;
    draft->now.version = 1;
    draft->now.canary = desk->canary;
    facts->example = draft->change->example;
    RP_TRY(next_number(desk, draft->reg, &facts->number));
    return next_row(desk, &draft->now.row);
}

static rp_err check_version(const struct rp_draft *draft) {
    uint64_t seen = draft->change->version;
    return seen == 0 || seen == draft->was.version ? RP_OK : RP_ERR(CONFLICT);
}

static void start_from(struct rp_draft *draft, const struct rp_entry *was) {
    draft->was = *was;
    draft->now = *was;
    draft->now.version = was->version + 1;
    draft->now.facts.changed_ms = draft->now_ms;
}

static rp_err finish(struct rp_draft *draft) {
    RP_TRY(rp_draft_merge(draft));
    RP_TRY(rp_draft_check(draft));
    return rp_draft_save(draft);
}

rp_err rp_create_inside(struct rp_desk *desk, const struct rp_register *reg,
                        const struct rp_change *change, struct rp_entry *ret_record) {
    struct rp_draft draft = {
        .desk = desk, .reg = reg, .change = change, .now_ms = rp_desk_now_ms(desk)};
    RP_TRY(start_new(&draft));
    RP_TRY(finish(&draft));
    *ret_record = draft.now;
    return RP_OK;
}

rp_err rp_edit_inside(struct rp_desk *desk, const struct rp_entry *was,
                      const struct rp_change *change, struct rp_entry *ret_record) {
    struct rp_draft draft = {
        .desk = desk, .reg = was->facts.reg, .change = change, .now_ms = rp_desk_now_ms(desk)};
    start_from(&draft, was);
    RP_TRY(check_version(&draft));
    RP_TRY(finish(&draft));
    *ret_record = draft.now;
    return RP_OK;
}

rp_err rp_move_inside(struct rp_desk *desk, const struct rp_entry *was, const struct rp_move *move,
                      const struct rp_change *change, struct rp_entry *ret_record) {
    struct rp_draft draft = {.desk = desk,
                             .reg = was->facts.reg,
                             .move = move,
                             .change = change,
                             .now_ms = rp_desk_now_ms(desk)};
    start_from(&draft, was);
    RP_TRY(check_version(&draft));
    RP_TRY(check_move(desk, was, move, change));
    draft.now.facts.state = rp_view_from_cstr(draft.reg->states[move->to].id);
    RP_TRY(finish(&draft));
    RP_TRY(rp_make_others(desk, &draft.now, move));
    *ret_record = draft.now;
    return RP_OK;
}

/* ---- the doors ---- */

struct doing {
    struct rp_desk *desk;
    const struct rp_register *reg;
    rp_id id;
    rp_view move;
    const struct rp_change *change;
    struct rp_entry record;
};

/* A dry run says what would be, and undoes it. */
static rp_err end(const struct doing *doing, rp_err err) {
    RP_TRY(err);
    return doing->change->dry_run ? RP_ERR(EXPIRED) : RP_OK;
}

static rp_err do_create(struct rp_db *db, void *ctx) {
    (void)db;
    struct doing *doing = ctx;
    RP_TRY(rp_desk_check_write(doing->desk, doing->reg, NULL));
    return end(doing, rp_create_inside(doing->desk, doing->reg, doing->change, &doing->record));
}

static rp_err do_edit(struct rp_db *db, void *ctx) {
    (void)db;
    struct doing *doing = ctx;
    struct rp_entry was;
    RP_TRY(rp_entry_by_id(doing->desk, doing->reg, doing->id, &was));
    RP_TRY(rp_desk_check_write(doing->desk, doing->reg, &was));
    return end(doing, rp_edit_inside(doing->desk, &was, doing->change, &doing->record));
}

static rp_err do_move(struct rp_db *db, void *ctx) {
    (void)db;
    struct doing *doing = ctx;
    struct rp_desk *desk = doing->desk;
    const struct rp_move *move = rp_register_move(doing->reg, doing->move);
    struct rp_entry was;
    RP_TRY(rp_entry_by_id(desk, doing->reg, doing->id, &was));
    if (!move) {
        return fail_with_moves(desk, &was, RP_ERR(UNKNOWN_KEY), doing->move);
    }
    return end(doing, rp_move_inside(desk, &was, move, doing->change, &doing->record));
}

struct refusal {
    const struct rp_desk *desk;
    const struct rp_register *reg;
    rp_id id;
};

static rp_err emit_refused(struct rp_db *db, void *ctx) {
    const struct refusal *refusal = ctx;
    const struct rp_desk *desk = refusal->desk;
    struct rp_event *event = rp_event_new(desk->arena, RP_EVENT_REGISTER_REFUSED,
                                          rp_env_now_ms(desk->env), RP_ROLE_CORE);
    rp_event_add_text(event, "register", rp_view_from_cstr(refusal->reg->id));
    rp_event_add_id(event, "record", refusal->id);
    rp_event_add_text(event, "gate",
                      desk->diag ? rp_view_from_cstr(desk->diag->text) : RP_VIEW(""));
    rp_event_add_id(event, "by", desk->actor.id);
    rp_event_add_text(event, "how", rp_view_from_cstr(desk->actor.how));
    return rp_db_emit(db, event);
}

void rp_desk_refused(struct rp_desk *desk, const struct rp_register *reg, rp_id id) {
    struct refusal refusal = {desk, reg, id};
    rp_ignore(rp_db_transact(desk->db, emit_refused, &refusal)); /* the answer is no in any case */
}

static rp_err run(struct doing *doing, rp_err (*body)(struct rp_db *db, void *ctx),
                  struct rp_entry *ret_record) {
    RP_ASSERT(doing->desk->key != NULL);
    rp_err err = rp_db_transact(doing->desk->db, body, doing);
    if (rp_is(err, RP_E_DENIED)) {
        rp_desk_refused(doing->desk, doing->reg, doing->id);
    }
    if (rp_is(err, RP_E_EXPIRED) && doing->change->dry_run) {
        err = RP_OK;
    }
    if (rp_ok(err)) {
        *ret_record = doing->record;
    }
    return err;
}

/*= S9, S10, S31, S165: every door ends here, and every write asks the gates */
rp_err rp_desk_create(struct rp_desk *desk, const struct rp_register *reg,
                      const struct rp_change *change, struct rp_entry *ret_record) {
    struct doing doing = {.desk = desk, .reg = reg, .change = change};
    return run(&doing, do_create, ret_record);
}

rp_err rp_desk_edit(struct rp_desk *desk, const struct rp_register *reg, rp_id id,
                    const struct rp_change *change, struct rp_entry *ret_record) {
    struct doing doing = {.desk = desk, .reg = reg, .id = id, .change = change};
    return run(&doing, do_edit, ret_record);
}

rp_err rp_desk_move(struct rp_desk *desk, const struct rp_register *reg, rp_id id, rp_view move,
                    const struct rp_change *change, struct rp_entry *ret_record) {
    struct doing doing = {.desk = desk, .reg = reg, .id = id, .move = move, .change = change};
    return run(&doing, do_move, ret_record);
}
