#include "shield/regex.h"

#include "shield/waf.h"

bool rp_regex_search(rp_view pattern, rp_view text) {
    struct rp_waf_pattern compiled = rp_waf_pattern_new(pattern, false);
    if (!compiled.code) {
        return false;
    }
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(compiled.code, NULL);
    int found = data ? pcre2_match(compiled.code, text.n > 0 ? text.p : (const uint8_t *)"", text.n,
                                   0, 0, data, NULL)
                     : -1;
    pcre2_match_data_free(data);
    pcre2_code_free(compiled.code);
    return found > 0;
}
