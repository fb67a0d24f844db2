/* backup_folder.c — a whole folder at once: removed, or given to the roles it is for. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "backup.h"
#include "base/checked.h"
#include "os/batch.h"
#include "os/file.h"
#include "os/role.h"

/* ---- all that is in a folder, what lies deepest first ---- */

struct below {
    rp_err (*each)(void *ctx, const char *path, bool is_folder);
    void *ctx;
    char path[PATH_MAX];
};

static rp_err visit(void *ctx, const char *name, bool is_folder) {
    struct below *below = ctx;
    size_t n = strlen(below->path);
    int added = snprintf(below->path + n, sizeof below->path - n, "/%s", name);
    rp_err err = added > 0 && (size_t)added < sizeof below->path - n ? RP_OK : RP_ERR(TOO_LARGE);
    if (rp_ok(err) && is_folder) {
        err = rp_folder_each(below->path, visit, below);
    }
    if (rp_ok(err)) {
        err = below->each(below->ctx, below->path, is_folder);
    }
    below->path[n] = 0;
    return err;
}

static rp_err each_below(const char *folder,
                         rp_err (*each)(void *ctx, const char *path, bool is_folder), void *ctx) {
    struct below below = {.each = each, .ctx = ctx};
    if (strlen(folder) >= sizeof below.path) {
        return RP_ERR(TOO_LARGE);
    }
    memcpy(below.path, folder, strlen(folder) + 1);
    return rp_folder_each(folder, visit, &below);
}

static rp_err remove_one(void *ctx, const char *path, bool is_folder) {
    (void)ctx;
    return is_folder ? rp_folder_remove(path) : rp_file_remove(path);
}

rp_err backup_folder_remove(const char *path) {
    rp_err err = each_below(path, remove_one, NULL);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK;
    }
    return rp_ok(err) ? rp_folder_remove(path) : err;
}

/* ---- owners: what the supervisor gives to each role's folder, for what is in it ---- */

struct owner {
    uid_t uid;
    gid_t gid;
};

static rp_err own_one(void *ctx, const char *path, bool is_folder) {
    const struct owner *owner = ctx;
    (void)is_folder;
    return lchown(path, owner->uid, owner->gid) == 0 ? RP_OK : RP_ERR(DENIED);
}

rp_err backup_folder_give_to_roles(void) {
    static const struct {
        const char *folder;
        enum rp_role_id role;
    } owners[] = {
        {"ledger", RP_ROLE_LEDGER}, {"kms", RP_ROLE_KMS},        {"db", RP_ROLE_CORE},
        {"tenants", RP_ROLE_CORE},  {"apps", RP_ROLE_CORE},      {"canary", RP_ROLE_CORE},
        {"probe", RP_ROLE_PROBE},   {"hunt", RP_ROLE_HUNT},      {"courier", RP_ROLE_COURIER},
        {"acme", RP_ROLE_ACME},     {"witness", RP_ROLE_WITNESS}};
    if (geteuid() != 0) {
        return RP_OK; /* one user owns it all */
    }
    for (size_t i = 0; i < RP_COUNT_OF(owners); i++) {
        struct owner owner = {.uid = 0};
        gid_t unused;
        RP_TRY(rp_role_uid(owners[i].role, &owner.uid, &unused));
        RP_TRY(strcmp(owners[i].folder, "apps") == 0 ? rp_role_app_group(&owner.gid)
                                                     : rp_role_group(&owner.gid));
        rp_err err = each_below(owners[i].folder, own_one, &owner);
        if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
    }
    return RP_OK;
}
