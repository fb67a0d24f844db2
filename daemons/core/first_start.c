/* first_start.c — what an empty installation needs before anybody can come in.
 *
 * The tenant "main" and an invitation for its first administrator; two canary tenants with a
 * person each and a plain member, for the probes; a token for each application. Each is made only
 * where it is missing, so that a start which was cut short is simply continued.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "identity/apps.h"
#include "identity/members.h"
#include "os/file.h"
#include "promise/canary.h"
#include "web/handlers.h"
#include "wire/encode.h"

enum {
    LINK_MODE = 0600,
    TOKEN_MODE = 0640,
    CANARY_SECRET_BYTES = 24,
    CREDENTIALS_MAX = 65536,
    CANARY_TEXT = 64,
    TOTP_STEP_S = 30
};

static const char link_path[] = "run/first-admin-link";
static const char canary_path[] = "canary/credentials.json", staff_path[] = "canary/staff.json",
                  member_path[] = "canary/member.json";
static const char *const canary_names[RP_CANARIES] = {"canary-a", "canary-b"};

/* ---- the first administrator ---- */

static rp_err write_link(struct core *core, const struct rp_token *token) {
    rp_view link = rp_enrol_link(&core->web, core->arena, token);
    if (!link.p) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_buf line = rp_buf_new(1024);
    rp_buf_printf(&line, "%.*s\n", RP_FMT(link));
    rp_err err = rp_file_replace(link_path, LINK_MODE, rp_buf_view(&line));
    rp_buf_done(&line);
    if (rp_ok(err)) {
        daemon_say(core->daemon, "first administrator: the link is in %s", link_path);
    }
    return err;
}

static rp_err invite_first(struct core *core, struct rp_identity *identity) {
    rp_id tenant;
    struct rp_token token;
    RP_TRY(rp_identity_new_tenant(identity, RP_VIEW("main"), &tenant));
    rp_view email = rp_arena_printf(core->arena, "admin@%s", core->config.host);
    RP_TRY(rp_identity_invite(identity, tenant, email, RP_MEMBER | RP_TENANT_ADMIN | RP_OPERATOR,
                              (rp_id){{0}}, &token));
    rp_err err = write_link(core, &token);
    rp_wipe(&token, sizeof token);
    return err;
}

/* ---- the canaries ---- */

/* base64url of random bytes: a password that nobody will guess and nobody needs to type. */
static const char *random_text(struct core *core, struct rp_arena *arena) {
    uint8_t bytes[CANARY_SECRET_BYTES];
    core->env.fill_random(core->env.ctx, bytes, sizeof bytes);
    struct rp_buf text = rp_buf_new(CANARY_TEXT);
    rp_base64url_print(&text, rp_view_of(bytes, sizeof bytes));
    const char *copy = rp_arena_cstr(arena, rp_buf_view(&text));
    rp_buf_done(&text);
    return copy;
}

static rp_err code_before(const struct core *core, const char *seed, char ret_code[static 6]) {
    struct rp_buf bytes = rp_buf_new(64);
    rp_err err = rp_base32_parse(rp_view_from_cstr(seed), &bytes);
    struct rp_secret *key _cleanup_(rp_secret_freep) = NULL;
    if (rp_ok(err)) {
        err = rp_secret_new_take(bytes.p, bytes.n, &key);
    }
    rp_buf_done(&bytes);
    RP_TRY(err);
    /* The step before, which clock skew allows: the current one stays for the probe's sign-in. */
    rp_totp_code(key, (uint64_t)(rp_env_now_s(&core->env) / TOTP_STEP_S) - 1, ret_code);
    return RP_OK;
}

/* Whom to enrol: in a tenant of its own of that name, or in one that is there. */
struct wanted {
    const char *name;
    unsigned roles;
    rp_id tenant; /* none: of its own */
};

/* Walks the same way as a person: invitation, seed, password, code. */
static rp_err enrol_canary(struct core *core, struct rp_identity *identity,
                           const struct wanted *wanted, struct rp_arena *arena,
                           struct rp_canary *ret_canary) {
    struct rp_canary canary = {.tenant = wanted->tenant, .password = random_text(core, arena)};
    /* A new address each time: one that a start cut short has enrolled cannot be enrolled again. */
    struct rp_id_text own = rp_id_print(rp_env_new_id(&core->env));
    rp_view email = rp_arena_printf(arena, "%s-%.8s@%s", wanted->name, own.s, core->config.host);
    if (!canary.password || !email.p) {
        return RP_ERR(NO_MEMORY);
    }
    canary.email = (const char *)email.p;
    struct rp_token token;
    if (rp_id_is_none(canary.tenant)) {
        RP_TRY(rp_identity_new_tenant(identity, rp_view_from_cstr(wanted->name), &canary.tenant));
    }
    RP_TRY(rp_identity_invite(identity, canary.tenant, email, wanted->roles, (rp_id){{0}}, &token));
    char seed[33];
    RP_TRY(rp_identity_enrol_seed(identity, rp_view_from_cstr(token.s), seed));
    canary.seed = rp_arena_cstr(arena, rp_view_from_cstr(seed));
    char phc[RP_PASSWORD_TEXT], code[6];
    RP_TRY(rp_password_hash(rp_view_from_cstr(canary.password), phc));
    RP_TRY(code_before(core, seed, code));
    RP_TRY(rp_identity_enrol(identity, rp_view_from_cstr(token.s), phc, rp_view_of(code, 6)));
    *ret_canary = canary;
    return canary.seed ? RP_OK : RP_ERR(NO_MEMORY);
}

