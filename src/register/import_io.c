/* import_io.c — lines in: each through the same door as a single record, all or none. */
#include "base/assert.h"
#include "base/checked.h"
#include "register/save.h"
#include "register/table.h"

enum { SCRATCH_BYTES = 8 * 1024 * 1024 };

enum doing { DOES_NOTHING, DOES_CREATE, DOES_EDIT, DOES_REFUSED };
static const char *const words[] = {"nothing", "create", "edit", "refused"};

struct line {
    unsigned number;
    enum doing does;
    rp_id id;
    struct rp_diag why;
    bool denied;
};

struct importing {
    struct rp_desk *desk; /* its arena holds the report */
    struct rp_desk inner; /* the scratch of one line */
    struct rp_import *import;
    rp_id denied; /* a record that a rule kept */
    bool any_denied;
};

/* ---- a cell as JSON ---- */

static rp_err multi_value(struct rp_arena *arena, rp_view cell, struct rp_json **ret_json) {
    *ret_json = rp_json_array(arena);
    while (cell.p) {
        rp_view word = rp_view_cut(&cell, ' ');
        if (word.n > 0) {
            rp_json_add_string(arena, *ret_json, NULL, word);
        }
    }
    return *ret_json ? RP_OK : RP_ERR(TOO_LARGE);
}

static rp_view without_apostrophe(rp_view cell) {
    bool marked = cell.n > 1 && cell.p[0] == '\'' && strchr("=+-@\t\r'", cell.p[1]) != NULL;
    return marked ? rp_view_from(cell, 1) : cell;
}

/* What does not read as a number or truth stays text, and the field refuses it by name. */
static rp_err cell_value(struct rp_arena *arena, const struct rp_field *field, rp_view cell,
                         struct rp_json **ret_json) {
    if (cell.n > 0 && field && (field->type == RP_FIELD_MULTI || field->type == RP_FIELD_DIGESTS)) {
        return multi_value(arena, cell, ret_json);
    }
    struct rp_json *json = NULL;
    if (field && (field->type == RP_FIELD_NUMBER || field->type == RP_FIELD_BOOL) &&
        rp_ok(rp_json_parse(cell, RP_JSON_LIMITS, arena, &json, NULL))) {
        *ret_json = json;
        return RP_OK;
    }
    json = rp_arena_alloc(arena, sizeof *json);
    if (!json) {
        return RP_ERR(TOO_LARGE);
    }
    *json = (struct rp_json){.kind = cell.n > 0 ? RP_JSON_STRING : RP_JSON_NULL,
                             .string = without_apostrophe(cell)};
    *ret_json = json;
    return RP_OK;
}

static rp_err object_of_row(struct importing *importing, const struct rp_csv_row *row,
                            struct rp_json **ret_object) {
    const struct rp_csv *table = importing->import->table;
    struct rp_arena *arena = importing->inner.arena;
    struct rp_json *object = rp_json_object(arena);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct rp_field *field = rp_register_field(importing->import->reg, table->names[i]);
        struct rp_json *value = NULL;
        RP_TRY(cell_value(arena, field, row->cells[i], &value));
        rp_json_add(arena, object, rp_arena_cstr(arena, table->names[i]), value);
    }
    *ret_object = object;
    return object ? RP_OK : RP_ERR(TOO_LARGE);
}

/* ---- one line ---- */

static bool is_word(rp_view name, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(list[i]))) {
            return true;
        }
    }
    return false;
}

/* What the program writes itself must come back as it is, or empty. */
static rp_err check_same(struct importing *importing, const struct rp_json *given,
                         const struct rp_json *had) {
    bool empty = given->kind == RP_JSON_NULL;
    if (empty || rp_json_same(given, had)) {
        return RP_OK;
    }
    return rp_fail(importing->inner.diag, RP_ERR(DENIED), "%.*s: %s", RP_FMT(given->key),
                   importing->desk->lang == RP_FR ? "ne s’écrit pas à la main"
                                                  : "is not written by hand");
}

static rp_err check_state(struct importing *importing, const struct rp_json *given,
                          const struct rp_entry *was) {
    const struct rp_register *reg = importing->import->reg;
    rp_view state = was->version > 0 ? was->facts.state : rp_view_from_cstr(reg->states[0].id);
    bool same = given->kind == RP_JSON_NULL ||
                (given->kind == RP_JSON_STRING && rp_view_equal(given->string, state));
    return same ? RP_OK
                : rp_fail(importing->inner.diag, RP_ERR(DENIED), "state: %s",
                          importing->desk->lang == RP_FR ? "l’état change par un passage"
                                                         : "a state changes by a move");
}

