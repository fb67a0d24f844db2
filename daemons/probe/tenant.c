/* tenant.c — two canary tenants try to reach each other's data, and look at their own audit log. */
#include <stdio.h>

#include "base/assert.h"
#include "os/file.h"
#include "probe.h"

enum { MARKER_BYTES = 16, AUDIT_TRIES = 20, AUDIT_PAUSE_MS = 500 };

static const char collection[] = "/.rempart/api/v1/spaces/canary";

/* One call of the API as the canary's application: its token, and an assertion. */
struct call {
    const char *method, *path;
    rp_view jwt, body;
};

static rp_err api(struct probe *probe, struct canary_session *canary, const struct call *call,
                  struct http_answer *answer) {
    rp_view proof =
        call->jwt.n ? rp_arena_printf(answer->arena, "Rempart-Assertion: %.*s", RP_FMT(call->jwt))
                    : (rp_view){NULL, 0};
    const struct canary_call whole = {call->method, call->path, (const char *)proof.p, call->body};
    return canary_api(probe, canary, &whole, answer);
}

static void record_path(char *out, size_t n, rp_id record) {
    snprintf(out, n, "%s/%s", collection, rp_id_print(record).s);
}

/* What the file probe hunts for: one marker a line, the newest last. */
static void remember_marker(const char *marker) {
    _cleanup_fd_ int fd = -1;
    char line[64];
    int n = snprintf(line, sizeof line, "%s\n", marker);
    if (rp_ok(rp_file_open_append("probe/planted", 0640, &fd))) {
        rp_ignore(rp_file_write_all(fd, rp_view_of(line, (size_t)n))); /* fewer to hunt for */
    }
}

/* A document with a marker that stands nowhere else in the world. */
static rp_view marked_document(struct probe *probe, struct rp_arena *arena) {
    uint8_t random[MARKER_BYTES];
    char hex[2 * MARKER_BYTES + 1] = {0};
    probe->env.fill_random(probe->env.ctx, random, sizeof random);
    rp_hex_print(rp_view_of(random, sizeof random), hex);
    remember_marker(hex);
    return rp_arena_printf(arena, "{\"canary\":\"%s\"}", hex);
}

/* The same in a file, so that the hunt looks for what lies beside the database, too. A canary whose
 * file cannot be put down now has its records planted all the same. */
static void plant_file(struct probe *probe, struct canary_session *canary, rp_view jwt) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    struct call create = {"POST", "/.rempart/api/v1/files/canary?name=planted.json", jwt,
                          marked_document(probe, answer.arena)};
    if (create.body.p) {
        rp_ignore(api(probe, canary, &create, &answer));
    }
}

/* The canary keeps one record in its own tenant; true when it reads back. */
static bool own_record(struct probe *probe, struct canary_session *canary, rp_view jwt,
                       struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char path[128];
    if (!rp_id_is_none(canary->record)) {
        record_path(path, sizeof path, canary->record);
        if (rp_ok(api(probe, canary, &(struct call){"GET", path, jwt, {NULL, 0}}, &answer)) &&
            answer.status == 200) {
            return true;
        }
    }
    struct call create = {"POST", collection, jwt, marked_document(probe, answer.arena)};
    rp_err err = create.body.p ? api(probe, canary, &create, &answer) : RP_ERR(NO_MEMORY);
    if (rp_ok(err) && answer.status == 201 &&
        rp_id_parse(rp_json_get_string(http_json(&answer), "id"), &canary->record)) {
        plant_file(probe, canary, jwt);
        return true;
    }
    rp_probe_unsure(seen, "a canary could not write into its own tenant (status %ld)",
                    answer.status);
    return false;
}

