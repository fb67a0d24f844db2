/* example_io.c — the company that teaches: loaded step by step through the doors that all others
 * take, removed by one command.
 *
 * A step is {"new": register}, {"edit": "@name"}, {"move": move, "of": "@name"} or {"take":
 * register, "where": field, "is": "@name"}, each with "as", "by", "ago" and "fields" as it needs
 * them. Values "@name" stand for records made before, "~-30d" for a day or an instant from now,
 * "#text" for the digest of a piece of evidence. Guards and gates are asked as ever; only
 * signatures are shown, not given, and the history says "example" instead of a factor.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "register/save.h"
#include "register/words.h"

enum { NAMES_MAX = 256, STEPS_MAX = 1000 };

struct named {
    rp_view name;
    const struct rp_register *reg;
    rp_id id;
};

struct loading {
    struct rp_desk *desk;
    const struct rp_json *steps;
    struct named names[NAMES_MAX];
    size_t name_count;
    uint64_t count;
};

static const struct named *find_name(const struct loading *loading, rp_view text) {
    rp_view name = text.n > 1 && text.p[0] == '@' ? rp_view_from(text, 1) : (rp_view){NULL, 0};
    for (size_t i = 0; i < loading->name_count; i++) {
        if (rp_view_equal(name, loading->names[i].name)) {
            return &loading->names[i];
        }
    }
    return NULL;
}

static rp_err give_name(struct loading *loading, const struct rp_json *step,
                        const struct rp_entry *record) {
    rp_view name = rp_json_get_string(step, "as");
    if (!name.p) {
        return RP_OK;
    }
    if (loading->name_count == NAMES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    loading->names[loading->name_count++] =
        (struct named){name, record->facts.reg, record->facts.id};
    return RP_OK;
}

/* ---- values ---- */

/* "~-30d", "~+2h": an instant from now, as the field's type writes it. */
static rp_err moment(const struct loading *loading, const struct rp_field *field, rp_view text,
                     rp_view *ret_text) {
    struct rp_desk *desk = loading->desk;
    struct rp_span span;
    if (text.n < 3 || !rp_span_parse(rp_view_from(text, 2), &span)) {
        return RP_ERR(INVALID);
    }
    int64_t now_ms = rp_env_now_ms(desk->env);
    int64_t at_ms = text.p[1] == '-' ? rp_span_before(&desk->calendar, span, now_ms)
                                     : rp_span_add(&desk->calendar, span, now_ms);
    if (field->type == RP_FIELD_DATE) {
        struct rp_date_text day = rp_date_print(rp_date_of_day(rp_paris_of_ms(at_ms).day));
        return rp_arena_copy(desk->arena, rp_view_from_cstr(day.s), ret_text);
    }
    struct rp_time_text time = rp_time_print(at_ms / 1000);
    return rp_arena_copy(desk->arena, rp_view_from_cstr(time.s), ret_text);
}

static rp_err digest(const struct loading *loading, rp_view text, rp_view *ret_text) {
    struct rp_sha256 sum = rp_sha256_of(text);
    char hex[2 * RP_SHA256];
    rp_hex_print(rp_view_of(sum.b, sizeof sum.b), hex);
    *ret_text =
        rp_arena_printf(loading->desk->arena, "%.*s %.*s.txt", (int)sizeof hex, hex, RP_FMT(text));
    return ret_text->p ? RP_OK : RP_ERR(TOO_LARGE);
}

static rp_err value_of(const struct loading *loading, const struct rp_field *field,
                       struct rp_json *json) {
    rp_view text = json->kind == RP_JSON_STRING ? json->string : (rp_view){NULL, 0};
    if (text.n < 2) {
        return RP_OK;
    }
    if (text.p[0] == '~') {
        return moment(loading, field, text, &json->string);
    }
    if (text.p[0] == '#') {
        return digest(loading, rp_view_from(text, 1), &json->string);
    }
    if (text.p[0] != '@') {
        return RP_OK;
    }
    const struct named *named = find_name(loading, text);
    if (!named) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_id_text id = rp_id_print(named->id);
    return rp_arena_copy(loading->desk->arena, rp_text_of_id(&id), &json->string);
}

