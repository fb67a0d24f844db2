#include "store/remove.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "os/batch.h"
#include "os/file.h"

struct removing {
    char folder[PATH_MAX]; /* grows and shrinks while its folders are walked */
    rp_view prefix;        /* of the names that go; empty = all */
    struct rp_removed removed;
};

static rp_err remove_entry(void *ctx, const char *name, bool is_folder);

static rp_err remove_file(struct removing *removing) {
    struct stat st;
    if (lstat(removing->folder, &st) == 0) {
        removing->removed.files++;
        removing->removed.bytes += (uint64_t)st.st_size;
    }
    return rp_file_remove(removing->folder);
}

static rp_err remove_folder(struct removing *removing) {
    rp_view prefix = removing->prefix;
    removing->prefix = (rp_view){NULL, 0};
    rp_err err = rp_folder_each(removing->folder, remove_entry, removing);
    removing->prefix = prefix;
    return rp_ok(err) ? rp_folder_remove(removing->folder) : err;
}

static rp_err remove_entry(void *ctx, const char *name, bool is_folder) {
    struct removing *removing = ctx;
    if (removing->prefix.n > 0 && !rp_view_starts(rp_view_from_cstr(name), removing->prefix)) {
        return RP_OK;
    }
    size_t n = strlen(removing->folder);
    int added = snprintf(removing->folder + n, sizeof removing->folder - n, "/%s", name);
    rp_err err = RP_ERR(TOO_LARGE);
    if (added > 0 && (size_t)added < sizeof removing->folder - n) {
        err = is_folder ? remove_folder(removing) : remove_file(removing);
    }
    removing->folder[n] = 0;
    return err;
}

rp_err rp_store_remove_tenant(struct rp_store *store, rp_id tenant,
                              struct rp_removed *ret_removed) {
    RP_ASSERT(!rp_id_is_none(tenant));
    struct rp_id_text hex = rp_id_print(tenant);
    struct removing removing = {.prefix = rp_view_from_cstr(hex.s)};
    (void)snprintf(removing.folder, sizeof removing.folder, "tenants/%.2s/%.2s", hex.s, hex.s + 2);
    rp_store_forget(store, tenant);
    RP_TRY(rp_store_remove_rows(store, tenant, &removing.removed.rows));
    rp_err err = rp_folder_each(removing.folder, remove_entry, &removing);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        err = RP_OK;
    } else if (rp_ok(err)) {
        err = rp_folder_sync(removing.folder);
    }
    RP_TRY(err);
    *ret_removed = removing.removed;
    return RP_OK;
}
