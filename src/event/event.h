/* event.h — everything that happens is an event from one table, in one canonical form.
 *
 * events.def names each event: OCSF class and activity, severity, stream, and the fields it may
 * carry. An event is built field by field, checked against the table, and printed as RFC 8785
 * JSON: the bytes that become a leaf. Personal data goes in only as a salted hash or sealed.
 * The table's fields stand in "unmapped", the id in "metadata"."event_code" (OCSF 1.9).
 *
 * Streams (S111): event, audit, fault, admin, operator.
 */
#ifndef RP_EVENT_EVENT_H
#define RP_EVENT_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "os/role.h"

enum { RP_EVENT_MAX = 16 * 1024, RP_EVENT_TEXT_MAX = 512 };

enum rp_event_kind {
#define RP_EVENT(NAME, id, stream, severity, class_uid, activity, fields, fr, en) RP_EVENT_##NAME,
#include "event/events.def"
#undef RP_EVENT
    RP_EVENT_COUNT
};

enum rp_stream {
    RP_STREAM_EVENT,
    RP_STREAM_AUDIT,
    RP_STREAM_FAULT,
    RP_STREAM_ADMIN,
    RP_STREAM_OPERATOR,
    RP_STREAM_COUNT
};
enum rp_severity {
    RP_SEVERITY_INFO = 1,
    RP_SEVERITY_LOW,
    RP_SEVERITY_MEDIUM,
    RP_SEVERITY_HIGH,
    RP_SEVERITY_CRITICAL
};

const char *rp_event_id(enum rp_event_kind kind); /* "sign_in.refused" */
bool rp_event_kind_of(rp_view id, enum rp_event_kind *ret_kind);
const char *rp_event_text(enum rp_event_kind kind, enum rp_lang lang);
enum rp_stream rp_event_stream(enum rp_event_kind kind);
const char *rp_stream_name(enum rp_stream stream); /* "audit" */
/* It stands in the log of the organisation whose data it is about, and not in the operator's. */
bool rp_event_is_tenants(enum rp_event_kind kind);

struct rp_event; /* being built, in an arena */
struct rp_json;

/* time_ms since 1970; role = who emits. NULL when the arena is full, and NULL is accepted by all
 * that follows: printing then says TOO_LARGE. */
struct rp_event *rp_event_new(struct rp_arena *arena, enum rp_event_kind kind, int64_t time_ms,
                              enum rp_role_id role);
/* A field that the table does not give to this kind is a bug (assertion). Text is bounded to 512
 * bytes and cleaned to valid UTF-8. */
void rp_event_add_text(struct rp_event *event, const char *field, rp_view value);
void rp_event_add_u64(struct rp_event *event, const char *field, uint64_t value);
void rp_event_add_id(struct rp_event *event, const char *field, rp_id value);

/* What a stranger sent, as text that prints: bounded, cut between characters, U+FFFD for each byte
 * that is no UTF-8. Returns its length. */
size_t rp_event_clean(rp_view v, uint8_t out[static RP_EVENT_TEXT_MAX]);

/* The canonical bytes, in the arena. TOO_LARGE over 16 KiB. */
rp_err rp_event_print(const struct rp_event *event, rp_view *ret_bytes);

/* An event read back from a leaf. fields is its "unmapped" object (wire/json.h). */
struct rp_event_read {
    enum rp_event_kind kind;
    int64_t time_ms;
    rp_view provider; /* the role that emitted it */
    const struct rp_json *fields;
};
/* True when the canonical bytes say that they are of this kind; no parsing, no false alarm: inside
 * a JSON string the quotes would be escaped. */
bool rp_event_is(rp_view bytes, enum rp_event_kind kind);
/* SYNTAX or INVALID for anything that is no event of the table. */
rp_err rp_event_parse(rp_view bytes, struct rp_arena *arena, struct rp_event_read *ret_event);

#endif
