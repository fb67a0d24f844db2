/* disk_io.h — the few ways in which the ledger writes, in one place that a test can break.
 *
 * Everything durable goes through a struct rp_disk: the journal's appends and syncs, and the tiles
 * and checkpoints. rp_disk_real is the disk; a fault test hands in one whose n-th call fails.
 */
#ifndef RP_LEDGER_DISK_IO_H
#define RP_LEDGER_DISK_IO_H

#include <sys/types.h>

#include "base/err.h"

struct rp_disk {
    void *ctx;
    rp_err (*append)(void *ctx, int fd, rp_view bytes);
    rp_err (*sync)(void *ctx, int fd);
    /* Whole file at path by way of `temporary`; not durable before sync_all. */
    rp_err (*put)(void *ctx, const char *temporary, const char *path, mode_t mode, rp_view bytes);
    rp_err (*rename)(void *ctx, const char *from, const char *to);
    rp_err (*sync_all)(void *ctx, const char *folder);
};

struct rp_disk rp_disk_real(void);

/* A named place where a test makes the process end as if by kill -9: REMPART_CRASH_AT=NAME[:n] ends
 * it at the n-th passage. Only the test's own build of the program holds them. */
#ifdef RP_CRASH_POINTS
void rp_crash_point(const char *name);
#define RP_CRASH_POINT(name) rp_crash_point(name)
#else
#define RP_CRASH_POINT(name) ((void)0)
#endif

#endif
