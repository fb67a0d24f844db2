/* certificate.c — who the gate says it is: the certificate of each name, as every visitor sees it.
 */
#include "base/checked.h"
#include "crypto/x509.h"
#include "probe.h"

enum { TENTH = 10, DAY_S = 24 * 3600 };

/* Renewal comes long before: a certificate with less than a tenth of its life was not renewed, and
 * that is told while it still works. */
static bool is_fresh(const struct probe *probe, const char *name, const struct rp_x509_facts *facts,
                     int64_t *least_s, struct rp_observation *seen) {
    int64_t left_s = facts->until_s - rp_env_now_s(&probe->env);
    *least_s = RP_MIN(*least_s, left_s);
    if (left_s >= (facts->until_s - facts->since_s) / TENTH) {
        return true;
    }
    rp_probe_broken(seen, "the certificate of %.100s ends in %lld days and was not renewed", name,
                    (long long)(left_s / DAY_S));
    return false;
}

/* A name with a certificate by ACME is to be believed by everybody, not only by those who trust
 * this installation's own authority. */
static bool is_public(const struct probe *probe, const char *name) {
    const char *names[RP_CONFIG_NAMES_MAX];
    size_t count = rp_config_acme_names(probe->config, names);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_good(const struct probe *probe, const char *name, int64_t *least_s,
                    struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    struct rp_x509_facts facts;
    rp_view pem;
    rp_err err =
        http_certificate(probe->people[0].http, name, is_public(probe, name), &answer, &pem);
    if (rp_is(err, RP_E_UNAUTHENTICATED)) {
        rp_probe_broken(
            seen, "the certificate of %.100s is not trusted, not of that name, or ended", name);
        return false;
    }
    if (rp_ok(err)) {
        err = rp_x509_read(pem, answer.arena, &facts);
    }
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "no TLS connection to %.100s", name);
        return false;
    }
    return is_fresh(probe, name, &facts, least_s, seen);
}

/*= S73, S75: whoever connects can tell that it is us, now and after the next renewal. */
void probe_tls_server_identity(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    int64_t least_s = INT64_MAX;
    if (!probe_ready(probe, seen) || !is_good(probe, probe->config->host, &least_s, seen)) {
        return;
    }
    size_t names = 1;
    for (size_t i = 0; i < probe->config->app_count; i++) {
        const char *host = probe->config->apps[i].host;
        if (*host && strcmp(host, probe->config->host) != 0) {
            names++;
            if (!is_good(probe, host, &least_s, seen)) {
                return;
            }
        }
    }
    rp_probe_holds(seen,
                   "chain, name and dates of %zu names verified; the first certificate ends "
                   "in %lld days",
                   names, (long long)(least_s / DAY_S));
}
