/* sent_model.c — rows of what was sent, as an OpenAPI file that a person reads and takes or leaves.
 *
 * As narrow as what was seen, with lengths rounded up. Of JSON the engine knows the text alone, so
 * a member may be a string, a number or a truth. Names are a stranger's plain bytes, always quoted.
 */
#include <stdlib.h>

#include "base/checked.h"
#include "shield/sent.h"

enum { LENGTH_LEAST = 16, INDENT = 2 };

struct printing {
    struct rp_buf *out;
    enum rp_lang lang;
    struct rp_sent_least least;
};

static const char *say(const struct printing *p, const char *french, const char *english) {
    return p->lang == RP_FR ? french : english;
}

/* ---- order ---- */

/* Bytes, and a dot before all: members stand beside their kin. */
static int name_order(rp_view a, rp_view b) {
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int x = a.p[i] == '.' ? 0 : a.p[i], y = b.p[i] == '.' ? 0 : b.p[i];
        if (x != y) {
            return x - y;
        }
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int in_order(const void *a, const void *b) {
    const struct rp_sent *x = a, *y = b;
    int order = rp_view_compare(rp_sent_path(x), rp_sent_path(y));
    order = order ? order : rp_view_compare(rp_sent_method(x), rp_sent_method(y));
    order = order ? order : x->place - y->place;
    return order ? order : name_order(rp_sent_name(x), rp_sent_name(y));
}

static bool is_ripe(const struct printing *p, const struct rp_sent *row) {
    return row->people >= p->least.people && row->organisations >= p->least.organisations;
}

/* Sorted, and what too few people are behind is left out. */
static size_t take_ripe(const struct printing *p, struct rp_sent_all *all) {
    size_t n = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (is_ripe(p, &all->rows[i])) {
            all->rows[n++] = all->rows[i];
        }
    }
    qsort(all->rows, n, sizeof *all->rows, in_order);
    return n;
}

/* How many rows from here on are alike in what `same` says. */
static size_t run_of(const struct rp_sent *rows, size_t count,
                     bool (*same)(const struct rp_sent *a, const struct rp_sent *b)) {
    size_t n = 0;
    while (n < count && same(&rows[0], &rows[n])) {
        n++;
    }
    return n;
}

static bool same_path(const struct rp_sent *a, const struct rp_sent *b) {
    return rp_view_equal(rp_sent_path(a), rp_sent_path(b));
}
static bool same_request(const struct rp_sent *a, const struct rp_sent *b) {
    return same_path(a, b) && rp_view_equal(rp_sent_method(a), rp_sent_method(b));
}
static bool same_place(const struct rp_sent *a, const struct rp_sent *b) {
    return same_request(a, b) && a->place == b->place;
}

/* ---- words of YAML ---- */

static void add_indent(struct printing *p, unsigned depth) {
    rp_buf_printf(p->out, "%*s", (int)(depth * INDENT), "");
}

static void add_quoted(struct printing *p, rp_view text) {
    rp_buf_add_byte(p->out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        rp_buf_add_byte(p->out, text.p[i]);
        if (text.p[i] == '\'') {
            rp_buf_add_byte(p->out, '\'');
        }
    }
    rp_buf_add_byte(p->out, '\'');
}

static unsigned long long rounded(uint32_t length) {
    unsigned long long most = LENGTH_LEAST;
    while (most < length) {
        most *= 2;
    }
    return most;
}

/* {type: …}: the narrowest that all values were. */
static void add_value(struct printing *p, const struct rp_sent *row) {
    const char *kind = row->kinds & RP_SENT_INTEGER   ? "{type: integer}"
                       : row->kinds & RP_SENT_NUMBER  ? "{type: number}"
                       : row->kinds & RP_SENT_BOOLEAN ? "{type: boolean}"
                       : row->kinds & RP_SENT_UUID    ? "{type: string, format: uuid}"
                       : row->kinds & RP_SENT_DATE    ? "{type: string, format: date}"
                                                      : NULL;
    if (row->place == RP_SENT_JSON) {
        rp_buf_printf(p->out, "{type: [string, number, boolean, 'null'], maxLength: %llu}",
                      rounded(row->longest));
    } else if (kind) {
        rp_buf_add_cstr(p->out, kind);
    } else {
        rp_buf_printf(p->out, "{type: string, maxLength: %llu}", rounded(row->longest));
    }
}

