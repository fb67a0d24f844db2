/* outbox.c — from waiting to sent: one row at a time, and every step stored before the next. */
#include "notify/outbox.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "notify/internal.h"

/* After each try: a minute, then longer; what is not out after three days is given up. */
static const int64_t pauses_ms[] = {60000, 300000, 900000, 3600000, 10800000, 21600000, 43200000};
static const int64_t give_up_ms = (int64_t)3 * 24 * 3600 * 1000;
/* The longest pause, and two days of quiet hours and of a digest. */
static const int64_t longest_wait_ms = (int64_t)60 * 3600 * 1000;
/* A courier that answered nothing is asked again. */
static const int64_t doubt_ms = (int64_t)90 * 1000;
static const int64_t keep_ms = (int64_t)400 * 24 * 3600 * 1000;
static const int64_t keep_unsent_ms = (int64_t)30 * 24 * 3600 * 1000;

/* ---- reading ---- */

#define COLUMNS                                                                                    \
    "id, channel, kind, tenant, person, lang, sealed, state, tries, problem, created_ms, "         \
    "next_ms, "                                                                                    \
    "gather, bundle"

static rp_err read_row(struct rp_row *row, struct rp_arena *arena, struct rp_notice_row *ret_row) {
    struct rp_notice_row out = {
        .id = rp_row_id(row, 0),
        .tenant = rp_row_id(row, 3),
        .person = rp_row_id(row, 4),
        .lang = rp_view_equal(rp_row_text(row, 5), RP_VIEW("en")) ? RP_EN : RP_FR,
        .tries = (unsigned)RP_MIN(rp_row_u64(row, 8), (uint64_t)1000),
        .created_ms = (int64_t)rp_row_u64(row, 10),
        .next_ms = (int64_t)rp_row_u64(row, 11),
        .gather = rp_row_u64(row, 12) == 1,
        .bundled = rp_row_blob(row, 13).n > 0,
    };
    if (!rp_notice_kind_parse(rp_row_text(row, 2), &out.kind) ||
        !rp_notice_channel_parse(rp_row_text(row, 1), &out.channel)) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(rp_arena_copy(arena, rp_row_blob(row, 6), &out.sealed));
    RP_TRY(rp_arena_copy(arena, rp_row_text(row, 7), &out.state));
    RP_TRY(rp_arena_copy(arena, rp_row_text(row, 9), &out.problem));
    *ret_row = out;
    return RP_OK;
}

rp_err rp_notify_due(const struct rp_env *env, struct rp_db *db, struct rp_arena *arena,
                     struct rp_notice_row *ret_row) {
    RP_ASSERT(env != NULL && db != NULL && arena != NULL);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT " COLUMNS " FROM notice "
                       "WHERE state IN ('waiting', 'sending') AND next_ms <= ?1 "
                       "AND channel = 'mail' "
                       "AND (bundle IS NULL OR bundle = id) "
                       "ORDER BY next_ms LIMIT 1",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_env_now_ms(env));
    RP_TRY(rp_row_first(row));
    return read_row(row, arena, ret_row);
}

static rp_err unpack_value(struct rp_unpack *in, struct rp_arena *arena,
                           struct rp_notice_value *ret_value) {
    rp_view name = rp_unpack_bytes(in, 64), value = rp_unpack_bytes(in, RP_NOTICE_SEALED_MAX);
    struct rp_notice_value out = {.name = rp_arena_cstr(arena, name)};
    if (!out.name) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(rp_arena_copy(arena, value, &out.value));
    *ret_value = out;
    return RP_OK;
}

static rp_err unpack_content(rp_view plain, struct rp_arena *arena,
                             struct rp_notice_content *ret_content) {
    struct rp_unpack in = rp_unpack_new(plain);
    rp_view address = rp_unpack_bytes(&in, 1024);
    ret_content->value_count = rp_unpack_u8(&in);
    if (ret_content->value_count > RP_NOTICE_VALUES_MAX) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(rp_arena_copy(arena, address, &ret_content->address));
    for (size_t i = 0; i < ret_content->value_count; i++) {
        RP_TRY(unpack_value(&in, arena, &ret_content->values[i]));
    }
    return rp_ok(rp_unpack_end(&in)) ? RP_OK : RP_ERR(CORRUPT);
}

