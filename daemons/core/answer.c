/* answer.c — FastCGI out: an answer to bytes, whole or in pieces.
 *
 * A streamed answer comes from its handler in pieces of 256 KiB (ADR 11): one is in memory, and the
 * next is made when it has gone.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "connection.h"
#include "os/socket.h"

/* Writes what the kernel takes; the loop calls again for the rest. */
void connection_write(struct connection *c) {
    while (c->out.n > 0) {
        size_t n = 0;
        rp_err err = rp_socket_write(c->fd, rp_buf_view(&c->out), &n);
        if (rp_is(err, RP_E_BUSY)) {
            connection_listen_for(c, RP_READY_WRITE);
            return;
        }
        if (!rp_ok(err)) {
            connection_free(c);
            return;
        }
        rp_buf_consume(&c->out, n);
    }
    rp_buf_done(&c->out);
    if (c->sending) {
        connection_run_again(c);
        return;
    }
    if (c->closing) {
        connection_free(c);
        return;
    }
    connection_listen_for(c, RP_READY_READ);
    if (c->in.n >
        0) { /* nginx never sends ahead; a peer that does is served by the loop, not here */
        c->working = true;
        rp_err err = rp_loop_post(c->core->loop, connection_resume, c);
        RP_ASSERT(rp_ok(err));
    }
}

void connection_answer(struct connection *c) {
    uint16_t id = c->request.fcgi->id;
    struct rp_buf head = rp_buf_new(RP_HEADS_MAX * 2);
    if (!c->sending && !rp_ok(rp_response_print_head(&c->request.response, &head))) {
        rp_web_refuse(&c->request, RP_ERR(TOO_LARGE));
        rp_buf_clear(&head);
        /* When this fails too, the peer gets nothing. */
        rp_ignore(rp_response_print_head(&c->request.response, &head));
    }
    rp_fcgi_print_part(&c->out, id, rp_buf_view(&head));
    rp_fcgi_print_part(&c->out, id, rp_buf_view(&c->request.response.body));
    rp_fcgi_print_end(&c->out, id);
    c->closing = c->closing || !c->request.fcgi->keep_connection || c->out.failed;
    rp_buf_done(&head);
    connection_end_request(c);
    connection_write(c);
}

/* The same without its end: the handler makes the next piece when this one is gone. */
void connection_answer_part(struct connection *c) {
    uint16_t id = c->request.fcgi->id;
    struct rp_buf head = rp_buf_new(RP_HEADS_MAX * 2);
    bool good = c->sending || rp_ok(rp_response_print_head(&c->request.response, &head));
    rp_fcgi_print_part(&c->out, id, rp_buf_view(&head));
    rp_fcgi_print_part(&c->out, id, rp_buf_view(&c->request.response.body));
    rp_buf_done(&head);
    rp_buf_clear(&c->request.response.body);
    c->sending = true;
    if (!c->streaming) { /* a link's file: it began as a page */
        c->streaming = true;
        c->core->streams++;
    }
    if (!good || c->out.failed) {
        connection_free(c);
        return;
    }
    connection_write(c);
}
