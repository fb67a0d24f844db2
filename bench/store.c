/* store.c — what a record costs: written beside the disk's own fdatasync, read among many tenants.
 *
 * Write: one tenant, a 1 KiB note, from JSON to committed with its event; every other turn the peer
 * appends 4 KiB to a file and calls fdatasync. Target: p99 ≤ the peer's p99 + 3 ms.
 * Read: a random record of a random tenant. 128 files stay open, so most reads open one; the lease
 * of the tenant's key is not in it. Target: p99 ≤ 2 ms with 10,000 tenants and 1,000,000 records:
 *   REMPART_BENCH_TENANTS=10000 REMPART_BENCH_RECORDS=1000000 make bench-store
 * Export: all of one tenant's 100,000 records of 1 KiB into the tar.gz that it takes away. Target:
 * 10 s.
 */
#include <stdio.h>
#include <time.h>

#include "base/assert.h"
#include "base/checked.h"
#include "bench.h"
#include "crypto/hash.h"
#include "disk.h"
#include "spaces/archive.h"
#include "spaces/internal.h"

enum { ROUNDS = 9, SAMPLES = 100, READS = 4000, NOTE = 1024, EXPORTED = 100000 };

struct world {
    struct rp_env env;
    struct rp_store *store;
    struct rp_secret *key;
    struct rp_arena *arena;
    uint64_t tenants, records; /* in all */
};

/* Tenants and records are numbered, so that any of them can be named again. */
static rp_id name_of(uint64_t kind, uint64_t number) {
    uint64_t words[2] = {kind, number};
    struct rp_sha256 hash = rp_sha256_of(rp_view_of(words, sizeof words));
    rp_id id;
    memcpy(id.b, hash.b, sizeof id.b);
    return id;
}

static struct rp_space space_of(struct world *world, uint64_t tenant) {
    struct rp_space space = {.env = &world->env,
                             .key = world->key,
                             .tenant = name_of(1, tenant),
                             .person = name_of(2, 0),
                             .app = RP_VIEW("notes")};
    BENCH_OK(rp_store_tenant(world->store, space.tenant, true, &space.db, NULL));
    return space;
}

static rp_view note(void) {
    static char text[NOTE];
    memset(text, 'n', sizeof text);
    memcpy(text, "{\"text\":\"", 9);
    memcpy(text + NOTE - 2, "\"}", 2);
    return rp_view_of(text, sizeof text);
}

/* One that packs to half its size, as text does, and not to nothing. */
static rp_view note_of_chance(const struct rp_env *env) {
    static char text[NOTE + 1];
    uint8_t chance[(NOTE - 11) / 2];
    memset(text, ' ', sizeof text);
    memcpy(text, "{\"text\":\"", 9);
    env->fill_random(env->ctx, chance, sizeof chance);
    rp_hex_print(rp_view_of(chance, sizeof chance), text + 9);
    text[9 + 2 * sizeof chance] = ' ';
    memcpy(text + NOTE - 2, "\"}", 2);
    return rp_view_of(text, NOTE);
}

/* ---- writing ---- */

struct writing {
    struct world *world;
    struct rp_space space;
};

static void write_record(void *ctx) {
    struct writing *writing = ctx;
    struct rp_record record;
    rp_arena_reset(writing->world->arena);
    BENCH_OK(rp_space_create(&writing->space, RP_VIEW("bench"), note(), RP_LABEL_NONE,
                             writing->world->arena, &record, NULL));
}

static void bench_write(struct world *world) {
    static int64_t ours[ROUNDS * SAMPLES], peer[ROUNDS * SAMPLES];
    struct writing writing = {world, space_of(world, 0)};
    bench_beside_disk(
        &(struct bench_disk){&world->env, &writing, write_record, ROUNDS, SAMPLES, ours, peer});
    static const unsigned percents[] = {50, 99};
    for (size_t i = 0; i < RP_COUNT_OF(percents); i++) {
        double mine = bench_percentile(ours, RP_COUNT_OF(ours), percents[i]);
        double disk = bench_percentile(peer, RP_COUNT_OF(peer), percents[i]);
        printf(
            "record_write_p%u ours=%.3f peer=%.3f ratio=%.2f (ms a record of 1 KiB with its "
            "event, one tenant, %d samples; peer = this run's fdatasync of 4 KiB; %.3f ms more)\n",
            percents[i], mine, disk, disk / mine, ROUNDS * SAMPLES, mine - disk);
    }
}

/* ---- reading ---- */

struct fill {
    struct world *world;
    uint64_t tenant, count;
    bool by_chance;
};

