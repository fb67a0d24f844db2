/* seclang_directives.c — SecRule, SecAction, SecMarker, SecDefaultAction, Include: what a line
 * says. */
#include "base/assert.h"
#include "shield/seclang_internal.h"

rp_err seclang_end_of_line(struct seclang *in, rp_view rest) {
    rest = seclang_skip_spaces(rest);
    if (rest.n == 0) {
        return RP_OK;
    }
    return seclang_fail(in, rest, RP_ERR(SYNTAX),
                        "\"%.*s\" is too much; expected the end of the line", SECLANG_FMT(rest));
}

rp_err seclang_value(struct seclang *in, rp_view *rest, const char *expected, rp_view *ret_value) {
    struct seclang_word word;
    RP_TRY(seclang_next_word(in, rest, &word));
    if (word.raw.p == NULL) {
        return seclang_fail(in, *rest, RP_ERR(SYNTAX), "the line ends here; expected %s",
                            rp_diag_say(in->diag, expected));
    }
    return seclang_unquote(in, word.raw, word.quote, ret_value);
}

/* ---- rules ---- */

static struct seclang_draft *last_draft(const struct seclang *in) {
    return (struct seclang_draft *)in->drafts.items + in->drafts.count - 1;
}

/* A new draft, tied to the chain that is open. */
static rp_err start_draft(struct seclang *in, struct seclang_draft **ret_draft) {
    if (in->drafts.count == SECLANG_RULES_MAX) {
        return seclang_fail(in, in->line.text, RP_ERR(TOO_LARGE), "more than %d rules",
                            SECLANG_RULES_MAX);
    }
    size_t head = in->chain_open ? last_draft(in)->head : in->drafts.count;
    struct seclang_draft *draft = seclang_add(in, &in->drafts, sizeof *draft);
    if (!draft) {
        return RP_ERR(TOO_LARGE);
    }
    seclang_locate(in, seclang_skip_spaces(in->line.text));
    draft->rule.file = in->line.file;
    draft->rule.line = in->at_line;
    draft->rule.column = in->at_column;
    draft->rule.severity = 8;
    draft->line = in->line;
    draft->head = head;
    *ret_draft = draft;
    return RP_OK;
}

/* Doubles the table of ids when it is half full. */
static rp_err grow_ids(struct seclang *in) {
    if (in->id_count * 2 < in->id_capacity) {
        return RP_OK;
    }
    size_t capacity = in->id_capacity == 0 ? 1024 : in->id_capacity * 2;
    uint64_t *ids = rp_arena_array(in->arena, capacity, sizeof *ids);
    if (!ids) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < in->id_capacity; i++) {
        size_t at = (size_t)(in->ids[i] * 0x9E3779B97F4A7C15u >> 20) % capacity;
        while (in->ids[i] != 0 && ids[at] != 0) {
            at = (at + 1) % capacity;
        }
        if (in->ids[i] != 0) {
            ids[at] = in->ids[i];
        }
    }
    in->ids = ids;
    in->id_capacity = capacity;
    return RP_OK;
}

static rp_err claim_id(struct seclang *in, uint64_t id) {
    RP_TRY(grow_ids(in));
    size_t at = (size_t)(id * 0x9E3779B97F4A7C15u >> 20) % in->id_capacity;
    while (in->ids[at] != 0) {
        if (in->ids[at] == id) {
            return seclang_fail(in, in->line.text, RP_ERR(DUPLICATE),
                                "rule %llu exists already; expected an id that no other rule has",
                                (unsigned long long)id);
        }
        at = (at + 1) % in->id_capacity;
    }
    in->ids[at] = id;
    in->id_count++;
    return RP_OK;
}

/* What a rule must have, by its place in a chain. */
static rp_err check_draft(struct seclang *in, struct seclang_draft *draft) {
    rp_view at = seclang_skip_spaces(in->line.text);
    if (draft->head != in->drafts.count - 1) {
        return RP_OK; /* a chain's next rule: set_once and set_disruption have looked */
    }
    if (draft->rule.id == 0) {
        return seclang_fail(in, at, RP_ERR(SYNTAX),
                            "a rule without an id; expected id:NUMBER among its actions");
    }
    return claim_id(in, draft->rule.id);
}

