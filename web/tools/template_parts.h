/* template_parts.h — what the template compiler reads with: tokens, words, and where in the HTML
 * a value would land. */
#ifndef RP_WEB_TEMPLATE_PARTS_H
#define RP_WEB_TEMPLATE_PARTS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/checked.h"

enum {
    FIELDS_MAX = 64,
    LISTS_MAX = 256,
    DEPTH_MAX = 16,
    NAME_MAX_BYTES = 96,
    LITERAL_MAX = 2000,
    INPUT_MAX = 256 * 1024,
    OUTPUT_MAX = 8 * 1024 * 1024
};

enum kind { KIND_TEXT, KIND_FLAG, KIND_NUMBER, KIND_PATH, KIND_HTML, KIND_LIST };

struct field {
    enum kind kind;
    rp_view name;
    struct list *list;
};

struct list {
    struct field fields[FIELDS_MAX];
    size_t count;
};

/* Where the next value lands: between tags, inside a tag, in a quoted attribute, or at the very
 * start of one that holds an address. */
enum place { PLACE_CONTENT, PLACE_TAG, PLACE_QUOTED, PLACE_URL };

struct scope {
    enum place place; /* where it was opened */
    rp_view alias;
    const struct list *list; /* NULL for an if */
};

struct compiler {
    const char *path;
    unsigned line;
    char input[INPUT_MAX];
    const uint8_t *start; /* of the file; rest runs from there to its end */
    rp_view rest;
    struct list lists[LISTS_MAX];
    size_t list_count;
    struct list *root;
    struct scope scopes[DEPTH_MAX];
    size_t depth;
    enum place place;
    char before_quote[16]; /* the attribute's name, read backwards from its quote */
    struct rp_buf source, header;
};

enum token_kind { TOKEN_TEXT, TOKEN_VALUE, TOKEN_TAG, TOKEN_COMMENT, TOKEN_END };
struct token {
    enum token_kind kind;
    rp_view text;
};

static void need(const struct compiler *c, bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s:%u: %s\n", c->path, c->line, what);
        exit(1);
    }
}

/* Formatted text that fits, or the end of the build. */
__attribute__((format(printf, 4, 5))) static void print_into(const struct compiler *c, char *out,
                                                             size_t n, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int written = vsnprintf(out, n, format, args);
    va_end(args);
    need(c, written >= 0 && (size_t)written < n, "a name is too long");
}

static struct list *list_new(struct compiler *c) {
    need(c, c->list_count < LISTS_MAX, "too many lists");
    return &c->lists[c->list_count++];
}

static void push(struct compiler *c, struct scope scope) {
    need(c, c->depth < DEPTH_MAX, "nested too deeply");
    c->scopes[c->depth++] = scope;
}

static void open_file(struct compiler *c, const char *path) {
    c->path = path;
    c->line = 1;
    FILE *f = fopen(path, "re");
    need(c, f != NULL, "cannot be read");
    size_t n = fread(c->input, 1, sizeof c->input, f);
    need(c, n < sizeof c->input && !ferror(f), "too large, or cannot be read");
    fclose(f);
    /* Names outlive the file in the lists: each keeps its own copy. */
    char *copy = malloc(n ? n : 1);
    need(c, copy != NULL, "out of memory");
    memcpy(copy, c->input, n);
    c->rest = rp_view_of(copy, n);
    c->start = c->rest.p;
}

static void write_file(const struct compiler *c, const char *path, const struct rp_buf *buf) {
    need(c, !buf->failed, "the output is too large");
    FILE *f = fopen(path, "we");
    if (!f || fwrite(buf->p, 1, buf->n, f) != buf->n || fclose(f) != 0) {
        fprintf(stderr, "%s: cannot be written\n", path);
        exit(1);
    }
}

static rp_view next_word(rp_view *rest) {
    size_t from = 0;
    while (from < rest->n && strchr(" \t\n", rest->p[from])) {
        from++;
    }
    size_t to = from;
    while (to < rest->n && !strchr(" \t\n", rest->p[to])) {
        to++;
    }
    rp_view word = rp_view_sub(*rest, from, to - from);
    *rest = rp_view_from(*rest, to);
    return word;
}

static rp_view take(struct compiler *c, size_t n) {
    rp_view v = rp_view_sub(c->rest, 0, n);
    for (size_t i = 0; i < v.n; i++) {
        c->line += v.p[i] == '\n';
    }
    c->rest = rp_view_from(c->rest, n);
    return v;
}

/* The index of the next "{{", "{%" or "{#"; rest.n when there is none. */
static size_t find_mark(rp_view v) {
    for (size_t i = 0; i + 1 < v.n; i++) {
        if (v.p[i] == '{' && strchr("{%#", v.p[i + 1])) {
            return i;
        }
    }
    return v.n;
}

