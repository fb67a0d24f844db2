/* seclang_ctl.c — ctl:NAME=VALUE: what a rule changes for the rest of its transaction. */
#include "base/assert.h"
#include "shield/seclang_internal.h"

/* What the value must be; NULL where a rule, tag or message is named instead. */
static const char *choices_of(enum rp_waf_ctl_kind kind) {
    switch (kind) {
    case RP_CTL_AUDIT_ENGINE:
        return "on|off|relevantonly";
    case RP_CTL_AUDIT_LOG_PARTS:
    case RP_CTL_REQUEST_BODY_LIMIT:
    case RP_CTL_RESPONSE_BODY_LIMIT:
        return "";
    case RP_CTL_DEBUG_LOG_LEVEL:
        return "0|1|2|3|4|5|6|7|8|9";
    case RP_CTL_HASH_ENFORCEMENT: /* as their directives: nothing of this is done here */
    case RP_CTL_HASH_ENGINE:
    case RP_CTL_PARSE_XML_INTO_ARGS:
        return "off";
    case RP_CTL_FORCE_REQUEST_BODY_VARIABLE:
    case RP_CTL_REQUEST_BODY_ACCESS:
    case RP_CTL_RESPONSE_BODY_ACCESS:
        return "on|off";
    case RP_CTL_REQUEST_BODY_PROCESSOR:
        return "urlencoded|multipart|json|xml";
    case RP_CTL_RULE_ENGINE:
        return "on|off|detectiononly";
    case RP_CTL_RULE_REMOVE_BY_ID:
    case RP_CTL_RULE_REMOVE_BY_TAG:
    case RP_CTL_RULE_REMOVE_BY_MSG:
    case RP_CTL_RULE_REMOVE_TARGET_BY_ID:
    case RP_CTL_RULE_REMOVE_TARGET_BY_TAG:
    case RP_CTL_RULE_REMOVE_TARGET_BY_MSG:
        return NULL;
    case RP_CTL_COUNT:
        break;
    }
    RP_UNREACHABLE();
}

static bool is_limit(enum rp_waf_ctl_kind kind) {
    return kind == RP_CTL_REQUEST_BODY_LIMIT || kind == RP_CTL_RESPONSE_BODY_LIMIT;
}

static bool by_id(enum rp_waf_ctl_kind kind) {
    return kind == RP_CTL_RULE_REMOVE_BY_ID || kind == RP_CTL_RULE_REMOVE_TARGET_BY_ID;
}

static bool of_target(enum rp_waf_ctl_kind kind) {
    return kind == RP_CTL_RULE_REMOVE_TARGET_BY_ID || kind == RP_CTL_RULE_REMOVE_TARGET_BY_TAG ||
           kind == RP_CTL_RULE_REMOVE_TARGET_BY_MSG;
}

static rp_err check_choice(struct seclang *in, const struct seclang_action *action,
                           const char *choices, const struct rp_waf_ctl *ctl) {
    rp_view rest = rp_view_from_cstr(choices);
    if (rest.n == 0) {
        return RP_OK;
    }
    while (rest.p != NULL) {
        if (rp_view_equal_nocase(rp_view_cut(&rest, '|'), ctl->value)) {
            return RP_OK;
        }
    }
    return seclang_fail(in, action->at, RP_ERR(INVALID), "ctl:%s=%.*s: expected one of %s",
                        rp_waf_ctl_name(ctl->kind), SECLANG_FMT(ctl->value), choices);
}

rp_err seclang_range(struct seclang *in, rp_view text, uint64_t *ret_first, uint64_t *ret_last) {
    rp_view last = rp_view_trim(text);
    rp_view first = rp_view_trim(rp_view_cut(&last, '-'));
    uint64_t from = 0, to = 0;
    bool good = rp_view_to_u64(first, UINT64_MAX, &from) && from > 0;
    to = from;
    if (good && last.p != NULL) {
        good = rp_view_to_u64(rp_view_trim(last), UINT64_MAX, &to) && to >= from;
    }
    if (!good) {
        return seclang_fail(in, text, RP_ERR(INVALID),
                            "\"%.*s\" is no rule; expected an id such as 942100, or a range such "
                            "as 942000-942999",
                            SECLANG_FMT(text));
    }
    *ret_first = from;
    *ret_last = to;
    return RP_OK;
}

