#include "wire/fastcgi.h"

#include <stdlib.h>

#include "base/assert.h"
#include "wire/fastcgi_record.h"

enum { PIECE_MAX = 8 };

static uint16_t u16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

rp_err rp_fcgi_header_read(const uint8_t p[static FCGI_HEADER_LEN],
                           struct rp_fcgi_header *ret_header) {
    if (p[0] != FCGI_VERSION_1) {
        return RP_ERR(PROTOCOL);
    }
    *ret_header = (struct rp_fcgi_header){
        .type = p[1], .id = u16(p + 2), .content = u16(p + 4), .padding = p[6]};
    return RP_OK;
}

/* A machine over bytes: the server's side. */
enum state {
    IDLE, /* BEGIN_REQUEST may come */
    PARAMS_COMING,
    BODY_COMING,
};

struct rp_fcgi {
    struct rp_fcgi_limits limits;
    enum state state;
    uint16_t id;
    bool keep_connection;
    bool too_large;
    bool streaming;        /* the request was handed out, its body is taken in pieces */
    struct rp_buf *pieces; /* where to, during rp_fcgi_feed_body; NULL = nowhere */
    struct rp_buf params;
    struct rp_buf body;

    /* The record being read. */
    bool in_record;
    struct rp_fcgi_header header;
    size_t content_left;
    size_t padding_left;
    uint8_t piece[PIECE_MAX]; /* a header, or the body of BEGIN_REQUEST, cut by the network */
    size_t piece_n;
};

struct rp_fcgi *rp_fcgi_new(struct rp_fcgi_limits limits) {
    RP_ASSERT(limits.params_max > 0);
    RP_ASSERT(limits.body_max > 0);
    struct rp_fcgi *reader = calloc(1, sizeof *reader);
    if (reader) {
        reader->limits = limits;
        reader->params = rp_buf_new_wiping(limits.params_max);
        reader->body = rp_buf_new_wiping(limits.body_max);
    }
    return reader;
}

void rp_fcgi_free(struct rp_fcgi *reader) {
    if (reader) {
        rp_buf_done(&reader->params);
        rp_buf_done(&reader->body);
        free(reader);
    }
}

/* One large request must not hold its memory for as long as the connection is idle. */
static void forget(struct rp_buf *buf) {
    enum { KEPT_MAX = 64 * 1024 };
    if (buf->capacity > KEPT_MAX) {
        rp_buf_done(buf);
    } else {
        rp_buf_clear(buf);
    }
}

/* Section 3.4: lengths under 128 are one byte, others four with the top bit set. */
static bool take_length(rp_view *v, size_t *ret_length) {
    if (v->n == 0) {
        return false;
    }
    if (v->p[0] < 0x80) {
        *ret_length = v->p[0];
        *v = rp_view_from(*v, 1);
        return true;
    }
    if (v->n < 4) {
        return false;
    }
    *ret_length =
        (size_t)(v->p[0] & 0x7F) << 24 | (size_t)v->p[1] << 16 | (size_t)v->p[2] << 8 | v->p[3];
    *v = rp_view_from(*v, 4);
    return true;
}

static bool take_param(rp_view *v, struct rp_fcgi_param *ret_param) {
    size_t name_n;
    size_t value_n;
    if (!take_length(v, &name_n) || !take_length(v, &value_n) || name_n > v->n ||
        value_n > v->n - name_n) {
        return false;
    }
    ret_param->name = rp_view_sub(*v, 0, name_n);
    ret_param->value = rp_view_sub(*v, name_n, value_n);
    *v = rp_view_from(*v, name_n + value_n);
    return true;
}

/* Also judges what was cut off by a limit: then the last pair may be incomplete. */
static rp_err count_params(rp_view v, bool cut_off, size_t *ret_count) {
    struct rp_fcgi_param param;
    size_t count = 0;
    while (v.n > 0) {
        if (!take_param(&v, &param)) {
            if (!cut_off) {
                return RP_ERR(PROTOCOL);
            }
            break;
        }
        count++;
    }
    *ret_count = count;
    return RP_OK;
}

/* The gathered bytes as a request in the arena; TOO_LARGE when that is full. */
static rp_err make_request(const struct rp_fcgi *reader, size_t count, struct rp_arena *arena,
                           struct rp_fcgi_request *request) {
    rp_view params = {NULL, 0};
    RP_TRY(rp_arena_copy(arena, rp_buf_view(&reader->params), &params));
    struct rp_fcgi_param *table = rp_arena_array(arena, count, sizeof *table);
    if (!table) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < count; i++) {
        bool whole = take_param(&params, &table[i]);
        RP_ASSERT(whole);
    }
    request->params = table;
    request->param_count = count;
    return rp_arena_copy(arena, rp_buf_view(&reader->body), &request->body);
}

