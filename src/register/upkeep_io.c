/* upkeep_io.c — the registers as a whole: schemas that changed, rows that were altered. */
#include "base/assert.h"
#include "register/retention.h"

enum { MISFITS_MAX = 100 };

/* ---- a newer schema must still hold the older data ---- */

static bool has_line(rp_view text, rp_view line) {
    while (text.p) {
        if (rp_view_equal(rp_view_cut(&text, '\n'), line)) {
            return true;
        }
    }
    return false;
}

/* What a line of the shape says: "state NAME", "field NAME TYPE…", "choice FIELD.NAME". */
struct shape_line {
    rp_view kind, field, name;
};

static struct shape_line read_line(rp_view line) {
    struct shape_line out = {.kind = rp_view_cut(&line, ' ')};
    if (rp_view_equal(out.kind, RP_VIEW("choice"))) {
        out.field = rp_view_cut(&line, '.');
        out.name = line;
    } else if (rp_view_equal(out.kind, RP_VIEW("field"))) {
        out.field = rp_view_cut(&line, ' ');
    } else {
        out.name = line;
    }
    return out;
}

/* How many records use it. Sealed fields are closed here: any sealed record may. */
static const char count_sql[] =
    "SELECT count(*) FROM register_record WHERE register = ?1 AND CASE ?2 "
    "WHEN 'state' THEN state = ?4 "
    "WHEN 'field' THEN sealed IS NOT NULL AND ?5 = 1 OR body ->> ?3 IS NOT NULL "
    "ELSE body ->> ?3 = ?4 OR EXISTS (SELECT 1 FROM json_each(body, '$.' || ?3) e "
    "WHERE e.value = ?4) END";

static rp_err count_users(struct rp_desk *desk, const struct rp_register *reg, rp_view text,
                          uint64_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct shape_line line = read_line(text);
    RP_TRY(rp_db_query(desk->db, count_sql, &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(reg->id));
    rp_row_bind_text(row, 2, line.kind);
    rp_row_bind_text(row, 3, line.field.p ? line.field : RP_VIEW(""));
    rp_row_bind_text(row, 4, line.name.p ? line.name : RP_VIEW(""));
    rp_row_bind_u64(row, 5, rp_view_find(text, RP_VIEW(" sealed")) < text.n);
    RP_TRY(rp_row_first(row));
    *ret_count = rp_row_u64(row, 0);
    return RP_OK;
}

/* The file's former version has to be back for it: the records are moved under that one. */
static rp_err refuse(struct rp_desk *desk, const struct rp_register *reg, rp_view text,
                     uint64_t count) {
    struct shape_line line = read_line(text);
    rp_view step =
        rp_view_equal(line.kind, RP_VIEW("state"))
            ? rp_arena_printf(desk->arena,
                              "move them elsewhere (rempart register list %s state=%.*s)", reg->id,
                              RP_FMT(line.name))
        : rp_view_equal(line.kind, RP_VIEW("field"))
            ? rp_arena_printf(desk->arena, "empty it (rempart register edit %s ID %.*s=null)",
                              reg->id, RP_FMT(line.field))
            : rp_arena_printf(desk->arena, "give them another (rempart register edit %s ID %.*s=…)",
                              reg->id, RP_FMT(line.field));
    return rp_fail(desk->diag, RP_ERR(INVALID),
                   "%s: version %u has no more \"%.*s\", which %llu records use; put the former "
                   "file back and %.*s, or keep it",
                   reg->file, reg->version, RP_FMT(text), (unsigned long long)count, RP_FMT(step));
}

/* What was typed and is computed now orphans nothing: the typed value counts no more. */
static bool is_computed(const struct rp_register *reg, rp_view text) {
    struct shape_line line = read_line(text);
    const struct rp_field *field = line.field.p ? rp_register_field(reg, line.field) : NULL;
    return field && field->type == RP_FIELD_COMPUTED;
}

static rp_err check_shape(struct rp_desk *desk, const struct rp_register *reg, rp_view before) {
    rp_view now = rp_view_from_cstr(reg->shape), rest = before;
    while (rest.p) {
        rp_view line = rp_view_cut(&rest, '\n');
        uint64_t count = 0;
        if (line.n == 0 || has_line(now, line) || is_computed(reg, line)) {
            continue;
        }
        RP_TRY(count_users(desk, reg, line, &count));
        if (count > 0) {
            return refuse(desk, reg, line, count);
        }
    }
    return RP_OK;
}

static rp_err read_shape(struct rp_desk *desk, const struct rp_register *reg, rp_view *ret_shape) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db, "SELECT shape FROM register_schema WHERE register = ?1", &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(reg->id));
    bool found = false;
    RP_TRY(rp_row_next(row, &found));
    *ret_shape = (rp_view){NULL, 0};
    return found ? rp_arena_copy(desk->arena, rp_row_text(row, 0), ret_shape) : RP_OK;
}

