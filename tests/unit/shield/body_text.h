/* body_text.h — what was read of a body, as one line of text, for tests to compare.
 *
 * body_text: the whole result, in arena memory. The chunks lie in memory of their own, so that
 * nothing is read beyond one and no two are neighbours by accident.
 */
#ifndef RP_TESTS_BODY_TEXT_H
#define RP_TESTS_BODY_TEXT_H

#include "base/buf.h"
#include "shield/body.h"

struct body_input {
    enum rp_body_kind kind;
    rp_view content_type, bytes;
    struct rp_body_limits limits;
};

static void body_text_escaped(struct rp_buf *to, rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] >= 0x20 && text.p[i] < 0x7f) {
            rp_buf_add_byte(to, text.p[i]);
        } else {
            rp_buf_printf(to, "\\x%02x", text.p[i]);
        }
    }
}

static void body_text_pairs(struct rp_buf *to, const char *title,
                            const struct rp_waf_pairs *pairs) {
    for (size_t i = 0; i < pairs->n; i++) {
        rp_buf_printf(to, "%s", title);
        body_text_escaped(to, pairs->p[i].name);
        rp_buf_add_byte(to, '=');
        body_text_escaped(to, pairs->p[i].value);
        rp_buf_add_byte(to, ';');
    }
}

static void body_text_flags(struct rp_buf *to, unsigned flags) {
    static const char *const names[] = {
        "quoted",    "whitespace", "before", "after",       "folding",    "lf",       "crlf_lf",
        "semicolon", "quoting",    "part",   "bad_folding", "file_limit", "unmatched"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (flags & 1u << i) {
            rp_buf_printf(to, " +%s", names[i]);
        }
    }
}

static void body_text_result(struct rp_buf *to, const struct rp_body_result *result) {
    body_text_pairs(to, "", &result->arguments);
    body_text_pairs(to, "file:", &result->files);
    body_text_pairs(to, "size:", &result->file_sizes);
    body_text_pairs(to, "head:", &result->part_headers);
    body_text_pairs(to, "text:", &result->texts);
    body_text_pairs(to, "attr:", &result->attributes);
    body_text_flags(to, result->multipart);
    if (result->urlencoded_error) {
        rp_buf_add_cstr(to, " +encoding");
    }
    if (result->error) {
        rp_buf_printf(to, " !%s", result->message);
    }
}

/* Cut at the position, then in steps of `step` bytes (0: no further cut). */
static rp_err body_text(const struct body_input *input, size_t cut, size_t step,
                        struct rp_arena *arena, struct rp_buf *to) {
    const struct rp_body_result *result = NULL;
    struct rp_body *body = rp_body_new(input->kind, input->content_type, &input->limits, arena);
    if (!body) {
        return RP_ERR(TOO_LARGE);
    }
    rp_view rest = input->bytes;
    size_t n = cut;
    do {
        rp_view chunk = rp_view_sub(rest, 0, n);
        rp_view copy;
        RP_TRY(rp_arena_copy(arena, chunk, &copy));
        RP_TRY(rp_body_feed(body, copy));
        rest = rp_view_from(rest, chunk.n);
        n = step > 0 ? step : rest.n;
    } while (rest.n > 0);
    RP_TRY(rp_body_end(body, &result));
    body_text_result(to, result);
    return rp_buf_err(to);
}

#endif
