/* waf_message.c — a raw HTTP message taken apart, as forgiving as what the rules are there to see.
 *
 * This is a reader for tests and experiments, not a server: what a server would refuse is read as
 * far as it goes, and said to be malformed. RFC 9112.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "waf.h"

struct reader {
    rp_view rest;
    struct waf_message *message;
};

/* One line without its end; false when there is none left. */
static bool next_line(rp_view *rest, rp_view *ret_line) {
    if (rest->n == 0) {
        return false;
    }
    size_t end = rp_view_find_byte(*rest, '\n');
    rp_view line = rp_view_sub(*rest, 0, end);
    *rest = end < rest->n ? rp_view_from(*rest, end + 1) : rp_view_from(*rest, rest->n);
    if (line.n > 0 && line.p[line.n - 1] == '\r') {
        line.n--;
    }
    *ret_line = line;
    return true;
}

static size_t find_last(rp_view line, uint8_t byte) {
    for (size_t i = line.n; i > 0; i--) {
        if (line.p[i - 1] == byte) {
            return i - 1;
        }
    }
    return line.n;
}

static bool is_token(rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        bool special = c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
        bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
        if (!special && !plain) {
            return false;
        }
    }
    return text.n > 0;
}

/* ---- the first line ---- */

/* Of a path, an address with its scheme, a host for CONNECT, or "*". */
static bool begins_a_target(uint8_t c) {
    uint8_t low = c | 0x20;
    return c == '/' || c == '*' || c == '[' || (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9');
}

/* The method up to the first space, the protocol behind the last; between them the target, spaces
 * and all. */
static void read_request_line(rp_view line, struct waf_message *message) {
    size_t first = rp_view_find_byte(line, ' '), last = find_last(line, ' ');
    message->method = rp_view_sub(line, 0, first);
    if (first == line.n) {
        message->malformed = "a request line without a target";
        return;
    }
    bool has_protocol =
        last > first && rp_view_starts(rp_view_from(line, last + 1), RP_VIEW("HTTP"));
    size_t end = has_protocol ? last : line.n;
    message->uri = rp_view_sub(line, first + 1, end - first - 1);
    message->protocol = has_protocol ? rp_view_from(line, last + 1) : (rp_view){NULL, 0};
    if (!is_token(message->method)) {
        message->malformed = "a method that is no token";
    } else if (message->uri.n == 0 || rp_view_find_byte(message->uri, ' ') < message->uri.n) {
        message->malformed = "a target that is empty or has a space in it";
    } else if (!begins_a_target(message->uri.p[0])) {
        message->malformed = "a target that is neither a path, nor a whole address, nor *";
    }
}

/* A method written large and a path need no protocol behind them (HTTP/0.9); other words do. */
bool waf_is_request(const struct waf_message *message) {
    bool named = true;
    for (size_t i = 0; i < message->method.n; i++) {
        named = named && (message->method.p[i] < 'a' || message->method.p[i] > 'z');
    }
    bool path = message->uri.n > 0 && message->uri.p[0] == '/';
    return is_token(message->method) && message->uri.n > 0 &&
           (message->protocol.n > 0 || (named && path));
}

/* ---- headers ---- */

static rp_err add_header(struct waf_message *message, rp_view line, size_t room) {
    if (message->header_count == room) {
        return RP_ERR(TOO_LARGE);
    }
    size_t colon = rp_view_find_byte(line, ':');
    if (colon == line.n || !is_token(rp_view_sub(line, 0, colon))) {
        message->malformed = "a header line without a name";
    }
    message->headers[message->header_count++] = (struct waf_header){
        .name = rp_view_sub(line, 0, colon),
        .value = colon < line.n ? rp_view_trim(rp_view_from(line, colon + 1)) : (rp_view){NULL, 0}};
    return RP_OK;
}

/* A folded line goes on with the value before it, one space between (RFC 9112 section 5.2). */
static rp_err fold(struct rp_arena *arena, struct waf_message *message, rp_view line) {
    if (message->header_count == 0) {
        message->malformed = "a folded line before any header";
        return RP_OK;
    }
    struct waf_header *last = &message->headers[message->header_count - 1];
    rp_view more = rp_view_trim(line);
    if (rp_view_find_byte(last->value, 0) < last->value.n || rp_view_find_byte(more, 0) < more.n) {
        message->malformed = "a control character in a header";
        return RP_OK;
    }
    if (last->value.n == 0 || more.n == 0) {
        last->value = last->value.n == 0 ? more : last->value;
        return RP_OK;
    }
    rp_view joined = rp_arena_printf(arena, "%.*s %.*s", RP_FMT(last->value), RP_FMT(more));
    if (!joined.p) {
        return RP_ERR(TOO_LARGE);
    }
    last->value = joined;
    return RP_OK;
}

static size_t count_lines(rp_view rest) {
    size_t n = 0;
    rp_view line;
    while (n < WAF_HEADERS_MAX && next_line(&rest, &line) && line.n > 0) {
        n++;
    }
    return n;
}

static rp_err read_headers(struct reader *in, struct rp_arena *arena) {
    struct waf_message *message = in->message;
    size_t room = count_lines(in->rest);
    message->headers = rp_arena_array(arena, room + 1, sizeof *message->headers);
    if (!message->headers) {
        return RP_ERR(TOO_LARGE);
    }
    rp_view line;
    while (next_line(&in->rest, &line) && line.n > 0) {
        bool folded = line.p[0] == ' ' || line.p[0] == '\t';
        RP_TRY(folded ? fold(arena, message, line) : add_header(message, line, room));
    }
    return RP_OK;
}

const char *waf_why_malformed(const struct waf_message *message) {
    rp_view length = waf_header_of(message, "Content-Length");
    uint64_t n = 0;
    for (size_t i = 0; i < message->header_count; i++) {
        rp_view value = message->headers[i].value;
        if (rp_view_find_byte(value, '\r') < value.n || rp_view_find_byte(value, 0) < value.n) {
            return "a control character in a header";
        }
    }
    if (length.p && !rp_view_to_u64(length, UINT64_MAX, &n)) {
        return "a Content-Length that is no number";
    }
    if (length.p && !waf_header_of(message, "Transfer-Encoding").p && n > message->body.n) {
        return "a body shorter than its Content-Length";
    }
    if (rp_view_equal(message->protocol, RP_VIEW("HTTP/1.1")) &&
        waf_header_of(message, "Host").n == 0) {
        return "HTTP/1.1 without a Host";
    }
    if (rp_view_equal(message->protocol, RP_VIEW("HTTP/0.9"))) {
        return "HTTP/0.9";
    }
    bool names_port = rp_view_find_byte(message->uri, ':') < message->uri.n;
    return rp_view_equal(message->method, RP_VIEW("CONNECT")) && !names_port ? "CONNECT to no port"
                                                                             : NULL;
}

rp_view waf_header_of(const struct waf_message *message, const char *name) {
    for (size_t i = 0; i < message->header_count; i++) {
        if (rp_view_equal_nocase(message->headers[i].name, rp_view_from_cstr(name))) {
            return message->headers[i].value;
        }
    }
    return (rp_view){NULL, 0};
}

/* ---- the body ---- */

static bool read_size(rp_view line, size_t *ret_size) {
    rp_view digits = rp_view_trim(rp_view_sub(line, 0, rp_view_find_byte(line, ';')));
    size_t size = 0;
    for (size_t i = 0; i < digits.n; i++) {
        uint8_t c = digits.p[i];
        int value = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (value < 0 || i >= 8) {
            return false;
        }
        size = size * 16 + (size_t)value;
    }
    *ret_size = size;
    return digits.n > 0;
}

/* The chunks put together; false when they are none (then the body stays as it stands). */
static bool unchunk(rp_view rest, struct rp_arena *arena, rp_view *ret_body) {
    uint8_t *out = rp_arena_alloc(arena, rest.n + 1);
    size_t n = 0, size = 0;
    rp_view line;
    while (out && next_line(&rest, &line)) {
        if (!read_size(line, &size) || size > rest.n) {
            return false;
        }
        if (size == 0) {
            *ret_body = rp_view_of(out, n);
            return true;
        }
        memcpy(out + n, rest.p, size);
        n += size;
        rest = rp_view_from(rest, size);
        if (!next_line(&rest, &line) || line.n > 0) {
            return false;
        }
    }
    return false;
}

static void read_body(struct reader *in, struct rp_arena *arena) {
    struct waf_message *message = in->message;
    rp_view coding = waf_header_of(message, "Transfer-Encoding");
    rp_view length = waf_header_of(message, "Content-Length");
    uint64_t n = 0;
    message->body = in->rest;
    if (coding.p && rp_view_equal_nocase(rp_view_trim(coding), RP_VIEW("chunked"))) {
        rp_ignore(unchunk(in->rest, arena, &message->body) ? RP_OK : RP_ERR(INVALID));
    } else if (length.p && rp_view_to_u64(length, UINT64_MAX, &n) && n < in->rest.n) {
        message->body = rp_view_sub(in->rest, 0, (size_t)n);
    }
}

/* ---- the whole ---- */

rp_err waf_read_request(rp_view raw, struct rp_arena *arena, struct waf_message *ret_message) {
    *ret_message = (struct waf_message){.malformed = NULL};
    struct reader in = {raw, ret_message};
    rp_view line = {NULL, 0};
    while (next_line(&in.rest, &line) && line.n == 0) { /* RFC 9112 section 2.2: passed over */
    }
    if (line.n == 0) {
        ret_message->malformed = "nothing there";
        return RP_OK;
    }
    read_request_line(line, ret_message);
    RP_TRY(read_headers(&in, arena));
    read_body(&in, arena);
    if (!ret_message->malformed) {
        ret_message->malformed = waf_why_malformed(ret_message);
    }
    return RP_OK;
}

rp_err waf_read_response(rp_view raw, struct rp_arena *arena, struct waf_message *ret_message) {
    *ret_message = (struct waf_message){.malformed = NULL};
    struct reader in = {raw, ret_message};
    rp_view line = {NULL, 0};
    uint64_t status = 0;
    if (!next_line(&in.rest, &line) || !rp_view_starts(line, RP_VIEW("HTTP/"))) {
        return RP_ERR(INVALID);
    }
    size_t first = rp_view_find_byte(line, ' ');
    rp_view digits = rp_view_sub(line, RP_MIN(first + 1, line.n), 3);
    if (!rp_view_to_u64(digits, 999, &status) || status < 100) {
        return RP_ERR(INVALID);
    }
    ret_message->protocol = rp_view_sub(line, 0, first);
    ret_message->status = (unsigned)status;
    RP_TRY(read_headers(&in, arena));
    read_body(&in, arena);
    return RP_OK;
}
