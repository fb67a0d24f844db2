/* import_take.c — what an export holds, put into the tenant: some lines at once, a file by itself.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "spaces/import_state.h"
#include "spaces/internal.h"

enum { LINES_AT_ONCE = 64, AHEAD_MS = 24 * 3600 * 1000 /* clocks differ */ };

/* ---- what is said of it ---- */

void rp_space_import_refuse(struct rp_space_import *import, enum rp_space_import_fault fault,
                            uint64_t line, uint64_t count) {
    struct rp_space_import_report *report = &import->report;
    report->refused += count;
    if (report->told_count < RP_IMPORT_TOLD) {
        struct rp_space_import_refusal *told = &import->told[report->told_count++];
        *told = (struct rp_space_import_refusal){.line = line, .fault = fault};
        memcpy(told->part, import->name, sizeof told->part);
    }
}

/* Whether so much more may be here; a dry run keeps the sum that a real one would have made. */
static rp_err has_room(struct rp_space_import *import, const struct rp_space *space, uint64_t bytes,
                       bool *ret_room) {
    struct rp_space_use use = {0};
    RP_TRY(rp_space_use(space->db, &use));
    uint64_t records = use.records + import->planned_records + 1;
    bytes += use.bytes + import->planned_bytes;
    *ret_room = (space->records_max == 0 || records <= space->records_max) &&
                (space->bytes_max == 0 || bytes <= space->bytes_max);
    return RP_OK;
}

static void count_brought(struct rp_space_import *import, uint64_t sealed) {
    import->report.brought++;
    if (import->rules.dry_run) {
        import->planned_records++;
        import->planned_bytes += sealed;
    }
}

/* ---- lines ---- */

/* The version that stands here under this id; 0: none. */
static rp_err version_here(const struct rp_space *space, rp_view collection, rp_id id,
                           uint64_t *ret_version) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool found = false;
    RP_TRY(rp_db_query(space->db,
                       "SELECT version FROM record WHERE app = ?1 AND collection = ?2 AND id = ?3",
                       &row));
    rp_row_bind_text(row, 1, space->app);
    rp_row_bind_text(row, 2, collection);
    rp_row_bind_id(row, 3, id);
    RP_TRY(rp_row_next(row, &found));
    *ret_version = found ? rp_row_u64(row, 0) : 0;
    return RP_OK;
}

static rp_err bring_record(struct rp_space_import *import, const struct rp_space *space,
                           const struct rp_space_import_line *line) {
    bool room = false;
    uint64_t sealed = line->record.document.n + RP_AEAD_OVERHEAD;
    RP_TRY(has_room(import, space, sealed, &room));
    if (!room) {
        rp_space_import_refuse(import, RP_IMPORT_FULL, import->line, 1);
        return RP_OK;
    }
    if (!import->rules.dry_run) {
        RP_TRY(rp_space_bring(space, rp_view_from_cstr(import->part.collection), &line->record,
                              import->scratch, NULL));
    }
    count_brought(import, sealed);
    return RP_OK;
}

static struct awaited *find_awaited(struct rp_space_import *import, rp_id id) {
    for (size_t i = 0; i < import->file_count; i++) {
        if (rp_id_equal(import->files[i].said.record.id, id) && !import->files[i].came) {
            return &import->files[i];
        }
    }
    return NULL;
}

static rp_err await_file(struct rp_space_import *import, const struct rp_space_import_line *line,
                         bool wanted) {
    if (find_awaited(import, line->record.id)) { /* another line told of it already */
        rp_space_import_refuse(import, RP_IMPORT_LINE, import->line, 1);
        return RP_OK;
    }
    if (import->file_count == RP_EXPORT_FILES) {
        return RP_ERR(CORRUPT); /* no export has so many on a page */
    }
    struct awaited *file = &import->files[import->file_count++];
    *file = (struct awaited){.said = *line, .line = import->line, .wanted = wanted};
    RP_TRY(rp_arena_copy(import->facts, line->name, &file->said.name));
    return rp_arena_copy(import->facts, line->type, &file->said.type);
}

static rp_err take_line(struct rp_space_import *import, struct rp_space *space, rp_view text) {
    struct rp_space_import_line line;
    uint64_t here = 0;
    rp_arena_reset(import->scratch);
    enum rp_space_import_fault fault = rp_space_import_line_parse(
        text, &import->part, rp_env_now_ms(space->env) + AHEAD_MS, import->scratch, &line);
    if (fault != RP_IMPORT_GOOD) {
        rp_space_import_refuse(import, fault, import->line, 1);
        return RP_OK;
    }
    RP_TRY(version_here(space, rp_view_from_cstr(import->part.collection), line.record.id, &here));
    if (here != 0) {
        import->report.there += here == line.record.version;
        import->report.other += here != line.record.version;
    }
    if (import->part.kind == RP_IMPORT_FILES) {
        return await_file(import, &line, here == 0);
    }
    return here != 0 ? RP_OK : bring_record(import, space, &line);
}

