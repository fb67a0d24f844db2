/* purge.c — what was in the trash for its thirty days ends, with an event for each. */
#include "base/assert.h"
#include "base/checked.h"
#include "spaces/internal.h"

enum { EVENT_ARENA = 64 * 1024, PURGE_ARENA = 1 << 20 };

struct ended {
    rp_view app, collection;
    rp_id id;
    uint64_t version;
};

struct purge {
    const struct rp_env *env;
    int64_t before_ms;
    size_t max;
    struct rp_arena *arena;
    size_t count;
};

static rp_err find_ended(struct rp_db *db, const struct purge *purge, struct ended *list,
                         size_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT app, collection, id, version FROM record WHERE trashed_ms > 0 AND "
                       "trashed_ms < ?1 ORDER BY trashed_ms LIMIT ?2",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)purge->before_ms);
    rp_row_bind_u64(row, 2, purge->max);
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < purge->max) {
        struct ended *one = &list[count++];
        RP_TRY(rp_arena_copy(purge->arena, rp_row_text(row, 0), &one->app));
        RP_TRY(rp_arena_copy(purge->arena, rp_row_text(row, 1), &one->collection));
        one->id = rp_row_id(row, 2);
        one->version = rp_row_u64(row, 3);
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_count = count;
    return RP_OK;
}

static rp_err run_for(struct rp_db *db, const char *sql, const struct ended *one) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_text(row, 1, one->app);
    rp_row_bind_text(row, 2, one->collection);
    rp_row_bind_id(row, 3, one->id);
    return rp_row_run(row, NULL);
}

static rp_err tell_ended(struct rp_db *db, const struct purge *purge, const struct ended *one) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(EVENT_ARENA);
    struct rp_event *event =
        arena ? rp_event_new(arena, RP_EVENT_RECORD_PURGED, rp_env_now_ms(purge->env), RP_ROLE_CORE)
              : NULL;
    if (event == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    rp_event_add_id(event, "tenant", rp_db_tenant(db));
    rp_event_add_text(event, "app", one->app);
    rp_event_add_text(event, "collection", one->collection);
    rp_event_add_id(event, "record", one->id);
    rp_event_add_u64(event, "version", one->version);
    rp_event_add_text(event, "reason", RP_VIEW("trash"));
    return rp_db_emit(db, event);
}

/*= S89 */ /* the only deletion that no person is at: it says so, and names the trash */
static rp_err end_one(struct rp_db *db, const struct purge *purge, const struct ended *one) {
    static const char *const steps[] = {
        "UPDATE space_use SET records = max(0, records - 1), bytes = max(0, bytes - (SELECT "
        "coalesce(sum(length(sealed)), 0) FROM record WHERE app = ?1 AND collection = ?2 AND id = "
        "?3) - (SELECT coalesce(sum(length(sealed)), 0) FROM record_version WHERE app = ?1 AND "
        "collection = ?2 AND id = ?3))",
        "DELETE FROM record_token WHERE app = ?1 AND collection = ?2 AND id = ?3",
        "DELETE FROM record_version WHERE app = ?1 AND collection = ?2 AND id = ?3",
        "DELETE FROM record WHERE app = ?1 AND collection = ?2 AND id = ?3",
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        RP_TRY(run_for(db, steps[i], one));
    }
    if (rp_view_starts(one->collection, RP_VIEW("@"))) {
        RP_TRY(rp_space_file_let_go(db, one->app, one->collection, one->id));
    }
    return tell_ended(db, purge, one);
}

static rp_err do_purge(struct rp_db *db, void *ctx) {
    struct purge *purge = ctx;
    struct ended *list = rp_arena_array(purge->arena, purge->max, sizeof *list);
    if (list == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(find_ended(db, purge, list, &purge->count));
    for (size_t i = 0; i < purge->count; i++) {
        RP_TRY(end_one(db, purge, &list[i]));
    }
    return RP_OK;
}

rp_err rp_space_purge(const struct rp_env *env, struct rp_db *db, int64_t before_ms, size_t max,
                      size_t *ret_count) {
    RP_ASSERT(max > 0 && max <= 1000 && !rp_id_is_none(rp_db_tenant(db)));
    if (before_ms <= 0) {
        *ret_count = 0;
        return RP_OK;
    }
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new_wiping(PURGE_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct purge purge = {.env = env, .before_ms = before_ms, .max = max, .arena = arena};
    RP_TRY(rp_db_transact(db, do_purge, &purge));
    *ret_count = purge.count;
    return RP_OK;
}
