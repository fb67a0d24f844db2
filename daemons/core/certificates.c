/* certificates.c — a certificate that cannot be renewed is told to the operator's people, by mail.
 *
 * The acme role has no database and sees no address: it leaves what it knows in acme/state.json,
 * which is read here every half minute. One failure is not told, since the next attempt follows
 * within a minute; two in a row are, once for each certificate and person.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "os/file.h"
#include "wire/json.h"

enum { STATE_MAX = 64 * 1024, TOLD_FROM = 2 };

static rp_err tell(struct rp_web_thread *thread, const struct rp_json *name) {
    uint64_t until_s = 0;
    rp_json_get_u64(name, "until_s", &until_s);
    struct rp_time_text until = rp_time_print((int64_t)RP_MIN(until_s, (uint64_t)INT32_MAX * 2));
    const struct rp_notice_value values[] = {
        {"name", rp_json_get_string(name, "name")},
        {"reason", rp_json_get_string(name, "reason")},
        {"until", rp_view_from_cstr(until.s)},
    };
    return core_tell_operators(thread, RP_NOTICE_CERTIFICATE, values, RP_COUNT_OF(values));
}

void core_certificates_tell(const struct core *core, struct rp_web_thread *thread) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(8 * STATE_MAX);
    struct rp_json *state = NULL;
    rp_view text;
    if (!arena || !rp_ok(rp_file_read("acme/state.json", STATE_MAX, arena, &text)) ||
        !rp_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &state, NULL))) {
        return; /* no authority is asked, or not yet */
    }
    const struct rp_json *names = rp_json_get(state, "names");
    for (const struct rp_json *name = names ? names->first : NULL; name; name = name->next) {
        uint64_t failures = 0;
        if (!rp_json_get_u64(name, "failures", &failures) || failures < TOLD_FROM) {
            continue;
        }
        rp_err err = tell(thread, name);
        if (!rp_ok(err)) {
            rp_ignore(daemon_fail(core->daemon, err, "certificates", NULL)); /* the next round */
        }
    }
}