static rp_err read_actions(struct seclang *in, rp_view *rest, struct seclang_draft *draft) {
    struct seclang_word word;
    RP_TRY(seclang_next_word(in, rest, &word));
    if (word.raw.p != NULL) {
        RP_TRY(seclang_actions(in, word.raw, draft));
    }
    RP_TRY(seclang_end_of_line(in, *rest));
    RP_TRY(check_draft(in, draft));
    in->chain_open = draft->rule.chained;
    return RP_OK;
}

static rp_err sec_rule(struct seclang *in, rp_view rest) {
    struct seclang_draft *draft = NULL;
    struct seclang_word targets, operator;
    RP_TRY(seclang_next_word(in, &rest, &targets));
    if (targets.raw.p == NULL) {
        return seclang_fail(in, rest, RP_ERR(SYNTAX),
                            "the line ends here; expected variables, such as ARGS|REQUEST_URI");
    }
    rp_view behind = rest;
    RP_TRY(seclang_next_word(in, &rest, &operator));
    if (operator.raw.p == NULL) {
        return seclang_fail(in, behind, RP_ERR(SYNTAX),
                            "the line ends here; expected an operator, such as \"@rx …\"");
    }
    RP_TRY(start_draft(in, &draft));
    RP_TRY(seclang_targets(in, targets.raw, &draft->targets));
    RP_TRY(seclang_operator(in, &operator, draft));
    return read_actions(in, &rest, draft);
}

static rp_err sec_action(struct seclang *in, rp_view rest) {
    struct seclang_draft *draft = NULL;
    if (rest.n == 0) {
        return seclang_fail(in, rest, RP_ERR(SYNTAX),
                            "the line ends here; expected a list of actions");
    }
    RP_TRY(start_draft(in, &draft));
    draft->rule.unconditional = true;
    draft->rule.op = RP_OP_UNCONDITIONAL_MATCH;
    return read_actions(in, &rest, draft);
}

static rp_err no_open_chain(struct seclang *in, rp_view name) {
    if (!in->chain_open) {
        return RP_OK;
    }
    unsigned line = last_draft(in)->rule.line;
    return seclang_fail(
        in, name, RP_ERR(SYNTAX),
        "%.*s within the chain whose last rule is on line %u; expected its next SecRule",
        SECLANG_FMT(name), line);
}

static rp_err sec_marker(struct seclang *in, rp_view rest) {
    struct seclang_draft *draft = NULL;
    rp_view label;
    RP_TRY(seclang_value(in, &rest, "a marker's name", &label));
    RP_TRY(seclang_end_of_line(in, rest));
    RP_TRY(start_draft(in, &draft));
    draft->rule.marker = true;
    draft->rule.label = label;
    return RP_OK;
}

/* ---- defaults ---- */

static bool is_default_disruption(enum rp_waf_disruption disruption) {
    return disruption == RP_DISRUPT_PASS || disruption == RP_DISRUPT_DENY ||
           disruption == RP_DISRUPT_DROP || disruption == RP_DISRUPT_REDIRECT ||
           disruption == RP_DISRUPT_ALLOW;
}

static bool has_rule_actions(const struct seclang_draft *draft) {
    const struct rp_waf_rule *rule = &draft->rule;
    return rule->id != 0 || rule->chained || rule->skip != 0 || rule->skip_after.n > 0 ||
           draft->ctls.count > 0 || draft->setvars.count > 0 || draft->initcols.count > 0 ||
           draft->expires.count > 0;
}

static rp_err sec_default_action(struct seclang *in, rp_view rest) {
    struct seclang_draft *draft = rp_arena_alloc(in->arena, sizeof *draft);
    struct seclang_word word;
    if (!draft) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(seclang_next_word(in, &rest, &word));
    draft->line = in->line;
    draft->head = in->drafts.count;
    draft->rule.severity = 8;
    if (word.raw.p != NULL) {
        RP_TRY(seclang_actions(in, word.raw, draft));
    }
    RP_TRY(seclang_end_of_line(in, rest));
    if (draft->rule.phase == 0) {
        return seclang_fail(in, word.raw, RP_ERR(SYNTAX),
                            "defaults without a phase; expected phase:1 to phase:5 among them");
    }
    if (has_rule_actions(draft)) {
        return seclang_fail(
            in, word.raw, RP_ERR(INVALID),
            "defaults hold an action of a single rule (id, chain, skip, ctl, setvar, …); expected "
            "only log, auditlog, status, t, tag and one of pass, deny, drop, redirect, allow");
    }
    if (!is_default_disruption(draft->rule.disruption)) {
        return seclang_fail(in, word.raw, RP_ERR(SYNTAX),
                            "defaults without a disruptive action; expected one of pass, deny, "
                            "drop, redirect, allow");
    }
    if (in->defaults[draft->rule.phase]) {
        return seclang_fail(
            in, in->line.text, RP_ERR(DUPLICATE),
            "phase %u has its defaults already; expected one SecDefaultAction a phase",
            draft->rule.phase);
    }
    in->defaults[draft->rule.phase] = draft;
    return RP_OK;
}

