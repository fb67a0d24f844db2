#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"

void unit_assert_view(rp_view got, rp_view want, const char *file, int line) {
    if (!rp_view_equal(got, want)) {
        print_error("got:  \"%.*s\" (%zu bytes)\nwant: \"%.*s\" (%zu bytes)\n", RP_FMT(got), got.n,
                    RP_FMT(want), want.n);
        _fail(file, line);
    }
}

void unit_assert_err(rp_err got, enum rp_code want, const char *file, int line) {
    if (got.code != (int32_t)want) {
        print_error("got error %s, want %s\n", rp_err_name(got),
                    rp_err_name((rp_err){(int32_t)want}));
        _fail(file, line);
    }
}

rp_view unit_hex(const char *text) {
    static uint8_t bytes[4096];
    rp_view v = rp_view_from_cstr(text);
    assert_true(v.n / 2 <= sizeof bytes);
    assert_true(rp_hex_parse(v, bytes, v.n / 2));
    return rp_view_of(bytes, v.n / 2);
}

static int64_t world_now(void *ctx) {
    return ((struct unit_world *)ctx)->now_ns;
}

static void world_random(void *ctx, uint8_t *out, size_t n) {
    struct unit_world *world = ctx;
    for (size_t i = 0; i < n; i++) {
        /* splitmix64: good enough to be distinct, and the same every time. */
        uint64_t z = (world->random_state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        out[i] = (uint8_t)(z ^ (z >> 31));
    }
}

struct rp_env unit_env(struct unit_world *world) {
    return (struct rp_env){
        .ctx = world, .now_ns = world_now, .monotonic_ns = world_now, .fill_random = world_random};
}

char *unit_dir_new(void) {
    const char *tmp = getenv("TMPDIR");
    char *path = NULL;
    assert_true(asprintf(&path, "%s/rempart-unit-XXXXXX", tmp ? tmp : "/tmp") > 0);
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void unit_dir_remove(char *path) {
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(path);
}

uint8_t *unit_file(const char *path, size_t *ret_n) {
    FILE *f = fopen(path, "re");
    if (!f) {
        fail_msg("cannot open %s", path);
    }
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long n = ftell(f);
    assert_true(n >= 0);
    rewind(f);
    uint8_t *bytes = test_malloc((size_t)n + 1);
    assert_int_equal(fread(bytes, 1, (size_t)n, f), (size_t)n);
    bytes[n] = 0;
    fclose(f);
    *ret_n = (size_t)n;
    return bytes;
}

const char *unit_corpora(const char *name) {
    static char path[4096];
    const char *root = getenv("REMPART_CORPORA");
    if (!root) {
        return NULL;
    }
    snprintf(path, sizeof path, "%s/%s", root, name);
    return access(path, R_OK) == 0 ? path : NULL;
}

size_t unit_pages_in(void *mapping, size_t n) {
    const size_t page = 4096, pages = (n + page - 1) / page;
    unsigned char *there = test_malloc(pages);
    size_t count = 0;
    assert_int_equal(mincore(mapping, n, there), 0);
    for (size_t i = 0; i < pages; i++) {
        count += there[i] & 1;
    }
    test_free(there);
    return count;
}

const char *unit_store_url(void) {
    static char url[512];
    char folder[256];
    const char *server = getenv("REMPART_STORE");
    if (server == NULL) {
        return "sqlite:";
    }
    assert_non_null(getcwd(folder, sizeof folder));
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: the folder's name is chance enough */
    for (const char *c = folder; *c != 0; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    }
    snprintf(url, sizeof url, "%s&schema=u%016llx", server, (unsigned long long)hash);
    return url;
}
