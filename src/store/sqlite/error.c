#include "store/sqlite/sqlite.h"

#include <errno.h>

#include "base/assert.h"

static rp_err from_system(sqlite3 *handle) {
    int number = handle ? sqlite3_system_errno(handle) : 0;
    if (number == 0) {
        return RP_ERR(IO);
    }
    return rp_err_from_errno(number);
}

rp_err rp_store_err(sqlite3 *handle, int result) {
    RP_ASSERT(result != SQLITE_OK && result != SQLITE_ROW && result != SQLITE_DONE);
    RP_ASSERT(result != SQLITE_MISUSE && result != SQLITE_RANGE);
    if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY) {
        return RP_ERR(DUPLICATE);
    }
    if (result == SQLITE_IOERR_NOMEM) {
        return RP_ERR(NO_MEMORY);
    }
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RP_ERR(BUSY);
    case SQLITE_FULL:
        return RP_ERR(NO_SPACE);
    case SQLITE_NOMEM:
        return RP_ERR(NO_MEMORY);
    case SQLITE_TOOBIG:
        return RP_ERR(TOO_LARGE);
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return RP_ERR(INVALID);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* our SQL is tested: a table or column is missing from the file */
        return RP_ERR(CORRUPT);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
        return from_system(handle);
    default:
        return RP_ERR(SYSTEM);
    }
}

rp_err rp_store_exec(sqlite3 *handle, const char *sql) {
    RP_ASSERT(handle != NULL && sql != NULL);
    int result = sqlite3_exec(handle, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? RP_OK : rp_store_err(handle, result);
}

rp_err rp_store_number(sqlite3 *handle, const char *sql, int64_t *ret_number) {
    sqlite3_stmt *stmt = NULL;
    int result = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(stmt);
    }
    rp_err err = RP_OK;
    if (result == SQLITE_ROW) {
        *ret_number = sqlite3_column_int64(stmt, 0);
    } else {
        err = result == SQLITE_DONE ? RP_ERR(CORRUPT) : rp_store_err(handle, result);
    }
    (void)sqlite3_finalize(stmt);
    return err;
}
