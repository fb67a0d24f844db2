/* body_multipart_head.c — what describes a multipart body: its boundary, its parts' headers.
 *
 * RFC 2046 5.1 and RFC 7578, read as narrowly as ModSecurity does: every other reading is one that
 * an application behind may have, so what is unusual sets a flag and what is ambiguous an error.
 */
#include "base/id.h"
#include "shield/body_multipart.h"

enum { CONTENT_TYPE_MAX = 1024 };

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_letter(uint8_t byte) {
    return rp_lower(byte) >= 'a' && rp_lower(byte) <= 'z';
}

/* ---- the boundary ---- */

static size_t find_nocase(rp_view text, rp_view needle) {
    for (size_t i = 0; i + needle.n <= text.n; i++) {
        if (rp_view_equal_nocase(rp_view_sub(text, i, needle.n), needle)) {
            return i;
        }
    }
    return text.n;
}

/* How often "boundary" stands before an equals sign, in any case. */
static unsigned boundary_words(rp_view text) {
    unsigned n = 0;
    size_t at;
    while ((at = find_nocase(text, RP_VIEW("boundary"))) < text.n) {
        text = rp_view_from(text, at + 8);
        n += rp_view_find_byte(text, '=') < text.n;
    }
    return n;
}

static bool boundary_characters(rp_view boundary) {
    for (size_t i = 0; i < boundary.n; i++) {
        uint8_t byte = boundary.p[i];
        bool inner_space = byte == ' ' && i + 1 < boundary.n;
        bool sign = byte != 0 && strchr("'()+_,-./:=?", byte);
        if (!is_digit(byte) && !is_letter(byte) && !inner_space && !sign) {
            return false;
        }
    }
    return true;
}

/* Between the type and the word "boundary": spaces and one semicolon. */
static const char *before_parameter(struct rp_body *body, rp_view between) {
    unsigned semicolons = 0;
    for (size_t i = 0; i < between.n; i++) {
        semicolons += between.p[i] == ';';
        if ((between.p[i] != ';' && !is_space(between.p[i])) || semicolons > 1) {
            return "Multipart: Invalid boundary in C-T (malformed).";
        }
    }
    if (semicolons == 0) {
        body->result.multipart |= RP_MULTIPART_MISSING_SEMICOLON;
    }
    return NULL;
}

/* What stands behind "boundary". */
static const char *parameter(struct rp_body *body, rp_view text, rp_view *ret_boundary) {
    size_t equals = rp_view_find_byte(text, '=');
    if (equals == text.n) {
        return "Multipart: Invalid boundary in C-T (malformed).";
    }
    for (size_t i = 0; i < equals; i++) {
        if (!is_space(text.p[i])) {
            return "Multipart: Invalid boundary in C-T (parameter name).";
        }
        body->result.multipart |= RP_MULTIPART_BOUNDARY_WHITESPACE;
    }
    rp_view value = rp_view_from(text, equals + 1);
    if (value.n > 0 && is_space(value.p[0])) {
        body->result.multipart |= RP_MULTIPART_BOUNDARY_WHITESPACE;
    }
    bool opens = value.n > 0 && value.p[0] == '"';
    bool closes = value.n > 1 && value.p[value.n - 1] == '"';
    if (opens != closes) {
        return "Multipart: Invalid boundary in C-T (quote).";
    }
    if (opens) {
        body->result.multipart |= RP_MULTIPART_BOUNDARY_QUOTED;
        value = rp_view_sub(value, 1, value.n - 2);
    }
    *ret_boundary = value;
    return NULL;
}

const char *rp_multipart_boundary(struct rp_body *body, rp_view content_type,
                                  rp_view *ret_boundary) {
    rp_view type = RP_VIEW("multipart/form-data");
    if (content_type.n > CONTENT_TYPE_MAX) {
        return "Multipart: Invalid boundary in C-T (length).";
    }
    if (!rp_view_equal_nocase(rp_view_sub(content_type, 0, type.n), type)) {
        return "Multipart: Invalid MIME type.";
    }
    if (boundary_words(content_type) > 1) {
        return "Multipart: Multiple boundary parameters in C-T.";
    }
    size_t at = rp_view_find(content_type, RP_VIEW("boundary"));
    if (at == content_type.n) {
        return boundary_words(content_type) > 0
                   ? "Multipart: Invalid boundary in C-T (case sensitivity)."
                   : "Multipart: Boundary not found in C-T.";
    }
    const char *problem = before_parameter(body, rp_view_sub(content_type, type.n, at - type.n));
    rp_view boundary = {NULL, 0};
    if (!problem) {
        problem = parameter(body, rp_view_from(content_type, at + 8), &boundary);
    }
    if (problem) {
        return problem;
    }
    if (boundary_words(boundary) > 0) {
        return "Multipart: Invalid boundary in C-T (content).";
    }
    if (!boundary_characters(boundary)) {
        return "Multipart: Invalid boundary in C-T (characters).";
    }
    *ret_boundary = boundary;
    return boundary.n > 0 ? NULL : "Multipart: Invalid boundary in C-T (empty).";
}

