/* register_desk.c — who sits at the registers' desk; what a register looks like from outside. */
#include "web/register_desk.h"

#include "base/assert.h"
#include "base/checked.h"
#include "identity/passkey.h"

bool rp_staff_covers(const struct rp_request *request, const struct rp_register *reg) {
    rp_view scope = rp_view_from_cstr(request->staff.registers);
    if (scope.n == 0 || rp_view_equal(scope, RP_VIEW("*"))) {
        return true;
    }
    while (scope.p) {
        if (rp_view_equal(rp_view_cut(&scope, ' '), rp_view_from_cstr(reg->id))) {
            return true;
        }
    }
    return false;
}

rp_err rp_desk_open(struct rp_request *request, struct rp_desk *ret_desk) {
    struct rp_web_thread *thread = request->thread;
    const struct rp_staff *staff = &request->staff;
    struct rp_desk desk = {.env = &request->web->env,
                           .registers = request->web->registers,
                           .arena = request->arena,
                           .lang = request->lang,
                           .diag = &request->diag};
    RP_TRY(rp_store_system(thread->store, &desk.db, &request->diag));
    RP_TRY(rp_identity_tenant_key(thread->identity, rp_identity_home(thread->identity), &desk.key));
    desk.actor = (struct rp_actor){.owner = request->from_cli,
                                   .operator_role = (request->who.roles & RP_OPERATOR) != 0,
                                   .second_factor_ms = staff->second_factor_ms,
                                   .how = staff->how};
    if (!rp_id_is_none(request->who.person)) {
        size_t keys = 0;
        RP_TRY(rp_passkeys_count(thread->identity, request->who.person, &keys));
        RP_TRY(rp_desk_sit(&desk, request->who.person));
        desk.actor.has_key = keys > 0;
    }
    if (desk.canary) {
        desk.actor.how = "canary";
    }
    *ret_desk = desk;
    return RP_OK;
}

static rp_err find_register(struct rp_request *request, const struct rp_desk *desk,
                            const struct rp_register **ret_reg) {
    const struct rp_register *reg = rp_register_find(desk->registers, request->segments[0]);
    if (!reg) {
        return rp_fail(&request->diag, RP_ERR(NOT_FOUND), "%s: %.*s",
                       request->lang == RP_FR ? "registre" : "register",
                       RP_FMT(request->segments[0]));
    }
    if (!rp_staff_covers(request, reg)) {
        return rp_fail(&request->diag, RP_ERR(DENIED), "scope");
    }
    *ret_reg = reg;
    return RP_OK;
}

rp_err rp_desk_at(struct rp_request *request, struct rp_desk *ret_desk,
                  const struct rp_register **ret_reg) {
    RP_TRY(rp_desk_open(request, ret_desk));
    return find_register(request, ret_desk, ret_reg);
}

rp_err rp_desk_at_record(struct rp_request *request, struct rp_desk *ret_desk,
                         const struct rp_register **ret_reg, rp_id *ret_id) {
    RP_TRY(rp_desk_at(request, ret_desk, ret_reg));
    rp_err err = rp_desk_find(ret_desk, *ret_reg, request->segments[1], ret_id);
    return rp_is(err, RP_E_NOT_FOUND) ? rp_fail(&request->diag, err, "%s: %.*s", (*ret_reg)->id,
                                                RP_FMT(request->segments[1]))
                                      : err;
}

rp_err rp_desk_check_read(struct rp_request *request, const struct rp_desk *desk,
                          const struct rp_register *reg, const struct rp_entry *record) {
    if (rp_desk_may_read(desk, reg) || (record && rp_desk_is_own(desk, record))) {
        return RP_OK;
    }
    return rp_fail(&request->diag, RP_ERR(DENIED), "none of your roles allows this");
}

/* ---- a register, described ---- */

static void add_words(struct rp_arena *arena, struct rp_json *json, const char *key,
                      const struct rp_words *words) {
    struct rp_json *pair = rp_json_add_object(arena, json, key);
    rp_json_add_cstr(arena, pair, "fr", words->s[RP_FR]);
    rp_json_add_cstr(arena, pair, "en", words->s[RP_EN]);
}

static void add_cstr_if(struct rp_arena *arena, struct rp_json *json, const char *key,
                        const char *value) {
    if (value) {
        rp_json_add_cstr(arena, json, key, value);
    }
}

static void add_names(struct rp_arena *arena, struct rp_json *json, const char *key,
                      const struct rp_names *names) {
    struct rp_json *list = rp_json_add_array(arena, json, key);
    for (size_t i = 0; i < names->n; i++) {
        rp_json_add_cstr(arena, list, NULL, names->s[i]);
    }
}

