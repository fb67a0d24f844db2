#include "clock/trust_io.h"

#include "base/assert.h"
#include "base/checked.h"

enum { ARENA_BYTES = 16 * 1024 };

static const int64_t leap_ms = (int64_t)RP_CLOCK_LEAP_DAYS * 24 * 3600 * 1000;
/* A clock that is set back by less is set right. */
static const int64_t behind_ms = (int64_t)3600 * 1000;
/* What has been remembered lately need not be written again. */
static const int64_t write_every_ms = (int64_t)10 * 60 * 1000;

/* As the row has it; a database that never looked has none. */
struct memory {
    bool there, doubted;
    int64_t seen_ms;
};

static rp_err recall(struct rp_db *db, struct memory *ret_memory) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct memory memory = {.there = false};
    RP_TRY(rp_db_query(db, "SELECT seen_ms, doubted_ms IS NOT NULL FROM clock_trust", &row));
    RP_TRY(rp_row_next(row, &memory.there));
    if (memory.there) {
        memory.seen_ms = (int64_t)rp_row_u64(row, 0);
        memory.doubted = rp_row_u64(row, 1) == 1;
    }
    *ret_memory = memory;
    return RP_OK;
}

static struct rp_clock_trust judge(const struct memory *memory, int64_t now_ms) {
    bool leapt = memory->there && now_ms - memory->seen_ms > leap_ms;
    return (struct rp_clock_trust){.believed = !leapt,
                                   .seen_ms = memory->there ? memory->seen_ms : now_ms};
}

rp_err rp_clock_trust_read(const struct rp_env *env, struct rp_db *db,
                           struct rp_clock_trust *ret_trust) {
    struct memory memory;
    RP_ASSERT(env != NULL && db != NULL);
    RP_TRY(recall(db, &memory));
    *ret_trust = judge(&memory, rp_env_now_ms(env));
    return RP_OK;
}

rp_err rp_clock_trust_now(const struct rp_env *env, struct rp_db *db, int64_t *ret_ms) {
    struct rp_clock_trust trust;
    RP_TRY(rp_clock_trust_read(env, db, &trust));
    *ret_ms = trust.believed ? rp_env_now_ms(env) : trust.seen_ms;
    return RP_OK;
}

/* ---- remembered ---- */

struct remembering {
    const struct rp_env *env;
    struct memory memory;
    int64_t now_ms;
    bool believed;
    const char *what; /* for the event; NULL: no change of mind */
    rp_view by;
};

static rp_err emit(struct rp_db *db, const struct remembering *r) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA_BYTES);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event = rp_event_new(arena, RP_EVENT_CLOCK_LEAPT, r->now_ms, RP_ROLE_CORE);
    rp_event_add_text(event, "what", rp_view_from_cstr(r->what));
    rp_event_add_text(event, "from", rp_view_from_cstr(rp_time_print(r->memory.seen_ms / 1000).s));
    rp_event_add_text(event, "to", rp_view_from_cstr(rp_time_print(r->now_ms / 1000).s));
    rp_event_add_text(event, "by", r->by);
    return rp_db_emit(db, event);
}

static rp_err write_it(struct rp_db *db, void *ctx) {
    const struct remembering *r = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO clock_trust (one, seen_ms, doubted_ms) VALUES (1, ?1, ?2) "
                       "ON CONFLICT (one) DO UPDATE SET seen_ms = ?1, doubted_ms = ?2",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)(r->believed ? r->now_ms : r->memory.seen_ms));
    if (r->believed) {
        rp_row_bind_null(row, 2);
    } else {
        rp_row_bind_u64(row, 2, (uint64_t)r->now_ms);
    }
    RP_TRY(rp_row_run(row, NULL));
    return r->what ? emit(db, r) : RP_OK;
}

rp_err rp_clock_trust_look(const struct rp_env *env, struct rp_db *db,
                           struct rp_clock_trust *ret_trust, bool *ret_news) {
    RP_ASSERT(env != NULL && db != NULL);
    struct remembering r = {.env = env, .now_ms = rp_env_now_ms(env), .by = RP_VIEW("core")};
    RP_TRY(recall(db, &r.memory));
    struct rp_clock_trust trust = judge(&r.memory, r.now_ms);
    r.believed = trust.believed;
    bool news = r.memory.there && trust.believed == r.memory.doubted;
    /* A clock that was set back is followed at once: the next leap is counted from there. */
    int64_t since_ms = r.now_ms - r.memory.seen_ms;
    bool behind = r.memory.there && !r.memory.doubted && since_ms < -behind_ms;
    r.what = news ? (trust.believed ? "back" : "ahead") : behind ? "behind" : NULL;
    bool due = !r.memory.there || since_ms < 0 || since_ms >= write_every_ms;
    if (news || (trust.believed && due)) {
        RP_TRY(rp_db_transact(db, write_it, &r));
    }
    *ret_trust = trust;
    *ret_news = news;
    return RP_OK;
}

rp_err rp_clock_trust_confirm(const struct rp_env *env, struct rp_db *db, rp_view by) {
    RP_ASSERT(env != NULL && db != NULL);
    struct remembering r = {
        .env = env, .now_ms = rp_env_now_ms(env), .believed = true, .what = "confirmed", .by = by};
    RP_TRY(recall(db, &r.memory));
    if (judge(&r.memory, r.now_ms).believed && !r.memory.doubted) {
        return RP_ERR(INVALID);
    }
    return rp_db_transact(db, write_it, &r);
}
