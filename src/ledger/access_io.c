#include "ledger/access_io.h"

#include <zlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum { PATH_SIZE = 256, GZIP_WINDOW = 15 + 16, LEVEL = 3, MEMORY = 8 };

static const rp_view suffix = RP_VIEW_INIT(".jsonl.gz");

void rp_access_name(uint64_t time_ms, char out[static RP_ACCESS_NAME]) {
    int n = snprintf(out, RP_ACCESS_NAME, "%llu%.*s", (unsigned long long)time_ms, RP_FMT(suffix));
    RP_ASSERT(n > 0 && n < RP_ACCESS_NAME);
}

bool rp_access_time_of(rp_view name, uint64_t *ret_time_ms) {
    return rp_view_ends(name, suffix) &&
           rp_view_to_u64(rp_view_sub(name, 0, name.n - suffix.n), INT64_MAX, ret_time_ms);
}

static void segment_path(const char *folder, uint64_t time_ms, char out[static PATH_SIZE]) {
    char name[RP_ACCESS_NAME];
    rp_access_name(time_ms, name);
    int n = snprintf(out, PATH_SIZE, "%s/access/%s", folder, name);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
}

static rp_err gzip(rp_view lines, struct rp_buf *out) {
    z_stream z = {0};
    if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        return RP_ERR(NO_MEMORY);
    }
    uLong bound = deflateBound(&z, lines.n);
    uint8_t *p = rp_buf_extend(out, bound);
    int rc = Z_MEM_ERROR;
    if (p) {
        z.next_in = (Bytef *)(uintptr_t)lines.p;
        z.avail_in = (uInt)lines.n;
        z.next_out = p;
        z.avail_out = (uInt)bound;
        rc = deflate(&z, Z_FINISH);
        out->n -= z.avail_out;
    }
    (void)deflateEnd(&z);
    return rc == Z_STREAM_END ? RP_OK : RP_ERR(NO_MEMORY);
}

rp_err rp_access_write(const struct rp_disk *disk, const char *folder, uint64_t time_ms,
                       rp_view lines, struct rp_sha256 *ret_sha256) {
    char path[PATH_SIZE], temporary[PATH_SIZE];
    RP_ASSERT(lines.n > 0 && lines.n <= 4 * RP_ACCESS_SEGMENT_BYTES);
    _cleanup_(rp_buf_done) struct rp_buf bytes = rp_buf_new(5 * RP_ACCESS_SEGMENT_BYTES);
    RP_TRY(gzip(lines, &bytes));
    segment_path(folder, time_ms, path);
    int n = snprintf(temporary, sizeof temporary, "%s/journal/access.tmp", folder);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
    RP_TRY(disk->put(disk->ctx, temporary, path, 0640, rp_buf_view(&bytes)));
    RP_TRY(disk->sync_all(disk->ctx, folder));
    RP_CRASH_POINT("access.written");
    *ret_sha256 = rp_sha256_of(rp_buf_view(&bytes));
    return RP_OK;
}

/* ---- walking the folder ---- */

struct walk {
    const char *folder;
    uint64_t limit_ms;
    rp_err (*each)(void *ctx, uint64_t time_ms, const struct rp_sha256 *sha256);
    void *ctx;
};

static rp_err expire_one(void *ctx, const char *name, bool is_folder) {
    const struct walk *walk = ctx;
    uint64_t time_ms;
    char path[PATH_SIZE];
    if (is_folder || !rp_access_time_of(rp_view_from_cstr(name), &time_ms) ||
        time_ms >= walk->limit_ms) {
        return RP_OK;
    }
    segment_path(walk->folder, time_ms, path);
    return rp_file_remove(path);
}

static rp_err each_in(struct walk *walk,
                      rp_err (*one)(void *ctx, const char *name, bool is_folder)) {
    char path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/access", walk->folder);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
    rp_err err = rp_folder_each(path, one, walk);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

rp_err rp_access_expire(const char *folder, uint64_t newest_ms) {
    static const uint64_t keep_ms = (uint64_t)RP_ACCESS_KEEP_DAYS * 24 * 3600 * 1000;
    struct walk walk = {.folder = folder,
                        .limit_ms = newest_ms > keep_ms ? newest_ms - keep_ms : 0};
    return each_in(&walk, expire_one);
}

static rp_err tell_one(void *ctx, const char *name, bool is_folder) {
    const struct walk *walk = ctx;
    uint64_t time_ms;
    char path[PATH_SIZE];
    if (is_folder || !rp_access_time_of(rp_view_from_cstr(name), &time_ms) ||
        time_ms <= walk->limit_ms) {
        return RP_OK;
    }
    segment_path(walk->folder, time_ms, path);
    _cleanup_fd_ int fd = -1;
    struct rp_sha256 sum;
    RP_TRY(rp_file_open(path, &fd));
    RP_TRY(rp_sha256_of_fd(fd, &sum));
    return walk->each(walk->ctx, time_ms, &sum);
}

rp_err rp_access_each_after(const char *folder, uint64_t after_ms,
                            rp_err (*each)(void *ctx, uint64_t time_ms,
                                           const struct rp_sha256 *sha256),
                            void *ctx) {
    /* Names have equal length for the next 260 years, so byte order is order of time. */
    struct walk walk = {.folder = folder, .limit_ms = after_ms, .each = each, .ctx = ctx};
    return each_in(&walk, tell_one);
}
