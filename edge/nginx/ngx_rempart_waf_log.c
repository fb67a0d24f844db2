/* ngx_rempart_waf_log.c — the end of a request: phase 5, and one line for the operator where rules
 * matched: what was done, the incident number that the visitor has, which rules, at which score.
 * Values stay out of it: they are the visitor's. */
#include "ngx_rempart_waf.h"

enum {
    RULES_NAMED = 24,
    MESSAGE_MAX = 500, /* a rule set's report of all its scores */
    FIELD_MAX = 200,   /* of data and name: a line of nginx's log has 2,048 bytes in all */
    LINE_MAX_BYTES = 4096
};

static rp_view score_of(ngx_rempart_waf_t *waf) {
    static const char *const names[] = {"blocking_inbound_anomaly_score", "inbound_anomaly_score",
                                        "anomaly_score"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rp_view score = rp_waf_tx_value(waf->tx, RP_VAR_TX, rp_view_from_cstr(names[i]));
        if (score.n > 0) {
            return score;
        }
    }
    return RP_VIEW("0");
}

/* The probes attack their own place all day: the log has it, the operator's terminal needs not. */
static bool is_canary(ngx_http_request_t *r) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    return rp_view_equal(ngx_rempart_view(lcf->app), RP_VIEW("canary"));
}

static ngx_uint_t level_of(ngx_http_request_t *r, const ngx_rempart_waf_t *waf) {
    return is_canary(r)                              ? NGX_LOG_INFO
           : waf->refused_status                     ? NGX_LOG_ERR
           : rp_waf_tx_verdict(waf->tx)->would_block ? NGX_LOG_WARN
                                                     : NGX_LOG_NOTICE;
}

static ngx_uint_t violates_level(const ngx_rempart_waf_t *waf) {
    return waf->refusal == JUDGE_WAF_MODEL ? NGX_LOG_ERR : NGX_LOG_WARN;
}

static const char *done_with(const ngx_rempart_waf_t *waf) {
    return waf->unread                               ? "refused by nginx itself"
           : waf->refused_status                     ? "refused"
           : rp_waf_tx_verdict(waf->tx)->would_block ? "would be refused"
                                                     : "noted";
}

/* "941100(ARGS:q) 949110(TX:anomaly_score)": names are a stranger's, so only plain bytes stay. */
static rp_view rules_of(ngx_rempart_waf_t *waf) {
    size_t count = 0, dropped = 0, told = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(waf->tx, &count, &dropped);
    struct rp_buf text = rp_buf_new(4096);
    for (size_t i = 0; i < count && told < RULES_NAMED; i++) {
        if (!matches[i].logged) {
            continue;
        }
        rp_buf_printf(&text, "%s%llu(", told++ > 0 ? " " : "", (unsigned long long)matches[i].id);
        rp_view name = rp_view_sub(matches[i].variable, 0, 64);
        for (size_t at = 0; at < name.n; at++) {
            bool plain = name.p[at] > ' ' && name.p[at] < 0x7f && !strchr("()\"\\", name.p[at]);
            rp_buf_add_byte(&text, plain ? name.p[at] : '_');
        }
        rp_buf_add_byte(&text, ')');
    }
    rp_view copy = {NULL, 0};
    rp_ignore(rp_arena_copy(waf->arena, rp_buf_view(&text), &copy));
    rp_buf_done(&text);
    return copy;
}

static void write_line(ngx_http_request_t *r, ngx_rempart_waf_t *waf) {
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(waf->tx);
    rp_view rules = rules_of(waf);
    rp_view incident = ngx_rempart_request_id(r, ngx_rempart_ctx(r, 1));
    bool violates = waf->violation.violation != RP_VIOLATION_NONE;
    if (violates) {
        ngx_log_error(violates_level(waf), r->connection->log, 0,
                      "rempart_waf: %s, incident %*s, not as the model says: %s: %s",
                      waf->refusal == JUDGE_WAF_MODEL ? "refused" : "would be refused", incident.n,
                      incident.p, waf->violation.place,
                      rp_violation_text(waf->violation.violation));
    }
    if (rules.n == 0 && !verdict->over_budget && (waf->refused_status == 0 || violates)) {
        return;
    }
    rp_view score = score_of(waf);
    ngx_log_error(level_of(r, waf), r->connection->log, 0,
                  "rempart_waf: %s, incident %*s, status %ud, rule %uL, phase %ud, score %*s, "
                  "%smatched %*s",
                  done_with(waf), incident.n, incident.p,
                  waf->refused_status ? waf->refused_status : verdict->status, verdict->rule,
                  verdict->phase, score.n, score.p, verdict->over_budget ? "over budget, " : "",
                  rules.n, rules.p);
}

