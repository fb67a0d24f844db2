/* core.c — what core may ask: a lease, its end, an assertion, the public keys; and what tenants.c
 * does. */
#include "base/assert.h"
#include "base/checked.h"
#include "keys/assertion.h"
#include "keys/inventory.h"
#include "keys/messages.h"
#include "kms.h"

enum { BATCH_MAX = 64 };

static int64_t now_ms(const struct kms *kms) {
    return rp_env_monotonic_ms(&kms->daemon.env);
}

/* ---- leases ---- */

static struct rp_lease new_lease(struct kms *kms, rp_id tenant) {
    struct rp_lease lease = {.tenant = tenant,
                             .until_ms = now_ms(kms) + RP_LEASE_MS + KMS_LEASE_GRACE_MS};
    uint8_t bytes[sizeof lease.id];
    kms->daemon.env.fill_random(kms->daemon.env.ctx, bytes, sizeof bytes);
    memcpy(&lease.id, bytes, sizeof bytes);
    lease.id |= 1; /* never 0 */
    return lease;
}

/* Known, recorded, and only then told. */
static rp_err grant(struct kms *kms, const struct rp_lease *lease, rp_id master,
                    const struct rp_secret *key) {
    rp_err err = rp_lease_table_add(kms->leases, lease);
    if (!rp_ok(err)) {
        return kms_refuse(kms, lease->tenant, "too many leases", err);
    }
    err = kms_record_leased(kms, lease, master);
    if (rp_ok(err)) {
        err = rp_lease_reply_pack(lease->id, RP_LEASE_MS / 1000, key, &kms->reply);
    }
    if (!rp_ok(err)) {
        rp_ignore(rp_lease_table_end(kms->leases, lease->id)); /* it was just put there */
    }
    return err;
}

static rp_err lease(struct kms *kms, rp_view message) {
    struct rp_lease_request request;
    RP_TRY(rp_lease_request_unpack(message, &request));
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    size_t index = 0;
    const char *reason = NULL;
    rp_err err = kms_unwrap(kms, request.tenant, request.wrapped, &key, &index, &reason);
    if (rp_is(err, RP_E_NO_MEMORY)) {
        return err;
    }
    if (!rp_ok(err)) {
        return kms_refuse(kms, request.tenant, reason, err);
    }
    struct rp_lease granted = new_lease(kms, request.tenant);
    return grant(kms, &granted, rp_hierarchy_fact(kms->hierarchy, index).id, key);
}

static const char *reason_of(const struct rp_lease_report *report) {
    static const char *const reasons[RP_LEASE_END_COUNT] = {
        [RP_LEASE_EXPIRED] = "time", [RP_LEASE_EVICTED] = "room", [RP_LEASE_CLOSED] = "closed"};
    return reasons[report->reason];
}

/* One batch: on record first, so that core says it again if the ledger did not take it. A lease
 * that this process never gave was given before a restart; the count is kept all the same. */
static rp_err end_some(struct kms *kms, const struct rp_lease_report *reports, size_t count) {
    struct kms_lease_end ends[BATCH_MAX];
    RP_ASSERT(count <= BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        bool known = rp_lease_table_has(kms->leases, reports[i].lease);
        ends[i] =
            (struct kms_lease_end){.lease = reports[i].lease,
                                   .uses = reports[i].uses,
                                   .uses_known = true,
                                   .reason = known ? reason_of(&reports[i]) : "not known here"};
    }
    RP_TRY(kms_record_lease_ends(kms, ends, count));
    for (size_t i = 0; i < count; i++) {
        rp_ignore(rp_lease_table_end(kms->leases, reports[i].lease)); /* unknown ones: see above */
    }
    return RP_OK;
}

static rp_err lease_end(struct kms *kms, rp_view message) {
    struct rp_lease_report *reports =
        rp_arena_array(kms->arena, RP_LEASE_REPORTS_MAX, sizeof *reports);
    size_t count = 0;
    if (!reports) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_lease_reports_unpack(message, reports, &count));
    for (size_t i = 0; i < count; i += BATCH_MAX) {
        RP_TRY(end_some(kms, reports + i, RP_MIN(count - i, (size_t)BATCH_MAX)));
    }
    return RP_OK;
}

/* Leases whose holder died, or lost its count. Those that could not be recorded stay for the next
 * time. */
