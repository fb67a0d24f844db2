/* account.c — what a customer's person can do for their own account: a canary tries it. */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "probe.h"

static const char password_path[] = "/.rempart/id/password";
static const char sessions_path[] = "/.rempart/id/sessions";

/* ---- S170: a weak password is refused where it is chosen ---- */

/* What people choose and thieves try first: short, a usual word, a walk on the keyboard, a season
 * and a year, one piece repeated. */
static const char *const weak[] = {"Soleil2026",       "motdepasse1234",  "qwertyuiop123456",
                                   "Summer2026!Paris", "azertyuiopqsdf",  "p@ssw0rdp@ssw0rd",
                                   "abcdefghijklmnop", "iloveyoumother99"};

/* Present and new password through the form, as the person would; *answer is where it led. */
static rp_err choose(struct canary_session *canary, const char *present, const char *chosen,
                     struct http_answer *answer) {
    struct rp_buf form = rp_buf_new(8192);
    rp_err err = http_ask(canary->http,
                          &(struct http_request){.method = "GET", .path = password_path}, answer);
    if (rp_ok(err)) {
        http_hidden_fields(answer, &form);
        canary_add_field(&form, "present", rp_view_from_cstr(present));
        canary_add_field(&form, "password", rp_view_from_cstr(chosen));
        canary_add_field(&form, "password_again", rp_view_from_cstr(chosen));
        err = canary_post_form(canary->http, password_path, &form, answer);
    }
    rp_buf_done(&form);
    return err;
}

static bool led_to(const struct http_answer *answer, rp_view words) {
    rp_view place = http_header(answer, "Location", 0);
    return answer->status == 303 && place.p && rp_view_find(place, words) < place.n;
}

/* Long enough to pass for strong, and known from a comic strip and a typing lesson: they stand in
 * any whole list of what has leaked. */
static const char *const leaked[] = {"correcthorsebatterystaple", "correct horse battery staple",
                                     "thequickbrownfoxjumpsoverthelazydog"};

enum chosen { CHOSEN_TAKEN, CHOSEN_WEAK, CHOSEN_LEAKED, CHOSEN_UNKNOWN };

/* What became of it; one that was taken is changed back at once. UNKNOWN: it has concluded. */
static enum chosen try_password(struct canary_session *canary, const char *password,
                                struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    if (!rp_ok(choose(canary, canary->who->password, password, &answer))) {
        rp_probe_unsure(seen, "the form of the password gave no answer");
        return CHOSEN_UNKNOWN;
    }
    if (led_to(&answer, RP_VIEW("done=password"))) {
        rp_ignore(choose(canary, password, canary->who->password, &answer)); /* as it was */
        return CHOSEN_TAKEN;
    }
    if (led_to(&answer, RP_VIEW("error=weak"))) {
        return CHOSEN_WEAK;
    }
    if (led_to(&answer, RP_VIEW("error=leaked"))) {
        return CHOSEN_LEAKED;
    }
    rp_probe_unsure(seen, "the form of the password answered something else (status %ld)",
                    answer.status);
    return CHOSEN_UNKNOWN;
}

static bool refuses_weak(struct canary_session *canary, struct rp_observation *seen) {
    for (size_t i = 0; i < RP_COUNT_OF(weak); i++) {
        switch (try_password(canary, weak[i], seen)) {
        case CHOSEN_TAKEN:
            rp_probe_broken(seen, "a password that is tried first by everybody was accepted");
            return false;
        case CHOSEN_UNKNOWN:
            return false;
        case CHOSEN_WEAK:
        case CHOSEN_LEAKED:
            break;
        }
    }
    return true;
}

/* One is enough: that the list is asked is what is looked for, not how much stands in it. */
static bool refuses_leaked(struct canary_session *canary, struct rp_observation *seen) {
    for (size_t i = 0; i < RP_COUNT_OF(leaked); i++) {
        enum chosen chosen = try_password(canary, leaked[i], seen);
        if (chosen == CHOSEN_LEAKED || chosen == CHOSEN_UNKNOWN) {
            return chosen == CHOSEN_LEAKED;
        }
    }
    rp_probe_broken(seen, "passwords that leaked long ago were not refused as leaked: the list of "
                          "sign_in.breached_list lacks them, or is not asked");
    return false;
}

/*= S170 */
void probe_customer_weak_password(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen) || !canary_sign_in(probe, &probe->people[0], seen)) {
        return;
    }
    bool listed = probe->config->breached_list[0] != 0;
    struct canary_session *canary = &probe->people[0];
    if (refuses_weak(canary, seen) && (!listed || refuses_leaked(canary, seen))) {
        rp_probe_holds(seen, "%zu passwords that are tried first by everybody, all refused; %s",
                       RP_COUNT_OF(weak),
                       listed ? "one that leaked, refused as leaked"
                              : "no list of leaked ones is set (sign_in.breached_list)");
    }
}

/* ---- S175: a session that its owner ends is over ---- */

enum { ENDS_WITHIN_MS = 5000, LOOK_MS = 250, STAYS_MS = 1000 };

static bool opens(struct canary_session *other) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    return canary_is_inside(other, &answer);
}

/* Out within the time, and out for good. */
static bool still_inside(const struct probe *probe, struct canary_session *other) {
    for (int waited = 0; opens(other); waited += LOOK_MS) {
        if (waited >= ENDS_WITHIN_MS) {
            return true;
        }
        (void)rp_probe_wait(&probe->stopping, LOOK_MS);
    }
    (void)rp_probe_wait(&probe->stopping, STAYS_MS);
    return opens(other);
}

/* Everything but this browser's own session, from the page that lists them. */
static bool end_others(struct canary_session *canary, struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    struct rp_buf form = rp_buf_new(8192);
    rp_err err = http_ask(canary->http,
                          &(struct http_request){.method = "GET", .path = sessions_path}, &answer);
    bool listed =
        rp_ok(err) && answer.status == 200 &&
        rp_view_find(rp_buf_view(&answer.body), RP_VIEW("value=\"others\"")) < answer.body.n;
    if (listed) {
        http_hidden_fields(&answer, &form);
        canary_add_field(&form, "session", RP_VIEW("others"));
        err = canary_post_form(canary->http, sessions_path, &form, &answer);
    }
    rp_buf_done(&form);
    if (!listed || !rp_ok(err) || answer.status != 303) {
        rp_probe_unsure(seen, "the list of sessions did not show the second one (status %ld)",
                        answer.status);
        return false;
    }
    return true;
}

static void end_and_look(struct probe *probe, struct canary_session *other,
                         struct rp_observation *seen) {
    struct canary_session *canary = &probe->people[0];
    if (!canary_sign_in(probe, canary, seen)) {
        return;
    }
    other->last_step = canary->last_step;
    bool entered = canary_sign_in(probe, other, seen);
    canary->last_step = other->last_step;
    if (!entered || !end_others(canary, seen)) {
        return;
    }
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    if (still_inside(probe, other)) {
        rp_probe_broken(seen, "a session that its owner had ended still opened an application");
    } else if (!canary_is_inside(canary, &answer)) {
        rp_probe_broken(seen, "ending the other sessions ended this one too");
    } else {
        rp_probe_holds(seen, "a second session stood in the list, was ended there, and opened "
                             "nothing any more; the first went on");
    }
}

/*= S175 */
void probe_customer_session_revoked(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen)) {
        return;
    }
    struct canary_session other = {.who = probe->people[0].who, .http = probe_browser(probe)};
    if (!other.http) {
        rp_probe_unsure(seen, "no memory for a second browser");
        return;
    }
    end_and_look(probe, &other, seen);
    http_free(other.http);
}