/* How often, by how many; of values also how long. */
static void add_seen(struct printing *p, const struct rp_sent *row) {
    rp_buf_printf(p->out, " # %llu %s, %u %s", (unsigned long long)row->count,
                  say(p, "fois", "times"), row->people, say(p, "personnes", "people"));
    if (row->place != RP_SENT_REQUEST && row->place != RP_SENT_TYPE) {
        rp_buf_printf(p->out, ", %u..%u %s", row->shortest, row->longest,
                      say(p, "octets", "bytes"));
    }
    rp_buf_add_byte(p->out, '\n');
}

/* ---- members of JSON ---- */

/* The segment of the way that begins at `at`. */
static rp_view segment_at(const struct rp_sent *row, size_t at) {
    rp_view rest = rp_view_from(rp_sent_name(row), at);
    return rp_view_sub(rest, 0, rp_view_find_byte(rest, '.'));
}

static bool is_element(const struct rp_sent *row, size_t at) {
    return rp_view_equal(segment_at(row, at), RP_VIEW("[]"));
}

/* Rows that share the segment at `at` with the first. */
static size_t kin(const struct rp_sent *rows, size_t count, size_t at) {
    size_t n = 1;
    while (n < count && rp_view_equal(segment_at(&rows[n], at), segment_at(&rows[0], at))) {
        n++;
    }
    return n;
}

static void add_members(struct printing *p, const struct rp_sent *rows, size_t count, size_t at,
                        unsigned depth);

/* What stands behind one name: a value, or more below it; `at`: where the way goes on. */
static void add_member(struct printing *p, const struct rp_sent *rows, size_t count, size_t at,
                       unsigned depth) {
    bool value = rows[0].name_len < at;
    if (value && count == 1) {
        rp_buf_add_byte(p->out, ' ');
        add_value(p, &rows[0]);
        add_seen(p, &rows[0]);
    } else if (value) { /* and at other times more than a value */
        rp_buf_add_cstr(p->out, " {}\n");
    } else {
        rp_buf_add_byte(p->out, '\n');
        add_members(p, rows, count, at, depth);
    }
}

static void add_members(struct printing *p, const struct rp_sent *rows, size_t count, size_t at,
                        unsigned depth) {
    bool array = is_element(&rows[0], at);
    add_indent(p, depth);
    if (array && kin(rows, count, at) == count) {
        rp_buf_add_cstr(p->out, "type: array\n");
        add_indent(p, depth);
        rp_buf_add_cstr(p->out, "items:");
        add_member(p, rows, count, at + 3, depth + 1);
        return;
    }
    if (array) { /* and at other times an object */
        rp_buf_add_cstr(p->out, "type: [array, object]\n");
        return;
    }
    rp_buf_add_cstr(p->out, "type: object\n");
    add_indent(p, depth);
    rp_buf_add_cstr(p->out, "properties:\n");
    for (size_t i = 0, n; i < count; i += n) {
        n = kin(rows + i, count - i, at);
        rp_view name = segment_at(&rows[i], at);
        add_indent(p, depth + 1);
        add_quoted(p, name);
        rp_buf_add_byte(p->out, ':');
        add_member(p, rows + i, n, at + name.n + 1, depth + 2);
    }
}

/* ---- parameters and bodies ---- */

static void add_parameter(struct printing *p, const struct rp_sent *row) {
    rp_buf_add_cstr(p->out, "        - {name: ");
    if (row->place == RP_SENT_SEGMENT) {
        rp_buf_printf(p->out, "id%.*s, in: path, required: true", RP_FMT(rp_sent_name(row)));
    } else {
        add_quoted(p, rp_sent_name(row));
        rp_buf_add_cstr(p->out, ", in: query");
    }
    rp_buf_add_cstr(p->out, ", schema: ");
    add_value(p, row);
    rp_buf_add_cstr(p->out, "}");
    add_seen(p, row);
}

