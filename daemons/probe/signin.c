/* signin.c — the canaries at the door: with half of what is needed, and with all of it. */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "probe.h"
#include "wire/encode.h"

enum { CREDENTIALS_MAX = 65536, STEP_S = 30, SEED_MAX = 64, FRESH_MS = 9 * 60 * 1000 };

static const char sign_in_path[] = "/.rempart/id/sign-in";
static const char code_path[] = "/.rempart/id/code";
static const char app_path[] = "/.rempart/canary/";

static rp_err load_credentials(struct probe *probe) {
    struct rp_arena *arena = rp_arena_new(CREDENTIALS_MAX * 4);
    rp_view text = {NULL, 0};
    rp_err err = arena ? rp_file_read("canary/credentials.json", CREDENTIALS_MAX, arena, &text)
                       : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_canaries_parse(text, arena, &probe->canaries);
    }
    for (size_t i = 0; rp_ok(err) && i < RP_CANARIES; i++) {
        probe->people[i].who = &probe->canaries.people[i];
        probe->people[i].http = probe_browser(probe);
        err = probe->people[i].http ? RP_OK : RP_ERR(NO_MEMORY);
    }
    if (!rp_ok(err)) {
        rp_arena_free(arena);
        return err;
    }
    probe->credentials = arena;
    return RP_OK;
}

struct http *probe_browser(const struct probe *probe) {
    struct http *http = http_new(probe->config->host, probe->address,
                                 (uint16_t)probe->config->listen, http_ca_file(probe->config));
    if (http) {
        http_end_early(http, &probe->stopping);
    }
    return http;
}

bool probe_ready(struct probe *probe, struct rp_observation *seen) {
    if (!probe->credentials && !rp_ok(load_credentials(probe))) {
        rp_probe_unsure(seen, "the canaries have no credentials yet");
        return false;
    }
    return true;
}

static rp_err load_lone(struct probe *probe, struct lone_canary *canary, const char *path) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(CREDENTIALS_MAX);
    rp_view text;
    RP_TRY(arena ? rp_file_read(path, CREDENTIALS_MAX / 4, arena, &text) : RP_ERR(NO_MEMORY));
    RP_TRY(rp_canary_parse(text, arena, &canary->who));
    canary->session.who = &canary->who;
    canary->session.http = probe_browser(probe);
    if (!canary->session.http) {
        return RP_ERR(NO_MEMORY);
    }
    canary->credentials = rp_take(&arena);
    return RP_OK;
}

bool probe_lone_ready(struct probe *probe, struct lone_canary *canary, const char *path,
                      struct rp_observation *seen) {
    if (!canary->session.http && !rp_ok(load_lone(probe, canary, path))) {
        rp_probe_unsure(seen, "%s: this canary has no credentials yet", path);
        return false;
    }
    return true;
}

void probe_lone_done(struct lone_canary *canary) {
    http_free(canary->session.http);
    rp_arena_free(canary->credentials);
}

rp_err canary_post_form(struct http *http, const char *path, const struct rp_buf *form,
                        struct http_answer *answer) {
    RP_TRY(rp_buf_err(form));
    struct http_request request = {.method = "POST",
                                   .path = path,
                                   .content_type = "application/x-www-form-urlencoded",
                                   .body = rp_buf_view(form)};
    return http_ask(http, &request, answer);
}

void canary_add_field(struct rp_buf *form, const char *name, rp_view value) {
    rp_buf_printf(form, "%s%s=", form->n ? "&" : "", name);
    rp_url_encode(form, value);
}

rp_err canary_password_step(struct canary_session *canary, struct http_answer *answer) {
    struct rp_buf form = rp_buf_new(8192);
    rp_err err = http_ask(canary->http,
                          &(struct http_request){.method = "GET", .path = sign_in_path}, answer);
    if (rp_ok(err)) {
        http_hidden_fields(answer, &form);
        canary_add_field(&form, "email", rp_view_from_cstr(canary->who->email));
        canary_add_field(&form, "password", rp_view_from_cstr(canary->who->password));
        err = canary_post_form(canary->http, sign_in_path, &form, answer);
    }
    rp_buf_done(&form);
    if (rp_ok(err) && answer->status == 303) {
        err = http_ask(canary->http, &(struct http_request){.method = "GET", .path = code_path},
                       answer);
    }
    return err;
}

static rp_err second_step(struct canary_session *canary, const char code[static 6],
                          struct http_answer *answer) {
    struct rp_buf form = rp_buf_new(8192);
    http_hidden_fields(answer, &form);
    canary_add_field(&form, "code", rp_view_of(code, 6));
    rp_err err = canary_post_form(canary->http, code_path, &form, answer);
    rp_buf_done(&form);
    return err;
}

/* The code of the next step that was not used; waits where even the next window's was. */
static rp_err fresh_code(struct probe *probe, struct canary_session *canary,
                         char ret_code[static 6]) {
    struct rp_buf seed = rp_buf_new(SEED_MAX);
    RP_TRY(rp_base32_parse(rp_view_from_cstr(canary->who->seed), &seed));
    struct rp_secret *key _cleanup_(rp_secret_freep) = NULL;
    rp_err err = rp_secret_new_take(seed.p, seed.n, &key);
    rp_buf_done(&seed);
    RP_TRY(err);
    uint64_t now = (uint64_t)(rp_env_now_s(&probe->env) / STEP_S);
    uint64_t step = canary->last_step >= now ? canary->last_step + 1 : now;
    while (step > (uint64_t)(rp_env_now_s(&probe->env) / STEP_S) + 1) {
        if (!rp_probe_wait(&probe->stopping, 1000)) {
            return RP_ERR(CLOSED);
        }
    }
    canary->last_step = step;
    rp_totp_code(key, step, ret_code);
    return RP_OK;
}

