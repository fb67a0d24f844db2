/* waf_test_request.c — what a test's input is on the wire, byte for byte, as go-ftw sends it.
 *
 * Completed unless the test says otherwise: the content type of a form for data that names none,
 * whose names and values are then encoded unless they are already; Connection: close;
 * Content-Length where there is data, and in release 4's tests also for a method that may have
 * some. The lines of multipart data end in CRLF, whatever ended them in the file.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "waf_test.h"
#include "wire/http.h"

enum { RAW_MAX = 32 << 20 };

static const struct waf_header *find(const struct waf_test_input *input, const char *name) {
    for (size_t i = 0; i < input->header_count; i++) {
        if (rp_view_equal_nocase(input->headers[i].name, rp_view_from_cstr(name))) {
            return &input->headers[i];
        }
    }
    return NULL;
}

/* ---- data ---- */

/* True when decoding would change nothing: then it was not encoded yet. */
static bool is_plain(rp_view data) {
    return rp_view_find_byte(data, '+') == data.n && rp_view_find_byte(data, '%') == data.n;
}

/* A query's percent-encoding: '+' for a space. */
static void encode_word(struct rp_buf *out, rp_view word) {
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == ' ') {
            rp_buf_add_byte(out, '+');
        } else {
            rp_url_encode(out, rp_view_sub(word, i, 1));
        }
    }
}

static void add_form(struct rp_buf *out, rp_view data) {
    rp_view rest = data;
    while (rest.n > 0) {
        size_t end = rp_view_find_byte(rest, '&');
        rp_view pair = rp_view_sub(rest, 0, end);
        size_t equals = rp_view_find_byte(pair, '=');
        encode_word(out, rp_view_sub(pair, 0, equals));
        if (equals < pair.n) {
            rp_buf_add_byte(out, '=');
            encode_word(out, rp_view_from(pair, equals + 1));
        }
        rest = rp_view_from(rest, RP_MIN(end + 1, rest.n));
        if (rest.n > 0) {
            rp_buf_add_byte(out, '&');
        }
    }
}

/* go-ftw gives a second CR to a line that had one; the older tool had lists of lines. */
static void add_lines(struct rp_buf *out, rp_view data, bool every) {
    for (size_t i = 0; i < data.n; i++) {
        if (data.p[i] == '\n' && (every || i == 0 || data.p[i - 1] != '\r')) {
            rp_buf_add_byte(out, '\r');
        }
        rp_buf_add_byte(out, data.p[i]);
    }
}

static bool is_form(const struct waf_test_input *input) {
    const struct waf_header *type = find(input, "Content-Type");
    return !type || rp_view_equal_nocase(type->value, RP_VIEW("application/x-www-form-urlencoded"));
}

/* Any of its content types: some tests have two. */
static bool is_multipart(const struct waf_test_input *input) {
    rp_view kind = RP_VIEW("multipart/form-data;");
    for (size_t i = 0; i < input->header_count; i++) {
        const struct waf_header *one = &input->headers[i];
        if (rp_view_equal_nocase(one->name, RP_VIEW("Content-Type")) &&
            rp_view_find(one->value, kind) < one->value.n) {
            return true;
        }
    }
    return false;
}

static rp_err data_of(const struct waf_test_input *input, struct rp_arena *arena,
                      rp_view *ret_data) {
    struct rp_buf out = rp_buf_new(RAW_MAX);
    if (is_multipart(input)) {
        add_lines(&out, input->data, input->release4);
    } else if (input->completed && is_form(input) && is_plain(input->data)) {
        add_form(&out, input->data);
    } else {
        rp_buf_add(&out, input->data);
    }
    rp_err err = rp_buf_err(&out);
    if (rp_ok(err)) {
        err = rp_arena_copy(arena, rp_buf_view(&out), ret_data);
    }
    rp_buf_done(&out);
    return err;
}

/* ---- the head ---- */

/* go-ftw's expression is ^POST|PUT|PATCH|DELETE$, which is not what it looks like. */
static bool may_have_data(rp_view method) {
    rp_view end = RP_VIEW("DELETE");
    return rp_view_starts(method, RP_VIEW("POST")) ||
           rp_view_find(method, RP_VIEW("PUT")) < method.n ||
           rp_view_find(method, RP_VIEW("PATCH")) < method.n ||
           (method.n >= end.n && rp_view_equal(rp_view_from(method, method.n - end.n), end));
}

static void add_header(struct rp_buf *out, const char *name, rp_view value) {
    rp_buf_add_cstr(out, name);
    rp_buf_add_cstr(out, ": ");
    rp_buf_add(out, value);
    rp_buf_add_cstr(out, "\r\n");
}

static void complete(struct rp_buf *out, const struct waf_test_input *input, rp_view data) {
    if (data.n > 0 && !find(input, "Content-Type")) {
        add_header(out, "Content-Type", RP_VIEW("application/x-www-form-urlencoded"));
    }
    if (!find(input, "Connection")) {
        add_header(out, "Connection", RP_VIEW("close"));
    }
    if (!find(input, "Content-Length") &&
        (data.n > 0 || (input->release4 && may_have_data(input->method)))) {
        rp_buf_printf(out, "Content-Length: %zu\r\n", data.n);
    }
}

