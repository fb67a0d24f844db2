/* schema_moves.c — states, and the moves between them: who, with what, to what effect. */
#include "base/checked.h"
#include "register/schema_read.h"

rp_err rp_schema_read_states(const struct rp_reading *r, const struct rp_yaml *map) {
    void *list = NULL;
    RP_TRY(rp_schema_array(r, map, RP_STATES_MAX, sizeof *r->reg->states, &list, "states"));
    r->reg->states = list;
    for (const struct rp_yaml *one = rp_schema_first(map); one; one = one->next) {
        struct rp_state *state = &r->reg->states[r->reg->state_count++];
        RP_TRY(rp_schema_key_id(r, one, '_', &state->id));
        RP_TRY(rp_schema_words(r, one, state->id, &state->label));
    }
    return r->reg->state_count ? RP_OK : rp_schema_wrong(r, map, "missing: states", NULL);
}

rp_err rp_schema_state_set(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                           uint32_t *ret_set) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    if (!node || node->kind != RP_YAML_SEQUENCE || !node->first) {
        return rp_schema_wrong(r, node ? node : map, "expected a list of states: ", key);
    }
    for (const struct rp_yaml *one = node->first; one; one = one->next) {
        int at = rp_register_state(r->reg, one->scalar);
        if (at < 0) {
            return rp_schema_wrong(r, one, "no such state", NULL);
        }
        *ret_set |= UINT32_C(1) << at;
    }
    return RP_OK;
}

static rp_err read_effects(const struct rp_reading *r, const struct rp_yaml *map,
                           struct rp_effect *list, size_t most, size_t *ret_count) {
    static const struct {
        const char *word;
        enum rp_effect_kind kind;
    } words[] = {{"now", RP_EFFECT_NOW},
                 {"today", RP_EFFECT_TODAY},
                 {"actor", RP_EFFECT_ACTOR},
                 {"empty", RP_EFFECT_EMPTY}};
    for (const struct rp_yaml *one = rp_schema_first(map); one; one = one->next) {
        if (*ret_count == most || one->kind != RP_YAML_SCALAR) {
            return rp_schema_wrong(r, one, "too many effects, or no plain value", NULL);
        }
        struct rp_effect *effect = &list[(*ret_count)++];
        effect->line = one->line;
        effect->column = one->column;
        RP_TRY(rp_schema_key_id(r, one, '_', &effect->name));
        RP_TRY(rp_schema_copy(r, one->scalar, &effect->text));
        for (size_t i = 0; i < RP_COUNT_OF(words) && !one->quoted; i++) {
            if (strcmp(words[i].word, effect->text) == 0) {
                effect->kind = words[i].kind;
            }
        }
    }
    return RP_OK;
}

static rp_err read_expressions(const struct rp_reading *r, const struct rp_yaml *map,
                               struct rp_making *making) {
    if (rp_yaml_get(map, "if")) {
        RP_TRY(rp_schema_expr(r, rp_yaml_get(map, "if"), &making->when));
    }
    if (rp_yaml_get(map, "each")) {
        RP_TRY(rp_schema_expr(r, rp_yaml_get(map, "each"), &making->each));
    }
    const struct rp_yaml *values = rp_yaml_get(map, "values");
    for (const struct rp_yaml *one = rp_schema_first(values); one; one = one->next) {
        if (making->value_count == RP_COUNT_OF(making->values)) {
            return rp_schema_wrong(r, one, "at most four values", NULL);
        }
        struct rp_making_value *value = &making->values[making->value_count++];
        RP_TRY(rp_schema_key_id(r, one, '_', &value->name));
        RP_TRY(rp_schema_expr(r, one, &value->value));
    }
    return RP_OK;
}

/* One record, in the register that `key` names. */
static rp_err read_making(const struct rp_reading *r, const struct rp_yaml *key,
                          const struct rp_yaml *map, struct rp_move *move) {
    if (move->make_count == RP_COUNT_OF(move->make)) {
        return rp_schema_wrong(r, map, "at most eight records", NULL);
    }
    struct rp_making *making = &move->make[move->make_count++];
    making->line = map->line;
    making->column = map->column;
    RP_TRY(rp_schema_known_keys(r, map, "if each as back with values move"));
    RP_TRY(rp_schema_key_id(r, key, '-', &making->register_id));
    RP_TRY(rp_schema_optional(r, map, "back", &making->back));
    RP_TRY(rp_schema_optional(r, map, "as", &making->as));
    RP_TRY(rp_schema_optional(r, map, "move", &making->move_id));
    RP_TRY(read_expressions(r, map, making));
    return read_effects(r, rp_yaml_get(map, "with"), making->with, RP_COUNT_OF(making->with),
                        &making->with_count);
}

/* make: {background-checks: {back: person}, acknowledgements: [{…with: {kind: nda}}, {…}]} */
static rp_err read_makings(const struct rp_reading *r, const struct rp_yaml *map,
                           struct rp_move *move) {
    for (const struct rp_yaml *key = rp_schema_first(map); key; key = key->next) {
        if (key->kind != RP_YAML_SEQUENCE) {
            RP_TRY(read_making(r, key, key, move));
            continue;
        }
        for (const struct rp_yaml *one = rp_schema_first(key); one; one = one->next) {
            RP_TRY(read_making(r, key, one, move));
        }
    }
    return RP_OK;
}

static rp_err read_move(const struct rp_reading *r, const struct rp_yaml *node,
                        struct rp_move *move) {
    RP_TRY(rp_schema_known_keys(
        r, node, "label from to who needs not_by if refusal sign reason automatic set make"));
    RP_TRY(rp_schema_key_id(r, node, '_', &move->id));
    RP_TRY(rp_schema_need_words(r, node, "label", &move->label));
    RP_TRY(rp_schema_state_set(r, node, "from", &move->from));
    int to = rp_register_state(r->reg, rp_yaml_get_scalar(node, "to"));
    if (to < 0) {
        return rp_schema_wrong(r, node, "to: no such state", NULL);
    }
    move->to = (unsigned)to;
    RP_TRY(rp_schema_names(r, node, "who", &move->who));
    RP_TRY(rp_schema_names(r, node, "needs", &move->needs));
    RP_TRY(rp_schema_names(r, node, "not_by", &move->not_by));
    RP_TRY(rp_schema_bool(r, node, "sign", &move->sign));
    RP_TRY(rp_schema_bool(r, node, "reason", &move->reason));
    RP_TRY(rp_schema_bool(r, node, "automatic", &move->automatic));
    if (rp_yaml_get(node, "if")) {
        RP_TRY(rp_schema_expr(r, rp_yaml_get(node, "if"), &move->guard));
        RP_TRY(rp_schema_need_words(r, node, "refusal", &move->refusal));
    }
    RP_TRY(read_effects(r, rp_yaml_get(node, "set"), move->set, RP_COUNT_OF(move->set),
                        &move->set_count));
    return read_makings(r, rp_yaml_get(node, "make"), move);
}

rp_err rp_schema_read_moves(const struct rp_reading *r, const struct rp_yaml *map) {
    void *list = NULL;
    RP_TRY(rp_schema_array(r, map, 64, sizeof *r->reg->moves, &list, "moves"));
    r->reg->moves = list;
    for (const struct rp_yaml *one = rp_schema_first(map); one; one = one->next) {
        RP_TRY(read_move(r, one, &r->reg->moves[r->reg->move_count++]));
    }
    return RP_OK;
}
