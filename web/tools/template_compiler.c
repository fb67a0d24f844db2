/* template_compiler — pages become C at build time.
 *
 *   template_compiler OUT.c OUT.h FILE.html… FILE.css…
 *
 * A template declares what it is given, then says `{% begin %}`, then is HTML:
 *   {% text a b %} {% flag c %} {% number d %} {% path e %} {% html f %}
 *   {% list rows %} {% text g %} {% end %}
 *   {{ a }}  {% t key a d %}  {% if c %}…{% else %}…{% end %}  {% if not c %}
 *   {% each rows as row %}{{ row.g }}{% end %}   {# a comment #}
 * Each becomes a struct and a function that prints it; a name that was not declared, a text key
 * that does not exist or a field that the handler forgets to name fails the build. Everything is
 * escaped but `html`; a value outside quotes in a tag is refused, and href, src and action take
 * only a `path`, which is checked again when it is printed. Other files are embedded as bytes.
 */
#include "template_parts.h"

static bool at_root(const struct compiler *c) {
    return c->depth == 0;
}

/* ---- declarations ---- */

static struct field *declare(struct compiler *c, struct list *list, enum kind kind, rp_view name) {
    need(c, list->count < FIELDS_MAX, "too many fields");
    need(c, name.n > 0 && name.n < NAME_MAX_BYTES, "a field needs a short name");
    struct field *field = &list->fields[list->count++];
    *field = (struct field){.kind = kind, .name = name};
    return field;
}

static bool kind_of(rp_view word, enum kind *ret_kind) {
    static const char *const names[] = {"text", "flag", "number", "path", "html"};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        if (rp_view_equal(word, rp_view_from_cstr(names[i]))) {
            *ret_kind = (enum kind)i;
            return true;
        }
    }
    return false;
}

static void read_declarations(struct compiler *c, struct list *list, bool nested) {
    for (;;) {
        struct token token = next_token(c);
        if (token.kind == TOKEN_TEXT && rp_view_trim(token.text).n == 0) {
            continue;
        }
        if (token.kind == TOKEN_COMMENT) {
            continue;
        }
        need(c, token.kind == TOKEN_TAG, "declarations first, then {% begin %}");
        rp_view rest = token.text;
        rp_view word = next_word(&rest);
        enum kind kind;
        if (rp_view_equal(word, nested ? RP_VIEW("end") : RP_VIEW("begin"))) {
            return;
        }
        if (rp_view_equal(word, RP_VIEW("list"))) {
            struct field *field = declare(c, list, KIND_LIST, next_word(&rest));
            field->list = list_new(c);
            read_declarations(c, field->list, true);
            continue;
        }
        need(c, kind_of(word, &kind), "unknown declaration");
        for (rp_view name = next_word(&rest); name.n > 0; name = next_word(&rest)) {
            declare(c, list, kind, name);
        }
    }
}

static void print_struct(struct compiler *c, const struct list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->fields[i].kind == KIND_LIST) {
            char inner[512];
            print_into(c, inner, sizeof inner, "%s_%.*s", name, RP_FMT(list->fields[i].name));
            print_struct(c, list->fields[i].list, inner);
        }
    }
    rp_buf_printf(&c->header, "struct %s {\n", name);
    for (size_t i = 0; i < list->count; i++) {
        const struct field *f = &list->fields[i];
        switch (f->kind) {
        case KIND_TEXT:
        case KIND_PATH:
        case KIND_HTML:
            rp_buf_printf(&c->header, "    rp_view %.*s;\n", RP_FMT(f->name));
            break;
        case KIND_FLAG:
            rp_buf_printf(&c->header, "    bool %.*s;\n", RP_FMT(f->name));
            break;
        case KIND_NUMBER:
            rp_buf_printf(&c->header, "    uint64_t %.*s;\n", RP_FMT(f->name));
            break;
        case KIND_LIST:
            rp_buf_printf(&c->header,
                          "    struct {\n        struct %s_%.*s *p;\n        size_t n;\n    } "
                          "%.*s;\n",
                          name, RP_FMT(f->name), RP_FMT(f->name));
            break;
        }
    }
    rp_buf_printf(&c->header, "%s};\n", list->count ? "" : "    char nothing;\n");
}

/* ---- the body ---- */

/* The field a reference names, and the C expression that reads it. */
static const struct field *resolve(struct compiler *c, rp_view reference, char out[static 512]) {
    rp_view rest = reference;
    rp_view first = rp_view_cut(&rest, '.');
    const struct list *list = c->root;
    char prefix[128] = "page->";
    if (rest.p != NULL) {
        list = NULL;
        for (size_t i = c->depth; i > 0 && !list; i--) {
            if (rp_view_equal(c->scopes[i - 1].alias, first) && c->scopes[i - 1].list) {
                list = c->scopes[i - 1].list;
                print_into(c, prefix, sizeof prefix, "%.*s->", RP_FMT(first));
            }
        }
        need(c, list != NULL, "no such loop name");
        first = rest;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (rp_view_equal(list->fields[i].name, first)) {
            print_into(c, out, 512, "%s%.*s", prefix, RP_FMT(first));
            return &list->fields[i];
        }
    }
    need(c, false, "a name that was not declared");
    return NULL;
}

