/* waf_test_expect.c — what a stage of ftw YAML expects: a status, an answer, lines of the log.
 *
 * What belongs into `log` also stands beside it in some of release 4's tests, and means the same.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "waf_test_yaml.h"

static const char *const output_keys[] = {
    "status",     "response_contains", "log_contains", "no_log_contains",
    "log",        "expect_error",      "retry_once",   "isolated",
    "expect_ids", "no_expect_ids",     "match_regex",  "no_match_regex",
    NULL};
static const char *const log_keys[] = {"expect_ids", "no_expect_ids", "match_regex",
                                       "no_match_regex", NULL};

static rp_err read_numbers(const struct waf_reading *in, const struct rp_yaml *node, size_t max,
                           uint64_t *ret_numbers, size_t *ret_count) {
    const struct rp_yaml *one = node;
    if (node && node->kind == RP_YAML_SEQUENCE) {
        one = node->first;
    }
    for (; one; one = node->kind == RP_YAML_SEQUENCE ? one->next : NULL) {
        if (*ret_count == max ||
            !rp_view_to_u64(one->scalar, UINT64_MAX, &ret_numbers[*ret_count])) {
            return waf_test_fail(in, one, RP_ERR(INVALID), "a list of numbers is expected");
        }
        (*ret_count)++;
    }
    return RP_OK;
}

static void read_text(const struct rp_yaml *mapping, const char *key, rp_view *text) {
    rp_view scalar = rp_yaml_get_scalar(mapping, key);
    *text = scalar.p ? scalar : *text;
}

/* Lines of the log: from `log`, or from the output itself. */
static rp_err read_log(const struct waf_reading *in, const struct rp_yaml *log,
                       struct waf_expect *expect) {
    RP_TRY(read_numbers(in, rp_yaml_get(log, "expect_ids"), WAF_EXPECT_MAX, expect->ids,
                        &expect->id_count));
    RP_TRY(read_numbers(in, rp_yaml_get(log, "no_expect_ids"), WAF_EXPECT_MAX, expect->no_ids,
                        &expect->no_id_count));
    read_text(log, "match_regex", &expect->log_contains);
    read_text(log, "no_match_regex", &expect->no_log_contains);
    return RP_OK;
}

rp_err waf_test_read_output(const struct waf_reading *in, const struct rp_yaml *output,
                            struct waf_expect *expect) {
    RP_TRY(waf_test_keys(in, output, output_keys));
    const struct rp_yaml *log = rp_yaml_get(output, "log");
    if (log) {
        RP_TRY(waf_test_keys(in, log, log_keys));
        RP_TRY(read_log(in, log, expect));
    }
    RP_TRY(read_log(in, output, expect));
    read_text(output, "log_contains", &expect->log_contains);
    read_text(output, "no_log_contains", &expect->no_log_contains);
    expect->response_contains = rp_yaml_get_scalar(output, "response_contains");
    expect->has_error = rp_yaml_get(output, "expect_error") != NULL;
    RP_TRY(waf_test_bool(in, output, "isolated", false, &expect->isolated));
    RP_TRY(waf_test_bool(in, output, "expect_error", false, &expect->error));
    RP_TRY(waf_test_bool(in, output, "retry_once", false, &expect->retry_once));
    if (expect->isolated && expect->id_count != 1) {
        return waf_test_fail(in, output, RP_ERR(INVALID),
                             "isolated: expected one id in expect_ids");
    }
    return read_numbers(in, rp_yaml_get(output, "status"), RP_COUNT_OF(expect->statuses),
                        expect->statuses, &expect->status_count);
}
