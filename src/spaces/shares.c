#include "spaces/shares.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "ipc/pack.h"
#include "spaces/internal.h"

enum { PLACE_MAX = 512, WRONG_MS = 15 * 60 * 1000 };

/* ---- what is bound ---- */

static struct rp_buf share_place(const struct rp_space *space, const struct rp_share *share,
                                 const struct rp_sha256 *token) {
    struct rp_buf aad = rp_buf_new(PLACE_MAX);
    rp_pack_bytes(&aad, RP_VIEW("share"));
    rp_pack_id(&aad, space->tenant);
    rp_pack_id(&aad, share->id);
    rp_pack_bytes(&aad, rp_view_of(token->b, sizeof token->b));
    rp_pack_bytes(&aad, share->app);
    rp_pack_u8(&aad, share->file);
    rp_pack_bytes(&aad, share->collection);
    rp_pack_id(&aad, share->record);
    rp_pack_id(&aad, share->person);
    rp_pack_u64(&aad, (uint64_t)share->created_ms);
    rp_pack_u64(&aad, (uint64_t)share->until_ms);
    rp_pack_u64(&aad, share->uses_max);
    rp_pack_bytes(&aad, rp_view_from_cstr(share->password));
    return aad;
}

/* ---- events ---- */

static rp_err emit(const struct rp_space *space, enum rp_event_kind kind,
                   const struct rp_share *share) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(RP_BEARER_EVENT_ARENA);
    struct rp_event *event = rp_bearer_event(space, kind, arena);
    if (event == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    rp_event_add_id(event, "share", share->id);
    rp_event_add_text(event, "collection", share->collection);
    rp_event_add_id(event, "record", share->record);
    return rp_db_emit(space->db, event);
}

struct told {
    const struct rp_space *space;
    const struct rp_share *share;
    enum rp_event_kind kind;
};

static rp_err do_tell(struct rp_db *db, void *ctx) {
    const struct told *told = ctx;
    (void)db;
    return emit(told->space, told->kind, told->share);
}

/* ---- making ---- */

/*= S173 */ /* what is labelled above the operator's rule goes out by no link */
static rp_err check_label(enum rp_label label, const struct rp_share_rule *rule,
                          struct rp_diag *diag) {
    enum rp_label is = label == RP_LABEL_NONE ? RP_LABEL_INTERNAL : label;
    return is <= rule->label_max
               ? RP_OK
               : rp_fail(diag, RP_ERR(DENIED), "what is labelled %s is not shared by a link",
                         rp_label_name(is));
}

static rp_err label_of(struct rp_space *space, const struct rp_share *share, struct rp_arena *arena,
                       enum rp_label *ret_label) {
    struct rp_record record = {0};
    struct rp_file file;
    if (share->file) {
        RP_TRY(rp_space_file_read(space, share->collection, share->record, 0, arena, &file));
        record = file.record;
    } else {
        RP_TRY(rp_space_read(space, share->collection, share->record, arena, &record));
    }
    *ret_label = record.label;
    return RP_OK;
}

struct making {
    const struct rp_space *space;
    const struct rp_share *share;
    const struct rp_sha256 *token;
    struct rp_diag *diag;
};