static rp_err write_shape(struct rp_desk *desk, const struct rp_register *reg) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "INSERT INTO register_schema (register, version, shape) VALUES (?1, ?2, ?3) "
                       "ON CONFLICT (register) DO UPDATE SET version = ?2, shape = ?3",
                       &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(reg->id));
    rp_row_bind_u64(row, 2, reg->version);
    rp_row_bind_text(row, 3, rp_view_from_cstr(reg->shape));
    return rp_row_run(row, NULL);
}

static rp_err check_all(struct rp_db *db, void *ctx) {
    (void)db;
    struct rp_desk *desk = ctx;
    for (size_t i = 0; i < desk->registers->count; i++) {
        const struct rp_register *reg = &desk->registers->list[i];
        rp_view before = {NULL, 0};
        RP_TRY(read_shape(desk, reg, &before));
        if (!rp_view_equal(before, rp_view_from_cstr(reg->shape))) {
            RP_TRY(check_shape(desk, reg, before));
            RP_TRY(write_shape(desk, reg));
        }
    }
    return RP_OK;
}

rp_err rp_desk_check_schemas(struct rp_desk *desk) {
    return rp_db_transact(desk->db, check_all, desk);
}

/* ---- rows that somebody altered ---- */

static rp_err next_id(struct rp_desk *desk, uint64_t after, uint64_t *ret_row, rp_id *ret_id,
                      const struct rp_register **ret_reg, bool *ret_more) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT row, id, register FROM register_record WHERE row > ?1 "
                       "ORDER BY row LIMIT 1",
                       &row));
    rp_row_bind_u64(row, 1, after);
    RP_TRY(rp_row_next(row, ret_more));
    if (*ret_more) {
        *ret_row = rp_row_u64(row, 0);
        *ret_id = rp_row_id(row, 1);
        *ret_reg = rp_register_find(desk->registers, rp_row_text(row, 2));
    }
    return RP_OK;
}

/* A row that was deleted, or put back to an earlier version, does not fit its history. */
struct misfits {
    struct rp_desk *desk;
    uint64_t count;
};

static rp_err emit_misfit(struct rp_db *db, void *ctx) {
    struct misfits *misfits = ctx;
    const struct rp_desk *desk = misfits->desk;
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(db,
                       "SELECT r.id, r.register FROM (SELECT record, max(version) AS last "
                       "FROM register_change GROUP BY record) c "
                       "LEFT JOIN register_record r ON r.row = c.record "
                       "WHERE r.row IS NULL OR r.version <> c.last LIMIT ?1",
                       &row));
    rp_row_bind_u64(row, 1, MISFITS_MAX);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        struct rp_event *event = rp_event_new(desk->arena, RP_EVENT_REGISTER_ALTERED,
                                              rp_env_now_ms(desk->env), RP_ROLE_CORE);
        bool gone = rp_row_blob(row, 0).n == 0;
        rp_event_add_text(event, "register", gone ? RP_VIEW("deleted") : rp_row_text(row, 1));
        rp_id id = {{0}};
        rp_event_add_id(event, "record", gone ? id : rp_row_id(row, 0));
        RP_TRY(rp_db_emit(db, event));
        misfits->count++;
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

rp_err rp_desk_sweep(struct rp_desk *desk, uint64_t *ret_rows, uint64_t *ret_altered) {
    uint64_t at = 0, rows = 0, altered = 0;
    for (;;) {
        rp_id id;
        const struct rp_register *reg = NULL;
        bool more = false;
        RP_TRY(next_id(desk, at, &at, &id, &reg, &more));
        if (!more) {
            break;
        }
        if (!reg) {
            continue; /* its register left the folder: nobody reads it, nothing trusts it */
        }
        struct rp_entry record;
        rp_err err = rp_desk_read(desk, reg, id, &record);
        if (rp_ok(err)) {
            err = rp_retention_plan(desk, &record);
        }
        if (!rp_ok(err) && !rp_is(err, RP_E_CORRUPT)) {
            return err;
        }
        rows++;
        altered += !rp_ok(err);
        rp_arena_reset(desk->arena);
    }
    struct misfits misfits = {.desk = desk};
    RP_TRY(rp_db_transact(desk->db, emit_misfit, &misfits));
    *ret_rows = rows;
    *ret_altered = altered + misfits.count;
    return RP_OK;
}
