/* tables.c — the shared tables that the gate maps: made anew at start, filled from the database,
 * and only then put in the place of those that a predecessor left, so that nobody who is signed in
 * is a stranger for a moment.
 */
#include <errno.h>
#include <stdio.h>

#include "base/assert.h"
#include "core.h"
#include "identity/assertion_table.h"

enum { TABLE_MODE = 0640, SEEN_MODE = 0660, HEARTBEAT_MS = 1000 };

static const char sessions_file[] = "run/sessions.tab";

rp_err core_tables_create(struct core *core) {
    RP_TRY(
        rp_shm_create("run/sessions.new", TABLE_MODE, rp_session_table_bytes(), &core->sessions));
    RP_TRY(rp_shm_create("run/seen.new", SEEN_MODE, rp_seen_table_bytes(), &core->seen));
    RP_TRY(rp_shm_survive(&core->seen)); /* the gate writes there, and could cut it short */
    RP_TRY(rp_shm_create("run/assertions.new", TABLE_MODE, rp_assertion_table_bytes(),
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

static rp_err put_in_place(const char *from, const char *to) {
    return rename(from, to) == 0 ? RP_OK : rp_err_from_errno(errno);
}

/* The sessions last: whoever sees that they were replaced looks at all of them again. */
rp_err core_tables_publish(struct core *core) {
    struct rp_shm old = {0};
    const size_t bytes = rp_session_table_bytes();
    bool had = rp_ok(rp_shm_open(sessions_file, true, bytes, &old)) &&
               rp_ok(rp_session_table_check(old.p, old.n));
    RP_ASSERT(core->sessions.p != NULL);
    rp_err err = put_in_place("run/assertions.new", "run/assertions.tab");
    if (rp_ok(err)) {
        err = put_in_place("run/seen.new", "run/seen.tab");
    }
    if (rp_ok(err)) {
        err = put_in_place("run/sessions.new", sessions_file);
    }
    if (rp_ok(err) && had) {
        rp_session_table_replace(old.p);
    }
    rp_shm_done(&old);
    return err;
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
    return core_every(core, 0, HEARTBEAT_MS, beat, core);
}
