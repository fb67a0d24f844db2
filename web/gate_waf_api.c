/* gate_waf_api.c — living with the firewall, for the machine's owner: what it would have refused to
 * honest people, what was decided about that, and which rules are loudest. */
#include <stdlib.h>

#include "base/checked.h"
#include "shield/exclusions_io.h"
#include "shield/notes_io.h"
#include "web/gate_waf.h"
#include "web/handlers.h"

enum {
    NOTES_ARENA = 8 << 20,
    PROPOSALS_MAX = 500,
    TOP_DEFAULT = 20,
    TOP_MAX = 1000,
    SINCE_DAYS = 7,
    DAY_MS = 24 * 3600 * 1000
};

static void add_time(struct rp_arena *arena, struct rp_json *one, const char *key, int64_t ms) {
    rp_json_add_cstr(arena, one, key, rp_time_print(ms / 1000).s);
}

/* ---- what it takes ---- */

/*= S58: one person, or one organisation where there are several, teaches the firewall nothing. */
rp_err rp_waf_least_of(struct rp_request *request, struct rp_db *db,
                       struct rp_waf_least *ret_least) {
    const struct rp_config *config = request->web->config;
    uint64_t organisations = 0;
    RP_TRY(rp_waf_decisions_organisations(db, &organisations));
    ret_least->people = config->waf_learn_people;
    ret_least->organisations =
        RP_MIN(config->waf_learn_organisations, RP_MAX(organisations, (uint64_t)1));
    return RP_OK;
}

static bool is_ripe(const struct rp_note *note, const struct rp_waf_least *least) {
    return note->people >= least->people && note->organisations >= least->organisations;
}

/* ---- proposals ---- */

struct listing {
    struct rp_arena *arena;
    struct rp_json *list;
    const struct rp_notes_all *all;
    bool *decided; /* by note */
};

static rp_err mark(void *ctx, const struct rp_waf_decision *decision) {
    struct listing *listing = ctx;
    for (size_t i = 0; i < listing->all->count; i++) {
        struct rp_note_name name = rp_note_name_of(listing->all->notes[i].key);
        listing->decided[i] =
            listing->decided[i] || rp_view_equal(decision->id, rp_view_from_cstr(name.s));
    }
    return RP_OK;
}

static void add_note(struct listing *listing, const struct rp_note *note,
                     const struct rp_waf_least *least) {
    struct rp_arena *arena = listing->arena;
    struct rp_json *one = rp_json_add_object(arena, listing->list, NULL);
    rp_json_add_cstr(arena, one, "id", rp_note_name_of(note->key).s);
    rp_json_add_u64(arena, one, "rule", note->rule);
    rp_json_add_string(arena, one, "app", rp_note_app(note));
    rp_json_add_string(arena, one, "path", rp_note_path(note));
    rp_json_add_string(arena, one, "variable", rp_note_name(note));
    rp_json_add_u64(arena, one, "requests", note->count);
    rp_json_add_u64(arena, one, "people", note->people);
    rp_json_add_u64(arena, one, "organisations", note->organisations);
    add_time(arena, one, "first_seen", note->first_ms);
    add_time(arena, one, "last_seen", note->last_ms);
    rp_json_add_string(arena, one, "sample", rp_note_sample(note));
    rp_json_add_bool(arena, one, "acceptable", is_ripe(note, least));
}

static rp_err collect(struct rp_request *request, struct rp_arena *arena, struct rp_db *db,
                      struct rp_notes_all *ret_all, struct listing *ret_listing) {
    int64_t now_ms = rp_env_now_ms(&request->web->env);
    RP_TRY(rp_notes_collect(now_ms, arena, ret_all));
    struct listing listing = {
        .arena = arena,
        .all = ret_all,
        .decided = rp_arena_array(arena, ret_all->count + 1, sizeof *listing.decided)};
    if (!listing.decided) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_listing = listing;
    return rp_waf_decisions_each(db, mark, ret_listing);
}

