/* tell.c — what the installation's operators are told, by mail and in their inbox; each once. */
#include "base/checked.h"
#include "core.h"
#include "crypto/hash.h"
#include "identity/members.h"
#include "ipc/pack.h"

enum { PEOPLE_MAX = 20, KEY_TEXT_MAX = 2048 };

struct telling {
    struct rp_identity *identity;
    enum rp_notice_kind kind;
    const struct rp_notice_value *values;
    size_t value_count;
    rp_id people[PEOPLE_MAX];
    size_t count;
};

static rp_err add_operator(void *ctx, rp_id person) {
    struct telling *telling = ctx;
    if (telling->count < PEOPLE_MAX) {
        telling->people[telling->count++] = person;
    }
    return RP_OK;
}

/* The same kind about the first value and the last, to the same person, is the same notice. */
static rp_err put(const struct telling *telling, rp_id person) {
    enum rp_lang lang = RP_FR;
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(KEY_TEXT_MAX);
    rp_pack_bytes(&text, rp_view_from_cstr(rp_notice_kind_name(telling->kind)));
    rp_pack_bytes(&text, telling->values[0].value);
    rp_pack_bytes(&text, telling->values[telling->value_count - 1].value);
    rp_pack_id(&text, person);
    RP_TRY(rp_buf_err(&text));
    RP_TRY(rp_identity_lang_of(telling->identity, person, &lang));
    struct rp_sha256 key = rp_sha256_of(rp_buf_view(&text));
    struct rp_notice notice = {.kind = telling->kind,
                               .channels = RP_NOTICE_MAIL | RP_NOTICE_INBOX,
                               .lang = lang,
                               .key = rp_view_of(key.b, sizeof key.b),
                               .values = telling->values,
                               .value_count = telling->value_count};
    return rp_identity_write_to(telling->identity, person, &notice);
}

static rp_err put_all(struct rp_db *db, void *ctx) {
    const struct telling *telling = ctx;
    (void)db;
    for (size_t i = 0; i < telling->count; i++) {
        rp_err err = put(telling, telling->people[i]);
        if (!rp_ok(err) && !rp_is(err, RP_E_DUPLICATE) && !rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
    }
    return RP_OK;
}

rp_err core_tell_operators(struct rp_web_thread *thread, enum rp_notice_kind kind,
                           const struct rp_notice_value *values, size_t value_count) {
    struct rp_db *db = NULL;
    struct telling telling = {
        .identity = thread->identity, .kind = kind, .values = values, .value_count = value_count};
    RP_TRY(rp_identity_each_operator(thread->identity, add_operator, &telling));
    RP_TRY(rp_store_system(thread->store, &db, NULL));
    return rp_db_transact(db, put_all, &telling);
}
