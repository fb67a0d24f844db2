/* register_sign_api.c — a person signs a move with a passkey or a security key.
 *
 * What is signed is written down first, {register, record, version, move, reason, fields},
 * canonical JSON; the challenge is SHA-256(nonce ‖ that). POST …/signature answers the options for
 * the browser; the move then carries the nonce and the key's answer, and is refused when it is
 * another move than the one that was signed. What proves it stays in the history, sealed: nonce,
 * text, public key, and what key and browser said, so that anybody who is shown it can verify it
 * without this program.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "web/cookies.h"
#include "web/passkey.h"
#include "web/register_desk.h"
#include "wire/encode.h"

enum { NONCE = 32, SIGNED_MAX = 256 * 1024 };

/* What is signed, and its challenge. */
struct signing {
    struct rp_json *text;
    rp_view nonce;
    struct rp_sha256 challenge;
};

static rp_err write_text(struct rp_request *request, const struct rp_register *reg, rp_id id,
                         rp_view move, const struct rp_change *change, struct signing *signing) {
    struct rp_arena *arena = request->arena;
    struct rp_json *text = rp_json_object(arena);
    rp_json_add_cstr(arena, text, "register", reg->id);
    rp_json_add_cstr(arena, text, "record", rp_id_print(id).s);
    rp_json_add_u64(arena, text, "version", change->version);
    rp_json_add_string(arena, text, "move", move);
    rp_json_add_string(arena, text, "reason", change->reason);
    rp_json_add(arena, text, "fields",
                change->fields ? rp_json_like(arena, change->fields) : rp_json_object(arena));
    _cleanup_(rp_buf_done) struct rp_buf printed = rp_buf_new_wiping(SIGNED_MAX);
    RP_TRY(rp_json_print(text, &printed));
    signing->text = text;
    signing->challenge = rp_sha256_of2(signing->nonce, rp_buf_view(&printed));
    return RP_OK;
}

static struct rp_passkey_asked asked_of(const struct rp_request *request) {
    return (struct rp_passkey_asked){RP_PASSKEY_SIGN, rp_request_cookie(request, RP_COOKIE_SESSION),
                                     request->who.person};
}

/* Signing is a person's, in a session of this browser, of a version that was seen. */
static rp_err check_place(struct rp_request *request, const struct rp_change *change) {
    if (strcmp(request->staff.how, "session") != 0) {
        return rp_fail(&request->diag, RP_ERR(DENIED), "%s",
                       request->lang == RP_FR ? "une signature se donne dans une session"
                                              : "a signature is given in a session");
    }
    return change->version > 0 ? RP_OK
                               : rp_fail(&request->diag, RP_ERR(INVALID), "If-Match: \"version\"");
}

/* ---- asked for ---- */

static rp_err send_options(struct rp_request *request, const struct signing *signing,
                           const struct rp_passkey_options *options) {
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add(request->arena, root, "publicKey", rp_passkey_get_options(request->arena, options));
    rp_webauthn_add_bytes(request->arena, root, "nonce", signing->nonce);
    rp_json_add(request->arena, root, "signs", signing->text);
    return rp_api_send(request, 200, root);
}

static rp_err give_challenge(struct rp_request *request, const struct signing *signing) {
    struct rp_identity *identity = request->thread->identity;
    const struct rp_passkey_asked asked = asked_of(request);
    struct rp_passkey_expected expected;
    struct rp_passkey_options options = {
        .challenge = rp_view_of(signing->challenge.b, sizeof signing->challenge.b)};
    struct rp_passkey *keys = NULL;
    RP_TRY(rp_identity_passkeys(identity, asked.person, request->arena, &keys, &options.count));
    if (options.count == 0 || !rp_passkey_here(request, &expected)) {
        return rp_fail(&request->diag, RP_ERR(UNSUPPORTED), "%s",
                       request->lang == RP_FR ? "aucune clé d’accès ni de sécurité"
                                              : "no passkey and no security key");
    }
    options.keys = keys;
    options.site = expected.site;
    RP_TRY(rp_passkey_challenge_keep(identity, &asked, options.challenge));
    return send_options(request, signing, &options);
}

