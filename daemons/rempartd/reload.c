/* reload.c — a new configuration reaches the roles that read it.
 *
 * The gate's part is written by "rempart-gate --render", a process of its own; only when that went
 * well is nginx told, so that it never reads half a file.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "supervisor.h"
#include "wire/yaml.h"

enum { RENDER_WITHIN_MS = 30000, CONFIG_MAX = 1 << 20, CONFIG_ARENA = 16 << 20 };

static void render_too_late(void *ctx) {
    struct supervisor *supervisor = ctx;
    RP_ASSERT(supervisor->renderer.pid != 0);
    rp_process_end_group(supervisor->renderer.pid);
}

void supervisor_stop_renderer(struct supervisor *supervisor) {
    rp_timer_free(supervisor->renderer.timer);
    supervisor->renderer.timer = NULL;
    if (supervisor->renderer.pid != 0) {
        rp_process_end_group(supervisor->renderer.pid);
        supervisor->renderer.pid = 0; /* reaped as nobody's */
    }
}

static rp_err start_renderer(struct supervisor *supervisor) {
    const struct daemon *daemon = &supervisor->daemon;
    const char *const arguments[] = {
        "--state", ".", "--share", daemon->share, "--config", ACCEPTED_CONFIG, "--render", NULL};
    _cleanup_fd_ int ready_fd = -1;       /* nobody waits for it to be ready, only for its end */
    supervisor_stop_renderer(supervisor); /* one that still runs would write the older file */
    RP_TRY(supervisor_spawn(supervisor, RP_ROLE_GATE, (struct rp_process){.arguments = arguments},
                            &supervisor->renderer.pid, &ready_fd));
    return rp_loop_timer(daemon->loop, RENDER_WITHIN_MS, 0, render_too_late, supervisor,
                         &supervisor->renderer.timer);
}

bool supervisor_rendered(struct supervisor *supervisor, const struct rp_exit *ended) {
    if (supervisor->renderer.pid == 0 || ended->pid != supervisor->renderer.pid) {
        return false;
    }
    supervisor->renderer.pid = 0;
    rp_timer_free(supervisor->renderer.timer);
    supervisor->renderer.timer = NULL;
    if (ended->code != 0 || ended->signal != 0) {
        daemon_say(&supervisor->daemon, "the gate's configuration stays as it was: the new one "
                                        "cannot be written");
        supervisor->reload.refused = true;
        (void)snprintf(supervisor->reload.diag.text, sizeof supervisor->reload.diag.text,
                       "the gate's part cannot be written; rempart-gate said why where rempart "
                       "runs: its terminal, or journalctl -u rempart");
        report_config_refused(supervisor->report, supervisor->daemon.config_file,
                              &supervisor->reload.diag);
        supervisor_write_status(supervisor);
        return true;
    }
    supervisor_look(supervisor); /* a certificate may be another */
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &supervisor->children[i];
        if (child->role == RP_ROLE_GATE && child->state == CHILD_READY) {
            rp_process_signal(child->pid, SIGHUP);
        }
    }
    return true;
}

/* They read the file once, at their start, so they start again: at once, and not as a failure. */
static bool begins_anew(enum rp_role_id role) {
    return role == RP_ROLE_CORE || role == RP_ROLE_PROBE || role == RP_ROLE_HUNT ||
           role == RP_ROLE_COURIER || role == RP_ROLE_ACME || role == RP_ROLE_VAULT ||
           role == RP_ROLE_WITNESS || role == RP_ROLE_DIAL;
}

/* The ledger and the kms read the file at their start, and nobody ends them for a setting: the one
 * would keep writers waiting, the other may need a person to be unsealed. */
static void name_kept(struct supervisor *supervisor, const struct rp_config *config) {
    const struct rp_config *old = &supervisor->daemon.config;
    const struct places places = supervisor_places(config);
    struct reload *reload = &supervisor->reload;
    const struct {
        const char *name;
        bool changed;
    } settings[] = {
        {"host", strcmp(old->host, config->host) != 0},
        {"keys.unseal", strcmp(old->unseal, config->unseal) != 0},
        {"ledger.disk_free_percent", old->disk_free_percent != config->disk_free_percent},
        {"log.format", strcmp(old->log_format, config->log_format) != 0},
        {"log.file", !*old->log_file != !*config->log_file},
        {"runs, link", strcmp(places.s, supervisor->places.s) != 0},
    };
    _Static_assert(RP_COUNT_OF(settings) < RP_COUNT_OF(reload->kept), "and the end");
    size_t n = 0;
    for (size_t i = 0; i < RP_COUNT_OF(settings); i++) {
        if (settings[i].changed) {
            reload->kept[n++] = settings[i].name;
            daemon_say(&supervisor->daemon, "%s changed: it takes a restart", settings[i].name);
        }
    }
    reload->kept[n] = NULL;
}

