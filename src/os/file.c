#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"

enum { SIZELESS_FILE_MAX = 64 * 1024 /* files under /proc say that they hold 0 bytes */ };

static rp_err last_error(void) {
    return rp_err_from_errno(errno);
}

void rp_fd_done(int *fd) {
    RP_ASSERT(fd != NULL);
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

static rp_err open_with(const char *path, int flags, mode_t mode, int *ret_fd) {
    RP_ASSERT(path != NULL);
    RP_ASSERT(ret_fd != NULL);
    int fd;
    do {
        fd = open(path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return last_error();
    }
    *ret_fd = fd;
    return RP_OK;
}

rp_err rp_file_open(const char *path, int *ret_fd) {
    return open_with(path, O_RDONLY, 0, ret_fd);
}

rp_err rp_file_open_append(const char *path, mode_t mode, int *ret_fd) {
    return open_with(path, O_RDWR | O_APPEND | O_CREAT, mode, ret_fd);
}

rp_err rp_file_open_rw(const char *path, mode_t mode, int *ret_fd) {
    return open_with(path, O_RDWR | O_CREAT, mode, ret_fd);
}

rp_err rp_file_size(int fd, uint64_t *ret_size) {
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return last_error();
    }
    if (st.st_size < 0) {
        return RP_ERR(IO);
    }
    *ret_size = (uint64_t)st.st_size;
    return RP_OK;
}

rp_err rp_file_lock(int fd) {
    RP_ASSERT(fd >= 0);
    int failed;
    do {
        failed = flock(fd, LOCK_EX | LOCK_NB);
    } while (failed != 0 && errno == EINTR);
    return failed == 0 ? RP_OK : last_error();
}

/* Reads until end of file or `max` bytes. The size that stat tells is not used: it is 0 for
 * files under /proc, and may change while we read. */
static rp_err read_up_to(int fd, uint8_t *out, size_t max, size_t *ret_n) {
    size_t n = 0;
    while (n < max) {
        ssize_t got = read(fd, out + n, max - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return last_error();
        }
        if (got == 0) {
            break;
        }
        n += (size_t)got;
    }
    RP_ASSERT(n <= max);
    *ret_n = n;
    return RP_OK;
}

rp_err rp_file_read(const char *path, size_t max, struct rp_arena *arena, rp_view *ret_bytes) {
    _cleanup_fd_ int fd = -1;
    RP_TRY(rp_file_open(path, &fd));
    uint64_t size = 0;
    RP_TRY(rp_file_size(fd, &size));
    if (size > max) {
        return RP_ERR(TOO_LARGE);
    }
    /* A file that grows meanwhile is read as it stood; one without a size gets a fixed room. */
    size_t room = size > 0 ? (size_t)size : RP_MIN(max, SIZELESS_FILE_MAX);
    uint8_t *bytes = rp_arena_alloc(arena, room);
    if (!bytes) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0;
    RP_TRY(read_up_to(fd, bytes, room, &n));
    *ret_bytes = rp_view_of(bytes, n);
    return RP_OK;
}

/* The kernel's offsets are signed. */
static bool offset_fits(uint64_t offset, size_t n) {
    uint64_t end;
    return !__builtin_add_overflow(offset, n, &end) && end <= INT64_MAX;
}

rp_err rp_file_read_some(int fd, uint64_t offset, uint8_t *out, size_t max, size_t *ret_n) {
    RP_ASSERT(fd >= 0);
    ssize_t got;
    do {
        got = pread(fd, out, max, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return last_error();
    }
    *ret_n = (size_t)got;
    return RP_OK;
}

rp_err rp_file_read_at(int fd, uint64_t offset, uint8_t *out, size_t n) {
    RP_ASSERT(fd >= 0);
    if (!offset_fits(offset, n)) {
        return RP_ERR(INVALID);
    }
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(fd, out + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return last_error();
        }
        if (got == 0) {
            return RP_ERR(CORRUPT);
        }
        done += (size_t)got;
    }
    RP_ASSERT(done == n);
    return RP_OK;
}

rp_err rp_file_write_at(int fd, uint64_t offset, rp_view v) {
    RP_ASSERT(fd >= 0);
    if (!offset_fits(offset, v.n)) {
        return RP_ERR(INVALID);
    }
    size_t done = 0;
    while (done < v.n) {
        ssize_t put = pwrite(fd, v.p + done, v.n - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return last_error();
        }
        done += (size_t)put;
    }
    RP_ASSERT(done == v.n);
    return RP_OK;
}

rp_err rp_file_write_all(int fd, rp_view v) {
    RP_ASSERT(fd >= 0);
    size_t done = 0;
    while (done < v.n) {
        ssize_t put = write(fd, v.p + done, v.n - done);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return last_error();
        }
        done += (size_t)put;
    }
    RP_ASSERT(done == v.n);
    return RP_OK;
}

