/* ledger_fault.c — the log: what was told "stored" is there, the trees verify, whichever call fails
 * in opening, appending, growing and signing. */
#include "fault.h"
#include "ledger/read_io.h"
#include "vault.h"

static const rp_id stream = {{5, 5}};
enum { ROUNDS = 1, EVENTS = 2 };

static void set_up(void *ctx) {
    struct vault *vault = ctx;
    *vault = (struct vault){0};
    vault_new(vault);
    vault->segment_bytes = 300; /* so that a segment ends within the work */
}

static void tear_down(void *ctx) {
    vault_remove(ctx);
}

static rp_err append(struct vault *vault, unsigned *told) {
    for (unsigned i = 0; i < EVENTS; i++) {
        uint64_t next;
        RP_TRY(vault_stage(vault, vault_tenant(4), stream, *told + 1, 100, &next));
        RP_TRY(rp_engine_commit(vault->engine));
        ++*told;
    }
    return RP_OK;
}

static rp_err grow(struct vault *vault) {
    RP_TRY(rp_forest_derive(vault->forest, rp_engine_end(vault->engine), NULL));
    RP_TRY(rp_forest_publish(vault->forest, RP_FOREST_ALL, NULL));
    return rp_engine_save(vault->engine, rp_forest_place(vault->forest));
}

static rp_err work(void *ctx, unsigned *told) {
    struct vault *vault = ctx;
    for (int start = 0; start < 2; start++) {
        RP_TRY(vault_try_open(vault, NULL));
        rp_err err = RP_OK;
        for (unsigned i = 0; rp_ok(err) && i < ROUNDS; i++) {
            err = append(vault, told);
            err = rp_ok(err) ? grow(vault) : err;
        }
        vault_close(vault);
        RP_TRY(err);
    }
    return RP_OK;
}

static void check(void *ctx, unsigned told) {
    struct vault *vault = ctx;
    uint64_t next;
    vault_open(vault);
    uint64_t size = rp_engine_size(vault->engine, vault_tenant(4));
    /* At most the one in flight is there beyond what was told. */
    assert_in_range(size, told, told + 1);
    assert_ok(vault_stage(vault, vault_tenant(4), stream, size + 1, 100, &next));
    assert_ok(rp_engine_commit(vault->engine));
    vault_publish(vault);
    struct rp_verify_report report;
    rp_err err = rp_verify_folder("ledger", NULL, NULL, &report);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", report.bad_file, report.problem);
    }
    vault_close(vault);
}

int main(void) {
    struct vault vault;
    const struct fault_test test = {set_up, work, check, tear_down, &vault};
    return fault_main(&test, 1);
}
