/* open.c — sealed or unsealed: the first keys, the key file, the passphrase, the recovery code. */
#include "base/assert.h"
#include "base/checked.h"
#include "keys/inventory.h"
#include "kms.h"

enum { RETRY_MS = 200 };

static const rp_id no_tenant;

static bool config_says_file(const struct kms *kms) {
    return strcmp(kms->daemon.config.unseal, "file") == 0;
}

bool kms_opens_by_shares(const struct kms *kms) {
    return strcmp(kms->daemon.config.unseal, "shares") == 0;
}

rp_err kms_print_inventory(struct kms *kms, struct rp_buf *out) {
    struct rp_inventory inventory = {.hierarchy = kms->hierarchy,
                                     .unseal = kms->daemon.config.unseal,
                                     .leases = rp_lease_table_count(kms->leases),
                                     .recovery = rp_safe_has_recovery(),
                                     .now_s = rp_env_now_s(&kms->daemon.env)};
    return rp_inventory_print(&inventory, kms->arena, out);
}

rp_err kms_answer_inventory(struct kms *kms) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(KMS_REPLY_MAX);
    RP_TRY(kms_print_inventory(kms, &text));
    rp_pack_bytes(&kms->reply, rp_buf_view(&text));
    return rp_buf_err(&kms->reply);
}

/* On record, then open. Takes the hierarchy when it succeeds. */
static rp_err enter_unsealed(struct kms *kms, struct rp_hierarchy **hierarchy, const char *by) {
    RP_ASSERT(kms->hierarchy == NULL);
    RP_TRY(kms_record_unsealed(kms, by));
    kms->hierarchy = rp_take(hierarchy);
    daemon_say(&kms->daemon, "unsealed by %s, %zu keys", by, rp_hierarchy_count(kms->hierarchy));
    return RP_OK;
}

static rp_err make_first_keys(struct kms *kms, enum rp_root_kind kind, rp_view passphrase) {
    if (kind == RP_ROOT_PASSPHRASE && passphrase.n < RP_PASSPHRASE_MIN) {
        return RP_ERR(WEAK);
    }
    _cleanup_(rp_hierarchy_freep) struct rp_hierarchy *hierarchy = NULL;
    RP_TRY(rp_hierarchy_make(&kms->daemon.env, &hierarchy));
    for (size_t i = 0; i < rp_hierarchy_count(hierarchy); i++) {
        struct rp_key_fact fact = rp_hierarchy_fact(hierarchy, i);
        RP_TRY(kms_record_created(kms, &fact));
    }
    RP_TRY(rp_safe_create(&kms->daemon.env, hierarchy, kind, passphrase));
    return enter_unsealed(kms, &hierarchy, rp_root_kind_name(kind));
}

static rp_err open_safe(struct kms *kms, enum rp_root_kind kind, rp_view opener) {
    _cleanup_(rp_hierarchy_freep) struct rp_hierarchy *hierarchy = NULL;
    rp_err err = rp_safe_open(&kms->daemon.env, kind, opener, &hierarchy);
    if (!rp_ok(err)) {
        char reason[64];
        snprintf(reason, sizeof reason, "unseal by %s: %s", rp_root_kind_name(kind),
                 rp_err_name(err));
        return kms_refuse(kms, no_tenant, reason, err);
    }
    return enter_unsealed(kms, &hierarchy, rp_root_kind_name(kind));
}

/* After a recovery on an installation with a key file: what was lost is made again, so that the
 * next start needs no paper. */
static void mend_key_file(struct kms *kms, const struct rp_safe *safe) {
    if (!config_says_file(kms) || safe->state != RP_SAFE_BROKEN) {
        return;
    }
    rp_err err = rp_safe_renew_key_file(&kms->daemon.env, kms->hierarchy);
    if (rp_ok(err)) {
        daemon_say(&kms->daemon, "a new key file was written to kms/unseal.key");
    } else {
        rp_ignore(daemon_fail(&kms->daemon, err, "kms/unseal.key", NULL)); /* open all the same */
    }
}

