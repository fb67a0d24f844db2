#include "shield/attack_io.h"

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/shm.h"

enum { TABLE_MODE = 0640, WHO_MAX = 64 };

static const char table_path[] = "run/attack.tab";

/* ---- switching ---- */

struct switching {
    const struct rp_env *env;
    const struct rp_attack_change *change;
};

static rp_err emit(const struct switching *s, struct rp_db *db) {
    const struct rp_attack_change *change = s->change;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_GATE_ATTACK, rp_env_now_ms(s->env), RP_ROLE_CORE);
    rp_event_add_text(event, "change", change->on ? RP_VIEW("on") : RP_VIEW("off"));
    if (change->app.n > 0) {
        rp_event_add_text(event, "app", change->app);
    }
    rp_event_add_text(event, "by", change->who);
    if (change->on && change->until_ms > 0) {
        rp_event_add_u64(event, "expires", (uint64_t)change->until_ms);
    }
    return rp_db_emit(db, event);
}

static rp_err switch_on(struct rp_db *db, const struct switching *s) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO gate_attack (app, since_ms, until_ms, who) "
                       "VALUES (?1, ?2, ?3, ?4) "
                       "ON CONFLICT (app) DO UPDATE SET since_ms = ?2, until_ms = ?3, who = ?4",
                       &row));
    rp_row_bind_text(row, 1, s->change->app.n ? s->change->app : RP_VIEW(""));
    rp_row_bind_u64(row, 2, (uint64_t)rp_env_now_ms(s->env));
    rp_row_bind_u64(row, 3, (uint64_t)s->change->until_ms);
    rp_row_bind_text(row, 4, s->change->who);
    return rp_row_run(row, NULL);
}

static rp_err switch_off(struct rp_db *db, const struct switching *s) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db, "DELETE FROM gate_attack WHERE app = ?1", &row));
    rp_row_bind_text(row, 1, s->change->app.n ? s->change->app : RP_VIEW(""));
    RP_TRY(rp_row_run(row, &changed));
    return changed == 1 ? RP_OK : RP_ERR(NOT_FOUND);
}

static rp_err switch_it(struct rp_db *db, void *ctx) {
    const struct switching *s = ctx;
    RP_TRY(s->change->on ? switch_on(db, s) : switch_off(db, s));
    return emit(s, db);
}

rp_err rp_attack_switch(const struct rp_env *env, struct rp_db *db,
                        const struct rp_attack_change *change) {
    bool good = change->app.n <= RP_ATTACK_NAME_MAX && change->until_ms >= 0 && change->who.n > 0 &&
                change->who.n <= WHO_MAX;
    if (!good || (change->until_ms > 0 && change->until_ms <= rp_env_now_ms(env))) {
        return RP_ERR(INVALID);
    }
    struct switching s = {env, change};
    return rp_db_transact(db, switch_it, &s);
}

rp_err rp_attack_each(const struct rp_env *env, struct rp_db *db,
                      rp_err (*each)(void *ctx, const struct rp_attack_change *row), void *ctx) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT app, until_ms, who FROM gate_attack "
                       "WHERE until_ms = 0 OR until_ms > ?1 ORDER BY app",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_env_now_ms(env));
    for (bool more = true;;) {
        RP_TRY(rp_row_next(row, &more));
        if (!more) {
            return RP_OK;
        }
        const struct rp_attack_change one = {.app = rp_row_text(row, 0),
                                             .on = true,
                                             .until_ms = (int64_t)rp_row_u64(row, 1),
                                             .who = rp_row_text(row, 2)};
        RP_TRY(each(ctx, &one));
    }
}

/* ---- the table ---- */

static rp_err add_row(void *ctx, const struct rp_attack_change *row) {
    return rp_attack_add(ctx, row->app, (row->until_ms + 999) / 1000);
}

rp_err rp_attack_publish(const struct rp_env *env, struct rp_db *db) {
    struct rp_attack_table table;
    uint8_t salt[RP_ATTACK_SALT];
    struct rp_shm there = {0};
    bool good = rp_ok(rp_shm_open(table_path, false, sizeof table, &there)) &&
                rp_ok(rp_attack_check(there.p, there.n));
    if (good) {
        memcpy(salt, ((const struct rp_attack_table *)there.p)->salt, sizeof salt);
    } else {
        env->fill_random(env->ctx, salt, sizeof salt);
    }
    rp_attack_init(&table, salt);
    rp_err err = rp_attack_each(env, db, add_row, &table);
    rp_view bytes = rp_view_of(&table, sizeof table);
    bool same = good && rp_view_equal(rp_view_of(there.p, there.n), bytes);
    rp_shm_done(&there);
    RP_TRY(err);
    return same ? RP_OK : rp_file_replace(table_path, TABLE_MODE, bytes);
}