/* ---- files ---- */

static bool is_pattern(rp_view path) {
    return rp_view_find_byte(path, '*') < path.n || rp_view_find_byte(path, '?') < path.n ||
           rp_view_find_byte(path, '[') < path.n;
}

/* optional: a file that is not there is no error. */
static rp_err include(struct seclang *in, rp_view rest, bool optional) {
    rp_view path, from = in->line.file;
    unsigned depth = in->file->depth + 1;
    RP_TRY(seclang_value(in, &rest, "a file, or a pattern such as rules/*.conf", &path));
    RP_TRY(seclang_end_of_line(in, rest));
    rp_view *paths = &path;
    size_t count = 1;
    bool listed = is_pattern(path) || optional;
    if (listed) {
        rp_err err = in->loader->glob(in->loader->ctx, from, path, in->arena, &paths, &count);
        if (!rp_ok(err)) {
            return seclang_fail(in, in->line.text, err, "%.*s: cannot be listed",
                                SECLANG_FMT(path));
        }
    }
    if (count == 0 && !optional) {
        return seclang_fail(in, in->line.text, RP_ERR(NOT_FOUND),
                            "no file fits %.*s; expected at least one (IncludeOptional takes none)",
                            SECLANG_FMT(path));
    }
    for (size_t i = 0; i < count; i++) {
        RP_TRY(seclang_read_file(in, listed ? RP_VIEW("") : from, paths[i], depth));
    }
    return RP_OK;
}

static rp_err include_one(struct seclang *in, rp_view rest) {
    return include(in, rest, false);
}

static rp_err include_optional(struct seclang *in, rp_view rest) {
    return include(in, rest, true);
}

/* ---- which one ---- */

static const struct {
    const char *name;
    rp_err (*read)(struct seclang *in, rp_view rest);
} directives[] = {
    {"SecRule", sec_rule},     {"SecAction", sec_action},
    {"SecMarker", sec_marker}, {"SecDefaultAction", sec_default_action},
    {"Include", include_one},  {"IncludeOptional", include_optional},
};

static const struct {
    const char *name, *why;
} refused[] = {
    {"SecRuleScript", "Rempart runs no scripts; expected the rule written in SecLang"},
    {"SecRemoteRules", "Rempart fetches no rules from the network; expected Include of a file"},
    {"SecUnicodeCodePage", "expected the page behind the file: SecUnicodeMapFile FILE PAGE"},
    {"SecCookieV0Separator", "cookies are separated by semicolons alone, as browsers send them"},
    {"<IfModule", "Rempart knows no Apache modules; expected the directives within it alone"},
    {"</IfModule>", "Rempart knows no Apache modules; expected the directives within it alone"},
};

static rp_err unknown(struct seclang *in, rp_view name) {
    for (size_t i = 0; i < RP_COUNT_OF(refused); i++) {
        if (seclang_is_word(name, refused[i].name)) {
            return seclang_fail(in, name, RP_ERR(UNSUPPORTED), "%s: %s", refused[i].name,
                                rp_diag_say(in->diag, refused[i].why));
        }
    }
    return seclang_fail(
        in, name, RP_ERR(UNKNOWN_KEY),
        "unknown directive \"%.*s\"; expected SecRule, SecAction, SecMarker, Include or a setting",
        SECLANG_FMT(name));
}

rp_err seclang_directive(struct seclang *in, rp_view name, rp_view rest) {
    if (!seclang_is_word(name, "SecRule")) {
        RP_TRY(no_open_chain(in, name));
    }
    for (size_t i = 0; i < RP_COUNT_OF(directives); i++) {
        if (seclang_is_word(name, directives[i].name)) {
            return directives[i].read(in, rest);
        }
    }
    bool known = false;
    RP_TRY(seclang_update(in, name, rest, &known));
    if (!known) {
        RP_TRY(seclang_setting(in, name, rest, &known));
    }
    return known ? RP_OK : unknown(in, name);
}
