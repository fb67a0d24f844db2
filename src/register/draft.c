/* draft.c — a record as it shall be: values merged and checked, rules and gates asked. */
#include "base/assert.h"
#include "register/save.h"

struct rp_json *rp_json_like(struct rp_arena *arena, const struct rp_json *json) {
    struct rp_json *copy = rp_arena_alloc(arena, sizeof *copy);
    if (copy) {
        *copy = *json;
        copy->next = NULL;
        copy->key = (rp_view){NULL, 0};
    }
    return copy;
}

static const char *say(const struct rp_draft *draft, const char *fr, const char *en) {
    return draft->desk->lang == RP_FR ? fr : en;
}

static const struct rp_json *old_value(const struct rp_draft *draft, const struct rp_field *field) {
    const struct rp_facts *was = &draft->was.facts;
    return rp_json_get(field->sealed ? was->secret : was->open, field->id);
}

/* ---- what the change brings ---- */

static rp_err check_reason(const struct rp_draft *draft) {
    rp_view reason = draft->change->reason;
    return rp_view_find_byte(reason, 0) == reason.n
               ? RP_OK
               : rp_fail(draft->desk->diag, RP_ERR(INVALID), "reason: %s",
                         say(draft, "sans octet nul", "without a zero byte"));
}

static rp_err check_known(const struct rp_draft *draft) {
    const struct rp_json *fields = draft->change->fields;
    for (const struct rp_json *one = fields ? fields->first : NULL; one; one = one->next) {
        const struct rp_field *field = rp_register_field(draft->reg, one->key);
        if (!field) {
            return rp_fail(draft->desk->diag, RP_ERR(UNKNOWN_KEY), "%.*s %s %s", RP_FMT(one->key),
                           say(draft, "n’est pas un champ de", "is no field of"), draft->reg->id);
        }
        if (field->fixed || field->type == RP_FIELD_COMPUTED) {
            return rp_fail(draft->desk->diag, RP_ERR(DENIED), "%s: %s", field->id,
                           say(draft, "ne s’écrit pas à la main", "is not written by hand"));
        }
        bool locked =
            draft->was.version > 0 &&
            (draft->reg->locked >> rp_register_state(draft->reg, draft->was.facts.state) & 1) == 1;
        bool needed =
            draft->move && rp_names_have(&draft->move->needs, rp_view_from_cstr(field->id));
        if (locked && !needed) {
            return rp_fail(draft->desk->diag, RP_ERR(DENIED), "%s: %s", field->id,
                           say(draft, "ne change plus dans cet état", "is locked in this state"));
        }
        RP_TRY(rp_value_check(field, one, draft->desk->lang, draft->desk->diag));
    }
    return RP_OK;
}

static rp_err effect_value(const struct rp_draft *draft, const struct rp_effect *effect,
                           struct rp_json *ret_json) {
    const struct rp_desk *desk = draft->desk;
    struct rp_json json = {.kind = RP_JSON_STRING};
    rp_view text = rp_view_from_cstr(effect->text);
    struct rp_id_text actor = rp_id_print(desk->actor.id);
    struct rp_date_text today = rp_date_print(rp_date_of_day(rp_paris_of_ms(draft->now_ms).day));
    struct rp_time_text now = rp_time_print(draft->now_ms / 1000);
    switch (effect->kind) {
    case RP_EFFECT_NOW:
        text = rp_view_from_cstr(now.s);
        break;
    case RP_EFFECT_TODAY:
        text = rp_view_from_cstr(today.s);
        break;
    case RP_EFFECT_ACTOR:
        if (!desk->actor.listed) {
            return rp_fail(desk->diag, RP_ERR(DENIED), "%s",
                           say(draft, "seule une personne du registre des personnes le peut",
                               "only somebody of the persons register can"));
        }
        text = rp_text_of_id(&actor);
        break;
    case RP_EFFECT_EMPTY:
        json.kind = RP_JSON_NULL;
        break;
    case RP_EFFECT_LITERAL:
        if (effect->field->type == RP_FIELD_BOOL) {
            json.kind = RP_JSON_BOOL;
            json.boolean = rp_view_equal(text, RP_VIEW("true"));
        }
        break;
    }
    RP_TRY(rp_arena_copy(desk->arena, text, &json.string));
    *ret_json = json;
    return RP_OK;
}

