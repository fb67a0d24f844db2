/* names.c — the words of SecLang and what they stand for here. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/seclang.h"

static const struct {
    const char *name;
    enum rp_waf_shape shape;
} variables[] = {
#define RP_VARIABLE(NAME, name, shape) {name, RP_SHAPE_##shape},
#include "shield/variables.def"
#undef RP_VARIABLE
};
_Static_assert(RP_COUNT_OF(variables) == RP_VAR_COUNT, "one row a variable");

static const char *const operators[] = {
#define RP_OPERATOR(NAME, name) name,
#include "shield/operators.def"
#undef RP_OPERATOR
};

static const char *const ctls[] = {
#define RP_CTL(NAME, name) name,
#include "shield/ctl.def"
#undef RP_CTL
};

const char *rp_waf_variable_name(enum rp_waf_variable variable) {
    RP_ASSERT(variable < RP_VAR_COUNT);
    return variables[variable].name;
}

enum rp_waf_shape rp_waf_variable_shape(enum rp_waf_variable variable) {
    RP_ASSERT(variable < RP_VAR_COUNT);
    return variables[variable].shape;
}

enum rp_waf_variable rp_waf_variable_named(rp_view name) {
    unsigned i = 0;
    while (i < RP_VAR_COUNT && !rp_view_equal_nocase(name, rp_view_from_cstr(variables[i].name))) {
        i++;
    }
    return (enum rp_waf_variable)i;
}

/* The index of a word in a list, or the list's length. */
static unsigned named(rp_view name, const char *const *list, unsigned count) {
    unsigned i = 0;
    while (i < count && !rp_view_equal_nocase(name, rp_view_from_cstr(list[i]))) {
        i++;
    }
    return i;
}

const char *rp_waf_operator_name(enum rp_waf_operator op) {
    RP_ASSERT(op < RP_OP_COUNT);
    return operators[op];
}

enum rp_waf_operator rp_waf_operator_named(rp_view name) {
    return (enum rp_waf_operator)named(name, operators, RP_OP_COUNT);
}

const char *rp_waf_ctl_name(enum rp_waf_ctl_kind kind) {
    RP_ASSERT(kind < RP_CTL_COUNT);
    return ctls[kind];
}

enum rp_waf_ctl_kind rp_waf_ctl_named(rp_view name) {
    return (enum rp_waf_ctl_kind)named(name, ctls, RP_CTL_COUNT);
}
