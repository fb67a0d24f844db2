/* tenants.c — a tenant's key from its beginning to its end: wrapped under a master key and the half
 * that only this process has; without the half, no copy of it opens any more.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "keys/half_io.h"
#include "keys/messages.h"
#include "kms.h"

static rp_err reply_wrapped(struct kms *kms, rp_id tenant, const struct rp_buf *wrapped) {
    struct rp_key_fact master =
        rp_hierarchy_fact(kms->hierarchy, rp_hierarchy_active(kms->hierarchy, RP_KEY_MASTER));
    RP_TRY(kms_record_tenant_key(kms, master.id, tenant));
    rp_pack_bytes(&kms->reply, rp_buf_view(wrapped));
    return rp_buf_err(&kms->reply);
}

static rp_err read_tenant(rp_view request, rp_id *ret_tenant) {
    struct rp_unpack in = rp_unpack_new(request);
    rp_id tenant = rp_unpack_id(&in);
    RP_TRY(rp_unpack_end(&in));
    if (rp_id_is_none(tenant)) {
        return RP_ERR(INVALID);
    }
    *ret_tenant = tenant;
    return RP_OK;
}

rp_err kms_new_tenant_key(struct kms *kms, rp_view request) {
    rp_id tenant;
    RP_TRY(read_tenant(request, &tenant));
    _cleanup_(rp_secret_freep) struct rp_secret *half = NULL;
    _cleanup_(rp_buf_done) struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    RP_TRY(rp_half_make(&kms->daemon.env, kms->hierarchy, tenant, &half));
    RP_TRY(rp_hierarchy_new_tenant_key(kms->hierarchy, tenant, half, &wrapped));
    return reply_wrapped(kms, tenant, &wrapped);
}

rp_err kms_unwrap(const struct kms *kms, rp_id tenant, rp_view wrapped, struct rp_secret **ret_key,
                  size_t *ret_index, const char **ret_reason) {
    struct rp_wrapped parsed;
    _cleanup_(rp_secret_freep) struct rp_secret *half = NULL;
    const char *reason = "its half was destroyed, or never put back";
    rp_err err = rp_wrapped_parse(wrapped, &parsed);
    if (rp_ok(err) && parsed.halved) {
        err = rp_half_open(kms->hierarchy, tenant, &half);
    }
    if (rp_ok(err)) {
        err = rp_hierarchy_unwrap(kms->hierarchy, tenant, half, wrapped, ret_key, ret_index);
        reason = "wrapped by a key that is not ours";
    }
    if (ret_reason && !rp_ok(err)) {
        *ret_reason =
            rp_is(err, RP_E_NOT_FOUND) ? reason : "wrapped key altered, or another tenant's";
    }
    return err;
}

/* Of one from before there were halves; one that has its half already is wrapped under the master
 * key of today. */
rp_err kms_rewrap(struct kms *kms, rp_view message) {
    struct rp_lease_request request;
    const char *reason = NULL;
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    _cleanup_(rp_secret_freep) struct rp_secret *half = NULL;
    _cleanup_(rp_buf_done) struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    RP_TRY(rp_lease_request_unpack(message, &request));
    rp_err err = kms_unwrap(kms, request.tenant, request.wrapped, &key, NULL, &reason);
    if (!rp_ok(err)) {
        return kms_refuse(kms, request.tenant, reason, err);
    }
    RP_TRY(rp_half_make(&kms->daemon.env, kms->hierarchy, request.tenant, &half));
    RP_TRY(rp_hierarchy_rewrap(kms->hierarchy, request.tenant, half, key, &wrapped));
    return reply_wrapped(kms, request.tenant, &wrapped);
}

/* Done first, then on record: what the log says of a key's end is true. Core asks again until it
 * was told so. */
rp_err kms_destroy(struct kms *kms, rp_view request) {
    rp_id tenant;
    RP_TRY(read_tenant(request, &tenant));
    RP_TRY(rp_half_destroy(&kms->daemon.env, tenant));
    return kms_record_destroyed(kms, tenant);
}