static const struct rp_effect *effect_on(const struct rp_move *move, const struct rp_field *field) {
    for (size_t i = 0; move && i < move->set_count; i++) {
        if (move->set[i].field == field) {
            return &move->set[i];
        }
    }
    return NULL;
}

static rp_err merge_field(struct rp_draft *draft, const struct rp_field *field) {
    struct rp_arena *arena = draft->desk->arena;
    if (field->type == RP_FIELD_COMPUTED) {
        return RP_OK; /* what a record may hold of the days when it was typed goes with the change
                       */
    }
    const struct rp_json *value = rp_json_get(draft->change->fields, field->id);
    value = value ? value : old_value(draft, field);
    const struct rp_effect *effect = effect_on(draft->move, field);
    struct rp_json made;
    if (effect) {
        RP_TRY(effect_value(draft, effect, &made));
        value = &made;
    }
    if (!value || value->kind == RP_JSON_NULL) {
        return RP_OK;
    }
    struct rp_json *copy = rp_json_like(arena, value);
    /*= S83: what the schema marks as sealed never lies open */
    struct rp_json *to = field->sealed ? draft->secret : draft->open;
    return rp_json_add(arena, to, field->id, copy) && copy ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_draft_merge(struct rp_draft *draft) {
    RP_TRY(check_reason(draft));
    RP_TRY(check_known(draft));
    draft->open = rp_json_object(draft->desk->arena);
    draft->secret = rp_json_object(draft->desk->arena);
    for (size_t i = 0; i < draft->reg->field_count; i++) {
        RP_TRY(merge_field(draft, &draft->reg->fields[i]));
    }
    draft->now.facts.open = draft->open;
    draft->now.facts.secret = draft->secret;
    return draft->open && draft->secret ? RP_OK : RP_ERR(TOO_LARGE);
}

/* ---- whether it may stand ---- */

static const struct rp_json *new_value(const struct rp_draft *draft, const char *id) {
    const struct rp_field *field = rp_register_field(draft->reg, rp_view_from_cstr(id));
    return rp_json_get(field->sealed ? draft->secret : draft->open, id);
}

static rp_err check_reference(const struct rp_draft *draft, const struct rp_field *field,
                              const struct rp_json *value) {
    rp_id id;
    struct rp_facts facts;
    struct rp_asking asking = rp_desk_asking(draft->desk);
    if (!field->target || !value || !rp_id_parse(value->string, &id)) {
        return RP_OK;
    }
    rp_err err = asking.find(draft->desk, field->target, id, &facts);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return rp_fail(draft->desk->diag, RP_ERR(INVALID), "%s: %s %s", field->id,
                       say(draft, "absent du registre", "not in the register"), field->refers);
    }
    RP_TRY(err);
    /* What is real never leans on the company that teaches: it can be removed at any time. */
    return facts.example == draft->now.facts.example
               ? RP_OK
               : rp_fail(draft->desk->diag, RP_ERR(DENIED), "%s: %s", field->id,
                         say(draft, "l’exemple et les vraies fiches ne se mélangent pas",
                             "the example and real records do not mix"));
}

/*= S9, S10: nobody signs in as a person of the example, whose gates were opened for show */
static rp_err check_example(const struct rp_draft *draft, const struct rp_field *field,
                            const struct rp_json *value) {
    bool account = strcmp(draft->reg->id, "persons") == 0 && strcmp(field->id, "account") == 0;
    bool shown = draft->now.facts.example || (draft->desk->canary && !draft->desk->actor.owner);
    return account && value && shown && !rp_json_same(value, old_value(draft, field))
               ? rp_fail(draft->desk->diag, RP_ERR(DENIED), "%s: %s", field->id,
                         say(draft, "une personne de l’exemple n’a pas de compte",
                             "a person of the example has no account"))
               : RP_OK;
}

