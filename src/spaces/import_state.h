/* import_state.h — how far an import came, for the two files that do it: import.c reads the
 * archive's parts, import_take.c puts what they hold into the tenant. */
#ifndef RP_SPACES_IMPORT_STATE_H
#define RP_SPACES_IMPORT_STATE_H

#include "spaces/archive_reader.h"
#include "spaces/import_line.h"

/* A file that a line told of, and whose bytes are to come. */
struct awaited {
    struct rp_space_import_line said; /* in the facts' arena */
    uint64_t line;
    bool wanted; /* not there yet, and not refused */
    bool came;
};

struct rp_space_import {
    struct rp_space_import_rules rules;
    struct rp_archive_reader *reader;
    struct rp_space_import_report report;
    struct rp_space_import_refusal told[RP_IMPORT_TOLD];
    bool ended;

    /* The part that comes in. */
    struct rp_space_import_part part;
    char name[RP_TAR_NAME_MAX + 1]; /* of the page, for its bytes too */
    bool skips;
    struct rp_buf lines; /* a page */
    size_t at;           /* of it: taken */
    uint64_t line;
    bool paging; /* the page is whole, and its lines are being taken */
    struct rp_arena *scratch;

    /* The files of the last page, and the one that comes in. */
    struct rp_arena *facts;
    struct awaited files[RP_EXPORT_FILES];
    size_t file_count;
    struct awaited *coming;
    struct rp_upload upload;
    struct rp_blob blob;

    uint64_t planned_records, planned_bytes; /* of a dry run */
};

/* Counts what is refused, and tells of it while there is room. */
void rp_space_import_refuse(struct rp_space_import *import, enum rp_space_import_fault fault,
                            uint64_t line, uint64_t count);
/* Some lines of the page, in one transaction: all of them that are good or, where something else is
 * wrong, none of them, and then none is counted. */
rp_err rp_space_import_take_some(struct rp_space_import *import, struct rp_space *space);
/* What the page told of and never came; another page begins. */
void rp_space_import_refuse_missing(struct rp_space_import *import);

/* The bytes of a file, after the page that told of it. */
rp_err rp_space_import_begin_file(struct rp_space_import *import, struct rp_space *space,
                                  uint64_t size);
rp_err rp_space_import_end_file(struct rp_space_import *import, struct rp_space *space);

#endif
