/* import_line.h — one part's name and one line of an export, read back. Pure. */
#ifndef RP_SPACES_IMPORT_LINE_H
#define RP_SPACES_IMPORT_LINE_H

#include "spaces/files.h"
#include "spaces/import.h"

enum rp_space_import_kind { RP_IMPORT_RECORDS, RP_IMPORT_FILES, RP_IMPORT_BYTES };

/* Where a part belongs: records/APP/COLLECTION/000001.jsonl and so on. */
struct rp_space_import_part {
    enum rp_space_import_kind kind;
    char app[33];
    char collection[RP_COLLECTION_MAX + 2]; /* as it is stored: a file's with its mark */
    rp_id file;                             /* of bytes */
};
/* False for a name that no export has. */
bool rp_space_import_part_parse(rp_view name, struct rp_space_import_part *ret_part);

struct rp_space_import_line {
    struct rp_record record; /* document: a record's, canonical */
    rp_view name, type;      /* a file's */
    uint64_t size;
};
/* What the line says, in the arena; times after latest_ms are refused. */
enum rp_space_import_fault rp_space_import_line_parse(rp_view text,
                                                      const struct rp_space_import_part *part,
                                                      int64_t latest_ms, struct rp_arena *arena,
                                                      struct rp_space_import_line *ret_line);

#endif
