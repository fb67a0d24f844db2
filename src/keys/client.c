#include "keys/client.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "keys/assertion.h"
#include "keys/messages.h"

enum {
    DEADLINE_MS = 5000,
    REPLY_MAX = 64 * 1024,
    REQUEST_MAX = RP_LEASE_REPORTS_MAX * RP_LEASE_REPORT_BYTES + 64,
    REPORTS_AT_ONCE = 32 /* so many wait before they are worth a call of their own */
};

struct rp_keys {
    struct rp_env env;
    struct rp_ipc_client *kms;
    struct rp_lease_cache *cache;
    struct rp_buf request;
    struct rp_buf reply;
    /* Ends that the kms has not heard of yet. When it is away for so long that they do not fit, the
     * oldest go: the kms ends each of their leases by itself, only the count is lost. */
    struct rp_lease_report reports[RP_LEASE_REPORTS_MAX];
    size_t report_count;
};

rp_err rp_keys_new(const struct rp_env *env, struct rp_keys **ret_keys) {
    struct rp_keys *keys = calloc(1, sizeof *keys);
    if (!keys) {
        return RP_ERR(NO_MEMORY);
    }
    keys->env = *env;
    keys->request = rp_buf_new(REQUEST_MAX);
    keys->reply = rp_buf_new(REPLY_MAX);
    keys->kms = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, DEADLINE_MS);
    rp_err err = keys->kms ? rp_lease_cache_new(RP_LEASES_MAX, &keys->cache) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        rp_ipc_client_free(keys->kms);
        free(keys);
        return err;
    }
    *ret_keys = keys;
    return RP_OK;
}

/* Whatever keeps the kms from answering is the same to the caller: try again later. */
static rp_err kms_error(rp_err err) {
    bool down = rp_is(err, RP_E_UNREACHABLE) || rp_is(err, RP_E_CLOSED) ||
                rp_is(err, RP_E_TIMEOUT) || rp_is(err, RP_E_PROTOCOL);
    return down ? RP_ERR(KMS_DOWN) : err;
}

/* Sends what stands in keys->request. */
static rp_err call(struct rp_keys *keys, enum rp_ipc_message message) {
    RP_TRY(rp_buf_err(&keys->request));
    rp_err err = rp_ipc_call(keys->kms, message, rp_buf_view(&keys->request), &keys->reply);
    rp_buf_clear(&keys->request);
    return kms_error(err);
}

static void wipe_reply(struct rp_keys *keys) {
    rp_wipe(keys->reply.p, keys->reply.capacity);
    rp_buf_clear(&keys->reply);
}

/* ---- leases that ended ---- */

static void note(struct rp_keys *keys, const struct rp_lease_report *report) {
    if (keys->report_count == RP_LEASE_REPORTS_MAX) {
        keys->report_count--;
        memmove(keys->reports, keys->reports + 1, keys->report_count * sizeof keys->reports[0]);
    }
    keys->reports[keys->report_count++] = *report;
}

/* A kms that does not answer now is told later. */
static void send_reports(struct rp_keys *keys) {
    if (keys->report_count == 0) {
        return;
    }
    rp_buf_clear(&keys->request);
    rp_err err = rp_lease_reports_pack(keys->reports, keys->report_count, &keys->request);
    RP_ASSERT(rp_ok(err));
    if (rp_ok(call(keys, RP_IPC_CORE_KMS_LEASE_END))) {
        keys->report_count = 0;
    }
}

static bool evict(struct rp_keys *keys, enum rp_lease_end reason) {
    struct rp_lease_report report;
    bool took = rp_lease_cache_take_oldest(keys->cache, reason, &report);
    if (took) {
        note(keys, &report);
    }
    return took;
}

static void note_expired(struct rp_keys *keys) {
    int64_t now_ms = rp_env_monotonic_ms(&keys->env);
    struct rp_lease_report report;
    while (rp_lease_cache_take_expired(keys->cache, now_ms, &report)) {
        note(keys, &report);
    }
}

void rp_keys_expire(struct rp_keys *keys) {
    note_expired(keys);
    send_reports(keys);
}

void rp_keys_free(struct rp_keys *keys) {
    if (!keys) {
        return;
    }
    /* What waits goes first: then there is room for a full cache. */
    send_reports(keys);
    while (evict(keys, RP_LEASE_CLOSED)) {
    }
    send_reports(keys);
    rp_lease_cache_free(keys->cache);
    rp_ipc_client_free(keys->kms);
    wipe_reply(keys);
    rp_buf_done(&keys->reply);
    rp_buf_done(&keys->request);
    free(keys);
}

/* ---- tenants' keys ---- */

rp_err rp_keys_new_tenant_key(struct rp_keys *keys, rp_id tenant, struct rp_buf *ret_wrapped) {
    rp_buf_clear(&keys->request);
    rp_pack_id(&keys->request, tenant);
    RP_TRY(call(keys, RP_IPC_CORE_KMS_NEW_KEY));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&keys->reply));
    rp_view wrapped = rp_unpack_bytes(&in, RP_WRAPPED_MAX);
    RP_TRY(kms_error(rp_unpack_end(&in)));
    rp_buf_add(ret_wrapped, wrapped);
    return rp_buf_err(ret_wrapped);
}

rp_err rp_keys_rewrap(struct rp_keys *keys, rp_id tenant, rp_view wrapped,
                      struct rp_buf *ret_wrapped) {
    struct rp_lease_request request = {.tenant = tenant, .wrapped = wrapped};
    rp_buf_clear(&keys->request);
    RP_TRY(rp_lease_request_pack(&request, &keys->request));
    RP_TRY(call(keys, RP_IPC_CORE_KMS_REWRAP));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&keys->reply));
    rp_view made = rp_unpack_bytes(&in, RP_WRAPPED_MAX);
    RP_TRY(kms_error(rp_unpack_end(&in)));
    rp_buf_add(ret_wrapped, made);
    return rp_buf_err(ret_wrapped);
}

