/* seclang_actions.c — "id:942100,phase:2,block,…": what a rule does. */
#include "base/assert.h"
#include "shield/seclang_internal.h"

/* ---- single actions ---- */

typedef rp_err action_fn(struct seclang *in, const struct seclang_action *action,
                         struct seclang_draft *draft);

static bool in_chain(const struct seclang *in, const struct seclang_draft *draft) {
    const struct seclang_draft *drafts = in->drafts.items;
    return in->drafts.count > 0 && draft >= drafts && draft < drafts + in->drafts.count &&
           draft->head != (size_t)(draft - drafts);
}

static rp_err only_first(struct seclang *in, const struct seclang_action *action,
                         const struct seclang_draft *draft) {
    if (!in_chain(in, draft)) {
        return RP_OK;
    }
    return seclang_fail(in, action->at, RP_ERR(INVALID),
                        "%.*s within a chain; expected it at the chain's first rule",
                        SECLANG_FMT(action->name));
}

static rp_err set_id(struct seclang *in, const struct seclang_action *action,
                     struct seclang_draft *draft) {
    uint64_t id = 0;
    RP_TRY(only_first(in, action, draft));
    if (!rp_view_to_u64(action->value, UINT32_MAX, &id) || id == 0) {
        return seclang_fail(in, action->at, RP_ERR(INVALID),
                            "id:%.*s: expected a number from 1 to 4294967295",
                            SECLANG_FMT(action->value));
    }
    draft->rule.id = id;
    return RP_OK;
}

static rp_err set_phase(struct seclang *in, const struct seclang_action *action,
                        struct seclang_draft *draft) {
    static const struct {
        const char *name;
        unsigned phase;
    } names[] = {{"request", 2}, {"response", 4}, {"logging", 5}};
    uint64_t phase = 0;
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        if (seclang_is_word(action->value, names[i].name)) {
            phase = names[i].phase;
        }
    }
    if (phase == 0 && (!rp_view_to_u64(action->value, 5, &phase) || phase == 0)) {
        return seclang_fail(in, action->at, RP_ERR(INVALID),
                            "phase:%.*s: expected 1 to 5, request, response or logging",
                            SECLANG_FMT(action->value));
    }
    if (in_chain(in, draft)) {
        const struct seclang_draft *drafts = in->drafts.items;
        unsigned head = drafts[draft->head].rule.phase;
        if (phase != (head == 0 ? 2 : head)) {
            return seclang_fail(in, action->at, RP_ERR(INVALID),
                                "a chain runs in the phase of its first rule; expected no phase");
        }
    }
    draft->rule.phase = (unsigned)phase;
    return RP_OK;
}

static const struct {
    const char *name;
    enum rp_waf_disruption disruption;
} disruptions[] = {
    {"pass", RP_DISRUPT_PASS}, {"block", RP_DISRUPT_BLOCK}, {"deny", RP_DISRUPT_DENY},
    {"drop", RP_DISRUPT_DROP}, {"allow", RP_DISRUPT_ALLOW}, {"redirect", RP_DISRUPT_REDIRECT},
};

static rp_err set_disruption(struct seclang *in, const struct seclang_action *action,
                             struct seclang_draft *draft) {
    size_t i = 0;
    while (!seclang_is_word(action->name, disruptions[i].name)) {
        i++;
        RP_ASSERT(i < RP_COUNT_OF(disruptions));
    }
    RP_TRY(only_first(in, action, draft));
    draft->rule.disruption = disruptions[i].disruption;
    if (disruptions[i].disruption == RP_DISRUPT_REDIRECT) {
        return seclang_text(in, action->at, action->value, &draft->rule.redirect);
    }
    if (action->value.p == NULL) {
        return RP_OK;
    }
    if (disruptions[i].disruption == RP_DISRUPT_ALLOW) {
        if (seclang_is_word(action->value, "phase")) {
            draft->rule.disruption = RP_DISRUPT_ALLOW_PHASE;
            return RP_OK;
        }
        if (seclang_is_word(action->value, "request")) {
            draft->rule.disruption = RP_DISRUPT_ALLOW_REQUEST;
            return RP_OK;
        }
    }
    return seclang_fail(in, action->at, RP_ERR(INVALID), "%.*s:%.*s: expected %s",
                        SECLANG_FMT(action->name), SECLANG_FMT(action->value),
                        rp_diag_say(in->diag, disruptions[i].disruption == RP_DISRUPT_ALLOW
                                                  ? "allow, allow:phase or allow:request"
                                                  : "no value"));
}

static rp_err set_status(struct seclang *in, const struct seclang_action *action,
                         struct seclang_draft *draft) {
    uint64_t status = 0;
    if (!rp_view_to_u64(action->value, 599, &status) || status < 100) {
        return seclang_fail(in, action->at, RP_ERR(INVALID),
                            "status:%.*s: expected a number from 100 to 599",
                            SECLANG_FMT(action->value));
    }
    draft->rule.status = (unsigned)status;
    return RP_OK;
}

