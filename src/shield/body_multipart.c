/* body_multipart.c — multipart/form-data: lines, boundaries, parts (RFC 2046 5.1, RFC 7578).
 *
 * The body is read by lines, long ones in pieces of 4096 bytes as in ModSecurity: only what begins
 * a line can be a boundary. A line's end belongs to the boundary behind it, so it waits until the
 * next line shows whether it is one. A file's bytes are counted, not kept.
 */
#include "shield/body_multipart.h"
#include "base/assert.h"
#include "base/checked.h"

struct part {
    struct rp_multipart_header headers[RP_MULTIPART_HEADERS_MAX];
    size_t header_count;
    bool in_data, is_file;
    struct rp_multipart_disposition disposition;
    struct rp_body_text value;
    uint64_t value_at, size;
    rp_view line_end; /* of the last line: "", LF or CRLF */
};

struct multipart {
    rp_view boundary;
    struct rp_body_text line;
    bool line_start;     /* the piece being read begins a line */
    uint64_t line_at;    /* where it began */
    bool begun, open;    /* a boundary was seen; a part is being read */
    bool complete, data; /* the last boundary was seen; anything was */
    bool crlf, lf;       /* line ends seen, where they matter */
    struct part part;
};

static bool start(struct rp_body *body, rp_view content_type) {
    struct multipart *multipart = rp_body_alloc(body, sizeof *multipart);
    if (!multipart) {
        return false;
    }
    body->state = multipart;
    multipart->line_start = true;
    const char *problem = rp_multipart_boundary(body, content_type, &multipart->boundary);
    if (problem) {
        rp_body_error(body, problem);
    }
    return true;
}

/* ---- parts ---- */

static void add_file(struct rp_body *body, const struct part *part) {
    struct rp_body_result *result = &body->result;
    rp_view name = part->disposition.name;
    rp_view size = rp_arena_printf(body->arena, "%llu", (unsigned long long)part->size);
    if (!size.p) {
        body->failed = RP_ERR(TOO_LARGE);
        return;
    }
    rp_body_pair(body, &result->files, name, part->disposition.filename);
    rp_body_pair(body, &result->file_sizes, name, size);
    if (part->disposition.filename_extended.p) {
        /* Which of the two names an application takes is unknown: rules see both. */
        rp_body_pair(body, &result->files, name, part->disposition.filename_extended);
    }
    result->files_size += part->size;
}

static void part_error(struct rp_body *body, const char *message) {
    body->result.multipart |= RP_MULTIPART_INVALID_PART;
    rp_body_error(body, message);
}

/* At the boundary behind a part, or where the body breaks off. */
static void part_done(struct rp_body *body, struct multipart *multipart) {
    struct part *part = &multipart->part;
    if (!multipart->open) {
        return;
    }
    multipart->open = false;
    if (!part->in_data) {
        part_error(body, "Multipart: Part without the empty line behind its headers.");
        return;
    }
    for (size_t i = 0; i < part->header_count; i++) {
        rp_body_pair(body, &body->result.part_headers, part->disposition.name,
                     part->headers[i].line);
    }
    if (!part->is_file) {
        rp_body_argument(body, part->disposition.name, rp_body_text_view(&part->value),
                         part->value_at);
    } else if (body->result.file_sizes.n < body->limits.files_max) {
        add_file(body, part);
    } else {
        body->result.multipart |= RP_MULTIPART_FILE_LIMIT_EXCEEDED;
        body->result.files_size += part->size;
    }
}

/* The empty line behind the headers. */
static void headers_done(struct rp_body *body, struct multipart *multipart) {
    struct part *part = &multipart->part;
    rp_view name = RP_VIEW("Content-Disposition");
    for (size_t i = 0; i < part->header_count; i++) {
        const struct rp_multipart_header *header = &part->headers[i];
        if (rp_view_equal_nocase(rp_view_sub(header->line, 0, header->name_n), name)) {
            struct rp_multipart_disposition *said = &part->disposition;
            const char *problem = rp_multipart_disposition(body, header->value, said);
            body->result.multipart_name = said->name.p ? said->name : RP_VIEW("");
            body->result.multipart_filename = said->filename.p ? said->filename : RP_VIEW("");
            if (problem) {
                part_error(body, problem);
                return;
            }
            part->is_file = said->filename.n > 0;
            part->in_data = true;
            return;
        }
    }
    part_error(body, "Multipart: Part missing Content-Disposition header.");
}

