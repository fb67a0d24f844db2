/* open.c — a file of SQLite: made whole, hardened, of the right kind, of its owner. */
#include "store/sqlite/sqlite.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/vfs.h"

enum { VALUE_BYTES_MAX = 16 * 1024 * 1024 };

/* In the file's header: what kind of database this is, before anything else is believed. */
enum { SYSTEM_APPLICATION = 0x52505359 /* "RPSY" */, TENANT_APPLICATION = 0x5250544e /* "RPTN" */ };

static void close_handle(sqlite3 **handle) {
    (void)sqlite3_close(*handle);
    *handle = NULL;
}

static bool is_system(rp_id tenant) {
    return rp_id_is_none(tenant);
}

static rp_err migrate(sqlite3 *handle, const char *file, rp_id tenant, struct rp_diag *diag) {
    if (is_system(tenant)) {
        return rp_migrate(handle, file, rp_migrations_system, rp_migrations_system_count, diag);
    }
    return rp_migrate(handle, file, rp_migrations_tenant, rp_migrations_tenant_count, diag);
}

static int64_t application_of(rp_id tenant) {
    return is_system(tenant) ? SYSTEM_APPLICATION : TENANT_APPLICATION;
}

/* ---- making a file: the whole of it in memory first, so that no half of one is ever seen ---- */

static rp_err insert_owner(sqlite3 *handle, rp_id tenant) {
    char sql[128];
    (void)snprintf(sql, sizeof sql, "INSERT INTO owner VALUES (1, x'%s')", rp_id_print(tenant).s);
    RP_TRY(rp_store_exec(handle, sql));
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id = %lld",
                   (long long)application_of(tenant));
    return rp_store_exec(handle, sql);
}

static rp_err make_image(sqlite3 *handle, const char *file, rp_id tenant, struct rp_diag *diag) {
    RP_TRY(migrate(handle, file, tenant, diag));
    RP_TRY(insert_owner(handle, tenant));
    sqlite3_int64 n = 0;
    uint8_t *image = sqlite3_serialize(handle, "main", &n, 0);
    if (image == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = rp_file_create(file, 0640, rp_view_of(image, (size_t)n));
    sqlite3_free(image);
    /* Another thread of core may have been faster: its file is as good. */
    return rp_file_exists(file) ? RP_OK : err;
}

static rp_err create_file(const char *file, rp_id tenant, struct rp_diag *diag) {
    _cleanup_(close_handle) sqlite3 *handle = NULL;
    int result =
        sqlite3_open_v2(":memory:", &handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK) {
        return rp_store_err(handle, result);
    }
    rp_err err = make_image(handle, file, tenant, diag);
    return rp_ok(err) ? RP_OK : rp_fail(diag, err, "%s: cannot create: %s", file, rp_err_name(err));
}

/* ---- opening ---- */

/* Before the first read: nothing in the file may make the engine do more than read and write. */
static void harden(sqlite3 *handle) {
    static const struct {
        int what, on;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    for (size_t i = 0; i < RP_COUNT_OF(switches); i++) {
        (void)sqlite3_db_config(handle, switches[i].what, switches[i].on, NULL);
    }
    (void)sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    /* 128 connections are open at once: little memory for each. */
    (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_LOOKASIDE, NULL, 256, 64);
    rp_store_wait_for_lock(handle);
    /* An empty -wal and its -shm stay beside a closed file: making and removing them would be most
     * of what opening a tenant costs. */
    int keep_wal = 1;
    (void)sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
}

static rp_err check_kind(sqlite3 *handle, const char *file, rp_id tenant, struct rp_diag *diag) {
    int64_t application = 0;
    rp_err err = rp_store_number(handle, "PRAGMA application_id", &application);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "%s: %s", file, sqlite3_errmsg(handle));
    }
    if (application != application_of(tenant)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: not a %s database of Rempart", file,
                       is_system(tenant) ? "system" : "tenant's");
    }
    return RP_OK;
}

static rp_err set_pragmas(sqlite3 *handle, rp_id tenant) {
    static const char *const pragmas[] = {
        "PRAGMA journal_mode = WAL",  /* readers do not wait for the writer */
        "PRAGMA synchronous = FULL",  /* committed is on the disk */
        "PRAGMA secure_delete = ON",  /* what was deleted is overwritten */
        "PRAGMA mmap_size = 0",       /* an I/O error is an answer, not a signal */
        "PRAGMA temp_store = MEMORY", /* no second file with people's data */
        "PRAGMA cell_size_check = ON", "PRAGMA journal_size_limit = 4194304",
    };
    for (size_t i = 0; i < RP_COUNT_OF(pragmas); i++) {
        RP_TRY(rp_store_exec(handle, pragmas[i]));
    }
    if (!is_system(tenant)) {
        return rp_store_exec(handle, "PRAGMA cache_size = -256");
    }
    /* 32 MB, and as long a file: a log that is cut short grows again under somebody's commit. */
    _Static_assert(RP_DB_LOG_FRAMES == 8000, "as the pragmas say");
    RP_TRY(rp_store_exec(handle, "PRAGMA wal_autocheckpoint = 8000"));
    RP_TRY(rp_store_exec(handle, "PRAGMA journal_size_limit = 33554432"));
    return rp_store_exec(handle, "PRAGMA cache_size = -4096");
}

/*= S67 */ /* a tenant's file that lies where another's should be is refused */
static rp_err check_owner(sqlite3 *handle, const char *file, rp_id tenant, struct rp_diag *diag) {
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM owner WHERE one = 1 AND tenant = x'%s'",
                   rp_id_print(tenant).s);
    int64_t count = 0;
    RP_TRY(rp_store_number(handle, sql, &count));
    return count == 1 ? RP_OK
                      : rp_fail(diag, RP_ERR(CORRUPT), "%s: belongs to another tenant", file);
}

static rp_err prepare(sqlite3 *handle, const char *file, rp_id tenant, struct rp_diag *diag) {
    harden(handle);
    RP_TRY(check_kind(handle, file, tenant, diag));
    /* A newer file is refused before anything is written to it. */
    rp_err err = migrate(handle, file, tenant, diag);
    if (!rp_ok(err)) {
        return err;
    }
    err = set_pragmas(handle, tenant);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "%s: %s", file, sqlite3_errmsg(handle));
    }
    return check_owner(handle, file, tenant, diag);
}

rp_err rp_sqlite_open(const char *file, rp_id tenant, bool create, struct rp_db **ret_db,
                      struct rp_diag *diag) {
    RP_ASSERT(file != NULL && strlen(file) < RP_DB_NAME);
    if (!rp_file_exists(file)) {
        if (!create) {
            return rp_fail(diag, RP_ERR(NOT_FOUND), "%s: not there", file);
        }
        RP_TRY(create_file(file, tenant, diag));
    }
    _cleanup_(close_handle) sqlite3 *handle = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_EXRESCODE;
    const char *vfs = NULL;
    RP_TRY(rp_store_vfs(&vfs));
    int result = sqlite3_open_v2(file, &handle, flags, vfs);
    if (result != SQLITE_OK) {
        return rp_fail(diag, rp_store_err(handle, result), "%s: %s", file, sqlite3_errmsg(handle));
    }
    RP_TRY(prepare(handle, file, tenant, diag));
    struct rp_db *db = NULL;
    RP_TRY(rp_sqlite_wrap(handle, file, tenant, &db));
    handle = NULL; /* db owns it */
    *ret_db = db;
    return RP_OK;
}
