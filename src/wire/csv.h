/* csv.h — tables as text: RFC 4180, as spreadsheets of both languages write it.
 *
 *   file   = [BOM] row *(end row) [end]        end = LF | CRLF
 *   row    = cell *(separator cell)            the separator is ";" where the first row has one
 *   cell   = *plain | DQUOTE *(any | 2DQUOTE) DQUOTE      outside of quotes, else ","
 *
 * The first row names the columns; each other row has as many cells. Refused: what is not UTF-8,
 * NUL, a quote inside a plain cell, a missing cell, a column named twice, a limit exceeded; always
 * with line and column (in bytes, from 1). Pure; cells live in the arena or are views of the text.
 */
#ifndef RP_WIRE_CSV_H
#define RP_WIRE_CSV_H

#include "base/arena.h"
#include "base/buf.h"

struct rp_csv_limits {
    size_t rows_max, columns_max, cell_max;
};

struct rp_csv_row {
    rp_view *cells; /* as many as the table has columns */
    unsigned line;  /* where it begins */
};

struct rp_csv {
    rp_view *names;
    size_t column_count;
    struct rp_csv_row *rows;
    size_t row_count;
};

/* SYNTAX, DUPLICATE (a column), TOO_LARGE. */
rp_err rp_csv_parse(rp_view text, struct rp_csv_limits limits, struct rp_arena *arena,
                    struct rp_csv *ret_table, struct rp_diag *diag);
/* One cell more, separated by a comma where it is not the row's first; quoted where it must be. */
void rp_csv_add(struct rp_buf *out, bool first, rp_view cell);
/* CRLF. */
void rp_csv_end_row(struct rp_buf *out);

#endif