rp_err rp_admin_waf_proposals(struct rp_request *request) {
    struct rp_db *db = NULL;
    struct rp_waf_least least;
    struct rp_notes_all all;
    struct listing listing;
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    RP_TRY(rp_waf_least_of(request, db, &least));
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(NOTES_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(collect(request, arena, db, &all, &listing));
    struct rp_json *root = rp_json_object(arena);
    size_t shown = 0, left = 0;
    listing.list = rp_json_add_array(arena, root, "proposals");
    for (size_t i = 0; i < all.count; i++) {
        if (!listing.decided[i]) {
            bool fits = shown < PROPOSALS_MAX;
            shown += fits;
            left += !fits;
            if (fits) {
                add_note(&listing, &all.notes[i], &least);
            }
        }
    }
    rp_json_add_u64(arena, root, "people_least", least.people);
    rp_json_add_u64(arena, root, "organisations_least", least.organisations);
    rp_json_add_u64(arena, root, "left_out", left);
    rp_json_add_u64(arena, root, "not_noted", all.lost);
    return rp_api_send(request, 200, root);
}

/* ---- decisions ---- */

static const struct rp_note *note_named(const struct rp_notes_all *all, rp_view id) {
    for (size_t i = 0; i < all->count; i++) {
        struct rp_note_name name = rp_note_name_of(all->notes[i].key);
        if (rp_view_equal(id, rp_view_from_cstr(name.s))) {
            return &all->notes[i];
        }
    }
    return NULL;
}

static rp_err check_ripe(struct rp_request *request, struct rp_db *db, const struct rp_note *note) {
    struct rp_waf_least least;
    RP_TRY(rp_waf_least_of(request, db, &least));
    if (is_ripe(note, &least)) {
        return RP_OK;
    }
    return rp_fail(&request->diag, RP_ERR(DENIED),
                   "%u people of %u organisations met it; it takes %llu of %llu "
                   "(waf.learn_people, waf.learn_organisations)",
                   note->people, note->organisations, (unsigned long long)least.people,
                   (unsigned long long)least.organisations);
}

static rp_err publish(struct rp_request *request, struct rp_db *db) {
    rp_err err = rp_exclusions_publish(db);
    return rp_ok(err) ? RP_OK
                      : rp_fail(&request->diag, err, "stored; run/exclusions.tab is tried again");
}

/* {"id":…,"accept":true,"reason":…,"by":…} */
rp_err rp_admin_waf_decide(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_db *db = NULL;
    struct rp_notes_all all;
    bool accept = false;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    rp_view id = rp_json_get_string(body, "id");
    if (!rp_json_get_bool(body, "accept", &accept) || id.n != 8) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "id: 8 digits of a proposal; accept: true or false");
    }
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(NOTES_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_notes_collect(rp_env_now_ms(&request->web->env), arena, &all));
    const struct rp_note *note = note_named(&all, id);
    if (!note) {
        return rp_fail(&request->diag, RP_ERR(NOT_FOUND), "there is no proposal %.*s", RP_FMT(id));
    }
    if (accept) {
        RP_TRY(check_ripe(request, db, note));
    }
    const struct rp_waf_decision decision = {.id = id,
                                             .exclusion = {.rule = note->rule,
                                                           .app = rp_note_app(note),
                                                           .variable = rp_note_name(note),
                                                           .path = rp_note_path(note)},
                                             .accepted = accept,
                                             .reason = rp_json_get_string(body, "reason"),
                                             .who = rp_json_get_string(body, "by"),
                                             .people = note->people,
                                             .organisations = note->organisations,
                                             .requests = note->count};
    RP_TRY(rp_waf_decision_put(&request->web->env, db, &decision, &request->diag));
    RP_TRY(publish(request, db));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_string(request->arena, root, "id", id);
    return rp_api_send(request, 201, root);
}

