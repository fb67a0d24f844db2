#include "os/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
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

/* ---- files that are cut short ---- */

enum { WATCHED_MAX = 256, TAKEN = 1 };

/* State of the process, as its signals are: a handler gets no argument to find its own by. A slot
 * is free at start 0, being filled at TAKEN, and watched at an address. */
static struct watched {
    atomic_uintptr_t start;
    size_t n;
    atomic_bool lost;
} watched[WATCHED_MAX];

/* The slot of the mapping that begins at p; NULL when nobody watches it. */
static struct watched *find_watched(const void *p) {
    for (size_t i = 0; p && i < WATCHED_MAX; i++) {
        if (atomic_load(&watched[i].start) == (uintptr_t)p) {
            return &watched[i];
        }
    }
    return NULL;
}

/* Zeros where the mapping was. Calls nothing that a handler may not. */
static bool replace_watched(uintptr_t address) {
    for (size_t i = 0; i < WATCHED_MAX; i++) {
        uintptr_t start = atomic_load(&watched[i].start);
        if (start > TAKEN && address >= start && address - start < watched[i].n) {
            void *p = mmap((void *)start, watched[i].n, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            atomic_store(&watched[i].lost, true);
            return p != MAP_FAILED;
        }
    }
    return false;
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    if (!replace_watched((uintptr_t)info->si_addr)) {
        (void)signal(number, SIG_DFL); /* not ours: the same access again ends the process */
    }
    errno = saved;
}

rp_err rp_shm_survive(const struct rp_shm *shm) {
    RP_ASSERT(shm != NULL && shm->p != NULL);
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGBUS, &action, NULL) != 0) {
        return last_error();
    }
    for (size_t i = 0; i < WATCHED_MAX; i++) {
        uintptr_t unused = 0;
        if (atomic_compare_exchange_strong(&watched[i].start, &unused, TAKEN)) {
            watched[i].n = shm->n;
            atomic_store(&watched[i].lost, false);
            atomic_store(&watched[i].start, (uintptr_t)shm->p);
            return RP_OK;
        }
    }
    return RP_ERR(OVERLOAD);
}

bool rp_shm_is_lost(const struct rp_shm *shm) {
    RP_ASSERT(shm != NULL);
    const struct watched *slot = find_watched(shm->p);
    if (!slot) {
        return false;
    }
    (void)*((const volatile uint8_t *)shm->p + shm->n - 1);
    return atomic_load(&slot->lost);
}

rp_err rp_shm_renew(const char *path, mode_t mode, const struct rp_shm *shm) {
    RP_ASSERT(shm != NULL && shm->p != NULL);
    struct watched *slot = find_watched(shm->p);
    RP_ASSERT(slot != NULL);
    struct rp_shm fresh = {0};
    RP_TRY(rp_shm_create(path, mode, shm->n, &fresh));
    void *p = mremap(fresh.p, fresh.n, fresh.n, MREMAP_MAYMOVE | MREMAP_FIXED, shm->p);
    if (p == MAP_FAILED) {
        rp_err err = last_error();
        rp_shm_done(&fresh);
        return err;
    }
    atomic_store(&slot->lost, false);
    return RP_OK;
}

void rp_shm_done(struct rp_shm *shm) {
    RP_ASSERT(shm != NULL);
    if (shm->p) {
        struct watched *slot = find_watched(shm->p);
        if (slot) {
            atomic_store(&slot->start, 0);
        }
        (void)munmap(shm->p, shm->n);
    }
    *shm = (struct rp_shm){0};
}