static rp_err set_logging(struct seclang *in, const struct seclang_action *action,
                          struct seclang_draft *draft) {
    bool off = action->name.n > 2 && seclang_is_word(rp_view_sub(action->name, 0, 2), "no");
    unsigned bits = seclang_is_word(action->name, "log") || seclang_is_word(action->name, "nolog")
                        ? RP_WAF_LOG | RP_WAF_AUDITLOG
                        : RP_WAF_AUDITLOG;
    (void)in;
    draft->log_set = off ? draft->log_set & ~bits : draft->log_set | bits;
    draft->log_cleared = off ? draft->log_cleared | bits : draft->log_cleared & ~bits;
    return RP_OK;
}

static rp_err set_severity(struct seclang *in, const struct seclang_action *action,
                           struct seclang_draft *draft) {
    static const char *const names[] = {"EMERGENCY", "ALERT",  "CRITICAL", "ERROR",
                                        "WARNING",   "NOTICE", "INFO",     "DEBUG"};
    uint64_t number = 0;
    for (unsigned i = 0; i < RP_COUNT_OF(names); i++) {
        if (seclang_is_word(action->value, names[i])) {
            draft->rule.severity = i;
            return RP_OK;
        }
    }
    if (!rp_view_to_u64(action->value, 7, &number)) {
        return seclang_fail(in, action->at, RP_ERR(INVALID),
                            "severity:%.*s: expected 0 to 7, or EMERGENCY, ALERT, CRITICAL, ERROR, "
                            "WARNING, NOTICE, INFO, DEBUG",
                            SECLANG_FMT(action->value));
    }
    draft->rule.severity = (unsigned)number;
    return RP_OK;
}

static rp_err set_message(struct seclang *in, const struct seclang_action *action,
                          struct seclang_draft *draft) {
    return seclang_text(in, action->at, action->value,
                        seclang_is_word(action->name, "msg") ? &draft->rule.message
                                                             : &draft->rule.log_data);
}

static rp_err set_version(struct seclang *in, const struct seclang_action *action,
                          struct seclang_draft *draft) {
    (void)in;
    *(seclang_is_word(action->name, "rev") ? &draft->rule.revision : &draft->rule.version) =
        action->value;
    return RP_OK;
}

