#include "ledger/disk_io.h"

#include "os/batch.h"
#include "os/file.h"

static rp_err disk_append(void *ctx, int fd, rp_view bytes) {
    (void)ctx;
    return rp_file_write_all(fd, bytes);
}

static rp_err disk_sync(void *ctx, int fd) {
    (void)ctx;
    return rp_file_sync(fd);
}

static rp_err disk_put(void *ctx, const char *temporary, const char *path, mode_t mode,
                       rp_view bytes) {
    (void)ctx;
    return rp_batch_put(temporary, path, mode, bytes);
}

static rp_err disk_rename(void *ctx, const char *from, const char *to) {
    (void)ctx;
    return rp_batch_rename(from, to);
}

static rp_err disk_sync_all(void *ctx, const char *folder) {
    (void)ctx;
    return rp_batch_sync(folder);
}

struct rp_disk rp_disk_real(void) {
    return (struct rp_disk){NULL, disk_append, disk_sync, disk_put, disk_rename, disk_sync_all};
}

#ifdef RP_CRASH_POINTS
#include <stdatomic.h>
#include <unistd.h>

void rp_crash_point(const char *name) {
    static atomic_uint passages; /* test builds only; two threads pass here */
    rp_view rest = rp_view_from_cstr(getenv("REMPART_CRASH_AT"));
    if (!rest.p) {
        return;
    }
    rp_view wanted = rp_view_cut(&rest, ':');
    uint64_t nth = 1;
    if (rest.p && !rp_view_to_u64(rest, 1000000, &nth)) {
        return;
    }
    if (rp_view_equal(wanted, rp_view_from_cstr(name)) &&
        atomic_fetch_add(&passages, 1) + 1 == nth) {
        _exit(137);
    }
}
#endif
