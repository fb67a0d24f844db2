/* shm.h — tables and rings that one role writes and another maps.
 *
 * A shared table is a file on tmpfs with a header that names its kind, version and size; a
 * reader refuses what it does not know. What stands in the table is trusted by nobody: readers
 * copy, check, and treat a torn or odd slot as absent.
 */
#ifndef RP_OS_SHM_H
#define RP_OS_SHM_H

#include <sys/types.h>

#include "base/err.h"

struct rp_shm {
    void *p;
    size_t n;
};

/* Creates (or replaces) the file with n zeroed bytes and maps it read-write. */
rp_err rp_shm_create(const char *path, mode_t mode, size_t n, struct rp_shm *ret_shm);
/* Maps an existing file. CORRUPT when it is not exactly n bytes (n = 0: any size). */
rp_err rp_shm_open(const char *path, bool writable, size_t n, struct rp_shm *ret_shm);
void rp_shm_done(struct rp_shm *shm);

#endif
