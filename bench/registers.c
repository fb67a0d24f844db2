/* registers.c — the registers full: a page, a search, a write beside the disk's own fdatasync, and
 * deadlines by the hundred thousand.
 *
 * Records are made through the same door as anybody's, a thousand in a transaction. Targets, with a
 * million records: page and search p99 ≤ 50 ms, write p99 ≤ this run's fdatasync p99 + 10 ms, at
 * most 64 MB more memory; with 100,000 running clocks those that are due fire within 1 s, and a
 * restart knows the next one within 1 s. Alone it takes 50,000 records:
 *   REMPART_BENCH_RECORDS=1000000 make bench-registers
 * On PostgreSQL, in a schema that is not there yet and stays:
 *   REMPART_BENCH_STORE='postgresql://rempart@/rempart?host=/run/postgresql&schema=bench' …
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "bench.h"
#include "disk.h"
#include "os/file.h"
#include "register/save.h"
#include "register/tidy.h"
#include "register/words.h"

enum {
    BATCH = 1000,
    ASKS = 2000,
    SAMPLES = 100,
    ROUNDS = 5,
    CLOCKS = 100000,
    DUE = 640,
    TAKEN_FROM = 10000
};

struct world {
    struct rp_env env;
    struct rp_store *store;
    struct rp_db *db;
    struct rp_secret *key;
    struct rp_arena *lasting, *arena;
    struct rp_registers registers;
    const struct rp_register
        *used[RP_REGISTERS_MAX]; /* whose records can be made from types alone */
    size_t used_count;
    rp_id person;
    uint64_t seed, made;
};

static const char *store_url(void) {
    const char *url = getenv("REMPART_BENCH_STORE");
    return url ? url : "sqlite:";
}

static uint64_t chance(struct world *world, uint64_t below) {
    world->seed = world->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (world->seed >> 33) % below;
}

static struct rp_desk desk_of(struct world *world) {
    return (struct rp_desk){.env = &world->env,
                            .db = world->db,
                            .key = world->key,
                            .registers = &world->registers,
                            .arena = world->arena,
                            .actor = {.owner = true, .how = "cli"}};
}

/* ---- records out of a schema ---- */

static void add_field(struct world *world, struct rp_json *fields, const struct rp_field *field) {
    struct rp_arena *arena = world->arena;
    rp_view word =
        rp_arena_printf(arena, "word%llu item %llu", (unsigned long long)chance(world, 5000),
                        (unsigned long long)world->made);
    switch (field->type) {
    case RP_FIELD_TEXT:
        rp_json_add_string(arena, fields, field->id, word);
        break;
    case RP_FIELD_NUMBER:
        rp_json_add_u64(arena, fields, field->id, 1 + chance(world, 20));
        break;
    case RP_FIELD_DATE:
        rp_json_add_cstr(arena, fields, field->id, "2099-01-01");
        break;
    case RP_FIELD_DATETIME:
        rp_json_add_cstr(arena, fields, field->id, "2099-01-01T00:00:00Z");
        break;
    case RP_FIELD_CHOICE:
        rp_json_add_cstr(arena, fields, field->id,
                         field->choices[chance(world, field->choice_count)].id);
        break;
    case RP_FIELD_PERSON:
        rp_json_add_cstr(arena, fields, field->id, rp_id_print(world->person).s);
        break;
    case RP_FIELD_FILE:
        rp_json_add_cstr(arena, fields, field->id,
                         "00000000000000000000000000000000"
                         "00000000000000000000000000000000");
        break;
    case RP_FIELD_BOOL:
        rp_json_add_bool(arena, fields, field->id, true);
        break;
    case RP_FIELD_MULTI:
    case RP_FIELD_DIGESTS:
    case RP_FIELD_REFERENCE:
    case RP_FIELD_LEAF:
    case RP_FIELD_URL:
    case RP_FIELD_DURATION:
    case RP_FIELD_COMPUTED:
    case RP_FIELD_TYPE_COUNT:
        break;
    }
}

static rp_err make_one(struct world *world, const struct rp_register *reg, rp_id *ret_id) {
    struct rp_desk desk = desk_of(world);
    struct rp_json *fields = rp_json_object(world->arena);
    struct rp_entry record;
    for (size_t i = 0; i < reg->field_count; i++) {
        if (reg->fields[i].required) {
            add_field(world, fields, &reg->fields[i]);
        }
    }
    struct rp_change change = {.fields = fields};
    RP_TRY(rp_create_inside(&desk, reg, &change, &record));
    world->made++;
    *ret_id = record.facts.id;
    return RP_OK;
}

struct batch {
    struct world *world;
    size_t count;
};

static rp_err fill_batch(struct rp_db *db, void *ctx) {
    const struct batch *batch = ctx;
    rp_id id;
    (void)db;
    for (size_t i = 0; i < batch->count; i++) {
        rp_arena_reset(batch->world->arena);
        RP_TRY(make_one(batch->world, batch->world->used[i % batch->world->used_count], &id));
    }
    return RP_OK;
}

