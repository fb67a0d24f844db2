/* compile_io.c — reads rule files and lists patterns. */
#include "shield/compile_io.h"

#include <errno.h>
#include <glob.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

/* path as it stands, or beside the file that names it. */
static char *resolve(rp_view from, rp_view path, struct rp_arena *arena) {
    size_t folder = from.n;
    while (folder > 0 && from.p[folder - 1] != '/') {
        folder--;
    }
    bool absolute = path.n > 0 && path.p[0] == '/';
    if (absolute || folder == 0) {
        return rp_arena_cstr(arena, path);
    }
    size_t total = 0;
    uint8_t *joined = rp_add(folder, path.n, &total) ? rp_arena_alloc(arena, total) : NULL;
    if (!joined) {
        return NULL;
    }
    memcpy(joined, from.p, folder);
    if (path.n > 0) {
        memcpy(joined + folder, path.p, path.n);
    }
    return rp_arena_cstr(arena, rp_view_of(joined, total));
}

static rp_err read_one(void *ctx, rp_view from, rp_view path, struct rp_arena *arena,
                       rp_view *ret_bytes, rp_view *ret_path) {
    (void)ctx;
    char *name = resolve(from, path, arena);
    if (!name) {
        return RP_ERR(INVALID);
    }
    rp_view bytes;
    RP_TRY(rp_file_read(name, RP_WAF_FILE_MAX, arena, &bytes));
    *ret_bytes = bytes;
    *ret_path = rp_view_from_cstr(name);
    return RP_OK;
}

static rp_err copy_paths(const glob_t *found, struct rp_arena *arena, rp_view **ret_paths) {
    rp_view *paths = rp_arena_array(arena, found->gl_pathc, sizeof *paths);
    if (!paths) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < found->gl_pathc; i++) {
        RP_TRY(rp_arena_copy(arena, rp_view_from_cstr(found->gl_pathv[i]), &paths[i]));
    }
    *ret_paths = paths;
    return RP_OK;
}

static int by_bytes(const void *a, const void *b) {
    return rp_view_compare(*(const rp_view *)a, *(const rp_view *)b);
}

/* A folder that is not there holds no file; one that cannot be read might. */
static int is_fault(const char *path, int error) {
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

/* The paths come back absolute, or such that `from`'s folder is not put before them again. */
static rp_err list(void *ctx, rp_view from, rp_view pattern, struct rp_arena *arena,
                   rp_view **ret_paths, size_t *ret_count) {
    (void)ctx;
    char *name = resolve(from, pattern, arena);
    if (!name) {
        return RP_ERR(INVALID);
    }
    glob_t found = {0};
    int status = glob(name, GLOB_NOSORT, is_fault, &found);
    if (status == GLOB_NOMATCH) {
        globfree(&found);
        *ret_count = 0;
        return RP_OK;
    }
    rp_err err = status == 0 ? copy_paths(&found, arena, ret_paths) : RP_ERR(IO);
    if (rp_ok(err)) {
        *ret_count = found.gl_pathc;
        qsort(*ret_paths, *ret_count, sizeof **ret_paths, by_bytes);
    }
    globfree(&found);
    return err;
}

struct rp_waf_loader rp_waf_disk_loader(void) {
    return (struct rp_waf_loader){.read = read_one, .glob = list};
}
