#include "memory_loader.h"

static rp_err read_one(void *ctx, rp_view from, rp_view path, struct rp_arena *arena,
                       rp_view *ret_bytes, rp_view *ret_path) {
    const struct memory_files *files = ctx;
    (void)from;
    (void)arena;
    for (size_t i = 0; i < files->count; i++) {
        if (rp_view_equal(path, rp_view_from_cstr(files->files[i].name))) {
            *ret_bytes = files->files[i].bytes;
            *ret_path = path;
            return RP_OK;
        }
    }
    return RP_ERR(NOT_FOUND);
}

static rp_err list(void *ctx, rp_view from, rp_view pattern, struct rp_arena *arena,
                   rp_view **ret_paths, size_t *ret_count) {
    const struct memory_files *files = ctx;
    bool all = rp_view_find_byte(pattern, '*') < pattern.n;
    rp_view *paths = rp_arena_array(arena, files->count, sizeof *paths);
    (void)from;
    if (!paths) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_count = 0;
    for (size_t i = 0; i < files->count; i++) {
        rp_view name = rp_view_from_cstr(files->files[i].name);
        if (i > 0 && (all || rp_view_equal(name, pattern))) {
            paths[(*ret_count)++] = name;
        }
    }
    *ret_paths = paths;
    return RP_OK;
}

struct rp_waf_loader memory_loader(struct memory_files *files) {
    return (struct rp_waf_loader){.ctx = files, .read = read_one, .glob = list};
}
