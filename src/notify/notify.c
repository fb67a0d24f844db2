/* notify.c — putting a notice down, inside the transaction of the change that causes it. */
#include "notify/notify.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "notify/internal.h"

struct kind {
    const char *name, *values;
};

static const struct kind kinds[] = {
#define RP_NOTICE(NAME, name, values) [RP_NOTICE_##NAME] = {name, values},
#include "notify/notices.def"
#undef RP_NOTICE
};
_Static_assert(RP_COUNT_OF(kinds) == RP_NOTICE_COUNT, "a row for each kind");

const char *rp_notice_kind_name(enum rp_notice_kind kind) {
    RP_ASSERT((unsigned)kind < RP_NOTICE_COUNT);
    return kinds[kind].name;
}

const char *rp_notice_kind_values(enum rp_notice_kind kind) {
    RP_ASSERT((unsigned)kind < RP_NOTICE_COUNT);
    return kinds[kind].values;
}

bool rp_notice_kind_parse(rp_view name, enum rp_notice_kind *ret_kind) {
    for (size_t i = 0; i < RP_NOTICE_COUNT; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(kinds[i].name))) {
            *ret_kind = (enum rp_notice_kind)i;
            return true;
        }
    }
    return false;
}

static const struct {
    enum rp_notice_channel channel;
    const char *name;
} channels[] = {{RP_NOTICE_MAIL, "mail"}, {RP_NOTICE_INBOX, "inbox"}};

const char *rp_notice_channel_name(enum rp_notice_channel channel) {
    for (size_t i = 0; i < RP_COUNT_OF(channels); i++) {
        if (channels[i].channel == channel) {
            return channels[i].name;
        }
    }
    RP_UNREACHABLE();
}

bool rp_notice_channel_parse(rp_view name, enum rp_notice_channel *ret_channel) {
    for (size_t i = 0; i < RP_COUNT_OF(channels); i++) {
        if (rp_view_equal(name, rp_view_from_cstr(channels[i].name))) {
            *ret_channel = channels[i].channel;
            return true;
        }
    }
    return false;
}

struct rp_buf rp_notice_place(rp_id id, rp_id tenant, enum rp_notice_channel channel) {
    struct rp_buf place = rp_buf_new(128);
    rp_pack_bytes(&place, RP_VIEW("notice"));
    rp_pack_id(&place, id);
    rp_pack_id(&place, tenant);
    rp_pack_u8(&place, (uint8_t)channel);
    return place;
}

/* ---- what is sealed ---- */

static void wipe_done(struct rp_buf *buf) {
    rp_wipe(buf->p, buf->capacity);
    rp_buf_done(buf);
}

static void pack_content(struct rp_buf *out, const struct rp_notice *notice) {
    rp_pack_bytes(out, notice->address);
    rp_pack_u8(out, (uint8_t)notice->value_count);
    for (size_t i = 0; i < notice->value_count; i++) {
        rp_pack_bytes(out, rp_view_from_cstr(notice->values[i].name));
        rp_pack_bytes(out, notice->values[i].value);
    }
}

static rp_err seal(const struct rp_env *env, const struct rp_secret *key,
                   const struct rp_notice *notice, rp_id id, enum rp_notice_channel channel,
                   struct rp_buf *out) {
    _cleanup_(wipe_done) struct rp_buf plain = rp_buf_new(RP_NOTICE_SEALED_MAX);
    _cleanup_(rp_buf_done) struct rp_buf place = rp_notice_place(id, notice->tenant, channel);
    pack_content(&plain, notice);
    RP_TRY(rp_buf_err(&plain));
    RP_TRY(rp_buf_err(&place));
    return rp_aead_seal(env, key, rp_buf_view(&place), rp_buf_view(&plain), out);
}

/* ---- rows ---- */

static rp_err check_room(struct rp_db *db) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(
        rp_db_query(db, "SELECT count(*) FROM notice WHERE state IN ('waiting', 'sending')", &row));
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) < RP_NOTICES_MAX ? RP_OK : RP_ERR(OVERLOAD);
}