static rp_err build_request(struct rp_fcgi *reader, struct rp_arena *arena,
                            struct rp_fcgi_request **ret_request) {
    struct rp_fcgi_request *request = rp_arena_alloc(arena, sizeof *request);
    if (!request) {
        return RP_ERR(TOO_LARGE);
    }
    *request = (struct rp_fcgi_request){.id = reader->id,
                                        .keep_connection = reader->keep_connection,
                                        .too_large = reader->too_large};
    size_t count = 0;
    RP_TRY(count_params(rp_buf_view(&reader->params), reader->too_large, &count));
    if (!rp_ok(make_request(reader, count, arena, request))) {
        request->too_large = true;
    }
    *ret_request = request;
    return RP_OK;
}

/* The parameters stand: is this body one to be taken in pieces? */
static rp_err may_stream(struct rp_fcgi *reader, struct rp_arena *arena,
                         struct rp_fcgi_request **ret_request) {
    struct rp_fcgi_request *request = NULL;
    if (!reader->limits.streams || reader->too_large) {
        return RP_OK;
    }
    RP_TRY(build_request(reader, arena, &request));
    if (request->too_large || !reader->limits.streams(request)) {
        return RP_OK;
    }
    forget(&reader->params);
    request->streamed = true;
    reader->streaming = true;
    *ret_request = request;
    return RP_OK;
}

static rp_err finish_request(struct rp_fcgi *reader, struct rp_arena *arena,
                             struct rp_fcgi_request **ret_request) {
    struct rp_fcgi_request *request = NULL;
    RP_TRY(build_request(reader, arena, &request));
    if (request->too_large) {
        request->body = (rp_view){NULL, 0};
    }
    forget(&reader->params);
    forget(&reader->body);
    reader->state = IDLE;
    *ret_request = request;
    return RP_OK;
}

/* May this record come now? */
static rp_err admit(const struct rp_fcgi *reader, const struct rp_fcgi_header *h) {
    if (h->id == 0) {
        return RP_ERR(PROTOCOL); /* management records: nothing of ours asks for values */
    }
    if (reader->state == IDLE) {
        return h->type == FCGI_BEGIN_REQUEST && h->content == 8 ? RP_OK : RP_ERR(PROTOCOL);
    }
    /* ABORT_REQUEST is in the specification, but nginx closes the connection instead. */
    bool expected = h->type == (reader->state == PARAMS_COMING ? FCGI_PARAMS : FCGI_STDIN);
    return expected && h->id == reader->id ? RP_OK : RP_ERR(PROTOCOL);
}

static rp_err begin_request(struct rp_fcgi *reader, const uint8_t body[static 8]) {
    if (u16(body) != FCGI_RESPONDER) {
        return RP_ERR(PROTOCOL);
    }
    reader->id = reader->header.id;
    reader->keep_connection = body[2] & FCGI_KEEP_CONN;
    reader->too_large = false;
    reader->state = PARAMS_COMING;
    return RP_OK;
}

/* Everything of a record has come. */
static rp_err end_record(struct rp_fcgi *reader, struct rp_arena *arena,
                         struct rp_fcgi_request **ret_request) {
    reader->in_record = false;
    if (reader->header.type == FCGI_BEGIN_REQUEST || reader->header.content > 0) {
        return RP_OK;
    }
    if (reader->state == PARAMS_COMING) {
        reader->state = BODY_COMING;
        return may_stream(reader, arena, ret_request);
    }
    RP_ASSERT(reader->state == BODY_COMING);
    if (reader->streaming) {
        reader->state = IDLE;
        return RP_OK;
    }
    return finish_request(reader, arena, ret_request);
}

/* Keeps what fits, wherever the network cut it; what does not fit marks the request and is read
 * over. */
static void gather(struct rp_fcgi *reader, rp_view content) {
    struct rp_buf *buf = reader->state == PARAMS_COMING ? &reader->params : &reader->body;
    if (!reader->too_large) {
        rp_view fits = rp_view_sub(content, 0, buf->max - buf->n);
        rp_buf_add(buf, fits);
        reader->too_large = buf->failed || fits.n < content.n;
    }
}