static rp_err fields_of(const struct loading *loading, const struct rp_register *reg,
                        const struct rp_json *step, const struct rp_json **ret_fields) {
    struct rp_arena *arena = loading->desk->arena;
    const struct rp_json *given = rp_json_get(step, "fields");
    struct rp_json *fields = rp_json_object(arena);
    for (const struct rp_json *one = given ? given->first : NULL; one; one = one->next) {
        const struct rp_field *field = rp_register_field(reg, one->key);
        struct rp_json *copy = rp_json_like(arena, one);
        if (!field || !copy) {
            return rp_fail(loading->desk->diag, field ? RP_ERR(TOO_LARGE) : RP_ERR(UNKNOWN_KEY),
                           "%.*s", RP_FMT(one->key));
        }
        rp_err err = value_of(loading, field, copy);
        if (!rp_ok(err)) {
            return rp_fail(loading->desk->diag, err, "%s: %.*s", field->id, RP_FMT(one->string));
        }
        rp_json_add(arena, fields, field->id, copy);
    }
    *ret_fields = fields;
    return fields ? RP_OK : RP_ERR(TOO_LARGE);
}

/* ---- steps ---- */

/* A person of the example may what operators may, and has the roles of their own record. */
static rp_err sit_as(struct rp_desk *desk, rp_id person) {
    struct rp_entry record;
    RP_TRY(
        rp_desk_read(desk, rp_register_find(desk->registers, RP_VIEW("persons")), person, &record));
    desk->actor = (struct rp_actor){.id = person,
                                    .listed = true,
                                    .operator_role = true,
                                    .roles = rp_json_get(record.facts.open, "roles"),
                                    .second_factor_ms = rp_env_now_ms(desk->env),
                                    .how = "example"};
    return RP_OK;
}

/* Who acts, and how long ago. Without a name it is the machine's owner. */
static rp_err sit(const struct loading *loading, const struct rp_json *step) {
    struct rp_desk *desk = loading->desk;
    rp_view ago = rp_json_get_string(step, "ago"), by = rp_json_get_string(step, "by");
    struct rp_span span;
    int64_t now_ms = rp_env_now_ms(desk->env);
    desk->past_ms = 0;
    if (ago.p) {
        if (!rp_span_parse(ago, &span)) {
            return rp_fail(desk->diag, RP_ERR(INVALID), "ago: %.*s", RP_FMT(ago));
        }
        desk->past_ms = now_ms - rp_span_before(&desk->calendar, span, now_ms);
    }
    desk->actor = (struct rp_actor){.owner = true, .how = "example"};
    if (by.p) {
        const struct named *named = find_name(loading, by);
        if (!named || !rp_ok(sit_as(desk, named->id))) {
            return rp_fail(desk->diag, RP_ERR(NOT_FOUND), "by: %.*s", RP_FMT(by));
        }
    }
    return RP_OK;
}

static rp_err step_new(struct loading *loading, const struct rp_json *step, rp_view id) {
    struct rp_desk *desk = loading->desk;
    const struct rp_register *reg = rp_register_find(desk->registers, id);
    struct rp_change change = {.example = true};
    struct rp_entry record;
    if (!reg) {
        return rp_fail(desk->diag, RP_ERR(NOT_FOUND), "%.*s", RP_FMT(id));
    }
    RP_TRY(fields_of(loading, reg, step, &change.fields));
    RP_TRY(rp_create_inside(desk, reg, &change, &record));
    return give_name(loading, step, &record);
}

