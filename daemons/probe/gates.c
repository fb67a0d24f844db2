/* gates.c — the canary of the registers tries to talk past each gate, by every door that the API
 * has.
 *
 * It is a person like any, listed on a shelf of its own where it may do what every role may, so
 * that nothing but the gates refuses it: by editing, by making, by moving, by bulk, by import, by
 * writing what only a move may write, and by the same request twice at the same moment. All must
 * be refused, and its record must be as it was.
 */
#include <pthread.h>
#include <stdio.h>

#include <pthread.h>
#include <stdio.h>

#include "base/checked.h"
#include "gates.h"

#define API "/.rempart/api/v1/registers/"

struct trying {
    struct probe *probe;
    const struct gate *gate;
    rp_id record;
    struct rp_observation *seen;
    struct rp_arena *arena;
    size_t tried, said;
};

/* ---- asking ---- */

static rp_view fill(const struct trying *trying, const char *pattern) {
    struct rp_id_text record = rp_id_print(trying->record),
                      colleague = rp_id_print(trying->probe->staff.colleague),
                      own = rp_id_print(rp_env_new_id(&trying->probe->env));
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(8192);
    for (const char *c = pattern; *c; c++) {
        const char *more = *c == '$'   ? record.s
                           : *c == '@' ? colleague.s
                           : *c == '#' ? own.s
                                       : NULL;
        if (more) {
            rp_buf_add_cstr(&text, more);
        } else {
            rp_buf_add_byte(&text, (uint8_t)*c);
        }
    }
    rp_view copy = {NULL, 0};
    return rp_ok(rp_arena_copy(trying->arena, rp_buf_view(&text), &copy)) ? copy
                                                                          : (rp_view){NULL, 0};
}

static rp_err ask(const struct trying *trying, struct http *http, const struct attempt *what,
                  struct http_answer *answer) {
    static const char *const headers[] = {"Accept: application/json", "Accept-Language: en", NULL};
    char pattern[200], path[300];
    (void)snprintf(pattern, sizeof pattern, API "%s%s", trying->gate->reg, what->at);
    rp_view at = fill(trying, pattern);
    rp_view body = what->body ? fill(trying, what->body) : (rp_view){NULL, 0};
    if (!at.p || at.n >= sizeof path || (what->body && !body.p)) {
        return RP_ERR(TOO_LARGE);
    }
    memcpy(path, at.p, at.n);
    path[at.n] = 0;
    bool csv = strcmp(what->at, "/import") == 0;
    struct http_request request = {.method = what->method,
                                   .path = path,
                                   .headers = headers,
                                   .content_type = !what->body ? NULL
                                                   : csv       ? "text/csv"
                                                               : "application/json",
                                   .body = body};
    return http_ask(http, &request, answer);
}

/* Nothing was learnt: somebody else's limits, or nobody answered. */
static bool is_busy(const struct http_answer *answer) {
    return answer->status == 429 || answer->status >= 500 || answer->status == 401;
}

/* ---- before: a record that stands at the gate ---- */

static bool make(struct trying *trying, const char *reg, const char *record, rp_id *ret_id) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    const struct gate at = {.reg = reg};
    struct trying making = *trying;
    making.gate = &at;
    rp_err err = ask(&making, trying->probe->staff.alone.session.http,
                     &(struct attempt){"POST", "", record}, &answer);
    if (rp_ok(err) && answer.status == 201 &&
        rp_id_parse(rp_json_get_string(http_json(&answer), "id"), ret_id)) {
        return true;
    }
    rp_probe_unsure(trying->seen, "the canary could not make its record (status %ld)",
                    answer.status);
    return false;
}

/* The first of the register that the canary sees. */
static bool find(const struct trying *trying, rp_id *ret_id) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    const struct attempt look = {"GET", "", NULL};
    rp_err err = ask(trying, trying->probe->staff.alone.session.http, &look, &answer);
    const struct rp_json *list = rp_ok(err) ? http_json(&answer) : NULL;
    if (list && list->first && rp_id_parse(rp_json_get_string(list->first, "id"), ret_id)) {
        return true;
    }
    rp_probe_unsure(trying->seen, "the canary has no record of \"%s\"", trying->gate->reg);
    return false;
}

