/* seclang_lines.c — bytes to logical lines, lines to words: comments, continuation, quotes.
 *
 * A backslash at the very end of a line joins the next one to it; both go, what stands around them
 * stays. Within double quotes \" is a quote and every other backslash is itself, as ModSecurity has
 * it: expressions depend on that.
 */
#include "base/assert.h"
#include "shield/seclang_internal.h"

bool seclang_is_space(uint8_t byte) {
    return byte == ' ' || byte == '\t';
}

rp_view seclang_skip_spaces(rp_view v) {
    size_t n = 0;
    while (n < v.n && seclang_is_space(v.p[n])) {
        n++;
    }
    return rp_view_from(v, n);
}

bool seclang_is_word(rp_view v, const char *word) {
    return rp_view_equal_nocase(v, rp_view_from_cstr(word));
}

/* One physical line, without its line end; moves behind it. */
static rp_view take_physical(struct seclang_file *file) {
    rp_view rest = rp_view_from(file->text, file->at);
    size_t n = rp_view_find_byte(rest, '\n');
    file->at += n < rest.n ? n + 1 : n;
    file->line++;
    rp_view line = rp_view_sub(rest, 0, n);
    if (line.n > 0 && line.p[line.n - 1] == '\r') {
        line.n--;
    }
    return line;
}

static bool continues(rp_view line) {
    return line.n > 0 && line.p[line.n - 1] == '\\';
}

static bool at_end(const struct seclang_file *file) {
    return file->at >= file->text.n;
}

/* So that a message can point into the physical line that was just taken. */
static rp_err start_line(struct seclang *in, const struct seclang_file *file, rp_view physical) {
    struct seclang_step *step = rp_arena_alloc(in->arena, sizeof *step);
    if (!step) {
        return RP_ERR(TOO_LARGE);
    }
    *step = (struct seclang_step){.line = file->line - 1, .column = 1};
    in->line =
        (struct seclang_line){.file = file->path, .text = physical, .steps = step, .step_count = 1};
    return RP_OK;
}

static bool is_comment(rp_view line) {
    rp_view text = seclang_skip_spaces(line);
    return text.n > 0 && text.p[0] == '#';
}

/* A directive that was commented out, whose following lines go with it. */
static bool comments_directive(rp_view line) {
    rp_view text = seclang_skip_spaces(line);
    while (text.n > 0 && (text.p[0] == '#' || seclang_is_space(text.p[0]))) {
        text = rp_view_from(text, 1);
    }
    return seclang_is_word(rp_view_sub(text, 0, 3), "Sec");
}

/* ModSecurity 3 and Apache disagree on whether a comment goes on after a backslash, so that only
 * what both read alike is taken. */
static rp_err skip_comment(struct seclang *in, struct seclang_file *file, rp_view line) {
    if (!continues(line) || at_end(file)) {
        return RP_OK;
    }
    if (comments_directive(line)) {
        while (continues(line) && !at_end(file)) {
            line = take_physical(file);
        }
        return RP_OK;
    }
    struct seclang_file ahead = *file;
    rp_view next = rp_view_trim(take_physical(&ahead));
    if (next.n == 0 || is_comment(next)) {
        return RP_OK;
    }
    RP_TRY(start_line(in, file, line));
    return seclang_fail(in, rp_view_from(line, line.n - 1), RP_ERR(SYNTAX),
                        "a comment ends in a backslash, and engines disagree on whether the next "
                        "line belongs to it; expected no backslash, or a # on the next line");
}