static void print_literal(struct compiler *c, rp_view text) {
    for (size_t from = 0; from < text.n; from += LITERAL_MAX) {
        rp_view part = rp_view_sub(text, from, LITERAL_MAX);
        rp_buf_printf(&c->source, "    rp_buf_add(out, rp_view_of(\"");
        for (size_t i = 0; i < part.n; i++) {
            uint8_t b = part.p[i];
            if (b == '"' || b == '\\') {
                rp_buf_printf(&c->source, "\\%c", b);
            } else if (b < 32 || b > 126) {
                rp_buf_printf(&c->source, "\\%03o", b);
            } else {
                rp_buf_add_byte(&c->source, b);
            }
        }
        rp_buf_printf(&c->source, "\", %zu));\n", part.n);
    }
}

static void print_value(struct compiler *c, rp_view reference) {
    char expression[512];
    const struct field *field = resolve(c, reference, expression);
    need(c, c->place != PLACE_TAG, "a value inside a tag must stand in quotes");
    if (c->place == PLACE_URL) {
        need(c, field->kind == KIND_PATH, "href, src and action start with a `path` or with text");
    }
    switch (field->kind) {
    case KIND_TEXT:
        rp_buf_printf(&c->source, "    rp_html_escape(out, %s);\n", expression);
        break;
    case KIND_PATH:
        rp_buf_printf(&c->source, "    rp_template_path(out, %s);\n", expression);
        break;
    case KIND_NUMBER:
        rp_buf_printf(&c->source, "    rp_buf_add_u64(out, %s);\n", expression);
        break;
    case KIND_HTML:
        need(c, c->place == PLACE_CONTENT, "html stands between tags only");
        rp_buf_printf(&c->source, "    rp_buf_add(out, %s);\n", expression);
        break;
    case KIND_FLAG:
    case KIND_LIST:
        need(c, false, "a flag or a list cannot be printed");
    }
    c->place = c->place == PLACE_URL ? PLACE_QUOTED : c->place;
}

static void print_text(struct compiler *c, rp_view rest) {
    rp_view key = next_word(&rest);
    need(c, key.n > 0, "a text needs its key");
    need(c, c->place == PLACE_CONTENT || c->place == PLACE_QUOTED, "a text cannot stand here");
    rp_buf_printf(&c->source, "    rp_text_print(out, lang, RP_TEXT_%.*s, (struct rp_text_arg[]){",
                  RP_FMT(key));
    size_t count = 0;
    for (rp_view name = next_word(&rest); name.n > 0; name = next_word(&rest), count++) {
        char expression[512];
        const struct field *field = resolve(c, name, expression);
        need(c, field->kind == KIND_TEXT || field->kind == KIND_NUMBER,
             "texts take texts and numbers");
        rp_buf_printf(&c->source,
                      field->kind == KIND_TEXT ? "{.text = %s}, "
                                               : "{.is_number = true, .number = %s}, ",
                      expression);
    }
    rp_buf_printf(&c->source, "%s}, %zu);\n", count ? "" : "{.number = 0}", count);
}

static void open_if(struct compiler *c, rp_view rest) {
    rp_view name = next_word(&rest);
    bool negated = rp_view_equal(name, RP_VIEW("not"));
    if (negated) {
        name = next_word(&rest);
    }
    char expression[512];
    const struct field *field = resolve(c, name, expression);
    const char *test = field->kind == KIND_FLAG     ? ""
                       : field->kind == KIND_NUMBER ? " != 0"
                                                    : ".n > 0";
    rp_buf_printf(&c->source, "    if (%s(%s%s)) {\n", negated ? "!" : "", expression, test);
    push(c, (struct scope){.place = c->place});
}

static void open_each(struct compiler *c, rp_view rest) {
    rp_view name = next_word(&rest);
    rp_view as = next_word(&rest);
    rp_view alias = next_word(&rest);
    char expression[512];
    const struct field *field = resolve(c, name, expression);
    need(c, field->kind == KIND_LIST && rp_view_equal(as, RP_VIEW("as")) && alias.n > 0,
         "{% each LIST as NAME %}");
    need(c, c->place == PLACE_CONTENT, "a loop stands between tags only");
    rp_buf_printf(&c->source,
                  "    for (size_t i%zu = 0; i%zu < %s.n; i%zu++) {\n"
                  "    const __typeof__(*%s.p) *%.*s = &%s.p[i%zu];\n    (void)%.*s;\n",
                  c->depth, c->depth, expression, c->depth, expression, RP_FMT(alias), expression,
                  c->depth, RP_FMT(alias));
    push(c, (struct scope){.place = c->place, .alias = alias, .list = field->list});
}

