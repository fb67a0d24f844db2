#include "clock/clock_io.h"

#include "base/assert.h"
#include "base/checked.h"

enum { STEP_BYTES = 10 };

/* ---- steps as bytes: at (8, little-endian), kind, index ---- */

static rp_view pack_steps(const struct rp_clock *clock,
                          uint8_t out[static STEP_BYTES * RP_CLOCK_STEPS_MAX]) {
    for (size_t i = 0; i < clock->step_count; i++) {
        uint8_t *to = out + i * STEP_BYTES;
        for (size_t b = 0; b < 8; b++) {
            to[b] = (uint8_t)((uint64_t)clock->steps[i].at_ms >> (8 * b));
        }
        to[8] = (uint8_t)clock->steps[i].kind;
        to[9] = clock->steps[i].index;
    }
    return rp_view_of(out, clock->step_count * STEP_BYTES);
}

static rp_err unpack_steps(rp_view bytes, struct rp_clock *clock) {
    if (bytes.n % STEP_BYTES != 0 || bytes.n / STEP_BYTES > RP_CLOCK_STEPS_MAX) {
        return RP_ERR(CORRUPT);
    }
    clock->step_count = bytes.n / STEP_BYTES;
    for (size_t i = 0; i < clock->step_count; i++) {
        const uint8_t *from = bytes.p + i * STEP_BYTES;
        uint64_t at = 0;
        for (size_t b = 0; b < 8; b++) {
            at |= (uint64_t)from[b] << (8 * b);
        }
        if (at > INT64_MAX || from[8] >= RP_STEP_COUNT) {
            return RP_ERR(CORRUPT);
        }
        clock->steps[i] = (struct rp_step){(int64_t)at, (enum rp_step_kind)from[8], from[9]};
    }
    return clock->next <= clock->step_count ? RP_OK : RP_ERR(CORRUPT);
}

static rp_err read_clock(struct rp_row *row, int first, struct rp_clock *ret_clock) {
    struct rp_clock clock = {.started_ms = (int64_t)rp_row_u64(row, first),
                             .due_ms = (int64_t)rp_row_u64(row, first + 1),
                             .next = rp_row_u64(row, first + 2),
                             .paused_ms = (int64_t)rp_row_u64(row, first + 4),
                             .working = rp_row_u64(row, first + 5) == 1};
    RP_TRY(unpack_steps(rp_row_blob(row, first + 3), &clock));
    *ret_clock = clock;
    return RP_OK;
}

/* ---- one clock ---- */

static void bind_next(struct rp_row *row, int place, const struct rp_clock *clock) {
    int64_t next_ms = 0;
    if (rp_clock_next(clock, &next_ms)) {
        rp_row_bind_u64(row, place, (uint64_t)RP_MAX(next_ms, 0));
    } else {
        rp_row_bind_null(row, place);
    }
}

static rp_err put(struct rp_db *db, const struct rp_clock_key *key, const struct rp_clock *clock,
                  rp_view reason) {
    if (key->name.n == 0 || key->name.n > RP_CLOCK_NAME_MAX || clock->started_ms < 0 ||
        clock->due_ms < 0) {
        return RP_ERR(INVALID);
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO clock (subject, name, started_ms, due_ms, next, steps, "
                       "paused_ms, working, next_ms, reason) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
                       "ON CONFLICT (subject, name) DO UPDATE SET started_ms = ?3, due_ms = ?4, "
                       "next = ?5, steps = ?6, paused_ms = ?7, working = ?8, next_ms = ?9, "
                       "reason = ?10",
                       &row));
    uint8_t steps[STEP_BYTES * RP_CLOCK_STEPS_MAX];
    rp_row_bind_id(row, 1, key->subject);
    rp_row_bind_text(row, 2, key->name);
    rp_row_bind_u64(row, 3, (uint64_t)clock->started_ms);
    rp_row_bind_u64(row, 4, (uint64_t)clock->due_ms);
    rp_row_bind_u64(row, 5, clock->next);
    rp_row_bind_blob(row, 6, pack_steps(clock, steps));
    rp_row_bind_u64(row, 7, (uint64_t)clock->paused_ms);
    rp_row_bind_u64(row, 8, clock->working);
    bind_next(row, 9, clock);
    if (reason.n > 0) {
        rp_row_bind_text(row, 10, reason);
    } else {
        rp_row_bind_null(row, 10);
    }
    return rp_row_run(row, NULL);
}

rp_err rp_clock_put(struct rp_db *db, const struct rp_clock_key *key,
                    const struct rp_clock *clock) {
    return put(db, key, clock, (rp_view){NULL, 0});
}

rp_err rp_clock_stop(struct rp_db *db, const struct rp_clock_key *key) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "DELETE FROM clock WHERE subject = ?1 AND name = ?2", &row));
    rp_row_bind_id(row, 1, key->subject);
    rp_row_bind_text(row, 2, key->name);
    return rp_row_run(row, NULL);
}

rp_err rp_clock_stop_all(struct rp_db *db, rp_id subject) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "DELETE FROM clock WHERE subject = ?1", &row));
    rp_row_bind_id(row, 1, subject);
    return rp_row_run(row, NULL);
}

