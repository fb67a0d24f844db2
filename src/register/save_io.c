/* save_io.c — a draft into the database: row, index, text, history, event, clocks. */
#include "base/assert.h"
#include "register/save.h"
#include "register/words.h"
#include "wire/artefact.h"

/* ---- the row ---- */

static rp_err print_json(const struct rp_json *json, struct rp_buf *out) {
    RP_TRY(rp_json_print(json, out));
    return rp_buf_err(out);
}

static rp_err insert_row(const struct rp_draft *draft, struct rp_row **ret_row) {
    return rp_db_query(draft->desk->db,
                       "INSERT INTO register_record (row, id, register, number, state, version, "
                       "author, created_ms, changed_ms, example, body, sealed, mac) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                       ret_row);
}

static rp_err update_row(const struct rp_draft *draft, struct rp_row **ret_row) {
    return rp_db_query(draft->desk->db,
                       "UPDATE register_record SET id = ?2, register = ?3, number = ?4, "
                       "state = ?5, version = ?6, author = ?7, created_ms = ?8, changed_ms = ?9, "
                       "example = ?10, body = ?11, sealed = ?12, mac = ?13 WHERE row = ?1",
                       ret_row);
}

static rp_err put_row(const struct rp_draft *draft, rp_view body, rp_view sealed) {
    const struct rp_entry *record = &draft->now;
    struct rp_sha256 mac;
    rp_id author;
    RP_TRY(rp_entry_mac(draft->desk, record, body, sealed, &mac));
    struct rp_row *row = NULL;
    RP_TRY(draft->was.version == 0 ? insert_row(draft, &row) : update_row(draft, &row));
    bool parsed = rp_id_parse(rp_text_of_id(&record->facts.author_text), &author);
    RP_ASSERT(parsed);
    rp_row_bind_u64(row, 1, record->row);
    rp_row_bind_id(row, 2, record->facts.id);
    rp_row_bind_text(row, 3, rp_desk_shelf(draft->desk, draft->reg));
    rp_row_bind_u64(row, 4, record->facts.number);
    rp_row_bind_text(row, 5, record->facts.state);
    rp_row_bind_u64(row, 6, record->version);
    rp_row_bind_id(row, 7, author);
    rp_row_bind_u64(row, 8, (uint64_t)record->facts.created_ms);
    rp_row_bind_u64(row, 9, (uint64_t)record->facts.changed_ms);
    rp_row_bind_u64(row, 10, record->facts.example);
    rp_row_bind_text(row, 11, body);
    if (sealed.n > 0) {
        rp_row_bind_blob(row, 12, sealed);
    } else {
        rp_row_bind_null(row, 12);
    }
    rp_row_bind_blob(row, 13, rp_view_of(mac.b, sizeof mac.b));
    return rp_row_run(row, NULL);
}

static rp_err write_row(const struct rp_draft *draft) {
    _cleanup_(rp_buf_done) struct rp_buf body = rp_buf_new(RP_RECORD_JSON_MAX);
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new(RP_RECORD_JSON_MAX);
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_RECORD_JSON_MAX + 64);
    RP_TRY(print_json(draft->open, &body));
    if (draft->secret->count > 0) {
        RP_TRY(print_json(draft->secret, &plain));
        RP_TRY(rp_entry_seal(draft->desk, draft->now.facts.id, RP_VIEW("register"),
                             rp_buf_view(&plain), &sealed));
    }
    return put_row(draft, rp_buf_view(&body), rp_buf_view(&sealed));
}

/* ---- what it is found by ---- */

static void bind_value(struct rp_row *row, int place, const struct rp_json *json) {
    if (!json || json->kind == RP_JSON_ARRAY) {
        rp_row_bind_null(row, place);
    } else if (json->kind == RP_JSON_BOOL) {
        rp_row_bind_text(row, place, json->boolean ? RP_VIEW("true") : RP_VIEW("false"));
    } else if (json->kind == RP_JSON_NUMBER && json->number >= 0 && json->number < 9e15) {
        rp_row_bind_any_u64(row, place, (uint64_t)json->number);
    } else if (json->kind == RP_JSON_STRING) {
        rp_row_bind_text(row, place, json->string);
    } else {
        rp_row_bind_null(row, place);
    }
}

