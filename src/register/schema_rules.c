/* schema_rules.c — a register's deadlines and rules. */
#include "register/schema_read.h"

static rp_err read_spans(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                         struct rp_span *list, size_t *ret_count) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    if (rp_schema_count(node) > RP_CLOCK_SPANS_MAX) {
        return rp_schema_wrong(r, node, "at most four: ", key);
    }
    for (const struct rp_yaml *one = rp_schema_first(node); one; one = one->next) {
        RP_TRY(rp_schema_span(r, one, &list[(*ret_count)++]));
    }
    return RP_OK;
}

static rp_err read_deadline(const struct rp_reading *r, const struct rp_yaml *node,
                            struct rp_deadline *d) {
    RP_TRY(rp_schema_known_keys(
        r, node, "label in if from at within legal remind remind_to escalate escalate_to then"));
    RP_TRY(rp_schema_key_id(r, node, '_', &d->id));
    if (strcmp(d->id, "retention") == 0) {
        return rp_schema_wrong(r, node, "a deadline may not be called ", d->id);
    }
    RP_TRY(rp_schema_need_words(r, node, "label", &d->label));
    RP_TRY(rp_schema_state_set(r, node, "in", &d->in));
    RP_TRY(rp_schema_optional(r, node, "if", &d->when_text));
    if (d->when_text) {
        RP_TRY(rp_schema_expr(r, rp_yaml_get(node, "if"), &d->when));
    }
    RP_TRY(rp_schema_optional(r, node, "from", &d->from));
    RP_TRY(rp_schema_optional(r, node, "at", &d->at));
    RP_TRY(rp_schema_optional(r, node, "then", &d->then));
    RP_TRY(rp_schema_optional(r, node, "remind_to", &d->remind_to));
    RP_TRY(rp_schema_optional(r, node, "escalate_to", &d->escalate_to));
    RP_TRY(rp_schema_bool(r, node, "legal", &d->legal));
    if (!d->at) {
        RP_TRY(rp_schema_span(r, rp_yaml_get(node, "within") ? rp_yaml_get(node, "within") : node,
                              &d->within));
    }
    RP_TRY(read_spans(r, node, "remind", d->plan.remind, &d->plan.remind_count));
    return read_spans(r, node, "escalate", d->plan.escalate, &d->plan.escalate_count);
}

rp_err rp_schema_read_deadlines(const struct rp_reading *r, const struct rp_yaml *map) {
    void *list = NULL;
    RP_TRY(rp_schema_array(r, map, 16, sizeof *r->reg->deadlines, &list, "deadlines"));
    r->reg->deadlines = list;
    for (const struct rp_yaml *one = rp_schema_first(map); one; one = one->next) {
        RP_TRY(read_deadline(r, one, &r->reg->deadlines[r->reg->deadline_count++]));
    }
    return RP_OK;
}

/* Room for the gates that the program adds. */
rp_err rp_schema_read_rules(const struct rp_reading *r, const struct rp_yaml *list) {
    size_t n = rp_schema_count(list);
    r->reg->rules = rp_arena_array(r->arena, n + 4, sizeof *r->reg->rules);
    if (!r->reg->rules || n > 16) {
        return rp_schema_wrong(r, list, "too many rules", NULL);
    }
    for (const struct rp_yaml *one = rp_schema_first(list); one; one = one->next) {
        struct rp_rule *rule = &r->reg->rules[r->reg->rule_count++];
        RP_TRY(rp_schema_known_keys(r, one, "must refusal"));
        if (!rp_yaml_get(one, "must")) {
            return rp_schema_wrong(r, one, "missing: must", NULL);
        }
        RP_TRY(rp_schema_expr(r, rp_yaml_get(one, "must"), &rule->must));
        RP_TRY(rp_schema_need_words(r, one, "refusal", &rule->refusal));
    }
    return RP_OK;
}
