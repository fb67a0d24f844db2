/* seclang_targets.c — ARGS|!ARGS:comment|&REQUEST_HEADERS:Host|TX:/^HEADER_/: what a rule looks at.
 */
#include "base/assert.h"
#include "shield/seclang_internal.h"

static const struct {
    const char *name, *why;
} refused[] = {
    {"ENV", "rules do not see the environment of a program here; expected TX, by setvar"},
    {"FILES_TMPNAMES", "Rempart writes no uploads to files; expected FILES or FILES_NAMES"},
    {"FILES_TMP_CONTENT", "Rempart writes no uploads to files; uploads are scanned elsewhere"},
    {"SCRIPT_BASENAME", "Rempart runs no scripts; expected REQUEST_BASENAME"},
    {"SCRIPT_FILENAME", "Rempart runs no scripts; expected REQUEST_FILENAME"},
    {"SCRIPT_GID", "Rempart runs no scripts"},
    {"SCRIPT_GROUPNAME", "Rempart runs no scripts"},
    {"SCRIPT_MODE", "Rempart runs no scripts"},
    {"SCRIPT_UID", "Rempart runs no scripts"},
    {"SCRIPT_USERNAME", "Rempart runs no scripts"},
    {"STREAM_INPUT_BODY", "Rempart rewrites no bodies; expected REQUEST_BODY"},
    {"STREAM_OUTPUT_BODY", "Rempart rewrites no bodies; expected RESPONSE_BODY"},
};

/* What is known, and has the same value whatever comes. */
static rp_err note_constant(struct seclang *in, enum rp_waf_variable variable) {
    return variable == RP_VAR_WEBSERVER_ERROR_LOG
               ? seclang_note(in, "WEBSERVER_ERROR_LOG: stays empty")
           : variable == RP_VAR_DURATION ? seclang_note(in, "DURATION: stays 0")
                                         : RP_OK;
}

rp_err seclang_variable(struct seclang *in, rp_view name, enum rp_waf_variable *ret_variable) {
    for (size_t i = 0; i < RP_COUNT_OF(refused); i++) {
        if (seclang_is_word(name, refused[i].name)) {
            return seclang_fail(in, name, RP_ERR(UNSUPPORTED), "%s: %s", refused[i].name,
                                rp_diag_say(in->diag, refused[i].why));
        }
    }
    enum rp_waf_variable variable = rp_waf_variable_named(name);
    if (variable != RP_VAR_COUNT) {
        *ret_variable = variable;
        return note_constant(in, variable);
    }
    if (rp_view_equal_nocase(rp_view_sub(name, 0, 5), RP_VIEW("PERF_"))) {
        return seclang_fail(in, name, RP_ERR(UNSUPPORTED),
                            "%.*s: Rempart has its own counts of work; expected no PERF_ variable",
                            SECLANG_FMT(name));
    }
    return seclang_fail(in, name, RP_ERR(UNKNOWN_KEY),
                        "unknown variable \"%.*s\"; expected one such as ARGS or REQUEST_URI",
                        SECLANG_FMT(name));
}

static bool ends_target(rp_view v, size_t i) {
    return i >= v.n || v.p[i] == '|' || v.p[i] == ',';
}

/* The index of the slash that closes an expression: the first bare one where the target ends. */
static size_t find_slash(rp_view v) {
    size_t i = 0;
    while (i < v.n && !(v.p[i] == '/' && ends_target(v, i + 1))) {
        i += v.p[i] == '\\' ? 2 : 1;
    }
    return RP_MIN(i, v.n);
}

/* What stands between single quotes at v's start; moves v behind them. */
static rp_err quoted_selector(struct seclang *in, rp_view *v, rp_view *ret_text) {
    rp_view within = rp_view_from(*v, 1);
    size_t n = 0;
    while (n < within.n && within.p[n] != '\'') {
        n += within.p[n] == '\\' ? 2 : 1;
    }
    if (n >= within.n) {
        return seclang_fail(in, *v, RP_ERR(SYNTAX), "this quote is not closed; expected '");
    }
    RP_TRY(seclang_unquote(in, rp_view_sub(within, 0, n), '\'', ret_text));
    *v = rp_view_from(within, n + 1);
    return RP_OK;
}

static bool between_slashes(rp_view v) {
    return v.n >= 2 && v.p[0] == '/' && v.p[v.n - 1] == '/';
}