static const struct rp_json *had_value(const struct rp_entry *was, const struct rp_field *field) {
    return rp_json_get(field->sealed ? was->facts.secret : was->facts.open, field->id);
}

static const char *const ours[] = {"id",      "number",  "version",   "register", "author",
                                   "created", "changed", "deadlines", "example",  "state"};

static rp_err check_names(const struct rp_desk *desk, const struct rp_import *import) {
    const struct rp_csv *table = import->table;
    for (size_t i = 0; table && i < table->column_count; i++) {
        if (!is_word(table->names[i], ours, RP_COUNT_OF(ours)) &&
            !rp_register_field(import->reg, table->names[i])) {
            return rp_fail_at(desk->diag, RP_ERR(UNKNOWN_KEY), 1, (unsigned)i + 1, "\"%.*s\"",
                              RP_FMT(table->names[i]));
        }
    }
    return RP_OK;
}

/* The fields that are to change; *ret_differs: any of them does. */
static rp_err read_fields(struct importing *importing, const struct rp_json *object,
                          const struct rp_entry *was, struct rp_json **ret_fields,
                          bool *ret_differs) {
    const struct rp_register *reg = importing->import->reg;
    struct rp_arena *arena = importing->inner.arena;
    struct rp_json *fields = rp_json_object(arena);
    for (const struct rp_json *one = object->first; one; one = one->next) {
        const struct rp_field *field = rp_register_field(reg, one->key);
        if (rp_view_equal(one->key, RP_VIEW("state"))) {
            RP_TRY(check_state(importing, one, was));
        }
        if (is_word(one->key, ours, RP_COUNT_OF(ours))) {
            continue;
        }
        if (!field) {
            return rp_fail(importing->inner.diag, RP_ERR(UNKNOWN_KEY), "%.*s", RP_FMT(one->key));
        }
        if (field->type == RP_FIELD_COMPUTED) {
            continue;
        }
        if (field->fixed) {
            RP_TRY(check_same(importing, one, had_value(was, field)));
            continue;
        }
        const struct rp_json *had = had_value(was, field);
        bool empty = one->kind == RP_JSON_NULL && !had;
        if (!empty && !rp_json_same(one, had)) {
            rp_json_add(arena, fields, field->id, rp_json_like(arena, one));
            *ret_differs = true;
        }
    }
    *ret_fields = fields;
    return fields ? RP_OK : RP_ERR(TOO_LARGE);
}

static rp_err read_version(const struct rp_json *object, uint64_t *ret_version) {
    const struct rp_json *json = rp_json_get(object, "version");
    if (!json || json->kind == RP_JSON_NULL) {
        *ret_version = 0;
        return RP_OK;
    }
    bool read = json->kind == RP_JSON_STRING ? rp_view_to_u64(json->string, INT64_MAX, ret_version)
                                             : rp_json_get_u64(object, "version", ret_version);
    return read ? RP_OK : RP_ERR(INVALID);
}

static rp_err take_line(struct importing *importing, const struct rp_json *object,
                        struct line *line) {
    struct rp_desk *desk = &importing->inner;
    const struct rp_register *reg = importing->import->reg;
    struct rp_entry was = {.version = 0}, record;
    struct rp_json *fields = NULL;
    struct rp_change change = {.version = 0};
    bool differs = false;
    rp_view id = rp_json_get_string(object, "id");
    if (id.n > 0) {
        if (!rp_id_parse(id, &line->id)) {
            return rp_fail(desk->diag, RP_ERR(INVALID), "id");
        }
        RP_TRY(rp_entry_by_id(desk, reg, line->id, &was));
        RP_TRY(read_version(object, &change.version));
    }
    RP_TRY(read_fields(importing, object, &was, &fields, &differs));
    change.fields = fields;
    RP_TRY(rp_desk_check_write(desk, reg, was.version > 0 ? &was : NULL));
    if (was.version == 0) {
        RP_TRY(rp_create_inside(desk, reg, &change, &record));
        line->does = DOES_CREATE;
        line->id = record.facts.id;
    } else if (differs) {
        change.example = was.facts.example;
        RP_TRY(rp_edit_inside(desk, &was, &change, &record));
        line->does = DOES_EDIT;
    }
    return RP_OK;
}

/* The column that a reason begins with, from 1; 0 = none. */
static size_t column_of(const struct rp_csv *table, const struct rp_diag *why) {
    rp_view text = rp_view_from_cstr(why->text);
    rp_view name = rp_view_cut(&text, ':');
    for (size_t i = 0; table && i < table->column_count; i++) {
        if (rp_view_equal(table->names[i], name)) {
            return i + 1;
        }
    }
    return 0;
}

