/* batch.h — many files made durable with one wait.
 *
 * rp_file_replace waits for the disk twice a file. Who writes hundreds of small files at a time,
 * none of which counts before a later one names them, puts them all and then waits once.
 *
 * Fails: NO_SPACE, IO; a put that failed leaves the old file, or none.
 */
#ifndef RP_OS_BATCH_H
#define RP_OS_BATCH_H

#include <sys/types.h>

#include "base/err.h"

/* Writes bytes to `temporary` and renames it to path: readers see the whole file or none. Nothing
 * is durable before rp_batch_sync. Both on one file system; missing folders of path are made. */
rp_err rp_batch_put(const char *temporary, const char *path, mode_t mode, rp_view bytes);
/* Renames; missing folders of `to` are an error. */
rp_err rp_batch_rename(const char *from, const char *to);
/* Returns when all that was written to the file system of this folder is on disk (syncfs). */
rp_err rp_batch_sync(const char *folder);
/* An empty folder; absent is OK. */
rp_err rp_folder_remove(const char *path);
/* Takes the end of an open file away, from `size` on. */
rp_err rp_file_cut(int fd, uint64_t size);

#endif