/* ---- Content-Disposition ---- */

static rp_view skip_blanks(rp_view text) {
    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t')) {
        text = rp_view_from(text, 1);
    }
    return text;
}

static bool is_token(uint8_t byte) {
    return byte > 32 && byte < 127 && !strchr("()<>@,;:\\\"/[]?=", byte);
}

static const char *quoted(struct rp_body *body, rp_view *rest, rp_view *ret_value) {
    uint8_t quote = rest->p[0];
    struct rp_body_text value = {0};
    if (quote == '\'') {
        body->result.multipart |= RP_MULTIPART_INVALID_QUOTING;
    }
    size_t at = 1, run = 1;
    while (at < rest->n && rest->p[at] != quote) {
        bool escape = rest->p[at] == '\\' && at + 1 < rest->n &&
                      (rest->p[at + 1] == quote || rest->p[at + 1] == '\\');
        if (escape) { /* any other backslash is one: browsers send paths */
            rp_body_text_add(body, &value, rp_view_sub(*rest, run, at - run));
            run = ++at;
        }
        at++;
    }
    if (at >= rest->n) {
        return "Multipart: Invalid Content-Disposition header (quote without end).";
    }
    rp_body_text_add(body, &value, rp_view_sub(*rest, run, at - run));
    *ret_value = value.n > 0 ? rp_body_text_view(&value) : rp_view_of(rest->p + 1, 0);
    *rest = rp_view_from(*rest, at + 1);
    return NULL;
}

/* RFC 8187: charset'language'value with escapes. */
static const char *extended(struct rp_body *body, rp_view *rest, rp_view *ret_value) {
    rp_view text = rp_view_sub(*rest, 0, rp_view_find_byte(*rest, ';'));
    *rest = rp_view_from(*rest, text.n);
    rp_view coded = rp_view_trim(text);
    size_t charset = rp_view_find_byte(coded, '\'');
    rp_view behind = rp_view_from(coded, charset + 1);
    size_t language = rp_view_find_byte(behind, '\'');
    if (charset == 0 || charset == coded.n || language == behind.n) {
        return "Multipart: Invalid Content-Disposition header (filename*).";
    }
    rp_view value = rp_view_from(behind, language + 1);
    uint8_t *p = rp_body_alloc(body, value.n);
    size_t n = 0;
    for (size_t i = 0; p && i < value.n; i++) {
        bool escape = value.p[i] == '%' && i + 2 < value.n && rp_hex_digit(value.p[i + 1]) >= 0 &&
                      rp_hex_digit(value.p[i + 2]) >= 0;
        if (!escape && !is_token(value.p[i])) {
            return "Multipart: Invalid Content-Disposition header (filename*).";
        }
        p[n++] = escape
                     ? (uint8_t)(rp_hex_digit(value.p[i + 1]) * 16 + rp_hex_digit(value.p[i + 2]))
                     : value.p[i];
        i += escape ? 2 : 0;
    }
    *ret_value = rp_view_of(p, n);
    return NULL;
}

static const char *value_of(struct rp_body *body, rp_view *rest, bool is_extended,
                            rp_view *ret_value) {
    if (rest->n == 0) {
        return "Multipart: Invalid Content-Disposition header (value missing).";
    }
    if (is_extended) {
        return extended(body, rest, ret_value);
    }
    if (rest->p[0] == '"' || rest->p[0] == '\'') {
        return quoted(body, rest, ret_value);
    }
    size_t n = 0;
    while (n < rest->n && is_token(rest->p[n])) {
        n++;
    }
    *ret_value = rp_view_sub(*rest, 0, n);
    *rest = rp_view_from(*rest, n);
    return NULL;
}

static rp_view *known_parameter(struct rp_multipart_disposition *disposition, rp_view name) {
    return rp_view_equal(name, RP_VIEW("name"))        ? &disposition->name
           : rp_view_equal(name, RP_VIEW("filename"))  ? &disposition->filename
           : rp_view_equal(name, RP_VIEW("filename*")) ? &disposition->filename_extended
                                                       : NULL;
}

