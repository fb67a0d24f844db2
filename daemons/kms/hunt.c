/* hunt.c — what the file probe may ask: would this wrapped key open? No key leaves, only yes or no.
 *
 * So the probe can try what a thief of an old backup would try, and see it fail.
 */
#include "base/assert.h"
#include "base/checked.h"
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

rp_err kms_answer_hunt(struct kms *kms, enum rp_ipc_message message, rp_view request) {
    if (!kms->hierarchy) {
        return RP_ERR(KMS_SEALED);
    }
    return message == RP_IPC_HUNT_KMS_OPENS ? opens(kms, request) : RP_ERR(PROTOCOL);
}
