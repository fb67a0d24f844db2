#include "crypto/tls_channel.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/tls_internal.h"

enum { STEP = 8 * 1024 };

struct rp_tls_channel {
    SSL *tls;
    BIO *in, *out; /* the SSL's */
    const struct rp_sha256 *known;
    size_t known_count;
    struct rp_sha256 peer;
    bool has_peer, failed;
};

rp_err rp_tls_channel_new(const struct rp_tls_key *key, enum rp_tls_end end,
                          const struct rp_sha256 *known, size_t known_count,
                          struct rp_tls_channel **ret_channel) {
    RP_ASSERT(key != NULL && known_count > 0);
    struct rp_tls_channel *channel = calloc(1, sizeof *channel);
    if (!channel) {
        return RP_ERR(NO_MEMORY);
    }
    channel->tls = SSL_new(key->tls);
    channel->in = BIO_new(BIO_s_mem());
    channel->out = BIO_new(BIO_s_mem());
    RP_ASSERT(channel->tls != NULL && channel->in != NULL && channel->out != NULL);
    channel->known = known;
    channel->known_count = known_count;
    SSL_set_bio(channel->tls, channel->in, channel->out);
    int ok = SSL_set_app_data(channel->tls, channel);
    RP_ASSERT(ok == 1);
    if (end == RP_TLS_DIALS) {
        SSL_set_connect_state(channel->tls);
        (void)SSL_do_handshake(channel->tls); /* its first flight; it waits for the answer */
    } else {
        SSL_set_accept_state(channel->tls);
    }
    *ret_channel = channel;
    return RP_OK;
}

void rp_tls_channel_free(struct rp_tls_channel *channel) {
    if (channel) {
        SSL_free(channel->tls); /* and the two BIOs */
        free(channel);
    }
}

/*= S86 */ /* only a machine whose key stands in our configuration is spoken to */
int rp_tls_judge(X509_STORE_CTX *store, void *unused) {
    const SSL *tls = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct rp_tls_channel *channel = SSL_get_app_data(tls);
    X509 *cert = X509_STORE_CTX_get0_cert(store);
    (void)unused;
    RP_ASSERT(channel != NULL);
    channel->has_peer = cert && rp_tls_fingerprint_of(cert, &channel->peer);
    for (size_t i = 0; channel->has_peer && i < channel->known_count; i++) {
        if (rp_sha256_equal(&channel->known[i], &channel->peer)) {
            return 1;
        }
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

/* What OpenSSL's own queue says about the failure; the queue is emptied. */
static rp_err why(struct rp_tls_channel *channel) {
    unsigned long first = ERR_peek_error();
    ERR_clear_error();
    channel->failed = true;
    int reason = ERR_GET_REASON(first);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return RP_ERR(DENIED);
    }
    /* Alerts of the other come as reasons from a thousand up; the ones that it says when our
     * certificate does not please it. */
    static const int unpleased[] = {SSL_AD_BAD_CERTIFICATE, SSL_AD_CERTIFICATE_UNKNOWN,
                                    SSL_AD_ACCESS_DENIED, SSL_AD_UNKNOWN_CA};
    for (size_t i = 0; i < RP_COUNT_OF(unpleased); i++) {
        if (reason == SSL_AD_REASON_OFFSET + unpleased[i]) {
            return RP_ERR(UNAUTHENTICATED);
        }
    }
    return RP_ERR(PROTOCOL);
}

/* *ret_more is false when more has to come from the network first. */
static rp_err read_some(struct rp_tls_channel *channel, struct rp_buf *ret_said, bool *ret_more) {
    uint8_t bytes[STEP];
    size_t n = 0;
    ERR_clear_error();
    int done = SSL_read_ex(channel->tls, bytes, sizeof bytes, &n);
    if (done == 1) {
        rp_buf_add(ret_said, rp_view_of(bytes, n));
        rp_wipe(bytes, n);
        return rp_buf_err(ret_said);
    }
    switch (SSL_get_error(channel->tls, done)) {
    case SSL_ERROR_WANT_READ:
        *ret_more = false;
        return RP_OK;
    case SSL_ERROR_ZERO_RETURN:
        channel->failed = true;
        return RP_ERR(CLOSED);
    default:
        return why(channel);
    }
}

rp_err rp_tls_channel_take(struct rp_tls_channel *channel, rp_view bytes, struct rp_buf *ret_said) {
    RP_TRY(channel->failed ? RP_ERR(CLOSED) : RP_OK);
    while (bytes.n > 0) {
        rp_view some = rp_view_sub(bytes, 0, STEP);
        int taken = BIO_write(channel->in, some.p, (int)some.n);
        if (taken <= 0) {
            channel->failed = true;
            return RP_ERR(NO_MEMORY);
        }
        bytes = rp_view_from(bytes, (size_t)taken);
        for (bool more = true; more;) {
            RP_TRY(read_some(channel, ret_said, &more));
        }
    }
    return RP_OK;
}

rp_err rp_tls_channel_say(struct rp_tls_channel *channel, rp_view what) {
    RP_TRY(channel->failed ? RP_ERR(CLOSED) : RP_OK);
    RP_ASSERT(rp_tls_channel_is_up(channel));
    size_t n = 0;
    if (what.n == 0) {
        return RP_OK;
    }
    ERR_clear_error();
    /* To memory all of it goes at once. */
    if (SSL_write_ex(channel->tls, what.p, what.n, &n) != 1) {
        return why(channel);
    }
    RP_ASSERT(n == what.n);
    return RP_OK;
}

rp_err rp_tls_channel_give(struct rp_tls_channel *channel, struct rp_buf *ret_bytes) {
    char *p = NULL;
    long n = BIO_get_mem_data(channel->out, &p);
    RP_ASSERT(n >= 0);
    if (n > 0) {
        rp_buf_add(ret_bytes, rp_view_of(p, (size_t)n));
        RP_TRY(rp_buf_err(ret_bytes));
        (void)BIO_reset(channel->out);
    }
    return RP_OK;
}

void rp_tls_channel_end(struct rp_tls_channel *channel) {
    if (rp_tls_channel_is_up(channel)) {
        (void)SSL_shutdown(channel->tls); /* best effort: the other sees the socket end, too */
        ERR_clear_error();
    }
}

bool rp_tls_channel_is_up(const struct rp_tls_channel *channel) {
    return !channel->failed && SSL_is_init_finished(channel->tls);
}

const struct rp_sha256 *rp_tls_channel_peer(const struct rp_tls_channel *channel) {
    return channel->has_peer ? &channel->peer : NULL;
}