/* ---- lines ---- */

/* A line without its end; the end is one of three texts. */
static rp_view line_end(rp_view line) {
    if (line.n == 0 || line.p[line.n - 1] != '\n') {
        return RP_VIEW("");
    }
    return line.n > 1 && line.p[line.n - 2] == '\r' ? RP_VIEW("\r\n") : RP_VIEW("\n");
}

static void see_line_end(struct multipart *multipart, rp_view end) {
    multipart->crlf = multipart->crlf || end.n == 2;
    multipart->lf = multipart->lf || end.n < 2;
}

static void header_line(struct rp_body *body, struct multipart *multipart, rp_view line) {
    struct part *part = &multipart->part;
    rp_view end = line_end(line);
    if (end.n == 0 || !multipart->line_start) {
        part_error(body, "Multipart: Part header line over 4096 bytes long.");
        return;
    }
    see_line_end(multipart, end);
    if (line.n == end.n) {
        headers_done(body, multipart);
        return;
    }
    rp_view text = rp_view_sub(line, 0, line.n - end.n);
    if (multipart->line.room > 0) { /* the next line will overwrite it */
        rp_err err = rp_arena_copy(body->arena, text, &text);
        if (!rp_ok(err)) {
            body->failed = err;
            return;
        }
    }
    const char *problem = rp_multipart_header_line(body, part->headers, &part->header_count, text);
    if (problem) {
        part_error(body, problem);
    }
}

/* Runs that follow each other in a chunk become one view; a line of our own memory is copied. */
static void data_line(struct rp_body *body, struct multipart *multipart, rp_view line) {
    struct part *part = &multipart->part;
    rp_view end = line_end(line);
    rp_view text = rp_view_sub(line, 0, line.n - end.n);
    if (part->size == 0 && part->line_end.n == 0) {
        part->value_at = multipart->line_at;
    }
    part->size += part->line_end.n + text.n;
    if (!part->is_file) {
        bool own = multipart->line.room > 0;
        rp_body_text_add(body, &part->value, part->line_end);
        if (own) {
            rp_body_text_copy(body, &part->value, text);
        } else {
            rp_body_text_add(body, &part->value, text);
        }
        end = own || end.n == 0 ? end : rp_view_from(line, line.n - end.n);
    }
    part->line_end = end;
}

static void boundary_line(struct rp_body *body, struct multipart *multipart, rp_view rest,
                          bool body_ends) {
    bool final = rp_view_starts(rest, RP_VIEW("--"));
    rp_view end = rp_view_from(rest, final ? 2 : 0);
    /* A body may end in its last boundary, but for one that has no other. */
    bool last = body_ends && final && end.n == 0 && multipart->begun;
    if (!last && !rp_view_equal(end, RP_VIEW("\r\n")) && !rp_view_equal(end, RP_VIEW("\n"))) {
        rp_body_error(body, "Multipart: Invalid boundary.");
        return;
    }
    if (!last) {
        see_line_end(multipart, end);
    }
    part_done(body, multipart);
    multipart->begun = true;
    multipart->complete = final;
    multipart->open = !final;
    if (!final) {
        multipart->part.header_count = 0;
        multipart->part.in_data = multipart->part.is_file = false;
        multipart->part.value = (struct rp_body_text){0};
        multipart->part.size = multipart->part.value_at = 0;
        multipart->part.line_end = RP_VIEW("");
    }
}

/* A line that begins like a boundary but is none: attempts to look like one. */
static void no_boundary(struct rp_body *body, const struct multipart *multipart, rp_view rest) {
    bool quote = rest.n > 0 && rest.p[0] == '"';
    if (quote && (body->result.multipart & RP_MULTIPART_BOUNDARY_QUOTED) &&
        rp_view_starts(rp_view_from(rest, 1), multipart->boundary)) {
        rp_body_error(body, "Multipart: Invalid boundary (quotes).");
        return;
    }
    size_t blanks = 0;
    while (blanks < rest.n &&
           (rest.p[blanks] == ' ' || (rest.p[blanks] >= '\t' && rest.p[blanks] <= '\r'))) {
        blanks++;
    }
    if (blanks > 0 && rp_view_starts(rp_view_from(rest, blanks), multipart->boundary)) {
        rp_body_error(body, "Multipart: Invalid boundary (whitespace).");
        return;
    }
    body->result.multipart |= RP_MULTIPART_UNMATCHED_BOUNDARY;
}