static rp_err do_create(struct rp_db *db, void *ctx) {
    const struct making *making = ctx;
    const struct rp_share *share = making->share;
    _cleanup_(rp_buf_done) struct rp_buf aad = share_place(making->space, share, making->token);
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_AEAD_OVERHEAD);
    uint64_t live = 0;
    RP_TRY(rp_bearer_count(db, "SELECT count(*) FROM share WHERE until_ms > ?1 AND ended_ms = 0",
                           share->created_ms, &live));
    if (live >= RP_SHARES_MAX) {
        return rp_fail(making->diag, RP_ERR(RATE),
                       "%d links of this organisation are live: end some", RP_SHARES_MAX);
    }
    RP_TRY(rp_bearer_seal(making->space, &aad, &sealed));
    struct rp_row *row = NULL;
    RP_TRY(
        rp_db_query(db,
                    "INSERT INTO share (id, token_hash, app, collection, record, person, "
                    "created_ms, until_ms, uses_max, password, sealed) VALUES (?1, ?2, ?3, ?4 || "
                    "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                    &row));
    rp_row_bind_id(row, 1, share->id);
    rp_row_bind_blob(row, 2, rp_view_of(making->token->b, sizeof making->token->b));
    rp_row_bind_text(row, 3, share->app);
    rp_row_bind_text(row, 4, share->file ? RP_VIEW("@") : RP_VIEW(""));
    rp_row_bind_text(row, 5, share->collection);
    rp_row_bind_id(row, 6, share->record);
    rp_row_bind_id(row, 7, share->person);
    rp_row_bind_u64(row, 8, (uint64_t)share->created_ms);
    rp_row_bind_u64(row, 9, (uint64_t)share->until_ms);
    rp_row_bind_u64(row, 10, share->uses_max);
    rp_row_bind_text(row, 11, rp_view_from_cstr(share->password));
    rp_row_bind_blob(row, 12, rp_buf_view(&sealed));
    RP_TRY(rp_row_run(row, NULL));
    return emit(making->space, RP_EVENT_SHARE_CREATED, share);
}

rp_err rp_share_create(struct rp_space *space, const struct rp_share *wish,
                       const struct rp_share_rule *rule, struct rp_arena *arena,
                       struct rp_share *ret_share, uint8_t ret_token[static RP_SHARE_TOKEN_BYTES],
                       struct rp_diag *diag) {
    rp_space_check(space);
    RP_ASSERT(wish->password != NULL);
    struct rp_share share = *wish;
    enum rp_label label = RP_LABEL_NONE;
    share.id = rp_env_new_id(space->env);
    share.app = space->app;
    share.person = space->person;
    share.created_ms = rp_env_now_ms(space->env);
    if (share.until_ms <= share.created_ms ||
        share.until_ms - share.created_ms > rule->longest_ms ||
        share.uses_max > RP_SHARE_USES_MAX) {
        return rp_fail(diag, RP_ERR(INVALID), "a link lasts at most %lld hours and %d uses",
                       (long long)(rule->longest_ms / 3600000), RP_SHARE_USES_MAX);
    }
    RP_TRY(label_of(space, &share, arena, &label));
    RP_TRY(check_label(label, rule, diag));
    uint8_t token[RP_SHARE_TOKEN_BYTES];
    struct rp_sha256 hash = rp_bearer_token(space, token, sizeof token);
    struct making making = {space, &share, &hash, diag};
    RP_TRY(rp_db_transact(space->db, do_create, &making));
    memcpy(ret_token, token, sizeof token);
    rp_wipe(token, sizeof token);
    *ret_share = share;
    return RP_OK;
}

/* ---- reading ---- */

#define SHARE_COLUMNS                                                                              \
    "id, app, collection, record, person, created_ms, until_ms, uses_max, password, uses, wrong, " \
    "wrong_ms, ended_ms, token_hash, sealed"

static rp_err read_row(struct rp_row *row, struct rp_arena *arena, struct rp_share *ret_share) {
    rp_view stored = rp_row_text(row, 2);
    struct rp_share share = {.id = rp_row_id(row, 0),
                             .file = rp_view_starts(stored, RP_VIEW("@")),
                             .record = rp_row_id(row, 3),
                             .person = rp_row_id(row, 4),
                             .created_ms = (int64_t)rp_row_u64(row, 5),
                             .until_ms = (int64_t)rp_row_u64(row, 6),
                             .uses_max = rp_row_u64(row, 7),
                             .uses = rp_row_u64(row, 9),
                             .wrong = rp_row_u64(row, 10),
                             .wrong_ms = (int64_t)rp_row_u64(row, 11),
                             .ended_ms = (int64_t)rp_row_u64(row, 12)};
    RP_TRY(rp_arena_copy(arena, rp_row_text(row, 1), &share.app));
    RP_TRY(rp_arena_copy(arena, share.file ? rp_view_from(stored, 1) : stored, &share.collection));
    share.password = rp_arena_cstr(arena, rp_row_text(row, 8));
    if (share.password == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    *ret_share = share;
    return RP_OK;
}

rp_err rp_share_list(struct rp_space *space, rp_view app, rp_id person, struct rp_arena *arena,
                     struct rp_share **ret_shares, size_t *ret_count) {
    struct rp_share *shares = rp_arena_array(arena, RP_SHARES_MAX, sizeof *shares);
    if (shares == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "SELECT " SHARE_COLUMNS " FROM share WHERE (?1 = '' OR app = ?1) AND (?2 IS "
                       "NULL OR person = ?2) ORDER BY created_ms DESC LIMIT ?3",
                       &row));
    rp_row_bind_text(row, 1, app);
    rp_row_bind_id_or_null(row, 2, person);
    rp_row_bind_u64(row, 3, RP_SHARES_MAX);
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < RP_SHARES_MAX) {
        RP_TRY(read_row(row, arena, &shares[count++]));
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_shares = shares;
    *ret_count = count;
    return RP_OK;
}

static rp_err find_row(struct rp_space *space, const struct rp_sha256 *hash, struct rp_arena *arena,
                       struct rp_share *ret_share) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct rp_share share;
    RP_TRY(
        rp_db_query(space->db, "SELECT " SHARE_COLUMNS " FROM share WHERE token_hash = ?1", &row));
    rp_row_bind_blob(row, 1, rp_view_of(hash->b, sizeof hash->b));
    RP_TRY(rp_row_first(row));
    RP_TRY(read_row(row, arena, &share));
    _cleanup_(rp_buf_done) struct rp_buf place = share_place(space, &share, hash);
    RP_TRY(rp_bearer_check(space, &place, rp_row_blob(row, 14)));
    *ret_share = share;
    return RP_OK;
}

