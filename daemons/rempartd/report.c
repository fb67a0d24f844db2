#include "report.h"

static void add_cstr(struct recorder_note *note, const char *field, const char *text) {
    rp_event_add_text(note->event, field, rp_view_from_cstr(text));
}

void report_started(struct recorder *recorder, const char *role, const char *version,
                    const char *isolation) {
    struct recorder_note note = recorder_begin(recorder, RP_EVENT_ROLE_STARTED);
    add_cstr(&note, "name", role);
    add_cstr(&note, "version", version);
    add_cstr(&note, "isolation", isolation);
    recorder_finish(recorder, &note);
}

void report_stopped(struct recorder *recorder, const char *role, const char *reason,
                    unsigned restarts) {
    struct recorder_note note = recorder_begin(recorder, RP_EVENT_ROLE_STOPPED);
    add_cstr(&note, "name", role);
    add_cstr(&note, "reason", reason);
    rp_event_add_u64(note.event, "restarts", restarts);
    recorder_finish(recorder, &note);
}

void report_config_refused(struct recorder *recorder, const char *file,
                           const struct rp_diag *diag) {
    struct recorder_note note = recorder_begin(recorder, RP_EVENT_CONFIG_REFUSED);
    add_cstr(&note, "what", file);
    rp_event_add_u64(note.event, "line", diag->line);
    rp_event_add_u64(note.event, "column", diag->column);
    add_cstr(&note, "detail", diag->text);
    recorder_finish(recorder, &note);
}
