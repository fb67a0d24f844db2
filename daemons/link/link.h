/* link.h — rempart-link: speaks for roles that run on another machine, and lets that machine's ask.
 *
 * For each absent role it stands at that role's socket, judged and judging by the code of
 * rp_ipc_server, and sends what is asked to the machine that runs it (ask.c). What another machine
 * asks is judged once more, by what our own configuration says of that machine (permit.c), and put
 * to the role here by a few threads (answer.c). Between the machines: TLS 1.3, both keys pinned
 * (wire.c). Each machine dials where it has something to ask, so that there are two connections,
 * and each carries questions one way only.
 *
 * It holds its own key and nothing else. Everything is bounded: handshakes, questions under way,
 * bytes on their way, time. A machine that breaks a rule is hung up on, and an event says so.
 *
 *   main.c    from start to the end       wire.c    a socket, TLS, parcels
 *   dial.c    the machines that we ask    listen.c  the machines that ask us
 *   ask.c     questions of roles here     answer.c  questions of roles there
 *   permit.c  who may ask what            tell.c    events, run/link.json; reasons.def: in words
 */
#ifndef RP_DAEMONS_LINK_H
#define RP_DAEMONS_LINK_H

#include "crypto/tls_channel.h"
#include "ipc/ipc.h"
#include "ipc/parcel.h"
#include "os/pool.h"
#include "os/tcp.h"
#include "reasons.h"
#include "recorder.h"

enum {
    LINK_TICK_MS = 500,
    LINK_CALLS = 128,   /* questions of roles here, waiting for another machine */
    LINK_JOBS = 128,    /* of one machine there, waiting for a role here */
    LINK_STRANGERS = 8, /* machines that have dialled and not shown a key yet */
    LINK_INBOUND = LINK_STRANGERS + RP_PEERS_MAX,
    LINK_HANDSHAKE_MS = 5000, /* for so long */
    LINK_SILENCE_MS = 4000,   /* a machine that says nothing for so long is gone */
    LINK_CALL_MS = 30000,     /* longer than any caller waits */
    LINK_DEADLINE_MS = 10000, /* for a role here; the caller gives up before */
    LINK_OUT_MAX = 32 << 20,  /* bytes that wait for the network */
    LINK_PAUSE_MIN_MS = 200,  /* before it is dialled again */
    LINK_PAUSE_MAX_MS = 5000,
    LINK_REASON = 120,
    LINK_STANDS = 4
};

struct link;

/* ---- wire.c ---- */

enum wire_state { WIRE_CLOSED, WIRE_CONNECTING, WIRE_SHAKING, WIRE_UP };

/* One connection to another machine, from either side. */
struct wire {
    struct link *link;
    struct machine *machine; /* NULL while a stranger may be dialling */
    bool dials, greeted;
    enum wire_state state;
    uint64_t number; /* never used twice; which connection an answer belongs to */
    int fd;
    struct rp_watch *watch;
    struct rp_tls_channel *tls;
    struct rp_buf heard, out;
    int64_t begun_ms, heard_ms, pinged_ms; /* monotonic */
    unsigned jobs;
    char from[RP_TCP_ADDRESS_MAX];
};

/* Takes fd. */
rp_err wire_open(struct wire *wire, int *fd, enum wire_state state);
/* Says why, to whoever waits for this wire; the wire is closed afterwards, and may be used again.
 */
void wire_close(struct wire *wire, const char *reason);
/* The same without a word, at the end of the program; one that is closed already is fine. */
void wire_release(struct wire *wire);
/* OVERLOAD when too much waits for the network already. */
rp_err wire_send(struct wire *wire, const struct rp_parcel *parcel);
/* Pings, and hangs up on the silent. */
void wire_tick(struct wire *wire);

/* ---- the whole ---- */

/* What became of one direction, for people. */
struct standing {
    bool up;
    int64_t since_s;
    char error[LINK_REASON]; /* the last one, "" = none yet */
};

struct machine {
    const struct rp_config_peer *peer;
    struct rp_sha256 key;
    struct wire asks;     /* dialled by us */
    struct wire *answers; /* dialled by them, of link.inbound; NULL = none */
    struct standing asking, answering;
    int64_t pause_ms, dial_at_ms; /* monotonic */
};

/* In place of a role that runs elsewhere. */
struct stand {
    struct link *link;
    enum rp_role_id role;
    struct machine *machine;
    struct rp_ipc_server *server;
};

/* A question of a role here that another machine has been asked. */
struct call {
    struct stand *stand; /* NULL = this place is free */
    struct rp_ipc_call_id id;
    enum rp_role_id from;
    uint32_t number;
    uint64_t wire;
    int64_t since_ms;
};

struct link {
    struct daemon daemon;
    struct rp_tls_key *key;
    struct recorder *recorder;
    struct rp_pool *pool;
    int listener;
    struct rp_watch *watch;
    struct rp_timer *timer;
    struct machine machines[RP_PEERS_MAX];
    struct rp_sha256 known[RP_PEERS_MAX]; /* the same keys in a row */
    size_t machine_count;
    struct wire inbound[LINK_INBOUND];
    struct stand stands[LINK_STANDS];
    size_t stand_count;
    struct call calls[LINK_CALLS];
    uint64_t wires_seen;
    struct {
        int64_t told_ms; /* monotonic; 0 = never */
        unsigned times;  /* since */
    } refused[2];        /* who showed no key, and who did: noise hides no impostor */
};

int64_t link_now_ms(const struct link *link); /* monotonic */

/* ---- dial.c: the machines that we ask ---- */
void dial_tick(struct machine *machine);
void dial_up(struct wire *wire);
void dial_ended(struct wire *wire, const char *reason);

/* ---- listen.c: the machines that ask us ---- */
/* Takes the port; before role entry. */
rp_err listen_open(struct link *link);
rp_err listen_start(struct link *link);
/* The other has shown a key that we know: it is that machine's wire now, and no other is. */
void listen_known(struct wire *wire);
void listen_up(struct wire *wire);
void listen_ended(struct wire *wire, const char *reason);

/* ---- ask.c ---- */
rp_err ask_start(struct link *link);
/* The answer to a question of a role here. PROTOCOL when nobody asked that, or it is too long. */
rp_err ask_take(struct wire *wire, const struct rp_parcel *parcel);
void ask_wire_ended(struct wire *wire);
void ask_tick(struct link *link);

/* ---- permit.c ---- */
/* NULL when the machine may have this put to a role here; else why not, in fixed words. */
const char *permit_refusal(const struct rp_config *config, const struct rp_config_peer *peer,
                           const struct rp_parcel *parcel);

/* ---- answer.c ---- */
rp_err answer_start(struct link *link);
/* A permitted question; one of too many under way is answered with OVERLOAD. Fails when the machine
 * does not read its answers. */
rp_err answer_take(struct wire *wire, const struct rp_parcel *parcel);

/* ---- tell.c ---- */
void tell_up(struct machine *machine, bool asking);
void tell_down(struct machine *machine, bool asking, const char *reason);
/* machine may be NULL; the key that was shown too. */
void tell_refused(struct link *link, const struct machine *machine, const struct rp_sha256 *shown,
                  const char *from, const char *reason);
void tell_status(const struct link *link);

#endif
