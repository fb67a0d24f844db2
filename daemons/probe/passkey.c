/* passkey.c — a canary signs in with keys of its own: one built into its device, one carried about.
 *
 * Both are software (authenticator.h), registered once through the pages as a person would, and
 * kept in probe/. Each run signs in with the right answer, then tries the same answer again in
 * another browser, then one whose signature is altered, as whoever listens in or guesses would.
 */
#include <stdio.h>

#include "authenticator.h"
#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "probe.h"
#include "wire/encode.h"

enum { FILE_MODE = 0600, SCALAR = 32, KEY_BYTES = SCALAR + AUTHENTICATOR_ID + RP_ID_BYTES };
enum { FILE_BYTES = 2 * KEY_BYTES, FILE_MAX = FILE_BYTES + 1, FORM_MAX = 32768 };

static const char keys_path[] = "/.rempart/id/passkeys", sign_in_path[] = "/.rempart/id/sign-in";

/* One of the two ways of S101 and S102. */
struct way {
    const char *file, *name, *transport;
    bool alone;              /* with a finger, in place of password and code */
    const char *ask, *where; /* whence its options come, where its answer goes */
};
static const struct way built_in = {.file = "probe/passkey-platform",
                                    .name = "probe: built in",
                                    .transport = "internal",
                                    .alone = true,
                                    .ask = "/.rempart/id/passkey/alone",
                                    .where = "/.rempart/id/passkey"};
static const struct way carried = {.file = "probe/passkey-roaming",
                                   .name = "probe: carried",
                                   .transport = "usb",
                                   .alone = false,
                                   .ask = "/.rempart/id/passkey/second",
                                   .where = "/.rempart/id/code"};

/* A canary, and the key in its hand. */
struct hand {
    struct probe *probe;
    const struct way *way;
    struct canary_session *canary;
    struct authenticator authenticator;
    struct rp_secret *key;
    char origin[300];
    rp_id user; /* whose key it is, as the site said when it was made */
};

static void hand_done(struct hand *hand) {
    rp_secret_free(hand->key);
}

/* ---- the key's file: scalar, id and user, in hexadecimal ---- */

static rp_err take_bytes(struct hand *hand, uint8_t bytes[static KEY_BYTES]) {
    uint8_t scalar[SCALAR];
    memcpy(scalar, bytes, SCALAR);
    memcpy(hand->authenticator.id, bytes + SCALAR, AUTHENTICATOR_ID);
    memcpy(hand->user.b, bytes + SCALAR + AUTHENTICATOR_ID, RP_ID_BYTES);
    RP_TRY(rp_secret_new_take(scalar, sizeof scalar, &hand->key));
    hand->authenticator.key = hand->key;
    return RP_OK;
}

static rp_err load(struct hand *hand) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new_wiping(4096);
    uint8_t bytes[KEY_BYTES];
    rp_view text = {NULL, 0};
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_file_read(hand->way->file, FILE_MAX, arena, &text));
    if (!rp_hex_parse(rp_view_trim(text), bytes, sizeof bytes)) {
        return RP_ERR(CORRUPT);
    }
    rp_err err = take_bytes(hand, bytes);
    rp_wipe(bytes, sizeof bytes);
    return err;
}

static rp_err keep(const struct way *way, const uint8_t bytes[static KEY_BYTES]) {
    char text[FILE_MAX];
    rp_hex_print(rp_view_of(bytes, KEY_BYTES), text);
    text[FILE_BYTES] = '\n';
    rp_err err = rp_file_replace(way->file, FILE_MODE, rp_view_of(text, sizeof text));
    rp_wipe(text, sizeof text);
    return err;
}

/* ---- what the pages answer ---- */

static rp_err get(struct http *http, const char *path, struct http_answer *answer) {
    return http_ask(http, &(struct http_request){.method = "GET", .path = path}, answer);
}

/* What stands on the page in hidden fields goes along, as a browser sends it. */
static rp_err post_from(struct http *http, struct http_answer *page, const char *path,
                        const char *field, rp_view value, struct http_answer *answer) {
    struct rp_buf form = rp_buf_new_wiping(FORM_MAX);
    canary_add_field(&form, field, value);
    http_hidden_fields(page, &form);
    rp_err err = canary_post_form(http, path, &form, answer);
    rp_buf_done(&form);
    return err;
}

