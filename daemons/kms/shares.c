/* shares.c — the shares of several people come in, one after the other, until there are enough.
 *
 * They stand in locked memory for a quarter of an hour at most after the last one. Each is on
 * record before it counts; together they are tried once, and forgotten either way.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "kms.h"

enum { KEEP_MS = 15 * 60 * 1000, SHARES_BYTES = RP_SHAMIR_MAX * RP_UNSEAL_KEY };

static const rp_id no_tenant;

static int64_t monotonic_ms(const struct kms *kms) {
    return rp_env_monotonic_ms(&kms->daemon.env);
}

void kms_forget_shares(struct kms *kms) {
    rp_secret_free(kms->shares.bytes);
    kms->shares = (struct kms_shares){.count = 0};
}

void kms_tidy_shares(struct kms *kms) {
    if (kms->shares.count > 0 && monotonic_ms(kms) - kms->shares.last_ms > KEEP_MS) {
        daemon_say(&kms->daemon, "shares: nobody gave another for a quarter of an hour; forgotten");
        kms_forget_shares(kms);
    }
}

/* Of the split that counts now, of its threshold, and not there yet. */
static rp_err check(const struct kms *kms, const struct rp_share *share) {
    uint8_t set[RP_SHARE_SET];
    rp_err err = rp_safe_share_set(set);
    if (!rp_ok(err)) {
        return rp_is(err, RP_E_NOT_FOUND) ? RP_ERR(CONFLICT) : err;
    }
    bool ours = rp_ct_equal(rp_view_of(set, sizeof set), rp_view_of(share->set, sizeof set)) &&
                (kms->shares.count == 0 || kms->shares.threshold == share->threshold);
    if (!ours) {
        return RP_ERR(CONFLICT);
    }
    for (unsigned i = 0; i < kms->shares.count; i++) {
        if (kms->shares.places[i] == share->place) {
            return RP_ERR(DUPLICATE);
        }
    }
    return RP_OK;
}

/* A new secret with one share more: a secret is made whole and never changed. */
static rp_err keep(struct kms *kms, const struct rp_share *share) {
    uint8_t all[SHARES_BYTES] = {0};
    struct rp_secret *bytes = NULL;
    if (kms->shares.bytes) {
        rp_secret_reveal(kms->shares.bytes, all, sizeof all);
    }
    memcpy(all + kms->shares.count * RP_UNSEAL_KEY, share->bytes, RP_UNSEAL_KEY);
    rp_err err = rp_secret_new_take(all, sizeof all, &bytes);
    rp_wipe(all, sizeof all);
    RP_TRY(err);
    rp_secret_free(kms->shares.bytes);
    kms->shares.bytes = bytes;
    kms->shares.places[kms->shares.count++] = share->place;
    kms->shares.threshold = share->threshold;
    kms->shares.last_ms = monotonic_ms(kms);
    return RP_OK;
}

static rp_err combine(const struct kms *kms, struct rp_secret **ret_secret) {
    uint8_t all[SHARES_BYTES], shares[RP_SHAMIR_MAX][RP_SHAMIR_BYTES_MAX];
    rp_secret_reveal(kms->shares.bytes, all, sizeof all);
    for (unsigned i = 0; i < kms->shares.count; i++) {
        memcpy(shares[i], all + i * RP_UNSEAL_KEY, RP_UNSEAL_KEY);
    }
    rp_err err =
        rp_shamir_combine(kms->shares.places, (const uint8_t(*)[RP_SHAMIR_BYTES_MAX])shares,
                          kms->shares.count, RP_UNSEAL_KEY, ret_secret);
    rp_wipe(all, sizeof all);
    rp_wipe(shares, sizeof shares);
    return err;
}

static rp_err open_by_shares(struct kms *kms) {
    uint8_t opener[RP_UNSEAL_KEY];
    _cleanup_(rp_secret_freep) struct rp_secret *secret = NULL;
    rp_err err = combine(kms, &secret);
    kms_forget_shares(kms);
    RP_TRY(err);
    rp_secret_reveal(secret, opener, sizeof opener);
    err = kms_unseal(kms, RP_ROOT_SHARES, rp_view_of(opener, sizeof opener));
    rp_wipe(opener, sizeof opener);
    return err;
}

rp_err kms_take_share(struct kms *kms, rp_view text, unsigned *ret_missing) {
    struct rp_share share;
    *ret_missing = 0;
    if (kms->hierarchy) {
        return RP_OK; /* open already: nothing was looked at */
    }
    rp_err err = rp_share_parse(text, &share);
    if (rp_ok(err)) {
        err = check(kms, &share);
    }
    if (!rp_ok(err)) {
        rp_wipe(&share, sizeof share);
        return kms_refuse(kms, no_tenant,
                          rp_is(err, RP_E_INVALID)    ? "share: mistyped"
                          : rp_is(err, RP_E_CONFLICT) ? "share: of another split"
                                                      : "share: given already",
                          err);
    }
    err = kms_record_share(kms, share.place, kms->shares.count + 1, share.threshold);
    if (rp_ok(err)) {
        err = keep(kms, &share);
    }
    rp_wipe(&share, sizeof share);
    RP_TRY(err);
    if (kms->shares.count < kms->shares.threshold) {
        *ret_missing = kms->shares.threshold - kms->shares.count;
        return RP_OK;
    }
    return open_by_shares(kms);
}
