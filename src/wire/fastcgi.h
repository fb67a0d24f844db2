/* fastcgi.h — FastCGI 1.0 records, as nginx speaks them to core. Responder role, keep-alive.
 *
 * A machine: feed bytes as they come, take whole requests out. Parameters and body are gathered
 * up to the limits and then stand in the request's arena; over a limit the request ends as
 * TOO_LARGE and the connection goes on. A request whose body is to be streamed is handed out when
 * its parameters stand; its body is then taken piece by piece. One request at a time, as nginx does
 * it. Anything else than that is PROTOCOL: close the connection.
 *
 * Owner: whoever made the reader.
 */
#ifndef RP_WIRE_FASTCGI_H
#define RP_WIRE_FASTCGI_H

#include "base/arena.h"
#include "base/buf.h"

struct rp_fcgi_request;

struct rp_fcgi_limits {
    size_t params_max; /* bytes of all names and values */
    size_t body_max;
    /* Whether this request's body is taken in pieces; NULL = never. */
    bool (*streams)(const struct rp_fcgi_request *request);
};

struct rp_fcgi_param {
    rp_view name;
    rp_view value;
};

struct rp_fcgi_request {
    uint16_t id;
    bool keep_connection;
    bool too_large; /* refuse with 413; params may be incomplete */
    bool streamed;  /* the body is still to come: rp_fcgi_feed_body */
    struct rp_fcgi_param *params;
    size_t param_count;
    rp_view body;
};

struct rp_fcgi; /* one connection's reader */

/* NULL when memory is out. */
struct rp_fcgi *rp_fcgi_new(struct rp_fcgi_limits limits);
void rp_fcgi_free(struct rp_fcgi *reader); /* accepts NULL */

/* Consumes bytes; *ret_request is set when a request is complete (its memory is in arena), NULL
 * when more is needed. *ret_used says how many bytes were taken: call again with the rest. */
rp_err rp_fcgi_feed(struct rp_fcgi *reader, rp_view bytes, struct rp_arena *arena, size_t *ret_used,
                    struct rp_fcgi_request **ret_request);

/* After a streamed request and before the next rp_fcgi_feed: appends what came of the body, until
 * body is full or *ret_ended. A NULL body throws it away. */
rp_err rp_fcgi_feed_body(struct rp_fcgi *reader, rp_view bytes, struct rp_buf *body,
                         size_t *ret_used, bool *ret_ended);

/* p == NULL when absent. */
rp_view rp_fcgi_param(const struct rp_fcgi_request *request, const char *name);

/* Appends the whole answer (STDOUT records of `output`, END_REQUEST) to out. */
void rp_fcgi_print_response(struct rp_buf *out, uint16_t id, rp_view output);
/* The same in pieces: any number of parts, then the end. */
void rp_fcgi_print_part(struct rp_buf *out, uint16_t id, rp_view output);
void rp_fcgi_print_end(struct rp_buf *out, uint16_t id);

/* The client's side, for the CLI: one request as records; and a response's STDOUT gathered until
 * END_REQUEST (*ret_done). Names are under 2^31 bytes. rp_fcgi_feed_response takes whole records
 * only: keep what it did not use and call again with more. PROTOCOL, TOO_LARGE for output. */
void rp_fcgi_print_request(struct rp_buf *out, const struct rp_fcgi_param *params, size_t count,
                           rp_view body);
/* The same with a body that comes by and by: the head, any number of pieces, an empty one last. */
void rp_fcgi_print_head(struct rp_buf *out, const struct rp_fcgi_param *params, size_t count);
void rp_fcgi_print_piece(struct rp_buf *out, rp_view piece);
rp_err rp_fcgi_feed_response(rp_view bytes, struct rp_buf *output, size_t *ret_used,
                             bool *ret_done);

#endif