/* Its version; 0: it is not there. */
static uint64_t version_now(const struct trying *trying) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    const struct attempt look = {"GET", "/$", NULL};
    uint64_t version = 0;
    if (!rp_ok(ask(trying, trying->probe->staff.alone.session.http, &look, &answer)) ||
        answer.status != 200) {
        return 0;
    }
    const struct rp_json *number = rp_json_get(http_json(&answer), "version");
    if (number && number->kind == RP_JSON_NUMBER && number->number > 0) {
        version = (uint64_t)number->number;
    }
    return version;
}

static bool have_colleague(struct trying *trying) {
    rp_id *colleague = &trying->probe->staff.colleague;
    return !rp_id_is_none(*colleague) ||
           make(trying, "persons", probe_gates[GATE_RISK].record, colleague);
}

bool probe_staff_colleague(struct probe *probe, struct rp_observation *seen) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(1 << 16);
    struct trying trying = {.probe = probe, .seen = seen, .arena = arena};
    return arena && have_colleague(&trying);
}

static bool stand_at_gate(struct trying *trying, rp_id *record) {
    struct staff_canary *staff = &trying->probe->staff;
    if (!have_colleague(trying)) {
        return false;
    }
    trying->record = *record;
    if (!rp_id_is_none(*record) && version_now(trying) > 0) {
        return true;
    }
    bool there = trying->gate->record
                     ? make(trying, trying->gate->reg, trying->gate->record, record)
                     : find(trying, record);
    if (!there) {
        return false;
    }
    trying->record = *record;
    for (size_t i = 0; i < BEFORE_MAX && trying->gate->before[i]; i++) {
        _cleanup_answer_ struct http_answer answer = http_answer_new();
        const struct attempt step = {"POST", "/$/move", trying->gate->before[i]};
        if (!rp_ok(ask(trying, staff->alone.session.http, &step, &answer)) ||
            answer.status != 200) {
            rp_probe_unsure(trying->seen, "the canary could not get to the gate (status %ld)",
                            answer.status);
            *record = (rp_id){{0}};
            return false;
        }
    }
    return true;
}

/* ---- the attempts ---- */

/* A bulk answers 200 and says of each record what became of it; the record's version tells. */
static bool is_bulk(const struct attempt *attempt) {
    return strcmp(attempt->at, "/bulk") == 0;
}

static bool judge(struct trying *trying, const struct attempt *attempt,
                  const struct http_answer *answer) {
    if (is_busy(answer)) {
        rp_probe_unsure(trying->seen, "the gate does not answer now (status %ld)", answer->status);
        return false;
    }
    if (answer->status < 300 && !is_bulk(attempt)) {
        rp_probe_broken(trying->seen, "%s %s%s was accepted: %s", attempt->method,
                        trying->gate->reg, attempt->at, attempt->body);
        return false;
    }
    rp_view body = rp_buf_view(&answer->body);
    trying->tried++;
    trying->said += trying->gate->says != NULL &&
                    rp_view_find(body, rp_view_from_cstr(trying->gate->says)) < body.n;
    return true;
}

struct racer {
    const struct trying *trying;
    struct http *http;
    struct http_answer *answer;
    rp_err err;
};

static void *race(void *ctx) {
    struct racer *racer = ctx;
    racer->err = ask(racer->trying, racer->http, &racer->trying->gate->tries[0], racer->answer);
    return NULL;
}

/* The same request twice at the same moment: neither slips in behind the other. */
static bool race_refused(struct trying *trying) {
    struct http *http = trying->probe->staff.alone.session.http, *twin = http_twin(http);
    _cleanup_answer_ struct http_answer one = http_answer_new();
    _cleanup_answer_ struct http_answer two = http_answer_new();
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(65536);
    struct trying beside = *trying;
    beside.arena = arena;
    struct racer racer = {&beside, twin, &two, RP_ERR(SYSTEM)};
    pthread_t thread;
    bool started = twin && arena && pthread_create(&thread, NULL, race, &racer) == 0;
    rp_err err = ask(trying, http, &trying->gate->tries[0], &one);
    if (started) {
        pthread_join(thread, NULL);
    }
    http_free(twin);
    if (!started || !rp_ok(err) || !rp_ok(racer.err)) {
        rp_probe_unsure(trying->seen, "the gate does not answer two at once");
        return false;
    }
    return judge(trying, &trying->gate->tries[0], &one) &&
           judge(trying, &trying->gate->tries[0], &two);
}