/* Joins the lines that follow to the first one. */
static rp_err join(struct seclang *in, struct seclang_file *file, rp_view first) {
    struct seclang_file ahead = *file;
    size_t bytes = first.n, steps = 1;
    for (rp_view line = first; continues(line) && !at_end(&ahead); steps++) {
        line = take_physical(&ahead);
        bytes += line.n;
    }
    uint8_t *text = rp_arena_alloc(in->arena, bytes);
    struct seclang_step *step = rp_arena_array(in->arena, steps, sizeof *step);
    if (!text || !step) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0, count = 0;
    rp_view line = first;
    for (;;) {
        RP_ASSERT(count < steps && n + line.n <= bytes);
        step[count++] = (struct seclang_step){.offset = n, .line = file->line - 1, .column = 1};
        bool more = continues(line);
        size_t kept = line.n - more;
        if (kept > 0) {
            memcpy(text + n, line.p, kept);
        }
        n += kept;
        in->line = (struct seclang_line){
            .file = file->path, .text = rp_view_of(text, n), .steps = step, .step_count = count};
        if (!more) {
            return RP_OK;
        }
        if (at_end(file)) {
            return seclang_fail(in, rp_view_from(in->line.text, n), RP_ERR(SYNTAX),
                                "a backslash ends the last line of the file; expected the rest of "
                                "the directive");
        }
        line = take_physical(file);
    }
}

/* Without spaces at its ends; the first step moves along. */
static rp_err trim_line(struct seclang *in) {
    rp_view text = in->line.text;
    size_t lead = text.n - seclang_skip_spaces(text).n;
    if (rp_view_find_byte(text, 0) < text.n) {
        return seclang_fail(in, rp_view_from(text, rp_view_find_byte(text, 0)), RP_ERR(SYNTAX),
                            "a NUL byte; expected text");
    }
    while (text.n > lead && (seclang_is_space(text.p[text.n - 1]) || text.p[text.n - 1] == '\r')) {
        text.n--;
    }
    /* Offsets count from the untrimmed start, so the start stays and only the end moves. */
    in->line.text = text;
    return RP_OK;
}

rp_err seclang_next_line(struct seclang *in, struct seclang_file *file, bool *ret_found) {
    while (!at_end(file)) {
        rp_view line = take_physical(file);
        if (rp_view_trim(line).n == 0) {
            continue;
        }
        if (is_comment(line)) {
            RP_TRY(skip_comment(in, file, line));
            continue;
        }
        RP_TRY(continues(line) ? join(in, file, line) : start_line(in, file, line));
        RP_TRY(trim_line(in));
        if (seclang_skip_spaces(in->line.text).n > 0) {
            *ret_found = true;
            return RP_OK;
        }
    }
    *ret_found = false;
    return RP_OK;
}

/* The index of the quote that closes, or v.n. v stands behind the opening one. */
static size_t find_quote(rp_view v, uint8_t quote) {
    size_t i = 0;
    while (i < v.n && v.p[i] != quote) {
        i += v.p[i] == '\\' ? 2 : 1;
    }
    return i < v.n ? i : v.n;
}

static rp_err quoted_word(struct seclang *in, rp_view *rest, struct seclang_word *ret_word) {
    rp_view v = *rest;
    uint8_t quote = v.p[0];
    rp_view within = rp_view_from(v, 1);
    size_t n = find_quote(within, quote);
    if (n == within.n) {
        return seclang_fail(in, v, RP_ERR(SYNTAX),
                            "this quote is not closed; expected %c before the end of the line",
                            quote);
    }
    rp_view behind = rp_view_from(within, n + 1);
    if (behind.n > 0 && !seclang_is_space(behind.p[0])) {
        return seclang_fail(in, behind, RP_ERR(SYNTAX),
                            "%.*s stands right behind a closing quote; expected a space, or the "
                            "quote within written as \\%c",
                            SECLANG_FMT(behind), quote);
    }
    *ret_word = (struct seclang_word){.raw = rp_view_sub(within, 0, n), .quote = quote};
    *rest = seclang_skip_spaces(behind);
    return RP_OK;
}

rp_err seclang_next_word(struct seclang *in, rp_view *rest, struct seclang_word *ret_word) {
    *rest = seclang_skip_spaces(*rest);
    if (rest->n == 0) {
        *ret_word = (struct seclang_word){.raw = {NULL, 0}};
        return RP_OK;
    }
    if (rest->p[0] == '"' || rest->p[0] == '\'') {
        return quoted_word(in, rest, ret_word);
    }
    size_t n = 0;
    while (n < rest->n && !seclang_is_space(rest->p[n])) {
        n++;
    }
    *ret_word = (struct seclang_word){.raw = rp_view_sub(*rest, 0, n)};
    *rest = seclang_skip_spaces(rp_view_from(*rest, n));
    return RP_OK;
}