static void add_states(struct rp_arena *arena, struct rp_json *json, const char *key,
                       const struct rp_register *reg, uint32_t set) {
    struct rp_json *list = rp_json_add_array(arena, json, key);
    for (size_t i = 0; i < reg->state_count; i++) {
        if ((set >> i & 1) == 1) {
            rp_json_add_cstr(arena, list, NULL, reg->states[i].id);
        }
    }
}

static void describe_field(struct rp_arena *arena, struct rp_json *list,
                           const struct rp_field *field) {
    struct rp_json *json = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, json, "id", field->id);
    rp_json_add_cstr(arena, json, "type", rp_field_type_name(field->type));
    add_words(arena, json, "label", &field->label);
    if (field->help.s[0]) {
        add_words(arena, json, "help", &field->help);
    }
    rp_json_add_bool(arena, json, "required", field->required);
    rp_json_add_bool(arena, json, "unique", field->unique);
    rp_json_add_bool(arena, json, "sealed", field->sealed);
    rp_json_add_bool(arena, json, "personal", field->personal);
    rp_json_add_bool(arena, json, "fixed", field->fixed);
    rp_json_add_bool(arena, json, "sortable", field->indexed);
    add_cstr_if(arena, json, "refers", field->refers);
    if (field->choice_count) {
        struct rp_json *choices = rp_json_add_array(arena, json, "choices");
        for (size_t i = 0; i < field->choice_count; i++) {
            struct rp_json *one = rp_json_add_object(arena, choices, NULL);
            rp_json_add_cstr(arena, one, "id", field->choices[i].id);
            add_words(arena, one, "label", &field->choices[i].label);
        }
    }
}

static void describe_move(struct rp_arena *arena, struct rp_json *list,
                          const struct rp_register *reg, const struct rp_move *move) {
    struct rp_json *json = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, json, "id", move->id);
    add_words(arena, json, "label", &move->label);
    add_states(arena, json, "from", reg, move->from);
    rp_json_add_cstr(arena, json, "to", reg->states[move->to].id);
    add_names(arena, json, "who", move->who.n ? &move->who : &reg->write);
    add_names(arena, json, "needs", &move->needs);
    add_names(arena, json, "not_by", &move->not_by);
    rp_json_add_bool(arena, json, "sign", move->sign);
    rp_json_add_bool(arena, json, "reason", move->reason);
    rp_json_add_bool(arena, json, "automatic", move->automatic);
    if (move->refusal.s[0]) {
        add_words(arena, json, "refusal", &move->refusal);
    }
}

static void describe_deadline(struct rp_arena *arena, struct rp_json *json,
                              const struct rp_register *reg, const struct rp_deadline *deadline) {
    rp_json_add_cstr(arena, json, "id", deadline->id);
    add_words(arena, json, "label", &deadline->label);
    add_states(arena, json, "in", reg, deadline->in);
    add_cstr_if(arena, json, "if", deadline->when_text);
    add_cstr_if(arena, json, "at", deadline->at);
    if (!deadline->at) {
        rp_json_add_cstr(arena, json, "within", rp_span_print(deadline->within).s);
    }
    add_cstr_if(arena, json, "from", deadline->from);
    add_cstr_if(arena, json, "remind_to", deadline->remind_to);
    add_cstr_if(arena, json, "escalate_to", deadline->escalate_to);
    add_cstr_if(arena, json, "then", deadline->then);
    rp_json_add_bool(arena, json, "legal", deadline->legal);
}

static void describe_rest(struct rp_arena *arena, struct rp_json *json,
                          const struct rp_register *reg) {
    struct rp_json *deadlines = rp_json_add_array(arena, json, "deadlines");
    for (size_t i = 0; i < reg->deadline_count; i++) {
        struct rp_json *one = rp_json_add_object(arena, deadlines, NULL);
        describe_deadline(arena, one, reg, &reg->deadlines[i]);
    }
    struct rp_json *rules = rp_json_add_array(arena, json, "rules");
    for (size_t i = 0; i < reg->rule_count; i++) {
        struct rp_json *one = rp_json_add_object(arena, rules, NULL);
        add_words(arena, one, "refusal", &reg->rules[i].refusal);
        if (reg->rules[i].gate) {
            rp_json_add_cstr(arena, one, "gate", reg->rules[i].gate);
        }
    }
}