static rp_err read_named(const struct loading *loading, rp_view name, struct rp_entry *ret_record) {
    const struct named *named = find_name(loading, name);
    return named ? rp_entry_by_id(loading->desk, named->reg, named->id, ret_record)
                 : rp_fail(loading->desk->diag, RP_ERR(NOT_FOUND), "%.*s", RP_FMT(name));
}

static rp_err step_edit(struct loading *loading, const struct rp_json *step, rp_view name) {
    struct rp_entry was, record;
    struct rp_change change = {.example = true};
    RP_TRY(read_named(loading, name, &was));
    RP_TRY(fields_of(loading, was.facts.reg, step, &change.fields));
    return rp_edit_inside(loading->desk, &was, &change, &record);
}

static rp_err step_move(struct loading *loading, const struct rp_json *step, rp_view name) {
    struct rp_desk *desk = loading->desk;
    struct rp_entry was, record;
    struct rp_change change = {.example = true, .reason = rp_json_get_string(step, "reason")};
    RP_TRY(read_named(loading, rp_json_get_string(step, "of"), &was));
    const struct rp_move *move = rp_register_move(was.facts.reg, name);
    if (!move) {
        return rp_fail(desk->diag, RP_ERR(UNKNOWN_KEY), "%.*s", RP_FMT(name));
    }
    RP_TRY(fields_of(loading, was.facts.reg, step, &change.fields));
    return rp_move_inside(desk, &was, move, &change, &record);
}

struct taking {
    const struct rp_json *with; /* fields that it has; NULL = whatever */
    rp_id id;
    uint64_t number;
};

static bool is_with(const struct rp_facts *facts, const struct rp_json *with) {
    for (const struct rp_json *one = with ? with->first : NULL; one; one = one->next) {
        const struct rp_field *field = rp_register_field(facts->reg, one->key);
        if (!field || !rp_view_equal(rp_json_get_string(facts->open, field->id), one->string)) {
            return false;
        }
    }
    return true;
}

static rp_err keep_newest(void *ctx, const struct rp_facts *facts) {
    struct taking *taking = ctx;
    if (facts->example && facts->number > taking->number && is_with(facts, taking->with)) {
        taking->id = facts->id;
        taking->number = facts->number;
    }
    return RP_OK;
}

/* A record that a move made: found by the field that points back. */
static rp_err step_take(struct loading *loading, const struct rp_json *step, rp_view id) {
    struct rp_desk *desk = loading->desk;
    const struct rp_register *reg = rp_register_find(desk->registers, id);
    const struct rp_field *field =
        reg ? rp_register_field(reg, rp_json_get_string(step, "where")) : NULL;
    const struct named *named = find_name(loading, rp_json_get_string(step, "is"));
    if (!field || !named) {
        return rp_fail(desk->diag, RP_ERR(NOT_FOUND), "take: %.*s", RP_FMT(id));
    }
    struct rp_id_text text = rp_id_print(named->id);
    struct rp_asking asking = rp_desk_asking(desk);
    struct taking taking = {.with = rp_json_get(step, "with")};
    struct rp_entry record;
    RP_TRY(asking.each(desk, reg, field->id, rp_text_of_id(&text), keep_newest, &taking));
    RP_TRY(rp_entry_by_id(desk, reg, taking.id, &record));
    return give_name(loading, step, &record);
}

static rp_err do_step(struct loading *loading, const struct rp_json *step) {
    static const struct {
        const char *word;
        rp_err (*run)(struct loading *loading, const struct rp_json *step, rp_view what);
    } kinds[] = {{"new", step_new}, {"edit", step_edit}, {"move", step_move}, {"take", step_take}};
    RP_TRY(sit(loading, step));
    for (size_t i = 0; i < RP_COUNT_OF(kinds); i++) {
        rp_view what = rp_json_get_string(step, kinds[i].word);
        if (what.p) {
            return kinds[i].run(loading, step, what);
        }
    }
    return rp_fail(loading->desk->diag, RP_ERR(INVALID), "new | edit | move | take");
}

