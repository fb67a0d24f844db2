/* A tree that is read, printed in YAML's flow style with every scalar in double quotes, reads back
 * as the same tree. */
#include "fuzz.h"
#include "wire/http.h"
#include "wire/yaml.h"

/* The code point at v's start, which is well-formed UTF-8; moves v behind it. */
static uint32_t take_code_point(rp_view *v) {
    uint8_t lead = v->p[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        code = code << 6 | (v->p[i] & 0x3Fu);
    }
    *v = rp_view_from(*v, length);
    return code;
}

static void print_scalar(struct rp_buf *out, rp_view v) {
    FUZZ_CHECK(rp_utf8_valid(v));
    rp_buf_add_byte(out, '"');
    while (v.n > 0) {
        uint32_t code = take_code_point(&v);
        if (code > ' ' && code < 0x7F && code != '"' && code != '\\') {
            rp_buf_add_byte(out, (uint8_t)code);
        } else {
            rp_buf_printf(out, "\\U%08x", code);
        }
    }
    rp_buf_add_byte(out, '"');
}

static void print(struct rp_buf *out, const struct rp_yaml *node) {
    if (node->kind == RP_YAML_SCALAR) {
        print_scalar(out, node->scalar);
        return;
    }
    bool mapping = node->kind == RP_YAML_MAPPING;
    rp_buf_add_byte(out, mapping ? '{' : '[');
    for (const struct rp_yaml *child = node->first; child; child = child->next) {
        if (mapping) {
            rp_buf_add_cstr(out, "? ");
            print_scalar(out, child->key);
            rp_buf_add_cstr(out, " : ");
        }
        print(out, child);
        rp_buf_add_cstr(out, ",\n");
    }
    rp_buf_add_byte(out, mapping ? '}' : ']');
}

static void same(const struct rp_yaml *a, const struct rp_yaml *b) {
    FUZZ_CHECK(a->kind == b->kind);
    FUZZ_CHECK(rp_view_equal(a->scalar, b->scalar));
    FUZZ_CHECK(rp_view_equal(a->key, b->key));
    const struct rp_yaml *y = b->first;
    for (const struct rp_yaml *x = a->first; x; x = x->next, y = y->next) {
        FUZZ_CHECK(y != NULL);
        same(x, y);
    }
    FUZZ_CHECK(y == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(64 << 20);
    struct rp_yaml *root = NULL;
    struct rp_diag diag = {0};
    if (rp_ok(rp_yaml_parse(rp_view_of(data, n), arena, &root, &diag))) {
        struct rp_buf out = rp_buf_new(4 << 20);
        struct rp_yaml *again = NULL;
        print(&out, root);
        if (rp_ok(rp_buf_err(&out))) {
            FUZZ_CHECK(rp_ok(rp_yaml_parse(rp_buf_view(&out), arena, &again, &diag)));
            same(root, again);
        }
        rp_buf_done(&out);
    } else {
        FUZZ_CHECK(diag.text[0] != 0);
    }
    rp_arena_free(arena);
    return 0;
}