/* Neither among what lives nor in the trash. */
static bool not_listed(struct probe *probe, struct canary_session *thief, rp_view jwt,
                       const struct canary_session *victim, struct rp_observation *seen) {
    static const char *const lists[] = {collection, "/.rempart/api/v1/spaces/canary?trash=1"};
    struct rp_id_text id = rp_id_print(victim->record);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        _cleanup_answer_ struct http_answer list = http_answer_new();
        if (!rp_ok(api(probe, thief, &(struct call){"GET", lists[i], jwt, {NULL, 0}}, &list))) {
            rp_probe_unsure(seen, "the gate does not answer");
            return false;
        }
        rp_view text = rp_buf_view(&list.body);
        if (rp_view_find(text, rp_view_of(id.s, RP_ID_TEXT)) < text.n) {
            rp_probe_broken(seen, "a neighbour's record stands in %s",
                            i == 0 ? "the list" : "the trash");
            return false;
        }
    }
    return true;
}

/* Every way that the API has to touch a record, tried on the neighbour's. */
static bool cannot_reach(struct probe *probe, struct canary_session *thief, rp_view jwt,
                         const struct canary_session *victim, struct rp_observation *seen) {
    char path[128], versions[160], version[160], restore[160];
    record_path(path, sizeof path, victim->record);
    snprintf(versions, sizeof versions, "%s/versions", path);
    snprintf(version, sizeof version, "%s?version=1", path);
    snprintf(restore, sizeof restore, "%s/restore?version=1", path);
    const struct call calls[] = {
        {"GET", path, jwt, {NULL, 0}},    {"PUT", path, jwt, RP_VIEW("{\"canary\":\"stolen\"}")},
        {"DELETE", path, jwt, {NULL, 0}}, {"GET", versions, jwt, {NULL, 0}},
        {"GET", version, jwt, {NULL, 0}}, {"POST", restore, jwt, {NULL, 0}}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        _cleanup_answer_ struct http_answer answer = http_answer_new();
        if (!rp_ok(api(probe, thief, &calls[i], &answer))) {
            rp_probe_unsure(seen, "the gate does not answer");
            return false;
        }
        if (answer.status != 404 && answer.status != 403) {
            rp_probe_broken(seen, "%s on a neighbour's record was answered with %ld",
                            calls[i].method, answer.status);
            return false;
        }
    }
    return not_listed(probe, thief, jwt, victim, seen);
}

/* An assertion that was touched, or none at all, opens nothing. */
static bool forged_refused(struct probe *probe, struct canary_session *canary, rp_view jwt,
                           struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    uint8_t *forged = rp_arena_alloc(answer.arena, jwt.n);
    RP_ASSERT(forged != NULL && jwt.n > 100);
    memcpy(forged, jwt.p, jwt.n);
    size_t at = jwt.n - 20;
    forged[at] = forged[at] == 'A' ? 'B' : 'A';
    const rp_view tried[] = {rp_view_of(forged, jwt.n), {NULL, 0}};
    for (size_t i = 0; i < 2; i++) {
        if (!rp_ok(api(probe, canary, &(struct call){"GET", collection, tried[i], {NULL, 0}},
                       &answer))) {
            rp_probe_unsure(seen, "the gate does not answer");
            return false;
        }
        if (answer.status != 401 && answer.status != 403) {
            rp_probe_broken(seen, "%s assertion was answered with %ld",
                            i == 0 ? "a forged" : "a missing", answer.status);
            return false;
        }
    }
    return true;
}

/*= S66, S67, S68: no tenant reaches another's data. */
void probe_tenant_api_cross_read(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen)) {
        return;
    }
    _cleanup_answer_ struct http_answer first = http_answer_new();
    _cleanup_answer_ struct http_answer second = http_answer_new();
    struct http_answer *answers[RP_CANARIES] = {&first, &second};
    rp_view jwt[RP_CANARIES];
    for (size_t i = 0; i < RP_CANARIES; i++) {
        struct canary_session *canary = &probe->people[i];
        if (!canary_sign_in(probe, canary, seen)) {
            return;
        }
        if (!canary_assertion(canary, answers[i], &jwt[i])) {
            rp_probe_unsure(seen, "the gate gave no assertion");
            return;
        }
        if (!own_record(probe, canary, jwt[i], seen)) {
            return;
        }
    }
    if (cannot_reach(probe, &probe->people[0], jwt[0], &probe->people[1], seen) &&
        cannot_reach(probe, &probe->people[1], jwt[1], &probe->people[0], seen) &&
        forged_refused(probe, &probe->people[0], jwt[0], seen)) {
        rp_probe_holds(
            seen,
            "two canary tenants: read, write, delete, versions, restore and lists of the other's "
            "record all refused, as were a forged and a missing assertion");
    }
}