static void report(struct importing *importing, const struct line *line) {
    struct rp_arena *arena = importing->desk->arena;
    struct rp_json *json = rp_json_add_object(arena, importing->import->lines, NULL);
    rp_json_add_u64(arena, json, "line", line->number);
    rp_json_add_cstr(arena, json, "does", words[line->does]);
    if (!rp_id_is_none(line->id) && !(line->does == DOES_CREATE && importing->import->dry_run)) {
        rp_json_add_cstr(arena, json, "id", rp_id_print(line->id).s);
    }
    if (line->does == DOES_REFUSED) {
        size_t column = column_of(importing->import->table, &line->why);
        if (column > 0) {
            rp_json_add_u64(arena, json, "column", column);
        }
        rp_json_add_cstr(arena, json, "detail", line->why.text);
    }
}

/* What is the line's own fault is reported; what is the machine's ends it all. */
static rp_err do_line(struct importing *importing, const struct rp_json *object,
                      struct line *line) {
    struct rp_import *import = importing->import;
    importing->inner.diag = &line->why;
    rp_err err = take_line(importing, object, line);
    if (!rp_ok(err)) {
        int status = rp_err_http(err);
        if (status >= 500 && !rp_is(err, RP_E_CORRUPT)) {
            return err;
        }
        if (line->why.text[0] == 0) {
            line->why = (struct rp_diag){.line = 0};
            rp_ignore(rp_fail(&line->why, err, "%s", rp_err_text(err, importing->desk->lang)));
        }
        line->does = DOES_REFUSED;
        if (rp_is(err, RP_E_DENIED) && !importing->any_denied) {
            importing->any_denied = true;
            importing->denied = line->id;
            rp_ignore(rp_fail(importing->desk->diag, err, "%s", line->why.text));
        }
    }
    import->created += line->does == DOES_CREATE;
    import->edited += line->does == DOES_EDIT;
    import->refused += line->does == DOES_REFUSED;
    report(importing, line);
    rp_arena_reset(importing->inner.arena);
    return RP_OK;
}

static rp_err do_rows(struct importing *importing) {
    const struct rp_csv *table = importing->import->table;
    for (size_t i = 0; i < table->row_count; i++) {
        struct line line = {.number = table->rows[i].line};
        struct rp_json *object = NULL;
        RP_TRY(object_of_row(importing, &table->rows[i], &object));
        RP_TRY(do_line(importing, object, &line));
    }
    return RP_OK;
}

static rp_err do_records(struct importing *importing) {
    unsigned number = 0;
    for (const struct rp_json *one = importing->import->records->first; one; one = one->next) {
        number++;
        struct line line = {.number = number};
        RP_TRY(do_line(importing, one, &line));
    }
    return RP_OK;
}

/* EXPIRED undoes what a dry run or a refused line has left. */
static rp_err import_all(struct rp_db *db, void *ctx) {
    (void)db;
    struct importing *importing = ctx;
    const struct rp_import *import = importing->import;
    RP_TRY(import->table ? do_rows(importing) : do_records(importing));
    return import->dry_run || import->refused > 0 ? RP_ERR(EXPIRED) : RP_OK;
}

/*= S9, S10, S31, S165: an import is no way around the gates */
rp_err rp_desk_import(struct rp_desk *desk, struct rp_import *import) {
    RP_ASSERT(desk->key != NULL && (import->table == NULL) != (import->records == NULL));
    size_t lines = import->table ? import->table->row_count : import->records->count;
    if (lines > RP_IMPORT_LINES_MAX) {
        return rp_fail(desk->diag, RP_ERR(TOO_LARGE), "%d", RP_IMPORT_LINES_MAX);
    }
    RP_TRY(check_names(desk, import));
    struct rp_arena *scratch _cleanup_(rp_arena_freep) = rp_arena_new(SCRATCH_BYTES);
    struct importing importing = {.desk = desk, .inner = *desk, .import = import};
    import->lines = rp_json_array(desk->arena);
    if (!scratch || !import->lines) {
        return RP_ERR(NO_MEMORY);
    }
    importing.inner.arena = scratch;
    rp_err err = rp_db_transact(desk->db, import_all, &importing);
    if (importing.any_denied && !import->dry_run) {
        rp_desk_refused(desk, import->reg, importing.denied);
    }
    return rp_is(err, RP_E_EXPIRED) ? RP_OK : err;
}
