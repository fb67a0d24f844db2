/* passkey.c — a person's own keys: one more, another name, one less. */
#include "identity/passkey.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "identity/passkey_internal.h"
#include "wire/http.h"

bool rp_identity_is_fresh(struct rp_identity *identity, const struct rp_session *session) {
    struct rp_factor factor;
    /* A session that began while sessions lasted longer would seem to begin later than now. */
    int64_t age_ms =
        rp_identity_now(identity) - session->view.expires_ms + identity->options.session_ms;
    if (age_ms < 0 || age_ms > RP_FRESH_MS ||
        !rp_ok(rp_factor_of(identity, session->view.person, &factor))) {
        return false;
    }
    return session->view.acr >= RP_ACR_MFA || !rp_factor_is_there(&factor);
}

static rp_err set_name(struct rp_passkey *key, rp_view name) {
    rp_view trimmed = rp_view_trim(name);
    if (trimmed.n == 0 || trimmed.n > RP_PASSKEY_NAME_MAX || !rp_utf8_is_name(trimmed)) {
        return RP_ERR(INVALID);
    }
    memcpy(key->name, trimmed.p, trimmed.n);
    key->name[trimmed.n] = 0;
    return RP_OK;
}

static rp_err emit(struct rp_identity *identity, enum rp_event_kind kind,
                   const struct rp_factor *factor, const struct rp_passkey *key) {
    struct rp_event *event = rp_identity_event(identity, kind);
    rp_event_add_id(event, "tenant", factor->home);
    rp_event_add_id(event, "person", factor->person);
    rp_event_add_id(event, "passkey", key->id);
    return rp_db_emit(identity->db, event);
}

/* ---- one more ---- */

struct adding {
    struct rp_identity *identity;
    const struct rp_passkey_proof *proof;
    struct rp_factor factor;
    struct rp_passkey key;
    struct rp_sha256 index, challenge;
    rp_view sealed;
    rp_err judged;
};

static void free_adding(struct adding **adding) {
    free(*adding);
}

static void take_key(struct adding *adding, const struct rp_passkey_seen *seen) {
    struct rp_passkey *key = &adding->key;
    const struct rp_authenticator_data *data = &seen->data;
    memcpy(key->credential_id, data->credential_id.p, data->credential_id.n);
    key->credential_id_n = data->credential_id.n;
    memcpy(key->key, data->key.p, data->key.n);
    key->key_n = data->key.n;
    memcpy(key->aaguid, data->aaguid.p, sizeof key->aaguid);
    key->transports = adding->proof->answer->transports;
    key->may_move = data->may_move;
    key->count = data->count;
}

/* What the answer is worth; said only after its challenge was used up. */
static rp_err judge(struct adding *adding, struct rp_arena *arena) {
    struct rp_passkey_seen seen;
    const char *why = NULL;
    rp_err err =
        rp_passkey_judge_new(&adding->proof->expected, adding->proof->answer, arena, &seen, &why);
    if (rp_is(err, RP_E_UNSUPPORTED) || rp_is(err, RP_E_NO_MEMORY)) {
        return err;
    }
    if (!rp_ok(err)) {
        return RP_ERR(DENIED);
    }
    if (seen.data.key.n > RP_PASSKEY_KEY_MAX) {
        return RP_ERR(UNSUPPORTED);
    }
    take_key(adding, &seen);
    return RP_OK;
}

static rp_err insert(struct rp_db *db, const struct adding *adding) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO passkey (id, person, credential, sealed, sign_count, "
                       "created_ms, used_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
                       &row));
    rp_row_bind_id(row, 1, adding->key.id);
    rp_row_bind_id(row, 2, adding->factor.person);
    rp_row_bind_blob(row, 3, rp_hash_view(&adding->index));
    rp_row_bind_blob(row, 4, adding->sealed);
    rp_row_bind_u64(row, 5, adding->key.count);
    rp_row_bind_u64(row, 6, (uint64_t)rp_identity_now(adding->identity));
    return rp_row_run(row, NULL);
}

static rp_err do_add(struct rp_db *db, void *ctx) {
    struct adding *adding = ctx;
    struct rp_identity *identity = adding->identity;
    size_t count = 0;
    RP_TRY(rp_passkeys_count(identity, adding->factor.person, &count));
    if (count >= RP_PASSKEYS_MAX) {
        adding->judged = RP_ERR(TOO_LARGE);
        return RP_OK;
    }
    RP_TRY(insert(db, adding));
    RP_TRY(emit(identity, RP_EVENT_PASSKEY_ADDED, &adding->factor, &adding->key));
    return rp_identity_tell(identity, RP_NOTICE_PASSKEY_ADDED, adding->factor.person,
                            adding->factor.home);
}

/* Committed by itself: whatever becomes of the answer, it has had its one try. */
static rp_err do_use_challenge(struct rp_db *db, void *ctx) {
    struct adding *adding = ctx;
    bool good = false;
    (void)db;
    RP_TRY(rp_passkey_challenge_use(adding->identity, &adding->proof->asked, &adding->challenge,
                                    &good));
    adding->judged = good ? adding->judged : RP_ERR(EXPIRED);
    return RP_OK;
}

static rp_err add(struct adding *adding, struct rp_arena *arena) {
    struct rp_identity *identity = adding->identity;
    adding->challenge = rp_passkey_answer_hash(adding->proof->answer, arena);
    adding->judged = judge(adding, arena);
    RP_TRY(rp_db_transact(identity->db, do_use_challenge, adding));
    RP_TRY(adding->judged);
    RP_TRY(rp_passkey_index(identity,
                            rp_view_of(adding->key.credential_id, adding->key.credential_id_n),
                            &adding->index));
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_PASSKEY_SEALED_MAX);
    RP_TRY(rp_passkey_seal(identity, adding->factor.home, adding->factor.person, &adding->key,
                           &sealed)); /* leases the key that the letter needs, too */
    adding->sealed = rp_buf_view(&sealed);
    RP_TRY(rp_db_transact(identity->db, do_add, adding));
    return adding->judged;
}

