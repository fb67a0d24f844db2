#include "os/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/file.h"

static rp_err last_error(void) {
    return rp_err_from_errno(errno);
}

static rp_err map(int fd, bool writable, size_t n, struct rp_shm *ret_shm) {
    RP_ASSERT(n > 0);
    int protection = PROT_READ | (writable ? PROT_WRITE : 0);
    void *p = mmap(NULL, n, protection, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        return last_error();
    }
    *ret_shm = (struct rp_shm){p, n};
    return RP_OK;
}

/* A new file of n zero bytes at path, with exactly `mode`. */
static rp_err create_zeroed(const char *path, mode_t mode, size_t n, int *ret_fd) {
    _cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 || fchmod(fd, mode) != 0) {
        return last_error();
    }
    /* Taken now: a full tmpfs is an error here, and would be SIGBUS later. */
    int failed = posix_fallocate(fd, 0, (off_t)n);
    if (failed != 0) {
        return rp_err_from_errno(failed);
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

rp_err rp_shm_create(const char *path, mode_t mode, size_t n, struct rp_shm *ret_shm) {
    RP_ASSERT(path != NULL);
    RP_ASSERT(n > 0 && n <= INT64_MAX);
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (length < 0 || (size_t)length >= sizeof temporary) {
        return RP_ERR(INVALID);
    }
    RP_TRY(rp_file_remove(temporary));
    _cleanup_fd_ int fd = -1;
    struct rp_shm shm = {0};
    rp_err err = create_zeroed(temporary, mode, n, &fd);
    if (rp_ok(err)) {
        err = map(fd, true, n, &shm);
    }
    /* A new file each time: whoever mapped the old one keeps the old one, whole. */
    if (rp_ok(err) && rename(temporary, path) != 0) {
        err = last_error();
    }
    if (!rp_ok(err)) {
        rp_shm_done(&shm);
        rp_ignore(rp_file_remove(temporary)); /* the first error is the one to tell */
        return err;
    }
    *ret_shm = shm;
    return RP_OK;
}

rp_err rp_shm_open(const char *path, bool writable, size_t n, struct rp_shm *ret_shm) {
    RP_ASSERT(path != NULL);
    RP_ASSERT(ret_shm != NULL);
    _cleanup_fd_ int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return last_error();
    }
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return last_error();
    }
    bool fits = S_ISREG(st.st_mode) && st.st_size > 0 && (n == 0 || (size_t)st.st_size == n);
    if (!fits) {
        return RP_ERR(CORRUPT);
    }
    return map(fd, writable, (size_t)st.st_size, ret_shm);
}

void rp_shm_done(struct rp_shm *shm) {
    RP_ASSERT(shm != NULL);
    if (shm->p) {
        (void)munmap(shm->p, shm->n);
    }
    *shm = (struct rp_shm){0};
}
