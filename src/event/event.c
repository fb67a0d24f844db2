#include "event/event.h"

#include "base/assert.h"
#include "base/checked.h"
#include "wire/json.h"

enum { TEXT_MAX = RP_EVENT_TEXT_MAX };

struct row {
    const char *id;
    enum rp_stream stream;
    enum rp_severity severity;
    unsigned class_uid, activity;
    const char *fields;
    const char *text[RP_LANG_COUNT];
};

static const struct row table[] = {
#define RP_EVENT(NAME, id, stream, severity, class_uid, activity, fields, fr, en)                  \
    [RP_EVENT_##NAME] = {                                                                          \
        id, RP_STREAM_##stream, RP_SEVERITY_##severity, class_uid, activity, fields, {fr, en}},
#include "event/events.def"
#undef RP_EVENT
};
_Static_assert(RP_COUNT_OF(table) == RP_EVENT_COUNT, "one row for each kind");

/*= S111: event, audit, fault, administrator and operator logs; every event is in one of them */
static const char *const stream_names[] = {
    [RP_STREAM_EVENT] = "event", [RP_STREAM_AUDIT] = "audit",       [RP_STREAM_FAULT] = "fault",
    [RP_STREAM_ADMIN] = "admin", [RP_STREAM_OPERATOR] = "operator",
};

static const struct row *row_of(enum rp_event_kind kind) {
    RP_ASSERT((size_t)kind < RP_EVENT_COUNT);
    return &table[kind];
}

const char *rp_event_id(enum rp_event_kind kind) {
    return row_of(kind)->id;
}

bool rp_event_kind_of(rp_view id, enum rp_event_kind *ret_kind) {
    for (size_t i = 0; i < RP_EVENT_COUNT; i++) {
        if (rp_view_equal(id, rp_view_from_cstr(table[i].id))) {
            *ret_kind = (enum rp_event_kind)i;
            return true;
        }
    }
    return false;
}

const char *rp_event_text(enum rp_event_kind kind, enum rp_lang lang) {
    RP_ASSERT((size_t)lang < RP_LANG_COUNT);
    return row_of(kind)->text[lang];
}

enum rp_stream rp_event_stream(enum rp_event_kind kind) {
    return row_of(kind)->stream;
}

const char *rp_stream_name(enum rp_stream stream) {
    RP_ASSERT((size_t)stream < RP_COUNT_OF(stream_names));
    return stream_names[stream];
}

bool rp_event_is_tenants(enum rp_event_kind kind) {
    static const enum rp_event_kind theirs[] = {
        RP_EVENT_RECORD_CREATED,  RP_EVENT_RECORD_IMPORTED,    RP_EVENT_RECORD_UPDATED,
        RP_EVENT_RECORD_DELETED,  RP_EVENT_RECORD_RESTORED,    RP_EVENT_RECORD_PURGED,
        RP_EVENT_RECORD_CORRUPT,  RP_EVENT_COLLECTION_CHANGED, RP_EVENT_SHARE_CREATED,
        RP_EVENT_SHARE_OPENED,    RP_EVENT_SHARE_REFUSED,      RP_EVENT_SHARE_ENDED,
        RP_EVENT_GRANT_CREATED,   RP_EVENT_GRANT_USED,         RP_EVENT_GRANT_ENDED,
        RP_EVENT_TENANT_EXPORTED, RP_EVENT_TENANT_IMPORTED,
    };
    for (size_t i = 0; i < RP_COUNT_OF(theirs); i++) {
        if (theirs[i] == kind) {
            return true;
        }
    }
    return false;
}

/* ---- building ---- */

struct rp_event {
    struct rp_arena *arena;
    const struct row *row;
    struct rp_json *root;
    struct rp_json *fields;
};

struct rp_event *rp_event_new(struct rp_arena *arena, enum rp_event_kind kind, int64_t time_ms,
                              enum rp_role_id role) {
    RP_ASSERT(time_ms >= 0);
    const struct row *row = row_of(kind);
    struct rp_event *event = rp_arena_alloc(arena, sizeof *event);
    if (!event) {
        return NULL;
    }
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_u64(arena, root, "activity_id", row->activity);
    rp_json_add_u64(arena, root, "category_uid", row->class_uid / 1000);
    rp_json_add_u64(arena, root, "class_uid", row->class_uid);
    rp_json_add_u64(arena, root, "severity_id", row->severity);
    rp_json_add_u64(arena, root, "time", (uint64_t)time_ms);
    rp_json_add_u64(arena, root, "type_uid", (uint64_t)row->class_uid * 100 + row->activity);
    struct rp_json *metadata = rp_json_add_object(arena, root, "metadata");
    rp_json_add_cstr(arena, metadata, "event_code", row->id);
    rp_json_add_cstr(arena, metadata, "log_name", rp_stream_name(row->stream));
    rp_json_add_cstr(arena, metadata, "log_provider", rp_role_name(role));
    rp_json_add_cstr(arena, metadata, "version", "1.9.0");
    *event = (struct rp_event){arena, row, root, rp_json_add_object(arena, root, "unmapped")};
    return event;
}

static bool row_has_field(const struct row *row, const char *field) {
    rp_view rest = rp_view_from_cstr(row->fields);
    rp_view wanted = rp_view_from_cstr(field);
    while (rest.p) {
        if (rp_view_equal(rp_view_cut(&rest, ' '), wanted)) {
            return true;
        }
    }
    return false;
}

static void check_field(const struct rp_event *event, const char *field) {
    RP_ASSERT(row_has_field(event->row, field));
    RP_ASSERT(rp_json_get(event->fields, field) == NULL);
}

/* Bytes of the well-formed UTF-8 character (RFC 3629) at the start of v; 0 = none stands there. */
static size_t utf8_length(rp_view v) {
    uint8_t a = v.p[0];
    size_t n = a < 0x80                ? 1
               : a >= 0xc2 && a < 0xe0 ? 2
               : a >= 0xe0 && a < 0xf0 ? 3
               : a >= 0xf0 && a < 0xf5 ? 4
                                       : 0;
    if (n == 0 || n > v.n) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((v.p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if (n == 1) {
        return 1;
    }
    uint8_t b = v.p[1];
    bool wrong = (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) || (a == 0xf0 && b < 0x90) ||
                 (a == 0xf4 && b > 0x8f);
    return wrong ? 0 : n;
}

size_t rp_event_clean(rp_view v, uint8_t out[static TEXT_MAX]) {
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
    size_t n = 0;
    while (v.n > 0) {
        size_t length = utf8_length(v);
        rp_view c =
            length > 0 ? rp_view_of(v.p, length) : rp_view_of(replacement, sizeof replacement);
        if (n + c.n > TEXT_MAX) {
            break;
        }
        memcpy(out + n, c.p, c.n);
        n += c.n;
        v = rp_view_from(v, length > 0 ? length : 1);
    }
    RP_ASSERT(n <= TEXT_MAX);
    return n;
}

void rp_event_add_text(struct rp_event *event, const char *field, rp_view value) {
    if (!event) {
        return;
    }
    check_field(event, field);
    uint8_t text[TEXT_MAX];
    rp_view copy;
    if (rp_ok(rp_arena_copy(event->arena, rp_view_of(text, rp_event_clean(value, text)), &copy))) {
        rp_json_add_string(event->arena, event->fields, field, copy);
    } else {
        event->root = NULL;
    }
}

void rp_event_add_u64(struct rp_event *event, const char *field, uint64_t value) {
    if (!event) {
        return;
    }
    check_field(event, field);
    if (value < (uint64_t)1 << 53) {
        rp_json_add_u64(event->arena, event->fields, field, value);
        return;
    }
    /* A JSON number would not carry it exactly. */
    rp_view text = rp_arena_printf(event->arena, "%llu", (unsigned long long)value);
    rp_json_add_string(event->arena, event->fields, field, text);
}

void rp_event_add_id(struct rp_event *event, const char *field, rp_id value) {
    struct rp_id_text text = rp_id_print(value);
    rp_event_add_text(event, field, rp_view_of(text.s, RP_ID_TEXT));
}

rp_err rp_event_print(const struct rp_event *event, rp_view *ret_bytes) {
    if (!event || !event->root || !event->fields) {
        return RP_ERR(TOO_LARGE);
    }
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(RP_EVENT_MAX);
    RP_TRY(rp_json_print(event->root, &out));
    RP_TRY(rp_buf_err(&out));
    return rp_arena_copy(event->arena, rp_buf_view(&out), ret_bytes);
}

/* ---- reading back ---- */

bool rp_event_is(rp_view bytes, enum rp_event_kind kind) {
    static const rp_view key = RP_VIEW_INIT("\"event_code\":\"");
    size_t at = rp_view_find(bytes, key);
    if (at == bytes.n) {
        return false;
    }
    rp_view rest = rp_view_from(bytes, at + key.n);
    rp_view id = rp_view_from_cstr(rp_event_id(kind));
    return rest.n > id.n && rp_view_starts(rest, id) && rest.p[id.n] == '"';
}

rp_err rp_event_parse(rp_view bytes, struct rp_arena *arena, struct rp_event_read *ret_event) {
    static const struct rp_json_limits limits = {.depth_max = 8, .count_max = 64};
    struct rp_json *root;
    RP_TRY(rp_json_parse(bytes, limits, arena, &root, NULL));
    const struct rp_json *metadata = rp_json_get(root, "metadata");
    struct rp_event_read event = {.fields = rp_json_get(root, "unmapped")};
    uint64_t time_ms;
    if (!rp_event_kind_of(rp_json_get_string(metadata, "event_code"), &event.kind) ||
        !rp_json_get_u64(root, "time", &time_ms) || time_ms > INT64_MAX || !event.fields) {
        return RP_ERR(INVALID);
    }
    event.time_ms = (int64_t)time_ms;
    event.provider = rp_json_get_string(metadata, "log_provider");
    *ret_event = event;
    return RP_OK;
}