struct rp_json *rp_register_describe(struct rp_arena *arena, const struct rp_register *reg) {
    struct rp_json *json = rp_json_object(arena);
    rp_json_add_cstr(arena, json, "id", reg->id);
    rp_json_add_cstr(arena, json, "number", reg->number);
    rp_json_add_cstr(arena, json, "section", reg->section);
    rp_json_add_cstr(arena, json, "title", reg->title);
    rp_json_add_u64(arena, json, "version", reg->version);
    add_words(arena, json, "name", &reg->name);
    add_words(arena, json, "one", &reg->one);
    add_words(arena, json, "about", &reg->about);
    add_names(arena, json, "read", &reg->read);
    add_names(arena, json, "write", &reg->write);
    rp_json_add_bool(arena, json, "strict", reg->strict);
    add_names(arena, json, "promises", &reg->promises);
    rp_json_add_cstr(arena, json, "retention", rp_span_print(reg->retention).s);
    struct rp_json *states = rp_json_add_array(arena, json, "states");
    for (size_t i = 0; i < reg->state_count; i++) {
        struct rp_json *one = rp_json_add_object(arena, states, NULL);
        rp_json_add_cstr(arena, one, "id", reg->states[i].id);
        add_words(arena, one, "label", &reg->states[i].label);
    }
    struct rp_json *fields = rp_json_add_array(arena, json, "fields");
    for (size_t i = 0; i < reg->field_count; i++) {
        describe_field(arena, fields, &reg->fields[i]);
    }
    struct rp_json *moves = rp_json_add_array(arena, json, "moves");
    for (size_t i = 0; i < reg->move_count; i++) {
        describe_move(arena, moves, reg, &reg->moves[i]);
    }
    describe_rest(arena, json, reg);
    return json;
}

rp_err rp_api_registers(struct rp_request *request) {
    struct rp_desk desk;
    RP_TRY(rp_desk_open(request, &desk));
    struct rp_json *list = rp_json_array(request->arena);
    for (size_t i = 0; i < desk.registers->count; i++) {
        const struct rp_register *reg = &desk.registers->list[i];
        if (rp_desk_may_read(&desk, reg) && rp_staff_covers(request, reg)) {
            rp_json_add(request->arena, list, NULL, rp_register_describe(request->arena, reg));
        }
    }
    return rp_api_send(request, 200, list);
}

/* ---- OpenAPI ---- */

static const char *json_type(enum rp_field_type type) {
    return type == RP_FIELD_NUMBER                              ? "number"
           : type == RP_FIELD_BOOL                              ? "boolean"
           : type == RP_FIELD_MULTI || type == RP_FIELD_DIGESTS ? "array"
                                                                : "string";
}

static void add_schema(struct rp_arena *arena, struct rp_json *schemas,
                       const struct rp_register *reg) {
    struct rp_json *schema = rp_json_add_object(arena, schemas, reg->id);
    rp_json_add_cstr(arena, schema, "type", "object");
    rp_json_add_cstr(arena, schema, "description", reg->about.s[RP_EN]);
    struct rp_json *required = rp_json_add_array(arena, schema, "required");
    struct rp_json *properties = rp_json_add_object(arena, schema, "properties");
    for (size_t i = 0; i < reg->field_count; i++) {
        const struct rp_field *field = &reg->fields[i];
        struct rp_json *property = rp_json_add_object(arena, properties, field->id);
        rp_json_add_cstr(arena, property, "title", field->label.s[RP_EN]);
        if (field->type == RP_FIELD_COMPUTED) { /* of whatever type its formula is */
            rp_json_add_bool(arena, property, "readOnly", true);
            continue;
        }
        rp_json_add_cstr(arena, property, "type", json_type(field->type));
        if (field->sealed) { /* the public map of what is encrypted field by field */
            rp_json_add_bool(arena, property, "x-sealed", true);
        }
        struct rp_json *holder = strcmp(json_type(field->type), "array") == 0
                                     ? rp_json_add_object(arena, property, "items")
                                     : property;
        if (field->choice_count) {
            struct rp_json *choices = rp_json_add_array(arena, holder, "enum");
            for (size_t c = 0; c < field->choice_count; c++) {
                rp_json_add_cstr(arena, choices, NULL, field->choices[c].id);
            }
        }
        if (field->required) {
            rp_json_add_cstr(arena, required, NULL, field->id);
        }
    }
}

void rp_register_schemas(struct rp_arena *arena, const struct rp_registers *registers,
                         struct rp_json *components) {
    struct rp_json *schemas = rp_json_add_object(arena, components, "schemas");
    for (size_t i = 0; registers && i < registers->count; i++) {
        add_schema(arena, schemas, &registers->list[i]);
    }
}