static rp_err make_raw(const struct waf_test_input *input, struct rp_arena *arena,
                       rp_view *ret_raw) {
    rp_view data;
    RP_TRY(data_of(input, arena, &data));
    struct rp_buf out = rp_buf_new(RAW_MAX);
    rp_buf_add(&out, input->method);
    rp_buf_add_byte(&out, ' ');
    rp_buf_add(&out, input->uri);
    rp_buf_add_byte(&out, ' ');
    rp_buf_add(&out, input->version);
    rp_buf_add_cstr(&out, "\r\n");
    for (size_t i = 0; i < input->header_count; i++) {
        rp_buf_add(&out, input->headers[i].name);
        rp_buf_add_cstr(&out, ": ");
        rp_buf_add(&out, input->headers[i].value);
        rp_buf_add_cstr(&out, "\r\n");
    }
    if (input->completed) {
        complete(&out, input, data);
    }
    rp_buf_add_cstr(&out, "\r\n");
    rp_buf_add(&out, data);
    rp_err err = rp_buf_err(&out);
    if (rp_ok(err)) {
        err = rp_arena_copy(arena, rp_buf_view(&out), ret_raw);
    }
    rp_buf_done(&out);
    return err;
}

rp_err waf_test_build(const struct waf_test_input *words, struct rp_arena *arena,
                      struct waf_stage *stage) {
    RP_TRY(make_raw(words, arena, &stage->raw));
    RP_TRY(waf_read_request(stage->raw, arena, &stage->request));
    stage->request.method = words->method;
    stage->request.uri = words->uri;
    stage->request.protocol = words->version;
    stage->words = words;
    return RP_OK;
}

/* ---- a redirection ---- */

/* A path of that name, or beside the one before (RFC 3986 section 5.3, without dots). */
static rp_view resolved(rp_view base, rp_view target, struct rp_arena *arena) {
    if (target.n > 0 && target.p[0] == '/') {
        return target;
    }
    size_t path = rp_view_find_byte(base, '?');
    while (path > 0 && base.p[path - 1] != '/') {
        path--;
    }
    return rp_arena_printf(arena, "%.*s%.*s", RP_FMT(rp_view_sub(base, 0, path)), RP_FMT(target));
}

static rp_err replace_host(struct waf_test_input *words, rp_view host, struct rp_arena *arena) {
    struct waf_header *headers = rp_arena_array(arena, words->header_count + 1, sizeof *headers);
    if (!headers) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0;
    headers[n++] = (struct waf_header){RP_VIEW("Host"), host};
    for (size_t i = 0; i < words->header_count; i++) {
        if (!rp_view_equal_nocase(words->headers[i].name, RP_VIEW("Host"))) {
            headers[n++] = words->headers[i];
        }
    }
    words->headers = headers;
    words->header_count = n;
    return RP_OK;
}

rp_err waf_test_follow(const struct waf_stage *stage, rp_view location, struct rp_arena *arena,
                       struct waf_stage *ret_stage) {
    struct waf_test_input *words = rp_arena_alloc(arena, sizeof *words);
    if (!words) {
        return RP_ERR(TOO_LARGE);
    }
    rp_view target = rp_view_sub(location, 0, rp_view_find_byte(location, '#'));
    if (!stage->words || target.n == 0) {
        return RP_ERR(INVALID);
    }
    *words = *stage->words;
    size_t scheme = rp_view_find(target, RP_VIEW("://"));
    if (scheme < target.n) {
        rp_view rest = rp_view_from(target, scheme + 3);
        rp_view host = rp_view_sub(rest, 0, rp_view_find_byte(rest, '/'));
        target = rp_view_from(rest, host.n);
        target = target.n > 0 ? target : RP_VIEW("/");
        RP_TRY(replace_host(words, host, arena));
    }
    words->uri = resolved(words->uri, target, arena);
    struct waf_stage followed = *stage;
    RP_TRY(words->uri.p ? waf_test_build(words, arena, &followed) : RP_ERR(TOO_LARGE));
    waf_test_as_served(&followed.request);
    *ret_stage = followed;
    return RP_OK;
}

/* ---- as a server hands it on ---- */

static void drop_header(struct waf_message *request, const char *name) {
    size_t kept = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!rp_view_equal_nocase(request->headers[i].name, rp_view_from_cstr(name))) {
            request->headers[kept++] = request->headers[i];
        }
    }
    request->header_count = kept;
}

/* RFC 9112 section 6.3: what no header announces is no body; where a transfer coding says how long
 * it is, what Content-Length says is dropped. */
void waf_test_as_served(struct waf_message *request) {
    bool coded = waf_header_of(request, "Transfer-Encoding").p != NULL;
    if (coded) {
        drop_header(request, "Content-Length");
    } else if (!waf_header_of(request, "Content-Length").p) {
        request->body = (rp_view){NULL, 0};
    }
}
