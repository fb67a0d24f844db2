/* programs.c — which programs run, by the digest of their bytes.
 *
 * Of a role: the file that was started; what the process has become since (the gate turns into
 * nginx); and nginx's module. /proc/PID/exe is the file that the kernel runs, also when another
 * lies at its place by now; where the kernel does not show it, what was started has to do.
 */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "supervisor.h"

enum { MAPS_MAX = 1 << 20, MAPS_ARENA = 2 * MAPS_MAX };

#define MODULE "ngx_http_rempart_module.so"

struct program supervisor_program_at(const char *path, const char *name) {
    struct program program = {.known = false};
    const char *slash = strrchr(name, '/');
    _cleanup_fd_ int fd = -1;
    (void)snprintf(program.name, sizeof program.name, "%s", slash ? slash + 1 : name);
    program.known = rp_ok(rp_file_open(path, &fd)) && rp_ok(rp_sha256_of_fd(fd, &program.sha256));
    return program;
}

/* Where the module lies that the process has mapped; in the arena, NULL when none is to be seen. */
static const char *find_module(pid_t pid, struct rp_arena *arena) {
    char path[64];
    rp_view maps = {NULL, 0};
    (void)snprintf(path, sizeof path, "/proc/%d/maps", pid);
    if (!rp_ok(rp_file_read(path, MAPS_MAX, arena, &maps))) {
        return NULL;
    }
    while (maps.p) {
        rp_view line = rp_view_cut(&maps, '\n');
        size_t at = rp_view_find_byte(line, '/');
        if (at < line.n && rp_view_find(line, RP_VIEW("/" MODULE)) < line.n) {
            return rp_arena_cstr(arena, rp_view_from(line, at));
        }
    }
    return NULL;
}

static void look_at_module(struct child *child) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(MAPS_ARENA);
    const char *path = arena ? find_module(child->pid, arena) : NULL;
    child->programs[PROGRAM_MODULE] =
        path ? supervisor_program_at(path, MODULE) : (struct program){.name = MODULE};
}

void supervisor_look_at_programs(struct child *child) {
    char path[64], link[PATH_MAX];
    (void)snprintf(path, sizeof path, "/proc/%d/exe", child->pid);
    ssize_t n = readlink(path, link, sizeof link - 1);
    if (n <= 0) {
        return; /* another user's, and the kernel does not show it to us */
    }
    link[n] = '\0';
    struct rp_sha256 seen =
        rp_sha256_of2(rp_view_of(&child->pid, sizeof child->pid), rp_view_of(link, (size_t)n));
    if (rp_sha256_equal(&seen, &child->program_seen)) {
        return; /* looked at already */
    }
    child->program_seen = seen;
    child->programs[PROGRAM_BECAME] = supervisor_program_at(path, link);
    if (child->role == RP_ROLE_GATE) {
        look_at_module(child);
    }
}

static void add_program(struct rp_arena *arena, struct rp_json *list, const char *role,
                        const struct program *program) {
    char hex[2 * RP_SHA256];
    rp_hex_print(rp_view_of(program->sha256.b, RP_SHA256), hex);
    struct rp_json *json = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, json, "role", role);
    rp_json_add_cstr(arena, json, "name", program->name);
    if (program->known) {
        rp_json_add_string(arena, json, "sha256", rp_view_of(hex, sizeof hex));
    } else {
        rp_json_add_null(arena, json, "sha256");
    }
}

static bool same(const struct program *a, const struct program *b) {
    return a->known && b->known && rp_sha256_equal(&a->sha256, &b->sha256);
}

void supervisor_add_programs(struct rp_arena *arena, struct rp_json *root,
                             const struct supervisor *supervisor) {
    struct rp_json *list = rp_json_add_array(arena, root, "programs");
    add_program(arena, list, "supervisor", &supervisor->program);
    for (size_t i = 0; i < CHILDREN; i++) {
        const struct child *child = &supervisor->children[i];
        for (size_t p = 0; child->pid > 0 && p < PROGRAM_COUNT; p++) {
            const struct program *program = &child->programs[p];
            bool repeats = p == PROGRAM_BECAME && same(program, &child->programs[PROGRAM_STARTED]);
            if (program->name[0] != '\0' && !repeats) {
                add_program(arena, list, rp_role_name(child->role), program);
            }
        }
    }
}
