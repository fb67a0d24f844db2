/* waf_test.h — the regression tests of the Core Rule Set: read (waf_test_read.c), run
 * (waf_test.c). Both formats, ftw YAML of CRS 3.3 and of CRS 4. */
#ifndef RP_CLI_WAF_TEST_H
#define RP_CLI_WAF_TEST_H

#include "waf.h"

enum { WAF_EXPECT_MAX = 64 };

/* What one stage expects; all of it has to hold. */
struct waf_expect {
    uint64_t ids[WAF_EXPECT_MAX], no_ids[WAF_EXPECT_MAX];
    size_t id_count, no_id_count;
    rp_view log_contains, no_log_contains; /* expressions; p == NULL = not asked */
    rp_view response_contains;
    uint64_t statuses[8];
    size_t status_count;
    bool error; /* a server would answer nothing, or 400 */
    bool has_error;
    bool isolated; /* and no other rule */
};

struct waf_stage {
    struct waf_message request;
    struct waf_expect expect;
    unsigned line;
};

struct waf_test_case {
    const char *title;
    struct waf_stage *stages;
    size_t stage_count;
    bool enabled;
};

struct waf_test_file {
    struct waf_test_case *tests;
    size_t test_count;
};
/* SYNTAX and INVALID with line and column; everything lives in the arena. */
rp_err waf_test_read(rp_view text, struct rp_arena *arena, struct waf_test_file *ret_file,
                     struct rp_diag *diag);

/* The answer of the tests' back end: what CRS 4's /reflect is asked to say, else an echo. */
rp_err waf_test_answer(const struct waf_message *request, struct rp_arena *arena,
                       struct waf_message *ret_response);

#endif
