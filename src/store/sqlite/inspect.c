/* inspect.c — SQLite's files, read without a right to write. */
#include "store/inspect.h"

#include <stdio.h>

#include "base/assert.h"
#include "os/file.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/vfs.h"

enum { PATH_MAX_HERE = 128, INSPECT_BUSY_MS = 500 };

/* A database that core has open has a -wal beside it, and is read through it. One that is closed
 * is whole in itself, and "immutable" lets it be read without the right to make that -wal. */
static void make_uri(const char *file, char *out, size_t n) {
    char wal[PATH_MAX_HERE];
    (void)snprintf(wal, sizeof wal, "%s-wal", file);
    (void)snprintf(out, n, "file:%s?mode=ro%s", file, rp_file_exists(wal) ? "" : "&immutable=1");
}

rp_err rp_inspect_open(const char *file, struct rp_db **ret_db) {
    RP_ASSERT(file != NULL && strlen(file) < RP_DB_NAME && strchr(file, '?') == NULL);
    const char *vfs = NULL;
    RP_TRY(rp_store_vfs(&vfs));
    char uri[PATH_MAX_HERE * 2];
    make_uri(file, uri, sizeof uri);
    sqlite3 *handle = NULL;
    int result = sqlite3_open_v2(
        uri, &handle,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
    rp_err err = result == SQLITE_OK ? RP_OK : rp_store_err(handle, result);
    if (rp_ok(err)) {
        (void)sqlite3_busy_timeout(handle, INSPECT_BUSY_MS);
        err = rp_store_exec(handle, "PRAGMA query_only = ON");
    }
    if (rp_ok(err)) {
        static const rp_id none;
        err = rp_sqlite_wrap(handle, file, none, ret_db);
    }
    if (!rp_ok(err)) {
        (void)sqlite3_close(handle);
    }
    return err;
}

struct walk {
    rp_err (*each)(void *ctx, const struct rp_inspected *one);
    void *ctx;
    char path[PATH_MAX_HERE];
    unsigned depth;
};

static rp_err walk_folder(struct walk *walk);

static rp_err look_at(const struct walk *walk, rp_id tenant) {
    struct rp_inspected one = {.name = walk->path, .tenant = tenant};
    one.err = rp_inspect_open(walk->path, &one.db);
    rp_err err = walk->each(walk->ctx, &one);
    rp_inspect_close(one.db);
    return err;
}

static rp_err walk_entry(void *ctx, const char *name, bool is_folder) {
    struct walk *walk = ctx;
    size_t n = strlen(walk->path);
    int added = snprintf(walk->path + n, sizeof walk->path - n, "/%s", name);
    rp_err err = RP_OK;
    if (added < 0 || (size_t)added >= sizeof walk->path - n) {
        err = RP_ERR(TOO_LARGE);
    } else if (is_folder && rp_view_ends(rp_view_from_cstr(name), RP_VIEW(".files"))) {
        err = RP_OK; /* sealed files, beside their tenant's database */
    } else if (is_folder) {
        err = walk_folder(walk);
    } else if (rp_view_ends(rp_view_from_cstr(name), RP_VIEW(".db"))) {
        rp_id tenant = {{0}};
        rp_view stem = rp_view_sub(rp_view_from_cstr(name), 0, strlen(name) - 3);
        (void)rp_id_parse(stem, &tenant); /* none: the caller is told by that */
        err = look_at(walk, tenant);
    }
    walk->path[n] = 0;
    return err;
}

static rp_err walk_folder(struct walk *walk) {
    if (walk->depth == 3) {
        return RP_ERR(CORRUPT); /* tenants/ab/cd/<id>.db, never deeper */
    }
    walk->depth++;
    rp_err err = rp_folder_each(walk->path, walk_entry, walk);
    walk->depth--;
    return err;
}

rp_err rp_sqlite_inspect_each(rp_err (*each)(void *ctx, const struct rp_inspected *one),
                              void *ctx) {
    struct walk walk = {.each = each, .ctx = ctx, .path = "tenants"};
    return walk_folder(&walk);
}
