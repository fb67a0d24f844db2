/* clock.c — is this machine's clock believed? Looked at with the deadlines; said in the log, on the
 * terminal and in run/clock.json, which `rempart status` reads.
 */
#include <stdatomic.h>

#include "base/checked.h"
#include "clock/trust_io.h"
#include "core.h"
#include "os/file.h"
#include "wire/json.h"

#define CLOCK_FILE "run/clock.json"

enum { ARENA_BYTES = 16 * 1024 };

static rp_err write_file(const struct core *core, const struct rp_clock_trust *trust) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA_BYTES);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(512);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_json *json = rp_json_object(arena);
    rp_json_add_cstr(arena, json, "believed_until", rp_time_print(trust->seen_ms / 1000).s);
    rp_json_add_cstr(arena, json, "doubted_at", rp_time_print(rp_env_now_s(&core->env)).s);
    RP_TRY(rp_json_print(json, &text));
    return rp_file_replace(CLOCK_FILE, 0644, rp_buf_view(&text));
}

static void say(const struct core *core, const struct rp_clock_trust *trust) {
    if (trust->believed) {
        daemon_say(core->daemon, "clock: believed again");
        return;
    }
    daemon_say(core->daemon,
               "clock: it leapt from %s to %s; nothing is destroyed until it is back or you say "
               "that it is right: rempart register retention --confirm TODAY",
               rp_time_print(trust->seen_ms / 1000).s, rp_time_print(rp_env_now_s(&core->env)).s);
}

void core_clock_look(struct core *core, struct rp_db *db) {
    struct rp_clock_trust trust;
    bool news = false, first = !core->clock_looked;
    if (!rp_ok(rp_clock_trust_look(&core->env, db, &trust, &news))) {
        return; /* the next round looks again; whoever destroys looks for himself */
    }
    if (!first && trust.believed != core->clock_doubted) {
        return;
    }
    core->clock_looked = true;
    core->clock_doubted = !trust.believed;
    rp_ignore(trust.believed ? rp_file_remove(CLOCK_FILE) : write_file(core, &trust));
    if (!first || !trust.believed) {
        say(core, &trust);
    }
    if (news) {
        atomic_store(&core->rang, true);
    }
}

bool core_clock_is_believed(const struct core *core, struct rp_web_thread *thread) {
    struct rp_clock_trust trust;
    struct rp_db *db = NULL;
    return rp_ok(rp_store_system(thread->store, &db, NULL)) &&
           rp_ok(rp_clock_trust_read(&core->env, db, &trust)) && trust.believed;
}