rp_err rp_notice_open(const struct rp_secret *key, const struct rp_notice_row *row,
                      struct rp_arena *arena, struct rp_notice_content *ret_content) {
    RP_ASSERT(key != NULL && row != NULL && arena != NULL);
    _cleanup_(rp_buf_done) struct rp_buf place =
        rp_notice_place(row->id, row->tenant, row->channel);
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new(RP_NOTICE_SEALED_MAX);
    RP_TRY(rp_buf_err(&place));
    RP_TRY(rp_aead_open(key, rp_buf_view(&place), row->sealed, &plain));
    struct rp_notice_content content = {.value_count = 0};
    rp_err err = unpack_content(rp_buf_view(&plain), arena, &content);
    rp_wipe(plain.p, plain.n);
    RP_TRY(err);
    *ret_content = content;
    return RP_OK;
}

/* ---- the steps ---- */

static rp_err set_state(struct rp_db *db, const struct rp_notice_row *notice, const char *sql,
                        int64_t next_ms, rp_view problem) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_id(row, 1, notice->id);
    rp_row_bind_u64(row, 2, (uint64_t)next_ms);
    rp_row_bind_text(row, 3, problem);
    rp_row_bind_text(row, 4, rp_view_from_cstr(rp_notice_channel_name(notice->channel)));
    RP_TRY(rp_row_run(row, &changed));
    return changed > 0 ? RP_OK : RP_ERR(NOT_FOUND);
}

/* Who goes with it is settled with its first taking and never after: asked again under this id, the
 * courier says what became of just these. */
static rp_err take_bundle(struct rp_db *db, const struct rp_notice_row *notice) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db,
                       "UPDATE notice SET state = 'sending', tries = tries + 1, next_ms = ?2, "
                       "bundle = ?1 WHERE channel = 'mail' AND id IN (SELECT id FROM notice "
                       "WHERE channel = 'mail' AND gather = 1 AND bundle IS NULL AND kind = ?3 "
                       "AND person = ?4 AND state = 'waiting' AND next_ms <= ?5 "
                       "ORDER BY id <> ?1, next_ms LIMIT ?6)",
                       &row));
    rp_row_bind_id(row, 1, notice->id);
    rp_row_bind_u64(row, 2, (uint64_t)(notice->next_ms + doubt_ms));
    rp_row_bind_text(row, 3, rp_view_from_cstr(rp_notice_kind_name(notice->kind)));
    rp_row_bind_id(row, 4, notice->person);
    rp_row_bind_u64(row, 5, (uint64_t)notice->next_ms);
    rp_row_bind_u64(row, 6, RP_BUNDLE_MAX);
    RP_TRY(rp_row_run(row, &changed));
    return changed > 0 ? RP_OK : RP_ERR(NOT_FOUND);
}

rp_err rp_notify_bundle(struct rp_db *db, const struct rp_notice_row *first, struct rp_arena *arena,
                        struct rp_notice_row **ret_rows, size_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct rp_notice_row *rows = rp_arena_array(arena, RP_BUNDLE_MAX, sizeof *rows);
    bool more = false;
    size_t count = 0;
    if (!rows) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(rp_db_query(db,
                       "SELECT " COLUMNS " FROM notice WHERE channel = 'mail' AND bundle = ?1 "
                       "ORDER BY created_ms, id LIMIT ?2",
                       &row));
    rp_row_bind_id(row, 1, first->id);
    rp_row_bind_u64(row, 2, RP_BUNDLE_MAX);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_TRY(read_row(row, arena, &rows[count++]));
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_rows = rows;
    *ret_count = count;
    return RP_OK;
}

rp_err rp_notify_take(struct rp_db *db, const struct rp_notice_row *row) {
    RP_ASSERT(db != NULL && row->channel != RP_NOTICE_INBOX);
    if (row->gather && !row->bundled && row->channel == RP_NOTICE_MAIL) {
        return take_bundle(db, row);
    }
    return set_state(
        db, row,
        "UPDATE notice SET state = 'sending', tries = tries + 1, next_ms = ?2, "
        "problem = ?3 "
        "WHERE (id = ?1 OR bundle = ?1) AND channel = ?4 AND state IN ('waiting', 'sending')",
        row->next_ms + doubt_ms, row->problem);
}

