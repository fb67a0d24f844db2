/* client.c — where a client's certificate is asked for, nobody comes without: a canary name that
 * every gate has, and each application with a client_ca. */
#include "base/checked.h"
#include "crypto/x509.h"
#include "probe.h"
#include "promise/canary.h"

enum { CERT_MAX = 16384, CERT_DAYS = 2 };

struct stranger {
    struct rp_buf cert, key;
};

/* A certificate that is well made, and signed by an authority that nobody knows. */
static rp_err make_stranger(const struct rp_env *env, struct stranger *stranger) {
    static const char *const names[] = {"stranger.invalid"};
    _cleanup_(rp_buf_done) struct rp_buf ca = rp_buf_new(CERT_MAX);
    _cleanup_(rp_buf_done) struct rp_buf ca_key = rp_buf_new(CERT_MAX);
    RP_TRY(rp_x509_make_ca(env, "Nobody's authority", CERT_DAYS, &ca, &ca_key));
    return rp_x509_make_leaf(env, rp_buf_view(&ca), rp_buf_view(&ca_key), names, 1, CERT_DAYS,
                             &stranger->cert, &stranger->key);
}

/* 403, or an end of the handshake: both are no. */
static bool is_refused(const struct probe *probe, const char *name, const char *port_name,
                       const struct stranger *stranger, struct rp_observation *seen) {
    long status = 0;
    rp_view cert = stranger ? rp_buf_view(&stranger->cert) : (rp_view){NULL, 0};
    rp_view key = stranger ? rp_buf_view(&stranger->key) : (rp_view){NULL, 0};
    rp_err err = http_with_certificate(probe->people[0].http, name, cert, key, &status);
    if (rp_is(err, RP_E_UNREACHABLE)) {
        rp_probe_unsure(seen, "no connection to %.100s", name);
        return false;
    }
    if (rp_ok(err) && status != 403) {
        rp_probe_broken(seen, "%.100s asks for a client's certificate, and answered %s with %ld",
                        name, port_name, status);
        return false;
    }
    return true;
}

static bool refuses_both(const struct probe *probe, const char *name,
                         const struct stranger *stranger, struct rp_observation *seen) {
    return is_refused(probe, name, "a client without one", NULL, seen) &&
           is_refused(probe, name, "one of an unknown authority", stranger, seen);
}

/*= S75: clients can be told from strangers by their certificates. */
void probe_tls_client_identity(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    struct stranger stranger = {rp_buf_new(CERT_MAX), rp_buf_new(CERT_MAX)};
    size_t apps = 0;
    if (!probe_ready(probe, seen)) {
        return;
    }
    bool good = rp_ok(make_stranger(&probe->env, &stranger));
    if (!good) {
        rp_probe_unsure(seen, "no certificate to try with");
    }
    good = good && refuses_both(probe, RP_CLIENT_CANARY, &stranger, seen);
    for (size_t i = 0; good && i < probe->config->app_count; i++) {
        const struct rp_config_app *app = &probe->config->apps[i];
        if (app->client_ca) {
            apps++;
            good =
                refuses_both(probe, *app->host ? app->host : probe->config->host, &stranger, seen);
        }
    }
    if (good) {
        rp_probe_holds(seen,
                       "refused without a certificate and with a stranger's: the canary name "
                       "and %zu applications",
                       apps);
    }
    rp_wipe(stranger.key.p, stranger.key.n);
    rp_buf_done(&stranger.key);
    rp_buf_done(&stranger.cert);
}
