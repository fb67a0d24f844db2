#include "os/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

static rp_err last_error(void) {
    return rp_err_from_errno(errno);
}

static rp_err open_new(const char *path, mode_t mode, int *ret_fd) {
    RP_TRY(rp_file_remove(path)); /* what a crash left */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return last_error();
    }
    *ret_fd = fd;
    return RP_OK;
}

static rp_err fill(const char *path, mode_t mode, rp_view bytes) {
    _cleanup_fd_ int fd = -1;
    RP_TRY(open_new(path, mode, &fd));
    if (fchmod(fd, mode) != 0) {
        return last_error();
    }
    return rp_file_write_all(fd, bytes);
}

static rp_err make_folders_of(const char *path, mode_t mode) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n == 0 || n >= sizeof folder) {
        return RP_ERR(NOT_FOUND);
    }
    memcpy(folder, path, n);
    folder[n] = '\0';
    return rp_folder_make(folder, mode);
}

rp_err rp_batch_rename(const char *from, const char *to) {
    return rename(from, to) == 0 ? RP_OK : last_error();
}

/* Who may read the file may enter its folder. */
static mode_t folder_mode(mode_t file_mode) {
    return file_mode | (mode_t)((file_mode & 0444) >> 2);
}

rp_err rp_batch_put(const char *temporary, const char *path, mode_t mode, rp_view bytes) {
    RP_ASSERT(temporary != NULL && path != NULL);
    rp_err err = fill(temporary, mode, bytes);
    if (rp_ok(err)) {
        err = rp_batch_rename(temporary, path);
    }
    if (rp_is(err, RP_E_NOT_FOUND) && rp_file_exists(temporary)) {
        err = make_folders_of(path, folder_mode(mode));
        if (rp_ok(err)) {
            err = rp_batch_rename(temporary, path);
        }
    }
    if (!rp_ok(err)) {
        rp_ignore(rp_file_remove(temporary)); /* half of a file serves nobody */
    }
    return err;
}

rp_err rp_batch_sync(const char *folder) {
    _cleanup_fd_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return last_error();
    }
    return syncfs(fd) == 0 ? RP_OK : last_error();
}

rp_err rp_file_cut(int fd, uint64_t size) {
    RP_ASSERT(size <= INT64_MAX);
    return ftruncate(fd, (off_t)size) == 0 ? RP_OK : last_error();
}

rp_err rp_folder_remove(const char *path) {
    return rmdir(path) == 0 || errno == ENOENT ? RP_OK : last_error();
}
