#include "base/assert.h"
#include "base/checked.h"
#include "ledger/client.h"
#include "os/file.h"
#include "wire/json.h"
#include "witnesses.h"

enum { FILE_MAX = 16 * 1024, ARENA = 256 * 1024 };
static const char *const states[] = {"new", "cosigned", "unreachable", "refused", "diverged"};

void witness_news_set(struct witnesses *witnesses, struct asked *asked, const char *state,
                      const char *problem) {
    (void)snprintf(asked->problem, sizeof asked->problem, "%s", problem);
    if (strcmp(asked->state, state) == 0) {
        return;
    }
    asked->state = state;
    asked->since_s = rp_env_now_s(&witnesses->core->env);
    asked->news = true;
    daemon_say(witnesses->core->daemon, "witness %.*s: %s%s%s", RP_FMT(asked->vkey.name), state,
               *problem ? ": " : "", problem);
}

/* ---- the log ---- */

static rp_err tell(struct witnesses *witnesses, const struct asked *asked) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    bool diverged = strcmp(asked->state, "diverged") == 0;
    rp_view bytes;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event =
        rp_event_new(arena, diverged ? RP_EVENT_WITNESS_DIVERGED : RP_EVENT_WITNESS_STATE,
                     rp_env_now_ms(&witnesses->core->env), RP_ROLE_CORE);
    rp_event_add_text(event, "witness", asked->vkey.name);
    if (!diverged) {
        rp_event_add_text(event, "state", rp_view_from_cstr(asked->state));
    }
    rp_event_add_u64(event, "size", rp_log_size(witnesses->log));
    rp_event_add_text(event, "detail", rp_view_from_cstr(asked->problem));
    RP_TRY(rp_event_print(event, &bytes));
    return rp_ledger_append(witnesses->ledger, (struct rp_tree){.kind = RP_TREE_OPERATOR},
                            (rp_id){{0}}, 0, &bytes, 1, NULL);
}

/* ---- the file ---- */

static rp_err write_file(const struct witnesses *witnesses) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(FILE_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_json *root = rp_json_object(arena);
    struct rp_json *list = rp_json_add_array(arena, root, "witnesses");
    for (size_t i = 0; i < witnesses->count; i++) {
        const struct asked *asked = &witnesses->all[i];
        struct rp_json *one = rp_json_add_object(arena, list, NULL);
        rp_json_add_string(arena, one, "name", asked->vkey.name);
        rp_json_add_cstr(arena, one, "state", asked->state);
        rp_json_add_u64(arena, one, "since_s", (uint64_t)asked->since_s);
        rp_json_add_cstr(arena, one, "problem", asked->problem);
        rp_json_add_u64(arena, one, "size", asked->size);
        rp_json_add_u64(arena, one, "time_s", (uint64_t)asked->time_s);
    }
    RP_TRY(rp_json_print(root, &out));
    return rp_file_replace(WITNESS_STATE_FILE, 0640, rp_buf_view(&out));
}

void witness_news_tell(struct witnesses *witnesses) {
    for (size_t i = 0; i < witnesses->count; i++) {
        struct asked *asked = &witnesses->all[i];
        if (asked->news && rp_ok(tell(witnesses, asked))) {
            asked->news = false; /* else with the next round */
        }
    }
    rp_err err = write_file(witnesses);
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(witnesses->core->daemon, err, WITNESS_STATE_FILE, NULL));
    }
}

static void read_one(struct witnesses *witnesses, const struct rp_json *one) {
    rp_view name = rp_json_get_string(one, "name"), state = rp_json_get_string(one, "state");
    for (size_t i = 0; i < witnesses->count; i++) {
        struct asked *asked = &witnesses->all[i];
        uint64_t since_s = 0, time_s = 0;
        if (!rp_view_equal(asked->vkey.name, name)) {
            continue;
        }
        for (size_t k = 0; k < RP_COUNT_OF(states); k++) {
            asked->state =
                rp_view_equal(state, rp_view_from_cstr(states[k])) ? states[k] : asked->state;
        }
        rp_json_get_u64(one, "since_s", &since_s);
        rp_json_get_u64(one, "time_s", &time_s);
        rp_json_get_u64(one, "size", &asked->size);
        asked->since_s = (int64_t)RP_MIN(since_s, (uint64_t)INT64_MAX);
        asked->time_s = (int64_t)RP_MIN(time_s, (uint64_t)INT64_MAX);
    }
}

void witness_news_read(struct witnesses *witnesses) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    struct rp_json *root = NULL;
    rp_view text;
    if (!arena || !rp_ok(rp_file_read(WITNESS_STATE_FILE, FILE_MAX, arena, &text)) ||
        !rp_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &root, NULL))) {
        return; /* the first start since the machine's, or since there are witnesses */
    }
    const struct rp_json *list = rp_json_get(root, "witnesses");
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        read_one(witnesses, one);
    }
}
