/* waf_test_yaml.c — keys and words of ftw YAML. */
#include "waf_test_yaml.h"
#include "base/checked.h"

rp_err waf_test_fail(const struct waf_reading *in, const struct rp_yaml *at, rp_err err,
                     const char *text) {
    return rp_fail_at(in->diag, err, at->line, at->column, "%s", text);
}

rp_err waf_test_keys(const struct waf_reading *in, const struct rp_yaml *node,
                     const char *const *keys) {
    if (node->kind != RP_YAML_MAPPING) {
        return waf_test_fail(in, node, RP_ERR(INVALID), "expected keys with values");
    }
    for (const struct rp_yaml *one = node->first; one; one = one->next) {
        size_t i = 0;
        while (keys[i] && !rp_view_equal(one->key, rp_view_from_cstr(keys[i]))) {
            i++;
        }
        if (!keys[i]) {
            return rp_fail_at(in->diag, RP_ERR(UNKNOWN_KEY), one->key_line, one->key_column,
                              "\"%.*s\"; expected one such as %s", (int)RP_MIN(one->key.n, 40),
                              one->key.p, keys[0]);
        }
    }
    return RP_OK;
}

static bool is_word(rp_view text, const char *word) {
    return rp_view_equal_nocase(text, rp_view_from_cstr(word));
}

rp_err waf_test_bool(const struct waf_reading *in, const struct rp_yaml *mapping, const char *key,
                     bool otherwise, bool *ret_value) {
    const struct rp_yaml *node = mapping ? rp_yaml_get(mapping, key) : NULL;
    bool yes = node && (is_word(node->scalar, "true") || is_word(node->scalar, "yes"));
    bool no = node && (is_word(node->scalar, "false") || is_word(node->scalar, "no"));
    if (node && !yes && !no) {
        return waf_test_fail(in, node, RP_ERR(INVALID), "expected true or false");
    }
    *ret_value = node ? yes : otherwise;
    return RP_OK;
}
