/* run.c — the rules of a phase, in order: settled without a look (settle.c), or asked. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/numeric.h"
#include "shield/tx.h"

enum { SEEN_START = 16 };

static void see(struct rp_waf_tx *tx, const struct rp_waf_seen *seen) {
    if (tx->seen_n == tx->seen_room) {
        uint32_t room = tx->seen_room ? 2 * tx->seen_room : SEEN_START;
        struct rp_waf_seen *p = rp_arena_array(tx->arena, room, sizeof *p);
        if (!p) {
            rp_waf_note(tx, RP_ERR(TOO_LARGE));
            return;
        }
        if (tx->seen_n > 0) {
            memcpy(p, tx->seen, tx->seen_n * sizeof *p);
        }
        tx->seen = p;
        tx->seen_room = room;
    }
    tx->seen[tx->seen_n++] = *seen;
}

/* Nothing more is asked, but for the last phase: there rules only tell. */
static bool is_spent(const struct rp_waf_tx *tx) {
    return tx->verdict.over_budget && tx->phase != 5;
}

/* ---- one rule ---- */

struct asking {
    const struct rp_img_rule *rule;
    unsigned matches;
    rp_view message, log_data; /* as expanded at the last match */
};

static void expand_log(struct rp_waf_tx *tx, struct asking *asking) {
    asking->message = rp_waf_expand(tx, asking->rule->message);
    asking->log_data = rp_waf_expand(tx, asking->rule->log_data);
}

static void matched(struct rp_waf_tx *tx, struct asking *asking, const struct rp_waf_found *found,
                    rp_view value) {
    struct rp_waf_seen seen = found->where;
    seen.value = value;
    see(tx, &seen);
    if (asking->matches++ == 0) {
        rp_waf_initcols(tx, asking->rule);
    }
    rp_waf_setvars(tx, asking->rule->setvars);
    bool each_is_logged = (asking->rule->flags & RP_IMG_MULTI_MATCH) &&
                          !(asking->rule->flags & (RP_IMG_LINK | RP_IMG_CHAINED));
    if (each_is_logged && rp_waf_is_kept(tx, asking->rule)) {
        expand_log(tx, asking);
        rp_waf_record(tx, asking->rule, &seen, asking->message, asking->log_data);
    }
}

/* The value is what the rule looks at: its pipeline is behind it. */
static void ask_result(struct rp_waf_tx *tx, struct asking *asking,
                       const struct rp_waf_found *found, uint32_t value) {
    const struct rp_img_rule *rule = asking->rule;
    if (value == 0 || (rule->group != RP_IMAGE_NONE &&
                       !rp_waf_has_bit(rp_waf_value_bits(tx, value, rule->group), rule->bit))) {
        return;
    }
    const struct rp_waf_value *at = &tx->values.p[value];
    struct rp_waf_subject subject = {.bytes = at->bytes, .value = at};
    if (rp_waf_operate(tx, rule, &subject, true)) {
        matched(tx, asking, found, subject.bytes);
    } else {
        rp_waf_value_missed(tx, value, rule);
    }
}

/* multiMatch: the value as it stands, and after each transformation that changes it. */
static void ask_each_result(struct rp_waf_tx *tx, struct asking *asking,
                            const struct rp_waf_found *found) {
    struct rp_img_span steps = tx->image->pipelines[asking->rule->pipeline].steps;
    uint32_t value = found->value;
    ask_result(tx, asking, found, value);
    for (uint32_t i = 0; i < steps.count && value != 0; i++) {
        uint32_t before = value;
        value = rp_waf_value_step(tx, value, (enum rp_transform)tx->image->steps[steps.first + i]);
        if (value != before) {
            ask_result(tx, asking, found, value);
        }
    }
}

static void ask_step(struct rp_waf_tx *tx, struct asking *asking, const struct rp_waf_found *found,
                     rp_view bytes) {
    struct rp_waf_subject subject = {.bytes = bytes};
    if (rp_waf_operate(tx, asking->rule, &subject, true)) {
        matched(tx, asking, found, bytes);
    }
}

