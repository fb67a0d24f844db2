/* fastcgi_print.c — records as they are sent, and an answer read back by whoever asked. */
#include "base/assert.h"
#include "wire/fastcgi.h"
#include "wire/fastcgi_record.h"

enum { OUR_ID = 1 /* of the one request that a client of ours makes */ };

static void print_record(struct rp_buf *out, enum rp_fcgi_type type, uint16_t id, rp_view content) {
    RP_ASSERT(content.n <= FCGI_CONTENT_MAX);
    uint8_t padding = (uint8_t)(-content.n & 7); /* section 3.3: keep records aligned */
    uint8_t header[FCGI_HEADER_LEN] = {FCGI_VERSION_1,
                                       (uint8_t)type,
                                       (uint8_t)(id >> 8),
                                       (uint8_t)id,
                                       (uint8_t)(content.n >> 8),
                                       (uint8_t)content.n,
                                       padding};
    rp_buf_add(out, rp_view_of(header, sizeof header));
    rp_buf_add(out, content);
    rp_buf_add(out, rp_view_of((const uint8_t[8]){0}, padding));
}

/* Section 3.3: a stream is records with content and one empty record that ends it. */
static void print_stream(struct rp_buf *out, enum rp_fcgi_type type, uint16_t id, rp_view content) {
    while (content.n > 0) {
        print_record(out, type, id, rp_view_sub(content, 0, FCGI_CONTENT_MAX));
        content =
            rp_view_from(content, content.n < FCGI_CONTENT_MAX ? content.n : FCGI_CONTENT_MAX);
    }
    print_record(out, type, id, content);
}

void rp_fcgi_print_part(struct rp_buf *out, uint16_t id, rp_view output) {
    while (output.n > 0) {
        print_record(out, FCGI_STDOUT, id, rp_view_sub(output, 0, FCGI_CONTENT_MAX));
        output = rp_view_from(output, output.n < FCGI_CONTENT_MAX ? output.n : FCGI_CONTENT_MAX);
    }
}

void rp_fcgi_print_end(struct rp_buf *out, uint16_t id) {
    static const uint8_t complete[8] = {0}; /* application status 0, REQUEST_COMPLETE */
    print_record(out, FCGI_STDOUT, id, (rp_view){NULL, 0});
    print_record(out, FCGI_END_REQUEST, id, rp_view_of(complete, sizeof complete));
}

void rp_fcgi_print_response(struct rp_buf *out, uint16_t id, rp_view output) {
    rp_fcgi_print_part(out, id, output);
    rp_fcgi_print_end(out, id);
}

static void print_length(struct rp_buf *out, size_t length) {
    RP_ASSERT(length <= INT32_MAX);
    if (length < 0x80) {
        rp_buf_add_byte(out, (uint8_t)length);
        return;
    }
    uint8_t four[4] = {(uint8_t)(0x80 | length >> 24), (uint8_t)(length >> 16),
                       (uint8_t)(length >> 8), (uint8_t)length};
    rp_buf_add(out, rp_view_of(four, sizeof four));
}

void rp_fcgi_print_head(struct rp_buf *out, const struct rp_fcgi_param *params, size_t count) {
    static const uint8_t begin[8] = {0, FCGI_RESPONDER, FCGI_KEEP_CONN};
    print_record(out, FCGI_BEGIN_REQUEST, OUR_ID, rp_view_of(begin, sizeof begin));
    struct rp_buf pairs = rp_buf_new(out->max);
    for (size_t i = 0; i < count; i++) {
        print_length(&pairs, params[i].name.n);
        print_length(&pairs, params[i].value.n);
        rp_buf_add(&pairs, params[i].name);
        rp_buf_add(&pairs, params[i].value);
    }
    print_stream(out, FCGI_PARAMS, OUR_ID, rp_buf_view(&pairs));
    out->failed = out->failed || pairs.failed;
    rp_buf_done(&pairs);
}

void rp_fcgi_print_piece(struct rp_buf *out, rp_view piece) {
    RP_ASSERT(piece.n <= FCGI_CONTENT_MAX);
    print_record(out, FCGI_STDIN, OUR_ID, piece);
}

void rp_fcgi_print_request(struct rp_buf *out, const struct rp_fcgi_param *params, size_t count,
                           rp_view body) {
    rp_fcgi_print_head(out, params, count);
    print_stream(out, FCGI_STDIN, OUR_ID, body);
}

/* ---- the client's side reads whole records ---- */

static rp_err take_response_record(const struct rp_fcgi_header *h, rp_view content,
                                   struct rp_buf *output, bool *done) {
    switch (h->type) {
    case FCGI_STDOUT:
        rp_buf_add(output, content);
        return rp_buf_err(output);
    case FCGI_STDERR:
        return RP_OK; /* for the server's log; ours sends none */
    case FCGI_END_REQUEST:
        *done = true;
        return content.n == 8 && content.p[4] == 0 ? RP_OK : RP_ERR(PROTOCOL);
    default:
        return RP_ERR(PROTOCOL);
    }
}

rp_err rp_fcgi_feed_response(rp_view bytes, struct rp_buf *output, size_t *ret_used,
                             bool *ret_done) {
    RP_ASSERT(ret_used != NULL);
    RP_ASSERT(ret_done != NULL);
    bool done = false;
    rp_view rest = bytes;
    while (!done && rest.n >= FCGI_HEADER_LEN) {
        struct rp_fcgi_header h;
        RP_TRY(rp_fcgi_header_read(rest.p, &h));
        size_t whole = FCGI_HEADER_LEN + h.content + h.padding;
        if (rest.n < whole) {
            break;
        }
        RP_TRY(
            take_response_record(&h, rp_view_sub(rest, FCGI_HEADER_LEN, h.content), output, &done));
        rest = rp_view_from(rest, whole);
    }
    *ret_used = bytes.n - rest.n;
    *ret_done = done;
    return RP_OK;
}