/* Rows of a request; the first, its own, is passed over. */
static void add_parameters(struct printing *p, const struct rp_sent *rows, size_t count) {
    bool any = false;
    for (size_t i = 1; i < count; i++) {
        if (rows[i].place == RP_SENT_SEGMENT || rows[i].place == RP_SENT_QUERY) {
            rp_buf_add_cstr(p->out, any ? "" : "      parameters:\n");
            add_parameter(p, &rows[i]);
            any = true;
        }
    }
}

static void add_form(struct printing *p, const struct rp_sent *rows, size_t count) {
    rp_buf_add_cstr(p->out, "              type: object\n              properties:\n");
    for (size_t i = 0; i < count; i++) {
        add_indent(p, 8);
        add_quoted(p, rp_sent_name(&rows[i]));
        rp_buf_add_cstr(p->out, ": ");
        add_value(p, &rows[i]);
        add_seen(p, &rows[i]);
    }
}

/* One media type: its members where they are known, else the type alone. */
static void add_body(struct printing *p, const struct rp_sent *type, const struct rp_sent *rows,
                     size_t count) {
    rp_view name = rp_sent_name(type);
    bool form = rp_view_equal(name, RP_VIEW("application/x-www-form-urlencoded"));
    bool json =
        rp_view_equal(name, RP_VIEW("application/json")) || rp_view_ends(name, RP_VIEW("+json"));
    enum rp_sent_place place = form ? RP_SENT_FORM : RP_SENT_JSON;
    size_t first = 0;
    while (first < count && rows[first].place != place) {
        first++;
    }
    size_t n = first < count ? run_of(rows + first, count - first, same_place) : 0;
    rp_buf_add_cstr(p->out, "          ");
    add_quoted(p, name);
    if (n == 0 || (!form && !json)) {
        rp_buf_add_cstr(p->out, ": {}");
        add_seen(p, type);
        return;
    }
    rp_buf_add_cstr(p->out, ":\n            schema:\n");
    if (form) {
        add_form(p, rows + first, n);
    } else {
        add_members(p, rows + first, n, 0, 7);
    }
}

static void add_bodies(struct printing *p, const struct rp_sent *rows, size_t count) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].place == RP_SENT_TYPE) {
            rp_buf_add_cstr(p->out, any ? "" : "      requestBody:\n        content:\n");
            add_body(p, &rows[i], rows, count);
            any = true;
        }
    }
}

/* ---- operations and paths ---- */

static bool is_of_openapi(rp_view method) {
    static const char *const methods[] = {"GET",     "PUT",  "POST",  "DELETE",
                                          "OPTIONS", "HEAD", "PATCH", "TRACE"};
    for (size_t i = 0; i < RP_COUNT_OF(methods); i++) {
        if (rp_view_equal(method, rp_view_from_cstr(methods[i]))) {
            return true;
        }
    }
    return false;
}

/* Segments that stand for many, as the shape has them. */
static size_t open_segments(rp_view shape) {
    size_t open = 0;
    for (size_t i = 1; i < shape.n; i++) {
        open += shape.p[i] == '*' && shape.p[i - 1] == '/';
    }
    return open;
}

/* Is there enough to speak of the request? What too few people sent whole is not. */
static bool is_whole(const struct rp_sent *rows, size_t count) {
    size_t segments = 0;
    for (size_t i = 0; i < count; i++) {
        segments += rows[i].place == RP_SENT_SEGMENT;
    }
    return rows[0].place == RP_SENT_REQUEST && is_of_openapi(rp_sent_method(&rows[0])) &&
           segments == open_segments(rp_sent_path(&rows[0]));
}

/* Parameters, or a type of body: members alone say nothing. */
static bool has_parts(const struct rp_sent *rows, size_t count) {
    bool any = false;
    for (size_t i = 1; i < count; i++) {
        unsigned place = rows[i].place;
        any = any || place == RP_SENT_SEGMENT || place == RP_SENT_QUERY || place == RP_SENT_TYPE;
    }
    return any;
}

