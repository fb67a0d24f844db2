#include "wire/csv.h"

#include "base/assert.h"
#include "base/checked.h"
#include "wire/http.h"

struct reader {
    rp_view text;
    size_t at, line_start;
    unsigned line;
    uint8_t separator;
    struct rp_csv_limits limits;
    struct rp_arena *arena;
    struct rp_diag *diag;
};

static rp_err fail(const struct reader *reader, rp_err err, size_t at, const char *what) {
    return rp_fail_at(reader->diag, err, reader->line, (unsigned)(at - reader->line_start) + 1,
                      "%s", rp_diag_say(reader->diag, what));
}

static bool at_end(const struct reader *reader) {
    return reader->at == reader->text.n;
}

static uint8_t peek(const struct reader *reader) {
    return at_end(reader) ? 0 : reader->text.p[reader->at];
}

static void step(struct reader *reader) {
    if (reader->text.p[reader->at++] == '\n') {
        reader->line++;
        reader->line_start = reader->at;
    }
}

/* Is the next thing the end of the row: LF, CRLF or the end of the text? */
static bool at_row_end(const struct reader *reader) {
    uint8_t c = peek(reader);
    return at_end(reader) || c == '\n' ||
           (c == '\r' && reader->at + 1 < reader->text.n && reader->text.p[reader->at + 1] == '\n');
}

static void skip_row_end(struct reader *reader) {
    if (!at_end(reader) && peek(reader) == '\r') {
        step(reader);
    }
    if (!at_end(reader)) {
        step(reader);
    }
}

static rp_err read_plain(struct reader *reader, rp_view *ret_cell) {
    size_t from = reader->at;
    while (!at_row_end(reader) && peek(reader) != reader->separator) {
        if (peek(reader) == '"') {
            return fail(reader, RP_ERR(SYNTAX), reader->at, "a quote inside a plain cell");
        }
        if (peek(reader) == '\r') {
            return fail(reader, RP_ERR(SYNTAX), reader->at, "CR without LF");
        }
        step(reader);
    }
    *ret_cell = rp_view_sub(reader->text, from, reader->at - from);
    return RP_OK;
}

/* The text between the quotes, each pair of quotes made one. */
static rp_err unquote(const struct reader *reader, rp_view raw, rp_view *ret_cell) {
    if (rp_view_find_byte(raw, '"') == raw.n) {
        *ret_cell = raw;
        return RP_OK;
    }
    uint8_t *to = rp_arena_alloc(reader->arena, raw.n);
    size_t n = 0;
    if (!to) {
        return fail(reader, RP_ERR(TOO_LARGE), reader->at, "memory");
    }
    for (size_t i = 0; i < raw.n; i++) {
        to[n++] = raw.p[i];
        i += raw.p[i] == '"'; /* the second of the pair */
    }
    *ret_cell = rp_view_of(to, n);
    return RP_OK;
}

static rp_err read_quoted(struct reader *reader, rp_view *ret_cell) {
    struct reader start = *reader;
    step(reader);
    size_t from = reader->at;
    for (;;) {
        if (at_end(reader)) {
            return fail(&start, RP_ERR(SYNTAX), start.at, "a quote that never closes");
        }
        if (peek(reader) == '"') {
            bool pair = reader->at + 1 < reader->text.n && reader->text.p[reader->at + 1] == '"';
            if (!pair) {
                break;
            }
            step(reader);
        }
        step(reader);
    }
    rp_view raw = rp_view_sub(reader->text, from, reader->at - from);
    step(reader);
    if (!at_row_end(reader) && peek(reader) != reader->separator) {
        return fail(reader, RP_ERR(SYNTAX), reader->at, "text after a closing quote");
    }
    return unquote(reader, raw, ret_cell);
}

static rp_err read_cell(struct reader *reader, rp_view *ret_cell) {
    size_t from = reader->at;
    RP_TRY(peek(reader) == '"' ? read_quoted(reader, ret_cell) : read_plain(reader, ret_cell));
    return ret_cell->n <= reader->limits.cell_max
               ? RP_OK
               : fail(reader, RP_ERR(TOO_LARGE), RP_MAX(from, reader->line_start),
                      "a cell over the limit");
}

/* A row of at most max cells; *ret_count of them. */
static rp_err read_row(struct reader *reader, rp_view *cells, size_t max, size_t *ret_count) {
    size_t count = 0;
    for (;;) {
        if (count == max) {
            return fail(reader, RP_ERR(SYNTAX), reader->at, "more cells than columns");
        }
        RP_TRY(read_cell(reader, &cells[count++]));
        if (at_row_end(reader)) {
            break;
        }
        step(reader);
    }
    skip_row_end(reader);
    *ret_count = count;
    return RP_OK;
}