bool canary_is_inside(struct canary_session *canary, struct http_answer *answer) {
    return rp_ok(http_ask(canary->http, &(struct http_request){.method = "GET", .path = app_path},
                          answer)) &&
           answer->status == 200;
}

/* Both steps, in a browser that forgot who it was. */
static rp_err both_steps(struct probe *probe, struct canary_session *canary,
                         struct http_answer *answer) {
    char code[6];
    http_forget_cookies(canary->http);
    RP_TRY(canary_password_step(canary, answer));
    RP_TRY(fresh_code(probe, canary, code));
    RP_TRY(second_step(canary, code, answer));
    canary->since_ms = rp_env_now_ms(&probe->env);
    return RP_OK;
}

bool canary_sign_in(struct probe *probe, struct canary_session *canary,
                    struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    if (canary_is_inside(canary, &answer) ||
        (rp_ok(both_steps(probe, canary, &answer)) && canary_is_inside(canary, &answer))) {
        return true;
    }
    rp_probe_unsure(seen, "a canary could not sign in (status %ld)", answer.status);
    return false;
}

static bool sees_account(struct canary_session *canary, struct http_answer *answer) {
    const struct http_request request = {.method = "GET", .path = "/.rempart/id/account"};
    return rp_ok(http_ask(canary->http, &request, answer)) && answer->status == 200;
}

bool canary_sign_in_outside(struct probe *probe, struct canary_session *canary, bool fresh,
                            struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    int64_t age_ms = rp_env_now_ms(&probe->env) - canary->since_ms;
    bool recent = age_ms >= 0 && age_ms < FRESH_MS;
    if (((recent || !fresh) && sees_account(canary, &answer)) ||
        (rp_ok(both_steps(probe, canary, &answer)) && sees_account(canary, &answer))) {
        return true;
    }
    rp_probe_unsure(seen, "the canary of the gates could not sign in (status %ld)", answer.status);
    return false;
}

bool canary_assertion(struct canary_session *canary, struct http_answer *answer, rp_view *ret_jwt) {
    if (!canary_is_inside(canary, answer)) {
        return false;
    }
    rp_view jwt = rp_json_get_string(http_json(answer), "assertion");
    if (jwt.n == 0) {
        return false;
    }
    *ret_jwt = jwt;
    return true;
}

/*= S99, S100: a stolen password alone opens nothing. */
void probe_signin_password_alone(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen)) {
        return;
    }
    struct canary_session thief = {.who = &probe->canaries.people[1], .http = probe_browser(probe)};
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    rp_err err = thief.http ? canary_password_step(&thief, &answer) : RP_ERR(NO_MEMORY);
    bool asks_code = rp_ok(err) && http_has_field(&answer, "code");
    bool inside = rp_ok(err) && canary_is_inside(&thief, &answer);
    http_free(thief.http);
    if (inside) {
        rp_probe_broken(seen, "a canary's password alone opened an application");
    } else if (!asks_code) {
        rp_probe_unsure(seen, "the sign-in did not ask for a code (status %ld)", answer.status);
    } else if (strcmp(probe->config->second_factor, "required") != 0) {
        rp_probe_broken(seen, "sign_in.second_factor is optional: who has none enters with the "
                              "password alone");
    } else {
        rp_probe_holds(
            seen, "with the right password alone, the code is asked for and no application opens");
    }
}

/* A wrong code, then the right one, then the same one again in another browser. */
static bool wrong_code_refused(struct canary_session *canary, const char right[static 6],
                               struct http_answer *page, struct rp_observation *seen) {
    char wrong[6];
    memcpy(wrong, right, sizeof wrong);
    wrong[5] = wrong[5] == '9' ? '0' : (char)(wrong[5] + 1);
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    if (!rp_ok(second_step(canary, wrong, page)) || canary_is_inside(canary, &answer)) {
        rp_probe_broken(seen, "a wrong code was accepted");
        return false;
    }
    return true;
}

/*= S101: time-based one-time codes, each counting once. */
void probe_signin_totp(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen)) {
        return;
    }
    struct canary_session *canary = &probe->people[0];
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    http_forget_cookies(canary->http);
    char code[6];
    if (!rp_ok(canary_password_step(canary, &answer)) || !http_has_field(&answer, "code") ||
        !rp_ok(fresh_code(probe, canary, code))) {
        rp_probe_unsure(seen, "the sign-in did not ask for a code (status %ld)", answer.status);
        return;
    }
    if (!wrong_code_refused(canary, code, &answer, seen)) {
        return;
    }
    if (!rp_ok(canary_password_step(canary, &answer)) ||
        !rp_ok(second_step(canary, code, &answer)) || !canary_is_inside(canary, &answer)) {
        rp_probe_broken(seen, "the right code was refused");
        return;
    }
    struct canary_session replay = {.who = canary->who, .http = probe_browser(probe)};
    bool replayed = replay.http && rp_ok(canary_password_step(&replay, &answer)) &&
                    rp_ok(second_step(&replay, code, &answer)) &&
                    canary_is_inside(&replay, &answer);
    http_free(replay.http);
    if (replayed) {
        rp_probe_broken(seen, "a used code was accepted again");
        return;
    }
    rp_probe_holds(
        seen, "a wrong code refused, the right one accepted, the same one refused the second time");
}
