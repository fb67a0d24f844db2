/* files.c — every file below a folder, one after the other. */
#include <stdio.h>

#include "base/checked.h"
#include "hunt.h"
#include "os/file.h"

enum { DEPTH_MAX = 8 };

struct walking {
    hunt_look *look;
    void *ctx;
    char path[512];
    unsigned depth;
    bool concluded;
};

static rp_err walk_entry(void *ctx, const char *name, bool is_folder) {
    struct walking *walking = ctx;
    if (walking->concluded) {
        return RP_OK;
    }
    size_t n = strlen(walking->path);
    int added = snprintf(walking->path + n, sizeof walking->path - n, "/%s", name);
    rp_err err = RP_OK;
    if (added < 0 || (size_t)added >= sizeof walking->path - n || walking->depth >= DEPTH_MAX) {
        err = RP_ERR(TOO_LARGE);
    } else if (is_folder) {
        walking->depth++;
        err = rp_folder_each(walking->path, walk_entry, walking);
        walking->depth--;
    } else {
        walking->concluded = !walking->look(walking->ctx, walking->path);
    }
    walking->path[n] = 0;
    return err;
}

rp_err hunt_each_file(const char *folder, hunt_look *look, void *ctx) {
    struct walking walking = {.look = look, .ctx = ctx};
    (void)snprintf(walking.path, sizeof walking.path, "%s", folder);
    rp_err err = rp_folder_each(walking.path, walk_entry, &walking);
    return walking.concluded || rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}
