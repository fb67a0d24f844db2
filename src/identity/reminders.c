/* reminders.c — when a person is reminded: read, chosen, and the time of what waits taken anew. */
#include "identity/reminders.h"

#include "base/assert.h"
#include "config/check.h"
#include "identity/internal.h"
#include "notify/outbox.h"

static const char default_word[] = "default", none_word[] = "none";

/* One half of a choice: whether it is the person's own, and its text. */
struct half {
    bool *own;
    char *text;
    size_t size;
    const char *(*check)(rp_view text);
};

static struct half quiet_of(struct rp_reminders *reminders) {
    return (struct half){&reminders->own_quiet, reminders->quiet, sizeof reminders->quiet,
                         rp_config_check_quiet};
}

static struct half digest_of(struct rp_reminders *reminders) {
    return (struct half){&reminders->own_digest, reminders->digest, sizeof reminders->digest,
                         rp_config_check_clock};
}

static rp_err set(struct half half, bool own, rp_view text) {
    if (text.n >= half.size || half.check(text) != NULL) {
        return RP_ERR(INVALID);
    }
    *half.own = own;
    memset(half.text, 0, half.size);
    if (text.n > 0) {
        memcpy(half.text, text.p, text.n);
    }
    return RP_OK;
}

static rp_err set_word(struct half half, rp_view word) {
    if (rp_view_equal(word, RP_VIEW("default"))) {
        return set(half, false, RP_VIEW(""));
    }
    if (rp_view_equal(word, RP_VIEW("none"))) {
        return set(half, true, RP_VIEW(""));
    }
    return word.n > 0 ? set(half, true, word) : RP_ERR(INVALID);
}

rp_err rp_reminders_set_quiet(struct rp_reminders *reminders, rp_view word) {
    return set_word(quiet_of(reminders), word);
}

rp_err rp_reminders_set_digest(struct rp_reminders *reminders, rp_view word) {
    return set_word(digest_of(reminders), word);
}

const char *rp_reminders_quiet_word(const struct rp_reminders *reminders) {
    return !reminders->own_quiet ? default_word
           : reminders->quiet[0] ? reminders->quiet
                                 : none_word;
}

const char *rp_reminders_digest_word(const struct rp_reminders *reminders) {
    return !reminders->own_digest ? default_word
           : reminders->digest[0] ? reminders->digest
                                  : none_word;
}

/* ---- what holds ---- */

static rp_err read_half(struct rp_row *row, int column, struct half half) {
    if (rp_row_is_null(row, column)) {
        return set(half, false, RP_VIEW(""));
    }
    return rp_ok(set(half, true, rp_row_text(row, column))) ? RP_OK : RP_ERR(CORRUPT);
}

static rp_err read_row(struct rp_row *row, struct rp_reminders *ret_reminders) {
    struct rp_reminders reminders = {.own_quiet = false};
    RP_TRY(read_half(row, 0, quiet_of(&reminders)));
    RP_TRY(read_half(row, 1, digest_of(&reminders)));
    *ret_reminders = reminders;
    return RP_OK;
}

rp_err rp_identity_reminders(struct rp_identity *identity, rp_id person, rp_id tenant,
                             struct rp_reminders *ret_reminders) {
    RP_ASSERT(identity != NULL && ret_reminders != NULL);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT p.quiet, p.digest FROM person p JOIN membership m "
                       "ON m.person = p.id WHERE p.id = ?1 AND m.tenant = ?2",
                       &row));
    rp_row_bind_id(row, 1, person);
    rp_row_bind_id(row, 2, tenant);
    RP_TRY(rp_row_first(row));
    return read_row(row, ret_reminders);
}

static struct rp_calm calm_of(const struct rp_identity *identity,
                              const struct rp_reminders *reminders) {
    struct rp_calm calm = identity->options.calm;
    struct rp_calm own =
        rp_calm_of(rp_view_from_cstr(reminders->quiet), rp_view_from_cstr(reminders->digest));
    if (reminders->own_quiet) {
        calm.quiet = own.quiet;
        calm.quiet_from = own.quiet_from;
        calm.quiet_to = own.quiet_to;
    }
    if (reminders->own_digest) {
        calm.digest = own.digest;
        calm.digest_at = own.digest_at;
    }
    return calm;
}

rp_err rp_identity_calm_of(struct rp_identity *identity, rp_id person, struct rp_calm *ret_calm) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct rp_reminders reminders;
    RP_TRY(rp_db_query(identity->db, "SELECT quiet, digest FROM person WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_first(row));
    RP_TRY(read_row(row, &reminders));
    *ret_calm = calm_of(identity, &reminders);
    return RP_OK;
}

/* ---- choosing ---- */

struct choosing {
    struct rp_identity *identity;
    const struct rp_reminders_choice *choice;
};

static void bind_half(struct rp_row *row, int place, bool own, const char *text) {
    if (own) {
        rp_row_bind_text(row, place, rp_view_from_cstr(text));
    } else {
        rp_row_bind_null(row, place);
    }
}

static rp_err update(struct rp_db *db, const struct rp_reminders_choice *choice) {
    const struct rp_reminders *reminders = &choice->reminders;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE person SET quiet = ?2, digest = ?3 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, choice->person);
    bind_half(row, 2, reminders->own_quiet, reminders->quiet);
    bind_half(row, 3, reminders->own_digest, reminders->digest);
    return rp_row_run(row, NULL);
}

static rp_err emit(const struct choosing *choosing) {
    const struct rp_reminders_choice *choice = choosing->choice;
    struct rp_event *event = rp_identity_event(choosing->identity, RP_EVENT_REMINDERS_CHOSEN);
    rp_event_add_id(event, "tenant", choice->tenant);
    rp_event_add_id(event, "person", choice->person);
    rp_event_add_text(event, "quiet",
                      rp_view_from_cstr(rp_reminders_quiet_word(&choice->reminders)));
    rp_event_add_text(event, "digest",
                      rp_view_from_cstr(rp_reminders_digest_word(&choice->reminders)));
    if (!rp_id_is_none(choice->by)) {
        rp_event_add_id(event, "by", choice->by);
    }
    return rp_db_emit(choosing->identity->db, event);
}

static bool is_same(const struct rp_reminders *a, const struct rp_reminders *b) {
    return strcmp(rp_reminders_quiet_word(a), rp_reminders_quiet_word(b)) == 0 &&
           strcmp(rp_reminders_digest_word(a), rp_reminders_digest_word(b)) == 0;
}

static rp_err do_choose(struct rp_db *db, void *ctx) {
    const struct choosing *choosing = ctx;
    const struct rp_reminders_choice *choice = choosing->choice;
    struct rp_identity *identity = choosing->identity;
    struct rp_reminders former;
    RP_TRY(rp_identity_reminders(identity, choice->person, choice->tenant, &former));
    if (is_same(&former, &choice->reminders)) {
        return RP_OK;
    }
    RP_TRY(update(db, choice));
    struct rp_calm calm = calm_of(identity, &choice->reminders);
    RP_TRY(rp_notify_retime(db, choice->person, rp_calm_until(&calm, rp_identity_now(identity)),
                            calm.digest));
    return emit(choosing);
}

rp_err rp_identity_choose_reminders(struct rp_identity *identity,
                                    const struct rp_reminders_choice *choice) {
    RP_ASSERT(identity != NULL && choice != NULL);
    struct choosing choosing = {identity, choice};
    return rp_db_transact(identity->db, do_choose, &choosing);
}
