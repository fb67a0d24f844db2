/* seclang_setvar.c — setvar, expirevar, initcol: what a rule writes down. */
#include "base/assert.h"
#include "shield/seclang_internal.h"

static bool is_writable(enum rp_waf_variable variable) {
    return variable == RP_VAR_TX || variable == RP_VAR_IP || variable == RP_VAR_GLOBAL ||
           variable == RP_VAR_SESSION || variable == RP_VAR_RESOURCE || variable == RP_VAR_USER;
}

static rp_err collection_of(struct seclang *in, const struct seclang_action *action, rp_view name,
                            bool kept, enum rp_waf_variable *ret_variable) {
    enum rp_waf_variable variable = rp_waf_variable_named(name);
    if (is_writable(variable) && !(kept && variable == RP_VAR_TX)) {
        *ret_variable = variable;
        return RP_OK;
    }
    return seclang_fail(in, action->at, RP_ERR(INVALID),
                        "%.*s:%.*s: no collection that can be written; expected %sip, global, "
                        "session, resource or user",
                        SECLANG_FMT(action->name), SECLANG_FMT(name), kept ? "" : "tx, ");
}

/* "tx.name": the collection and the rest. */
static rp_err cut_collection(struct seclang *in, const struct seclang_action *action, bool kept,
                             rp_view *rest, enum rp_waf_variable *ret_variable) {
    size_t n = rp_view_find_byte(*rest, '.');
    RP_TRY(collection_of(in, action, rp_view_sub(*rest, 0, n), kept, ret_variable));
    *rest = rp_view_from(*rest, n < rest->n ? n + 1 : n);
    if (rest->n == 0 || rest->p[0] == '=') {
        return seclang_fail(in, action->at, RP_ERR(SYNTAX), "%.*s without a name; expected %s.name",
                            SECLANG_FMT(action->name), rp_waf_variable_name(*ret_variable));
    }
    return RP_OK;
}

/* Where the name ends: at the = outside of %{…}; v.n when there is none. */
static size_t find_equals(rp_view v) {
    size_t i = 0;
    while (i < v.n && v.p[i] != '=') {
        bool macro = v.p[i] == '%' && i + 1 < v.n && v.p[i + 1] == '{';
        size_t close = macro ? rp_view_find_byte(rp_view_from(v, i), '}') : 0;
        i += close + 1;
    }
    return RP_MIN(i, v.n);
}

rp_err seclang_setvar(struct seclang *in, const struct seclang_action *action,
                      struct seclang_draft *draft) {
    struct rp_waf_setvar set = {.how = RP_ASSIGN_SET};
    rp_view rest = action->value;
    if (rest.n > 0 && rest.p[0] == '!') {
        set.how = RP_ASSIGN_UNSET;
        rest = rp_view_from(rest, 1);
    }
    RP_TRY(cut_collection(in, action, false, &rest, &set.collection));
    size_t n = find_equals(rest);
    bool valued = n < rest.n;
    rp_view value = valued ? rp_view_from(rest, n + 1) : RP_VIEW("1");
    if (valued && set.how == RP_ASSIGN_UNSET) {
        return seclang_fail(in, action->at, RP_ERR(SYNTAX),
                            "setvar:! takes a variable away; expected no = behind its name");
    }
    if (valued && value.n > 0 && (value.p[0] == '+' || value.p[0] == '-')) {
        set.how = value.p[0] == '+' ? RP_ASSIGN_ADD : RP_ASSIGN_SUBTRACT;
        value = rp_view_from(value, 1);
    }
    RP_TRY(seclang_text(in, action->at, rp_view_sub(rest, 0, n), &set.name));
    RP_TRY(
        seclang_text(in, action->at, set.how == RP_ASSIGN_UNSET ? RP_VIEW("") : value, &set.value));
    struct rp_waf_setvar *added = seclang_add(in, &draft->setvars, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    *added = set;
    return RP_OK;
}

rp_err seclang_expirevar(struct seclang *in, const struct seclang_action *action,
                         struct seclang_draft *draft) {
    struct rp_waf_expire expire = {0};
    rp_view rest = action->value, literal;
    RP_TRY(cut_collection(in, action, true, &rest, &expire.collection));
    size_t n = find_equals(rest);
    expire.name = rp_view_sub(rest, 0, n);
    rp_view seconds = rp_view_from(rest, n < rest.n ? n + 1 : n);
    RP_TRY(seclang_text(in, action->at, seconds, &expire.lifetime));
    if (seclang_text_literal(&expire.lifetime, &literal) &&
        !rp_view_to_u64(rp_view_trim(literal), UINT32_MAX, &expire.seconds)) {
        return seclang_fail(in, action->at, RP_ERR(INVALID),
                            "expirevar:%.*s: expected = and a number of seconds, or %%{…}",
                            SECLANG_FMT(action->value));
    }
    struct rp_waf_expire *added = seclang_add(in, &draft->expires, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    *added = expire;
    return RP_OK;
}

static rp_err add_initcol(struct seclang *in, const struct seclang_action *action,
                          enum rp_waf_variable collection, rp_view key,
                          struct seclang_draft *draft) {
    if (key.n == 0) {
        return seclang_fail(in, action->at, RP_ERR(SYNTAX), "%.*s without a key; expected one",
                            SECLANG_FMT(action->name));
    }
    struct rp_waf_initcol *added = seclang_add(in, &draft->initcols, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    added->collection = collection;
    return seclang_text(in, action->at, key, &added->key);
}

rp_err seclang_initcol(struct seclang *in, const struct seclang_action *action,
                       struct seclang_draft *draft) {
    static const struct {
        const char *name;
        enum rp_waf_variable collection;
    } short_ways[] = {
        {"setsid", RP_VAR_SESSION}, {"setuid", RP_VAR_USER}, {"setrsc", RP_VAR_RESOURCE}};
    for (size_t i = 0; i < RP_COUNT_OF(short_ways); i++) {
        if (seclang_is_word(action->name, short_ways[i].name)) {
            return add_initcol(in, action, short_ways[i].collection, action->value, draft);
        }
    }
    rp_view rest = action->value;
    size_t n = find_equals(rest);
    enum rp_waf_variable collection = RP_VAR_COUNT;
    RP_TRY(collection_of(in, action, rp_view_sub(rest, 0, n), true, &collection));
    return add_initcol(in, action, collection, rp_view_from(rest, n < rest.n ? n + 1 : n), draft);
}