rp_err rp_notify_put_back(const struct rp_env *env, struct rp_db *db,
                          const struct rp_notice_row *row) {
    return set_state(db, row,
                     "UPDATE notice SET state = 'waiting', tries = max(tries - 1, 0), "
                     "next_ms = ?2, problem = ?3 WHERE (id = ?1 OR bundle = ?1) AND channel = ?4",
                     rp_env_now_ms(env) + 1000, row->problem);
}

rp_view rp_notice_clean(rp_view problem, uint8_t out[static RP_NOTICE_PROBLEM]) {
    size_t n = 0;
    for (size_t i = 0; i < problem.n && n < RP_NOTICE_PROBLEM; i++) {
        uint8_t c = problem.p[i];
        out[n++] = c < 0x20 || c > 0x7e ? ' ' : c;
    }
    return rp_view_of(out, n);
}

int64_t rp_notice_pause_ms(unsigned tries) {
    return pauses_ms[RP_MIN((size_t)tries, RP_COUNT_OF(pauses_ms) - 1)];
}

static rp_err try_later(const struct rp_env *env, struct rp_db *db, const struct rp_notice_row *row,
                        rp_view problem) {
    int64_t now_ms = rp_env_now_ms(env);
    int64_t pause_ms = rp_notice_pause_ms(row->tries);
    if (row->tries > 0 && now_ms + pause_ms - row->created_ms > give_up_ms) {
        return set_state(db, row,
                         "UPDATE notice SET state = 'refused', next_ms = ?2, problem = ?3 "
                         "WHERE (id = ?1 OR bundle = ?1) AND channel = ?4",
                         now_ms, problem);
    }
    return set_state(db, row,
                     "UPDATE notice SET state = 'waiting', next_ms = ?2, problem = ?3 "
                     "WHERE (id = ?1 OR bundle = ?1) AND channel = ?4",
                     now_ms + pause_ms, problem);
}

rp_err rp_notify_settle(const struct rp_env *env, struct rp_db *db, const struct rp_notice_row *row,
                        enum rp_notice_outcome outcome, rp_view problem) {
    RP_ASSERT(env != NULL && db != NULL && row->channel != RP_NOTICE_INBOX);
    uint8_t text[RP_NOTICE_PROBLEM];
    problem = rp_notice_clean(problem, text);
    switch (outcome) {
    case RP_NOTICE_SENT:
        return set_state(db, row,
                         "UPDATE notice SET state = 'sent', sealed = NULL, next_ms = ?2, "
                         "problem = ?3 WHERE (id = ?1 OR bundle = ?1) AND channel = ?4",
                         rp_env_now_ms(env), RP_VIEW(""));
    case RP_NOTICE_LATER:
        return try_later(env, db, row, problem);
    case RP_NOTICE_REFUSED:
        return set_state(db, row,
                         "UPDATE notice SET state = 'refused', next_ms = ?2, problem = ?3 "
                         "WHERE (id = ?1 OR bundle = ?1) AND channel = ?4",
                         rp_env_now_ms(env), problem);
    }
    RP_UNREACHABLE();
}

rp_err rp_notify_retime(struct rp_db *db, rp_id person, int64_t next_ms, bool gather) {
    RP_ASSERT(db != NULL);
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "UPDATE notice SET next_ms = ?2, gather = ?3 WHERE person = ?1 "
                       "AND gentle = 1 AND state = 'waiting' AND bundle IS NULL AND tries = 0",
                       &row));
    rp_row_bind_id(row, 1, person);
    rp_row_bind_u64(row, 2, (uint64_t)next_ms);
    rp_row_bind_u64(row, 3, gather);
    return rp_row_run(row, NULL);
}

/* ---- looking ---- */

static rp_err query_list(struct rp_db *db, rp_id person, size_t max, struct rp_row **ret_row) {
    if (rp_id_is_none(person)) {
        RP_TRY(rp_db_query(db,
                           "SELECT " COLUMNS " FROM notice WHERE channel <> 'inbox' "
                           "ORDER BY created_ms DESC, id LIMIT ?1",
                           ret_row));
        rp_row_bind_u64(*ret_row, 1, max);
        return RP_OK;
    }
    RP_TRY(rp_db_query(db,
                       "SELECT " COLUMNS " FROM notice WHERE channel = 'inbox' AND person = ?1 "
                       "ORDER BY created_ms DESC, id LIMIT ?2",
                       ret_row));
    rp_row_bind_id(*ret_row, 1, person);
    rp_row_bind_u64(*ret_row, 2, max);
    return RP_OK;
}

