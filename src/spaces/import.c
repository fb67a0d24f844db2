/* import.c — an export brought in: its parts as they come, page by page, file by file. */

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "spaces/import_state.h"
#include "spaces/internal.h"

enum {
    PAGE_MAX = 2 << 20, /* twice what an export makes */
    LINE_ARENA = 8 << 20,
    FACTS_ARENA = 256 * 1024
};

const char *rp_space_import_fault_text(enum rp_space_import_fault fault, enum rp_lang lang) {
    static const char *const texts[][RP_LANG_COUNT] = {
        [RP_IMPORT_GOOD] = {"", ""},
#define RP_FAULT(name, fr, en) [RP_IMPORT_##name] = {fr, en},
#include "spaces/import_faults.def"
#undef RP_FAULT
    };
    RP_ASSERT(fault < RP_IMPORT_FAULT_COUNT && lang < RP_LANG_COUNT);
    return texts[fault][lang];
}

rp_err rp_space_import_new(const struct rp_space_import_rules *rules,
                           struct rp_space_import **ret_import) {
    struct rp_space_import *import = calloc(1, sizeof *import);
    if (!import) {
        return RP_ERR(NO_MEMORY);
    }
    import->rules = *rules;
    import->report.told = import->told;
    import->blob.fd = -1;
    import->lines = rp_buf_new_wiping(PAGE_MAX);
    import->scratch = rp_arena_new_wiping(LINE_ARENA);
    import->facts = rp_arena_new_wiping(FACTS_ARENA);
    if (!import->scratch || !import->facts || !rp_ok(rp_archive_reader_new(&import->reader))) {
        rp_space_import_free(import);
        return RP_ERR(NO_MEMORY);
    }
    *ret_import = import;
    return RP_OK;
}

void rp_space_import_free(struct rp_space_import *import) {
    if (!import) {
        return;
    }
    rp_blob_done(&import->blob);
    rp_archive_reader_free(import->reader);
    rp_arena_free(import->scratch);
    rp_arena_free(import->facts);
    rp_buf_done(&import->lines);
    free(import);
}

const struct rp_space_import_report *rp_space_import_report(const struct rp_space_import *import) {
    return &import->report;
}

const struct rp_manifest *rp_space_import_manifest(const struct rp_space_import *import) {
    return rp_archive_reader_manifest(import->reader);
}

/* ---- pages ---- */

static rp_err begin_page(struct rp_space_import *import, const struct rp_tar_entry *entry,
                         struct rp_diag *diag) {
    rp_space_import_refuse_missing(import);
    rp_arena_reset(import->facts);
    if (entry->size > PAGE_MAX) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%.*s: a page has at most %d bytes",
                       RP_FMT(entry->name), PAGE_MAX);
    }
    memcpy(import->name, entry->name.p, entry->name.n);
    import->name[entry->name.n] = 0;
    rp_buf_clear(&import->lines);
    import->at = 0;
    import->line = 0;
    return RP_OK;
}

static uint64_t count_lines(rp_view text) {
    uint64_t count = 0;
    while (text.n > 0) {
        (void)rp_view_cut(&text, '\n');
        count++;
    }
    return count;
}

static void end_page(struct rp_space_import *import) {
    enum rp_space_import_fault fault =
        import->rules.app(import->rules.ctx, rp_view_from_cstr(import->part.app));
    import->paging = fault == RP_IMPORT_GOOD;
    if (!import->paging) {
        rp_space_import_refuse(import, fault, 0, count_lines(rp_buf_view(&import->lines)));
    }
}

/* ---- parts ---- */

/* A file's bytes follow the page that told of it. */
static bool follows(const struct rp_space_import *import, const struct rp_space_import_part *part) {
    return import->part.kind != RP_IMPORT_RECORDS && import->name[0] != 0 &&
           strcmp(part->app, import->part.app) == 0 &&
           strcmp(part->collection, import->part.collection) == 0;
}

static rp_err begin_part(struct rp_space_import *import, struct rp_space *space,
                         const struct rp_tar_entry *entry, struct rp_diag *diag) {
    struct rp_space_import_part part;
    import->skips = rp_view_equal(entry->name, RP_VIEW(RP_MANIFEST_NAME));
    if (import->skips) {
        return RP_OK;
    }
    if (!rp_space_import_part_parse(entry->name, &part) ||
        (part.kind == RP_IMPORT_BYTES && !follows(import, &part))) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%.*s: no export has such a part here",
                       RP_FMT(entry->name));
    }
    import->part = part;
    if (part.kind != RP_IMPORT_BYTES) {
        return begin_page(import, entry, diag);
    }
    space->app = rp_view_from_cstr(import->part.app);
    return rp_space_import_begin_file(import, space, entry->size);
}

static rp_err add_bytes(struct rp_space_import *import, struct rp_space *space, rp_view bytes) {
    if (import->skips) {
        return RP_OK;
    }
    if (import->part.kind != RP_IMPORT_BYTES) {
        rp_buf_add(&import->lines, bytes);
        return rp_buf_err(&import->lines);
    }
    return import->rules.dry_run ? RP_OK
                                 : rp_blob_add(space->env, space->key, &import->blob, bytes);
}

static rp_err end_part(struct rp_space_import *import, struct rp_space *space) {
    if (import->skips) {
        return RP_OK;
    }
    if (import->part.kind == RP_IMPORT_BYTES) {
        return rp_space_import_end_file(import, space);
    }
    end_page(import);
    return RP_OK;
}

static rp_err act(struct rp_space_import *import, struct rp_space *space,
                  const struct rp_untar_step *step, struct rp_diag *diag) {
    switch (step->what) {
    case RP_UNTAR_MORE:
        return RP_OK;
    case RP_UNTAR_FILE:
        return begin_part(import, space, &step->entry, diag);
    case RP_UNTAR_BYTES:
        return add_bytes(import, space, step->bytes);
    case RP_UNTAR_CLOSE:
        return end_part(import, space);
    case RP_UNTAR_END:
        import->ended = true;
        return RP_OK;
    }
    RP_UNREACHABLE();
}

rp_err rp_space_import_step(struct rp_space_import *import, struct rp_space *space, rp_view *rest,
                            bool *ret_more, struct rp_diag *diag) {
    struct rp_untar_step step;
    struct rp_space here = *space;
    RP_ASSERT(space->key != NULL);
    here.app = rp_view_from_cstr(import->part.app);
    if (import->paging) {
        RP_TRY(rp_space_import_take_some(import, &here));
        import->paging = import->at < import->lines.n;
        *ret_more = true;
        return RP_OK;
    }
    RP_TRY(rp_archive_reader_step(import->reader, rest, &step, diag));
    RP_TRY(act(import, &here, &step, diag));
    *ret_more = step.what != RP_UNTAR_MORE && step.what != RP_UNTAR_END;
    return RP_OK;
}

rp_err rp_space_import_end(struct rp_space_import *import, struct rp_diag *diag) {
    if (!import->ended) {
        return rp_fail(diag, RP_ERR(CORRUPT), "the archive ends too early");
    }
    rp_space_import_refuse_missing(import);
    return RP_OK;
}
