/* seclang_operators.c — "!@rx …": what a rule asks, and its argument checked. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/numeric.h"
#include "shield/seclang_internal.h"

enum form {
    FORM_NONE,    /* takes no argument */
    FORM_TEXT,    /* anything but nothing */
    FORM_NUMBER,  /* a whole number, or a macro */
    FORM_PHRASES, /* words */
    FORM_FILES,   /* files of phrases */
    FORM_NETS,
    FORM_NET_FILES,
    FORM_RANGES, /* of bytes */
};

static enum form form_of(enum rp_waf_operator op) {
    switch (op) {
    case RP_OP_PM:
        return FORM_PHRASES;
    case RP_OP_PM_FROM_FILE:
        return FORM_FILES;
    case RP_OP_EQ:
    case RP_OP_GE:
    case RP_OP_GT:
    case RP_OP_LE:
    case RP_OP_LT:
        return FORM_NUMBER;
    case RP_OP_IP_MATCH:
        return FORM_NETS;
    case RP_OP_IP_MATCH_FROM_FILE:
        return FORM_NET_FILES;
    case RP_OP_VALIDATE_BYTE_RANGE:
        return FORM_RANGES;
    case RP_OP_DETECT_SQLI:
    case RP_OP_DETECT_XSS:
    case RP_OP_VALIDATE_URL_ENCODING:
    case RP_OP_VALIDATE_UTF8:
    case RP_OP_UNCONDITIONAL_MATCH:
    case RP_OP_NO_MATCH:
    case RP_OP_GEO_LOOKUP:
        return FORM_NONE;
    case RP_OP_RX:
    case RP_OP_RX_GLOBAL:
    case RP_OP_STREQ:
    case RP_OP_STR_MATCH:
    case RP_OP_CONTAINS:
    case RP_OP_CONTAINS_WORD:
    case RP_OP_BEGINS_WITH:
    case RP_OP_ENDS_WITH:
    case RP_OP_WITHIN:
    case RP_OP_VERIFY_CC:
    case RP_OP_VERIFY_SSN:
    case RP_OP_VERIFY_CPF:
    case RP_OP_VERIFY_SVNR:
    case RP_OP_RBL:
        return FORM_TEXT;
    case RP_OP_COUNT:
        break;
    }
    RP_UNREACHABLE();
}

static const struct {
    const char *name;
    enum rp_waf_operator op;
} other_names[] = {
    {"pmf", RP_OP_PM_FROM_FILE},
    {"ipMatchF", RP_OP_IP_MATCH_FROM_FILE},
};

static const struct {
    const char *name, *why;
} refused[] = {
    {"inspectFile", "Rempart runs no programs on request; uploads are scanned by their own role"},
    {"fuzzyHash", "Rempart keeps no fuzzy hashes; uploads are scanned by their own role"},
    {"gsbLookup", "Rempart asks nobody while a request waits; expected pmFromFile with a list"},
    {"rsub", "Rempart rewrites no bodies"},
    {"validateDTD", "Rempart reads XML as a stream and knows no DTD"},
    {"validateSchema", "Rempart reads XML as a stream and knows no schema"},
    {"validateHash", "Rempart signs no links"},
};

static rp_err find_operator(struct seclang *in, rp_view name, enum rp_waf_operator *ret_op) {
    *ret_op = rp_waf_operator_named(name);
    for (size_t i = 0; i < RP_COUNT_OF(other_names) && *ret_op == RP_OP_COUNT; i++) {
        if (seclang_is_word(name, other_names[i].name)) {
            *ret_op = other_names[i].op;
        }
    }
    if (*ret_op != RP_OP_COUNT) {
        return RP_OK;
    }
    for (size_t i = 0; i < RP_COUNT_OF(refused); i++) {
        if (seclang_is_word(name, refused[i].name)) {
            return seclang_fail(in, name, RP_ERR(UNSUPPORTED), "@%s: %s", refused[i].name,
                                rp_diag_say(in->diag, refused[i].why));
        }
    }
    return seclang_fail(in, name, RP_ERR(UNKNOWN_KEY),
                        "unknown operator \"@%.*s\"; expected one such as @rx, @pm or @eq",
                        SECLANG_FMT(name));
}