static rp_err add_tag(struct seclang *in, const struct seclang_action *action,
                      struct seclang_draft *draft) {
    rp_view *added = seclang_add(in, &draft->tags, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    *added = action->value;
    return RP_OK;
}

static rp_err add_transform(struct seclang *in, const struct seclang_action *action,
                            struct seclang_draft *draft) {
    if (seclang_is_word(action->value, "none")) {
        draft->transforms_reset = true;
        draft->transforms = (struct seclang_list){0};
        return RP_OK;
    }
    enum rp_transform transform = rp_transform_named(action->value);
    if (transform == RP_T_COUNT) {
        return seclang_fail(in, action->at, RP_ERR(UNKNOWN_KEY),
                            "unknown transformation \"%.*s\"; expected one such as t:lowercase",
                            SECLANG_FMT(action->value));
    }
    enum rp_transform *added = seclang_add(in, &draft->transforms, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    *added = transform;
    return RP_OK;
}

static rp_err set_flag(struct seclang *in, const struct seclang_action *action,
                       struct seclang_draft *draft) {
    bool *flag = seclang_is_word(action->name, "chain")     ? &draft->rule.chained
                 : seclang_is_word(action->name, "capture") ? &draft->rule.capture
                                                            : &draft->rule.multi_match;
    (void)in;
    *flag = true;
    return RP_OK;
}

static rp_err set_skip(struct seclang *in, const struct seclang_action *action,
                       struct seclang_draft *draft) {
    uint64_t skip = 0;
    RP_TRY(only_first(in, action, draft));
    if (!rp_view_to_u64(action->value, SECLANG_RULES_MAX, &skip) || skip == 0) {
        return seclang_fail(in, action->at, RP_ERR(INVALID),
                            "skip:%.*s: expected a number of rules", SECLANG_FMT(action->value));
    }
    draft->rule.skip = (unsigned)skip;
    return RP_OK;
}

static rp_err set_skip_after(struct seclang *in, const struct seclang_action *action,
                             struct seclang_draft *draft) {
    (void)in;
    draft->rule.skip_after = action->value;
    return RP_OK;
}

static rp_err note_ignored(struct seclang *in, const struct seclang_action *action,
                           struct seclang_draft *draft) {
    (void)draft;
    return seclang_note(in, "%.*s: does nothing here", SECLANG_FMT(action->name));
}

/* ---- which one ---- */

enum value { NO_VALUE, ONE_VALUE, MAYBE_VALUE };

static const struct {
    const char *name;
    enum value value;
    action_fn *work;
} actions[] = {
    {"id", ONE_VALUE, set_id},
    {"phase", ONE_VALUE, set_phase},
    {"pass", NO_VALUE, set_disruption},
    {"block", NO_VALUE, set_disruption},
    {"deny", NO_VALUE, set_disruption},
    {"drop", NO_VALUE, set_disruption},
    {"allow", MAYBE_VALUE, set_disruption},
    {"redirect", ONE_VALUE, set_disruption},
    {"status", ONE_VALUE, set_status},
    {"log", NO_VALUE, set_logging},
    {"nolog", NO_VALUE, set_logging},
    {"auditlog", NO_VALUE, set_logging},
    {"noauditlog", NO_VALUE, set_logging},
    {"severity", ONE_VALUE, set_severity},
    {"msg", ONE_VALUE, set_message},
    {"logdata", ONE_VALUE, set_message},
    {"rev", ONE_VALUE, set_version},
    {"ver", ONE_VALUE, set_version},
    {"tag", ONE_VALUE, add_tag},
    {"t", ONE_VALUE, add_transform},
    {"chain", NO_VALUE, set_flag},
    {"capture", NO_VALUE, set_flag},
    {"multiMatch", NO_VALUE, set_flag},
    {"skip", ONE_VALUE, set_skip},
    {"skipAfter", ONE_VALUE, set_skip_after},
    {"setvar", ONE_VALUE, seclang_setvar},
    {"expirevar", ONE_VALUE, seclang_expirevar},
    {"initcol", ONE_VALUE, seclang_initcol},
    {"setsid", ONE_VALUE, seclang_initcol},
    {"setuid", ONE_VALUE, seclang_initcol},
    {"setrsc", ONE_VALUE, seclang_initcol},
    {"ctl", ONE_VALUE, seclang_ctl},
    {"accuracy", ONE_VALUE, note_ignored},
    {"maturity", ONE_VALUE, note_ignored},
    {"xmlns", ONE_VALUE, note_ignored},
    {"sanitiseArg", ONE_VALUE, note_ignored},
    {"sanitizeArg", ONE_VALUE, note_ignored},
    {"sanitiseMatched", NO_VALUE, note_ignored},
    {"sanitizeMatched", NO_VALUE, note_ignored},
    {"sanitiseMatchedBytes", MAYBE_VALUE, note_ignored},
    {"sanitizeMatchedBytes", MAYBE_VALUE, note_ignored},
    {"sanitiseRequestHeader", ONE_VALUE, note_ignored},
    {"sanitizeRequestHeader", ONE_VALUE, note_ignored},
    {"sanitiseResponseHeader", ONE_VALUE, note_ignored},
    {"sanitizeResponseHeader", ONE_VALUE, note_ignored},
};

static const struct {
    const char *name, *why;
} refused[] = {
    {"append", "Rempart rewrites no bodies"},
    {"prepend", "Rempart rewrites no bodies"},
    {"deprecatevar", "values do not shrink by themselves here; expected expirevar"},
    {"exec", "Rempart runs no programs on request"},
    {"pause", "Rempart holds no request back; expected deny, or a rate limit"},
    {"proxy", "the gate decides where a request goes; expected deny or redirect"},
    {"setenv", "there is no environment to set; expected setvar"},
};

static rp_err unknown(struct seclang *in, const struct seclang_action *action) {
    for (size_t i = 0; i < RP_COUNT_OF(refused); i++) {
        if (seclang_is_word(action->name, refused[i].name)) {
            return seclang_fail(in, action->at, RP_ERR(UNSUPPORTED), "%s: %s", refused[i].name,
                                rp_diag_say(in->diag, refused[i].why));
        }
    }
    return seclang_fail(in, action->at, RP_ERR(UNKNOWN_KEY),
                        "unknown action \"%.*s\"; expected one such as id, phase, pass, block or "
                        "msg",
                        SECLANG_FMT(action->name));
}

static rp_err work_one(struct seclang *in, const struct seclang_action *action,
                       struct seclang_draft *draft) {
    size_t i = 0;
    while (i < RP_COUNT_OF(actions) && !seclang_is_word(action->name, actions[i].name)) {
        i++;
    }
    if (i == RP_COUNT_OF(actions)) {
        return unknown(in, action);
    }
    if (actions[i].value == NO_VALUE && action->value.p != NULL) {
        return seclang_fail(in, action->at, RP_ERR(SYNTAX), "%s takes no value; expected a comma",
                            actions[i].name);
    }
    if (actions[i].value == ONE_VALUE && action->value.n == 0) {
        return seclang_fail(in, action->at, RP_ERR(SYNTAX), "%s without a value; expected %s:…",
                            actions[i].name, actions[i].name);
    }
    return actions[i].work(in, action, draft);
}

rp_err seclang_actions(struct seclang *in, rp_view list, struct seclang_draft *draft) {
    rp_view rest = list;
    do {
        struct seclang_action action;
        RP_TRY(seclang_next_action(in, &rest, &action));
        RP_TRY(work_one(in, &action, draft));
    } while (rest.p != NULL);
    return RP_OK;
}
