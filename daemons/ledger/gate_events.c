/* gate_events.c — what the gate refused, as events: who by hash, where, by which rule. */
#include "base/checked.h"
#include "ledger.h"
#include "shield/model.h"

static const struct rp_tree operator_tree = {.kind = RP_TREE_OPERATOR};

static void emit_refusal(struct ledger *ledger, const struct rp_gate_record *r,
                         struct rp_arena *arena) {
    bool down = r->kind == RP_GATE_UPSTREAM_DOWN;
    struct rp_event *event = rp_event_new(
        arena, down ? RP_EVENT_UPSTREAM_DOWN : RP_EVENT_GATE_REFUSED, r->time_ms, RP_ROLE_GATE);
    rp_event_add_text(event, "host", rp_view_of(r->host, r->host_len));
    rp_event_add_text(event, "path", rp_view_of(r->path, r->path_len));
    if (!down) {
        char hash[2 * sizeof r->client_hash];
        rp_hex_print(rp_view_of(r->client_hash, sizeof r->client_hash), hash);
        rp_event_add_text(event, "client_hash", rp_view_of(hash, sizeof hash));
        rp_event_add_text(event, "reason",
                          rp_view_from_cstr(rp_gate_reason_text((enum rp_gate_reason)r->reason)));
        rp_event_add_u64(event, "status", r->status);
    }
    if (ledger->disk_low || !rp_ok(intake_emit(ledger, operator_tree, event))) {
        ledger->limits.dropped++;
    }
}

/* A refused value is known by its hash alone: the log says what happened, not what was typed. */
static void emit_rules(struct ledger *ledger, const struct rp_gate_record *r,
                       struct rp_arena *arena) {
    struct rp_event *event = rp_event_new(arena, RP_EVENT_GATE_RULE, r->time_ms, RP_ROLE_GATE);
    char hash[2 * sizeof r->client_hash], value[2 * sizeof r->value_hash];
    char incident[2 * sizeof r->incident];
    rp_hex_print(rp_view_of(r->client_hash, sizeof r->client_hash), hash);
    rp_hex_print(rp_view_of(r->value_hash, sizeof r->value_hash), value);
    rp_hex_print(rp_view_of(r->incident, sizeof r->incident), incident);
    struct rp_buf rules = rp_buf_new(256);
    for (unsigned i = 0; i < r->rule_count; i++) {
        rp_buf_printf(&rules, "%s%u", i > 0 ? " " : "", r->rules[i]);
    }
    rp_event_add_text(event, "host", rp_view_of(r->host, r->host_len));
    rp_event_add_text(event, "path", rp_view_of(r->path, r->path_len));
    rp_event_add_u64(event, "status", r->status);
    rp_event_add_text(event, "rules", rp_buf_view(&rules));
    rp_event_add_u64(event, "score", r->score);
    rp_event_add_text(event, "variable", rp_view_of(r->variable, r->variable_len));
    rp_event_add_text(event, "value_hash", rp_view_of(value, sizeof value));
    rp_event_add_text(event, "incident", rp_view_of(incident, sizeof incident));
    rp_event_add_u64(event, "detected", (r->flags & RP_GATE_DETECTED) != 0);
    rp_event_add_text(event, "client_hash", rp_view_of(hash, sizeof hash));
    if (ledger->disk_low || !rp_ok(intake_emit(ledger, operator_tree, event))) {
        ledger->limits.dropped++;
    }
    rp_buf_done(&rules);
}

/* What the model says no to, and what would have cost too much: events of their own. */
static void emit_waf(struct ledger *ledger, const struct rp_gate_record *r,
                     struct rp_arena *arena) {
    bool model = r->violation != 0;
    struct rp_event *event = rp_event_new(
        arena, model ? RP_EVENT_WAF_MODEL : RP_EVENT_WAF_OVER_BUDGET, r->time_ms, RP_ROLE_GATE);
    char hash[2 * sizeof r->client_hash], incident[2 * sizeof r->incident];
    rp_hex_print(rp_view_of(r->client_hash, sizeof r->client_hash), hash);
    rp_hex_print(rp_view_of(r->incident, sizeof r->incident), incident);
    rp_event_add_text(event, "host", rp_view_of(r->host, r->host_len));
    rp_event_add_text(event, "path", rp_view_of(r->path, r->path_len));
    rp_event_add_text(event, "app", rp_view_of(r->app, r->app_len));
    rp_event_add_u64(event, "status", r->status);
    if (model) {
        rp_event_add_text(event, "violation",
                          rp_view_from_cstr(rp_violation_word((enum rp_violation)r->violation)));
        rp_event_add_text(event, "variable", rp_view_of(r->variable, r->variable_len));
    } else {
        rp_event_add_u64(event, "rule", r->rules[0]);
    }
    rp_event_add_text(event, "incident", rp_view_of(incident, sizeof incident));
    rp_event_add_u64(event, "detected", (r->flags & RP_GATE_DETECTED) != 0);
    rp_event_add_text(event, "client_hash", rp_view_of(hash, sizeof hash));
    if (ledger->disk_low || !rp_ok(intake_emit(ledger, operator_tree, event))) {
        ledger->limits.dropped++;
    }
}

void gate_emit_record(struct ledger *ledger, const struct rp_gate_record *r,
                      struct rp_arena *arena) {
    bool apart = r->violation != 0 || (r->flags & RP_GATE_OVER_BUDGET);
    (r->kind != RP_GATE_RULE ? emit_refusal : apart ? emit_waf : emit_rules)(ledger, r, arena);
}

void gate_emit_summary(struct ledger *ledger, uint64_t count, uint64_t lost,
                       struct rp_arena *arena) {
    struct rp_event *event = rp_event_new(arena, RP_EVENT_GATE_SUMMARY,
                                          rp_env_now_ms(&ledger->daemon->env), RP_ROLE_LEDGER);
    rp_event_add_u64(event, "count", count);
    rp_event_add_u64(event, "lost", lost);
    rp_event_add_text(event, "reason",
                      ledger->bad_records > 0 ? RP_VIEW("bad records") : RP_VIEW("limits"));
    if (ledger->disk_low || !rp_ok(intake_emit(ledger, operator_tree, event))) {
        ledger->limits.dropped += count; /* told when there is room again */
        ledger->ring_lost += lost;
    } else {
        ledger->bad_records = 0;
    }
}
