#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "ipc/ipc.h"
#include "ledger/client.h"
#include "ledger/message_io.h"

/* APPEND and HEAD have one number for every client; the pair table is asked by the ipc layer. */
enum { APPEND = RP_IPC_CORE_LEDGER_APPEND, HEAD = RP_IPC_CORE_LEDGER_HEAD };
_Static_assert((int)RP_IPC_KMS_LEDGER_APPEND == (int)APPEND, "one number");
_Static_assert((int)RP_IPC_SUPERVISOR_LEDGER_APPEND == (int)APPEND, "one number");
_Static_assert((int)RP_IPC_PROBE_LEDGER_APPEND == (int)APPEND, "one number");
_Static_assert((int)RP_IPC_HUNT_LEDGER_APPEND == (int)APPEND, "one number");

/* To the one who asks, a ledger that cannot be reached is down, whatever the reason. */
static rp_err as_ledger(rp_err err) {
    bool down = rp_is(err, RP_E_UNREACHABLE) || rp_is(err, RP_E_CLOSED) ||
                rp_is(err, RP_E_TIMEOUT) || rp_is(err, RP_E_NOT_FOUND);
    return down ? RP_ERR(LEDGER_DOWN) : err;
}

static bool fits(const rp_view *events, size_t count) {
    size_t bytes = 0;
    for (size_t i = 0; i < count && i < RP_LEDGER_BATCH_MAX; i++) {
        if (events[i].n == 0 || events[i].n > RP_EVENT_MAX) {
            return false;
        }
        bytes += events[i].n;
    }
    return count <= RP_LEDGER_BATCH_MAX && bytes <= RP_LEDGER_BATCH_BYTES;
}

rp_err rp_ledger_append(struct rp_ipc_client *client, struct rp_tree tree, rp_id stream,
                        uint64_t first_sequence, const rp_view *events, size_t count,
                        uint64_t *ret_next_index) {
    RP_ASSERT(count > 0);
    RP_ASSERT(rp_id_is_none(stream) == (first_sequence == 0));
    if (!fits(events, count)) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_append append = {tree, stream, first_sequence, count, {{0}}};
    memcpy(append.events, events, count * sizeof *events);
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(RP_IPC_MAX - RP_IPC_HEAD);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_append_pack(&request, &append);
    RP_TRY(rp_buf_err(&request));
    RP_TRY(
        as_ledger(rp_ipc_call(client, (enum rp_ipc_message)APPEND, rp_buf_view(&request), &reply)));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    uint64_t next = rp_unpack_u64(&in);
    RP_TRY(rp_unpack_end(&in));
    if (ret_next_index) {
        *ret_next_index = next;
    }
    return RP_OK;
}

uint64_t rp_stream_tail(rp_view event) {
    struct rp_sha256 sum = rp_sha256_of(event);
    uint64_t tail;
    memcpy(&tail, sum.b, sizeof tail);
    return tail ? tail : 1;
}

rp_err rp_ledger_stream(struct rp_ipc_client *client, rp_id stream, struct rp_stream_end *ret_end) {
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(64);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_pack_id(&request, stream);
    RP_TRY(rp_buf_err(&request));
    RP_TRY(as_ledger(rp_ipc_call(client, (enum rp_ipc_message)RP_IPC_CORE_LEDGER_STREAM,
                                 rp_buf_view(&request), &reply)));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    struct rp_stream_end end = {.last = rp_unpack_u64(&in)};
    end.tail = rp_unpack_u64(&in);
    RP_TRY(rp_unpack_end(&in));
    *ret_end = end;
    return RP_OK;
}

rp_err rp_ledger_head(struct rp_ipc_client *client, struct rp_tree tree, struct rp_buf *ret_note) {
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(64);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_head_pack(&request, tree);
    RP_TRY(rp_buf_err(&request));
    rp_err err = rp_ipc_call(client, (enum rp_ipc_message)HEAD, rp_buf_view(&request), &reply);
    if (!rp_ok(err)) {
        /* NOT_FOUND is the ledger's own answer here: it has no such tree. */
        return rp_is(err, RP_E_NOT_FOUND) ? err : as_ledger(err);
    }
    rp_buf_add(ret_note, rp_buf_view(&reply));
    return rp_buf_err(ret_note);
}

rp_err rp_ledger_cosigned(struct rp_ipc_client *client, rp_view note) {
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(RP_IPC_MAX - RP_IPC_HEAD);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_pack_bytes(&request, note);
    RP_TRY(rp_buf_err(&request));
    return as_ledger(rp_ipc_call(client, (enum rp_ipc_message)RP_IPC_CORE_LEDGER_COSIGNED,
                                 rp_buf_view(&request), &reply));
}