/* Rows of one path and method; the first is the request's own. */
static void add_operation(struct printing *p, const struct rp_sent *rows, size_t count) {
    rp_view method = rp_sent_method(&rows[0]);
    rp_buf_add_cstr(p->out, "    ");
    for (size_t i = 0; i < method.n; i++) {
        rp_buf_add_byte(p->out, method.p[i] | 0x20);
    }
    rp_buf_add_cstr(p->out, has_parts(rows, count) ? ":" : ": {}");
    add_seen(p, &rows[0]);
    add_parameters(p, rows, count);
    add_bodies(p, rows, count);
}

/* "/page/ * /edit" (without the blanks) is '/page/{id1}/edit'. */
static void add_path(struct printing *p, rp_view shape) {
    unsigned id = 0;
    rp_buf_add_cstr(p->out, "  '");
    for (size_t i = 0; i < shape.n; i++) {
        if (shape.p[i] == '*' && i > 0 && shape.p[i - 1] == '/') {
            rp_buf_printf(p->out, "{id%u}", ++id);
        } else {
            rp_buf_add_byte(p->out, shape.p[i]);
        }
    }
    rp_buf_add_cstr(p->out, "':\n");
}

/* The operations of one path. What OpenAPI cannot say stands in a comment. */
static void add_operations(struct printing *p, const struct rp_sent *rows, size_t count) {
    bool any = false;
    for (size_t k = 0, n; k < count; k += n) {
        n = run_of(rows + k, count - k, same_request);
        if (!is_whole(rows + k, n)) {
            rp_buf_printf(p->out, "  # %.*s %.*s: %s\n", RP_FMT(rp_sent_method(&rows[k])),
                          RP_FMT(rp_sent_path(&rows[k])),
                          say(p, "ne se dit pas en OpenAPI, ou pas entier",
                              "not for OpenAPI to say, or not whole"));
            continue;
        }
        if (!any) {
            add_path(p, rp_sent_path(&rows[k]));
            any = true;
        }
        add_operation(p, rows + k, n);
    }
}

static void add_head(struct printing *p, rp_view app, size_t ripe, size_t all) {
    rp_buf_add_cstr(
        p->out, say(p,
                    "# Proposition : ce que des personnes connectées ont envoyé et que le "
                    "pare-feu a laissé passer.\n# Lisez, retirez ce qui n’a rien à y faire, puis "
                    "waf: {model: FICHIER, model_mode: detect}.\n# Rien n’est en vigueur sans "
                    "vous.\n",
                    "# A proposal: what signed-in people sent and the firewall let through.\n"
                    "# Read it, take away what does not belong, then waf: {model: FILE, "
                    "model_mode: detect}.\n# Nothing is in force without you.\n"));
    rp_buf_printf(p->out, "# %zu %s %u %s, %u organisations; %zu %s\n", ripe,
                  say(p, "observations, d’au moins", "sightings, of at least"), p->least.people,
                  say(p, "personnes", "people"), p->least.organisations, all - ripe,
                  say(p, "autres omises", "others left out"));
    rp_buf_add_cstr(p->out, "openapi: 3.1.0\ninfo:\n  title: ");
    add_quoted(p, app);
    rp_buf_add_cstr(p->out, "\n  version: '1'\n");
    rp_buf_add_cstr(p->out, ripe > 0 ? "paths:\n" : "paths: {}\n");
}

rp_err rp_sent_model(struct rp_sent_all *all, rp_view app, struct rp_sent_least least,
                     enum rp_lang lang, struct rp_buf *out) {
    struct printing p = {.out = out, .lang = lang, .least = least};
    size_t count = take_ripe(&p, all);
    const struct rp_sent *rows = all->rows;
    add_head(&p, app, count, all->count);
    for (size_t i = 0, n; i < count; i += n) {
        n = run_of(rows + i, count - i, same_path);
        add_operations(&p, rows + i, n);
    }
    return rp_buf_err(out);
}
