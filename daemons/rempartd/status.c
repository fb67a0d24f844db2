/* status.c — run/status.json: what the supervisor knows, whole at every moment. */
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/x509.h"
#include "os/file.h"
#include "os/memory.h"
#include "supervisor.h"

enum { STATUS_MAX = 64 * 1024, CERTIFICATE_MAX = 256 * 1024, LOOK_ARENA = 4 << 20 };

static const char *const state_names[CHILD_STATE_COUNT] = {
    [CHILD_IDLE] = "idle",       [CHILD_STARTING] = "starting", [CHILD_READY] = "ready",
    [CHILD_WAITING] = "waiting", [CHILD_STOPPING] = "stopping", [CHILD_STOPPED] = "stopped",
    [CHILD_MISSING] = "missing", [CHILD_OFF] = "off",
};

static const char *state_name(enum child_state state) {
    RP_ASSERT(state < CHILD_STATE_COUNT);
    return state_names[state];
}

static const char *phase_name(enum phase phase) {
    return phase == PHASE_START ? "starting" : phase == PHASE_SERVE ? "ready" : "stopping";
}

/* What the role said about itself, if it is JSON; a role's word is not copied unread. */
static void add_isolation(struct rp_arena *arena, struct rp_json *role, const char *text) {
    struct rp_json *isolation = NULL;
    rp_err err = rp_json_parse(rp_view_from_cstr(text), RP_JSON_LIMITS, arena, &isolation, NULL);
    if (*text != '\0' && rp_ok(err)) {
        rp_json_add(arena, role, "isolation", isolation);
    } else {
        rp_json_add_null(arena, role, "isolation");
    }
}

static void add_walls(struct rp_arena *arena, struct rp_json *role, const struct walls *walls) {
    if (!walls->known) {
        rp_json_add_null(arena, role, "kernel");
        return;
    }
    struct rp_json *kernel = rp_json_add_object(arena, role, "kernel");
    rp_json_add_u64(arena, kernel, "uid", walls->uid);
    rp_json_add_bool(arena, kernel, "privileged", walls->privileged);
    rp_json_add_bool(arena, kernel, "no_new_privs", walls->no_new_privs);
    rp_json_add_bool(arena, kernel, "filtered", walls->filtered);
}

static void add_role(struct rp_arena *arena, struct rp_json *roles, const struct child *child) {
    struct rp_json *role = rp_json_add_object(arena, roles, NULL);
    rp_json_add_cstr(arena, role, "name", rp_role_name(child->role));
    rp_json_add_cstr(arena, role, "state", state_name(child->state));
    rp_json_add_u64(arena, role, "pid", (uint64_t)child->pid);
    rp_json_add_u64(arena, role, "restarts", child->restarts);
    rp_json_add_cstr(arena, role, "since", rp_time_print(child->since_s).s);
    rp_json_add_u64(arena, role, "since_s", (uint64_t)child->since_s);
    if (child->pss_kib > 0 && child->state == CHILD_READY) {
        rp_json_add_u64(arena, role, "memory_kib", child->pss_kib);
    }
    rp_json_add_cstr(arena, role, "last_end", child->last_end);
    add_isolation(arena, role, child->isolation);
    add_walls(arena, role, &child->walls);
}

/* What became of the last reload. */
static void add_reload(struct rp_arena *arena, struct rp_json *root,
                       const struct supervisor *supervisor) {
    const struct reload *reload = &supervisor->reload;
    if (reload->number == 0) {
        return;
    }
    struct rp_json *json = rp_json_add_object(arena, root, "reload");
    bool under_way = supervisor->renderer.pid != 0 || supervisor->rehearsal.pid != 0;
    for (size_t i = 0; i < CHILDREN; i++) {
        /* The others may be in the middle of an attack of theirs, and nobody waits for that. */
        under_way =
            under_way || (supervisor->children[i].reloading && !supervisor->children[i].optional);
    }
    rp_json_add_cstr(arena, json, "result",
                     reload->refused ? "refused"
                     : under_way     ? "under_way"
                                     : "done");
    if (reload->refused) {
        rp_json_add_u64(arena, json, "line", reload->diag.line);
        rp_json_add_u64(arena, json, "column", reload->diag.column);
        rp_json_add_cstr(arena, json, "detail", reload->diag.text);
        return;
    }
    struct rp_json *kept = rp_json_add_array(arena, json, "needs_restart");
    for (size_t i = 0; reload->kept[i]; i++) {
        rp_json_add_cstr(arena, kept, NULL, reload->kept[i]);
    }
}

/* Which machine runs what runs not here. */
static void add_elsewhere(struct rp_arena *arena, struct rp_json *root,
                          const struct rp_config *config) {
    if (config->peer_count == 0) {
        return;
    }
    struct rp_json *machines = rp_json_add_array(arena, root, "elsewhere");
    for (size_t i = 0; i < config->peer_count; i++) {
        struct rp_json *machine = rp_json_add_object(arena, machines, NULL);
        rp_json_add_cstr(arena, machine, "machine", config->peers[i].name);
        struct rp_json *runs = rp_json_add_array(arena, machine, "runs");
        for (unsigned id = 0; id < RP_ROLE_COUNT; id++) {
            if (config->peers[i].runs & (1U << id)) {
                rp_json_add_cstr(arena, runs, NULL, rp_role_name((enum rp_role_id)id));
            }
        }
    }
}

