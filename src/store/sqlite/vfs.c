#include "store/sqlite/vfs.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/assert.h"

static const char vfs_name[] = "rempart";

static int keep_name(sqlite3_vfs *vfs, const char *name, int out_max, char *out) {
    (void)vfs;
    size_t n = strlen(name) + 1;
    RP_ASSERT(out_max > 0);
    if (n > (size_t)out_max) {
        return SQLITE_CANTOPEN;
    }
    memcpy(out, name, n);
    return SQLITE_OK;
}

/* SQLite keeps the list of layers as long as the process lives, and ours in it. Two threads that
 * come at once register two equal ones, of which one is used. */
rp_err rp_store_vfs(const char **ret_name) {
    if (sqlite3_vfs_find(vfs_name) == NULL) {
        const sqlite3_vfs *unix_vfs = sqlite3_vfs_find("unix");
        if (unix_vfs == NULL) {
            return RP_ERR(SYSTEM);
        }
        sqlite3_vfs *vfs = malloc(sizeof *vfs);
        if (vfs == NULL) {
            return RP_ERR(NO_MEMORY);
        }
        *vfs = *unix_vfs;
        vfs->pNext = NULL;
        vfs->zName = vfs_name;
        vfs->xFullPathname = keep_name;
        if (sqlite3_vfs_register(vfs, 0) != SQLITE_OK) {
            free(vfs);
            return RP_ERR(SYSTEM);
        }
    }
    *ret_name = vfs_name;
    return RP_OK;
}