static rp_err add_decision(void *ctx, const struct rp_waf_decision *decision) {
    struct listing *listing = ctx;
    struct rp_arena *arena = listing->arena;
    struct rp_json *one = rp_json_add_object(arena, listing->list, NULL);
    rp_json_add_string(arena, one, "id", decision->id);
    rp_json_add_u64(arena, one, "rule", decision->exclusion.rule);
    rp_json_add_string(arena, one, "app", decision->exclusion.app);
    rp_json_add_string(arena, one, "path", decision->exclusion.path);
    rp_json_add_string(arena, one, "variable", decision->exclusion.variable);
    rp_json_add_bool(arena, one, "accepted", decision->accepted);
    rp_json_add_string(arena, one, "reason", decision->reason);
    rp_json_add_string(arena, one, "by", decision->who);
    add_time(arena, one, "since", decision->since_ms);
    rp_json_add_u64(arena, one, "people", decision->people);
    rp_json_add_u64(arena, one, "organisations", decision->organisations);
    rp_json_add_u64(arena, one, "requests", decision->requests);
    return one ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_admin_waf_exclusions(struct rp_request *request) {
    struct rp_db *db = NULL;
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(NOTES_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_json *root = rp_json_object(arena);
    struct listing listing = {.arena = arena, .list = rp_json_add_array(arena, root, "exclusions")};
    RP_TRY(rp_waf_decisions_each(db, add_decision, &listing));
    return rp_api_send(request, 200, root);
}

rp_err rp_admin_waf_exclusion_remove(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_db *db = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    rp_view id = rp_json_get_string(body, "id");
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    rp_err err = rp_waf_decision_remove(&request->web->env, db, id, rp_json_get_string(body, "by"));
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return rp_fail(&request->diag, err, "there is no exclusion %.*s",
                       RP_FMT(rp_view_sub(id, 0, 20)));
    }
    RP_TRY(err);
    RP_TRY(publish(request, db));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_string(request->arena, root, "id", id);
    return rp_api_send(request, 200, root);
}

/* ---- the loudest rules ---- */

static int more_first(uint64_t a, uint64_t b) {
    return a == b ? 0 : a < b ? 1 : -1;
}
static int by_false_alarms(const void *a, const void *b) {
    const struct rp_note_tally *x = a, *y = b;
    int order = more_first(x->false_alarms, y->false_alarms);
    return order ? order : more_first(x->matches, y->matches);
}
static int by_blocks(const void *a, const void *b) {
    const struct rp_note_tally *x = a, *y = b;
    int order = more_first(x->blocks, y->blocks);
    return order ? order : more_first(x->matches, y->matches);
}
static int by_cost(const void *a, const void *b) {
    const struct rp_note_tally *x = a, *y = b;
    return more_first(x->steps, y->steps);
}

struct order {
    const char *word;
    int (*compare)(const void *a, const void *b);
};

static const struct order *order_named(rp_view word) {
    static const struct order orders[] = {
        {"false-alarms", by_false_alarms}, {"blocks", by_blocks}, {"cost", by_cost}};
    for (size_t i = 0; i < RP_COUNT_OF(orders); i++) {
        if (word.p ? rp_view_equal(word, rp_view_from_cstr(orders[i].word)) : i == 0) {
            return &orders[i];
        }
    }
    return NULL;
}

/* What the list is about: a rule that has none of it does not belong there. */
static uint64_t measure(const struct rp_note_tally *tally, const struct order *order) {
    return order->compare == by_cost     ? tally->steps
           : order->compare == by_blocks ? tally->blocks
                                         : tally->false_alarms;
}

static void add_tally(struct rp_arena *arena, struct rp_json *list,
                      const struct rp_note_tally *tally) {
    struct rp_json *one = rp_json_add_object(arena, list, NULL);
    rp_json_add_u64(arena, one, "rule", tally->rule);
    rp_json_add_u64(arena, one, "matches", tally->matches);
    rp_json_add_u64(arena, one, "false_alarms", tally->false_alarms);
    rp_json_add_u64(arena, one, "blocks", tally->blocks);
    rp_json_add_u64(arena, one, "steps", tally->steps);
}

rp_err rp_admin_waf_top(struct rp_request *request) {
    uint64_t days = SINCE_DAYS;
    size_t limit = TOP_DEFAULT, count = 0;
    rp_view since = rp_request_query(request, "days");
    const struct order *order = order_named(rp_request_query(request, "by"));
    if (!order) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "by: false-alarms, cost or blocks");
    }
    if (since.p && (!rp_view_to_u64(since, RP_NOTE_DAYS, &days) || days == 0)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "days: 1 to %d", RP_NOTE_DAYS);
    }
    RP_TRY(rp_request_limit(request, TOP_DEFAULT, TOP_MAX, &limit));
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(NOTES_ARENA);
    struct rp_note_tally *tallies = NULL;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    uint32_t today = (uint32_t)(rp_env_now_ms(&request->web->env) / DAY_MS);
    uint32_t from = today + 1 > days ? today + 1 - (uint32_t)days : 0;
    RP_TRY(rp_notes_collect_tallies(from, arena, &tallies, &count));
    qsort(tallies, count, sizeof *tallies, order->compare);
    struct rp_json *root = rp_json_object(arena);
    struct rp_json *list = rp_json_add_array(arena, root, "rules");
    for (size_t i = 0; i < count && i < limit && measure(&tallies[i], order) > 0; i++) {
        add_tally(arena, list, &tallies[i]);
    }
    rp_json_add_cstr(arena, root, "by", order->word);
    rp_json_add_u64(arena, root, "days", days);
    return rp_api_send(request, 200, root);
}
