/* tell.c — what people learn of the link: lines, events, and run/link.json for `rempart status`.
 *
 * Each side puts on record what became of the machines that it asks; the other direction is that
 * machine's to tell. Strangers who knock are told of once a minute, with their number; those who
 * show a key apart from those who show none.
 */
#include <stdio.h>

#include "base/checked.h"
#include "link.h"
#include "os/file.h"
#include "wire/json.h"

enum { STATUS_MAX = 16 * 1024, REFUSED_EVERY_MS = 60000 };

/* ---- run/link.json ---- */

static void add_standing(struct rp_arena *arena, struct rp_json *machine, const char *name,
                         const struct standing *standing) {
    struct rp_json *json = rp_json_add_object(arena, machine, name);
    rp_json_add_bool(arena, json, "up", standing->up);
    rp_json_add_u64(arena, json, "since_s", (uint64_t)standing->since_s);
    rp_json_add_cstr(arena, json, "last_error", standing->error);
}

static rp_err write_status(const struct link *link, struct rp_arena *arena, struct rp_buf *out) {
    char key[RP_FINGERPRINT_TEXT];
    struct rp_json *root = rp_json_object(arena);
    struct rp_sha256 own = rp_tls_key_fingerprint(link->key);
    rp_fingerprint_print(&own, key);
    rp_json_add_cstr(arena, root, "key", key);
    rp_json_add_cstr(arena, root, "listen", link->daemon.config.link_listen);
    struct rp_json *machines = rp_json_add_array(arena, root, "machines");
    for (size_t i = 0; i < link->machine_count; i++) {
        const struct machine *machine = &link->machines[i];
        struct rp_json *one = rp_json_add_object(arena, machines, NULL);
        rp_json_add_cstr(arena, one, "name", machine->peer->name);
        rp_json_add_cstr(arena, one, "address", machine->peer->at.address);
        rp_json_add_u64(arena, one, "port", machine->peer->at.port);
        add_standing(arena, one, "asks", &machine->asking);
        add_standing(arena, one, "answers", &machine->answering);
    }
    RP_TRY(rp_json_print(root, out));
    return rp_file_replace("run/link.json", 0644, rp_buf_view(out));
}

void tell_status(const struct link *link) {
    struct rp_arena *arena = rp_arena_new(4 * STATUS_MAX);
    struct rp_buf out = rp_buf_new(STATUS_MAX);
    rp_err err = arena ? write_status(link, arena, &out) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(&link->daemon, err, "run/link.json", NULL)); /* the link goes on */
    }
    rp_buf_done(&out);
    rp_arena_free(arena);
}

/* ---- up and down ---- */

static void record(struct link *link, enum rp_event_kind kind, const char *machine,
                   const char *reason) {
    struct recorder_note note = recorder_begin(link->recorder, kind);
    rp_event_add_text(note.event, "machine", rp_view_from_cstr(machine));
    if (reason) {
        rp_event_add_text(note.event, "reason", rp_view_from_cstr(reason));
    }
    recorder_finish(link->recorder, &note);
}

void tell_up(struct machine *machine, bool asking) {
    struct link *link = machine->asks.link;
    struct standing *standing = asking ? &machine->asking : &machine->answering;
    standing->up = true;
    standing->since_s = rp_env_now_s(&link->daemon.env);
    daemon_say(&link->daemon, "%s: %s", machine->peer->name,
               asking ? "up; it answers" : "it asks, and is answered");
    if (asking) {
        record(link, RP_EVENT_LINK_UP, machine->peer->name, NULL);
    }
    tell_status(link);
}

void tell_down(struct machine *machine, bool asking, const char *reason) {
    struct link *link = machine->asks.link;
    struct standing *standing = asking ? &machine->asking : &machine->answering;
    bool was_up = standing->up;
    if (!was_up && strcmp(standing->error, reason) == 0) {
        return; /* said already */
    }
    if (was_up) {
        standing->up = false;
        standing->since_s = rp_env_now_s(&link->daemon.env);
    }
    (void)snprintf(standing->error, sizeof standing->error, "%s", reason);
    daemon_say(&link->daemon, "%s: %s: %s", machine->peer->name,
               asking ? "it does not answer" : "it does not ask any more", reason);
    if (asking && was_up) {
        record(link, RP_EVENT_LINK_DOWN, machine->peer->name, reason);
    }
    tell_status(link);
}

/* ---- refused ---- */

/*= S86 */ /* whoever is not let in is on record */
void tell_refused(struct link *link, const struct machine *machine, const struct rp_sha256 *shown,
                  const char *from, const char *reason) {
    char key[RP_FINGERPRINT_TEXT] = "none";
    const char *name = machine ? machine->peer->name : "unknown";
    int64_t now_ms = link_now_ms(link), told_ms = link->refused[shown != NULL].told_ms;
    unsigned times = ++link->refused[shown != NULL].times;
    if (told_ms != 0 && now_ms - told_ms < REFUSED_EVERY_MS) {
        return;
    }
    if (shown) {
        rp_fingerprint_print(shown, key);
    }
    daemon_say(&link->daemon, "refused: %s, from %s, with the key %s: %s", name,
               *from ? from : "its own address", key, reason);
    struct recorder_note note = recorder_begin(link->recorder, RP_EVENT_LINK_REFUSED);
    rp_event_add_text(note.event, "machine", rp_view_from_cstr(name));
    rp_event_add_text(note.event, "key", rp_view_from_cstr(key));
    rp_event_add_text(note.event, "reason", rp_view_from_cstr(reason));
    rp_event_add_u64(note.event, "times", times);
    recorder_finish(link->recorder, &note);
    link->refused[shown != NULL].told_ms = now_ms;
    link->refused[shown != NULL].times = 0;
}