rp_err rp_share_find(struct rp_space *space, rp_view token, struct rp_arena *arena,
                     struct rp_share *ret_share) {
    struct rp_share share;
    if (token.n != RP_SHARE_TOKEN_BYTES) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_sha256 hash = rp_sha256_of(token);
    RP_TRY(find_row(space, &hash, arena, &share));
    bool spent = share.uses_max != 0 && share.uses >= share.uses_max;
    if (share.ended_ms != 0 || share.until_ms <= rp_env_now_ms(space->env) || spent) {
        return RP_ERR(EXPIRED);
    }
    *ret_share = share;
    return RP_OK;
}

/* ---- ending, using ---- */

struct change {
    struct rp_space *space;
    const struct rp_share *share;
};

static rp_err run_on(struct rp_db *db, const char *sql, const struct change *change,
                     uint64_t *ret_changed) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_id(row, 1, change->share->id);
    rp_row_bind_u64(row, 2, (uint64_t)rp_env_now_ms(change->space->env));
    return rp_row_run(row, ret_changed);
}

static rp_err do_end(struct rp_db *db, void *ctx) {
    const struct change *change = ctx;
    uint64_t changed = 0;
    RP_TRY(run_on(db, "UPDATE share SET ended_ms = ?2 WHERE id = ?1 AND ended_ms = 0", change,
                  &changed));
    return changed == 0 ? RP_ERR(NOT_FOUND)
                        : emit(change->space, RP_EVENT_SHARE_ENDED, change->share);
}

rp_err rp_share_end(struct rp_space *space, rp_id id, rp_id person) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(4096);
    struct rp_share share;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    {
        _cleanup_(rp_row_donep) struct rp_row *row = NULL;
        RP_TRY(rp_db_query(space->db, "SELECT " SHARE_COLUMNS " FROM share WHERE id = ?1", &row));
        rp_row_bind_id(row, 1, id);
        RP_TRY(rp_row_first(row));
        RP_TRY(read_row(row, arena, &share));
    }
    if (!rp_id_is_none(person) && !rp_id_equal(share.person, person)) {
        return RP_ERR(NOT_FOUND);
    }
    struct change change = {space, &share};
    return rp_db_transact(space->db, do_end, &change);
}

/* Two who come at once for the last use: one of them is late. */
static rp_err do_use(struct rp_db *db, void *ctx) {
    const struct change *change = ctx;
    uint64_t changed = 0;
    RP_TRY(run_on(db,
                  "UPDATE share SET uses = uses + 1, wrong = 0 WHERE id = ?1 AND ended_ms = 0 AND "
                  "until_ms > ?2 AND (uses_max = 0 OR uses < uses_max)",
                  change, &changed));
    return changed == 0 ? RP_ERR(EXPIRED)
                        : emit(change->space, RP_EVENT_SHARE_OPENED, change->share);
}

/*= S71 */ /* whatever leaves by a link stands in the organisation's own log */
rp_err rp_share_use(struct rp_space *space, const struct rp_share *share) {
    struct change change = {space, share};
    return rp_db_transact(space->db, do_use, &change);
}

rp_err rp_share_may_try(const struct rp_space *space, const struct rp_share *share) {
    bool wait = share->wrong >= RP_SHARE_WRONG_MAX &&
                rp_env_now_ms(space->env) - share->wrong_ms < WRONG_MS;
    return wait ? RP_ERR(RATE) : RP_OK;
}

static rp_err do_wrong(struct rp_db *db, void *ctx) {
    const struct change *change = ctx;
    RP_TRY(run_on(db, "UPDATE share SET wrong = wrong + 1, wrong_ms = ?2 WHERE id = ?1", change,
                  NULL));
    return emit(change->space, RP_EVENT_SHARE_REFUSED, change->share);
}

rp_err rp_share_wrong(struct rp_space *space, const struct rp_share *share) {
    struct change change = {space, share};
    return rp_db_transact(space->db, do_wrong, &change);
}

rp_err rp_share_check_label(struct rp_space *space, const struct rp_share *share,
                            enum rp_label label, const struct rp_share_rule *rule) {
    rp_err err = check_label(label, rule, NULL);
    if (rp_is(err, RP_E_DENIED)) {
        struct told told = {space, share, RP_EVENT_SHARE_REFUSED};
        RP_TRY(rp_db_transact(space->db, do_tell, &told));
    }
    return err;
}

rp_err rp_shares_sweep(const struct rp_env *env, struct rp_db *db) {
    return rp_bearer_sweep(
        env, db, "DELETE FROM share WHERE until_ms < ?1 OR (ended_ms > 0 AND ended_ms < ?1)");
}
