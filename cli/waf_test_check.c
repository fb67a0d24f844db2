/* waf_test_check.c — does what came of a stage hold to what its test expects. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/regex.h"
#include "waf_test.h"

static bool has_id(const struct waf_outcome *outcome, uint64_t id) {
    for (size_t i = 0; i < outcome->id_count; i++) {
        if (outcome->ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* The first rule that matched and was not expected; 0 = none. */
static uint64_t uninvited(const struct waf_expect *expect, const struct waf_outcome *outcome) {
    for (size_t i = 0; i < outcome->id_count; i++) {
        bool expected = false;
        for (size_t j = 0; j < expect->id_count; j++) {
            expected = expected || outcome->ids[i] == expect->ids[j];
        }
        if (!expected) {
            return outcome->ids[i];
        }
    }
    return 0;
}

/* What servers answer themselves, each in its way: a version that none speaks, a tunnel. */
static bool server_may_say(const struct waf_message *request, uint64_t status) {
    rp_view version = request->protocol;
    bool spoken = rp_view_starts(version, RP_VIEW("HTTP/1.")) ||
                  rp_view_equal(version, RP_VIEW("HTTP/2")) ||
                  rp_view_equal(version, RP_VIEW("HTTP/2.0"));
    bool tunnel = rp_view_equal(request->method, RP_VIEW("CONNECT"));
    return (!spoken && (status == 400 || status == 426 || status == 505)) ||
           (tunnel && (status == 400 || status == 405));
}

static bool status_holds(const struct waf_stage *stage, const struct waf_outcome *outcome) {
    const struct waf_expect *expect = &stage->expect;
    for (size_t i = 0; i < expect->status_count; i++) {
        uint64_t status = expect->statuses[i];
        if (status == outcome->status || (outcome->refused != 0 && status == outcome->refused) ||
            (outcome->in_process && server_may_say(&stage->request, status))) {
            return true;
        }
    }
    return expect->status_count == 0;
}

static const char *say(struct rp_arena *arena, uint64_t id, const char *text) {
    return (const char *)rp_arena_printf(arena, "%llu %s", (unsigned long long)id, text).p;
}

static const char *check_ids(struct rp_arena *arena, const struct waf_expect *expect,
                             const struct waf_outcome *outcome) {
    for (size_t i = 0; i < expect->id_count; i++) {
        if (!has_id(outcome, expect->ids[i])) {
            return say(arena, expect->ids[i], "did not match");
        }
    }
    for (size_t i = 0; i < expect->no_id_count; i++) {
        if (has_id(outcome, expect->no_ids[i])) {
            return say(arena, expect->no_ids[i], "matched");
        }
    }
    uint64_t other = expect->isolated ? uninvited(expect, outcome) : 0;
    return other != 0 ? say(arena, other, "matched, and the test is isolated") : NULL;
}

static const char *check_texts(struct rp_arena *arena, const struct waf_expect *expect,
                               const struct waf_outcome *outcome) {
    if (expect->log_contains.p && !rp_regex_search(expect->log_contains, outcome->log)) {
        return (const char *)rp_arena_printf(arena, "not in the log: %.*s",
                                             RP_FMT(expect->log_contains))
            .p;
    }
    if (expect->no_log_contains.p && rp_regex_search(expect->no_log_contains, outcome->log)) {
        return (const char *)rp_arena_printf(arena, "in the log: %.*s",
                                             RP_FMT(expect->no_log_contains))
            .p;
    }
    if (expect->response_contains.p &&
        !rp_regex_search(expect->response_contains, outcome->answer)) {
        return "the answer does not contain what it should";
    }
    return NULL;
}

const char *waf_test_check(struct rp_arena *arena, const struct waf_stage *stage,
                           const struct waf_outcome *outcome) {
    const struct waf_expect *expect = &stage->expect;
    bool error = outcome->in_process ? stage->request.malformed != NULL : outcome->status == 0;
    if (expect->has_error && expect->error != error) {
        return expect->error ? "expected: no answer; there is one"
                             : "expected: an answer; there is none";
    }
    if (expect->error) {
        return NULL; /* nobody answered, as expected: there is nothing else to look at */
    }
    if (!outcome->in_process && outcome->status == 0) {
        return "no answer";
    }
    if (!status_holds(stage, outcome)) {
        return (const char *)rp_arena_printf(arena, "status %u", outcome->status).p;
    }
    const char *why = check_ids(arena, expect, outcome);
    return why ? why : check_texts(arena, expect, outcome);
}