/* The challenge of the options that a page's script would ask for; in the answer's arena. present:
 * the password, where a key is to be added. */
static rp_err ask(struct http *http, struct http_answer *page, const char *path, rp_view present,
                  struct http_answer *answer, rp_view *ret_challenge) {
    rp_view challenge = {NULL, 0};
    RP_TRY(post_from(http, page, path, "present", present, answer));
    challenge = rp_json_get_string(http_json(answer), "challenge");
    return answer->status == 200 && challenge.n > 0
               ? rp_base64url_decode(challenge, answer->arena, ret_challenge)
               : RP_ERR(PROTOCOL);
}

/* ---- registered once ---- */

static rp_err user_of(struct http_answer *options, struct hand *hand) {
    rp_view text = rp_json_get_string(rp_json_get(http_json(options), "user"), "id");
    rp_view bytes = {NULL, 0};
    RP_TRY(rp_base64url_decode(text, options->arena, &bytes));
    if (bytes.n != RP_ID_BYTES) {
        return RP_ERR(PROTOCOL);
    }
    memcpy(hand->user.b, bytes.p, bytes.n);
    return RP_OK;
}

static rp_err register_key(struct hand *hand, struct http_answer *page, rp_view challenge) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    struct rp_buf json = rp_buf_new(AUTHENTICATOR_ANSWER_MAX), form = rp_buf_new(FORM_MAX);
    rp_err err = authenticator_make(&hand->authenticator, challenge, &json);
    if (rp_ok(err)) {
        canary_add_field(&form, "act", RP_VIEW("add"));
        canary_add_field(&form, "name", rp_view_from_cstr(hand->way->name));
        canary_add_field(&form, "passkey", rp_buf_view(&json));
        http_hidden_fields(page, &form);
        err = canary_post_form(hand->canary->http, keys_path, &form, &answer);
    }
    rp_buf_done(&json);
    rp_buf_done(&form);
    RP_TRY(err);
    rp_view place = http_header(&answer, "Location", 0);
    return rp_view_ends(place, RP_VIEW("done=added")) ? RP_OK : RP_ERR(PROTOCOL);
}

static rp_err enrol(struct hand *hand) {
    _cleanup_answer_ struct http_answer page = http_answer_new(), options = http_answer_new();
    const struct rp_env *env = &hand->probe->env;
    uint8_t bytes[KEY_BYTES];
    rp_view challenge = {NULL, 0};
    RP_TRY(get(hand->canary->http, keys_path, &page));
    RP_TRY(ask(hand->canary->http, &page, "/.rempart/id/passkeys/new",
               rp_view_from_cstr(hand->canary->who->password), &options, &challenge));
    env->fill_random(env->ctx, bytes, sizeof bytes);
    RP_TRY(user_of(&options, hand));
    memcpy(bytes + SCALAR + AUTHENTICATOR_ID, hand->user.b, RP_ID_BYTES);
    rp_err err = take_bytes(hand, bytes);
    if (rp_ok(err)) {
        err = register_key(hand, &page, challenge);
    }
    if (rp_ok(err)) {
        err = keep(hand->way, bytes);
    }
    rp_wipe(bytes, sizeof bytes);
    return err;
}

static bool take_in_hand(struct hand *hand, struct rp_observation *seen) {
    rp_err err = load(hand);
    if (rp_ok(err)) {
        return true;
    }
    if (!rp_is(err, RP_E_NOT_FOUND)) {
        rp_probe_unsure(seen, "the canary's key could not be read: %s", rp_err_name(err));
        return false;
    }
    if (!canary_sign_in_outside(hand->probe, hand->canary, true, seen)) {
        return false;
    }
    err = enrol(hand);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the canary could not register a key: %s", rp_err_name(err));
    }
    return rp_ok(err);
}

/* ---- used ---- */

/* In a browser that knows nobody: the page that waits for the key. */
static rp_err reach(struct hand *hand, struct canary_session *browser, struct http_answer *page) {
    http_forget_cookies(browser->http);
    return hand->way->alone ? get(browser->http, sign_in_path, page)
                            : canary_password_step(browser, page);
}