/* "--boundary" anywhere in a line. */
static bool holds_boundary(const struct multipart *multipart, rp_view line) {
    size_t at;
    while ((at = rp_view_find(line, multipart->boundary)) < line.n) {
        if (at >= 2 && line.p[at - 1] == '-' && line.p[at - 2] == '-') {
            return true;
        }
        line = rp_view_from(line, at + 1);
    }
    return false;
}

static void take_line(struct rp_body *body, struct multipart *multipart, bool body_ends) {
    rp_view line = rp_body_text_view(&multipart->line);
    rp_view rest = rp_view_from(line, 2);
    bool dashes = multipart->line_start && line.n > 3 && rp_view_starts(line, RP_VIEW("--"));
    if (dashes && rp_view_starts(rest, multipart->boundary)) {
        boundary_line(body, multipart, rp_view_from(rest, multipart->boundary.n), body_ends);
        return;
    }
    if (dashes) {
        no_boundary(body, multipart, rest);
    } else if (multipart->line_start && holds_boundary(multipart, line)) {
        body->result.multipart |= RP_MULTIPART_UNMATCHED_BOUNDARY;
    }
    if (rp_body_stopped(body)) {
        return;
    }
    if (!multipart->open) {
        body->result.multipart |= RP_MULTIPART_DATA_BEFORE;
    } else if (multipart->part.in_data) {
        data_line(body, multipart, line);
    } else {
        header_line(body, multipart, line);
    }
}

/* ---- the stream ---- */

/* How much of rest belongs to the piece being read; *ret_whole: the piece is whole. A CR is not
 * taken as the last byte of a full piece, so that it stays beside its LF. */
static size_t piece(const struct multipart *multipart, rp_view rest, bool *ret_whole) {
    size_t room = RP_MULTIPART_LINE_MAX - multipart->line.n;
    rp_view window = rp_view_sub(rest, 0, room);
    size_t end = rp_view_find_byte(window, '\n');
    if (end < window.n) {
        *ret_whole = true;
        return end + 1;
    }
    *ret_whole = window.n == room;
    bool cr = *ret_whole && window.p[window.n - 1] == '\r';
    return cr ? window.n - 1 : window.n;
}

static void next_piece(struct multipart *multipart, uint64_t at) {
    rp_view line = rp_body_text_view(&multipart->line);
    multipart->line_start = line.n > 0 && line.p[line.n - 1] == '\n';
    multipart->line_at = at;
    multipart->line.n = 0;
    if (multipart->line.room == 0) {
        multipart->line.p = NULL;
    }
}

static void feed(struct rp_body *body, rp_view chunk) {
    struct multipart *multipart = body->state;
    rp_view rest = chunk;
    multipart->data = true;
    while (rest.n > 0 && !rp_body_stopped(body) && !multipart->complete) {
        bool whole = false;
        size_t n = piece(multipart, rest, &whole);
        rp_body_text_add(body, &multipart->line, rp_view_sub(rest, 0, n));
        rest = rp_view_from(rest, n);
        if (whole && !rp_body_stopped(body)) {
            take_line(body, multipart, false);
            next_piece(multipart, body->before + (uint64_t)(rest.p - chunk.p));
        }
    }
    if (multipart->complete && rest.n > 0) {
        body->result.multipart |= RP_MULTIPART_DATA_AFTER;
    }
}

static void end(struct rp_body *body) {
    struct multipart *multipart = body->state;
    if (multipart->line.n > 0 && !rp_body_stopped(body) && !multipart->complete) {
        bool headers = multipart->open && !multipart->part.in_data;
        rp_view line = rp_body_text_view(&multipart->line);
        bool boundary = multipart->line_start && rp_view_starts(line, RP_VIEW("--")) &&
                        rp_view_starts(rp_view_from(line, 2), multipart->boundary);
        if (boundary || !headers) {
            take_line(body, multipart, true);
        }
    }
    if (multipart->lf) {
        body->result.multipart |= RP_MULTIPART_LF_LINE;
    }
    if (multipart->lf && multipart->crlf) {
        body->result.multipart |= RP_MULTIPART_CRLF_LF_LINES;
    }
    if (multipart->data && !multipart->complete && !body->result.error) {
        rp_body_error(body, multipart->begun ? "Multipart: Final boundary missing."
                                             : "Multipart: No boundaries found in payload.");
    }
    part_done(body, multipart); /* what came of a part is for rules to judge */
}

const struct rp_body_reader rp_body_multipart = {start, feed, end};
