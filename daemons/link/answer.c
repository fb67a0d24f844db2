/* answer.c — what another machine asks is put to the role here, under the name of the role that
 * asks there. A role answers when it can, so a few threads wait; what they bring back goes to the
 * connection that asked, if it still stands.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "link.h"

enum { THREADS = 8, QUEUE = RP_PEERS_MAX * LINK_JOBS };

struct job {
    struct link *link;
    uint64_t wire;
    struct rp_parcel parcel; /* its payload is bytes[] */
    rp_err err;
    struct rp_buf reply;
    size_t n;
    uint8_t bytes[];
};

/* Of one thread: a connection for each pair that was asked for yet. */
struct clients {
    struct rp_ipc_client *of[RP_ROLE_COUNT][RP_ROLE_COUNT];
};

static void *start_thread(void *ctx, unsigned index) {
    (void)ctx;
    (void)index;
    return calloc(1, sizeof(struct clients));
}

static void stop_thread(void *state) {
    struct clients *clients = state;
    for (size_t i = 0; clients && i < RP_ROLE_COUNT * RP_ROLE_COUNT; i++) {
        rp_ipc_client_free(clients->of[i / RP_ROLE_COUNT][i % RP_ROLE_COUNT]);
    }
    free(clients);
}

static void free_job(struct job *job) {
    rp_wipe(job->bytes, job->n); /* it may have been a key */
    rp_buf_done(&job->reply);
    free(job);
}

static struct wire *wire_of(const struct job *job) {
    for (size_t i = 0; i < LINK_INBOUND; i++) {
        struct wire *wire = &job->link->inbound[i];
        if (wire->state == WIRE_UP && wire->number == job->wire) {
            return wire;
        }
    }
    return NULL;
}

/* On the loop again. */
static void answered(void *ctx) {
    struct job *job = ctx;
    struct wire *wire = wire_of(job);
    if (wire) {
        wire->jobs--;
        job->parcel.head.err = job->err;
        job->parcel.payload = rp_buf_view(&job->reply);
        if (!rp_ok(wire_send(wire, &job->parcel))) {
            wire_close(wire, link_why(LINK_UNREAD));
        }
    }
    free_job(job);
}

static void put(void *state, void *ctx) {
    struct clients *clients = state;
    struct job *job = ctx;
    const struct rp_parcel *parcel = &job->parcel;
    struct rp_ipc_client **client = clients ? &clients->of[parcel->client][parcel->server] : NULL;
    if (client && !*client) {
        *client = rp_ipc_client_new(parcel->client, parcel->server, LINK_DEADLINE_MS);
    }
    job->err = client && *client ? rp_ipc_call(*client, (enum rp_ipc_message)parcel->head.number,
                                               rp_view_of(job->bytes, job->n), &job->reply)
                                 : RP_ERR(NO_MEMORY);
    /* No more jobs are under way than the loop takes posts. */
    rp_err posted = rp_loop_post(job->link->daemon.loop, answered, job);
    RP_ASSERT(rp_ok(posted));
}

rp_err answer_start(struct link *link) {
    return rp_pool_new(THREADS, QUEUE, start_thread, stop_thread, NULL, &link->pool);
}

/* No thread will ask it: the caller hears that at once. */
static rp_err turn_away(struct wire *wire, const struct rp_parcel *parcel, rp_err err) {
    struct rp_parcel answer = *parcel;
    answer.head.err = err;
    answer.payload = (rp_view){NULL, 0};
    return wire_send(wire, &answer);
}

rp_err answer_take(struct wire *wire, const struct rp_parcel *parcel) {
    if (wire->jobs == LINK_JOBS) {
        return turn_away(wire, parcel, RP_ERR(OVERLOAD));
    }
    struct job *job = malloc(sizeof *job + parcel->payload.n);
    if (!job) {
        return turn_away(wire, parcel, RP_ERR(NO_MEMORY));
    }
    *job = (struct job){.link = wire->link,
                        .wire = wire->number,
                        .parcel = *parcel,
                        .reply = rp_buf_new_wiping(RP_IPC_MAX),
                        .n = parcel->payload.n};
    if (job->n > 0) {
        memcpy(job->bytes, parcel->payload.p, job->n);
    }
    rp_err err = rp_pool_submit(wire->link->pool, put, job);
    if (!rp_ok(err)) {
        free_job(job);
        return turn_away(wire, parcel, err);
    }
    wire->jobs++;
    return RP_OK;
}
