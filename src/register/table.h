/* table.h — a register as a table: out as CSV or JSON, in again line by line.
 *
 * What comes in goes through the same door as a single record: who may, guards, gates. All lines or
 * none are kept; a dry run says what each would do. A cell that a spreadsheet would take for a
 * formula begins with an apostrophe on the way out, which is taken off on the way in.
 *
 * Fails: DENIED, SYNTAX (line and column), TOO_LARGE. What single lines are refused for stands in
 * the report.
 */
#ifndef RP_REGISTER_TABLE_H
#define RP_REGISTER_TABLE_H

#include "register/desk.h"
#include "wire/csv.h"

enum { RP_EXPORT_PAGE = 500, RP_IMPORT_LINES_MAX = 1000, RP_TABLE_BYTES = 8 * 1024 * 1024 };

struct rp_export {
    const struct rp_register *reg;
    bool csv;       /* else one JSON object a line */
    uint64_t after; /* the last number of the page before; 0 = from the start, with column names */
    size_t count;   /* how many came; 0 = that was all */
};
/* Appends the next page; moves `after` on. The first page is an event. */
rp_err rp_desk_export(struct rp_desk *desk, struct rp_export *export, struct rp_buf *out);

struct rp_import {
    const struct rp_register *reg;
    const struct rp_csv *table;    /* or */
    const struct rp_json *records; /* an array of objects as the API shows them */
    bool dry_run;
    /* ---- what came of it ---- */
    struct rp_json *lines; /* [{"line":2,"does":"create|edit|nothing|refused",…}] */
    size_t created, edited, refused;
};
/* With an "id" a line edits, without one it creates. RP_OK also when lines were refused: then
 * nothing was kept. */
rp_err rp_desk_import(struct rp_desk *desk, struct rp_import *import);

#endif
