/* file.h — files that are whole or not there.
 *
 * Everything that outlives a process is written through this door: CLOEXEC always, modes always
 * explicit, a replaced file is complete and durable before its name changes. Paths are relative
 * to the state folder, which is the working directory of every role.
 */
#ifndef RP_OS_FILE_H
#define RP_OS_FILE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"

/* An open descriptor; -1 is none. rp_fd_done closes and accepts -1. */
void rp_fd_done(int *fd);
#define _cleanup_fd_ __attribute__((cleanup(rp_fd_done)))

/* Opens for reading. NOT_FOUND, DENIED, … */
rp_err rp_file_open(const char *path, int *ret_fd);
/* Opens for reading and appending, created with mode when absent. */
rp_err rp_file_open_append(const char *path, mode_t mode, int *ret_fd);
/* Opens for reading and writing in place, created with mode when absent. */
rp_err rp_file_open_rw(const char *path, mode_t mode, int *ret_fd);

/* The whole file in the arena; TOO_LARGE over max bytes. */
rp_err rp_file_read(const char *path, size_t max, struct rp_arena *arena, rp_view *ret_bytes);
/* At an offset, exactly v.n or n bytes; CORRUPT when the file ends before. */
rp_err rp_file_read_at(int fd, uint64_t offset, uint8_t *out, size_t n);
/* At an offset, what is there now, max bytes at most; 0 at the end. For files of /proc, which tell
 * no size. */
rp_err rp_file_read_some(int fd, uint64_t offset, uint8_t *out, size_t max, size_t *ret_n);
rp_err rp_file_write_at(int fd, uint64_t offset, rp_view v);
/* All of v at the end, however often the kernel takes only a part. */
rp_err rp_file_write_all(int fd, rp_view v);
rp_err rp_file_sync(int fd); /* fdatasync */
rp_err rp_file_size(int fd, uint64_t *ret_size);
/* One process at a time, until fd is closed; BUSY when another holds it. */
rp_err rp_file_lock(int fd);

/* Writes a temporary file beside it, syncs it, renames it over path, syncs the folder. All or
 * nothing. */
rp_err rp_file_replace(const char *path, mode_t mode, rp_view bytes);
/* Creates path with bytes, durably; DUPLICATE when it exists. */
rp_err rp_file_create(const char *path, mode_t mode, rp_view bytes);

bool rp_file_exists(const char *path);
rp_err rp_file_remove(const char *path);              /* absent is OK */
rp_err rp_folder_make(const char *path, mode_t mode); /* with its parents; existing is OK */
rp_err rp_folder_sync(const char *path);
/* The folder itself, or a symbolic link to it, gets exactly this owner and mode; uid -1 = as it is.
 */
rp_err rp_folder_own(const char *path, uid_t uid, gid_t gid, mode_t mode);
/* Makes `path` a symbolic link to target, in one step; an existing link is replaced, another file
 * is DUPLICATE. */
rp_err rp_file_link_to(const char *path, const char *target);
/* Free bytes and the share that is free, of the file system that holds path. */
rp_err rp_folder_free(const char *path, uint64_t *ret_bytes, unsigned *ret_percent);

/* Calls each for every entry of the folder ("." and ".." left out), in byte order of names. */
rp_err rp_folder_each(const char *path, rp_err (*each)(void *ctx, const char *name, bool is_folder),
                      void *ctx);

#endif