static bool all_refused(struct trying *trying) {
    for (size_t i = 0; i < TRIES_MAX && trying->gate->tries[i].method; i++) {
        _cleanup_answer_ struct http_answer answer = http_answer_new();
        const struct attempt *attempt = &trying->gate->tries[i];
        if (!rp_ok(ask(trying, trying->probe->staff.alone.session.http, attempt, &answer))) {
            rp_probe_unsure(trying->seen, "the gate does not answer");
            return false;
        }
        if (!judge(trying, attempt, &answer)) {
            return false;
        }
    }
    return race_refused(trying);
}

bool probe_staff_ready(struct probe *probe, bool fresh, struct rp_observation *seen) {
    struct lone_canary *alone = &probe->staff.alone;
    return probe_lone_ready(probe, alone, "canary/staff.json", seen) &&
           canary_sign_in_outside(probe, &alone->session, fresh, seen);
}

/* True when every attempt was refused and the record is as it was; else it has concluded. */
static bool holds(struct probe *probe, size_t at, struct rp_observation *seen, size_t *ret_tried) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(1 << 20);
    struct trying trying = {.probe = probe, .gate = &probe_gates[at], .seen = seen, .arena = arena};
    rp_id *record = &probe->staff.records[at];
    /* Signatures are tried with a second factor that was shown a moment ago. */
    if (!arena || !probe_staff_ready(probe, true, seen) || !stand_at_gate(&trying, record)) {
        return false;
    }
    uint64_t before = version_now(&trying);
    bool refused = before > 0 && all_refused(&trying);
    uint64_t after = version_now(&trying);
    if (before > 0 && after > 0 && after != before) {
        rp_probe_broken(seen, "an attempt changed the canary's record of \"%s\"", trying.gate->reg);
        refused = false;
    } else if (before == 0 || after == 0) {
        rp_probe_unsure(seen, "the canary's record cannot be read");
        refused = false;
    } else if (refused && trying.gate->says && trying.said == 0) {
        rp_probe_unsure(seen, "all was refused, but nothing by the gate itself");
        refused = false;
    }
    if (!refused) {
        *record = (rp_id){{0}}; /* a new one next time */
    }
    *ret_tried = trying.tried;
    return refused;
}

static void try_gate(struct probe *probe, size_t at, struct rp_observation *seen) {
    size_t tried = 0;
    if (holds(probe, at, seen, &tried)) {
        rp_probe_holds(seen,
                       "%zu attempts on a canary's record of \"%s\" refused: by edit, move, bulk, "
                       "import and twice at once",
                       tried, probe_gates[at].reg);
    }
}

/*= S9: a role with risk for somebody who was not checked */
void probe_people_risk_role_refused(void *ctx, struct rp_observation *seen) {
    try_gate(ctx, GATE_RISK, seen);
}

/*= S31: an entry to the data centre without an approved ticket */
void probe_datacentre_entry_refused(void *ctx, struct rp_observation *seen) {
    try_gate(ctx, GATE_ENTRY, seen);
}

/*= S62: a change approved by who wrote it */
void probe_change_self_approval_refused(void *ctx, struct rp_observation *seen) {
    try_gate(ctx, GATE_APPROVAL, seen);
}

/*= S165: a supplier that works for us and was never assessed */
void probe_supplier_unassessed_refused(void *ctx, struct rp_observation *seen) {
    try_gate(ctx, GATE_SUPPLIER, seen);
}

/*= S27: an access purpose, written by somebody outside human resources */
void probe_premises_purpose_edit_refused(void *ctx, struct rp_observation *seen) {
    try_gate(ctx, GATE_PURPOSE, seen);
}

/*= S10: signed in with both factors, nothing signed, nothing learnt: no application opens */
void probe_people_unsigned_refused(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    size_t tried = 0;
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    const struct http_request enter = {.method = "GET", .path = "/.rempart/canary/"};
    if (!probe_staff_ready(probe, true, seen)) {
        return;
    }
    if (!rp_ok(http_ask(probe->staff.alone.session.http, &enter, &answer)) || is_busy(&answer)) {
        rp_probe_unsure(seen, "the gate does not answer (status %ld)", answer.status);
    } else if (answer.status != 403) {
        rp_probe_broken(seen, "an application answered with %ld to an account that signed nothing",
                        answer.status);
    } else if (holds(probe, GATE_ONBOARDING, seen, &tried)) {
        rp_probe_holds(seen,
                       "an account that signed nothing reached no application, and %zu attempts to "
                       "make somebody active who signed nothing were refused",
                       tried);
    }
}