static rp_err answer_for(struct hand *hand, struct canary_session *browser,
                         struct http_answer *page, struct rp_buf *json) {
    _cleanup_answer_ struct http_answer options = http_answer_new();
    rp_view challenge = {NULL, 0};
    RP_TRY(ask(browser->http, page, hand->way->ask, RP_VIEW(""), &options, &challenge));
    return authenticator_use(&hand->authenticator, challenge,
                             rp_view_of(hand->user.b, sizeof hand->user.b), json);
}

static rp_err send_answer(struct hand *hand, struct canary_session *browser,
                          struct http_answer *page, const struct rp_buf *json, bool *ret_inside) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    RP_TRY(post_from(browser->http, page, hand->way->where, "passkey", rp_buf_view(json), &answer));
    *ret_inside = canary_is_inside(browser, &answer);
    return RP_OK;
}

/* With a new answer into *json, or (replayed) with the one that stands there. */
static rp_err try_key(struct hand *hand, struct canary_session *browser, bool replayed,
                      struct rp_buf *json, bool *ret_inside) {
    _cleanup_answer_ struct http_answer page = http_answer_new();
    RP_TRY(reach(hand, browser, &page));
    if (!replayed) {
        rp_buf_clear(json);
        RP_TRY(answer_for(hand, browser, &page, json));
    }
    return send_answer(hand, browser, &page, json, ret_inside);
}

/* The right answer, the same again, an altered one. */
static void use(struct hand *hand, struct canary_session *browser, struct rp_observation *seen) {
    _cleanup_(rp_buf_done) struct rp_buf json = rp_buf_new(AUTHENTICATOR_ANSWER_MAX);
    bool right = false, replayed = false, altered = false;
    rp_err err = try_key(hand, browser, false, &json, &right);
    if (rp_ok(err) && !right) {
        rp_probe_broken(seen, "the canary's own key was refused");
        return;
    }
    if (rp_ok(err)) {
        err = try_key(hand, browser, true, &json, &replayed);
    }
    if (rp_ok(err)) {
        hand->authenticator.alters = true;
        err = try_key(hand, browser, false, &json, &altered);
    }
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the pages did not ask for the key: %s", rp_err_name(err));
    } else if (replayed) {
        rp_probe_broken(seen, "a key's answer that had served once was accepted again");
    } else if (altered) {
        rp_probe_broken(seen, "an answer with an altered signature was accepted");
    } else {
        rp_probe_holds(seen,
                       "%s: the right answer accepted, the same one refused in another "
                       "browser, one with an altered signature refused",
                       hand->way->alone ? "a passkey of the device, alone"
                                        : "a security key after the password");
    }
}

static bool name_origin(struct hand *hand) {
    const struct rp_config *config = hand->probe->config;
    int n = config->listen == 443
                ? snprintf(hand->origin, sizeof hand->origin, "https://%s", config->host)
                : snprintf(hand->origin, sizeof hand->origin, "https://%s:%llu", config->host,
                           (unsigned long long)config->listen);
    return n > 0 && (size_t)n < sizeof hand->origin;
}

static void sign_in_by(struct probe *probe, const struct way *way, struct rp_observation *seen) {
    _cleanup_(hand_done) struct hand hand = {.probe = probe,
                                             .way = way,
                                             .canary = &probe->people[0],
                                             .authenticator = {.site = probe->config->host,
                                                               .verifies = way->alone,
                                                               .transport = way->transport}};
    struct canary_session browser = {.who = hand.canary->who, .http = probe_browser(probe)};
    hand.authenticator.origin = hand.origin;
    if (browser.http && name_origin(&hand) && take_in_hand(&hand, seen)) {
        use(&hand, &browser, seen);
    } else if (!browser.http) {
        rp_probe_unsure(seen, "no memory for a browser");
    }
    http_free(browser.http);
}

/*= S101 */
void probe_signin_webauthn_platform(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (probe_ready(probe, seen)) {
        sign_in_by(probe, &built_in, seen);
    }
}

/*= S102 */
void probe_signin_webauthn_roaming(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (probe_ready(probe, seen)) {
        sign_in_by(probe, &carried, seen);
    }
}
