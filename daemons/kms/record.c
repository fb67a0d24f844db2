/* record.c — what the kms does stands in the operator's tree before anybody has the result. */
#include "base/assert.h"
#include "base/checked.h"
#include "kms.h"
#include "ledger/client.h"

enum { BATCH_MAX = 64 };

static struct rp_event *new_event(struct kms *kms, enum rp_event_kind kind) {
    return rp_event_new(kms->arena, kind, rp_env_now_ms(&kms->daemon.env), RP_ROLE_KMS);
}

/* Whatever keeps an event from being kept: without it the act does not happen. A full disk is
 * called one: that is what somebody can do something about. */
static rp_err ledger_error(rp_err err) {
    return rp_ok(err) || rp_is(err, RP_E_NO_SPACE) ? err : RP_ERR(LEDGER_DOWN);
}

static rp_err append(struct kms *kms, const rp_view *events, size_t count) {
    RP_ASSERT(count <= BATCH_MAX);
    static const struct rp_tree operator_tree = {.kind = RP_TREE_OPERATOR};
    static const rp_id no_stream;
    return ledger_error(
        rp_ledger_append(kms->ledger, operator_tree, no_stream, 0, events, count, NULL));
}

/*= S84 */ /* each use of a key is on record before its result leaves */
static rp_err record(struct kms *kms, struct rp_event *event) {
    rp_view bytes;
    if (!event) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_event_print(event, &bytes));
    return append(kms, &bytes, 1);
}

static void add_cstr(struct rp_event *event, const char *field, const char *text) {
    rp_event_add_text(event, field, rp_view_from_cstr(text));
}

rp_err kms_record_unsealed(struct kms *kms, const char *by) {
    struct rp_event *event = new_event(kms, RP_EVENT_KMS_UNSEALED);
    add_cstr(event, "by", by);
    return record(kms, event);
}

rp_err kms_record_created(struct kms *kms, const struct rp_key_fact *fact) {
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_CREATED);
    rp_event_add_id(event, "key", fact->id);
    add_cstr(event, "kind", rp_key_kind_name(fact->kind));
    return record(kms, event);
}

rp_err kms_record_recovery(struct kms *kms) {
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_CREATED);
    add_cstr(event, "key", "root");
    add_cstr(event, "kind", "recovery code");
    return record(kms, event);
}

rp_err kms_record_backup_key(struct kms *kms, rp_id backup) {
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_CREATED);
    rp_event_add_id(event, "key", backup);
    add_cstr(event, "kind", "backup");
    return record(kms, event);
}

rp_err kms_record_backup_opened(struct kms *kms, rp_id backup) {
    struct rp_event *event = new_event(kms, RP_EVENT_BACKUP_OPENED);
    rp_event_add_id(event, "backup", backup);
    return record(kms, event);
}

rp_err kms_record_split(struct kms *kms, unsigned shares, unsigned threshold) {
    struct rp_event *event = new_event(kms, RP_EVENT_KMS_SPLIT);
    rp_event_add_u64(event, "shares", shares);
    rp_event_add_u64(event, "threshold", threshold);
    return record(kms, event);
}

rp_err kms_record_share(struct kms *kms, unsigned place, unsigned count, unsigned threshold) {
    struct rp_event *event = new_event(kms, RP_EVENT_KMS_SHARE);
    rp_event_add_u64(event, "share", place);
    rp_event_add_u64(event, "count", count);
    rp_event_add_u64(event, "threshold", threshold);
    return record(kms, event);
}

rp_err kms_record_rotated(struct kms *kms, const struct rp_key_fact *fact) {
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_ROTATED);
    rp_event_add_id(event, "key", fact->id);
    add_cstr(event, "kind", rp_key_kind_name(fact->kind));
    rp_event_add_u64(event, "version", fact->version);
    return record(kms, event);
}

rp_err kms_record_tenant_key(struct kms *kms, rp_id master, rp_id tenant) {
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_CREATED);
    rp_event_add_id(event, "key", master);
    add_cstr(event, "kind", "tenant");
    rp_event_add_id(event, "tenant", tenant);
    return record(kms, event);
}

rp_err kms_record_destroyed(struct kms *kms, rp_id tenant) {
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_DESTROYED);
    add_cstr(event, "kind", "tenant");
    rp_event_add_id(event, "tenant", tenant);
    return record(kms, event);
}

static void add_lease(struct rp_event *event, uint64_t lease) {
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)lease);
    add_cstr(event, "lease", text);
}

rp_err kms_record_leased(struct kms *kms, const struct rp_lease *lease, rp_id master) {
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_LEASED);
    rp_event_add_id(event, "tenant", lease->tenant);
    rp_event_add_id(event, "key", master);
    add_lease(event, lease->id);
    rp_event_add_u64(event, "seconds", RP_LEASE_MS / 1000);
    return record(kms, event);
}

static rp_err print_lease_end(struct kms *kms, const struct kms_lease_end *end,
                              rp_view *ret_bytes) {
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_LEASE_ENDED);
    if (!event) {
        return RP_ERR(NO_MEMORY);
    }
    add_lease(event, end->lease);
    if (end->uses_known) {
        rp_event_add_u64(event, "uses", end->uses);
    }
    add_cstr(event, "reason", end->reason);
    return rp_event_print(event, ret_bytes);
}

rp_err kms_record_lease_ends(struct kms *kms, const struct kms_lease_end *ends, size_t count) {
    RP_ASSERT(count <= BATCH_MAX);
    rp_view events[BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        RP_TRY(print_lease_end(kms, &ends[i], &events[i]));
    }
    return count > 0 ? append(kms, events, count) : RP_OK;
}

rp_err kms_record_assertions(struct kms *kms, rp_id key, uint64_t count) {
    struct rp_event *event = new_event(kms, RP_EVENT_ASSERTIONS);
    rp_event_add_id(event, "key", key);
    rp_event_add_u64(event, "count", count);
    return record(kms, event);
}

rp_err kms_refuse(struct kms *kms, rp_id tenant, const char *reason, rp_err err) {
    RP_ASSERT(!rp_ok(err));
    struct rp_event *event = new_event(kms, RP_EVENT_KEY_REFUSED);
    if (!rp_id_is_none(tenant)) {
        rp_event_add_id(event, "tenant", tenant);
    }
    add_cstr(event, "reason", reason);
    RP_TRY(record(kms, event));
    return err;
}

void kms_record_peer_refused(struct kms *kms, const char *name, int pid, const char *reason) {
    struct rp_event *event = new_event(kms, RP_EVENT_PEER_REFUSED);
    add_cstr(event, "name", name);
    rp_event_add_u64(event, "pid", pid > 0 ? (uint64_t)pid : 0);
    add_cstr(event, "reason", reason);
    if (!rp_ok(record(kms, event))) {
        daemon_say(&kms->daemon, "refused %s (pid %d): %s; the ledger is away", name, pid, reason);
    }
}