/* A semicolon outside of quotes in the first row decides. */
static uint8_t separator_of(rp_view text) {
    bool quoted = false;
    for (size_t i = 0; i < text.n && (quoted || text.p[i] != '\n'); i++) {
        quoted ^= text.p[i] == '"';
        if (!quoted && text.p[i] == ';') {
            return ';';
        }
    }
    return ',';
}

static rp_err read_names(struct reader *reader, struct rp_csv *table) {
    table->names = rp_arena_array(reader->arena, reader->limits.columns_max, sizeof *table->names);
    if (!table->names) {
        return fail(reader, RP_ERR(TOO_LARGE), reader->at, "memory");
    }
    RP_TRY(read_row(reader, table->names, reader->limits.columns_max, &table->column_count));
    for (size_t i = 0; i < table->column_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (rp_view_equal(table->names[i], table->names[j])) {
                return rp_fail_at(reader->diag, RP_ERR(DUPLICATE), 1, (unsigned)i + 1,
                                  "a column twice: \"%.*s\"", RP_FMT(table->names[i]));
            }
        }
    }
    return RP_OK;
}

static size_t count_lines(rp_view text) {
    size_t count = 1;
    for (size_t i = 0; i < text.n; i++) {
        count += text.p[i] == '\n';
    }
    return count;
}

static rp_err read_rows(struct reader *reader, struct rp_csv *table) {
    size_t max = RP_MIN(count_lines(reader->text), reader->limits.rows_max);
    table->rows = rp_arena_array(reader->arena, max + 1, sizeof *table->rows);
    while (table->rows && !at_end(reader)) {
        if (table->row_count == max) {
            return fail(reader, RP_ERR(TOO_LARGE), reader->at, "more rows than the limit");
        }
        struct rp_csv_row *row = &table->rows[table->row_count++];
        size_t count = 0;
        row->line = reader->line;
        row->cells = rp_arena_array(reader->arena, table->column_count, sizeof *row->cells);
        if (!row->cells) {
            break;
        }
        struct reader start = *reader;
        RP_TRY(read_row(reader, row->cells, table->column_count, &count));
        if (count < table->column_count) {
            return fail(&start, RP_ERR(SYNTAX), start.at, "fewer cells than columns");
        }
    }
    return at_end(reader) ? RP_OK : fail(reader, RP_ERR(TOO_LARGE), reader->at, "memory");
}

rp_err rp_csv_parse(rp_view text, struct rp_csv_limits limits, struct rp_arena *arena,
                    struct rp_csv *ret_table, struct rp_diag *diag) {
    RP_ASSERT(limits.columns_max > 0);
    if (rp_view_starts(text, RP_VIEW("\xEF\xBB\xBF"))) {
        text = rp_view_from(text, 3);
    }
    struct reader reader = {.text = text,
                            .line = 1,
                            .separator = separator_of(text),
                            .limits = limits,
                            .arena = arena,
                            .diag = diag};
    struct rp_csv table = {.row_count = 0};
    if (!rp_utf8_valid(text) || rp_view_find_byte(text, 0) < text.n) {
        return fail(&reader, RP_ERR(SYNTAX), 0, "not UTF-8");
    }
    if (text.n == 0) {
        return fail(&reader, RP_ERR(SYNTAX), 0, "empty: the first row names the columns");
    }
    RP_TRY(read_names(&reader, &table));
    RP_TRY(read_rows(&reader, &table));
    *ret_table = table;
    return RP_OK;
}

void rp_csv_add(struct rp_buf *out, bool first, rp_view cell) {
    /* A row of one empty cell is no blank line, and a mark in front of a cell is part of it. */
    bool quote = first && (cell.n == 0 || rp_view_starts(cell, RP_VIEW("\xEF\xBB\xBF")));
    for (size_t i = 0; i < cell.n && !quote; i++) {
        uint8_t c = cell.p[i];
        quote = c == '"' || c == ',' || c == ';' || c == '\n' || c == '\r';
    }
    if (!first) {
        rp_buf_add_byte(out, ',');
    }
    if (!quote) {
        rp_buf_add(out, cell);
        return;
    }
    rp_buf_add_byte(out, '"');
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] == '"') {
            rp_buf_add_byte(out, '"');
        }
        rp_buf_add_byte(out, cell.p[i]);
    }
    rp_buf_add_byte(out, '"');
}

void rp_csv_end_row(struct rp_buf *out) {
    rp_buf_add_cstr(out, "\r\n");
}
