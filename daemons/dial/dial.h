/* dial.h — rempart-dial: the one door out of this machine, for roles that may not dial themselves.
 *
 * Courier and acme have no network sockets at all. They ask here, on run/dial.sock, to be connected
 * (SOCKS 5, which libcurl and uacme speak), and get the places that the configuration names for
 * them, and no other: the mail server, the webhooks, the witnesses; the certificate authority.
 * Whoever takes one of them over can send what it knows to those places alone.
 *
 * Holds nothing: no key, no file. What passes is TLS that ends elsewhere, but for mail to a server
 * on this machine. Everything is bounded: callers, bytes on their way, time, silence.
 *
 *   main.c    from start to the end     places.c  who may reach what
 *   call.c    one caller, from its greeting to the end
 *   names.c   where the installation's own names lead
 */
#ifndef RP_DAEMONS_DIAL_H
#define RP_DAEMONS_DIAL_H

#include "daemon.h"
#include "ipc/ipc.h"
#include "os/pool.h"
#include "wire/socks.h"

enum {
    DIAL_CALLS = 16,
    DIAL_TICK_MS = 1000,
    DIAL_GREETING_MS = 5000,  /* for who has not said yet where to */
    DIAL_CONNECT_MS = 10000,  /* for each address of a name */
    DIAL_SILENCE_MS = 120000, /* a connection on which nothing moves is ended */
    DIAL_WAITING_MAX = 65536, /* bytes from one side that the other has not taken yet */
    DIAL_PLACES = 2 + RP_WEBHOOKS_MAX + 8
};

/* ---- places.c ---- */

struct place {
    enum rp_role_id role; /* for whom */
    char host[RP_SOCKS_HOST_MAX];
    uint16_t port;
    bool also_private;
};
struct places {
    struct place list[DIAL_PLACES];
    size_t count;
};
/* What the configuration names; INVALID with the setting in diag. */
rp_err places_of(const struct rp_config *config, struct places *ret_places, struct rp_diag *diag);
/* NULL when none of these roles (a set) may reach it. */
const struct place *places_find(const struct places *places, unsigned roles,
                                const struct rp_socks_request *wanted);

/* ---- call.c ---- */

enum call_state { CALL_FREE, CALL_GREETS, CALL_ASKS, CALL_WAITS, CALL_PASSES };

/* One end of a connection, and what it has still to take. */
struct side {
    int fd;
    struct rp_watch *watch;
    struct rp_buf out;
    bool ended; /* it will say nothing more */
    bool told;  /* it knows that the other will not */
};

struct dial;
struct call {
    struct dial *dial;
    enum call_state state;
    unsigned roles;        /* a set: who the kernel says may have called */
    struct side near, far; /* the role; the place */
    struct rp_buf heard;   /* before it is connected */
    struct place place;    /* a copy, for the thread */
    rp_err result;         /* of the thread, with far.fd */
    int64_t moved_ms;      /* monotonic */
};

/* ---- names.c ---- */

struct recorder;
struct names;
/* The installation's own names, for hunt; needs the pool. */
rp_err names_open(struct dial *dial);
void names_close(struct dial *dial);

struct dial {
    struct daemon daemon;
    struct places places;
    int listener;
    struct rp_watch *watch;
    struct rp_pool *pool;
    struct names *names;
    struct recorder *recorder;
    int64_t refused_ms;     /* when a refusal was put on record last, monotonic; 0 = never */
    unsigned refused_times; /* since then */
    struct call calls[DIAL_CALLS];
};

/* Takes fd. */
void call_begin(struct call *call, int *fd);
/* Ends those that are late or silent. */
void call_tick(struct call *call);
/* At the end of the program, once no thread works. */
void call_release(struct call *call);
/* A place is free again. */
void dial_call_ended(struct dial *dial);

#endif