rp_err rp_clock_find(struct rp_db *db, const struct rp_clock_key *key, struct rp_clock *ret_clock) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT started_ms, due_ms, next, steps, paused_ms, working FROM clock "
                       "WHERE subject = ?1 AND name = ?2",
                       &row));
    rp_row_bind_id(row, 1, key->subject);
    rp_row_bind_text(row, 2, key->name);
    RP_TRY(rp_row_first(row));
    return read_clock(row, 0, ret_clock);
}

rp_err rp_clock_hold(struct rp_db *db, const struct rp_clock_key *key, rp_view reason,
                     int64_t now_ms) {
    struct rp_clock clock;
    if (reason.n == 0 || reason.n > RP_CLOCK_REASON_MAX) {
        return RP_ERR(INVALID);
    }
    RP_TRY(rp_clock_find(db, key, &clock));
    if (clock.paused_ms != 0) {
        return RP_ERR(INVALID);
    }
    rp_clock_pause(&clock, now_ms);
    return put(db, key, &clock, reason);
}

rp_err rp_clock_reason(struct rp_db *db, const struct rp_clock_key *key, struct rp_arena *arena,
                       rp_view *ret_reason) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT reason FROM clock WHERE subject = ?1 AND name = ?2 "
                       "AND reason IS NOT NULL",
                       &row));
    rp_row_bind_id(row, 1, key->subject);
    rp_row_bind_text(row, 2, key->name);
    RP_TRY(rp_row_first(row));
    return rp_arena_copy(arena, rp_row_text(row, 0), ret_reason);
}

rp_err rp_clock_go_on(struct rp_db *db, const struct rp_clock_key *key,
                      const struct rp_calendar *calendar, int64_t now_ms) {
    struct rp_clock clock;
    RP_TRY(rp_clock_find(db, key, &clock));
    if (clock.paused_ms == 0) {
        return RP_ERR(INVALID);
    }
    rp_clock_resume(&clock, calendar, now_ms);
    return rp_clock_put(db, key, &clock);
}

/* ---- all of them ---- */

rp_err rp_clock_when(struct rp_db *db, int64_t *ret_at_ms) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        db, "SELECT next_ms FROM clock WHERE next_ms IS NOT NULL ORDER BY next_ms LIMIT 1", &row));
    bool has_row = false;
    RP_TRY(rp_row_next(row, &has_row));
    *ret_at_ms = has_row ? (int64_t)rp_row_u64(row, 0) : INT64_MAX;
    return RP_OK;
}

#define OLDEST "FROM clock WHERE next_ms <= ?1 ORDER BY next_ms, subject, name LIMIT 1"

/* The oldest that is due, with one step taken. NOT_FOUND when none is; CORRUPT, with the subject,
 * when its row is not what this program writes; EXPIRED when its steps say that none is due. */
static rp_err take_oldest(struct rp_db *db, int64_t now_ms, struct rp_fired *ret_fired,
                          struct rp_clock *ret_clock) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        db, "SELECT subject, name, started_ms, due_ms, next, steps, paused_ms, working " OLDEST,
        &row));
    rp_row_bind_u64(row, 1, (uint64_t)now_ms);
    RP_TRY(rp_row_first(row));
    rp_view name = rp_row_text(row, 1);
    *ret_fired = (struct rp_fired){.subject = rp_row_id(row, 0)};
    if (name.n == 0 || name.n > RP_CLOCK_NAME_MAX) {
        return RP_ERR(CORRUPT);
    }
    memcpy(ret_fired->name, name.p, name.n);
    RP_TRY(read_clock(row, 2, ret_clock));
    ret_fired->due_ms = ret_clock->due_ms;
    return rp_clock_take(ret_clock, now_ms, &ret_fired->step) ? RP_OK : RP_ERR(EXPIRED);
}

/* Rings no more, until its record sets it anew. */
static rp_err set_aside(struct rp_db *db, int64_t now_ms) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "UPDATE clock SET next_ms = NULL WHERE (subject, name) IN "
                       "(SELECT subject, name " OLDEST ")",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)now_ms);
    return rp_row_run(row, NULL);
}

rp_err rp_clock_claim(struct rp_db *db, int64_t now_ms, struct rp_fired *ret_fired, size_t max,
                      size_t *ret_count) {
    size_t count = 0;
    while (count < max) {
        struct rp_clock clock;
        rp_err err = take_oldest(db, now_ms, &ret_fired[count], &clock);
        if (rp_is(err, RP_E_NOT_FOUND)) {
            break;
        }
        struct rp_fired *fired = &ret_fired[count++];
        fired->altered = !rp_ok(err);
        if (rp_is(err, RP_E_CORRUPT)) {
            RP_TRY(set_aside(db, now_ms));
            continue;
        }
        if (!rp_is(err, RP_E_EXPIRED)) {
            RP_TRY(err);
        }
        struct rp_clock_key key = {fired->subject, rp_view_from_cstr(fired->name)};
        RP_TRY(rp_clock_put(db, &key, &clock));
    }
    *ret_count = count;
    return RP_OK;
}