void supervisor_refuse(struct supervisor *supervisor, rp_err err, const struct rp_diag *diag) {
    const char *file = supervisor->daemon.config_file;
    rp_ignore(daemon_fail(&supervisor->daemon, err, file, diag));
    daemon_say(&supervisor->daemon, "the configuration stays as it was");
    supervisor->reload.refused = true;
    supervisor->reload.diag = *diag;
    if (!diag->text[0]) {
        (void)snprintf(supervisor->reload.diag.text, sizeof supervisor->reload.diag.text, "%s",
                       rp_err_text(err, RP_EN));
    }
    report_config_refused(supervisor->report, file, &supervisor->reload.diag);
    supervisor_write_status(supervisor);
}

/* ---- who reads what changed ---- */

static bool same(const struct rp_yaml *a, const struct rp_yaml *b) {
    if (!a || !b || a->kind != b->kind) {
        return a == b;
    }
    if (!rp_view_equal(a->scalar, b->scalar) || !rp_view_equal(a->key, b->key)) {
        return false;
    }
    const struct rp_yaml *x = a->first, *y = b->first;
    while (x && y && same(x, y)) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}

/* True when a member of either, but for those that `but_for` names, is not the same in both. */
static bool differs(const struct rp_yaml *a, const struct rp_yaml *b, const char *const *but_for) {
    for (int turn = 0; turn < 2; turn++) {
        const struct rp_yaml *mine = turn ? b : a, *other = turn ? a : b;
        for (const struct rp_yaml *it = mine ? mine->first : NULL; it; it = it->next) {
            bool left_out = false;
            for (size_t i = 0; but_for[i]; i++) {
                left_out = left_out || rp_view_equal(it->key, rp_view_from_cstr(but_for[i]));
            }
            const struct rp_yaml *there = NULL;
            for (const struct rp_yaml *o = other ? other->first : NULL; o; o = o->next) {
                there = rp_view_equal(o->key, it->key) ? o : there;
            }
            if (!left_out && !same(it, there)) {
                return true;
            }
        }
    }
    return false;
}

/* FNV-1a over what tells one file of this name from another. */
static uint64_t mix_file(uint64_t now, const char *name) {
    struct stat st = {0};
    if (*name && stat(name, &st) == 0) {
        const uint64_t facts[] = {st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
                                  (uint64_t)st.st_mtim.tv_nsec};
        for (size_t i = 0; i < RP_COUNT_OF(facts); i++) {
            now = (now ^ facts[i]) * 0x100000001b3u;
        }
    }
    return now;
}

/* Roles read these at their start, so that another file of the same name is a change, too. */
uint64_t supervisor_named_files(const struct rp_config *config) {
    const char *const names[] = {config->acme_eab, config->smtp_credentials, config->smtp_authority,
                                 config->breached_list, config->witness_authority};
    uint64_t now = 0;
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        now = mix_file(now, names[i]);
    }
    for (size_t i = 0; i < config->webhook_count; i++) {
        now = mix_file(now, config->webhooks[i].secret);
        now = mix_file(now, config->webhooks[i].authority);
    }
    return now;
}

rp_err supervisor_keep_config(rp_view text) {
    return rp_file_replace(ACCEPTED_CONFIG, 0600, text);
}

/* The gate's own part and the limits are read by nginx alone, which drops nobody. For all else the
 * roles behind it begin anew. When in doubt, they do. */
static bool concerns_roles(const struct supervisor *supervisor, rp_view text,
                           struct rp_arena *arena) {
    static const char *const nginx_alone[] = {"gate", "limits", "ledger", "keys", "log", NULL};
    static const char *const gate_alone[] = {
        "workers",        "certificate",   "certificate_key", "body_max_kib", "trusted_proxies",
        "client_address", "drain_seconds", "listen_http",     "metrics_port", NULL};
    struct rp_yaml *old = NULL, *new = NULL;
    if (!rp_ok(rp_yaml_parse(supervisor->daemon.config_text, arena, &old, NULL)) ||
        !rp_ok(rp_yaml_parse(text, arena, &new, NULL))) {
        return true;
    }
    return differs(old, new, nginx_alone) ||
           differs(rp_yaml_get(old, "gate"), rp_yaml_get(new, "gate"), gate_alone);
}

