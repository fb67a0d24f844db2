#include "wire/yaml.h"

#include <yaml.h>

#include "base/assert.h"
#include "wire/http.h"

enum {
    DEPTH_MAX = 16,
    DEPTH_MOST = 64,
    NODES_MAX = 50000,
    MEMBERS_MAX = 4096, /* of one mapping: keys are compared each with each */
    TEXT_MAX = 8 * 1024 * 1024
};

/* libyaml gives events; this turns them into a tree:
 *
 *   stream   = STREAM-START [DOCUMENT-START node DOCUMENT-END] STREAM-END
 *   node     = SCALAR | SEQUENCE-START node… SEQUENCE-END | MAPPING-START (SCALAR node)…
 * MAPPING-END
 */
struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one being looked at */
    bool has_event;
    size_t nodes;
    unsigned depth_max;
    struct rp_arena *arena;
    struct rp_diag *diag;
};

static rp_err fail_here(const struct reader *r, rp_err err, const char *text) {
    return rp_fail_at(r->diag, err, (unsigned)r->event.start_mark.line + 1,
                      (unsigned)r->event.start_mark.column + 1, "%s", text);
}

static rp_err parser_failure(const struct reader *r) {
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        return rp_fail(r->diag, RP_ERR(NO_MEMORY), "out of memory");
    }
    return rp_fail_at(r->diag, RP_ERR(SYNTAX), (unsigned)p->problem_mark.line + 1,
                      (unsigned)p->problem_mark.column + 1, "%s",
                      p->problem ? p->problem : "not YAML");
}

static rp_err next_event(struct reader *r) {
    if (r->has_event) {
        yaml_event_delete(&r->event);
        r->has_event = false;
    }
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        return parser_failure(r);
    }
    r->has_event = true;
    return RP_OK;
}

static rp_err node_new(struct reader *r, enum rp_yaml_kind kind, struct rp_yaml **ret_node) {
    struct rp_yaml *node = r->nodes < NODES_MAX ? rp_arena_alloc(r->arena, sizeof *node) : NULL;
    if (!node) {
        return fail_here(r, RP_ERR(TOO_LARGE), "too many values");
    }
    r->nodes++;
    node->kind = kind;
    node->line = (unsigned)r->event.start_mark.line + 1;
    node->column = (unsigned)r->event.start_mark.column + 1;
    *ret_node = node;
    return RP_OK;
}

static rp_err refuse_extras(const struct reader *r, const yaml_char_t *anchor,
                            const yaml_char_t *tag) {
    if (anchor) {
        return fail_here(r, RP_ERR(SYNTAX), "anchors (&) are not used here");
    }
    return tag ? fail_here(r, RP_ERR(SYNTAX), "tags (!) are not used here") : RP_OK;
}

static rp_err copy_scalar(const struct reader *r, rp_view *ret_scalar) {
    rp_view v = rp_view_of(r->event.data.scalar.value, r->event.data.scalar.length);
    return rp_ok(rp_arena_copy(r->arena, v, ret_scalar))
               ? RP_OK
               : fail_here(r, RP_ERR(TOO_LARGE), "too much text");
}

static rp_err read_scalar(struct reader *r, struct rp_yaml **ret_node) {
    RP_TRY(refuse_extras(r, r->event.data.scalar.anchor, r->event.data.scalar.tag));
    struct rp_yaml *node = NULL;
    RP_TRY(node_new(r, RP_YAML_SCALAR, &node));
    node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    RP_TRY(copy_scalar(r, &node->scalar));
    *ret_node = node;
    return RP_OK;
}

static rp_err read_node(struct reader *r, unsigned depth_left, struct rp_yaml **ret_node);

static rp_err read_sequence(struct reader *r, unsigned depth_left, struct rp_yaml **ret_node) {
    RP_TRY(refuse_extras(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag));
    struct rp_yaml *sequence = NULL;
    RP_TRY(node_new(r, RP_YAML_SEQUENCE, &sequence));
    struct rp_yaml **tail = &sequence->first;
    RP_TRY(next_event(r));
    while (r->event.type != YAML_SEQUENCE_END_EVENT) {
        RP_TRY(read_node(r, depth_left, tail));
        tail = &(*tail)->next;
        RP_TRY(next_event(r));
    }
    *ret_node = sequence;
    return RP_OK;
}

static rp_err read_key(struct reader *r, const struct rp_yaml *mapping, rp_view *ret_key) {
    if (r->event.type != YAML_SCALAR_EVENT) {
        return fail_here(r, RP_ERR(SYNTAX), "a key is plain text");
    }
    RP_TRY(refuse_extras(r, r->event.data.scalar.anchor, r->event.data.scalar.tag));
    rp_view key = rp_view_of(r->event.data.scalar.value, r->event.data.scalar.length);
    size_t members = 0;
    for (const struct rp_yaml *m = mapping->first; m; m = m->next, members++) {
        if (rp_view_equal(m->key, key)) {
            return fail_here(r, RP_ERR(DUPLICATE), "this key stands twice in one mapping");
        }
    }
    if (members >= MEMBERS_MAX) {
        return fail_here(r, RP_ERR(TOO_LARGE), "too many keys in one mapping");
    }
    return copy_scalar(r, ret_key);
}