void rp_keys_drop(struct rp_keys *keys, rp_id tenant) {
    struct rp_lease_report report;
    if (rp_lease_cache_take_tenant(keys->cache, tenant, &report)) {
        note(keys, &report);
        send_reports(keys);
    }
}

rp_err rp_keys_destroy(struct rp_keys *keys, rp_id tenant) {
    rp_keys_drop(keys, tenant);
    rp_buf_clear(&keys->request);
    rp_pack_id(&keys->request, tenant);
    return call(keys, RP_IPC_CORE_KMS_DESTROY);
}

/* Into locked memory. Where the machine grants less of it than the cache would take, the cache is
 * smaller: the key that was used longest ago makes room. */
static rp_err lock_key(struct rp_keys *keys, rp_view key, struct rp_secret **ret_secret) {
    rp_err err;
    do {
        uint8_t copy[RP_TENANT_KEY];
        RP_ASSERT(key.n == sizeof copy);
        memcpy(copy, key.p, sizeof copy);
        err = rp_secret_new_take(copy, sizeof copy, ret_secret);
    } while (rp_is(err, RP_E_NO_MEMORY) && evict(keys, RP_LEASE_EVICTED));
    return err;
}

/* The reply of a lease, put into the cache. The asking began at `asked_ms`, so that the lease ends
 * here before it ends there. */
static rp_err take_lease(struct rp_keys *keys, const struct rp_lease_request *request,
                         int64_t asked_ms) {
    struct rp_lease_reply reply;
    RP_TRY(kms_error(rp_lease_reply_unpack(rp_buf_view(&keys->reply), &reply)));
    struct rp_secret *key = NULL;
    RP_TRY(lock_key(keys, reply.key, &key));
    int64_t granted_ms = (int64_t)reply.seconds * 1000;
    rp_lease_cache_put(keys->cache, request->tenant, request->wrapped, reply.lease,
                       asked_ms + RP_MIN(granted_ms, (int64_t)RP_LEASE_MS), key);
    return RP_OK;
}

/* A place in the cache, and none for the tenant: its lease ran out, or its key is another now. */
static void make_room(struct rp_keys *keys, rp_id tenant) {
    note_expired(keys);
    struct rp_lease_report report;
    if (rp_lease_cache_take_tenant(keys->cache, tenant, &report)) {
        note(keys, &report);
    }
    while (rp_lease_cache_is_full(keys->cache)) {
        bool took = evict(keys, RP_LEASE_EVICTED);
        RP_ASSERT(took);
    }
    if (keys->report_count >= REPORTS_AT_ONCE) {
        send_reports(keys);
    }
}

static rp_err ask_lease(struct rp_keys *keys, const struct rp_lease_request *request) {
    make_room(keys, request->tenant);
    int64_t asked_ms = rp_env_monotonic_ms(&keys->env);
    rp_buf_clear(&keys->request);
    RP_TRY(rp_lease_request_pack(request, &keys->request));
    rp_err err = call(keys, RP_IPC_CORE_KMS_LEASE);
    if (rp_ok(err)) {
        err = take_lease(keys, request, asked_ms);
    }
    /*= S84 */ /* key bytes in locked memory and nowhere else */
    wipe_reply(keys);
    return err;
}

rp_err rp_keys_lease(struct rp_keys *keys, rp_id tenant, rp_view wrapped,
                     const struct rp_secret **ret_key) {
    if (wrapped.n != RP_WRAPPED_BYTES) {
        return RP_ERR(CORRUPT);
    }
    int64_t now_ms = rp_env_monotonic_ms(&keys->env);
    const struct rp_secret *key = rp_lease_cache_get(keys->cache, tenant, wrapped, now_ms);
    if (!key) {
        struct rp_lease_request request = {.tenant = tenant, .wrapped = wrapped};
        RP_TRY(ask_lease(keys, &request));
        now_ms = rp_env_monotonic_ms(&keys->env);
        key = rp_lease_cache_get(keys->cache, tenant, wrapped, now_ms);
    }
    if (!key) {
        return RP_ERR(TIMEOUT); /* the answer took longer than the lease */
    }
    *ret_key = key;
    return RP_OK;
}

/* ---- assertions, public keys ---- */

rp_err rp_keys_assert(struct rp_keys *keys, const struct rp_assertion *assertion,
                      struct rp_buf *ret_jwt) {
    rp_buf_clear(&keys->request);
    RP_TRY(rp_assertion_pack(assertion, &keys->request));
    RP_TRY(call(keys, RP_IPC_CORE_KMS_ASSERT));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&keys->reply));
    rp_view jwt = rp_unpack_bytes(&in, REPLY_MAX);
    RP_TRY(kms_error(rp_unpack_end(&in)));
    rp_buf_add(ret_jwt, jwt);
    return rp_buf_err(ret_jwt);
}

rp_err rp_keys_public(struct rp_keys *keys, struct rp_buf *ret_jwks, struct rp_buf *ret_inventory) {
    rp_buf_clear(&keys->request);
    RP_TRY(call(keys, RP_IPC_CORE_KMS_PUBLIC));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&keys->reply));
    rp_view jwks = rp_unpack_bytes(&in, REPLY_MAX);
    rp_view inventory = rp_unpack_bytes(&in, REPLY_MAX);
    RP_TRY(kms_error(rp_unpack_end(&in)));
    rp_buf_add(ret_jwks, jwks);
    rp_buf_add(ret_inventory, inventory);
    RP_TRY(rp_buf_err(ret_jwks));
    return rp_buf_err(ret_inventory);
}