static rp_err try_register(struct rp_db *db, void *ctx) {
    (void)db;
    struct world *world = ctx;
    rp_id id;
    rp_arena_reset(world->arena);
    return make_one(world, world->used[world->used_count], &id);
}

/* Those whose rules let a record stand that was made from types alone. */
static void find_usable(struct world *world) {
    const struct rp_register *persons = rp_register_find(&world->registers, RP_VIEW("persons"));
    RP_ASSERT(persons != NULL);
    world->used[0] = persons;
    BENCH_OK(rp_db_transact(world->db, try_register, world));
    struct rp_desk desk = desk_of(world);
    struct rp_query query = {.reg = persons, .count = 1};
    struct rp_page page;
    BENCH_OK(rp_desk_list(&desk, &query, &page));
    world->person = page.records[0].facts.id;
    for (size_t i = 0; i < world->registers.count; i++) {
        world->used[world->used_count] = &world->registers.list[i];
        world->used_count += rp_ok(rp_db_transact(world->db, try_register, world));
    }
}

/* As the ledger would: without it a hundred thousand events wait, and nobody may write. */
static rp_err take_events(struct rp_db *db) {
    uint64_t acked = 0, last = 0;
    RP_TRY(rp_db_outbox_state(db, &acked, &last));
    return last - acked > TAKEN_FROM ? rp_db_outbox_ack(db, last) : RP_OK;
}

static void fill(struct world *world, uint64_t records) {
    int64_t start = bench_now_ns(&world->env);
    while (world->made < records) {
        struct batch batch = {world, (size_t)RP_MIN((uint64_t)BATCH, records - world->made)};
        BENCH_OK(rp_db_transact(world->db, fill_batch, &batch));
        BENCH_OK(take_events(world->db));
        BENCH_OK(rp_words_settle(world->db));
    }
    printf("# %llu records over %zu registers, made in %.1f s\n", (unsigned long long)world->made,
           world->used_count, (double)(bench_now_ns(&world->env) - start) / 1e9);
}

/* ---- what is measured ---- */

static uint64_t resident_kb(struct world *world) {
    rp_view text;
    uint64_t pages = 0;
    BENCH_OK(rp_file_read("/proc/self/statm", 4096, world->arena, &text));
    (void)rp_view_cut(&text, ' ');
    RP_ASSERT(rp_view_to_u64(rp_view_cut(&text, ' '), UINT64_MAX, &pages));
    return pages * 4;
}

static void ask(struct world *world, const char *name, bool search) {
    static int64_t times[ASKS];
    for (size_t i = 0; i < ASKS; i++) {
        rp_arena_reset(world->arena);
        struct rp_desk desk = desk_of(world);
        const struct rp_register *reg = world->used[chance(world, world->used_count)];
        struct rp_query query = {.reg = reg,
                                 .count = 25,
                                 .descending = true,
                                 .sort = i % 2 ? RP_VIEW("number") : RP_VIEW("changed")};
        struct rp_page page;
        if (search) {
            query.text =
                rp_arena_printf(world->arena, "word%llu", (unsigned long long)chance(world, 5000));
        } else {
            query.from = 25 * chance(world, 8);
        }
        int64_t start = bench_now_ns(&world->env);
        BENCH_OK(rp_desk_list(&desk, &query, &page));
        times[i] = bench_now_ns(&world->env) - start;
    }
    printf("register_%s_p99 ours=%.2f peer=50 ratio=%.1f (ms a page of 25, %d asked, median %.2f; "
           "peer = the target)\n",
           name, bench_percentile(times, ASKS, 99), 50 / bench_percentile(times, ASKS, 99), ASKS,
           bench_percentile(times, ASKS, 50));
}

struct forwarding {
    struct world *world;
    pthread_t thread;
    atomic_bool over;
};

static void write_one(void *ctx) {
    struct batch batch = {ctx, 1};
    BENCH_OK(rp_db_transact(batch.world->db, fill_batch, &batch));
}

/* As core: takes the events and brings the log beside the database into it, ten times a second; and
 * twice a second keeps the index of words. */
static void *forward(void *ctx) {
    struct forwarding *forwarding = ctx;
    struct rp_store *store = NULL;
    struct rp_db *db = NULL;
    struct rp_tidying tidying = {.seen = 0};
    const struct timespec pause = {.tv_nsec = 100000000};
    BENCH_OK(rp_store_open(&forwarding->world->env, store_url(), &store, NULL));
    BENCH_OK(rp_store_system(store, &db, NULL));
    for (unsigned round = 0; !atomic_load(&forwarding->over); round++) {
        uint64_t acked = 0, last = 0;
        if (rp_ok(rp_db_outbox_state(db, &acked, &last)) && last > acked) {
            rp_ignore(rp_db_outbox_ack(db, last)); /* the next round does what this could not */
        }
        rp_ignore(rp_db_checkpoint(db));
        if (round % 5 == 0) {
            rp_ignore(rp_tidy_round(&forwarding->world->env, db, &tidying));
        }
        nanosleep(&pause, NULL);
    }
    rp_store_close(store);
    return NULL;
}

