/* connection.h — what the files of a connection share: its state, and the steps between them.
 *
 * Bytes come in (connection.c), a request goes through the pools (work.c), its answer goes out
 * (answer.c); doors.c lets connections in. All run on the loop but the two steps of work.c that
 * pools take. A step may free the connection: who calls one touches it no more.
 */
#ifndef RP_CORE_CONNECTION_H
#define RP_CORE_CONNECTION_H

#include "core.h"

enum { CONNECTION_PIECE_MAX = 256 * 1024, CONNECTION_MAGIC = 0x6e6e6f43 };

struct connection {
    uint32_t magic;
    struct core *core;
    struct connection *next, *previous;
    int fd;
    bool from_cli;
    bool working; /* the request is with a pool */
    bool gone;    /* the peer left while it was */
    bool closing; /* after the answer */

    bool requesting;   /* request is a request, and has to be ended */
    bool streaming;    /* counted among core's streams */
    bool body_coming;  /* of a streamed body some is still to be read */
    bool wants_piece;  /* the handler waits for it; else it is thrown away */
    bool sending;      /* an answer's head is out, and more will come */
    enum rp_next then; /* what the last step asked for */
    struct rp_buf piece;

    struct rp_timer *rest; /* while a handler that asked for it waits; it counts as working */
    struct rp_watch *watch;
    struct rp_fcgi *reader;
    struct rp_arena *arena;
    struct rp_buf in, out;
    struct rp_request request;
    uint64_t key;
};

/* ---- connection.c: its life, and its bytes ---- */
void connection_open(struct core *core, int fd, bool from_cli);
void connection_free(struct connection *c);
/* The request's memory and its place among the streams. */
void connection_end_request(struct connection *c);
void connection_listen_for(struct connection *c, unsigned events);
void connection_listen_for_nothing(struct connection *c);
/* Feeds what is there; true when a request took over or the connection is no more. */
bool connection_feed(struct connection *c);
/* Posted to the loop: bytes that were there already. */
void connection_resume(void *ctx);

/* ---- work.c: a request through the pools ---- */
void connection_start_work(struct connection *c, const struct rp_fcgi_request *fcgi);
/* A stream's next step. */
void connection_run_again(struct connection *c);
/* The peer is gone in the midst of a body: the handler may keep what came. */
bool connection_cut(struct connection *c);

/* ---- answer.c ---- */
/* Writes what the kernel takes; the loop calls again for the rest. */
void connection_write(struct connection *c);
void connection_answer(struct connection *c);
/* The same without its end: the handler makes the next piece when this one is gone. */
void connection_answer_part(struct connection *c);

/* ---- doors.c ---- */
/* Both doors, for new connections or for nothing. */
void core_open_doors(struct core *core, bool open);

#endif
