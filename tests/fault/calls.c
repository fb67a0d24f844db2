/* calls.c — stands before the C library: the executable's symbols come first, for SQLite's too.
 *
 * Syncs are not done at all: what a killed process wrote stays with the
 * kernel, and thousands of real ones would take minutes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "fault.h"

#define CAUGHT __attribute__((visibility("default")))

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
_Noreturn void _exit(int status);

/* The test's child alone arms it. */
static struct {
    bool armed;
    enum fault_kind kind;
    unsigned nth, passed;
    bool *met;
} fault;

void fault_arm(enum fault_kind kind, unsigned nth, bool *ret_met) {
    fault.kind = kind;
    fault.nth = nth;
    fault.passed = 0;
    fault.met = ret_met;
    fault.armed = true;
}

void fault_disarm(void) {
    fault.armed = false;
}

enum call { CALL_MEMORY, CALL_WRITE, CALL_ROOM, CALL_OTHER }; /* ROOM: needs some, is no write */

static bool concerns(enum call call) {
    switch (fault.kind) {
    case FAULT_NO_MEMORY:
        return call == CALL_MEMORY;
    case FAULT_FULL:
        return call == CALL_WRITE || call == CALL_ROOM;
    case FAULT_SHORT:
        return call == CALL_WRITE;
    case FAULT_BROKEN:
    case FAULT_INTERRUPTED:
    case FAULT_KILLED:
        return call != CALL_MEMORY;
    case FAULT_KINDS:
        break;
    }
    return false;
}

/* True when this call is met; errno is set. */
static bool meets(enum call call) {
    if (!fault.armed || !concerns(call)) {
        return false;
    }
    fault.passed++;
    bool hit = fault.kind == FAULT_FULL ? fault.passed >= fault.nth : fault.passed == fault.nth;
    if (!hit) {
        return false;
    }
    *fault.met = true;
    if (fault.kind == FAULT_KILLED) {
        _exit(FAULT_DIED);
    }
    errno = fault.kind == FAULT_NO_MEMORY     ? ENOMEM
            : fault.kind == FAULT_FULL        ? ENOSPC
            : fault.kind == FAULT_INTERRUPTED ? EINTR
                                              : EIO;
    return true;
}

static void *real(const char *name) {
    bool armed = fault.armed;
    fault.armed = false; /* dlsym may allocate */
    void *function = dlsym(RTLD_NEXT, name);
    fault.armed = armed;
    return function;
}

/* ---- memory ---- */

CAUGHT void *malloc(size_t n) {
    return meets(CALL_MEMORY) ? NULL : __libc_malloc(n);
}

CAUGHT void *calloc(size_t count, size_t n) {
    return meets(CALL_MEMORY) ? NULL : __libc_calloc(count, n);
}

CAUGHT void *realloc(void *p, size_t n) {
    return meets(CALL_MEMORY) ? NULL : __libc_realloc(p, n);
}

/* ---- files ---- */

/* One name of a call: its type, its own parameters, what is handed on. */
#define CATCH(call, type, name, parameters, arguments)                                             \
    CAUGHT type name parameters;                                                                   \
    type name parameters {                                                                         \
        return meets(call) ? -1 : ((type(*) parameters)real(#name))arguments;                      \
    }

CATCH(CALL_OTHER, ssize_t, read, (int fd, void *bytes, size_t n), (fd, bytes, n))
CATCH(CALL_OTHER, ssize_t, pread, (int fd, void *bytes, size_t n, off_t at), (fd, bytes, n, at))
CATCH(CALL_OTHER, ssize_t, pread64, (int fd, void *bytes, size_t n, off_t at), (fd, bytes, n, at))
CATCH(CALL_ROOM, int, ftruncate, (int fd, off_t n), (fd, n))
CATCH(CALL_ROOM, int, ftruncate64, (int fd, off_t n), (fd, n))
CATCH(CALL_ROOM, int, mkdir, (const char *path, mode_t mode), (path, mode))
CATCH(CALL_ROOM, int, link, (const char *from, const char *to), (from, to))
CATCH(CALL_ROOM, int, rename, (const char *from, const char *to), (from, to))
CATCH(CALL_OTHER, int, unlink, (const char *path), (path))

#define CATCH_SYNC(name)                                                                           \
    CAUGHT int name(int fd);                                                                       \
    int name(int fd) {                                                                             \
        (void)fd;                                                                                  \
        return meets(CALL_OTHER) ? -1 : 0;                                                         \
    }
CATCH_SYNC(fsync)
CATCH_SYNC(fdatasync)
CATCH_SYNC(syncfs)

/* Half of it, or an error, or all of it. */
static bool takes(size_t *n, ssize_t *ret_answer) {
    if (!meets(CALL_WRITE)) {
        return true;
    }
    if (fault.kind == FAULT_SHORT && *n > 1) {
        *n /= 2;
        return true;
    }
    *ret_answer = fault.kind == FAULT_SHORT ? 0 : -1;
    return false;
}

CAUGHT ssize_t write(int fd, const void *bytes, size_t n);
ssize_t write(int fd, const void *bytes, size_t n) {
    ssize_t answer = -1;
    return takes(&n, &answer) ? ((ssize_t(*)(int, const void *, size_t))real("write"))(fd, bytes, n)
                              : answer;
}

#define CATCH_PWRITE(name)                                                                         \
    CAUGHT ssize_t name(int fd, const void *bytes, size_t n, off_t at);                            \
    ssize_t name(int fd, const void *bytes, size_t n, off_t at) {                                  \
        ssize_t answer = -1;                                                                       \
        return takes(&n, &answer)                                                                  \
                   ? ((ssize_t(*)(int, const void *, size_t, off_t))real(#name))(fd, bytes, n, at) \
                   : answer;                                                                       \
    }
CATCH_PWRITE(pwrite)
CATCH_PWRITE(pwrite64)

/* The mode is there when it is needed, and is harmless where it is not. */
#define CATCH_OPEN(name)                                                                           \
    CAUGHT int name(const char *path, int flags, ...);                                             \
    int name(const char *path, int flags, ...) {                                                   \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode_t mode = va_arg(list, mode_t);                                                        \
        va_end(list);                                                                              \
        return meets(CALL_ROOM)                                                                    \
                   ? -1                                                                            \
                   : ((int (*)(const char *, int, ...))real(#name))(path, flags, mode);            \
    }
CATCH_OPEN(open)
CATCH_OPEN(open64)
