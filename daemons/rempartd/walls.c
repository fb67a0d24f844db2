/* walls.c — what the kernel says of a role: who it is, what it may, whether its calls are filtered.
 *
 * A role tells us its isolation itself when it is ready; a program that was exchanged for another
 * would tell the same. /proc/PID/status is the kernel's own word (proc(5)).
 */
#include <stdio.h>

#include "base/checked.h"
#include "os/file.h"
#include "supervisor.h"

enum { STATUS_FILE_MAX = 16 * 1024, ARENA = 2 * STATUS_FILE_MAX, FILTERS = 2 };

/* What stands behind "Name:\t"; p == NULL when no line begins so. */
static rp_view field_of(rp_view text, const char *name) {
    rp_view wanted = rp_view_from_cstr(name);
    while (text.p) {
        rp_view line = rp_view_cut(&text, '\n');
        if (rp_view_starts(line, wanted)) {
            return rp_view_trim(rp_view_from(line, wanted.n));
        }
    }
    return (rp_view){NULL, 0};
}

static bool is_number(rp_view field, uint64_t wanted) {
    uint64_t value = 0;
    return rp_view_to_u64(field, UINT32_MAX, &value) && value == wanted;
}

/* Real, effective, saved and of files: the first is told when all are the same, and root is in
 * none. */
static bool read_uid(rp_view field, uint32_t *ret_uid) {
    uint64_t first = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t uid = 0;
        if (!rp_view_to_u64(rp_view_cut(&field, '\t'), UINT32_MAX, &uid) || uid == 0 ||
            (i > 0 && uid != first)) {
            return false;
        }
        first = uid;
    }
    *ret_uid = (uint32_t)first;
    return true;
}

static bool has_none(rp_view capabilities) {
    for (size_t i = 0; i < capabilities.n; i++) {
        if (capabilities.p[i] != '0') {
            return false;
        }
    }
    return capabilities.n > 0;
}

struct walls supervisor_look_at_walls(pid_t pid) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA);
    struct walls walls = {.known = false};
    rp_view text = {NULL, 0};
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (pid <= 0 || !arena || !rp_ok(rp_file_read(path, STATUS_FILE_MAX, arena, &text))) {
        return walls;
    }
    bool one_user = read_uid(field_of(text, "Uid:"), &walls.uid);
    walls.privileged = !one_user || !has_none(field_of(text, "CapPrm:")) ||
                       !has_none(field_of(text, "CapEff:")) || !has_none(field_of(text, "CapAmb:"));
    walls.no_new_privs = is_number(field_of(text, "NoNewPrivs:"), 1);
    walls.filtered = is_number(field_of(text, "Seccomp:"), FILTERS);
    walls.known = true;
    return walls;
}
