/* snapshot.c — SQLite's online backup of a file. */
#include "store/sqlite/sqlite.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/batch.h"
#include "os/file.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/vfs.h"

enum { BUSY_MS = 2000 };

struct rp_sqlite_snapshot {
    sqlite3 *from, *to;
    sqlite3_backup *backup;
    char target[RP_DB_NAME];
    bool whole;
};

static rp_err open_one(const char *file, int flags, sqlite3 **ret_handle) {
    const char *vfs = NULL;
    RP_TRY(rp_store_vfs(&vfs));
    int result = sqlite3_open_v2(file, ret_handle,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                     SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE | flags,
                                 vfs);
    if (result == SQLITE_OK) {
        (void)sqlite3_busy_timeout(*ret_handle, BUSY_MS);
    }
    return result == SQLITE_OK ? RP_OK : rp_store_err(*ret_handle, result);
}

/* What the reader sees from here on stays as it is now. The -wal stays beside the file, as core's
 * own connections keep it. */
static rp_err stand_still(sqlite3 *from) {
    int keep_wal = 1;
    int64_t tables = 0;
    (void)sqlite3_file_control(from, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
    RP_TRY(rp_store_exec(from, "BEGIN"));
    return rp_store_number(from, "SELECT count(*) FROM sqlite_schema", &tables);
}

static rp_err start(struct rp_sqlite_snapshot *snapshot, const char *file) {
    RP_TRY(open_one(file, 0, &snapshot->from));
    RP_TRY(stand_still(snapshot->from));
    RP_TRY(rp_file_remove(snapshot->target));
    RP_TRY(open_one(snapshot->target, SQLITE_OPEN_CREATE, &snapshot->to));
    /* The copy is read again at once, and gone after; a crash leaves one that nobody believes. */
    RP_TRY(rp_store_exec(snapshot->to, "PRAGMA synchronous = OFF"));
    snapshot->backup = sqlite3_backup_init(snapshot->to, "main", snapshot->from, "main");
    return snapshot->backup ? RP_OK : rp_store_err(snapshot->to, sqlite3_errcode(snapshot->to));
}

rp_err rp_sqlite_snapshot_start(rp_id tenant, const char *target,
                                struct rp_sqlite_snapshot **ret_snapshot, struct rp_diag *diag) {
    char file[RP_DB_NAME] = "db/system.db";
    if (!rp_id_is_none(tenant)) {
        struct rp_id_text hex = rp_id_print(tenant);
        (void)snprintf(file, sizeof file, "tenants/%.2s/%.2s/%s.db", hex.s, hex.s + 2, hex.s);
    }
    if (!rp_file_exists(file)) {
        return rp_fail(diag, RP_ERR(NOT_FOUND), "%s: not there", file);
    }
    struct rp_sqlite_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot) {
        return RP_ERR(NO_MEMORY);
    }
    int n = snprintf(snapshot->target, sizeof snapshot->target, "%s", target);
    RP_ASSERT(n > 0 && (size_t)n < sizeof snapshot->target);
    rp_err err = start(snapshot, file);
    if (!rp_ok(err)) {
        rp_sqlite_snapshot_free(snapshot);
        return rp_fail(diag, err, "%s", file);
    }
    *ret_snapshot = snapshot;
    return RP_OK;
}

rp_err rp_sqlite_snapshot_step(struct rp_sqlite_snapshot *snapshot, int pages, uint64_t *ret_left,
                               struct rp_diag *diag) {
    RP_ASSERT(pages > 0 && !snapshot->whole);
    int result = sqlite3_backup_step(snapshot->backup, pages);
    if (result != SQLITE_OK && result != SQLITE_DONE) {
        return rp_fail(diag, rp_store_err(snapshot->to, result), "%s", snapshot->target);
    }
    if (result == SQLITE_DONE) {
        result = sqlite3_backup_finish(rp_take(&snapshot->backup));
        if (result != SQLITE_OK) {
            return rp_fail(diag, rp_store_err(snapshot->to, result), "%s", snapshot->target);
        }
        snapshot->whole = true;
        *ret_left = 0;
        return RP_OK;
    }
    int left = sqlite3_backup_remaining(snapshot->backup);
    *ret_left = left > 0 ? (uint64_t)left : 1;
    return RP_OK;
}

void rp_sqlite_snapshot_free(struct rp_sqlite_snapshot *snapshot) {
    if (snapshot) {
        (void)sqlite3_backup_finish(snapshot->backup);
        (void)sqlite3_close(snapshot->to);
        (void)sqlite3_close(snapshot->from);
        if (!snapshot->whole) {
            rp_ignore(rp_file_remove(snapshot->target)); /* the next one makes it anew */
        }
        free(snapshot);
    }
}

/* ---- a copy in one go ---- */

static rp_err copy_into(sqlite3 *handle, const char *target) {
    sqlite3 *to = NULL;
    rp_err err = open_one(target, SQLITE_OPEN_CREATE, &to);
    sqlite3_backup *backup = rp_ok(err) ? sqlite3_backup_init(to, "main", handle, "main") : NULL;
    if (rp_ok(err)) {
        int result = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(to);
        err = result == SQLITE_DONE ? RP_OK : rp_store_err(to, result);
        int finished = sqlite3_backup_finish(backup);
        if (rp_ok(err) && finished != SQLITE_OK) {
            err = rp_store_err(to, finished);
        }
    }
    (void)sqlite3_close(to);
    return err;
}

static rp_err sync_file(const char *path) {
    _cleanup_fd_ int fd = -1;
    RP_TRY(rp_file_open(path, &fd));
    return rp_file_sync(fd);
}

rp_err rp_store_copy(sqlite3 *handle, const char *target) {
    char temporary[RP_DB_NAME + 8];
    int n = snprintf(temporary, sizeof temporary, "%s.tmp", target);
    RP_ASSERT(n > 0 && (size_t)n < sizeof temporary);
    RP_TRY(rp_file_remove(temporary));
    rp_err err = copy_into(handle, temporary);
    if (rp_ok(err)) {
        err = sync_file(temporary);
    }
    if (rp_ok(err)) {
        err = rp_batch_rename(temporary, target);
    }
    if (!rp_ok(err)) {
        rp_ignore(rp_file_remove(temporary)); /* the failure was another */
    }
    return err;
}
