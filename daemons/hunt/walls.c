/* walls.c — does the kernel hold each role in the walls that its row of the role table says?
 *
 * The supervisor reads the kernel's word (daemons/rempartd/walls.c); here it is held against what
 * each role should be. The gate is left out: its master is Debian's nginx, and its workers enter
 * walls of their own.
 */
#include "base/checked.h"
#include "hunt.h"
#include "os/file.h"
#include "os/role.h"
#include "wire/json.h"

enum { STATUS_FILE_MAX = 64 * 1024, ARENA_BYTES = 1 << 20 };

static bool flag(const struct rp_json *kernel, const char *name) {
    bool value = false;
    return rp_json_get_bool(kernel, name, &value) && value;
}

/* NULL: as it should be. */
static const char *what_lacks(const struct rp_json *kernel) {
    bool privileged = true;
    if (!rp_json_get_bool(kernel, "privileged", &privileged) || privileged) {
        return RP_WORDS("runs as root, or with a capability");
    }
    if (!flag(kernel, "no_new_privs")) {
        return RP_WORDS("could gain privileges by starting a program");
    }
    return flag(kernel, "filtered") ? NULL : RP_WORDS("has no filter of system calls");
}

static bool is_own_user(rp_view role, const struct rp_json *kernel) {
    uint64_t uid = 0;
    for (enum rp_role_id id = RP_ROLE_LEDGER; id < RP_ROLE_COUNT; id++) {
        uid_t own;
        gid_t group;
        if (rp_view_equal(role, rp_view_from_cstr(rp_role_name(id)))) {
            return rp_ok(rp_role_uid(id, &own, &group)) && rp_json_get_u64(kernel, "uid", &uid) &&
                   uid == own;
        }
    }
    return false;
}

/* False: it has concluded. */
static bool judge(const struct hunt *hunt, const struct rp_json *role,
                  struct rp_observation *seen) {
    rp_view name = rp_json_get_string(role, "name");
    const struct rp_json *kernel = rp_json_get(role, "kernel");
    if (!kernel || kernel->kind != RP_JSON_OBJECT) {
        rp_probe_unsure(seen, "the kernel's word on %.*s is not known", RP_FMT(name));
        return false;
    }
    const char *lacks = what_lacks(kernel);
    bool own_users = hunt->sockets.role_count > 0;
    if (!lacks && own_users && !is_own_user(name, kernel)) {
        lacks = RP_WORDS("does not run as its own user");
    }
    if (lacks) {
        rp_probe_broken(seen, "%.*s %s", RP_FMT(name), lacks);
        return false;
    }
    return true;
}

/*= S105 */
void hunt_roles_walled(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_json *status = NULL;
    rp_view text = {NULL, 0};
    unsigned count = 0;
    if (!arena || !rp_ok(rp_file_read("run/status.json", STATUS_FILE_MAX, arena, &text)) ||
        !rp_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &status, NULL))) {
        rp_probe_unsure(seen, "run/status.json cannot be read");
        return;
    }
    const struct rp_json *roles = rp_json_get(status, "roles");
    for (const struct rp_json *role = roles ? roles->first : NULL; role; role = role->next) {
        bool runs = rp_view_equal(rp_json_get_string(role, "state"), RP_VIEW("ready"));
        if (!runs || rp_view_equal(rp_json_get_string(role, "name"), RP_VIEW("gate"))) {
            continue;
        }
        if (!judge(hunt, role, seen)) {
            return;
        }
        count++;
    }
    if (count == 0) {
        rp_probe_unsure(seen, "no role is ready");
    } else if (hunt->sockets.role_count == 0) {
        rp_probe_not_met(seen,
                         "%u roles have no privilege and their calls are filtered, but they "
                         "share one user: the suite was started without root",
                         count);
    } else {
        rp_probe_holds(seen,
                       "%u roles, each with a user of its own, no privilege, no way to one, "
                       "and its system calls filtered",
                       count);
    }
}