static rp_err put_value(const struct rp_draft *draft, const struct rp_field *field) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(draft->desk->db,
                       "INSERT INTO register_value (record, field, register, value) "
                       "VALUES (?1, ?2, ?3, ?4) "
                       "ON CONFLICT (record, field) DO UPDATE SET value = ?4",
                       &row));
    rp_row_bind_u64(row, 1, draft->now.row);
    rp_row_bind_text(row, 2, rp_view_from_cstr(field->id));
    rp_row_bind_text(row, 3, rp_desk_shelf(draft->desk, draft->reg));
    bind_value(row, 4, rp_json_get(draft->open, field->id));
    return rp_row_run(row, NULL);
}

/* "roles" with security in it is found as "roles.security". */
static rp_err put_choice(const struct rp_draft *draft, const struct rp_field *field,
                         const struct rp_choice *choice) {
    const struct rp_json *list = rp_json_get(draft->open, field->id);
    bool there = false;
    for (const struct rp_json *one = list ? list->first : NULL; one && !there; one = one->next) {
        there = rp_view_equal(one->string, rp_view_from_cstr(choice->id));
    }
    rp_view name = rp_arena_printf(draft->desk->arena, "%s.%s", field->id, choice->id);
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(draft->desk->db,
                       there ? "INSERT INTO register_value (record, field, register, value) "
                               "VALUES (?1, ?2, ?3, 'true') ON CONFLICT DO NOTHING"
                             : "DELETE FROM register_value WHERE record = ?1 AND field = ?2 "
                               "AND register = ?3",
                       &row));
    rp_row_bind_u64(row, 1, draft->now.row);
    rp_row_bind_text(row, 2, name);
    rp_row_bind_text(row, 3, rp_desk_shelf(draft->desk, draft->reg));
    return rp_row_run(row, NULL);
}

static rp_err put_choices(const struct rp_draft *draft, const struct rp_field *field) {
    const struct rp_facts *was = &draft->was.facts;
    if (rp_json_same(rp_json_get(was->open, field->id), rp_json_get(draft->open, field->id))) {
        return RP_OK;
    }
    for (size_t i = 0; i < field->choice_count; i++) {
        RP_TRY(put_choice(draft, field, &field->choices[i]));
    }
    return RP_OK;
}

/* "artefacts" with a digest in it is found as "artefacts.HEX". */
static rp_err put_digest(const struct rp_draft *draft, const struct rp_field *field, rp_view text) {
    struct rp_artefact artefact = {.git = false};
    bool parsed = rp_artefact_parse(text, &artefact);
    RP_ASSERT(parsed); /* the value was checked */
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(draft->desk->db,
                       "INSERT INTO register_value (record, field, register, value) "
                       "VALUES (?1, ?2, ?3, 'true') ON CONFLICT DO NOTHING",
                       &row));
    rp_row_bind_u64(row, 1, draft->now.row);
    rp_row_bind_text(
        row, 2, rp_arena_printf(draft->desk->arena, "%s.%.*s", field->id, RP_FMT(artefact.hex)));
    rp_row_bind_text(row, 3, rp_desk_shelf(draft->desk, draft->reg));
    return rp_row_run(row, NULL);
}

static rp_err put_digests(const struct rp_draft *draft, const struct rp_field *field) {
    const struct rp_json *list = rp_json_get(draft->open, field->id);
    if (rp_json_same(rp_json_get(draft->was.facts.open, field->id), list)) {
        return RP_OK;
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(draft->desk->db,
                       "DELETE FROM register_value WHERE record = ?1 AND field > ?2 || '.' "
                       "AND field < ?2 || '/'",
                       &row));
    rp_row_bind_u64(row, 1, draft->now.row);
    rp_row_bind_text(row, 2, rp_view_from_cstr(field->id));
    RP_TRY(rp_row_run(row, NULL));
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        RP_TRY(put_digest(draft, field, one->string));
    }
    return RP_OK;
}

/* Only what is not sealed can be searched. */
static rp_err put_text(const struct rp_draft *draft) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_RECORD_JSON_MAX);
    rp_buf_printf(&text, "%s-%llu ", draft->reg->number,
                  (unsigned long long)draft->now.facts.number);
    for (const struct rp_json *one = draft->open->first; one; one = one->next) {
        const struct rp_field *field = rp_register_field(draft->reg, one->key);
        if (one->kind == RP_JSON_STRING && !field->refers) {
            rp_buf_add(&text, one->string);
            rp_buf_add_byte(&text, ' ');
        }
    }
    RP_TRY(rp_buf_err(&text));
    return rp_words_put(draft->desk->db, draft->now.row, rp_view_from_cstr(draft->reg->id),
                        rp_buf_view(&text));
}