static rp_err insert(const struct rp_env *env, struct rp_db *db, const struct rp_notice *notice,
                     rp_id id, enum rp_notice_channel channel, rp_view sealed) {
    struct rp_row *row = NULL;
    int64_t now_ms = rp_env_now_ms(env);
    RP_TRY(rp_db_query(db,
                       "INSERT INTO notice (id, channel, key, kind, tenant, person, lang, sealed, "
                       "state, tries, problem, created_ms, next_ms, gather, gentle) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, '', ?10, ?11, ?12, ?13)",
                       &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_text(row, 2, rp_view_from_cstr(rp_notice_channel_name(channel)));
    if (notice->key.n > 0) {
        rp_row_bind_blob(row, 3, notice->key);
    } else {
        rp_row_bind_null(row, 3);
    }
    rp_row_bind_text(row, 4, rp_view_from_cstr(rp_notice_kind_name(notice->kind)));
    rp_row_bind_id(row, 5, notice->tenant);
    rp_row_bind_id_or_null(row, 6, notice->person);
    rp_row_bind_text(row, 7, notice->lang == RP_FR ? RP_VIEW("fr") : RP_VIEW("en"));
    rp_row_bind_blob(row, 8, sealed);
    rp_row_bind_text(row, 9, channel == RP_NOTICE_INBOX ? RP_VIEW("unread") : RP_VIEW("waiting"));
    rp_row_bind_u64(row, 10, (uint64_t)now_ms);
    rp_row_bind_u64(row, 11, (uint64_t)(notice->due_ms > now_ms ? notice->due_ms : now_ms));
    rp_row_bind_u64(row, 12, notice->gather && channel == RP_NOTICE_MAIL);
    rp_row_bind_u64(row, 13, notice->gentle && channel == RP_NOTICE_MAIL);
    return rp_row_run(row, NULL);
}

static rp_err put_channel(const struct rp_env *env, struct rp_db *db, const struct rp_secret *key,
                          const struct rp_notice *notice, rp_id id,
                          enum rp_notice_channel channel) {
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_NOTICE_SEALED_MAX);
    RP_TRY(seal(env, key, notice, id, channel, &sealed));
    return insert(env, db, notice, id, channel, rp_buf_view(&sealed));
}

static bool is_listed(enum rp_notice_kind kind, const char *name) {
    rp_view list = rp_view_from_cstr(rp_notice_kind_values(kind));
    while (list.p) {
        if (rp_view_equal(rp_view_cut(&list, ' '), rp_view_from_cstr(name))) {
            return true;
        }
    }
    return false;
}

/* Who calls is our own code: a wrong value name or an empty address is its bug. */
static void check(const struct rp_notice *notice) {
    RP_ASSERT((unsigned)notice->kind < RP_NOTICE_COUNT);
    RP_ASSERT(notice->value_count <= RP_NOTICE_VALUES_MAX);
    RP_ASSERT(!rp_id_is_none(notice->tenant));
    RP_ASSERT(!rp_id_is_none(notice->person) || notice->address.n > 0);
    for (size_t i = 0; i < notice->value_count; i++) {
        RP_ASSERT(is_listed(notice->kind, notice->values[i].name));
    }
}

rp_err rp_notify_put(const struct rp_env *env, struct rp_db *db, const struct rp_secret *key,
                     const struct rp_notice *notice) {
    RP_ASSERT(env != NULL && db != NULL && key != NULL && notice != NULL);
    RP_ASSERT(rp_id_is_none(rp_db_tenant(db)));
    check(notice);
    RP_ASSERT(notice->channels != 0);
    if (notice->key.n > RP_NOTICE_KEY_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(check_room(db));
    rp_id id = rp_env_new_id(env);
    for (size_t i = 0; i < RP_COUNT_OF(channels); i++) {
        bool nobodys = channels[i].channel == RP_NOTICE_INBOX && rp_id_is_none(notice->person);
        if ((notice->channels & channels[i].channel) && !nobodys) {
            RP_TRY(put_channel(env, db, key, notice, id, channels[i].channel));
        }
    }
    return RP_OK;
}