static rp_err make_canaries(struct core *core, struct rp_identity *identity) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(256 * 1024);
    struct rp_canaries canaries = {.app = "canary"};
    struct rp_token token;
    for (size_t i = 0; i < RP_CANARIES; i++) {
        const struct wanted wanted = {.name = canary_names[i],
                                      .roles = RP_MEMBER | RP_TENANT_ADMIN};
        RP_TRY(enrol_canary(core, identity, &wanted, arena, &canaries.people[i]));
    }
    struct rp_app_token wish = {.app = "canary", .scopes = RP_SCOPES_ALL};
    RP_TRY(rp_identity_new_app_token(identity, &wish, true, NULL, &token));
    canaries.app_token = token.s;
    struct rp_buf text = rp_buf_new(16384);
    rp_err err = rp_canaries_print(&canaries, arena, &text);
    if (rp_ok(err)) {
        err = rp_file_replace(canary_path, TOKEN_MODE, rp_buf_view(&text));
    }
    rp_wipe(text.p, text.n);
    rp_buf_done(&text);
    rp_wipe(&token, sizeof token);
    return err;
}

static rp_err keep_canary(const char *path, const struct rp_canary *canary,
                          struct rp_arena *arena) {
    struct rp_buf text = rp_buf_new(4096);
    rp_err err = rp_canary_print(canary, arena, &text);
    if (rp_ok(err)) {
        err = rp_file_replace(path, TOKEN_MODE, rp_buf_view(&text));
    }
    rp_wipe(text.p, text.n);
    rp_buf_done(&text);
    return err;
}

/* The canary that may no more than any member, in the tenant of the first. */
static rp_err make_member_canary(struct core *core, struct rp_identity *identity) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(256 * 1024);
    struct rp_canaries canaries;
    struct rp_canary canary;
    rp_view text = {NULL, 0};
    RP_TRY(arena ? rp_file_read(canary_path, CREDENTIALS_MAX, arena, &text) : RP_ERR(NO_MEMORY));
    RP_TRY(rp_canaries_parse(text, arena, &canaries));
    const struct wanted wanted = {
        .name = "canary-member", .roles = RP_MEMBER, .tenant = canaries.people[0].tenant};
    RP_TRY(enrol_canary(core, identity, &wanted, arena, &canary));
    return keep_canary(member_path, &canary, arena);
}

/* The canary of the registers' gates: an account like anybody's, and a record on the canary's own
 * shelf that says it has begun and signed nothing. */
static rp_err make_staff_canary(struct core *core, struct rp_web_thread *thread) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(256 * 1024);
    struct rp_canary canary;
    rp_id account;
    const struct wanted wanted = {.name = "canary-c", .roles = RP_MEMBER | RP_TENANT_ADMIN};
    RP_TRY(enrol_canary(core, thread->identity, &wanted, arena, &canary));
    RP_TRY(rp_identity_member_at(thread->identity, canary.tenant, rp_view_from_cstr(canary.email),
                                 &account));
    RP_TRY(core_registers_canary(core, thread, account));
    return keep_canary(staff_path, &canary, arena);
}

/* ---- applications ---- */

static rp_err make_token(struct core *core, struct rp_identity *identity, const char *app) {
    rp_view path = rp_arena_printf(core->arena, "apps/%s.token", app);
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    if (rp_file_exists((const char *)path.p)) {
        return RP_OK;
    }
    /* Its file was taken away: whoever has what stood in it is not the application any more. */
    struct rp_app_token wish = {.scopes = RP_SCOPES_ALL};
    struct rp_token token;
    RP_ASSERT(strlen(app) < sizeof wish.app);
    memcpy(wish.app, app, strlen(app));
    RP_TRY(rp_identity_new_app_token(identity, &wish, true, NULL, &token));
    rp_err err = rp_file_replace((const char *)path.p, TOKEN_MODE, rp_view_from_cstr(token.s));
    rp_wipe(&token, sizeof token);
    return err;
}

rp_err core_first_start(struct core *core, struct rp_web_thread *thread, struct rp_diag *diag) {
    bool empty = false;
    RP_TRY(rp_identity_is_empty(thread->identity, &empty));
    if (empty) {
        rp_err err = invite_first(core, thread->identity);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "the first administrator's link");
        }
    }
    if (!rp_file_exists(canary_path)) {
        rp_err err = make_canaries(core, thread->identity);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "the canaries");
        }
    }
    if (!rp_file_exists(member_path)) {
        rp_err err = make_member_canary(core, thread->identity);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "the canary that is a member");
        }
    }
    if (!rp_file_exists(staff_path)) {
        rp_err err = make_staff_canary(core, thread);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "the canary of the registers' gates");
        }
    }
    rp_err purpose = core_registers_purpose(core, thread);
    if (!rp_ok(purpose)) {
        return rp_fail(diag, purpose, "the canary's access purpose");
    }
    for (size_t i = 0; i < core->config.app_count; i++) {
        rp_err err = make_token(core, thread->identity, core->config.apps[i].name);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "the token of the application %s", core->config.apps[i].name);
        }
    }
    return RP_OK;
}
