#include "disk.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "bench.h"
#include "os/file.h"

void bench_folder_enter(struct bench_folder *folder) {
    static const char template[] = "/var/tmp/rempart-bench-XXXXXX";
    _Static_assert(sizeof template <= sizeof folder->path, "the path fits");
    memcpy(folder->path, template, sizeof template);
    if (mkdtemp(folder->path) == NULL || chdir(folder->path) != 0) {
        fprintf(stderr, "bench: no folder under /var/tmp\n");
        abort();
    }
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void bench_folder_leave(const struct bench_folder *folder) {
    if (chdir("/") != 0 || nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        fprintf(stderr, "bench: %s is left behind\n", folder->path);
    }
}

int64_t bench_now_ns(const struct rp_env *env) {
    return env->monotonic_ns(env->ctx);
}

static int by_time(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

double bench_percentile(int64_t *times, size_t n, unsigned percent) {
    RP_ASSERT(n > 0 && percent <= 100);
    qsort(times, n, sizeof *times, by_time);
    return (double)times[(n - 1) * percent / 100] / 1e6;
}

uint64_t bench_setting(const char *name, uint64_t usual) {
    const char *text = getenv(name);
    uint64_t value = 0;
    return text && rp_view_to_u64(rp_view_from_cstr(text), 100000000, &value) ? value : usual;
}

void bench_beside_disk(const struct bench_disk *disk) {
    static const uint8_t block[4096] = {1};
    _cleanup_fd_ int fd = -1;
    BENCH_OK(rp_file_open_append("peer", 0600, &fd));
    for (size_t i = 0; i < disk->rounds * disk->samples; i += disk->samples) {
        for (size_t s = i; s < i + disk->samples; s++) {
            int64_t start = bench_now_ns(disk->env);
            disk->write(disk->ctx);
            disk->ours[s] = bench_now_ns(disk->env) - start;
        }
        for (size_t s = i; s < i + disk->samples; s++) {
            int64_t start = bench_now_ns(disk->env);
            BENCH_OK(rp_file_write_all(fd, rp_view_of(block, sizeof block)));
            BENCH_OK(rp_file_sync(fd));
            disk->peer[s] = bench_now_ns(disk->env) - start;
        }
    }
}
