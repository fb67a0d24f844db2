/* folder.c — folders: made, owned, synced, listed, and how much room there is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum { FOLDER_ENTRIES_MAX = 1 << 20 /* a folder with more is not one of ours */ };

static rp_err last_error(void) {
    return rp_err_from_errno(errno);
}

static rp_err open_folder(const char *path, int *ret_fd) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return last_error();
    }
    *ret_fd = fd;
    return RP_OK;
}

rp_err rp_folder_sync(const char *path) {
    _cleanup_fd_ int fd = -1;
    RP_TRY(open_folder(path, &fd));
    return fsync(fd) == 0 ? RP_OK : last_error();
}

static rp_err make_one(const char *path, mode_t mode) {
    if (mkdir(path, mode) == 0) {
        return RP_OK;
    }
    if (errno != EEXIST) {
        return last_error();
    }
    struct stat st;
    if (stat(path, &st) != 0) {
        return last_error();
    }
    return S_ISDIR(st.st_mode) ? RP_OK : RP_ERR(DUPLICATE);
}

rp_err rp_folder_make(const char *path, mode_t mode) {
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part) {
        return RP_ERR(INVALID);
    }
    memcpy(part, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (part[i] == '/') {
            part[i] = '\0';
            RP_TRY(make_one(part, mode));
            part[i] = '/';
        }
    }
    return make_one(part, mode);
}

rp_err rp_folder_own(const char *path, uid_t uid, gid_t gid, mode_t mode) {
    _cleanup_fd_ int fd = -1;
    RP_TRY(open_folder(path, &fd));
    if (uid != (uid_t)-1 && fchown(fd, uid, gid) != 0) {
        return last_error();
    }
    return fchmod(fd, mode) == 0 ? RP_OK : last_error();
}

rp_err rp_folder_free(const char *path, uint64_t *ret_bytes, unsigned *ret_percent) {
    struct statvfs fs;
    if (statvfs(path, &fs) != 0) {
        return last_error();
    }
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &bytes)) {
        bytes = UINT64_MAX;
    }
    *ret_bytes = bytes;
    /* What an ordinary user may still take, as df counts it. */
    double all = (double)fs.f_blocks;
    *ret_percent = all > 0 ? (unsigned)((double)fs.f_bavail * 100.0 / all) : 100;
    return RP_OK;
}

static void close_folder(DIR **folder) {
    if (*folder) {
        (void)closedir(*folder);
    }
}

struct entry {
    char *name;
    bool is_folder;
};

struct listing {
    struct entry *entries;
    size_t count;
    size_t capacity;
};

static void listing_done(struct listing *listing) {
    for (size_t i = 0; i < listing->count; i++) {
        free(listing->entries[i].name);
    }
    free(listing->entries);
}

static rp_err listing_add(struct listing *listing, const char *name, bool is_folder) {
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity > 0 ? listing->capacity * 2 : 32;
        if (capacity > FOLDER_ENTRIES_MAX) {
            return RP_ERR(TOO_LARGE);
        }
        struct entry *grown = reallocarray(listing->entries, capacity, sizeof *grown);
        if (!grown) {
            return RP_ERR(NO_MEMORY);
        }
        listing->entries = grown;
        listing->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy) {
        return RP_ERR(NO_MEMORY);
    }
    listing->entries[listing->count++] = (struct entry){copy, is_folder};
    return RP_OK;
}

static bool entry_is_folder(DIR *folder, const struct dirent *entry) {
    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type == DT_DIR;
    }
    struct stat st;
    return fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static rp_err listing_read(struct listing *listing, const char *path) {
    _cleanup_(close_folder) DIR *folder = opendir(path);
    if (!folder) {
        return last_error();
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            return errno == 0 ? RP_OK : last_error();
        }
        if (!is_dots(entry->d_name)) {
            RP_TRY(listing_add(listing, entry->d_name, entry_is_folder(folder, entry)));
        }
    }
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

rp_err rp_folder_each(const char *path, rp_err (*each)(void *ctx, const char *name, bool is_folder),
                      void *ctx) {
    RP_ASSERT(each != NULL);
    _cleanup_(listing_done) struct listing listing = {0};
    RP_TRY(listing_read(&listing, path));
    if (listing.count > 1) {
        qsort(listing.entries, listing.count, sizeof *listing.entries, by_name);
    }
    for (size_t i = 0; i < listing.count; i++) {
        RP_TRY(each(ctx, listing.entries[i].name, listing.entries[i].is_folder));
    }
    return RP_OK;
}
