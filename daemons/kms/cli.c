/* cli.c — what the operator may ask at a terminal: status, unsealing, rotation, a recovery code. */
#include "base/assert.h"
#include "base/checked.h"
#include "keys/backup_key.h"
#include "kms.h"

/* 0 = a passphrase, 1 = a recovery code, 2 = a share: answered by how many are still missing. */
static rp_err unseal(struct kms *kms, rp_view request) {
    struct rp_unpack in = rp_unpack_new(request);
    uint8_t kind = rp_unpack_u8(&in);
    rp_view opener = rp_unpack_bytes(&in, RP_PASSPHRASE_MAX);
    RP_TRY(rp_unpack_end(&in));
    if (kind == 2) {
        unsigned missing = 0;
        RP_TRY(kms_take_share(kms, opener, &missing));
        rp_pack_u8(&kms->reply, (uint8_t)missing);
        return rp_buf_err(&kms->reply);
    }
    if (kind > 1) {
        return RP_ERR(INVALID);
    }
    return kms_unseal(kms, kind == 0 ? RP_ROOT_PASSPHRASE : RP_ROOT_RECOVERY, opener);
}

static rp_err record_and_save(struct kms *kms, enum rp_key_kind kind) {
    size_t active = rp_hierarchy_active(kms->hierarchy, kind);
    struct rp_key_fact fact = rp_hierarchy_fact(kms->hierarchy, active);
    RP_TRY(kms_record_rotated(kms, &fact));
    return rp_safe_save(kms->hierarchy);
}

/* Nothing, or one byte: the kind of key (rp_key_kind); the master key when nothing is said. */
static rp_err rotate(struct kms *kms, rp_view request) {
    uint8_t kind = request.n == 0 ? (uint8_t)RP_KEY_MASTER : request.p[0];
    if (request.n > 1 || kind < RP_KEY_MASTER || kind >= RP_KEY_KIND_END) {
        return RP_ERR(INVALID);
    }
    RP_TRY(kms_flush_assertions(kms));
    RP_TRY(rp_hierarchy_rotate(kms->hierarchy, (enum rp_key_kind)kind));
    rp_err err = record_and_save(kms, (enum rp_key_kind)kind);
    if (!rp_ok(err)) {
        rp_hierarchy_rotate_undo(kms->hierarchy);
        return err;
    }
    return RP_OK;
}

/* One byte: 1 = a new code though there is one, which it cancels. */
static rp_err recovery(struct kms *kms, rp_view request) {
    if (request.n != 1 || request.p[0] > 1) {
        return RP_ERR(INVALID);
    }
    if (rp_safe_has_recovery() && request.p[0] == 0) {
        return RP_ERR(DUPLICATE);
    }
    RP_TRY(kms_record_recovery(kms));
    struct rp_buf text = rp_buf_new(128);
    rp_err err = rp_safe_new_recovery(&kms->daemon.env, kms->hierarchy, &text);
    if (rp_ok(err)) {
        rp_pack_bytes(&kms->reply, rp_buf_view(&text));
        err = rp_buf_err(&kms->reply);
    }
    rp_wipe(text.p, text.capacity);
    rp_buf_done(&text);
    return err;
}

/* How many shares, and how many of them open. On record before anybody has one. */
static rp_err split(struct kms *kms, rp_view request) {
    struct rp_unpack in = rp_unpack_new(request);
    uint8_t count = rp_unpack_u8(&in), threshold = rp_unpack_u8(&in);
    struct rp_buf shares[RP_SHAMIR_MAX];
    RP_TRY(rp_unpack_end(&in));
    if (threshold < 2 || threshold > count || count > RP_SHAMIR_MAX) {
        return RP_ERR(INVALID);
    }
    RP_TRY(kms_record_split(kms, count, threshold));
    for (size_t i = 0; i < RP_SHAMIR_MAX; i++) {
        shares[i] = rp_buf_new(RP_SHARE_TEXT);
    }
    rp_err err = rp_safe_split(&kms->daemon.env, kms->hierarchy, threshold, count, shares);
    for (size_t i = 0; i < RP_SHAMIR_MAX; i++) {
        if (rp_ok(err) && i < count) {
            rp_pack_bytes(&kms->reply, rp_buf_view(&shares[i]));
        }
        rp_wipe(shares[i].p, shares[i].capacity);
        rp_buf_done(&shares[i]);
    }
    return rp_ok(err) ? rp_buf_err(&kms->reply) : err;
}

/* ---- backups ---- */

static rp_err pack_key(struct kms *kms, const struct rp_secret *key) {
    uint8_t bytes[RP_AEAD_KEY];
    rp_secret_reveal(key, bytes, sizeof bytes);
    rp_pack_bytes(&kms->reply, rp_view_of(bytes, sizeof bytes));
    rp_wipe(bytes, sizeof bytes);
    return rp_buf_err(&kms->reply);
}

/* A new backup's id; its key is on record before it leaves. */
static rp_err backup_key(struct kms *kms, rp_view request) {
    struct rp_unpack in = rp_unpack_new(request);
    rp_id backup = rp_unpack_id(&in);
    RP_TRY(rp_unpack_end(&in));
    _cleanup_(rp_buf_done) struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(rp_backup_key_new(kms->hierarchy, backup, &wrapped, &key));
    RP_TRY(kms_record_backup_key(kms, backup));
    rp_pack_bytes(&kms->reply, rp_buf_view(&wrapped));
    return pack_key(kms, key);
}

/* A backup's id and its wrapped key. */
static rp_err backup_open(struct kms *kms, rp_view request) {
    static const rp_id no_tenant;
    struct rp_unpack in = rp_unpack_new(request);
    rp_id backup = rp_unpack_id(&in);
    rp_view wrapped = rp_unpack_bytes(&in, RP_WRAPPED_MAX);
    RP_TRY(rp_unpack_end(&in));
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    rp_err err = rp_backup_key_open(kms->hierarchy, backup, wrapped, &key);
    if (!rp_ok(err)) {
        return kms_refuse(kms, no_tenant, "backup: not wrapped here, or altered", err);
    }
    RP_TRY(kms_record_backup_opened(kms, backup));
    return pack_key(kms, key);
}

rp_err kms_answer_cli(struct kms *kms, enum rp_ipc_message message, rp_view request) {
    switch ((int)message) {
    case RP_IPC_CLI_KMS_STATUS:
        return kms_answer_inventory(kms);
    case RP_IPC_CLI_KMS_UNSEAL:
        return unseal(kms, request);
    case RP_IPC_CLI_KMS_ROTATE:
        return kms->hierarchy ? rotate(kms, request) : RP_ERR(KMS_SEALED);
    case RP_IPC_CLI_KMS_RECOVERY:
        return kms->hierarchy ? recovery(kms, request) : RP_ERR(KMS_SEALED);
    case RP_IPC_CLI_KMS_SPLIT:
        return kms->hierarchy ? split(kms, request) : RP_ERR(KMS_SEALED);
    case RP_IPC_CLI_KMS_BACKUP_KEY:
        return kms->hierarchy ? backup_key(kms, request) : RP_ERR(KMS_SEALED);
    case RP_IPC_CLI_KMS_BACKUP_OPEN:
        return kms->hierarchy ? backup_open(kms, request) : RP_ERR(KMS_SEALED);
    default:
        return RP_ERR(PROTOCOL); /* the pair table lets nothing else through */
    }
}
