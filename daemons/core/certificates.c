/* certificates.c — a certificate that cannot be renewed is told to the operator's people, by mail.
 *
 * The acme role has no database and sees no address: it leaves what it knows in acme/state.json,
 * which is read here every half minute. One failure is not told, since the next attempt follows
 * within a minute; two in a row are, once for each certificate and person.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "identity/members.h"
#include "ipc/pack.h"
#include "notify/notify.h"
#include "os/file.h"
#include "wire/json.h"

enum { STATE_MAX = 64 * 1024, TOLD_FROM = 2, PEOPLE_MAX = 20 };

struct trouble {
    struct rp_identity *identity;
    rp_view name, reason;
    struct rp_time_text until;
    rp_id people[PEOPLE_MAX];
    size_t count;
};

static rp_err add_operator(void *ctx, rp_id person) {
    struct trouble *trouble = ctx;
    if (trouble->count < PEOPLE_MAX) {
        trouble->people[trouble->count++] = person;
    }
    return RP_OK;
}

static rp_err put(struct trouble *trouble, rp_id person) {
    enum rp_lang lang = RP_FR;
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(1024);
    rp_pack_bytes(&text, RP_VIEW("certificate"));
    rp_pack_bytes(&text, trouble->name);
    rp_pack_bytes(&text, rp_view_from_cstr(trouble->until.s));
    rp_pack_id(&text, person);
    RP_TRY(rp_buf_err(&text));
    RP_TRY(rp_identity_lang_of(trouble->identity, person, &lang));
    struct rp_sha256 key = rp_sha256_of(rp_buf_view(&text));
    const struct rp_notice_value values[] = {
        {"name", trouble->name},
        {"reason", trouble->reason},
        {"until", rp_view_from_cstr(trouble->until.s)},
    };
    struct rp_notice notice = {.kind = RP_NOTICE_CERTIFICATE,
                               .channels = RP_NOTICE_MAIL | RP_NOTICE_INBOX,
                               .lang = lang,
                               .key = rp_view_of(key.b, sizeof key.b),
                               .values = values,
                               .value_count = RP_COUNT_OF(values)};
    return rp_identity_write_to(trouble->identity, person, &notice);
}

static rp_err put_all(struct rp_db *db, void *ctx) {
    struct trouble *trouble = ctx;
    (void)db;
    for (size_t i = 0; i < trouble->count; i++) {
        rp_err err = put(trouble, trouble->people[i]);
        if (!rp_ok(err) && !rp_is(err, RP_E_DUPLICATE) && !rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
    }
    return RP_OK;
}

static rp_err tell(struct rp_web_thread *thread, const struct rp_json *name) {
    uint64_t until_s = 0;
    struct rp_db *db = NULL;
    struct trouble trouble = {.identity = thread->identity,
                              .name = rp_json_get_string(name, "name"),
                              .reason = rp_json_get_string(name, "reason")};
    rp_json_get_u64(name, "until_s", &until_s);
    trouble.until = rp_time_print((int64_t)RP_MIN(until_s, (uint64_t)INT32_MAX * 2));
    RP_TRY(rp_identity_each_operator(thread->identity, add_operator, &trouble));
    RP_TRY(rp_store_system(thread->store, &db, NULL));
    return rp_db_transact(db, put_all, &trouble);
}

void core_certificates_tell(const struct core *core, struct rp_web_thread *thread) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(8 * STATE_MAX);
    struct rp_json *state = NULL;
    rp_view text;
    if (!arena || !rp_ok(rp_file_read("acme/state.json", STATE_MAX, arena, &text)) ||
        !rp_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &state, NULL))) {
        return; /* no authority is asked, or not yet */
    }
    const struct rp_json *names = rp_json_get(state, "names");
    for (const struct rp_json *name = names ? names->first : NULL; name; name = name->next) {
        uint64_t failures = 0;
        if (!rp_json_get_u64(name, "failures", &failures) || failures < TOLD_FROM) {
            continue;
        }
        rp_err err = tell(thread, name);
        if (!rp_ok(err)) {
            rp_ignore(daemon_fail(core->daemon, err, "certificates", NULL)); /* the next round */
        }
    }
}