static rp_err insert_record(struct rp_db *db, rp_id id, rp_view sealed) {
    struct rp_row *row = NULL;
    RP_TRY(
        rp_db_query(db,
                    "INSERT INTO record (app, collection, id, version, changed_ms, label, sealed) "
                    "VALUES ('notes', 'read', ?1, 1, 1, ?3, ?2)",
                    &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_blob(row, 2, sealed);
    rp_row_bind_u64(row, 3, RP_LABEL_INTERNAL);
    return rp_row_run(row, NULL);
}

/* All of a tenant's records in one transaction: filling is not what is measured. */
static rp_err fill_tenant(struct rp_db *db, void *ctx) {
    const struct fill *fill = ctx;
    struct rp_buf sealed = rp_buf_new(2 * NOTE);
    rp_err err = RP_OK;
    for (uint64_t i = 0; rp_ok(err) && i < fill->count; i++) {
        const struct rp_record_place place = {.tenant = name_of(1, fill->tenant),
                                              .app = RP_VIEW("notes"),
                                              .collection = RP_VIEW("read"),
                                              .id = name_of(3, i),
                                              .version = 1,
                                              .changed_ms = 1,
                                              .label = RP_LABEL_INTERNAL};
        rp_buf_clear(&sealed);
        rp_view text = fill->by_chance ? note_of_chance(&fill->world->env) : note();
        err = rp_record_seal(&fill->world->env, fill->world->key, &place, text, &sealed);
        if (rp_ok(err)) {
            err = insert_record(db, place.id, rp_buf_view(&sealed));
        }
    }
    rp_buf_done(&sealed);
    return err;
}

static void fill_all(struct world *world) {
    for (uint64_t i = 0; i < world->tenants; i++) {
        struct rp_space space = space_of(world, i);
        struct fill fill = {world, i, world->records / world->tenants, false};
        BENCH_OK(rp_db_transact(space.db, fill_tenant, &fill));
    }
}

static uint64_t below(const struct world *world, uint64_t limit) {
    uint64_t number;
    world->env.fill_random(world->env.ctx, (uint8_t *)&number, sizeof number);
    return number % limit;
}

static void bench_read(struct world *world) {
    static int64_t times[READS];
    fill_all(world);
    /* What the filling left in write-ahead logs is not what reading costs. */
    rp_store_close(world->store);
    BENCH_OK(rp_store_open(&world->env, "sqlite:", &world->store, NULL));
    for (size_t i = 0; i < READS; i++) {
        struct rp_record record;
        uint64_t tenant = below(world, world->tenants);
        rp_id id = name_of(3, below(world, world->records / world->tenants));
        rp_arena_reset(world->arena);
        int64_t start = bench_now_ns(&world->env);
        struct rp_space space = space_of(world, tenant);
        BENCH_OK(rp_space_read(&space, RP_VIEW("read"), id, world->arena, &record));
        times[i] = bench_now_ns(&world->env) - start;
        RP_ASSERT(record.document.n == NOTE);
    }
    double p99 = bench_percentile(times, READS, 99), p50 = bench_percentile(times, READS, 50);
    printf(
        "record_read_p99 ours=%.3f peer=2.000 ratio=%.2f (ms, %llu tenants, %llu records, random; "
        "peer = the limit; median %.3f ms)\n",
        p99, 2.0 / p99, (unsigned long long)world->tenants, (unsigned long long)world->records,
        p50);
}

/* ---- taking everything away ---- */

static void bench_export(struct world *world) {
    const uint64_t tenant = world->tenants; /* one that nobody filled */
    struct rp_space space = space_of(world, tenant);
    struct fill fill = {world, tenant, EXPORTED, true};
    struct rp_archive *archive = NULL;
    struct rp_buf piece = rp_buf_new(16 << 20);
    uint64_t bytes = 0;
    bool more = true;
    BENCH_OK(rp_db_transact(space.db, fill_tenant, &fill));
    int64_t start = bench_now_ns(&world->env);
    clock_t worked = clock();
    BENCH_OK(rp_archive_new(&world->env, space.tenant, &archive));
    while (more) {
        BENCH_OK(rp_archive_next(archive, &space, &piece, &more, NULL));
        bytes += piece.n;
        rp_buf_clear(&piece);
    }
    double seconds = (double)(bench_now_ns(&world->env) - start) / 1e9;
    double processor = (double)(clock() - worked) / CLOCKS_PER_SEC;
    rp_archive_free(archive);
    rp_buf_done(&piece);
    printf("export ours=%.2f peer=10 ratio=%.1f (s for %d records of 1 KiB; peer = the limit; %.1f "
           "MiB of tar.gz, %.2f s of processor time)\n",
           seconds, 10 / seconds, EXPORTED, (double)bytes / (1 << 20), processor);
}

int main(void) {
    struct bench_folder folder;
    struct world world = {.env = rp_env_real(),
                          .tenants = bench_setting("REMPART_BENCH_TENANTS", 300),
                          .records = bench_setting("REMPART_BENCH_RECORDS", 30000),
                          .arena = rp_arena_new(4 << 20)};
    RP_ASSERT(world.arena != NULL && world.tenants > 0 && world.records >= world.tenants);
    bench_folder_enter(&folder);
    BENCH_OK(rp_crypto_start());
    BENCH_OK(rp_secret_new_random(&world.env, 32, &world.key));
    BENCH_OK(rp_store_open(&world.env, "sqlite:", &world.store, NULL));
    bench_write(&world);
    bench_export(&world);
    bench_read(&world);
    rp_store_close(world.store);
    rp_secret_free(world.key);
    rp_arena_free(world.arena);
    bench_folder_leave(&folder);
    return 0;
}
