/* shm.h — tables and rings that one role writes and another maps.
 *
 * A shared table is a file on tmpfs with a header that names its kind, version and size; a
 * reader refuses what it does not know. What stands in the table is trusted by nobody: readers
 * copy, check, and treat a torn or odd slot as absent.
 *
 * Who may write a file may also cut it short, and touching what is gone ends a process by SIGBUS.
 * So a role that maps what another may write says rp_shm_survive: the mapping then turns to zeros.
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
/* From now on a file that is cut short under this mapping does not end the process: the whole
 * mapping becomes zeros of our own, which nobody else sees. Only for readers to whom zeros mean
 * "nothing there". OVERLOAD when too many mappings are watched. */
rp_err rp_shm_survive(const struct rp_shm *shm);
/* Whether that happened, by a look at the last byte; what the mapping was for needs a new one. */
bool rp_shm_is_lost(const struct rp_shm *shm);
/* A new file of zeros at path, mapped where the lost one was: pointers into it stay good. */
rp_err rp_shm_renew(const char *path, mode_t mode, const struct rp_shm *shm);
void rp_shm_done(struct rp_shm *shm);

#endif
