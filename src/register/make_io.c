/* make_io.c — what a move brings about in other records: some are made, some moved.
 *
 * All in the transaction of the move, and by whoever moves. One is made, or one for each record of
 * some register that is so: a signature to ask of each person whom a policy concerns. What is moved
 * elsewhere moves as a deadline would, without its `who`; its guards and rules are asked.
 */
#include "base/assert.h"
#include "register/save.h"

struct making {
    struct rp_desk *desk;
    const struct rp_entry *record; /* that moved */
    const struct rp_making *what;
};

static rp_err json_of(struct rp_arena *arena, const struct rp_field *field,
                      const struct rp_value *value, struct rp_json *ret_json) {
    struct rp_json json = {.kind = RP_JSON_STRING};
    rp_view text = value->text;
    struct rp_date_text date = rp_date_print(rp_date_of_day(rp_paris_of_ms(value->ms).day));
    struct rp_time_text instant = rp_time_print(value->ms / 1000);
    switch (value->kind) {
    case RP_VALUE_NONE:
    case RP_VALUE_SPAN:
        json.kind = RP_JSON_NULL;
        break;
    case RP_VALUE_BOOL:
        json.kind = RP_JSON_BOOL;
        json.boolean = value->boolean;
        break;
    case RP_VALUE_NUMBER:
        json.kind = RP_JSON_NUMBER;
        json.number = value->number;
        break;
    case RP_VALUE_TEXT:
        break;
    case RP_VALUE_TIME:
        text = rp_view_from_cstr(field->type == RP_FIELD_DATE ? date.s : instant.s);
        break;
    case RP_VALUE_LIST:
        *ret_json = *value->list;
        return RP_OK;
    }
    if (json.kind == RP_JSON_STRING) {
        RP_TRY(rp_arena_copy(arena, text, &json.string));
    }
    *ret_json = json;
    return RP_OK;
}

static rp_err add_values(struct rp_desk *desk, const struct making *making,
                         const struct rp_facts *each, struct rp_json *fields) {
    const struct rp_facts *record = &making->record->facts;
    struct rp_asking asking = rp_desk_asking(desk);
    for (size_t i = 0; i < making->what->value_count; i++) {
        const struct rp_making_value *one = &making->what->values[i];
        struct rp_value value = {0};
        struct rp_json json;
        RP_TRY(rp_expr_value_beside(one->value, each ? each : record, record, &asking, &value));
        RP_TRY(json_of(desk->arena, one->field, &value, &json));
        if (json.kind != RP_JSON_NULL) {
            rp_json_add(desk->arena, fields, one->name, rp_json_like(desk->arena, &json));
        }
    }
    return RP_OK;
}

static rp_err make_one(struct rp_desk *desk, const struct making *making,
                       const struct rp_facts *each) {
    const struct rp_making *what = making->what;
    struct rp_arena *arena = desk->arena;
    struct rp_json *fields = rp_json_object(arena);
    if (what->back) {
        rp_json_add_string(arena, fields, what->back,
                           rp_text_of_id(&making->record->facts.id_text));
    }
    if (each && what->as) {
        rp_json_add_string(arena, fields, what->as, rp_text_of_id(&each->id_text));
    }
    for (size_t i = 0; i < what->with_count; i++) {
        rp_json_add_cstr(arena, fields, what->with[i].name, what->with[i].text);
    }
    RP_TRY(add_values(desk, making, each, fields));
    struct rp_change change = {.fields = fields, .example = making->record->facts.example};
    struct rp_entry made;
    return rp_create_inside(desk, what->reg, &change, &made);
}

static rp_err move_one(struct rp_desk *desk, const struct making *making,
                       const struct rp_facts *each) {
    struct rp_desk acting = *desk;
    const struct rp_facts *by = &making->record->facts;
    struct rp_change change = {.reason = rp_arena_printf(desk->arena, "%s-%llu", by->reg->number,
                                                         (unsigned long long)by->number)};
    struct rp_entry was, moved;
    acting.actor.engine = true;
    RP_TRY(rp_entry_by_id(&acting, making->what->reg, each->id, &was));
    return rp_move_inside(&acting, &was, making->what->move, &change, &moved);
}

/* What is real and what teaches do not mix. Callbacks of a walk have an arena of their own. */
static rp_err for_one(void *ctx, const struct rp_facts *each) {
    const struct making *making = ctx;
    if (each->example != making->record->facts.example) {
        return RP_OK;
    }
    return making->what->move ? move_one(making->desk, making, each)
                              : make_one(making->desk, making, each);
}

static rp_err bring_about(struct making *making) {
    const struct rp_facts *record = &making->record->facts;
    const struct rp_making *what = making->what;
    struct rp_asking asking = rp_desk_asking(making->desk);
    bool wanted = true;
    if (what->when) {
        RP_TRY(rp_expr_true(what->when, record, &asking, &wanted));
    }
    if (!wanted) {
        return RP_OK;
    }
    return what->each ? rp_expr_each(what->each, record, &asking, for_one, making)
                      : make_one(making->desk, making, NULL);
}

rp_err rp_make_others(struct rp_desk *desk, const struct rp_entry *record,
                      const struct rp_move *move) {
    for (size_t i = 0; i < move->make_count; i++) {
        struct making making = {desk, record, &move->make[i]};
        RP_TRY(bring_about(&making));
    }
    return RP_OK;
}
