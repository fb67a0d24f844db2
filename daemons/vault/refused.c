/* refused.c — what was tried and refused, on record on this machine: a line each of JSON. A kind
 * that goes on is counted, and said again every ten minutes, so that trying cannot fill the disk.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "ipc/table.h"
#include "os/file.h"
#include "vault.h"
#include "wire/json.h"

enum { AGAIN_MS = 600 * 1000, LINE_MAX = 2048, FILE_MAX = 64 << 20, FILE_MODE = 0640 };

static const char file_name[] = "vault/journal/refused.jsonl";

/* The place of this kind, or a free one, or that of the kind longest silent. */
static struct refusal *place_of(struct keeper *keeper, enum rp_role_id from, uint32_t message,
                                rp_err err) {
    struct refusal *found = &keeper->refusals[0];
    for (size_t i = 0; i < VAULT_REFUSALS; i++) {
        struct refusal *one = &keeper->refusals[i];
        if (one->written_ms && one->from == from && one->message == message &&
            one->err.code == err.code) {
            return one;
        }
        found = one->written_ms < found->written_ms ? one : found;
    }
    *found = (struct refusal){.from = from, .message = message, .err = err};
    return found;
}

static rp_err print_line(const struct keeper *keeper, const struct refusal *kind,
                         const char *detail, struct rp_arena *arena, struct rp_buf *out) {
    const struct rp_ipc_rule *rule = rp_ipc_rule_find(kind->from, RP_ROLE_VAULT, kind->message);
    struct rp_json *line = rp_json_object(arena);
    rp_json_add_cstr(arena, line, "time", rp_time_print(rp_env_now_s(&keeper->daemon.env)).s);
    rp_json_add_cstr(arena, line, "from", rp_role_name(kind->from));
    rp_json_add_cstr(arena, line, "message", rule ? rule->name : "");
    rp_json_add_cstr(arena, line, "reason", rp_err_text(kind->err, RP_EN));
    rp_json_add_cstr(arena, line, "detail", detail);
    rp_json_add_u64(arena, line, "times", kind->more + 1);
    RP_TRY(rp_json_print(line, out));
    rp_buf_add_byte(out, '\n');
    return rp_buf_err(out);
}

static rp_err append(rp_view line) {
    _cleanup_fd_ int fd = -1;
    uint64_t size = 0;
    RP_TRY(rp_file_open_append(file_name, FILE_MODE, &fd));
    RP_TRY(rp_file_size(fd, &size));
    if (size + line.n > FILE_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(rp_file_write_all(fd, line));
    return rp_file_sync(fd);
}

static void write_line(struct keeper *keeper, struct refusal *kind, const char *detail) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(4 * LINE_MAX);
    _cleanup_(rp_buf_done) struct rp_buf line = rp_buf_new(LINE_MAX);
    rp_err err = arena ? print_line(keeper, kind, detail, arena, &line) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = append(rp_buf_view(&line));
    }
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(&keeper->daemon, err, file_name, NULL));
    }
}

/*= S113: every refused attempt is on record where whoever tried cannot reach it. */
void refused_note(struct keeper *keeper, enum rp_role_id from, uint32_t message, rp_err err,
                  const char *detail) {
    int64_t now_ms = rp_env_monotonic_ms(&keeper->daemon.env);
    struct refusal *kind = place_of(keeper, from, message, err);
    bool probe = from == RP_ROLE_HUNT;
    keeper->probed += probe;
    keeper->refused += !probe;
    if (kind->written_ms && now_ms - kind->written_ms < AGAIN_MS) {
        kind->more++;
        return;
    }
    if (!probe) {
        daemon_say(&keeper->daemon, "refused: %s, from %s", detail, rp_role_name(from));
    }
    write_line(keeper, kind, detail);
    kind->more = 0;
    kind->written_ms = now_ms;
}
