/* folders.c — the state folder: each role's part belongs to its user, and to nobody else. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ipc/table.h"
#include "os/file.h"
#include "supervisor.h"

/* The group reads what its members must; the keys' folder is the exception: the role alone. New
 * files take the folder's group (02000). The tokens are the applications' group's to read, so that
 * an application needs no membership that opens a database. */
static const struct {
    const char *path;
    enum rp_role_id owner;
    mode_t mode;
} folders[] = {
    {"ledger", RP_ROLE_LEDGER, 02755},
    {"kms", RP_ROLE_KMS, 0700},
    {"db", RP_ROLE_CORE, 02750},
    {"tenants", RP_ROLE_CORE, 02750},
    {"apps", RP_ROLE_CORE, 02750},
    {"canary", RP_ROLE_CORE, 02750},
    {"gate", RP_ROLE_SUPERVISOR, 0755},
    {"log", RP_ROLE_GATE, 02750},
    {"probe", RP_ROLE_PROBE, 02750},
    {"hunt", RP_ROLE_HUNT, 02750},
    {"courier", RP_ROLE_COURIER, 0700},
    {"waf", RP_ROLE_GATE, 02750},
    {"gate/acme", RP_ROLE_SUPERVISOR, 0755},
    {"acme", RP_ROLE_ACME, 02750},
    {"acme/challenges", RP_ROLE_ACME, 02755},
    {"vault", RP_ROLE_VAULT, 0750},
    {"witness", RP_ROLE_WITNESS, 02750},
};

/* All roles meet in run/: the group may create there, but only an owner may remove (01000), so
 * that no role can take another's socket away and stand in its place. */
enum { RUN_MODE = 03775, RUN_MODE_ALONE = 0755 };

static rp_err own(const char *path, enum rp_role_id owner, mode_t mode) {
    uid_t uid = (uid_t)-1;
    gid_t gid = (gid_t)-1, unused;
    if (geteuid() == 0) {
        RP_TRY(rp_role_uid(owner, &uid, &unused));
        RP_TRY(strcmp(path, "apps") == 0 ? rp_role_app_group(&gid) : rp_role_group(&gid));
    }
    return rp_folder_own(path, uid, gid, mode);
}

/* A name for this installation's run folder that is the same at every start (FNV-1a). */
static uint64_t name_hash(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) {
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    }
    return hash;
}

/* Anybody may create names under /dev/shm, so an existing one must be a folder of our own. */
static bool is_our_folder(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

/* The folder on tmpfs; false where there is none to be had, and run/ lies on the disk. */
static bool make_on_tmpfs(const char *state, char out[static PATH_MAX]) {
    snprintf(out, PATH_MAX, "/dev/shm/rempart-%016llx", (unsigned long long)name_hash(state));
    bool made = mkdir(out, 0700) == 0 || errno == EEXIST;
    return made && is_our_folder(out);
}

static bool is_plain_folder(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static rp_err make_run(const struct supervisor *supervisor) {
    char target[PATH_MAX];
    if (!is_plain_folder("run") && make_on_tmpfs(supervisor->state, target)) {
        RP_TRY(rp_file_link_to("run", target));
    } else {
        RP_TRY(rp_folder_make("run", 0755));
    }
    return own("run", RP_ROLE_SUPERVISOR, geteuid() == 0 ? RUN_MODE : RUN_MODE_ALONE);
}

/* A role that runs on another machine has nothing to keep here, and what lies here of it stays as
 * it is, for somebody to move. */
static bool is_needed(const struct daemon *daemon, enum rp_role_id owner) {
    return owner == RP_ROLE_SUPERVISOR || rp_config_runs_here(&daemon->config, owner);
}

/* What an earlier start left: nobody listens there, and the next to listen may be another role's
 * user, who could not take it away. */
static rp_err remove_sockets(void) {
    for (unsigned id = 0; id < RP_ROLE_COUNT; id++) {
        const char *path = rp_ipc_socket_of((enum rp_role_id)id);
        RP_TRY(path ? rp_file_remove(path) : RP_OK);
    }
    return RP_OK;
}

rp_err supervisor_make_folders(struct supervisor *supervisor) {
    const struct daemon *daemon = &supervisor->daemon;
    rp_err err = own(".", RP_ROLE_SUPERVISOR, 0755);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, supervisor->state, NULL);
    }
    for (size_t i = 0; i < RP_COUNT_OF(folders); i++) {
        if (!is_needed(daemon, folders[i].owner)) {
            continue;
        }
        err = rp_folder_make(folders[i].path, 0700);
        if (rp_ok(err)) {
            err = own(folders[i].path, folders[i].owner, folders[i].mode);
        }
        if (!rp_ok(err)) {
            return daemon_fail(daemon, err, folders[i].path, NULL);
        }
    }
    err = make_run(supervisor);
    if (rp_ok(err)) {
        err = remove_sockets();
    }
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "run", NULL);
}
