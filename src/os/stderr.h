/* stderr.h — what this process and all that it starts say on standard error, into a file that can
 * be changed for another: logs are rotated while roles run that cannot open a file any more.
 *
 * Standard error becomes the writing end of a pipe. What comes out at the other end is copied,
 * unread, to the end of the file. Nobody ever waits for the log: what does not fit into a full pipe
 * is dropped by whoever says it, and what the disk does not take is counted and said later.
 */
#ifndef RP_OS_STDERR_H
#define RP_OS_STDERR_H

#include <sys/types.h>

#include "base/err.h"

struct rp_stderr {
    int pipe_fd; /* what was said; non-blocking, for a loop to watch; -1 = not diverted */
    int file_fd;
    uint64_t lost; /* bytes that the file did not take; for the caller to tell, and to set to 0 */
    bool failing;  /* it did not take the last ones */
};

/* Nothing has changed when it fails. The file is made with mode when it is not there. */
rp_err rp_stderr_divert(const char *path, mode_t mode, struct rp_stderr *ret_stderr);
/* The file of that name from now on, perhaps a new one; the old one stays in use on failure. */
rp_err rp_stderr_reopen(struct rp_stderr *diverted, const char *path, mode_t mode);
/* Copies what has been said so far. */
void rp_stderr_copy(struct rp_stderr *diverted);
void rp_stderr_done(struct rp_stderr *diverted);

#endif
