/* ngx_rempart_waf_request.c — the request as it came, told to the engine.
 *
 * nginx leaves out headers that it finds invalid (an underscore in the name is enough); an
 * application behind another door might not. They still stand in its buffers, between the lines
 * that it kept, and are read from there. Over HTTP/2 nginx drops them without a trace, and nobody
 * behind us sees them either.
 */
#include "ngx_rempart_waf.h"

#include "base/checked.h"

/* ---- the request line ---- */

/* Between the method and the protocol, as it was sent: also "http://host/path" and "*". */
static rp_view target_of(const ngx_http_request_t *r) {
    rp_view line = ngx_rempart_view(r->request_line);
    rp_view uri = rp_view_trim(rp_view_from(line, RP_MIN(r->method_name.len, line.n)));
    rp_view protocol = ngx_rempart_view(r->http_protocol);
    if (protocol.n > 0 && rp_view_ends(uri, protocol)) {
        uri = rp_view_trim(rp_view_sub(uri, 0, uri.n - protocol.n));
    }
    return uri;
}

/* ---- headers that nginx left out ---- */

typedef struct {
    const u_char *start, *end;
} span_t;

/* The buffer that a header's line stands in. */
static span_t buffer_of(const ngx_http_request_t *r, const u_char *at) {
    const ngx_buf_t *first = r->connection->buffer;
    if (first && at >= first->start && at < first->end) {
        return (span_t){first->start, first->last};
    }
    if (r->header_in && at >= r->header_in->start && at < r->header_in->end) {
        return (span_t){r->header_in->start, r->header_in->last};
    }
    const ngx_http_connection_t *hc = r->http_connection;
    for (const ngx_chain_t *link = hc ? hc->busy : NULL; link; link = link->next) {
        if (at >= link->buf->start && at < link->buf->end) {
            return (span_t){link->buf->start, link->buf->last};
        }
    }
    return (span_t){at, at};
}

/* Whole lines that nginx has not touched. */
static rp_err tell_lines(ngx_rempart_waf_t *waf, rp_view text) {
    size_t end;
    while ((end = rp_view_find_byte(text, '\n')) < text.n) {
        rp_view line = rp_view_sub(text, 0, end);
        text = rp_view_from(text, end + 1);
        line = line.n > 0 && line.p[line.n - 1] == '\r' ? rp_view_sub(line, 0, line.n - 1) : line;
        if (line.n == 0) {
            return RP_OK; /* the end of the head: what follows is the body */
        }
        size_t colon = rp_view_find_byte(line, ':');
        rp_view value = colon < line.n ? rp_view_trim(rp_view_from(line, colon + 1))
                                       : (rp_view){line.p + line.n, 0};
        RP_TRY(rp_waf_tx_header(waf->tx, rp_view_sub(line, 0, colon), value));
    }
    return RP_OK;
}

/* Where the next line begins after a value; its first byte is nginx's NUL, which may have taken
 * the place of the line's end itself. */
static const u_char *next_line(const u_char *value_end, const u_char *end) {
    const u_char *at = value_end + 1;
    while (at < end && *at == ' ') {
        at++;
    }
    at += at < end && *at == '\r';
    return at < end && *at == '\n' ? at + 1 : RP_MIN(value_end + 1, end);
}

/* What stands between `from` (in its buffer) and a kept line that begins at `to`. */
static rp_err tell_gap(ngx_rempart_waf_t *waf, const u_char *from, const u_char *to) {
    span_t here = buffer_of(waf->r, from);
    if (to >= here.start && to <= here.end) {
        return to > from ? tell_lines(waf, rp_view_of(from, (size_t)(to - from))) : RP_OK;
    }
    /* The line after did not fit and went on in another buffer; half of it is left here. */
    if (here.end > from) {
        RP_TRY(tell_lines(waf, rp_view_of(from, (size_t)(here.end - from))));
    }
    span_t there = buffer_of(waf->r, to);
    return to > there.start ? tell_lines(waf, rp_view_of(there.start, (size_t)(to - there.start)))
                            : RP_OK;
}

/* The first line of the head after the request line; NULL where there are no lines (HTTP/2). */
static const u_char *first_line(const ngx_http_request_t *r) {
    if (r->http_version >= NGX_HTTP_VERSION_20 || !r->request_line.data) {
        return NULL;
    }
    const u_char *end = r->request_line.data + r->request_line.len;
    return next_line(end, buffer_of(r, end).end);
}

/* Up to `end`: the body's first byte, or as far as it has come. */
static rp_err tell_headers(ngx_rempart_waf_t *waf, const u_char *line, const u_char *end) {
    const ngx_http_request_t *r = waf->r;
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
        const ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            rp_view value = ngx_rempart_view(headers[i].value);
            if (line) {
                RP_TRY(tell_gap(waf, line, headers[i].key.data));
                line = next_line(value.p + value.n, buffer_of(r, value.p).end);
            }
            RP_TRY(rp_waf_tx_header(waf->tx, ngx_rempart_view(headers[i].key), value));
        }
    }
    return line && end ? tell_gap(waf, line, end) : RP_OK;
}