static rp_err read_mapping(struct reader *r, unsigned depth_left, struct rp_yaml **ret_node) {
    RP_TRY(refuse_extras(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag));
    struct rp_yaml *mapping = NULL;
    RP_TRY(node_new(r, RP_YAML_MAPPING, &mapping));
    struct rp_yaml **tail = &mapping->first;
    RP_TRY(next_event(r));
    while (r->event.type != YAML_MAPPING_END_EVENT) {
        rp_view key = {NULL, 0};
        unsigned line = (unsigned)r->event.start_mark.line + 1;
        unsigned column = (unsigned)r->event.start_mark.column + 1;
        RP_TRY(read_key(r, mapping, &key));
        RP_TRY(next_event(r));
        struct rp_yaml *member = NULL;
        RP_TRY(read_node(r, depth_left, &member));
        member->key = key;
        member->key_line = line;
        member->key_column = column;
        *tail = member;
        tail = &member->next;
        RP_TRY(next_event(r));
    }
    *ret_node = mapping;
    return RP_OK;
}

/* Reads the node that the current event begins; the current event is then its last. */
static rp_err read_node(struct reader *r, unsigned depth_left, struct rp_yaml **ret_node) {
    if (r->event.type == YAML_ALIAS_EVENT) {
        return fail_here(r, RP_ERR(SYNTAX), "aliases (*) are not used here");
    }
    if (r->event.type == YAML_SCALAR_EVENT) {
        return read_scalar(r, ret_node);
    }
    if (depth_left == 0) {
        return fail_here(r, RP_ERR(TOO_LARGE), "nested too deeply");
    }
    if (r->event.type == YAML_SEQUENCE_START_EVENT) {
        return read_sequence(r, depth_left - 1, ret_node);
    }
    RP_ASSERT(r->event.type == YAML_MAPPING_START_EVENT);
    return read_mapping(r, depth_left - 1, ret_node);
}

static rp_err read_document(struct reader *r, struct rp_yaml **ret_root) {
    if (r->event.data.document_start.version_directive ||
        r->event.data.document_start.tag_directives.start !=
            r->event.data.document_start.tag_directives.end) {
        return fail_here(r, RP_ERR(SYNTAX), "directives (%) are not used here");
    }
    RP_TRY(next_event(r));
    RP_TRY(read_node(r, r->depth_max, ret_root));
    RP_TRY(next_event(r));
    RP_ASSERT(r->event.type == YAML_DOCUMENT_END_EVENT);
    RP_TRY(next_event(r));
    return r->event.type == YAML_STREAM_END_EVENT
               ? RP_OK
               : fail_here(r, RP_ERR(SYNTAX), "a second document begins here");
}

static rp_err read_stream(struct reader *r, struct rp_yaml **ret_root) {
    RP_TRY(next_event(r));
    RP_ASSERT(r->event.type == YAML_STREAM_START_EVENT);
    RP_TRY(next_event(r));
    if (r->event.type == YAML_STREAM_END_EVENT) {
        return node_new(r, RP_YAML_MAPPING, ret_root);
    }
    RP_ASSERT(r->event.type == YAML_DOCUMENT_START_EVENT);
    return read_document(r, ret_root);
}

/* "---" and nothing more is an empty document too. */
static bool is_nothing(const struct rp_yaml *node) {
    return node->kind == RP_YAML_SCALAR && !node->quoted && node->scalar.n == 0;
}

static rp_err refuse_bytes(rp_view text, struct rp_diag *diag) {
    if (text.n > TEXT_MAX) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "the text is too long");
    }
    size_t good = rp_utf8_prefix(text);
    if (good == text.n) {
        return RP_OK;
    }
    unsigned line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < good; i++) {
        if (text.p[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    return rp_fail_at(diag, RP_ERR(SYNTAX), line, (unsigned)(good - line_start) + 1, "not UTF-8");
}

rp_err rp_yaml_parse(rp_view text, struct rp_arena *arena, struct rp_yaml **ret_root,
                     struct rp_diag *diag) {
    return rp_yaml_parse_within(text, DEPTH_MAX, arena, ret_root, diag);
}

rp_err rp_yaml_parse_within(rp_view text, unsigned depth_max, struct rp_arena *arena,
                            struct rp_yaml **ret_root, struct rp_diag *diag) {
    RP_ASSERT(ret_root != NULL && depth_max <= DEPTH_MOST);
    RP_TRY(refuse_bytes(text, diag));
    struct reader r = {.depth_max = depth_max, .arena = arena, .diag = diag};
    if (!yaml_parser_initialize(&r.parser)) {
        return RP_ERR(NO_MEMORY);
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, text.p, text.n);
    struct rp_yaml *root = NULL;
    rp_err err = read_stream(&r, &root);
    if (r.has_event) {
        yaml_event_delete(&r.event);
    }
    yaml_parser_delete(&r.parser);
    RP_TRY(err);
    if (is_nothing(root)) {
        root->kind = RP_YAML_MAPPING;
    }
    *ret_root = root;
    return RP_OK;
}

const struct rp_yaml *rp_yaml_get(const struct rp_yaml *mapping, const char *key) {
    if (!mapping || mapping->kind != RP_YAML_MAPPING) {
        return NULL;
    }
    rp_view wanted = rp_view_from_cstr(key);
    for (const struct rp_yaml *member = mapping->first; member; member = member->next) {
        if (rp_view_equal(member->key, wanted)) {
            return member;
        }
    }
    return NULL;
}

rp_view rp_yaml_get_scalar(const struct rp_yaml *mapping, const char *key) {
    const struct rp_yaml *member = rp_yaml_get(mapping, key);
    return member && member->kind == RP_YAML_SCALAR ? member->scalar : (rp_view){NULL, 0};
}