/* The body is the move's; whether the move would be taken is tried first, and undone. */
rp_err rp_api_register_signature(struct rp_request *request) {
    struct rp_register_move_request wanted;
    struct rp_desk desk;
    struct rp_entry record;
    uint8_t nonce[NONCE];
    struct signing signing = {.nonce = rp_view_of(nonce, sizeof nonce)};
    RP_TRY(rp_register_read_move(request, &desk, &wanted));
    RP_TRY(check_place(request, &wanted.change));
    struct rp_change trial = wanted.change;
    trial.dry_run = true;
    trial.evidence = rp_json_object(request->arena);
    RP_TRY(rp_desk_move(&desk, wanted.reg, wanted.id, wanted.move, &trial, &record));
    request->web->env.fill_random(request->web->env.ctx, nonce, sizeof nonce);
    RP_TRY(write_text(request, wanted.reg, wanted.id, wanted.move, &wanted.change, &signing));
    return give_challenge(request, &signing);
}

/* ---- given ---- */

static rp_err refuse(struct rp_request *request) {
    return rp_fail(&request->diag, RP_ERR(DENIED), "%s",
                   request->lang == RP_FR ? "signature : elle n’est pas de ce changement"
                                          : "signature: it is not of this change");
}

/* The answer signs this text and no other. */
static rp_err check_challenge(struct rp_request *request, const struct signing *signing,
                              const struct rp_webauthn_answer *answer) {
    struct rp_client_data client;
    if (!rp_ok(rp_client_data_parse(answer->client_data, request->arena, &client))) {
        return refuse(request);
    }
    rp_view challenge = rp_view_of(signing->challenge.b, sizeof signing->challenge.b);
    return rp_view_equal(client.challenge, challenge) ? RP_OK : refuse(request);
}

static struct rp_json *write_evidence(struct rp_arena *arena, const struct signing *signing,
                                      const struct rp_webauthn_answer *answer,
                                      const struct rp_passkey *key) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add(arena, root, "signs", signing->text);
    rp_webauthn_add_bytes(arena, root, "nonce", signing->nonce);
    rp_json_add_cstr(arena, root, "key", rp_id_print(key->id).s);
    rp_webauthn_add_bytes(arena, root, "credential", answer->credential_id);
    rp_webauthn_add_bytes(arena, root, "public_key", rp_view_of(key->key, key->key_n));
    rp_webauthn_add_bytes(arena, root, "client_data", answer->client_data);
    rp_webauthn_add_bytes(arena, root, "authenticator_data", answer->authenticator_data);
    rp_webauthn_add_bytes(arena, root, "signature", answer->signature);
    return root;
}

static rp_err verify(struct rp_request *request, rp_view credential, const struct signing *signing,
                     struct rp_json **ret_evidence) {
    const struct rp_passkey_asked asked = asked_of(request);
    struct rp_passkey_proof proof;
    struct rp_passkey *key = rp_arena_alloc(request->arena, sizeof *key);
    if (!key) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_passkey_read(request, credential, &asked, false, &proof));
    RP_TRY(check_challenge(request, signing, proof.answer));
    rp_err err = rp_identity_sign(request->thread->identity, &proof,
                                  rp_request_param(request, "REMOTE_ADDR"), key);
    RP_TRY(rp_is(err, RP_E_DENIED) ? refuse(request) : err);
    *ret_evidence = write_evidence(request->arena, signing, proof.answer, key);
    return *ret_evidence ? RP_OK : RP_ERR(NO_MEMORY);
}

rp_err rp_register_take_signature(struct rp_request *request,
                                  struct rp_register_move_request *wanted) {
    struct signing signing = {.nonce = {NULL, 0}};
    struct rp_json *evidence = NULL;
    const struct rp_json *credential = rp_json_get(wanted->signature, "credential");
    RP_TRY(check_place(request, &wanted->change));
    rp_err err = rp_base64url_decode(rp_json_get_string(wanted->signature, "nonce"), request->arena,
                                     &signing.nonce);
    if (!rp_ok(err) || signing.nonce.n != NONCE || !credential) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "signature: {\"nonce\": …, \"credential\": …}");
    }
    RP_TRY(write_text(request, wanted->reg, wanted->id, wanted->move, &wanted->change, &signing));
    _cleanup_(rp_buf_done) struct rp_buf json = rp_buf_new(RP_WEBAUTHN_ANSWER_MAX);
    RP_TRY(rp_json_print(credential, &json));
    RP_TRY(verify(request, rp_buf_view(&json), &signing, &evidence));
    wanted->change.evidence = evidence;
    return RP_OK;
}