struct lines {
    struct rp_space_import *import;
    struct rp_space *space;
};

static rp_err take_lines(struct rp_db *db, void *ctx) {
    struct lines *lines = ctx;
    struct rp_space_import *import = lines->import;
    (void)db;
    for (int i = 0; i < LINES_AT_ONCE && import->at < import->lines.n; i++) {
        rp_view rest = rp_view_from(rp_buf_view(&import->lines), import->at);
        rp_view line = rp_view_cut(&rest, '\n');
        import->at += RP_MIN(line.n + 1, import->lines.n - import->at);
        import->line++;
        RP_TRY(take_line(import, lines->space, line));
    }
    return RP_OK;
}

rp_err rp_space_import_take_some(struct rp_space_import *import, struct rp_space *space) {
    struct rp_space_import_report before = import->report;
    struct lines lines = {import, space};
    rp_err err = import->rules.dry_run ? take_lines(space->db, &lines)
                                       : rp_db_transact(space->db, take_lines, &lines);
    if (!rp_ok(err)) {
        import->report = before;
    }
    return err;
}

/* ---- files ---- */

static uint64_t weight_of(const struct awaited *file) {
    /* What the record says of it weighs little beside, and is counted when it stands. */
    return rp_blob_sealed_size(file->said.size);
}

static rp_err begin_upload(struct rp_space_import *import, struct rp_space *space,
                           struct awaited *file) {
    const struct rp_upload wish = {.collection =
                                       rp_view_from(rp_view_from_cstr(import->part.collection), 1),
                                   .file = file->said.record.id,
                                   .version = file->said.record.version,
                                   .label = file->said.record.label,
                                   .name = file->said.name,
                                   .type = file->said.type,
                                   .size = file->said.size};
    struct rp_diag diag = {0};
    rp_err err =
        rp_upload_begin_as(space, &wish, import->facts, &import->upload, &import->blob, &diag);
    if (rp_is(err, RP_E_TOO_LARGE)) {
        rp_space_import_refuse(import, RP_IMPORT_FULL, file->line, 1);
        file->wanted = false;
        import->skips = true;
        return RP_OK;
    }
    return err;
}

rp_err rp_space_import_begin_file(struct rp_space_import *import, struct rp_space *space,
                                  uint64_t size) {
    struct awaited *file = find_awaited(import, import->part.file);
    bool room = false;
    import->coming = file;
    import->skips = !file || !file->wanted;
    if (!file) {
        return RP_OK; /* its line was refused, and told */
    }
    file->came = true;
    if (import->skips) {
        return RP_OK;
    }
    RP_TRY(has_room(import, space, weight_of(file), &room));
    if (size != file->said.size || !room) {
        rp_space_import_refuse(import, room ? RP_IMPORT_FILE_SIZE : RP_IMPORT_FULL, file->line, 1);
        import->skips = true;
        return RP_OK;
    }
    return import->rules.dry_run ? RP_OK : begin_upload(import, space, file);
}

static rp_err bring_file(struct rp_db *db, void *ctx) {
    struct lines *lines = ctx;
    struct rp_space_import *import = lines->import;
    const struct rp_file file = {.name = import->upload.name,
                                 .type = import->upload.type,
                                 .size = import->blob.size,
                                 .blob = import->upload.id,
                                 .made = import->upload.version};
    struct rp_record record = import->coming->said.record;
    (void)db;
    RP_TRY(rp_space_file_document(&file, import->scratch, &record.document));
    return rp_space_bring(lines->space, rp_view_from_cstr(import->part.collection), &record,
                          import->scratch, NULL);
}

rp_err rp_space_import_end_file(struct rp_space_import *import, struct rp_space *space) {
    struct lines lines = {import, space};
    if (!import->rules.dry_run) {
        rp_arena_reset(import->scratch);
        RP_TRY(rp_blob_end(space->env, space->key, &import->blob));
        space->files = true;
        rp_err err = rp_db_transact(space->db, bring_file, &lines);
        space->files = false;
        RP_TRY(err);
        rp_blob_done(&import->blob);
    }
    count_brought(import, weight_of(import->coming));
    import->report.files++;
    import->report.bytes += import->coming->said.size;
    return RP_OK;
}

void rp_space_import_leave(struct rp_space_import *import, struct rp_space *space) {
    if (import->blob.fd >= 0) {
        rp_blob_done(&import->blob);
        rp_ignore(rp_upload_drop(space, import->upload.id)); /* else it is swept tomorrow */
    }
}

void rp_space_import_refuse_missing(struct rp_space_import *import) {
    for (size_t i = 0; i < import->file_count; i++) {
        struct awaited *file = &import->files[i];
        if (file->wanted && !file->came) {
            rp_space_import_refuse(import, RP_IMPORT_FILE_GONE, file->line, 1);
        }
    }
    import->file_count = 0;
}