rp_err seclang_unquote(struct seclang *in, rp_view raw, uint8_t quote, rp_view *ret_value) {
    *ret_value = raw;
    if (quote == 0 || rp_view_find_byte(raw, '\\') == raw.n ||
        rp_view_find_byte(raw, quote) == raw.n) {
        return RP_OK;
    }
    uint8_t *out = rp_arena_alloc(in->arena, raw.n);
    if (!out) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        bool pair = raw.p[i] == '\\' && i + 1 < raw.n;
        if (pair && raw.p[i + 1] != quote) {
            out[n++] = raw.p[i]; /* both of the pair stay, so that \\ hides no quote */
        }
        i += pair;
        out[n++] = raw.p[i];
    }
    *ret_value = rp_view_of(out, n);
    return RP_OK;
}

/* ---- one action of a list: name, name:value, name:'value' ---- */

static bool is_letter(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* 'text' at the start of v; moves behind the closing quote. */
static rp_err quoted_value(struct seclang *in, rp_view *v, rp_view *ret_value) {
    size_t n = 1;
    while (n < v->n && v->p[n] != '\'') {
        n += v->p[n] == '\\' ? 2 : 1;
    }
    if (n >= v->n) {
        return seclang_fail(in, *v, RP_ERR(SYNTAX), "this quote is not closed; expected '");
    }
    RP_TRY(seclang_unquote(in, rp_view_sub(*v, 1, n - 1), '\'', ret_value));
    *v = seclang_skip_spaces(rp_view_from(*v, n + 1));
    return RP_OK;
}

static rp_err cut_value(struct seclang *in, rp_view *v, rp_view *ret_value) {
    *v = seclang_skip_spaces(*v);
    if (v->n > 0 && v->p[0] == '\'') {
        RP_TRY(quoted_value(in, v, ret_value));
    } else {
        size_t n = rp_view_find_byte(*v, ',');
        *ret_value = rp_view_trim(rp_view_sub(*v, 0, n));
        *v = rp_view_from(*v, n);
    }
    /* \" within the double quotes around the whole list. */
    return seclang_unquote(in, *ret_value, '"', ret_value);
}

rp_err seclang_next_action(struct seclang *in, rp_view *rest, struct seclang_action *ret_action) {
    rp_view v = seclang_skip_spaces(*rest);
    struct seclang_action action = {.at = v, .value = {NULL, 0}};
    size_t n = 0;
    while (n < v.n && is_letter(v.p[n])) {
        n++;
    }
    action.name = rp_view_sub(v, 0, n);
    if (n == 0) {
        return seclang_fail(in, v, RP_ERR(SYNTAX), "%s\"%.*s\"; expected an action such as pass",
                            v.n > 0 && v.p[0] == '#'
                                ? rp_diag_say(in->diag, "a comment within a continued line: ")
                                : "",
                            SECLANG_FMT(v));
    }
    v = seclang_skip_spaces(rp_view_from(v, n));
    if (v.n > 0 && v.p[0] == ':') {
        v = rp_view_from(v, 1);
        RP_TRY(cut_value(in, &v, &action.value));
    }
    if (v.n > 0 && v.p[0] != ',') {
        return seclang_fail(in, v, RP_ERR(SYNTAX), "\"%.*s\" behind an action; expected a comma",
                            SECLANG_FMT(v));
    }
    action.at.n -= v.n;
    if (v.n == 1) {
        return seclang_fail(in, v, RP_ERR(SYNTAX),
                            "a comma ends the list; expected one more action");
    }
    *rest = v.n > 0 ? rp_view_from(v, 1) : (rp_view){NULL, 0};
    *ret_action = action;
    return RP_OK;
}