/* ---- the argument ---- */

/* What is no number compares as its leading digits, or 0, in every engine; here it is told too. */
static rp_err check_number(struct seclang *in, enum rp_waf_operator op,
                           const struct rp_waf_text *argument) {
    rp_view text;
    uint64_t number = 0, most = op == RP_OP_EQ ? INT32_MAX : INT64_MAX;
    if (!seclang_text_literal(argument, &text)) {
        return RP_OK;
    }
    rp_view digits = rp_view_trim(text);
    if (digits.n > 1 && digits.p[0] == '-') {
        digits = rp_view_from(digits, 1);
    }
    while (digits.n > 1 && digits.p[0] == '0') {
        digits = rp_view_from(digits, 1);
    }
    if (rp_view_to_u64(digits, most, &number)) {
        return RP_OK;
    }
    int64_t read = rp_waf_number(text);
    return seclang_note(in, "\"%.*s\" is no number that @%s knows: it is %lld", SECLANG_FMT(text),
                        rp_waf_operator_name(op),
                        (long long)(op == RP_OP_EQ ? rp_waf_number_32(read) : read));
}

static rp_err check_ranges(struct seclang *in, rp_view at, const struct rp_waf_text *argument) {
    rp_view rest;
    if (!seclang_text_literal(argument, &rest)) {
        return seclang_fail(in, at, RP_ERR(UNSUPPORTED),
                            "@validateByteRange with %%{…}; expected numbers and ranges");
    }
    while (rest.p != NULL) {
        rp_view part = rp_view_trim(rp_view_cut(&rest, ','));
        rp_view last = part, first = rp_view_cut(&last, '-');
        uint64_t low = 0, high = 0;
        bool good = rp_view_to_u64(rp_view_trim(first), 255, &low);
        high = low;
        if (good && last.p != NULL) {
            good = rp_view_to_u64(rp_view_trim(last), 255, &high);
        }
        if (!good || low > high) {
            return seclang_fail(in, at, RP_ERR(INVALID),
                                "\"%.*s\" is no range of bytes; expected such as 32-126 or 9, from "
                                "0 to 255",
                                SECLANG_FMT(part));
        }
    }
    return RP_OK;
}

static rp_err literal_only(struct seclang *in, rp_view at, const struct rp_waf_rule *rule,
                           rp_view *ret_text) {
    if (seclang_text_literal(&rule->argument, ret_text)) {
        return RP_OK;
    }
    return seclang_fail(in, at, RP_ERR(UNSUPPORTED), "@%s with %%{…}; expected a fixed list",
                        rp_waf_operator_name(rule->op));
}

static rp_err read_list(struct seclang *in, rp_view at, enum form form, struct rp_waf_rule *rule) {
    struct seclang_list phrases = {0};
    rp_view text;
    RP_TRY(literal_only(in, at, rule, &text));
    if (form == FORM_PHRASES) {
        RP_TRY(seclang_phrases(in, at, text, &phrases));
    } else if (form == FORM_NETS) {
        RP_TRY(seclang_nets(in, at, text, &phrases));
    } else {
        RP_TRY(seclang_list_files(in, at, text, form == FORM_NET_FILES, &phrases));
    }
    rule->phrases = phrases.items;
    rule->phrase_count = phrases.count;
    return RP_OK;
}

/* "@streq" with nothing behind it asks for an empty value; a list or a number is never empty. */
static bool may_be_empty(enum form form, enum rp_waf_operator op) {
    _Static_assert(RP_OP_RX < RP_OP_WITHIN && RP_OP_WITHIN < RP_OP_EQ, "the texts come first");
    return form == FORM_NONE || (form == FORM_TEXT && op <= RP_OP_WITHIN);
}

