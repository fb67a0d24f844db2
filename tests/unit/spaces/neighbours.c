/* neighbours.c — what the tests of records and of files stand on. */
#include "neighbours.h"

static const rp_id person = {{0xa1}};

void neighbours_start(struct neighbours *near) {
    near->world = (struct unit_world){.now_ns = (int64_t)1800000000 * 1000000000};
    near->env = unit_env(&near->world);
    assert_ok(rp_crypto_start());
    stack_start(&near->stack);
    struct rp_identity_options options = {
        .second_factor_required = true, .session_ms = 3600000, .idle_s = 3600};
    assert_ok(rp_store_open(&near->env, unit_store_url(), &near->store, NULL));
    assert_ok(rp_keys_new(&near->env, &near->keys));
    assert_ok(rp_identity_new(&near->env, near->store, near->keys, &options, &near->identity));
    assert_ok(rp_identity_new_tenant(near->identity, RP_VIEW("Alpha"), &near->alpha));
    assert_ok(rp_identity_new_tenant(near->identity, RP_VIEW("Beta"), &near->beta));
    near->arena = rp_arena_new(64 << 20);
    assert_non_null(near->arena);
}

void neighbours_stop(struct neighbours *near) {
    rp_arena_free(near->arena);
    rp_identity_free(near->identity);
    rp_keys_free(near->keys);
    rp_store_close(near->store);
    stack_stop(&near->stack);
}

struct rp_space neighbours_space(struct neighbours *near, rp_id tenant) {
    struct rp_space space = {
        .env = &near->env, .tenant = tenant, .person = person, .app = RP_VIEW("notes-app")};
    assert_ok(rp_identity_tenant_key(near->identity, tenant, &space.key));
    assert_ok(rp_store_tenant(near->store, tenant, false, &space.db, NULL));
    return space;
}
