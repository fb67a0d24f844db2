/* migrate.h — numbered steps from an empty file to this program's schema.
 *
 * Each database keeps the number of its last step in its header (PRAGMA user_version). Steps run
 * in one transaction: a file is at its old version or at the new one. A file with a higher number
 * was written by a newer Rempart and is not touched. Before a file goes from version 3 on, a copy
 * of it is kept beside it as FILE.v3: the way back (docs/operations/upgrade.md).
 */
#ifndef RP_STORE_SQLITE_MIGRATE_H
#define RP_STORE_SQLITE_MIGRATE_H

#include <sqlite3.h>

#include "store/migrate.h"

/* Brings the open database to step `count`. file: its name, for the diagnosis. */
rp_err rp_migrate(sqlite3 *handle, const char *file, const struct rp_migration *steps, size_t count,
                  struct rp_diag *diag);

#endif
