/* waf_test_yaml.h — what the readers of ftw YAML share: where they are, keys, words.
 */
#ifndef RP_CLI_WAF_TEST_YAML_H
#define RP_CLI_WAF_TEST_YAML_H

#include "waf_test.h"
#include "wire/yaml.h"

struct waf_reading {
    struct rp_arena *arena;
    struct rp_diag *diag;
    const char *rule; /* CRS 4: rule_id; "" */
};

/* Fails where a node stands. */
rp_err waf_test_fail(const struct waf_reading *in, const struct rp_yaml *at, rp_err err,
                     const char *text);
/* A mapping of these keys (NULL at their end) and no other; UNKNOWN_KEY where another stands. */
rp_err waf_test_keys(const struct waf_reading *in, const struct rp_yaml *node,
                     const char *const *keys);
/* Absent: as otherwise says. */
rp_err waf_test_bool(const struct waf_reading *in, const struct rp_yaml *mapping, const char *key,
                     bool otherwise, bool *ret_value);

/* waf_test_expect.c: a stage's output. */
rp_err waf_test_read_output(const struct waf_reading *in, const struct rp_yaml *output,
                            struct waf_expect *expect);

#endif