rp_err rp_notify_list(struct rp_db *db, rp_id person, size_t max, struct rp_arena *arena,
                      struct rp_notice_row **ret_rows, size_t *ret_count) {
    RP_ASSERT(db != NULL && arena != NULL && max > 0);
    struct rp_notice_row *rows = rp_arena_array(arena, max, sizeof *rows);
    if (!rows) {
        return RP_ERR(TOO_LARGE);
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(query_list(db, person, max, &row));
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < max) {
        RP_TRY(read_row(row, arena, &rows[count++]));
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_rows = rows;
    *ret_count = count;
    return RP_OK;
}

rp_err rp_notify_retry(const struct rp_env *env, struct rp_db *db, rp_id id) {
    RP_ASSERT(env != NULL && db != NULL);
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db,
                       "UPDATE notice SET state = 'waiting', tries = 0, next_ms = ?2, "
                       "created_ms = ?2, problem = '' WHERE channel <> 'inbox' AND (id = ?1 "
                       "OR bundle = (SELECT bundle FROM notice WHERE id = ?1 "
                       "AND channel = 'mail')) "
                       "AND state IN ('waiting', 'refused') AND sealed IS NOT NULL",
                       &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_u64(row, 2, (uint64_t)rp_env_now_ms(env));
    RP_TRY(rp_row_run(row, &changed));
    return changed > 0 ? RP_OK : RP_ERR(NOT_FOUND);
}

rp_err rp_notify_read(struct rp_db *db, rp_id person, rp_id id) {
    RP_ASSERT(db != NULL);
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db,
                       "UPDATE notice SET state = 'read' "
                       "WHERE id = ?1 AND channel = 'inbox' AND person = ?2",
                       &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_id(row, 2, person);
    RP_TRY(rp_row_run(row, &changed));
    return changed == 1 ? RP_OK : RP_ERR(NOT_FOUND);
}

static rp_err run_before(struct rp_db *db, const char *sql, int64_t before_ms) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_u64(row, 1, before_ms > 0 ? (uint64_t)before_ms : 0);
    return rp_row_run(row, NULL);
}

static rp_err move_up(struct rp_db *db, const char *sql, int64_t now_ms, int64_t latest_ms) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_u64(row, 1, (uint64_t)now_ms);
    rp_row_bind_u64(row, 2, (uint64_t)latest_ms);
    return rp_row_run(row, NULL);
}

rp_err rp_notify_set_right(const struct rp_env *env, struct rp_db *db) {
    RP_ASSERT(env != NULL && db != NULL);
    int64_t now_ms = rp_env_now_ms(env);
    RP_TRY(move_up(db,
                   "UPDATE notice SET next_ms = ?1, created_ms = min(created_ms, ?1) "
                   "WHERE state IN ('waiting', 'sending') AND next_ms > ?2",
                   now_ms, now_ms + longest_wait_ms));
    return move_up(db,
                   "UPDATE webhook SET next_ms = ?1, failing_ms = min(failing_ms, ?1) "
                   "WHERE next_ms > ?2",
                   now_ms, now_ms + longest_wait_ms);
}

/* What waits for a mail server that nobody set up, or was refused, keeps its text for 30 days. */
rp_err rp_notify_expire(const struct rp_env *env, struct rp_db *db) {
    int64_t now_ms = rp_env_now_ms(env);
    RP_TRY(run_before(db,
                      "UPDATE notice SET state = 'refused', sealed = NULL "
                      "WHERE channel <> 'inbox' AND state IN ('waiting', 'refused') "
                      "AND sealed IS NOT NULL AND next_ms < ?1",
                      now_ms - keep_unsent_ms));
    return run_before(db,
                      "DELETE FROM notice WHERE created_ms < ?1 "
                      "AND state IN ('sent', 'refused', 'read', 'unread')",
                      now_ms - keep_ms);
}