static rp_err read_argument(struct seclang *in, rp_view at, rp_view argument,
                            struct rp_waf_rule *rule) {
    enum form form = form_of(rule->op);
    if (!may_be_empty(form, rule->op) && argument.n == 0) {
        return seclang_fail(in, at, RP_ERR(SYNTAX), "@%s without an argument; expected one",
                            rp_waf_operator_name(rule->op));
    }
    RP_TRY(seclang_text(in, at, argument, &rule->argument));
    switch (form) {
    case FORM_NONE:
    case FORM_TEXT:
        return RP_OK;
    case FORM_NUMBER:
        return check_number(in, rule->op, &rule->argument);
    case FORM_RANGES:
        return check_ranges(in, at, &rule->argument);
    case FORM_PHRASES:
    case FORM_FILES:
    case FORM_NETS:
    case FORM_NET_FILES:
        return read_list(in, at, form, rule);
    }
    RP_UNREACHABLE();
}

static rp_err note_operator(struct seclang *in, enum rp_waf_operator op) {
    if (op == RP_OP_GEO_LOOKUP) {
        return seclang_note(in, "@geoLookup: never matches; there is no database of places");
    }
    if (op == RP_OP_RBL) {
        return seclang_note(in, "@rbl: never matches; nobody is asked while a request waits");
    }
    return RP_OK;
}

/* Rule sets that were written for Apache, whose own reader halves backslashes before ModSecurity
 * sees them, write one backslash of an expression as four. Two in a row stay what PCRE2 makes of
 * them, which is what rule sets for ModSecurity 3 count on. */
static rp_err halve_four_backslashes(struct seclang *in, rp_view *expression) {
    rp_view four = RP_VIEW("\\\\\\\\");
    if (rp_view_find(*expression, four) == expression->n) {
        return RP_OK;
    }
    uint8_t *out = rp_arena_alloc(in->arena, expression->n);
    if (!out) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0;
    for (size_t i = 0; i < expression->n; i++) {
        out[n++] = expression->p[i];
        if (rp_view_starts(rp_view_from(*expression, i), four)) {
            out[n++] = expression->p[i];
            i += four.n - 1;
        }
    }
    *expression = rp_view_of(out, n);
    return RP_OK;
}

/* One space ends an operator's name; another one is a text's first byte. */
rp_err seclang_operator(struct seclang *in, const struct seclang_word *word,
                        struct seclang_draft *draft) {
    struct rp_waf_rule *rule = &draft->rule;
    rp_view rest = seclang_skip_spaces(word->raw), argument;
    if (rest.n == 0) {
        return seclang_fail(in, word->raw, RP_ERR(SYNTAX),
                            "an empty operator; expected one such as \"@rx …\"");
    }
    if (rest.p[0] == '!') {
        rule->negated = true;
        rest = seclang_skip_spaces(rp_view_from(rest, 1));
    }
    rule->op = RP_OP_RX;
    if (rest.n > 0 && rest.p[0] == '@') {
        size_t n = 1;
        while (n < rest.n && !seclang_is_space(rest.p[n])) {
            n++;
        }
        RP_TRY(find_operator(in, rp_view_sub(rest, 1, n - 1), &rule->op));
        rest = rp_view_from(rest, n);
        rest = form_of(rule->op) == FORM_TEXT ? rp_view_from(rest, RP_MIN(rest.n, 1))
                                              : seclang_skip_spaces(rest);
    }
    RP_TRY(seclang_unquote(in, rest, word->quote, &argument));
    if (rule->op == RP_OP_RX || rule->op == RP_OP_RX_GLOBAL) {
        RP_TRY(halve_four_backslashes(in, &argument));
    }
    RP_TRY(note_operator(in, rule->op));
    return read_argument(in, rest, argument, rule);
}