static rp_err emit_example(struct rp_db *db, const struct rp_desk *desk, const char *what,
                           uint64_t count) {
    struct rp_event *event = rp_event_new(desk->arena, RP_EVENT_REGISTER_EXAMPLE,
                                          rp_env_now_ms(desk->env), RP_ROLE_CORE);
    rp_event_add_text(event, "what", rp_view_from_cstr(what));
    rp_event_add_u64(event, "count", count);
    return rp_db_emit(db, event);
}

static rp_err count_all(struct rp_db *db, uint64_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT count(*) FROM register_record WHERE example = 1", &row));
    RP_TRY(rp_row_first(row));
    *ret_count = rp_row_u64(row, 0);
    return RP_OK;
}

static rp_err load_all(struct rp_db *db, void *ctx) {
    struct loading *loading = ctx;
    struct rp_desk *desk = loading->desk;
    size_t at = 0;
    RP_TRY(count_all(db, &loading->count));
    if (loading->count > 0) {
        return RP_ERR(DUPLICATE);
    }
    for (const struct rp_json *step = loading->steps->first; step; step = step->next) {
        at++;
        rp_err err = do_step(loading, step);
        if (!rp_ok(err)) {
            struct rp_diag why = desk->diag ? *desk->diag : (struct rp_diag){0};
            return rp_fail(desk->diag, err, "step %zu: %s", at, why.text);
        }
    }
    RP_TRY(count_all(db, &loading->count));
    return emit_example(db, desk, "loaded", loading->count);
}

rp_err rp_desk_load_example(struct rp_desk *desk, const struct rp_json *company,
                            uint64_t *ret_count) {
    RP_ASSERT(desk != NULL && desk->key != NULL && ret_count != NULL);
    struct loading *loading = rp_arena_alloc(desk->arena, sizeof *loading);
    const struct rp_json *steps = rp_json_get(company, "steps");
    if (!loading) {
        return RP_ERR(TOO_LARGE);
    }
    if (!steps || steps->kind != RP_JSON_ARRAY || steps->count > STEPS_MAX) {
        return rp_fail(desk->diag, RP_ERR(INVALID), "steps: […], %d", STEPS_MAX);
    }
    *loading = (struct loading){.desk = desk, .steps = steps};
    RP_TRY(rp_db_transact(desk->db, load_all, loading));
    *ret_count = loading->count;
    return RP_OK;
}

/* ---- gone ---- */

struct removing {
    const struct rp_desk *desk;
    uint64_t count;
};

#define OF_EXAMPLE "(SELECT row FROM register_record WHERE example = 1)"

static rp_err remove_all(struct rp_db *db, void *ctx) {
    struct removing *removing = ctx;
    static const char *const before[] = {
        "DELETE FROM clock WHERE subject IN (SELECT id FROM register_record WHERE example = 1)",
        "DELETE FROM register_value WHERE record IN " OF_EXAMPLE,
        "DELETE FROM register_change WHERE record IN " OF_EXAMPLE,
        "DELETE FROM register_piece WHERE record IN " OF_EXAMPLE,
    };
    struct rp_row *row = NULL;
    RP_TRY(rp_words_drop_examples(db));
    for (size_t i = 0; i < RP_COUNT_OF(before); i++) {
        RP_TRY(rp_db_query(db, before[i], &row));
        RP_TRY(rp_row_run(row, NULL));
    }
    RP_TRY(rp_db_query(db, "DELETE FROM register_record WHERE example = 1", &row));
    RP_TRY(rp_row_run(row, &removing->count));
    return removing->count > 0 ? emit_example(db, removing->desk, "removed", removing->count)
                               : RP_OK;
}

rp_err rp_desk_remove_example(struct rp_desk *desk, uint64_t *ret_count) {
    struct removing removing = {.desk = desk};
    RP_TRY(rp_db_transact(desk->db, remove_all, &removing));
    *ret_count = removing.count;
    return RP_OK;
}