/* The same for what rules write, which is no value. */
static void ask_each_step(struct rp_waf_tx *tx, struct asking *asking,
                          const struct rp_waf_found *found, rp_view bytes) {
    struct rp_img_span steps = tx->image->pipelines[asking->rule->pipeline].steps;
    ask_step(tx, asking, found, bytes);
    for (uint32_t i = 0; i < steps.count; i++) {
        enum rp_transform step = (enum rp_transform)tx->image->steps[steps.first + i];
        rp_view before = bytes;
        rp_waf_spend(tx, bytes.n + 16);
        rp_err err = rp_transform_apply(step, before, tx->unicode_map, tx->arena, &bytes);
        if (!rp_ok(err)) {
            rp_waf_note(tx, err);
            return;
        }
        if (!rp_view_equal(before, bytes)) {
            ask_step(tx, asking, found, bytes);
        }
    }
}

static rp_view number_text(struct rp_waf_tx *tx, int64_t number) {
    char text[RP_WAF_NUMBER_TEXT];
    rp_view copy;
    rp_err err = rp_arena_copy(tx->arena, rp_waf_number_print(number, text), &copy);
    rp_waf_note(tx, err);
    return rp_ok(err) ? copy : (rp_view){NULL, 0};
}

static rp_view found_text(struct rp_waf_tx *tx, const struct rp_waf_found *found) {
    if (found->value != 0) {
        return tx->values.p[found->value].bytes;
    }
    if (found->slot) {
        return rp_waf_slot_text(tx, found->slot);
    }
    return found->counted ? number_text(tx, found->number) : found->bytes;
}

static bool compares_numbers(const struct rp_img_rule *rule) {
    return rule->pipeline == 0 && rule->op >= RP_OP_EQ && rule->op <= RP_OP_LT;
}

static void ask(struct rp_waf_tx *tx, void *ctx, struct rp_waf_found *found) {
    struct asking *asking = ctx;
    const struct rp_img_rule *rule = asking->rule;
    if (is_spent(tx)) {
        return;
    }
    bool each = (rule->flags & RP_IMG_MULTI_MATCH) != 0;
    if (found->value != 0) {
        each
            ? ask_each_result(tx, asking, found)
            : ask_result(tx, asking, found, rp_waf_value_through(tx, found->value, rule->pipeline));
        return;
    }
    if (each) {
        ask_each_step(tx, asking, found, found_text(tx, found));
        return;
    }
    struct rp_waf_subject subject = {.has_number =
                                         compares_numbers(rule) && (found->counted || found->slot)};
    if (subject.has_number) {
        subject.number = found->counted ? found->number : rp_waf_slot_number(found->slot);
    } else {
        subject.bytes = rp_waf_view_through(tx, found_text(tx, found), rule->pipeline);
    }
    if (rp_waf_operate(tx, rule, &subject, true)) {
        matched(tx, asking, found, subject.has_number ? found_text(tx, found) : subject.bytes);
    }
}

/* Does any of the unit's own values match, but for those that `changed` may change? */
static bool any_matches(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                        const struct rp_waf_unit *unit, uint64_t changed) {
    bool filtered = rule->group != RP_IMAGE_NONE;
    for (uint32_t i = 0; i < unit->count && !is_spent(tx); i++) {
        struct rp_waf_value *value = &tx->values.p[unit->values[i].value];
        if ((unit->values[i].touched & changed) == 0 &&
            (!filtered || rp_waf_has_bit(rp_waf_value_left(value, rule->group), rule->bit)) &&
            value->stamp != tx->values.stamp) {
            value->stamp = tx->values.stamp; /* asked, whatever other unit it is in */
            struct rp_waf_subject subject = {.bytes = value->bytes, .value = value};
            if (rp_waf_operate(tx, rule, &subject, false)) {
                return true;
            }
            rp_waf_value_missed(tx, unit->values[i].value, rule);
        }
    }
    return false;
}

