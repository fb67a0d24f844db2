/* tables.c — the shared tables that the gate maps: made anew at start, filled from the database. */
#include "core.h"

#include "base/assert.h"
#include "identity/assertion_table.h"

enum { TABLE_MODE = 0640, SEEN_MODE = 0660, HEARTBEAT_MS = 1000 };

rp_err core_tables_create(struct core *core) {
    RP_TRY(
        rp_shm_create("run/sessions.tab", TABLE_MODE, rp_session_table_bytes(), &core->sessions));
    RP_TRY(rp_shm_create("run/seen.tab", SEEN_MODE, rp_seen_table_bytes(), &core->seen));
    RP_TRY(rp_shm_survive(&core->seen)); /* the gate writes there, and could cut it short */
    RP_TRY(rp_shm_create("run/assertions.tab", TABLE_MODE, rp_assertion_table_bytes(),
                         &core->assertions));
    uint64_t generation;
    core->env.fill_random(core->env.ctx, (uint8_t *)&generation, sizeof generation);
    rp_session_table_init(core->sessions.p, generation, rp_env_now_ms(&core->env));
    rp_assertion_table_init(core->assertions.p);
    core->web.sessions = core->sessions.p;
    core->web.seen = core->seen.p;
    core->web.assertions = core->assertions.p;
    return RP_OK;
}

static rp_err put_session(void *ctx, const struct rp_session *session) {
    struct core *core = ctx;
    return rp_session_table_put(core->sessions.p, core->seen.p, &session->cookie_hash,
                                &session->view, session->idle_max_s, rp_env_now_ms(&core->env));
}

rp_err core_tables_fill(struct core *core, struct rp_identity *identity) {
    RP_ASSERT(core->sessions.p != NULL);
    return rp_identity_each_session(identity, put_session, core);
}

/* Workers write there and one of them may have cut it short. Everybody counts as just seen. */
static void mend_seen(const struct core *core) {
    if (rp_shm_is_lost(&core->seen) &&
        rp_ok(rp_shm_renew("run/seen.tab", SEEN_MODE, &core->seen))) {
        rp_seen_table_fill(core->seen.p, rp_env_now_ms(&core->env));
    }
}

static void beat(void *ctx) {
    struct core *core = ctx;
    mend_seen(core);
    rp_session_table_heartbeat(core->sessions.p, rp_env_now_ms(&core->env));
}

rp_err core_tables_keep(struct core *core) {
    return rp_loop_timer(core->loop, 0, HEARTBEAT_MS, beat, core, NULL);
}
