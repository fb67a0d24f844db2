/* The printer: RFC 8785, one walk over a tree whose members are in order. */
#include "base/assert.h"
#include "wire/http.h"
#include "wire/json_members.h"
#include "wire/number.h"

enum { DEPTH_MAX = 128 };

/* What section 3.2.2.2 writes for a byte inside a string; 0 = as it is, 'u' = \u00xx. */
static uint8_t escape_of(uint8_t c) {
    static const uint8_t short_form[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (c >= 0x20) {
        return c == '"' || c == '\\' ? c : 0;
    }
    return short_form[c] ? short_form[c] : 'u';
}

static void print_escape(struct rp_buf *out, uint8_t c, uint8_t escape) {
    static const char digits[] = "0123456789abcdef";
    uint8_t text[6] = {'\\', escape, '0', '0', (uint8_t)digits[c >> 4], (uint8_t)digits[c & 15]};
    rp_buf_add(out, rp_view_of(text, escape == 'u' ? 6 : 2));
}

static rp_err print_string(rp_view s, struct rp_buf *out) {
    if (!rp_utf8_valid(s)) {
        return RP_ERR(INVALID);
    }
    rp_buf_add_byte(out, '"');
    size_t plain = 0; /* from here on nothing has been written yet */
    for (size_t i = 0; i < s.n; i++) {
        uint8_t escape = escape_of(s.p[i]);
        if (escape) {
            rp_buf_add(out, rp_view_sub(s, plain, i - plain));
            print_escape(out, s.p[i], escape);
            plain = i + 1;
        }
    }
    rp_buf_add(out, rp_view_from(s, plain));
    rp_buf_add_byte(out, '"');
    return RP_OK;
}

static rp_err print_number(double value, struct rp_buf *out) {
    if (!__builtin_isfinite(value)) {
        return RP_ERR(INVALID);
    }
    if (value >= 0 && value <= (double)RP_JSON_INTEGER_MAX && value == (double)(uint64_t)value) {
        rp_buf_add_u64(out, (uint64_t)value);
        return RP_OK;
    }
    struct rp_number_text text = rp_number_print(value);
    rp_buf_add(out, rp_view_of(text.s, text.n));
    return RP_OK;
}

static rp_err print_value(const struct rp_json *node, unsigned depth_left, struct rp_buf *out);

static rp_err print_children(const struct rp_json *node, unsigned depth_left, struct rp_buf *out) {
    bool object = node->kind == RP_JSON_OBJECT;
    if (depth_left == 0) {
        return RP_ERR(TOO_LARGE);
    }
    rp_buf_add_byte(out, object ? '{' : '[');
    for (const struct rp_json *child = node->first; child; child = child->next) {
        if (child != node->first) {
            rp_buf_add_byte(out, ',');
        }
        if (object) {
            if (child->next && rp_view_equal(child->key, child->next->key)) {
                return RP_ERR(INVALID);
            }
            RP_TRY(print_string(child->key, out));
            rp_buf_add_byte(out, ':');
        }
        RP_TRY(print_value(child, depth_left - 1, out));
    }
    rp_buf_add_byte(out, object ? '}' : ']');
    return RP_OK;
}

static rp_err print_value(const struct rp_json *node, unsigned depth_left, struct rp_buf *out) {
    if (node->broken != RP_E_NONE) {
        return (rp_err){node->broken};
    }
    switch (node->kind) {
    case RP_JSON_NULL:
        rp_buf_add_cstr(out, "null");
        return RP_OK;
    case RP_JSON_BOOL:
        rp_buf_add_cstr(out, node->boolean ? "true" : "false");
        return RP_OK;
    case RP_JSON_NUMBER:
        return print_number(node->number, out);
    case RP_JSON_STRING:
        return print_string(node->string, out);
    case RP_JSON_ARRAY:
    case RP_JSON_OBJECT:
        return print_children(node, depth_left, out);
    }
    RP_UNREACHABLE();
}

rp_err rp_json_print(const struct rp_json *root, struct rp_buf *out) {
    RP_ASSERT(out != NULL);
    if (!root) {
        return RP_ERR(TOO_LARGE); /* the arena was full before the root was made */
    }
    size_t before = out->n;
    rp_err err = print_value(root, DEPTH_MAX, out);
    if (rp_ok(err)) {
        err = rp_buf_err(out);
    }
    if (!rp_ok(err)) {
        out->n = before;
    }
    return err;
}