static rp_err write_index(const struct rp_draft *draft) {
    for (size_t i = 0; i < draft->reg->field_count; i++) {
        const struct rp_field *field = &draft->reg->fields[i];
        if (field->type == RP_FIELD_MULTI && !field->sealed) {
            RP_TRY(put_choices(draft, field));
        } else if (field->type == RP_FIELD_DIGESTS) {
            RP_TRY(put_digests(draft, field));
        } else if (field->indexed) {
            RP_TRY(put_value(draft, field));
        }
    }
    return draft->desk->canary ? RP_OK : put_text(draft);
}

/* ---- the history, and the event that vouches for it ---- */

bool rp_json_same(const struct rp_json *a, const struct rp_json *b) {
    if (!a || !b) {
        return a == b;
    }
    _cleanup_(rp_buf_done) struct rp_buf one = rp_buf_new(RP_RECORD_JSON_MAX);
    _cleanup_(rp_buf_done) struct rp_buf two = rp_buf_new(RP_RECORD_JSON_MAX);
    return rp_ok(rp_json_print(a, &one)) && rp_ok(rp_json_print(b, &two)) &&
           rp_view_equal(rp_buf_view(&one), rp_buf_view(&two));
}

static void add_side(struct rp_arena *arena, struct rp_json *pair, const char *side,
                     const struct rp_json *value) {
    if (value) {
        rp_json_add(arena, pair, side, rp_json_like(arena, value));
    } else {
        rp_json_add_null(arena, pair, side);
    }
}

/* {"field":{"old":…,"new":…}} of what differs; the names into `names`. */
static struct rp_json *differences(const struct rp_draft *draft, bool sealed,
                                   struct rp_buf *names) {
    struct rp_arena *arena = draft->desk->arena;
    struct rp_json *fields = rp_json_object(arena);
    for (size_t i = 0; i < draft->reg->field_count; i++) {
        const struct rp_field *field = &draft->reg->fields[i];
        const struct rp_facts *was = &draft->was.facts;
        const struct rp_json *old = rp_json_get(sealed ? was->secret : was->open, field->id);
        const struct rp_json *new = rp_json_get(sealed ? draft->secret : draft->open, field->id);
        if (field->sealed == sealed && !rp_json_same(old, new)) {
            struct rp_json *pair = rp_json_add_object(arena, fields, field->id);
            add_side(arena, pair, "old", old);
            add_side(arena, pair, "new", new);
            rp_buf_printf(names, "%s%s", names->n ? " " : "", field->id);
        }
    }
    return fields;
}

static const char *signature_of(const struct rp_draft *draft) {
    if (draft->now.facts.example) {
        return "example";
    }
    return draft->change->evidence ? "webauthn" : "second factor";
}

static struct rp_json *describe(const struct rp_draft *draft, struct rp_json *fields) {
    const struct rp_desk *desk = draft->desk;
    struct rp_arena *arena = desk->arena;
    struct rp_json *doc = rp_json_object(arena);
    rp_json_add_cstr(arena, doc, "at", rp_time_print(draft->now_ms / 1000).s);
    rp_json_add_cstr(arena, doc, "by", rp_id_print(desk->actor.id).s);
    rp_json_add_cstr(arena, doc, "how", desk->actor.how);
    rp_json_add_u64(arena, doc, "version", draft->now.version);
    rp_json_add_string(arena, doc, "to", draft->now.facts.state);
    if (draft->move) {
        rp_json_add_cstr(arena, doc, "move", draft->move->id);
        rp_json_add_string(arena, doc, "from", draft->was.facts.state);
    }
    if (draft->move && draft->move->sign) {
        int64_t at_ms = draft->change->evidence ? draft->now_ms : desk->actor.second_factor_ms;
        rp_json_add_cstr(arena, doc, "signature", signature_of(draft));
        rp_json_add_cstr(arena, doc, "signature_at", rp_time_print(at_ms / 1000).s);
    }
    if (draft->change->reason.n > 0) {
        rp_json_add_string(arena, doc, "reason", draft->change->reason);
    }
    if (draft->change->filed.sha256.n > 0) {
        struct rp_json *filed = rp_json_add_object(arena, doc, "filed");
        rp_json_add_string(arena, filed, "sha256", draft->change->filed.sha256);
        rp_json_add_u64(arena, filed, "bytes", draft->change->filed.bytes);
        rp_json_add_u64(arena, filed, "pieces", draft->change->filed.pieces);
    }
    if (draft->change->clock) {
        rp_json_add_cstr(arena, doc, "clock", draft->change->clock);
    }
    if (draft->change->closed_ms) {
        rp_json_add_cstr(arena, doc, "closed_at", rp_time_print(draft->change->closed_ms / 1000).s);
    }
    rp_json_add(arena, doc, "fields", fields);
    return doc;
}

