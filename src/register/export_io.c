/* export_io.c — a register's records as CSV or JSON lines, a page at a time. */
#include "base/assert.h"
#include "register/internal.h"
#include "register/table.h"

enum { SCRATCH_BYTES = 16 * 1024 * 1024 };

static bool is_exported(const struct rp_field *field) {
    return field->type != RP_FIELD_COMPUTED;
}

static void add_names(const struct rp_register *reg, struct rp_buf *out) {
    static const char *const first[] = {"id", "number", "state", "version"};
    for (size_t i = 0; i < 4; i++) {
        rp_csv_add(out, i == 0, rp_view_from_cstr(first[i]));
    }
    for (size_t i = 0; i < reg->field_count; i++) {
        if (is_exported(&reg->fields[i])) {
            rp_csv_add(out, false, rp_view_from_cstr(reg->fields[i].id));
        }
    }
    rp_csv_end_row(out);
}

/* What a spreadsheet would run is text: an apostrophe in front says so. */
static void add_text(struct rp_desk *desk, rp_view text, struct rp_buf *out) {
    bool formula = text.n > 0 && strchr("=+-@\t\r'", text.p[0]) != NULL;
    rp_csv_add(out, false, formula ? rp_arena_printf(desk->arena, "'%.*s", RP_FMT(text)) : text);
}

static void add_choices(const struct rp_json *list, struct rp_buf *out) {
    struct rp_buf text = rp_buf_new(RP_FIELD_TEXT_MAX);
    for (const struct rp_json *one = list->first; one; one = one->next) {
        rp_buf_printf(&text, "%s%.*s", text.n ? " " : "", RP_FMT(one->string));
    }
    rp_csv_add(out, false, rp_buf_view(&text));
    rp_buf_done(&text);
}

static void add_value(struct rp_desk *desk, const struct rp_json *value, struct rp_buf *out) {
    if (!value || value->kind == RP_JSON_NULL) {
        rp_csv_add(out, false, RP_VIEW(""));
    } else if (value->kind == RP_JSON_STRING) {
        add_text(desk, value->string, out);
    } else if (value->kind == RP_JSON_ARRAY) {
        add_choices(value, out);
    } else {
        struct rp_buf text = rp_buf_new(64);
        rp_err err = rp_json_print(value, &text);
        rp_csv_add(out, false, rp_ok(err) ? rp_buf_view(&text) : RP_VIEW(""));
        rp_buf_done(&text);
    }
}

static void add_row(struct rp_desk *desk, const struct rp_entry *record, struct rp_buf *out) {
    const struct rp_facts *facts = &record->facts;
    rp_csv_add(out, true, rp_text_of_id(&facts->id_text));
    rp_csv_add(out, false, rp_arena_printf(desk->arena, "%llu", (unsigned long long)facts->number));
    rp_csv_add(out, false, facts->state);
    rp_csv_add(out, false,
               rp_arena_printf(desk->arena, "%llu", (unsigned long long)record->version));
    for (size_t i = 0; i < facts->reg->field_count; i++) {
        const struct rp_field *field = &facts->reg->fields[i];
        if (is_exported(field)) {
            add_value(desk, rp_json_get(field->sealed ? facts->secret : facts->open, field->id),
                      out);
        }
    }
    rp_csv_end_row(out);
}

static rp_err add_record(struct rp_desk *desk, const struct rp_export *export,
                         const struct rp_entry *record, struct rp_buf *out) {
    if (export->csv) {
        add_row(desk, record, out);
    } else {
        RP_TRY(rp_json_print(rp_desk_show(desk, record), out));
        rp_buf_add_byte(out, '\n');
    }
    return rp_buf_err(out);
}

static rp_err read_page(struct rp_desk *desk, const struct rp_export *export,
                        struct rp_entry *records, size_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT " RP_RECORD_COLUMNS " FROM register_record r "
                       "WHERE r.register = ?1 AND r.number > ?2 ORDER BY r.number LIMIT ?3",
                       &row));
    rp_row_bind_text(row, 1, rp_desk_shelf(desk, export->reg));
    rp_row_bind_u64(row, 2, export->after);
    rp_row_bind_u64(row, 3, RP_EXPORT_PAGE);
    RP_TRY(rp_row_next(row, &more));
    while (more && *ret_count < RP_EXPORT_PAGE) {
        RP_TRY(rp_row_entry(desk, row, &records[(*ret_count)++]));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

struct telling {
    const struct rp_desk *desk;
    const struct rp_register *reg;
};

/*= S71 */ /* who reads out a register does it in the log */
static rp_err tell(struct rp_db *db, void *ctx) {
    const struct telling *telling = ctx;
    const struct rp_desk *desk = telling->desk;
    struct rp_event *event = rp_event_new(desk->arena, RP_EVENT_REGISTER_EXPORTED,
                                          rp_env_now_ms(desk->env), RP_ROLE_CORE);
    rp_event_add_text(event, "register", rp_view_from_cstr(telling->reg->id));
    rp_event_add_id(event, "by", desk->actor.id);
    rp_event_add_text(event, "how", rp_view_from_cstr(desk->actor.how));
    return rp_db_emit(db, event);
}

rp_err rp_desk_export(struct rp_desk *desk, struct rp_export *export, struct rp_buf *out) {
    RP_ASSERT(desk->key != NULL);
    if (!rp_desk_may_read(desk, export->reg)) {
        return RP_ERR(DENIED);
    }
    struct rp_arena *scratch _cleanup_(rp_arena_freep) = rp_arena_new(SCRATCH_BYTES);
    struct rp_desk inner = *desk;
    struct rp_entry *records =
        scratch ? rp_arena_array(scratch, RP_EXPORT_PAGE, sizeof *records) : NULL;
    size_t count = 0;
    if (!records) {
        return RP_ERR(NO_MEMORY);
    }
    inner.arena = scratch;
    if (export->after == 0) {
        struct telling telling = {&inner, export->reg};
        RP_TRY(rp_db_transact(desk->db, tell, &telling));
        if (export->csv) {
            add_names(export->reg, out);
        }
    }
    RP_TRY(read_page(&inner, export, records, &count));
    for (size_t i = 0; i < count; i++) {
        RP_TRY(add_record(&inner, export, &records[i], out));
        export->after = records[i].facts.number;
    }
    export->count = count;
    return rp_buf_err(out);
}