/* The shares are proven to open: what opened before, on this disk, is to open no more. */
static void forget_other_ways(struct kms *kms) {
    rp_err err = rp_safe_keep_shares_only();
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(&kms->daemon, err, "kms/unseal.key stays", NULL)); /* open anyway */
    }
}

rp_err kms_unseal(struct kms *kms, enum rp_root_kind kind, rp_view opener) {
    RP_ASSERT(kind == RP_ROOT_PASSPHRASE || kind == RP_ROOT_RECOVERY || kind == RP_ROOT_SHARES);
    if (kms->hierarchy) {
        return RP_OK; /* open already; nothing was tried, so nothing is told about the opener */
    }
    struct rp_safe safe;
    RP_TRY(rp_safe_look(&safe, NULL));
    if (safe.state == RP_SAFE_EMPTY) {
        return kind == RP_ROOT_PASSPHRASE && !config_says_file(kms) && !kms_opens_by_shares(kms)
                   ? make_first_keys(kms, kind, opener)
                   : RP_ERR(NOT_FOUND);
    }
    RP_TRY(open_safe(kms, kind, opener));
    if (kind == RP_ROOT_RECOVERY) {
        mend_key_file(kms, &safe);
    }
    if (kind == RP_ROOT_SHARES && kms_opens_by_shares(kms)) {
        forget_other_ways(kms);
    }
    return RP_OK;
}

static rp_err open_or_make(struct kms *kms, const struct rp_safe *safe) {
    if (safe->state == RP_SAFE_EMPTY) {
        return make_first_keys(kms, RP_ROOT_FILE, (rp_view){NULL, 0});
    }
    return open_safe(kms, RP_ROOT_FILE, (rp_view){NULL, 0});
}

static void try_again(void *ctx) {
    struct kms *kms = ctx;
    rp_timer_free(kms->open_timer);
    kms->open_timer = NULL;
    rp_arena_reset(kms->arena);
    kms_open_by_file(kms);
}

static void stays_sealed(struct kms *kms, rp_err err, const struct rp_safe *safe) {
    if (safe->state == RP_SAFE_BROKEN) {
        daemon_say(&kms->daemon,
                   "sealed: %s is missing; put it back, or `rempart keys unseal` with the recovery "
                   "code",
                   safe->missing);
    } else if (safe->kind == RP_ROOT_SHARES) {
        daemon_say(&kms->daemon, "sealed: these keys are opened by shares, but keys.unseal says "
                                 "file; `rempart keys unseal`, share by share");
    } else if (safe->kind == RP_ROOT_PASSPHRASE) {
        daemon_say(&kms->daemon, "sealed: these keys were sealed with a passphrase, but "
                                 "keys.unseal says file; `rempart keys unseal`");
    } else {
        rp_ignore(daemon_fail(&kms->daemon, err, "sealed: kms", NULL)); /* waits for the code */
    }
}

void kms_open_by_file(struct kms *kms) {
    struct rp_safe safe = {.state = RP_SAFE_SEALED};
    struct rp_diag diag = {0};
    rp_err err = rp_safe_look(&safe, &diag);
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(&kms->daemon, err, "sealed", &diag)); /* waits for a person */
        return;
    }
    if (safe.state == RP_SAFE_BROKEN || safe.kind == RP_ROOT_PASSPHRASE ||
        safe.kind == RP_ROOT_SHARES) {
        stays_sealed(kms, RP_ERR(KMS_SEALED), &safe);
        return;
    }
    err = open_or_make(kms, &safe);
    if (rp_is(err, RP_E_LEDGER_DOWN) || rp_is(err, RP_E_NO_SPACE)) {
        err = rp_loop_timer(kms->daemon.loop, RETRY_MS, 0, try_again, kms, &kms->open_timer);
        RP_ASSERT(rp_ok(err));
    } else if (!rp_ok(err)) {
        stays_sealed(kms, err, &safe);
    }
}