/* The settings that we keep ourselves live as long as the file that they came from. */
static void adopt(struct supervisor *supervisor, struct rp_arena *arena,
                  const struct rp_config *config, rp_view text) {
    struct rp_config kept = *config;
    const struct rp_config *old = &supervisor->daemon.config;
    name_kept(supervisor, config);
    /* What was named stays named until the restart: it is compared with what runs. */
    kept.host = rp_arena_cstr(arena, rp_view_from_cstr(old->host));
    kept.unseal = rp_arena_cstr(arena, rp_view_from_cstr(old->unseal));
    kept.disk_free_percent = old->disk_free_percent;
    kept.log_format = rp_arena_cstr(arena, rp_view_from_cstr(old->log_format));
    if (!*old->log_file != !*config->log_file) {
        kept.log_file = rp_arena_cstr(arena, rp_view_from_cstr(old->log_file));
    }
    if (!kept.host || !kept.unseal || !kept.log_format || !kept.log_file) {
        rp_arena_free(arena); /* the old ones serve */
        return;
    }
    supervisor->daemon.config = kept;
    supervisor->daemon.config_text = text;
    rp_arena_free(supervisor->reload.arena);
    supervisor->reload.arena = arena;
}

void supervisor_render(struct supervisor *supervisor) {
    if (!supervisor_wants(supervisor, RP_ROLE_GATE)) {
        return;
    }
    rp_err err = start_renderer(supervisor);
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(&supervisor->daemon, err, "rempart-gate --render", NULL));
    }
}

static void begin_roles_anew(struct supervisor *supervisor, bool all) {
    for (size_t i = 0; all && i < CHILDREN; i++) {
        struct child *child = &supervisor->children[i];
        if (begins_anew(child->role) && child->state == CHILD_READY) {
            supervisor_begin_anew(child);
        }
        supervisor_turn(child);
    }
    supervisor_render(supervisor);
}

void supervisor_apply(struct supervisor *supervisor, struct rp_arena *arena,
                      const struct rp_config *config, rp_view text, bool roles) {
    rp_err err = supervisor_keep_config(text);
    if (!rp_ok(err)) {
        struct rp_diag diag = {0};
        rp_ignore(rp_fail(&diag, err, ACCEPTED_CONFIG ": %s", rp_err_text(err, RP_EN)));
        rp_arena_free(arena);
        supervisor_refuse(supervisor, err, &diag);
        return;
    }
    supervisor->reload.files = supervisor_named_files(config);
    adopt(supervisor, arena, config, text);
    supervisor_draw_fence(supervisor);
    supervisor_reopen_log(supervisor);
    if (supervisor->phase == PHASE_SERVE) {
        begin_roles_anew(supervisor, roles);
    }
    supervisor_write_status(supervisor);
}

/* What a database holds does not follow its name: a core at another one would begin with nobody in
 * it, while the former still serves. */
static rp_err keep_store(const struct supervisor *supervisor, const struct rp_config *config,
                         struct rp_diag *diag) {
    return strcmp(config->store, supervisor->daemon.config.store) == 0
               ? RP_OK
               : rp_fail(diag, RP_ERR(INVALID),
                         "store: another database takes a stop, a copy of what the old one holds, "
                         "and a start (docs/operations/postgresql.md)");
}

void supervisor_reload(struct supervisor *supervisor) {
    struct rp_arena *arena = rp_arena_new(CONFIG_ARENA);
    rp_view text = {NULL, 0};
    struct rp_config config;
    struct rp_diag diag = {0};
    const char *file = supervisor->daemon.config_file;
    supervisor->reload.number++;
    supervisor->reload.refused = false;
    supervisor_stop_rehearsal(supervisor); /* one that still runs tries the older file */
    rp_err err = arena ? rp_file_read(file, CONFIG_MAX, arena, &text) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_config_parse(text, arena, &config, &diag);
    }
    if (rp_ok(err)) {
        err = keep_store(supervisor, &config, &diag);
    }
    if (!rp_ok(err)) {
        rp_arena_free(arena);
        supervisor_refuse(supervisor, err, &diag);
        return;
    }
    daemon_say(&supervisor->daemon, "%s read again", file);
    bool roles = concerns_roles(supervisor, text, arena) ||
                 supervisor_named_files(&config) != supervisor->reload.files;
    if (roles && supervisor->phase == PHASE_SERVE) {
        supervisor_rehearse(supervisor, arena, &config, text);
    } else {
        supervisor_apply(supervisor, arena, &config, text, roles);
    }
}