/* name=value, and what follows it. */
static const char *one_parameter(struct rp_body *body, rp_view *rest,
                                 struct rp_multipart_disposition *disposition) {
    size_t n = 0;
    while (n < rest->n && rest->p[n] != '=' && rest->p[n] != ' ' && rest->p[n] != '\t') {
        n++;
    }
    rp_view name = rp_view_sub(*rest, 0, n);
    *rest = skip_blanks(rp_view_from(*rest, n));
    if (rest->n == 0 || rest->p[0] != '=') {
        return "Multipart: Invalid Content-Disposition header (equals sign missing).";
    }
    rp_view *target = known_parameter(disposition, name);
    if (!target) {
        return "Multipart: Invalid Content-Disposition header (unknown parameter).";
    }
    if (target->p) {
        return "Multipart: Invalid Content-Disposition header (parameter twice).";
    }
    *rest = skip_blanks(rp_view_from(*rest, 1));
    const char *problem = value_of(body, rest, target == &disposition->filename_extended, target);
    if (problem) {
        return problem;
    }
    rp_view behind = skip_blanks(*rest);
    if (behind.n > 0 && behind.p[0] != ';') {
        uint8_t last = behind.p[-1];
        if (last == '"' || last == '\'' || behind.p[0] == '"' || behind.p[0] == '\'') {
            body->result.multipart |= RP_MULTIPART_INVALID_QUOTING;
        }
        return "Multipart: Invalid Content-Disposition header (semicolon missing).";
    }
    *rest = rp_view_from(behind, 1);
    return NULL;
}

const char *rp_multipart_disposition(struct rp_body *body, rp_view value,
                                     struct rp_multipart_disposition *ret_disposition) {
    *ret_disposition = (struct rp_multipart_disposition){.name = {NULL, 0}};
    if (!rp_view_starts(value, RP_VIEW("form-data"))) {
        return "Multipart: Invalid Content-Disposition header (not form-data).";
    }
    rp_view rest = skip_blanks(rp_view_from(value, 9));
    if (rest.n > 0 && rest.p[0] != ';') {
        return "Multipart: Invalid Content-Disposition header (semicolon missing).";
    }
    rest = rp_view_from(rest, 1);
    while (rest.n > 0) {
        rest = skip_blanks(rest);
        const char *problem = one_parameter(body, &rest, ret_disposition);
        if (problem) {
            return problem;
        }
    }
    if (ret_disposition->name.n == 0) {
        return "Multipart: Content-Disposition header missing name field.";
    }
    /* Who does not know the extended form would take such a part for a field. */
    if (ret_disposition->filename_extended.p && ret_disposition->filename.n == 0) {
        return "Multipart: Invalid Content-Disposition header (filename).";
    }
    return NULL;
}

/* ---- part headers ---- */

static const char *folded(struct rp_body *body, struct rp_multipart_header *headers, size_t count,
                          rp_view line) {
    body->result.multipart |= RP_MULTIPART_HEADER_FOLDING;
    size_t blanks = 0;
    while (blanks < line.n && is_space(line.p[blanks])) {
        if (line.p[blanks] != ' ' && line.p[blanks] != '\t') {
            body->result.multipart |= RP_MULTIPART_INVALID_HEADER_FOLDING;
        }
        blanks++;
    }
    if (count == 0) {
        return "Multipart: Invalid part header (folding error).";
    }
    struct rp_multipart_header *header = &headers[count - 1];
    rp_view more = rp_view_from(line, blanks);
    size_t value_at = (size_t)(header->value.p - header->line.p);
    if (header->value.n + 1 + more.n > RP_MULTIPART_LINE_MAX) {
        return "Multipart: Part header too long.";
    }
    struct rp_body_text whole = {0};
    rp_body_text_add(body, &whole, header->line);
    rp_body_text_add_byte(body, &whole, ' ');
    rp_body_text_add(body, &whole, more);
    header->line = rp_body_text_view(&whole);
    header->value = rp_view_from(header->line, value_at);
    return NULL;
}

const char *rp_multipart_header_line(struct rp_body *body, struct rp_multipart_header *headers,
                                     size_t *count, rp_view line) {
    if (rp_view_find_byte(line, 0) < line.n) {
        return "Multipart: Nul byte in part headers.";
    }
    if (is_space(line.p[0])) {
        return folded(body, headers, *count, line);
    }
    size_t colon = rp_view_find_byte(line, ':');
    if (colon == line.n) {
        return "Multipart: Invalid part header (colon missing).";
    }
    if (colon == 0) {
        return "Multipart: Invalid part header (header name missing).";
    }
    rp_view name = rp_view_sub(line, 0, colon);
    for (size_t i = 0; i < *count; i++) {
        if (rp_view_equal_nocase(rp_view_sub(headers[i].line, 0, headers[i].name_n), name)) {
            return "Multipart: Duplicate part header.";
        }
    }
    if (*count == RP_MULTIPART_HEADERS_MAX) {
        return "Multipart: Too many part headers.";
    }
    rp_view value = skip_blanks(rp_view_from(line, colon + 1));
    headers[(*count)++] =
        (struct rp_multipart_header){.line = line, .name_n = colon, .value = value};
    return NULL;
}