static void begin_forwarding(struct forwarding *forwarding) {
    int rc = pthread_create(&forwarding->thread, NULL, forward, forwarding);
    RP_ASSERT(rc == 0);
}

static void end_forwarding(struct forwarding *forwarding) {
    atomic_store(&forwarding->over, true);
    pthread_join(forwarding->thread, NULL);
}

static void write_beside_disk(struct world *world) {
    static int64_t ours[ROUNDS * SAMPLES], peer[ROUNDS * SAMPLES];
    bench_beside_disk(
        &(struct bench_disk){&world->env, world, write_one, ROUNDS, SAMPLES, ours, peer});
    double mine = bench_percentile(ours, RP_COUNT_OF(ours), 99);
    double disk = bench_percentile(peer, RP_COUNT_OF(peer), 99);
    printf("register_write_p99 ours=%.2f peer=%.2f ratio=%.2f (ms a record with history, index, "
           "clocks and event, %d samples; peer = this run's fdatasync of 4 KiB; %.2f ms more)\n",
           mine, disk, disk / mine, ROUNDS * SAMPLES, mine - disk);
}

/* ---- clocks ---- */

static rp_err put_clocks(struct rp_db *db, void *ctx) {
    struct world *world = ctx;
    int64_t now_ms = rp_env_now_ms(&world->env), day_ms = (int64_t)86400 * 1000;
    struct rp_calendar calendar = {false};
    struct rp_plan plan = {.remind_count = 0};
    for (uint64_t i = 0; i < CLOCKS; i++) {
        struct rp_clock_key key = {rp_env_new_id(&world->env), RP_VIEW("bench")};
        int64_t due_ms = i < DUE ? now_ms - 1 : now_ms + day_ms + (int64_t)i;
        struct rp_clock clock = rp_clock_plan(&calendar, &plan, now_ms - day_ms, due_ms);
        RP_TRY(rp_clock_put(db, &key, &clock));
    }
    return RP_OK;
}

static void ring(struct world *world) {
    BENCH_OK(rp_db_transact(world->db, put_clocks, world));
    size_t fired = 1, all = 0;
    int64_t start = bench_now_ns(&world->env);
    while (fired > 0) {
        rp_arena_reset(world->arena);
        struct rp_desk desk = desk_of(world);
        BENCH_OK(rp_desk_tick(&desk, &fired));
        all += fired;
    }
    double ms = (double)(bench_now_ns(&world->env) - start) / 1e6;
    RP_ASSERT(all >= DUE);
    printf("register_clocks ours=%.1f peer=1000 ratio=%.1f (ms until %zu due of %d running clocks "
           "have fired; peer = the target)\n",
           ms, 1000 / ms, all, CLOCKS);
}

static void restart(struct world *world) {
    int64_t when = 0, start = 0;
    rp_store_close(world->store);
    start = bench_now_ns(&world->env);
    BENCH_OK(rp_store_open(&world->env, store_url(), &world->store, NULL));
    BENCH_OK(rp_store_system(world->store, &world->db, NULL));
    BENCH_OK(rp_clock_when(world->db, &when));
    double ms = (double)(bench_now_ns(&world->env) - start) / 1e6;
    printf("register_restart ours=%.1f peer=1000 ratio=%.1f (ms from the closed database to the "
           "next deadline known; peer = the target)\n",
           ms, 1000 / ms);
}

int main(void) {
    struct world world = {.env = rp_env_real(), .seed = 7};
    struct bench_folder folder;
    char here[4096], registers[4200];
    uint64_t records = bench_setting("REMPART_BENCH_RECORDS", 50000);
    RP_ASSERT(getcwd(here, sizeof here) != NULL);
    (void)snprintf(registers, sizeof registers, "%s/registers", here);
    BENCH_OK(rp_crypto_start());
    world.lasting = rp_arena_new(64 << 20);
    world.arena = rp_arena_new(64 << 20);
    struct rp_diag diag = {0};
    BENCH_OK(rp_registers_load(registers, world.lasting, &world.registers, &diag));
    bench_folder_enter(&folder);
    BENCH_OK(rp_store_open(&world.env, store_url(), &world.store, NULL));
    BENCH_OK(rp_store_system(world.store, &world.db, NULL));
    BENCH_OK(rp_secret_new_random(&world.env, 32, &world.key));
    find_usable(&world);
    ask(&world, "warm", false);
    uint64_t before = resident_kb(&world);
    fill(&world, records);
    struct forwarding forwarding = {.world = &world};
    begin_forwarding(&forwarding);
    ask(&world, "page", false);
    ask(&world, "search", true);
    write_beside_disk(&world);
    end_forwarding(&forwarding);
    uint64_t after = resident_kb(&world);
    printf("register_memory ours=%.1f peer=64 ratio=%.1f (MB more resident than before the "
           "records; peer = the target)\n",
           (double)(after - RP_MIN(before, after)) / 1024,
           64 * 1024.0 / (double)RP_MAX(after - RP_MIN(before, after), (uint64_t)1));
    ring(&world);
    restart(&world);
    rp_secret_free(world.key);
    rp_store_close(world.store);
    bench_folder_leave(&folder);
    return 0;
}
