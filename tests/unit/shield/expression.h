/* expression.h — PCRE2 as the rules use it: the referee of the prefilter's tests. */
#ifndef RP_TESTS_SHIELD_EXPRESSION_H
#define RP_TESTS_SHIELD_EXPRESSION_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/view.h"

struct expression {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

/* False when PCRE2 refuses the pattern. */
static inline bool expression_new(rp_view pattern, uint32_t match_limit,
                                  struct expression *ret_expression) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code =
        pcre2_compile(pattern.p, pattern.n, PCRE2_DOTALL | PCRE2_MULTILINE, &error, &offset, NULL);
    if (code == NULL) {
        return false;
    }
    *ret_expression = (struct expression){code, pcre2_match_data_create_from_pattern(code, NULL),
                                          pcre2_match_context_create(NULL)};
    pcre2_set_match_limit(ret_expression->context, match_limit);
    return true;
}

static inline bool expression_matches(const struct expression *expression, rp_view value) {
    return pcre2_match(expression->code, value.p, value.n, 0, 0, expression->data,
                       expression->context) >= 0;
}

static inline void expression_done(struct expression *expression) {
    pcre2_match_data_free(expression->data);
    pcre2_match_context_free(expression->context);
    pcre2_code_free(expression->code);
}

#endif