static bool unit_matches(struct rp_waf_tx *tx, const struct rp_img_rule *rule, uint32_t unit_id) {
    const struct rp_img_unit *row = &tx->image->units[unit_id];
    return any_matches(tx, rule, rp_waf_unit_ready(tx, unit_id), 0) ||
           (row->source != unit_id && any_matches(tx, rule, rp_waf_unit_ready(tx, row->source),
                                                  tx->image->pipelines[row->pipeline].mask));
}

/* Of the different values, does any match? Exclusions and captures come after. */
static bool is_promising(struct rp_waf_tx *tx, const struct rp_img_rule *rule) {
    struct rp_img_span units = tx->image->classes[rule->class_id].units;
    const uint32_t *members = tx->image->members + units.first;
    for (uint32_t i = 0; i < units.count; i++) {
        (void)rp_waf_unit_ready(tx, members[i]); /* filling needs the stamp */
    }
    tx->values.stamp++;
    for (uint32_t i = 0; i < units.count; i++) {
        if (unit_matches(tx, rule, members[i])) {
            return true;
        }
    }
    return false;
}

static bool rule_matches(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                         struct asking *ret_asking) {
    struct asking asking = {.rule = rule};
    tx->rule = rule;
    if (rule->flags & RP_IMG_UNCONDITIONAL) {
        rp_waf_initcols(tx, rule);
        rp_waf_setvars(tx, rule->setvars);
        asking.matches = 1;
    } else if (rule->class_id == RP_IMAGE_NONE || is_promising(tx, rule)) {
        rp_waf_walk(tx, rule, ask, &asking);
    }
    if (asking.matches == 0) {
        tx->seen_n = 0;
        return false;
    }
    bool whole = (rule->flags & (RP_IMG_CHAINED | RP_IMG_LINK)) == 0; /* a chain's: at its end */
    if (whole && rp_waf_is_kept(tx, rule)) {
        expand_log(tx, &asking);
    }
    *ret_asking = asking;
    return true;
}

/* ---- a chain ---- */

/* What the log names: the last value that a rule did not write itself. */
static struct rp_waf_seen worth_naming(const struct rp_waf_tx *tx) {
    for (uint32_t i = tx->seen_n; i > 0; i--) {
        unsigned variable = tx->seen[i - 1].variable;
        if (variable != RP_VAR_TX && variable != RP_VAR_MATCHED_VAR &&
            variable != RP_VAR_MATCHED_VARS && variable != RP_VAR_MATCHED_VAR_NAME &&
            variable != RP_VAR_MATCHED_VARS_NAMES) {
            return tx->seen[i - 1];
        }
    }
    return tx->seen_n > 0 ? tx->seen[tx->seen_n - 1]
                          : (struct rp_waf_seen){.variable = RP_COLL_COUNT};
}

/* The chain from this row; true when all of it matched and its actions are done. */
static bool chain_matches(struct rp_waf_tx *tx, uint32_t row) {
    const struct rp_img_rule *head = &tx->image->rules[row];
    struct asking asking = {.rule = head};
    tx->seen_n = 0;
    uint32_t last = row;
    if (!rule_matches(tx, head, &asking)) {
        return false;
    }
    while (tx->image->rules[last].flags & RP_IMG_CHAINED) {
        struct asking link;
        if (!rule_matches(tx, &tx->image->rules[++last], &link)) {
            return false;
        }
    }
    bool kept = rp_waf_is_kept(tx, head);
    if (last != row && kept) { /* a chain speaks of all its links: their captures, the last value */
        tx->rule = head;
        expand_log(tx, &asking);
    }
    if (head->severity < 8 && head->severity < tx->highest_severity) {
        tx->highest_severity = head->severity;
    }
    if (kept && (!(head->flags & RP_IMG_MULTI_MATCH) || last != row)) {
        struct rp_waf_seen seen = worth_naming(tx);
        rp_waf_record(tx, head, &seen, asking.message, asking.log_data);
    }
    for (uint32_t i = last + 1; i > row; i--) {
        rp_waf_act(tx, &tx->image->rules[i - 1]);
    }
    tx->rule = head;
    rp_waf_disrupt(tx, head);
    return true;
}