/* Only blanks stand between the start of the line and here. */
static bool starts_line(const struct compiler *c) {
    const uint8_t *p = c->rest.p;
    while (p > c->start && p[-1] == ' ') {
        p--;
    }
    return p == c->start || p[-1] == '\n';
}

/* A tag alone on its line takes the line with it; a text in its place is content and does not. */
static bool is_alone(const struct compiler *c, rp_view inner, size_t end) {
    rp_view rest = inner;
    bool prints = c->rest.p[1] == '{' || rp_view_equal(next_word(&rest), RP_VIEW("t"));
    return !prints && starts_line(c) && (end + 2 == c->rest.n || c->rest.p[end + 2] == '\n');
}

static rp_view without_indentation(rp_view text) {
    while (text.n > 0 && text.p[text.n - 1] == ' ') {
        text.n--;
    }
    return text;
}

static size_t mark_end(const struct compiler *c) {
    rp_view close = c->rest.p[1] == '{'   ? RP_VIEW("}}")
                    : c->rest.p[1] == '%' ? RP_VIEW("%}")
                                          : RP_VIEW("#}");
    size_t end = rp_view_find(c->rest, close);
    need(c, end < c->rest.n, "a mark that does not close");
    return end;
}

static struct token next_token(struct compiler *c) {
    if (c->rest.n == 0) {
        return (struct token){.kind = TOKEN_END};
    }
    size_t at = find_mark(c->rest);
    if (at > 0) {
        rp_view text = take(c, at);
        if (c->rest.n > 0) {
            size_t end = mark_end(c);
            text = is_alone(c, rp_view_sub(c->rest, 2, end - 2), end) ? without_indentation(text)
                                                                      : text;
        }
        return (struct token){.kind = TOKEN_TEXT, .text = text};
    }
    char mark = (char)c->rest.p[1];
    size_t end = mark_end(c);
    rp_view inner = rp_view_sub(c->rest, 2, end - 2);
    bool alone = is_alone(c, inner, end);
    take(c, end + 2);
    if (alone && c->rest.n > 0) {
        take(c, 1);
    }
    enum token_kind kind = mark == '{' ? TOKEN_VALUE : mark == '%' ? TOKEN_TAG : TOKEN_COMMENT;
    return (struct token){.kind = kind, .text = inner};
}

/* ---- where in the HTML are we? ---- */

static bool holds_address(const struct compiler *c) {
    static const char *const names[] = {" href", " src", " action", " formaction"};
    size_t n = strlen(c->before_quote);
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        size_t m = strlen(names[i]);
        if (n >= m && strcmp(c->before_quote + n - m, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void remember(struct compiler *c, char b) {
    size_t n = strlen(c->before_quote);
    if (n + 1 == sizeof c->before_quote) {
        memmove(c->before_quote, c->before_quote + 1, n);
        n--;
    }
    c->before_quote[n] = b == '\n' ? ' ' : b;
    c->before_quote[n + 1] = 0;
}

/* A script is a file of ours, named by a path, and nothing stands in it. */
static bool scripts_are_files(rp_view text) {
    static const rp_view start = RP_VIEW_INIT("<script src=\""),
                         end = RP_VIEW_INIT("\" defer></script>");
    size_t opens = rp_view_find(text, RP_VIEW("<script"));
    size_t closes = rp_view_find(text, RP_VIEW("</script"));
    bool opens_well = opens == text.n || (rp_view_ends(text, start) && opens == text.n - start.n);
    return opens_well && (closes == text.n || rp_view_starts(text, end));
}

static void follow_html(struct compiler *c, rp_view text) {
    need(c, scripts_are_files(text), "no scripts here");
    need(c, rp_view_find(text, RP_VIEW(" style=")) == text.n, "no inline styles here");
    for (size_t i = 0; i < text.n; i++) {
        char b = (char)text.p[i];
        switch (c->place) {
        case PLACE_CONTENT:
            c->place = b == '<' ? PLACE_TAG : PLACE_CONTENT;
            c->before_quote[0] = 0;
            break;
        case PLACE_TAG:
            if (b == '"') {
                c->place = holds_address(c) ? PLACE_URL : PLACE_QUOTED;
            } else if (b == '>') {
                c->place = PLACE_CONTENT;
            } else if (b != '=') {
                remember(c, b);
            }
            break;
        case PLACE_URL:
        case PLACE_QUOTED:
            c->place = b == '"' ? PLACE_TAG : PLACE_QUOTED;
            c->before_quote[0] = 0;
            break;
        }
    }
}

#endif