static void print_tag(struct compiler *c, rp_view rest) {
    rp_view word = next_word(&rest);
    if (rp_view_equal(word, RP_VIEW("t"))) {
        print_text(c, rest);
    } else if (rp_view_equal(word, RP_VIEW("if"))) {
        open_if(c, rest);
    } else if (rp_view_equal(word, RP_VIEW("each"))) {
        open_each(c, rest);
    } else if (rp_view_equal(word, RP_VIEW("else"))) {
        need(c, !at_root(c) && !c->scopes[c->depth - 1].list, "else without if");
        need(c, c->place == c->scopes[c->depth - 1].place,
             "a branch must leave tags as it found them");
        rp_buf_printf(&c->source, "    } else {\n");
    } else if (rp_view_equal(word, RP_VIEW("end"))) {
        need(c, !at_root(c), "end without if or each");
        c->depth--;
        need(c, c->place == c->scopes[c->depth].place, "a branch must leave tags as it found them");
        rp_buf_printf(&c->source, "    }\n");
    } else {
        need(c, false, "unknown tag");
    }
}

static void read_body(struct compiler *c) {
    for (;;) {
        struct token token = next_token(c);
        switch (token.kind) {
        case TOKEN_TEXT:
            follow_html(c, token.text);
            print_literal(c, token.text);
            break;
        case TOKEN_VALUE: {
            rp_view rest = token.text;
            print_value(c, next_word(&rest));
            break;
        }
        case TOKEN_TAG:
            print_tag(c, token.text);
            break;
        case TOKEN_COMMENT:
            break;
        case TOKEN_END:
            need(c, at_root(c), "an if or each without end");
            return;
        }
    }
}

static void compile_template(struct compiler *c, const char *name) {
    char type[256];
    print_into(c, type, sizeof type, "rp_template_%s", name);
    c->root = list_new(c);
    c->depth = 0;
    c->place = PLACE_CONTENT;
    read_declarations(c, c->root, false);
    print_struct(c, c->root, type);
    rp_buf_printf(
        &c->header,
        "void %s_print(struct rp_buf *out, enum rp_lang lang, const struct %s *page);\n\n", type,
        type);
    rp_buf_printf(&c->source,
                  "void %s_print(struct rp_buf *out, enum rp_lang lang, const struct %s *page) {\n"
                  "    (void)lang;\n    (void)page;\n",
                  type, type);
    read_body(c);
    rp_buf_printf(&c->source, "}\n\n");
}

static void embed(struct compiler *c, const char *name) {
    rp_buf_printf(&c->header, "extern const rp_view rp_asset_%s;\n\n", name);
    rp_buf_printf(&c->source, "static const uint8_t asset_%s[] = {", name);
    for (size_t i = 0; i < c->rest.n; i++) {
        rp_buf_printf(&c->source, "%u,", c->rest.p[i]);
    }
    rp_buf_printf(&c->source, "};\nconst rp_view rp_asset_%s = {asset_%s, sizeof asset_%s};\n\n",
                  name, name, name);
}

/* "sign_in" of ".../sign_in.html"; true when the file is a template. */
static bool name_of(const struct compiler *c, const char *path, char out[static NAME_MAX_BYTES]) {
    const char *slash = strrchr(path, '/');
    const char *stem = slash ? slash + 1 : path;
    const char *dot = strrchr(stem, '.');
    bool template = dot && strcmp(dot, ".html") == 0;
    int n = template ? (int)(dot - stem) : (int)strlen(stem);
    print_into(c, out, NAME_MAX_BYTES, "%.*s", n, stem);
    for (char *s = out; *s; s++) {
        *s = *s == '.' || *s == '-' ? '_' : *s;
    }
    return template;
}

int main(int argc, char **argv) {
    static struct compiler compiler;
    struct compiler *c = &compiler;
    if (argc < 4) {
        fprintf(stderr, "usage: template_compiler OUT.c OUT.h FILE…\n");
        return 2;
    }
    c->source = rp_buf_new(OUTPUT_MAX);
    c->header = rp_buf_new(OUTPUT_MAX);
    rp_buf_printf(&c->header, "/* Made from web/templates by template_compiler. */\n#pragma once\n"
                              "#include \"web/template.h\"\n\n");
    rp_buf_printf(&c->source, "#include \"%s\"\n\n",
                  strrchr(argv[2], '/') ? strrchr(argv[2], '/') + 1 : argv[2]);
    for (int i = 3; i < argc; i++) {
        char name[NAME_MAX_BYTES];
        bool template = name_of(c, argv[i], name);
        open_file(c, argv[i]);
        if (template) {
            compile_template(c, name);
        } else {
            embed(c, name);
            free((void *)(uintptr_t)c->start); /* no name points into it */
        }
    }
    write_file(c, argv[1], &c->source);
    write_file(c, argv[2], &c->header);
    return 0;
}
