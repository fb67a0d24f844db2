/* disk.h — what benches of the store share: a folder of their own, the disk as peer, percentiles.
 *
 * The peer of a durable write is this run's own fdatasync of 4 KiB, sampled between the rounds of
 * what is measured, so that a disk that grows slower grows slower for both.
 */
#ifndef RP_BENCH_DISK_H
#define RP_BENCH_DISK_H

#include "base/env.h"

/* Works in a new folder on a disk, not in memory; the leaving removes it with what lies in it. */
struct bench_folder {
    char path[64];
};
void bench_folder_enter(struct bench_folder *folder);
void bench_folder_leave(const struct bench_folder *folder);

int64_t bench_now_ns(const struct rp_env *env);
/* Sorts the times; the answer is in milliseconds. */
double bench_percentile(int64_t *times, size_t n, unsigned percent);
/* A number from the environment, or the usual one. */
uint64_t bench_setting(const char *name, uint64_t usual);

struct bench_disk {
    const struct rp_env *env;
    void *ctx;
    void (*write)(void *ctx); /* one durable write of ours */
    size_t rounds, samples;   /* of each in a round */
    int64_t *ours, *peer;     /* rounds × samples, in ns */
};
void bench_beside_disk(const struct bench_disk *disk);

#endif