/* ---- the tenant's own audit log ---- */

static bool shows(struct http_answer *answer, rp_id record, const char *event) {
    struct rp_id_text id = rp_id_print(record);
    const struct rp_json *entries = rp_json_get(http_json(answer), "entries");
    for (const struct rp_json *e = entries ? entries->first : NULL; e; e = e->next) {
        struct rp_buf line = rp_buf_new(65536);
        rp_err err = rp_json_print(e, &line);
        rp_view whole = rp_buf_view(&line);
        bool found = rp_ok(err) && rp_view_find(whole, rp_view_of(id.s, RP_ID_TEXT)) < whole.n &&
                     rp_view_find(whole, rp_view_from_cstr(event)) < whole.n;
        rp_buf_done(&line);
        if (found) {
            return true;
        }
    }
    return false;
}

/* Creates, changes and deletes a record; its id, or none. */
static rp_id write_and_delete(struct probe *probe, struct canary_session *canary, rp_view jwt) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    rp_id record = {{0}};
    struct call create = {"POST", collection, jwt, marked_document(probe, answer.arena)};
    if (!create.body.p || !rp_ok(api(probe, canary, &create, &answer)) || answer.status != 201 ||
        !rp_id_parse(rp_json_get_string(http_json(&answer), "id"), &record)) {
        return (rp_id){{0}};
    }
    char path[128];
    record_path(path, sizeof path, record);
    struct call update = {"PUT", path, jwt, marked_document(probe, answer.arena)};
    struct call delete = {"DELETE", path, jwt, {NULL, 0}};
    bool updated =
        update.body.p && rp_ok(api(probe, canary, &update, &answer)) && answer.status == 200;
    bool deleted = updated && rp_ok(api(probe, canary, &delete, &answer)) && answer.status == 204;
    return deleted ? record : (rp_id){{0}};
}

/* The newest page of the audit log. */
static rp_err newest_audit(struct canary_session *canary, struct http_answer *answer) {
    return http_ask(
        canary->http,
        &(struct http_request){.method = "GET", .path = "/.rempart/api/v1/audit?newest=1&limit=50"},
        answer);
}

/*= S114: every update and delete is in the customer's own log, within ten seconds. */
void probe_audit_canary_visible(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    struct canary_session *canary = &probe->people[0];
    if (!probe_ready(probe, seen) || !canary_sign_in(probe, canary, seen)) {
        return;
    }
    _cleanup_answer_ struct http_answer app = http_answer_new();
    rp_view jwt;
    if (!canary_assertion(canary, &app, &jwt)) {
        rp_probe_unsure(seen, "the gate gave no assertion");
        return;
    }
    rp_id record = write_and_delete(probe, canary, jwt);
    if (rp_id_is_none(record)) {
        rp_probe_unsure(seen, "a canary could not write into its own tenant");
        return;
    }
    for (int i = 0; i < AUDIT_TRIES; i++) {
        _cleanup_answer_ struct http_answer log = http_answer_new();
        if (rp_ok(newest_audit(canary, &log)) && log.status == 200 &&
            shows(&log, record, "record.updated") && shows(&log, record, "record.deleted")) {
            rp_probe_holds(
                seen, "an update and a delete stood in the customer's log after %.1f s at most",
                (double)(i + 1) * AUDIT_PAUSE_MS / 1000);
            return;
        }
        (void)rp_probe_wait(&probe->stopping, AUDIT_PAUSE_MS);
    }
    rp_probe_broken(seen, "an update and a delete were not in the customer's log after %d s",
                    AUDIT_TRIES * AUDIT_PAUSE_MS / 1000);
}
