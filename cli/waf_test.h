/* waf_test.h — the regression tests of the Core Rule Set: read (waf_test_read.c), made requests
 * (waf_test_request.c), run in process (waf_test.c) or against a server (waf_test_wire.c). Both
 * formats, ftw YAML of CRS 3.3 and of CRS 4. */
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
    bool isolated;   /* and no other rule */
    bool retry_once; /* over the wire, where a log line may come late */
};

/* What a test says of its request. */
struct waf_test_input {
    rp_view method, uri, version, data;
    struct waf_header *headers;
    size_t header_count;
    bool completed; /* with the headers that a client sends by itself */
    bool release4;  /* as the tests of release 4 count on it */
};

struct waf_stage {
    rp_view raw;                 /* what goes over the wire */
    struct waf_message request;  /* the same as a server reads it */
    struct waf_message response; /* what the back end is to answer; status 0: as it likes */
    struct waf_expect expect;
    rp_view host; /* that the markers around it ask, too; p == NULL: the server's address */
    const struct waf_test_input *words; /* it was made of; NULL: given as bytes */
    bool follows;                       /* to where the stage before was sent */
    unsigned line;
};

struct waf_test_case {
    const char *title;
    const char *refused; /* why it cannot be run: "line:column: reason"; NULL = it can */
    struct waf_stage *stages;
    size_t stage_count;
    unsigned line;
    bool enabled;
};

struct waf_test_file {
    struct waf_test_case *tests;
    size_t test_count;
};
/* SYNTAX, and INVALID for a test without a name, with line and column; a test that says what is not
 * known is refused alone. Everything lives in the arena. */
rp_err waf_test_read(rp_view text, struct rp_arena *arena, struct waf_test_file *ret_file,
                     struct rp_diag *diag);

/* The stage's bytes and what a server reads of them; words live as long as it does. TOO_LARGE. */
rp_err waf_test_build(const struct waf_test_input *words, struct rp_arena *arena,
                      struct waf_stage *stage);
/* The same stage, sent to the place that a redirection names. INVALID: it names none. */
rp_err waf_test_follow(const struct waf_stage *stage, rp_view location, struct rp_arena *arena,
                       struct waf_stage *ret_stage);
/* A request that was read, cut to what a server hands on to rules. */
void waf_test_as_served(struct waf_message *request);

/* The answer of the tests' back end: what the stage tells it, what CRS 4's /reflect is asked to
 * say, else an echo. */
rp_err waf_test_answer(const struct waf_stage *stage, struct rp_arena *arena,
                       struct waf_message *ret_response);

/* What came of a stage. */
enum { WAF_OUTCOME_IDS = 512 };
struct waf_outcome {
    bool in_process;  /* there was no server: what one may say counts as said */
    unsigned status;  /* 0: no answer */
    unsigned refused; /* what the rules answer, or would if they blocked; 0: nothing, or unknown */
    uint64_t ids[WAF_OUTCOME_IDS]; /* of the rules in the log */
    size_t id_count;
    rp_view log, answer; /* the answer: its body, or all of it */
    rp_view location;    /* where it sends on; p == NULL = nowhere */
};
/* What failed, in words; NULL when all holds. Of an answer that is not there only expect_error. */
const char *waf_test_check(struct rp_arena *arena, const struct waf_stage *stage,
                           const struct waf_outcome *outcome);

/* ---- waf_test_wire.c: the stages sent to a server, whose log says what matched ---- */

struct waf_wire;
/* url: http://ADDRESS:PORT; log: its error log, in which the marker rule and all others tell. Says
 * what is wrong: RP_EXIT_OK or not. */
enum rp_exit waf_wire_open(struct cli *cli, const char *url, const char *log,
                           struct waf_wire **ret_wire);
void waf_wire_close(struct waf_wire *wire);
/* UNREACHABLE, TIMEOUT: no server, or a log without the marker. */
rp_err waf_wire_send(struct waf_wire *wire, const struct waf_stage *stage, struct rp_arena *arena,
                     struct waf_outcome *ret_outcome);

#endif
