/* checkpoint.c — what was committed, from the log beside the file into the file.
 *
 * The system database's forwarder does it ten times a second, so that no commit has to. But while
 * writers never pause, something new stands behind each copy, and the log does not begin anew: at
 * its full length SQLite copies what is left inside somebody's commit. So near that length copies
 * follow each other at once, and what is left is what was written during one of them.
 */
#include "base/assert.h"
#include "store/sqlite/sqlite.h"

enum { NEARLY_FULL = RP_DB_LOG_FRAMES * 3 / 4, FOLLOWING_MAX = 64 };

rp_err rp_sqlite_checkpoint(struct rp_db *db) {
    sqlite3 *handle = rp_sqlite_handle(db);
    int frames = 0, before = 0;
    for (int i = 0; i < FOLLOWING_MAX; i++) {
        int result =
            sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, NULL);
        if (result != SQLITE_OK) {
            return rp_store_err(handle, result);
        }
        if (frames < NEARLY_FULL || frames <= before) {
            return RP_OK; /* or nobody wrote meanwhile, or it began anew */
        }
        before = frames;
    }
    return RP_OK;
}
