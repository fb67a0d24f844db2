/* hunt.c — what the file probe may ask: would this wrapped key open, which keys are there, and on
 * which machine. No key leaves, only yes or no.
 *
 * So the probe can try what a thief of an old backup would try, and see it fail.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "ipc/table.h"
#include "keys/messages.h"
#include "kms.h"

static rp_err opens(struct kms *kms, rp_view message) {
    struct rp_lease_request request;
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(rp_lease_request_unpack(message, &request));
    rp_err err = kms_unwrap(kms, request.tenant, request.wrapped, &key, NULL, NULL);
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND) && !rp_is(err, RP_E_CORRUPT)) {
        return err;
    }
    rp_pack_u8(&kms->reply, rp_ok(err));
    return rp_buf_err(&kms->reply);
}

/* The machine's mark, and how many kinds of question may come from roles here and from others. */
static rp_err place(struct kms *kms) {
    const struct rp_config *config = &kms->daemon.config;
    uint16_t from_here = 0, from_there = 0;
    for (unsigned id = 0; id < RP_ROLE_COUNT; id++) {
        enum rp_role_id client = (enum rp_role_id)id;
        uint16_t messages = (uint16_t)rp_ipc_messages(client, RP_ROLE_KMS);
        bool there = rp_config_runs_there(config, client) != NULL;
        bool here = client == RP_ROLE_CLI || rp_config_runs_here(config, client);
        from_there = (uint16_t)(from_there + (there ? messages : 0));
        from_here = (uint16_t)(from_here + (here ? messages : 0));
    }
    if (!kms->machine.known) {
        return RP_ERR(NOT_FOUND);
    }
    rp_pack_bytes(&kms->reply, rp_view_of(kms->machine.hash.b, RP_SHA256));
    rp_pack_u16(&kms->reply, from_here);
    rp_pack_u16(&kms->reply, from_there);
    return rp_buf_err(&kms->reply);
}

rp_err kms_answer_hunt(struct kms *kms, enum rp_ipc_message message, rp_view request) {
    switch ((int)message) {
    case RP_IPC_HUNT_KMS_OPENS:
        return kms->hierarchy ? opens(kms, request) : RP_ERR(KMS_SEALED);
    case RP_IPC_HUNT_KMS_INVENTORY:
        return kms_answer_inventory(kms);
    case RP_IPC_HUNT_KMS_PLACE:
        return place(kms);
    default:
        return RP_ERR(PROTOCOL); /* the pair table lets nothing else through */
    }
}