/* A line without a version is HTTP/0.9's. */
static rp_view protocol_of(const ngx_http_request_t *r) {
    rp_view protocol = ngx_rempart_view(r->http_protocol);
    return protocol.n > 0 ? protocol : RP_VIEW("HTTP/0.9");
}

rp_err ngx_rempart_waf_tell_head(ngx_rempart_waf_t *waf) {
    const ngx_http_request_t *r = waf->r;
    RP_TRY(rp_waf_tx_line(waf->tx, ngx_rempart_view(r->method_name), target_of(r), protocol_of(r)));
    RP_TRY(tell_headers(waf, first_line(r), r->header_in ? r->header_in->pos : NULL));
    return rp_waf_tx_headers_done(waf->tx);
}

/* ---- a head that nginx did not take ---- */

/* A line that was not taken, split where an honest one would be. */
static rp_err tell_raw_line(ngx_rempart_waf_t *waf, rp_view line) {
    size_t first = rp_view_find_byte(line, ' '), last = line.n;
    while (last > first && line.p[last - 1] != ' ') {
        last--;
    }
    rp_view target = rp_view_sub(line, first, last - first), protocol = rp_view_from(line, last);
    if (last <= first + 1) { /* one space at most: there is no version */
        target = rp_view_from(line, first);
        protocol = (rp_view){NULL, 0};
    }
    return rp_waf_tx_line(waf->tx, rp_view_sub(line, 0, first), rp_view_trim(target), protocol);
}

/* The request line; the first byte of the next one, or NULL where there is none yet. */
static rp_err tell_unread_line(ngx_rempart_waf_t *waf, const u_char **ret_next) {
    const ngx_http_request_t *r = waf->r;
    if (r->method_name.len > 0) { /* nginx has taken the line, and then refused a header */
        *ret_next = first_line(r);
        return rp_waf_tx_line(waf->tx, ngx_rempart_view(r->method_name), target_of(r),
                              protocol_of(r));
    }
    const u_char *start = r->request_start, *end = buffer_of(r, start).end;
    rp_view text = rp_view_of(start, (size_t)(end - start));
    size_t n = rp_view_find_byte(text, '\n');
    *ret_next = n < text.n ? start + n + 1 : NULL;
    n -= n > 0 && n < text.n && text.p[n - 1] == '\r';
    return tell_raw_line(waf, rp_view_sub(text, 0, n));
}

rp_err ngx_rempart_waf_tell_unread(ngx_rempart_waf_t *waf) {
    const u_char *line = NULL;
    RP_TRY(tell_unread_line(waf, &line));
    RP_TRY(tell_headers(waf, line, waf->r->header_in->last));
    RP_TRY(rp_waf_tx_headers_done(waf->tx));
    rp_waf_tx_leave_body(waf->tx);
    return rp_waf_tx_body_done(waf->tx);
}

/* ---- the body ---- */

uint64_t ngx_rempart_waf_body_bytes(const ngx_http_request_t *r) {
    uint64_t bytes = 0;
    const ngx_http_request_body_t *body = r->request_body;
    for (const ngx_chain_t *link = body ? body->bufs : NULL; link; link = link->next) {
        bytes += (uint64_t)ngx_buf_size(link->buf);
    }
    return bytes;
}

/* To the rules, unless they leave it, and to the model. */
static rp_err tell_chunk(ngx_rempart_waf_t *waf, rp_view chunk) {
    RP_TRY(ngx_rempart_waf_model_gather(waf, chunk, ngx_rempart_waf_body_bytes(waf->r)));
    return rp_waf_tx_wants_body(waf->tx) ? rp_waf_tx_body(waf->tx, chunk) : RP_OK;
}

/* A part of the body that nginx put on its disk. Also called in a thread: nothing of nginx's is
 * touched but the descriptor. */
static rp_err tell_file(ngx_rempart_waf_t *waf, const ngx_buf_t *buf) {
    enum { CHUNK = 64 * 1024 };
    uint8_t *chunk = rp_arena_alloc(waf->arena, CHUNK);
    if (!chunk) {
        return RP_ERR(TOO_LARGE);
    }
    off_t at = buf->file_pos;
    while (at < buf->file_last) {
        size_t want = (size_t)RP_MIN(buf->file_last - at, (off_t)CHUNK);
        ssize_t n = pread(buf->file->fd, chunk, want, at);
        if (n <= 0) {
            return RP_ERR(IO);
        }
        RP_TRY(tell_chunk(waf, rp_view_of(chunk, (size_t)n)));
        at += n;
    }
    return RP_OK;
}

rp_err ngx_rempart_waf_tell_body(ngx_rempart_waf_t *waf) {
    const ngx_http_request_body_t *body = waf->r->request_body;
    for (const ngx_chain_t *link = body ? body->bufs : NULL; link; link = link->next) {
        const ngx_buf_t *buf = link->buf;
        if (ngx_buf_in_memory(buf)) {
            RP_TRY(tell_chunk(waf, rp_view_of(buf->pos, (size_t)(buf->last - buf->pos))));
        } else if (buf->in_file) {
            RP_TRY(tell_file(waf, buf));
        }
    }
    RP_TRY(ngx_rempart_waf_model_body(waf));
    return rp_waf_tx_body_done(waf->tx);
}