/* "XML:/" and a star mean all texts, XML://@* all attributes; there is no XPath machine. */
static rp_err check_xpath(struct seclang *in, rp_view at, rp_view selector) {
    if (rp_view_equal(selector, RP_VIEW("/*")) || rp_view_equal(selector, RP_VIEW("//@*"))) {
        return RP_OK;
    }
    return seclang_fail(in, at, RP_ERR(UNSUPPORTED),
                        "XML:%.*s: Rempart reads XML as a stream; expected XML:/* (all texts) or "
                        "XML://@* (all attributes)",
                        SECLANG_FMT(selector));
}

static rp_err cut_selector(struct seclang *in, rp_view *rest, struct rp_waf_target *target) {
    rp_view v = *rest, at = *rest;
    if (v.n > 0 && v.p[0] == '\'') {
        RP_TRY(quoted_selector(in, &v, &target->selector));
    } else {
        size_t n = 0;
        bool expression = target->variable != RP_VAR_XML && v.n > 0 && v.p[0] == '/';
        if (expression) {
            n = find_slash(rp_view_from(v, 1)) + 2;
            if (n > v.n) {
                return seclang_fail(in, at, RP_ERR(SYNTAX),
                                    "this expression is not closed; expected / at its end");
            }
        }
        while (!ends_target(v, n)) {
            n++;
        }
        target->selector = rp_view_sub(v, 0, n);
        v = rp_view_from(v, n);
    }
    target->select = RP_SELECT_NAME;
    if (target->variable == RP_VAR_XML) {
        RP_TRY(check_xpath(in, at, target->selector));
    } else if (between_slashes(target->selector)) {
        target->select = RP_SELECT_REGEX;
        target->selector = rp_view_sub(target->selector, 1, target->selector.n - 2);
    }
    if (target->selector.n == 0) {
        return seclang_fail(in, at, RP_ERR(SYNTAX),
                            "a name is missing behind the colon; expected %s:name",
                            rp_waf_variable_name(target->variable));
    }
    *rest = v;
    return RP_OK;
}

rp_err seclang_target(struct seclang *in, rp_view *rest, struct rp_waf_target *ret_target) {
    struct rp_waf_target target = {.select = RP_SELECT_ALL};
    rp_view v = *rest;
    if (v.n > 0 && (v.p[0] == '!' || v.p[0] == '&')) {
        target.exclude = v.p[0] == '!';
        target.count = v.p[0] == '&';
        v = rp_view_from(v, 1);
    }
    size_t n = 0;
    while (!ends_target(v, n) && v.p[n] != ':') {
        n++;
    }
    rp_view name = rp_view_sub(v, 0, n);
    RP_TRY(seclang_variable(in, name, &target.variable));
    v = rp_view_from(v, n);
    if (v.n > 0 && v.p[0] == ':') {
        if (rp_waf_variable_shape(target.variable) == RP_SHAPE_SCALAR) {
            return seclang_fail(in, v, RP_ERR(INVALID),
                                "%s is one value; expected it without a name behind a colon",
                                rp_waf_variable_name(target.variable));
        }
        v = rp_view_from(v, 1);
        RP_TRY(cut_selector(in, &v, &target));
    }
    *ret_target = target;
    *rest = v;
    return RP_OK;
}

/* XML alone is the document as a whole, for schemas and DTDs to look at. */
static rp_err check_document(struct seclang *in, rp_view at, const struct rp_waf_target *target) {
    if (target->variable != RP_VAR_XML || target->select != RP_SELECT_ALL || target->exclude) {
        return RP_OK;
    }
    return seclang_fail(in, at, RP_ERR(UNSUPPORTED),
                        "XML without a path: Rempart keeps no document; expected XML:/* (all "
                        "texts) or XML://@* (all attributes)");
}

rp_err seclang_targets(struct seclang *in, rp_view text, struct seclang_list *targets) {
    rp_view rest = text;
    for (;;) {
        struct rp_waf_target target;
        rp_view at = rest;
        RP_TRY(seclang_target(in, &rest, &target));
        RP_TRY(check_document(in, at, &target));
        struct rp_waf_target *added = seclang_add(in, targets, sizeof *added);
        if (!added) {
            return RP_ERR(TOO_LARGE);
        }
        *added = target;
        if (rest.n == 0) {
            return RP_OK;
        }
        if (!ends_target(rest, 0)) {
            return seclang_fail(in, rest, RP_ERR(SYNTAX), "\"%.*s\" behind a variable; expected |",
                                SECLANG_FMT(rest));
        }
        rest = rp_view_from(rest, 1);
    }
}