/* "…;ARGS:x": the target behind the semicolon, which is cut off *value. */
static rp_err take_target(struct seclang *in, const struct seclang_action *action, rp_view *value,
                          struct rp_waf_ctl *ctl) {
    size_t n = rp_view_find_byte(*value, ';');
    rp_view rest = rp_view_from(*value, n < value->n ? n + 1 : n);
    if (rest.n == 0) {
        return seclang_fail(in, action->at, RP_ERR(SYNTAX),
                            "ctl:%s without a variable; expected …;ARGS:name",
                            rp_waf_ctl_name(ctl->kind));
    }
    *value = rp_view_sub(*value, 0, n);
    RP_TRY(seclang_target(in, &rest, &ctl->target));
    if (rest.n > 0 || ctl->target.count || ctl->target.exclude) {
        return seclang_fail(
            in, action->at, RP_ERR(SYNTAX),
            "ctl:%s names \"%.*s\" too; expected one variable, neither excluded nor counted: one "
            "ctl for each",
            rp_waf_ctl_name(ctl->kind), SECLANG_FMT(rest));
    }
    ctl->has_target = true;
    return RP_OK;
}

static rp_err check_limit(struct seclang *in, const struct seclang_action *action,
                          const struct rp_waf_ctl *ctl) {
    uint64_t bytes = 0;
    if (!rp_view_to_u64(ctl->value, SECLANG_LIMIT_MAX, &bytes) || bytes == 0) {
        return seclang_fail(in, action->at, RP_ERR(INVALID),
                            "ctl:%s=%.*s: expected a number of bytes, from 1 to %llu",
                            rp_waf_ctl_name(ctl->kind), SECLANG_FMT(ctl->value),
                            (unsigned long long)SECLANG_LIMIT_MAX);
    }
    return RP_OK;
}

static rp_err add_ctl(struct seclang *in, const struct rp_waf_ctl *ctl,
                      struct seclang_draft *draft) {
    struct rp_waf_ctl *added = seclang_add(in, &draft->ctls, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    *added = *ctl;
    return RP_OK;
}

/* Each range of a list of ids is a ctl of its own. */
static rp_err add_by_id(struct seclang *in, rp_view value, struct rp_waf_ctl *ctl,
                        struct seclang_draft *draft) {
    rp_view rest = value;
    while (rest.p != NULL) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ' ') {
            n++;
        }
        RP_TRY(seclang_range(in, rp_view_sub(rest, 0, n), &ctl->id_first, &ctl->id_last));
        RP_TRY(add_ctl(in, ctl, draft));
        rest = seclang_skip_spaces(rp_view_from(rest, n));
        if (rest.n == 0) {
            rest.p = NULL;
        }
    }
    return RP_OK;
}

static rp_err note_ctl(struct seclang *in, enum rp_waf_ctl_kind kind) {
    if (kind == RP_CTL_AUDIT_ENGINE || kind == RP_CTL_AUDIT_LOG_PARTS) {
        return seclang_note(in, "ctl:audit…: Rempart has its own log");
    }
    if (kind == RP_CTL_DEBUG_LOG_LEVEL) {
        return seclang_note(
            in, "ctl:debugLogLevel: rempart waf exec and explain show what a rule does");
    }
    return RP_OK;
}

static rp_err find_kind(struct seclang *in, const struct seclang_action *action, rp_view name,
                        enum rp_waf_ctl_kind *ret_kind) {
    *ret_kind = rp_waf_ctl_named(name);
    if (*ret_kind != RP_CTL_COUNT) {
        return RP_OK;
    }
    return seclang_fail(in, action->at, RP_ERR(UNKNOWN_KEY),
                        "unknown ctl \"%.*s\"; expected one such as ruleRemoveById or "
                        "requestBodyProcessor",
                        SECLANG_FMT(name));
}

rp_err seclang_ctl(struct seclang *in, const struct seclang_action *action,
                   struct seclang_draft *draft) {
    struct rp_waf_ctl ctl = {0};
    rp_view value = action->value;
    size_t n = rp_view_find_byte(value, '=');
    RP_TRY(find_kind(in, action, rp_view_trim(rp_view_sub(value, 0, n)), &ctl.kind));
    value = rp_view_trim(rp_view_from(value, n < value.n ? n + 1 : n));
    if (value.n == 0) {
        return seclang_fail(in, action->at, RP_ERR(SYNTAX), "ctl:%s without a value; expected =…",
                            rp_waf_ctl_name(ctl.kind));
    }
    if (of_target(ctl.kind)) {
        RP_TRY(take_target(in, action, &value, &ctl));
    }
    if (by_id(ctl.kind)) {
        return add_by_id(in, value, &ctl, draft);
    }
    ctl.value = value;
    const char *choices = choices_of(ctl.kind);
    if (choices) {
        RP_TRY(check_choice(in, action, choices, &ctl));
    }
    if (is_limit(ctl.kind)) {
        RP_TRY(check_limit(in, action, &ctl));
    }
    if (value.n == 0) {
        return seclang_fail(in, action->at, RP_ERR(SYNTAX),
                            "ctl:%s names no rules; expected them "
                            "before the semicolon",
                            rp_waf_ctl_name(ctl.kind));
    }
    RP_TRY(note_ctl(in, ctl.kind));
    return add_ctl(in, &ctl, draft);
}