rp_err rp_file_sync(int fd) {
    RP_ASSERT(fd >= 0);
    /* No retry: after a failed fsync the kernel may have dropped the pages, so a second success
     * would be a lie. */
    return fdatasync(fd) == 0 ? RP_OK : last_error();
}

/* The folder that holds path, in out[PATH_MAX]; "." for a bare name. */
static rp_err parent_of(const char *path, char out[static PATH_MAX]) {
    const char *slash = strrchr(path, '/');
    size_t n = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (n >= PATH_MAX) {
        return RP_ERR(INVALID);
    }
    if (n == 0) {
        out[n++] = '.';
    } else {
        memcpy(out, path, n);
    }
    out[n] = '\0';
    return RP_OK;
}

static rp_err sync_parent(const char *path) {
    char folder[PATH_MAX];
    RP_TRY(parent_of(path, folder));
    return rp_folder_sync(folder);
}

/* Bytes into a fresh file of exactly `mode` (the umask does not count), down to the disk. */
static rp_err fill_new(const char *path, mode_t mode, rp_view bytes) {
    _cleanup_fd_ int fd = -1;
    RP_TRY(open_with(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, &fd));
    if (fchmod(fd, mode) != 0) {
        return last_error();
    }
    RP_TRY(rp_file_write_all(fd, bytes));
    return rp_file_sync(fd);
}

/* The thread's own: two that write the same path at once must not write the same bytes. */
static rp_err temporary_name(const char *path, char out[static PATH_MAX]) {
    int n = snprintf(out, PATH_MAX, "%s.%d.tmp", path, (int)gettid());
    return n > 0 && n < PATH_MAX ? RP_OK : RP_ERR(INVALID);
}

/* Fills a temporary file and hands it to `publish` (rename or link); leaves none behind. */
static rp_err put_in_place(const char *path, mode_t mode, rp_view bytes,
                           int (*publish)(const char *from, const char *to)) {
    char temporary[PATH_MAX];
    RP_TRY(temporary_name(path, temporary));
    RP_TRY(rp_file_remove(temporary)); /* what a crash left */
    rp_err err = fill_new(temporary, mode, bytes);
    if (rp_ok(err) && publish(temporary, path) != 0) {
        err = last_error();
    }
    rp_ignore(rp_file_remove(temporary)); /* gone after a rename; its loss changes nothing */
    RP_TRY(err);
    return sync_parent(path);
}

rp_err rp_file_replace(const char *path, mode_t mode, rp_view bytes) {
    return put_in_place(path, mode, bytes, rename);
}

rp_err rp_file_create(const char *path, mode_t mode, rp_view bytes) {
    /* link(2) refuses an existing name, which rename(2) would replace. */
    return put_in_place(path, mode, bytes, link);
}

bool rp_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

rp_err rp_file_remove(const char *path) {
    return unlink(path) == 0 || errno == ENOENT ? RP_OK : last_error();
}

rp_err rp_file_link_to(const char *path, const char *target) {
    struct stat st;
    if (lstat(path, &st) == 0 && !S_ISLNK(st.st_mode)) {
        return RP_ERR(DUPLICATE);
    }
    char temporary[PATH_MAX];
    RP_TRY(temporary_name(path, temporary));
    RP_TRY(rp_file_remove(temporary));
    if (symlink(target, temporary) != 0) {
        return last_error();
    }
    return rename(temporary, path) == 0 ? RP_OK : last_error();
}
