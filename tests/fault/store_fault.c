/* store_fault.c — a tenant's database and its outbox: a change and its event are both there or
 * neither, whichever call fails in opening, migrating, writing, forwarding and closing. */
#include <unistd.h>

#include "base/checked.h"
#include "fault.h"
#include "store/store.h"

static const rp_id tenant = {{0xaa, 1}};
enum { ROUNDS = 3, ARENA = 1 << 20 };

struct world {
    struct unit_world time;
    struct rp_env env;
    char *folder;
};

static void set_up(void *ctx) {
    struct world *world = ctx;
    world->time = (struct unit_world){.now_ns = 1000000000};
    world->env = unit_env(&world->time);
    world->folder = unit_dir_new();
    assert_int_equal(chdir(world->folder), 0);
}

static void tear_down(void *ctx) {
    struct world *world = ctx;
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(world->folder);
}

static rp_err put(struct rp_db *db, void *ctx) {
    const unsigned *n = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
                       "VALUES ('notes', 'a', ?1, 1, 5, x'01')",
                       &row));
    rp_row_bind_id(row, 1, (rp_id){{(uint8_t)(*n + 1)}});
    RP_TRY(rp_row_run(row, NULL));
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA);
    struct rp_event *event =
        arena ? rp_event_new(arena, RP_EVENT_RECORD_CREATED, 5, RP_ROLE_CORE) : NULL;
    if (!event) {
        return RP_ERR(NO_MEMORY);
    }
    rp_event_add_u64(event, "version", *n);
    return rp_db_emit(db, event);
}

/* As the forwarder does: what waits is read, and acknowledged when the ledger has it. */
static rp_err forward(struct rp_db *db) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA);
    uint64_t first = 0;
    rp_view *events = NULL;
    size_t count = 0;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_db_outbox(db, 16, arena, &first, &events, &count));
    return count > 0 ? rp_db_outbox_ack(db, first + count - 1) : RP_OK;
}

static rp_err write_some(struct rp_store *store, unsigned *told) {
    struct rp_db *db = NULL;
    RP_TRY(rp_store_tenant(store, tenant, true, &db, NULL));
    for (unsigned i = 0; i < ROUNDS; i++) {
        RP_TRY(rp_db_transact(db, put, told));
        ++*told;
        RP_TRY(i == 1 ? forward(db) : RP_OK);
    }
    return RP_OK;
}

static rp_err work(void *ctx, unsigned *told) {
    struct world *world = ctx;
    for (int start = 0; start < 2; start++) {
        struct rp_store *store = NULL;
        RP_TRY(rp_store_open(&world->env, "sqlite:", &store, NULL));
        rp_err err = write_some(store, told);
        rp_store_close(store);
        RP_TRY(err);
    }
    return RP_OK;
}

static uint64_t count_records(struct rp_db *db) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, "SELECT count(*) FROM record", &row));
    assert_ok(rp_row_first(row));
    uint64_t count = rp_row_u64(row, 0);
    rp_row_done(row);
    return count;
}

static void check(void *ctx, unsigned told) {
    struct world *world = ctx;
    struct rp_store *store = NULL;
    struct rp_db *db = NULL;
    assert_ok(rp_store_open(&world->env, "sqlite:", &store, NULL));
    assert_ok(rp_store_tenant(store, tenant, true, &db, NULL));
    uint64_t records = count_records(db), acked = 0, last = 0;
    assert_ok(rp_db_outbox_state(db, &acked, &last));
    /* At most the one in flight is there beyond what was acknowledged. */
    assert_in_range(records, told, told + 1);
    assert_int_equal(last, records);
    assert_true(acked <= last);
    assert_ok(forward(db));
    unsigned next = (unsigned)records;
    assert_ok(rp_db_transact(db, put, &next));
    rp_store_close(store);
}

int main(void) {
    struct world world;
    const struct fault_test test = {set_up, work, check, tear_down, &world};
    return fault_main(&test, 29);
}