static rp_err put_change(const struct rp_draft *draft, rp_view change, rp_view sealed) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(draft->desk->db,
                       "INSERT INTO register_change (record, version, change, sealed) "
                       "VALUES (?1, ?2, ?3, ?4)",
                       &row));
    rp_row_bind_u64(row, 1, draft->now.row);
    rp_row_bind_u64(row, 2, draft->now.version);
    rp_row_bind_text(row, 3, change);
    if (sealed.n > 0) {
        rp_row_bind_blob(row, 4, sealed);
    } else {
        rp_row_bind_null(row, 4);
    }
    return rp_row_run(row, NULL);
}

struct rp_event *rp_desk_event(const struct rp_desk *desk, enum rp_event_kind kind,
                               const struct rp_entry *record) {
    struct rp_event *event =
        rp_event_new(desk->arena, kind, rp_env_now_ms(desk->env), RP_ROLE_CORE);
    rp_event_add_text(event, "register", rp_view_from_cstr(record->facts.reg->id));
    rp_event_add_id(event, "record", record->facts.id);
    return event;
}

static rp_err emit(const struct rp_draft *draft, rp_view names, const struct rp_sha256 *digest) {
    enum rp_event_kind kind = draft->was.version == 0 ? RP_EVENT_REGISTER_CREATED
                              : draft->move           ? RP_EVENT_REGISTER_MOVED
                                                      : RP_EVENT_REGISTER_EDITED;
    struct rp_event *event = rp_desk_event(draft->desk, kind, &draft->now);
    rp_event_add_u64(event, "number", draft->now.facts.number);
    rp_event_add_u64(event, "version", draft->now.version);
    rp_event_add_id(event, "by", draft->desk->actor.id);
    rp_event_add_text(event, "how", rp_view_from_cstr(draft->desk->actor.how));
    if (kind != RP_EVENT_REGISTER_CREATED) {
        rp_event_add_text(event, "fields", names);
    }
    if (kind != RP_EVENT_REGISTER_EDITED) {
        rp_event_add_text(event, "to", draft->now.facts.state);
    }
    if (kind == RP_EVENT_REGISTER_MOVED) {
        rp_event_add_text(event, "move", rp_view_from_cstr(draft->move->id));
        rp_event_add_text(event, "from", draft->was.facts.state);
        rp_event_add_text(event, "signature",
                          !draft->move->sign ? RP_VIEW("none")
                                             : rp_view_from_cstr(signature_of(draft)));
    }
    char hex[2 * RP_SHA256];
    rp_hex_print(rp_view_of(digest->b, sizeof digest->b), hex);
    rp_event_add_text(event, "change_sha256", rp_view_of(hex, sizeof hex));
    return rp_db_emit(draft->desk->db, event);
}

/* The digest covers what is open and what is sealed, as they lie in the history. */
static rp_err write_change(const struct rp_draft *draft) {
    _cleanup_(rp_buf_done) struct rp_buf names = rp_buf_new(RP_RECORD_JSON_MAX);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(2 * RP_RECORD_JSON_MAX);
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new(2 * RP_RECORD_JSON_MAX);
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(2 * RP_RECORD_JSON_MAX + 64);
    struct rp_json *open = differences(draft, false, &names);
    struct rp_json *secret = differences(draft, true, &names);
    if (draft->move && draft->move->sign && draft->change->evidence) { /* it repeats the values */
        rp_json_add(draft->desk->arena, secret, RP_EVIDENCE_KEY,
                    rp_json_like(draft->desk->arena, draft->change->evidence));
    }
    RP_TRY(print_json(describe(draft, open), &text));
    if (secret && secret->count > 0) {
        RP_TRY(print_json(secret, &plain));
        RP_TRY(rp_entry_seal(draft->desk, draft->now.facts.id, RP_VIEW("register-change"),
                             rp_buf_view(&plain), &sealed));
    }
    struct rp_sha256 digest = rp_sha256_of2(rp_buf_view(&text), rp_buf_view(&sealed));
    RP_TRY(put_change(draft, rp_buf_view(&text), rp_buf_view(&sealed)));
    return emit(draft, rp_buf_view(&names), &digest);
}

rp_err rp_draft_save(struct rp_draft *draft) {
    RP_TRY(write_row(draft));
    RP_TRY(write_index(draft));
    RP_TRY(write_change(draft));
    return draft->desk->canary ? RP_OK : rp_draft_clocks(draft); /* nobody is told of canaries */
}