static rp_err check_unique(const struct rp_draft *draft, const struct rp_field *field,
                           const struct rp_json *value) {
    if (!field->unique || !value) {
        return RP_OK;
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(draft->desk->db,
                       "SELECT count(*) FROM register_value "
                       "WHERE register = ?1 AND field = ?2 AND value = ?3 AND record <> ?4",
                       &row));
    rp_row_bind_text(row, 1, rp_desk_shelf(draft->desk, draft->reg));
    rp_row_bind_text(row, 2, rp_view_from_cstr(field->id));
    rp_row_bind_text(row, 3, value->string);
    rp_row_bind_u64(row, 4, draft->now.row);
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) == 0 ? RP_OK
                                   : rp_fail(draft->desk->diag, RP_ERR(DUPLICATE), "%s", field->id);
}

static rp_err check_fields(const struct rp_draft *draft) {
    for (size_t i = 0; i < draft->reg->field_count; i++) {
        const struct rp_field *field = &draft->reg->fields[i];
        const struct rp_json *value = new_value(draft, field->id);
        if (field->required && !value) {
            return rp_fail(draft->desk->diag, RP_ERR(INVALID), "%s: %s", field->id,
                           say(draft, "obligatoire", "required"));
        }
        RP_TRY(check_example(draft, field, value));
        RP_TRY(check_reference(draft, field, value));
        RP_TRY(check_unique(draft, field, value));
    }
    return RP_OK;
}

static rp_err check_needs(const struct rp_draft *draft) {
    _cleanup_(rp_buf_done) struct rp_buf missing = rp_buf_new(RP_LIST_MAX * 64);
    for (size_t i = 0; draft->move && i < draft->move->needs.n; i++) {
        if (!new_value(draft, draft->move->needs.s[i])) {
            rp_buf_printf(&missing, "%s%s", missing.n ? ", " : "", draft->move->needs.s[i]);
        }
    }
    RP_TRY(rp_buf_err(&missing));
    return missing.n == 0
               ? RP_OK
               : rp_fail(draft->desk->diag, RP_ERR(INVALID), "%.*s: %s",
                         RP_FMT(rp_buf_view(&missing)),
                         say(draft, "nécessaire pour ce passage", "needed for this move"));
}

static rp_err demand(const struct rp_draft *draft, const struct rp_expr *expr,
                     const struct rp_facts *facts, const struct rp_words *refusal,
                     const char *gate) {
    struct rp_asking asking = rp_desk_asking(draft->desk);
    bool yes = false;
    RP_TRY(rp_expr_true(expr, facts, &asking, &yes));
    return yes ? RP_OK
               : rp_fail(draft->desk->diag, RP_ERR(DENIED), "%s%s%s", refusal->s[draft->desk->lang],
                         gate ? " · " : "", gate ? gate : "");
}

rp_err rp_draft_check(struct rp_draft *draft) {
    RP_TRY(check_fields(draft));
    RP_TRY(check_needs(draft));
    if (draft->move && draft->move->guard) {
        /* The guard speaks of the record before it moves, with what the move brings. */
        struct rp_facts before = draft->now.facts;
        before.state = draft->was.facts.state;
        RP_TRY(demand(draft, draft->move->guard, &before, &draft->move->refusal, NULL));
    }
    for (size_t i = 0; i < draft->reg->rule_count; i++) {
        const struct rp_rule *rule = &draft->reg->rules[i];
        RP_TRY(demand(draft, rule->must, &draft->now.facts, &rule->refusal, rule->gate));
    }
    return RP_OK;
}