static rp_err write_status(const struct supervisor *supervisor, struct rp_arena *arena,
                           struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_cstr(arena, root, "version", supervisor->version);
    rp_json_add_cstr(arena, root, "state", phase_name(supervisor->phase));
    rp_json_add_u64(arena, root, "pid", (uint64_t)getpid());
    rp_json_add_cstr(arena, root, "since", rp_time_print(supervisor->since_s).s);
    rp_json_add_u64(arena, root, "since_s", (uint64_t)supervisor->since_s);
    rp_json_add_cstr(arena, root, "config", supervisor->daemon.config_file);
    rp_json_add_u64(arena, root, "reloads", supervisor->reload.number);
    add_reload(arena, root, supervisor);
    if (supervisor->certificate_until_s > 0) {
        rp_json_add_u64(arena, root, "certificate_until_s",
                        (uint64_t)supervisor->certificate_until_s);
    }
    struct rp_json *roles = rp_json_add_array(arena, root, "roles");
    for (size_t i = 0; i < CHILDREN; i++) {
        /* One that nobody asked for is nobody's concern. */
        if (supervisor_wants(supervisor, supervisor->children[i].role)) {
            add_role(arena, roles, &supervisor->children[i]);
        }
    }
    supervisor_add_programs(arena, root, supervisor);
    add_elsewhere(arena, root, &supervisor->daemon.config);
    RP_TRY(rp_json_print(root, out));
    return rp_file_replace("run/status.json", 0644, rp_buf_view(out));
}

void supervisor_write_status(struct supervisor *supervisor) {
    struct rp_arena *arena = rp_arena_new(4 * STATUS_MAX);
    struct rp_buf out = rp_buf_new(STATUS_MAX);
    rp_err err = arena ? write_status(supervisor, arena, &out) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        /* The roles go on; only the picture of them is old. */
        rp_ignore(daemon_fail(&supervisor->daemon, err, "run/status.json", NULL));
    }
    rp_buf_done(&out);
    rp_arena_free(arena);
}

/* ---- what has to be looked at now and then ---- */

/* *until_s is brought down to the end of the file's certificate. */
static void look_at_file(const char *file, struct rp_arena *arena, int64_t *until_s) {
    rp_view text = {NULL, 0};
    int64_t ends_s = 0;
    if (rp_ok(rp_file_read(file, CERTIFICATE_MAX, arena, &text)) &&
        rp_ok(rp_x509_not_after(text, &ends_s))) {
        *until_s = RP_MIN(*until_s, ends_s);
    }
}

/* The first to end of those that the gate serves; what cannot be read leaves what was known. */
static void look_at_certificates(struct supervisor *supervisor, struct rp_arena *arena) {
    const struct rp_config *config = &supervisor->daemon.config;
    const char *names[RP_CONFIG_NAMES_MAX];
    size_t count = rp_config_acme_names(config, names);
    int64_t until_s = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        rp_view path = rp_arena_printf(arena, "gate/acme/%s.pem", names[i]);
        if (path.p) {
            look_at_file((const char *)path.p, arena, &until_s);
        }
    }
    if (until_s == INT64_MAX) {
        look_at_file(*config->certificate ? config->certificate : "gate/tls/leaf.pem", arena,
                     &until_s);
    }
    supervisor->certificate_until_s =
        until_s == INT64_MAX ? supervisor->certificate_until_s : until_s;
}

/* A count that the acme role raises with each certificate. */
void supervisor_look_for_certificates(void *ctx) {
    struct supervisor *supervisor = ctx;
    uint64_t issued = 0;
    uint8_t text[32];
    uint64_t size = 0;
    _cleanup_fd_ int fd = -1;
    if (supervisor->phase != PHASE_SERVE || supervisor->renderer.pid != 0 ||
        !*supervisor->daemon.config.acme_directory || !rp_ok(rp_file_open("acme/issued", &fd)) ||
        !rp_ok(rp_file_size(fd, &size)) || size > sizeof text ||
        !rp_ok(rp_file_read_at(fd, 0, text, size)) ||
        !rp_view_to_u64(rp_view_trim(rp_view_of(text, size)), UINT64_MAX, &issued) ||
        issued == supervisor->issued) {
        return;
    }
    supervisor->issued = issued;
    supervisor_render(supervisor);
}

void supervisor_look(void *ctx) {
    struct supervisor *supervisor = ctx;
    struct rp_arena *arena = rp_arena_new(LOOK_ARENA);
    if (supervisor->phase != PHASE_SERVE || !arena) {
        rp_arena_free(arena);
        return;
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &supervisor->children[i];
        child->pss_kib = 0;
        if (child->state == CHILD_READY) {
            child->walls = supervisor_look_at_walls(child->pid);
            supervisor_look_at_programs(child);
        }
        if (child->pid > 0) {
            rp_ignore(rp_process_memory(child->pid, &child->pss_kib)); /* not shown, then */
        }
    }
    look_at_certificates(supervisor, arena);
    rp_arena_free(arena);
    supervisor_write_status(supervisor);
}