/* Printable, and without what ends a field. */
static void add_field(struct rp_buf *line, const char *name, rp_view text, size_t most) {
    rp_buf_printf(line, " [%s \"", name);
    text = rp_view_sub(text, 0, most);
    for (size_t i = 0; i < text.n; i++) {
        bool plain = text.p[i] >= ' ' && text.p[i] < 0x7f && text.p[i] != '"' && text.p[i] != '\\';
        if (plain) {
            rp_buf_add_byte(line, text.p[i]);
        } else {
            rp_buf_printf(line, "\\x%02x", text.p[i]);
        }
    }
    rp_buf_add_cstr(line, "\"]");
}

/* A line a match, as the tools of ModSecurity read it: what the rule says of the values that it saw
 * stands in it, so this is for tests. */
static void write_matches(const ngx_http_request_t *r, const ngx_rempart_waf_t *waf) {
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(waf->tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        struct rp_buf line = rp_buf_new(LINE_MAX_BYTES);
        rp_buf_printf(&line, "[id \"%llu\"]", (unsigned long long)matches[i].id);
        add_field(&line, "msg", matches[i].message, MESSAGE_MAX);
        add_field(&line, "data", matches[i].log_data, FIELD_MAX);
        add_field(&line, "variable", matches[i].variable, FIELD_MAX);
        if (matches[i].severity < 8) {
            rp_buf_printf(&line, " [severity \"%u\"]", matches[i].severity);
        }
        rp_view text = rp_buf_view(&line);
        if (matches[i].logged) {
            ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0, "rempart_waf: matched %*s", text.n,
                          text.p);
        }
        rp_buf_done(&line);
    }
}

/* The first attack that was seen, rather than the sum that follows from it. */
static bool is_of_the_request(const struct rp_waf_match *match) {
    return match->logged && !rp_view_starts(match->variable, RP_VIEW("TX:"));
}

/* Rules that said no by themselves count for more than the budget that was spent beside. */
static bool worst_refuses(ngx_rempart_waf_t *waf) {
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(waf->tx);
    return verdict->would_block && verdict->rule != verdict->over_budget_rule;
}

static void tell_rules(ngx_http_request_t *r, ngx_rempart_waf_t *waf,
                       struct judge_rules *ret_rules) {
    size_t count = 0;
    uint64_t score = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(waf->tx, &count, NULL);
    const struct rp_waf_match *worst = NULL;
    struct judge_rules rules = {.detected = waf->refused_status == 0};
    for (size_t i = 0; i < count; i++) {
        if (matches[i].logged && rules.count < RP_GATE_RULES_MAX && matches[i].id <= UINT32_MAX) {
            rules.ids[rules.count++] = (uint32_t)matches[i].id;
        }
        if (is_of_the_request(&matches[i]) && (!worst || matches[i].severity < worst->severity)) {
            worst = &matches[i];
        }
    }
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(waf->tx);
    if (rules.count == 0 && verdict->rule <= UINT32_MAX) {
        rules.ids[rules.count++] = (uint32_t)verdict->rule; /* that spent the budget */
    }
    rules.score = rp_view_to_u64(score_of(waf), UINT16_MAX, &score) ? (unsigned)score : 0;
    rules.variable = worst ? worst->variable : RP_VIEW("");
    rules.value = worst ? worst->value : RP_VIEW("");
    rules.over_budget = verdict->over_budget && !worst_refuses(waf);
    if (rules.over_budget && verdict->over_budget_rule <= UINT32_MAX) {
        rules.ids[0] = (uint32_t)verdict->over_budget_rule;
        rules.count = rules.count > 0 ? rules.count : 1;
    }
    rules.incident = ngx_rempart_request_id(r, ngx_rempart_ctx(r, 1));
    *ret_rules = rules;
}

bool ngx_rempart_waf_log(ngx_http_request_t *r, struct judge_rules *ret_rules) {
    ngx_rempart_waf_look_at_unread(r);
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    ngx_rempart_waf_t *waf = ctx ? ctx->waf : NULL;
    if (!waf || !waf->tx) {
        return false;
    }
    /* A failure was told when it happened; phase 5 only adds to the log. */
    rp_ignore(rp_waf_tx_logging(waf->tx));
    write_line(r, waf);
    if (waf->conf->full_log) {
        write_matches(r, waf);
    }
    ngx_rempart_waf_note(waf);
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(waf->tx);
    bool violates = waf->violation.violation != RP_VIOLATION_NONE;
    if (!verdict->would_block && !verdict->over_budget && !violates) {
        return false; /* a body that is too large is refused, but not by a rule */
    }
    tell_rules(r, waf, ret_rules);
    if (violates && !verdict->would_block) {
        ret_rules->violation = (uint8_t)waf->violation.violation;
        ret_rules->variable = rp_view_from_cstr(waf->violation.place);
        ret_rules->value = RP_VIEW("");
    }
    return true;
}