/* Fills piece up to `wanted` bytes. */
static bool take_piece(struct rp_fcgi *reader, rp_view *bytes, size_t wanted) {
    RP_ASSERT(wanted <= PIECE_MAX);
    rp_view part = rp_view_sub(*bytes, 0, wanted - reader->piece_n);
    if (part.n > 0) {
        memcpy(reader->piece + reader->piece_n, part.p, part.n);
    }
    reader->piece_n += part.n;
    *bytes = rp_view_from(*bytes, part.n);
    if (reader->piece_n < wanted) {
        return false;
    }
    reader->piece_n = 0;
    return true;
}

static rp_err feed_header(struct rp_fcgi *reader, rp_view *bytes) {
    if (!take_piece(reader, bytes, FCGI_HEADER_LEN)) {
        return RP_OK;
    }
    RP_TRY(rp_fcgi_header_read(reader->piece, &reader->header));
    RP_TRY(admit(reader, &reader->header));
    reader->content_left = reader->header.content;
    reader->padding_left = reader->header.padding;
    reader->in_record = true;
    return RP_OK;
}

static rp_err feed_content(struct rp_fcgi *reader, rp_view *bytes) {
    if (reader->header.type == FCGI_BEGIN_REQUEST) {
        if (!take_piece(reader, bytes, 8)) {
            return RP_OK;
        }
        reader->content_left = 0;
        return begin_request(reader, reader->piece);
    }
    rp_view part = rp_view_sub(*bytes, 0, reader->content_left);
    if (reader->streaming && reader->pieces) {
        part = rp_view_sub(part, 0, reader->pieces->max - reader->pieces->n);
        rp_buf_add(reader->pieces, part);
        RP_TRY(rp_buf_err(reader->pieces));
    } else if (!reader->streaming) {
        gather(reader, part);
    }
    reader->content_left -= part.n;
    *bytes = rp_view_from(*bytes, part.n);
    return RP_OK;
}

static rp_err feed_step(struct rp_fcgi *reader, rp_view *bytes, struct rp_arena *arena,
                        struct rp_fcgi_request **request) {
    if (!reader->in_record) {
        RP_TRY(feed_header(reader, bytes));
    } else if (reader->content_left > 0) {
        RP_TRY(feed_content(reader, bytes));
    } else {
        size_t part = reader->padding_left < bytes->n ? reader->padding_left : bytes->n;
        reader->padding_left -= part;
        *bytes = rp_view_from(*bytes, part);
    }
    bool whole = reader->in_record && reader->content_left == 0 && reader->padding_left == 0;
    return whole ? end_record(reader, arena, request) : RP_OK;
}

rp_err rp_fcgi_feed(struct rp_fcgi *reader, rp_view bytes, struct rp_arena *arena, size_t *ret_used,
                    struct rp_fcgi_request **ret_request) {
    RP_ASSERT(ret_used != NULL);
    RP_ASSERT(ret_request != NULL && !reader->streaming);
    struct rp_fcgi_request *request = NULL;
    rp_view rest = bytes;
    while (rest.n > 0 && !request) {
        RP_TRY(feed_step(reader, &rest, arena, &request));
    }
    *ret_used = bytes.n - rest.n;
    *ret_request = request;
    return RP_OK;
}

rp_err rp_fcgi_feed_body(struct rp_fcgi *reader, rp_view bytes, struct rp_buf *body,
                         size_t *ret_used, bool *ret_ended) {
    RP_ASSERT(ret_used != NULL && ret_ended != NULL && reader->streaming);
    struct rp_fcgi_request *none = NULL;
    rp_view rest = bytes;
    reader->pieces = body;
    rp_err err = RP_OK;
    while (rp_ok(err) && rest.n > 0 && reader->state != IDLE && (!body || body->n < body->max)) {
        err = feed_step(reader, &rest, NULL, &none);
    }
    reader->pieces = NULL;
    RP_TRY(err);
    reader->streaming = reader->state != IDLE;
    *ret_used = bytes.n - rest.n;
    *ret_ended = !reader->streaming;
    return RP_OK;
}

rp_view rp_fcgi_param(const struct rp_fcgi_request *request, const char *name) {
    rp_view wanted = rp_view_from_cstr(name);
    for (size_t i = 0; i < request->param_count; i++) {
        if (rp_view_equal(request->params[i].name, wanted)) {
            return request->params[i].value;
        }
    }
    return (rp_view){NULL, 0};
}
