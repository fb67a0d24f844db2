/* refused.c — a log that was found altered at a start cannot hold the event of it: the next start
 * that succeeds puts it there. Until then ledger/refused keeps what was said. */
#include "base/checked.h"
#include "ledger.h"
#include "os/file.h"

enum { NOTE_MAX = 1024 };

static const char note_file[] = "ledger/refused";

void refused_note(rp_err err, const struct rp_diag *diag) {
    if (rp_is(err, RP_E_CORRUPT) || rp_is(err, RP_E_EXISTS_NEWER)) {
        /* It was said aloud; a disk that cannot keep this either is another day's trouble. */
        rp_ignore(rp_file_replace(note_file, 0600, rp_view_from_cstr(diag->text)));
    }
}

void refused_tell(struct ledger *ledger) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX + NOTE_MAX);
    rp_view detail;
    if (!arena || !rp_ok(rp_file_read(note_file, NOTE_MAX, arena, &detail))) {
        return;
    }
    struct rp_event *event = rp_event_new(arena, RP_EVENT_STORE_REFUSED,
                                          rp_env_now_ms(&ledger->daemon->env), RP_ROLE_LEDGER);
    rp_event_add_text(event, "what", RP_VIEW("the log"));
    rp_event_add_text(event, "detail", detail);
    if (rp_ok(intake_emit_now(ledger, (struct rp_tree){.kind = RP_TREE_OPERATOR}, event))) {
        rp_ignore(rp_file_remove(note_file)); /* told twice is better than not at all */
    }
}
