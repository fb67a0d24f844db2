#include "os/stderr.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/file.h"

enum { PIPE_BYTES = 1 << 20, PIECE = 4096 };

static rp_err last_error(void) {
    return rp_err_from_errno(errno);
}

rp_err rp_stderr_divert(const char *path, mode_t mode, struct rp_stderr *ret_stderr) {
    int ends[2];
    _cleanup_fd_ int file = -1;
    RP_TRY(rp_file_open_append(path, mode, &file));
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return last_error();
    }
    _cleanup_fd_ int reading = ends[0];
    _cleanup_fd_ int writing = ends[1];
    (void)fcntl(writing, F_SETPIPE_SZ, PIPE_BYTES); /* the usual 64 KiB are good, too */
    if (dup2(writing, STDERR_FILENO) < 0) {
        return last_error();
    }
    *ret_stderr = (struct rp_stderr){.pipe_fd = reading, .file_fd = file};
    reading = file = -1;
    return RP_OK;
}

rp_err rp_stderr_reopen(struct rp_stderr *diverted, const char *path, mode_t mode) {
    RP_ASSERT(diverted->pipe_fd >= 0);
    int file = -1;
    RP_TRY(rp_file_open_append(path, mode, &file));
    rp_fd_done(&diverted->file_fd);
    diverted->file_fd = file;
    return RP_OK;
}

void rp_stderr_copy(struct rp_stderr *diverted) {
    uint8_t piece[PIECE];
    ssize_t n;
    RP_ASSERT(diverted->pipe_fd >= 0);
    while ((n = read(diverted->pipe_fd, piece, sizeof piece)) > 0) {
        diverted->failing =
            !rp_ok(rp_file_write_all(diverted->file_fd, rp_view_of(piece, (size_t)n)));
        diverted->lost += diverted->failing ? (uint64_t)n : 0;
    }
}

void rp_stderr_done(struct rp_stderr *diverted) {
    if (diverted->pipe_fd >= 0) {
        rp_stderr_copy(diverted);
    }
    rp_fd_done(&diverted->pipe_fd);
    rp_fd_done(&diverted->file_fd);
}
