/* main.c — rempart-probe: the outside probes on their schedule. */
#include <curl/curl.h>

#include "base/checked.h"
#include "crypto/secret.h"
#include "probe.h"
#include "probing.h"

static const struct rp_probe probes[] = {
    {"tls.versions", probe_tls_versions},
    {"tls.forward_secrecy", probe_tls_forward_secrecy},
    {"web.hsts", probe_web_hsts},
    {"web.https_redirect", probe_web_https_redirect},
    {"web.cookies", probe_web_cookies},
    {"gate.lists", probe_gate_lists},
    {"page.coverage", probe_page_coverage},
    {"page.encryption_details", probe_page_encryption_details},
    {"waf.attacks_blocked", probe_waf_attacks_blocked},
    {"waf.benign_passes", probe_waf_benign_passes},
    {"waf.owasp_classes", probe_waf_owasp_classes},
    {"tls.server_identity", probe_tls_server_identity},
    {"tls.client_identity", probe_tls_client_identity},
    {"ddos.availability", probe_ddos_availability},
    {"ddos.flood_drill", probe_ddos_flood_drill},
    {"people.risk_role_refused", probe_people_risk_role_refused},
    {"people.unsigned_refused", probe_people_unsigned_refused},
    {"datacentre.entry_refused", probe_datacentre_entry_refused},
    {"change.self_approval_refused", probe_change_self_approval_refused},
    {"change.unapproved_refused", probe_change_unapproved_refused},
    {"premises.purpose_edit_refused", probe_premises_purpose_edit_refused},
    {"supplier.unassessed_refused", probe_supplier_unassessed_refused},
    {"tenant.egress_blocked", probe_tenant_egress_blocked},
    {"tenant.api_cross_read", probe_tenant_api_cross_read},
    {"signin.password_alone", probe_signin_password_alone},
    {"signin.totp", probe_signin_totp},
    {"signin.webauthn_platform", probe_signin_webauthn_platform},
    {"signin.webauthn_roaming", probe_signin_webauthn_roaming},
    {"audit.canary_visible", probe_audit_canary_visible},
    {"customer.weak_password", probe_customer_weak_password},
    {"customer.session_revoked", probe_customer_session_revoked},
    {"customer.forbidden_share", probe_customer_forbidden_share},
    {"customer.grant_revoked", probe_customer_grant_revoked},
    {"admin.staff_read_refused", probe_admin_staff_read_refused},
    {"admin.catalogue_kept", probe_admin_catalogue_kept},
    {"customer.outdated_notice", probe_customer_outdated_notice},
    {"customer.responsibility_page", probe_customer_responsibility_page},
    {"customer.lookalike_flagged", probe_customer_lookalike_flagged},
    {"customer.lookalike_feed", probe_customer_lookalike_feed},
    {"customer.labels_kept", probe_customer_labels_kept},
    {"tenant.export_reimport", probe_tenant_export_reimport},
};

/* Where a stranger would find the gate; from this machine, the loopback stands for "everywhere". */
static const char *gate_address(const struct rp_config *config) {
    return strcmp(config->address, "0.0.0.0") == 0 ? "127.0.0.1" : config->address;
}

static rp_err serve(struct daemon *daemon) {
    struct rp_promises promises;
    RP_TRY(probing_load(daemon, &promises));
    RP_TRY(rp_crypto_start());
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return daemon_fail(daemon, RP_ERR(SYSTEM), "libcurl", NULL);
    }
    if (*daemon->config.acme_directory) {
        rp_err trust = http_trust_both();
        if (!rp_ok(trust)) {
            rp_ignore(
                daemon_fail(daemon, trust, "probe/trust.pem", NULL)); /* the local one, then */
        }
    }
    struct probe probe = {.env = daemon->env,
                          .config = &daemon->config,
                          .promises = &promises,
                          .address = gate_address(&daemon->config)};
    rp_err err =
        probing_run(daemon, &promises, probes, RP_COUNT_OF(probes), &probe, &probe.stopping);
    for (size_t i = 0; i < RP_CANARIES; i++) {
        http_free(probe.people[i].http);
    }
    probe_lone_done(&probe.member);
    probe_lone_done(&probe.staff.alone);
    rp_arena_free(probe.credentials);
    curl_global_cleanup();
    return err;
}

int main(int argc, char **argv) {
    struct daemon daemon;
    rp_err err = daemon_start(&daemon, RP_ROLE_PROBE, argc, argv);
    if (rp_ok(err)) {
        err = serve(&daemon);
    }
    daemon_done(&daemon);
    return daemon_exit_code(err);
}