static void expire_leases(struct kms *kms) {
    struct rp_lease expired[BATCH_MAX];
    struct kms_lease_end ends[BATCH_MAX];
    size_t count = 0;
    while (count < BATCH_MAX && rp_lease_table_expired(kms->leases, now_ms(kms), &expired[count])) {
        ends[count] =
            (struct kms_lease_end){.lease = expired[count].id, .reason = "never reported"};
        count++;
    }
    if (!rp_ok(kms_record_lease_ends(kms, ends, count))) {
        for (size_t i = 0; i < count; i++) {
            rp_err err = rp_lease_table_add(kms->leases, &expired[i]);
            RP_ASSERT(rp_ok(err)); /* its place has just become free */
        }
    }
}

/* ---- assertions ---- */

rp_err kms_flush_assertions(struct kms *kms) {
    if (kms->assertion_count == 0) {
        return RP_OK;
    }
    RP_ASSERT(kms->hierarchy != NULL);
    size_t index = rp_hierarchy_active(kms->hierarchy, RP_KEY_ASSERTION);
    struct rp_key_fact fact = rp_hierarchy_fact(kms->hierarchy, index);
    RP_TRY(kms_record_assertions(kms, fact.id, kms->assertion_count));
    kms->assertion_count = 0;
    return RP_OK;
}

static bool assertions_are_due(const struct kms *kms) {
    return kms->assertion_count > 0 && now_ms(kms) - kms->assertion_since_ms >= KMS_ASSERTIONS_MS;
}

static rp_err assert_person(struct kms *kms, rp_view message) {
    struct rp_assertion assertion;
    rp_err err = rp_assertion_unpack(message, kms->arena, &assertion);
    if (rp_is(err, RP_E_INVALID)) {
        return kms_refuse(kms, (rp_id){{0}}, "assertion with a field that is not allowed", err);
    }
    RP_TRY(err);
    /* When the last minute's count cannot be put on record, nothing more is signed. */
    if (assertions_are_due(kms)) {
        RP_TRY(kms_flush_assertions(kms));
    }
    _cleanup_(rp_buf_done) struct rp_buf jwt = rp_buf_new(4096);
    RP_TRY(rp_assertion_sign(&kms->daemon.env, kms->hierarchy, kms->daemon.config.host, &assertion,
                             kms->arena, &jwt));
    if (kms->assertion_count++ == 0) {
        kms->assertion_since_ms = now_ms(kms);
    }
    rp_pack_bytes(&kms->reply, rp_buf_view(&jwt));
    return rp_buf_err(&kms->reply);
}

void kms_tidy(struct kms *kms) {
    expire_leases(kms);
    if (assertions_are_due(kms)) {
        rp_ignore(kms_flush_assertions(kms)); /* tried again, and no signature meanwhile */
    }
}

static rp_err public_keys(struct kms *kms) {
    _cleanup_(rp_buf_done) struct rp_buf jwks = rp_buf_new(KMS_REPLY_MAX);
    _cleanup_(rp_buf_done) struct rp_buf inventory = rp_buf_new(KMS_REPLY_MAX);
    RP_TRY(rp_jwks_print(kms->hierarchy, kms->arena, &jwks));
    RP_TRY(kms_print_inventory(kms, &inventory));
    rp_pack_bytes(&kms->reply, rp_buf_view(&jwks));
    rp_pack_bytes(&kms->reply, rp_buf_view(&inventory));
    return rp_buf_err(&kms->reply);
}

rp_err kms_answer_core(struct kms *kms, enum rp_ipc_message message, rp_view request) {
    if (!kms->hierarchy) {
        return RP_ERR(KMS_SEALED);
    }
    switch ((int)message) {
    case RP_IPC_CORE_KMS_NEW_KEY:
        return kms_new_tenant_key(kms, request);
    case RP_IPC_CORE_KMS_LEASE:
        return lease(kms, request);
    case RP_IPC_CORE_KMS_LEASE_END:
        return lease_end(kms, request);
    case RP_IPC_CORE_KMS_ASSERT:
        return assert_person(kms, request);
    case RP_IPC_CORE_KMS_PUBLIC:
        return public_keys(kms);
    case RP_IPC_CORE_KMS_DESTROY:
        return kms_destroy(kms, request);
    case RP_IPC_CORE_KMS_REWRAP:
        return kms_rewrap(kms, request);
    default:
        return RP_ERR(PROTOCOL); /* the pair table lets nothing else through */
    }
}