/*= S101, S102 */ /* who was not there with a second factor a moment ago adds none */
rp_err rp_identity_passkey_add(struct rp_identity *identity, const struct rp_passkey_new *what,
                               rp_id *ret_id) {
    RP_ASSERT(identity != NULL && what != NULL && what->proof != NULL && ret_id != NULL);
    _cleanup_(free_adding) struct adding *adding = calloc(1, sizeof *adding);
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(4 * RP_WEBAUTHN_ANSWER_MAX);
    if (!adding || !arena) {
        return RP_ERR(NO_MEMORY);
    }
    adding->identity = identity;
    adding->proof = what->proof;
    adding->key.id = rp_env_new_id(identity->env);
    RP_TRY(set_name(&adding->key, what->name));
    if (!rp_identity_is_fresh(identity, what->session)) {
        return RP_ERR(SECOND_FACTOR);
    }
    RP_TRY(rp_factor_of(identity, what->session->view.person, &adding->factor));
    RP_TRY(add(adding, arena));
    *ret_id = adding->key.id;
    return RP_OK;
}

/* ---- another name, one less ---- */

struct changing {
    struct rp_identity *identity;
    struct rp_factor factor;
    struct rp_passkey key;
    rp_view sealed;
};

static void free_changing(struct changing **changing) {
    free(*changing);
}

/* One of this person's own. */
static rp_err begin(struct rp_identity *identity, rp_id person, rp_id id,
                    struct changing **ret_changing) {
    _cleanup_(free_changing) struct changing *changing = calloc(1, sizeof *changing);
    _cleanup_(rp_arena_freep) struct rp_arena *arena =
        rp_arena_new_wiping((RP_PASSKEYS_MAX + 1) * sizeof(struct rp_passkey));
    struct rp_passkey *keys = NULL;
    size_t count = 0;
    if (!changing || !arena) {
        return RP_ERR(NO_MEMORY);
    }
    changing->identity = identity;
    RP_TRY(rp_factor_of(identity, person, &changing->factor));
    RP_TRY(rp_identity_passkeys(identity, person, arena, &keys, &count));
    for (size_t i = 0; i < count; i++) {
        if (rp_id_equal(keys[i].id, id)) {
            changing->key = keys[i];
            *ret_changing = rp_take(&changing);
            return RP_OK;
        }
    }
    return RP_ERR(NOT_FOUND);
}

static rp_err do_rename(struct rp_db *db, void *ctx) {
    const struct changing *changing = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE passkey SET sealed = ?2 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, changing->key.id);
    rp_row_bind_blob(row, 2, changing->sealed);
    RP_TRY(rp_row_run(row, NULL));
    return emit(changing->identity, RP_EVENT_PASSKEY_RENAMED, &changing->factor, &changing->key);
}

rp_err rp_identity_passkey_rename(struct rp_identity *identity, rp_id person, rp_id id,
                                  rp_view name) {
    RP_ASSERT(identity != NULL);
    _cleanup_(free_changing) struct changing *changing = NULL;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_PASSKEY_SEALED_MAX);
    RP_TRY(begin(identity, person, id, &changing));
    if (changing->key.altered) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(set_name(&changing->key, name));
    RP_TRY(rp_passkey_seal(identity, changing->factor.home, person, &changing->key, &sealed));
    changing->sealed = rp_buf_view(&sealed);
    return rp_db_transact(identity->db, do_rename, changing);
}

static rp_err check_last(const struct changing *changing) {
    size_t count = 0;
    RP_TRY(rp_passkeys_count(changing->identity, changing->factor.person, &count));
    bool last = changing->factor.seed_n == 0 && count <= 1;
    return last && changing->identity->options.second_factor_required ? RP_ERR(CONFLICT) : RP_OK;
}

static rp_err do_remove(struct rp_db *db, void *ctx) {
    const struct changing *changing = ctx;
    struct rp_row *row = NULL;
    uint64_t gone = 0;
    RP_TRY(check_last(changing));
    RP_TRY(rp_db_query(db, "DELETE FROM passkey WHERE id = ?1 AND person = ?2", &row));
    rp_row_bind_id(row, 1, changing->key.id);
    rp_row_bind_id(row, 2, changing->factor.person);
    RP_TRY(rp_row_run(row, &gone));
    if (gone == 0) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(emit(changing->identity, RP_EVENT_PASSKEY_REMOVED, &changing->factor, &changing->key));
    return rp_identity_tell(changing->identity, RP_NOTICE_PASSKEY_REMOVED, changing->factor.person,
                            changing->factor.home);
}

rp_err rp_identity_passkey_remove(struct rp_identity *identity, const struct rp_session *session,
                                  rp_id id) {
    RP_ASSERT(identity != NULL && session != NULL);
    _cleanup_(free_changing) struct changing *changing = NULL;
    const struct rp_secret *key = NULL;
    if (!rp_identity_is_fresh(identity, session)) {
        return RP_ERR(SECOND_FACTOR);
    }
    RP_TRY(begin(identity, session->view.person, id, &changing));
    RP_TRY(rp_identity_tenant_key(identity, changing->factor.home, &key)); /* of a letter */
    return rp_db_transact(identity->db, do_remove, changing);
}
