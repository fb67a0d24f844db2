/* kms.h — rempart-kms: holds the keys, reads no network byte, says nothing that is not on record.
 *
 * main.c starts and stops it · open.c makes it sealed or unsealed · core.c, cli.c and hunt.c answer
 * the three roles that may ask · tenants.c makes and ends tenants' keys · record.c puts each act
 * into the operator's tree before it is answered. One request at a time: what waits for the ledger
 * or the disk lets the next one wait.
 */
#ifndef RP_DAEMONS_KMS_H
#define RP_DAEMONS_KMS_H

#include "crypto/shamir.h"
#include "daemon.h"
#include "ipc/ipc.h"
#include "keys/client.h"
#include "keys/hierarchy.h"
#include "keys/lease_cache.h"
#include "keys/leases.h"
#include "keys/safe_io.h"
#include "machine.h"

enum {
    KMS_LEDGER_DEADLINE_MS = 5000,
    KMS_REPLY_MAX = 48 * 1024,
    /* Core reports the end of a lease when it notices; only then does the kms stop waiting. */
    KMS_LEASE_GRACE_MS = 60 * 1000,
    KMS_ASSERTIONS_MS = 60 * 1000 /* one counted event a minute */
};

struct kms {
    struct daemon daemon;
    struct rp_ipc_server *server;
    struct rp_ipc_client *ledger;
    struct rp_arena *arena;         /* for one message; emptied before the next */
    struct rp_buf reply;            /* wiped after each */
    struct rp_hierarchy *hierarchy; /* NULL = sealed */
    struct rp_lease_table *leases;
    /* Assertions signed since the last counted event; by one key, for a rotation writes it first.
     */
    uint64_t assertion_count;
    int64_t assertion_since_ms;
    struct kms_shares {
        uint8_t places[RP_SHAMIR_MAX];
        struct rp_secret *bytes; /* RP_SHAMIR_MAX shares in locked memory; NULL = none given yet */
        unsigned count, threshold;
        int64_t last_ms; /* monotonic; given up after a quarter of an hour */
    } shares;
    struct machine_mark machine;
    struct rp_timer *open_timer; /* tries again while the ledger is away */
    struct rp_timer *tidy_timer;
};

/* ---- open.c ---- */
/* With a key file: unseals, or makes the first keys. LEDGER_DOWN is tried again by a timer;
 * anything else leaves the kms sealed, with a line that says what is wrong. */
void kms_open_by_file(struct kms *kms);
rp_err kms_unseal(struct kms *kms, enum rp_root_kind kind, rp_view opener);
bool kms_opens_by_shares(const struct kms *kms); /* keys.unseal: shares */
rp_err kms_print_inventory(struct kms *kms, struct rp_buf *out);
/* Fills kms->reply with the inventory, for the operator and for the probes. */
rp_err kms_answer_inventory(struct kms *kms);

/* ---- shares.c ---- */
/* One more person's share. When there are enough, opens. *ret_missing: how many are still to come.
 * INVALID: mistyped; CONFLICT: of another split; DUPLICATE: given already; DENIED: together they
 * open nothing, and all are forgotten. */
rp_err kms_take_share(struct kms *kms, rp_view text, unsigned *ret_missing);
void kms_forget_shares(struct kms *kms);
void kms_tidy_shares(struct kms *kms);

/* ---- tenants.c ---- */
/* A new key, wrapped; the same key wrapped anew; and its end. */
rp_err kms_new_tenant_key(struct kms *kms, rp_view request);
rp_err kms_rewrap(struct kms *kms, rp_view request);
rp_err kms_destroy(struct kms *kms, rp_view request);
/* NOT_FOUND: wrapped by a key that is not ours, or its half is gone; CORRUPT: altered, or another
 * tenant's. ret_reason (nullable) says which. */
rp_err kms_unwrap(const struct kms *kms, rp_id tenant, rp_view wrapped, struct rp_secret **ret_key,
                  size_t *ret_index, const char **ret_reason);

/* ---- core.c, cli.c, hunt.c: fill kms->reply ---- */
rp_err kms_answer_core(struct kms *kms, enum rp_ipc_message message, rp_view request);
rp_err kms_answer_cli(struct kms *kms, enum rp_ipc_message message, rp_view request);
rp_err kms_answer_hunt(struct kms *kms, enum rp_ipc_message message, rp_view request);
/* Leases whose holder never said that they ended, assertions not yet on record. */
void kms_tidy(struct kms *kms);
rp_err kms_flush_assertions(struct kms *kms);

/* ---- record.c: each returns when the event is on disk, or LEDGER_DOWN ---- */
rp_err kms_record_unsealed(struct kms *kms, const char *by);
rp_err kms_record_created(struct kms *kms, const struct rp_key_fact *fact);
rp_err kms_record_recovery(struct kms *kms);
rp_err kms_record_backup_key(struct kms *kms, rp_id backup);
rp_err kms_record_backup_opened(struct kms *kms, rp_id backup);
rp_err kms_record_split(struct kms *kms, unsigned shares, unsigned threshold);
rp_err kms_record_share(struct kms *kms, unsigned place, unsigned count, unsigned threshold);
rp_err kms_record_rotated(struct kms *kms, const struct rp_key_fact *fact);
rp_err kms_record_tenant_key(struct kms *kms, rp_id master, rp_id tenant);
rp_err kms_record_destroyed(struct kms *kms, rp_id tenant);
rp_err kms_record_leased(struct kms *kms, const struct rp_lease *lease, rp_id master);
struct kms_lease_end {
    uint64_t lease;
    uint64_t uses;
    bool uses_known;
    const char *reason;
};
rp_err kms_record_lease_ends(struct kms *kms, const struct kms_lease_end *ends, size_t count);
rp_err kms_record_assertions(struct kms *kms, rp_id key, uint64_t count);
/* On record, then `err`; so that it reads `return kms_refuse(…, err)`. tenant may be none. */
rp_err kms_refuse(struct kms *kms, rp_id tenant, const char *reason, rp_err err);
/* Best effort: nobody waits for an answer. */
void kms_record_peer_refused(struct kms *kms, const char *name, int pid, const char *reason);

#endif