/* ---- a phase ---- */

static bool is_out_of_budget(struct rp_waf_tx *tx, const struct rp_img_rule *rule) {
    if (tx->verdict.steps > tx->budget && !tx->verdict.over_budget) {
        tx->verdict.over_budget = true;
    }
    if (tx->verdict.over_budget && tx->verdict.over_budget_rule == 0) {
        tx->verdict.over_budget_rule = rule->id;
    }
    return tx->verdict.over_budget;
}

static uint32_t next_row(struct rp_waf_tx *tx, const struct rp_img_rule *rule, uint32_t row) {
    for (uint32_t i = row; i < rule->after; i++) {
        const struct rp_img_rule *link = &tx->image->rules[i];
        if (link->skip_to != RP_IMAGE_NONE) {
            tx->pending_label = link->skip_label;
            return link->skip_to;
        }
    }
    return rule->after;
}

static bool phase_is_allowed(struct rp_waf_tx *tx, unsigned phase) {
    if ((tx->allow == RP_ALLOW_ALL && phase != 5) ||
        (tx->allow == RP_ALLOW_REQUEST && phase <= 2)) {
        return true;
    }
    tx->allow = RP_ALLOW_NONE;
    return false;
}

/* The rows of the phase from this one on, as far as so many steps in all reach. */
static void run_rows(struct rp_waf_tx *tx, uint32_t row, uint64_t steps_max) {
    struct rp_img_span rows = tx->image->phases[tx->phase];
    uint32_t end = rows.first + rows.count;
    tx->is_timed = false; /* the thread may be another one */
    enum rp_waf_action before = tx->verdict.action;
    while (rp_ok(tx->failed) && (row = rp_waf_run_settled(tx, row, end)) < end) {
        if (tx->verdict.steps > steps_max) {
            tx->paused_at = row;
            return;
        }
        const struct rp_img_rule *rule = &tx->image->rules[row];
        uint64_t before_steps = tx->verdict.steps;
        bool matches = chain_matches(tx, row);
        if (tx->costs) {
            tx->costs[row] += tx->verdict.steps - before_steps;
        }
        if (tx->phase != 5 && is_out_of_budget(tx, rule)) {
            return;
        }
        row = matches ? next_row(tx, rule, row) : rule->after;
        if (tx->allow != RP_ALLOW_NONE || tx->verdict.action != before) {
            return;
        }
    }
}

void rp_waf_run_phase(struct rp_waf_tx *tx, unsigned phase) {
    tx->phase = phase;
    if (tx->mode == RP_WAF_OFF || phase_is_allowed(tx, phase)) {
        return;
    }
    struct rp_img_span rows = tx->image->phases[phase];
    uint32_t row = rows.first, end = rows.first + rows.count;
    if (tx->pending_label != RP_IMAGE_NONE) {
        row = tx->image->labels[tx->pending_label].rows[phase];
        tx->pending_label = row == end ? tx->pending_label : RP_IMAGE_NONE;
    }
    bool pauses = tx->site.portion > 0 && phase <= 2;
    run_rows(tx, row, pauses ? tx->verdict.steps + tx->site.portion : UINT64_MAX);
}

void rp_waf_run_rest(struct rp_waf_tx *tx) {
    RP_ASSERT(tx->paused_at != RP_IMAGE_NONE);
    uint32_t row = tx->paused_at;
    tx->paused_at = RP_IMAGE_NONE;
    run_rows(tx, row, UINT64_MAX);
}
