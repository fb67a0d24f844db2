#include "store/sqlite/migrate.h"

#include <stdio.h>

#include "base/assert.h"
#include "os/file.h"
#include "store/sqlite/sqlite.h"

static rp_err check_version(const char *file, int64_t version, size_t count, struct rp_diag *diag) {
    if (version < 0) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: version %lld", file, (long long)version);
    }
    if ((uint64_t)version > count) {
        return rp_fail(diag, RP_ERR(EXISTS_NEWER),
                       "%s: written by a newer version (%lld; this program knows up to %zu)", file,
                       (long long)version, count);
    }
    return RP_OK;
}

static rp_err set_version(sqlite3 *handle, size_t version) {
    char sql[64];
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %zu", version);
    return rp_store_exec(handle, sql);
}

/* Inside the transaction: another process may have been faster. */
static rp_err run_steps(sqlite3 *handle, const char *file, const struct rp_migration *steps,
                        size_t count, struct rp_diag *diag) {
    int64_t version = 0;
    RP_TRY(rp_store_number(handle, "PRAGMA user_version", &version));
    RP_TRY(check_version(file, version, count, diag));
    for (size_t i = (size_t)version; i < count; i++) {
        rp_err err = rp_store_exec(handle, steps[i].sql);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "%s: %s: %s", file, steps[i].name, sqlite3_errmsg(handle));
        }
    }
    return set_version(handle, count);
}

/* FILE.v3: the file as version 3 left it. It is the way back, until the next change of version. */
static rp_err keep_old(sqlite3 *handle, const char *file, int64_t version, struct rp_diag *diag) {
    char name[RP_DB_NAME];
    int n = snprintf(name, sizeof name, "%s.v%lld", file, (long long)version);
    if (n < 0 || (size_t)n >= sizeof name) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "%s: its name is too long", file);
    }
    rp_err err = rp_store_copy(handle, name);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "%s: the copy before the change of version", name);
    }
    for (int64_t old = 1; old < version; old++) {
        (void)snprintf(name, sizeof name, "%s.v%lld", file, (long long)old);
        rp_ignore(rp_file_remove(name)); /* one too many is no harm */
    }
    return RP_OK;
}

rp_err rp_migrate(sqlite3 *handle, const char *file, const struct rp_migration *steps, size_t count,
                  struct rp_diag *diag) {
    RP_ASSERT(handle != NULL && steps != NULL && count > 0);
    RP_ASSERT(sqlite3_get_autocommit(handle));
    int64_t version = 0;
    rp_err err = rp_store_number(handle, "PRAGMA user_version", &version);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "%s: %s", file, sqlite3_errmsg(handle));
    }
    RP_TRY(check_version(file, version, count, diag));
    if ((uint64_t)version == count) {
        return RP_OK;
    }
    if (version > 0) {
        RP_TRY(keep_old(handle, file, version, diag));
    }
    RP_TRY(rp_store_exec(handle, "BEGIN IMMEDIATE"));
    err = run_steps(handle, file, steps, count, diag);
    if (rp_ok(err)) {
        err = rp_store_exec(handle, "COMMIT");
    }
    if (!rp_ok(err) && !sqlite3_get_autocommit(handle)) {
        rp_ignore(rp_store_exec(handle, "ROLLBACK")); /* the first error is the one to tell */
    }
    return err;
}
