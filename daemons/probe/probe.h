/* probe.h — the outside probes: attacks like a stranger's, over the network, all day.
 *
 * The role holds canary credentials and nothing else. Each probe looks at the gate as anybody
 * can, concludes, and says why in words for the public page. A probe that cannot look concludes
 * nothing (unsure), so that its part goes stale instead of green or red.
 */
#ifndef RP_DAEMONS_PROBE_H
#define RP_DAEMONS_PROBE_H

#include "config/config.h"
#include "crypto/hash.h"
#include "http.h"
#include "promise/canary.h"
#include "promise/runner_io.h"

/* A canary's browser: signed in when it has to be, and its latest facts. */
struct canary_session {
    const struct rp_canary *who;
    struct http *http;
    uint64_t last_step; /* of the one-time code: each counts once */
    rp_id record;       /* the record that it keeps in its tenant; none = not yet */
    int64_t since_ms;   /* when it signed in last */
};

/* One whose credentials stand in a file of its own. */
struct lone_canary {
    struct rp_canary who;
    struct rp_arena *credentials; /* what who points into */
    struct canary_session session;
};

enum { PROBE_GATES = 6, CANARY_DIGEST = 2 * RP_SHA256 + 1 };
/* The canary of the registers' gates, and the records that it has on its own shelf. */
struct staff_canary {
    struct lone_canary alone;
    rp_id colleague, records[PROBE_GATES];
    rp_id change; /* that lists the artefact which nobody approves */
    char artefact[CANARY_DIGEST];
};

struct probe {
    struct rp_env env;
    const struct rp_config *config;
    const struct rp_promises *promises;
    const char *address; /* where the gate is, as an IP address */
    atomic_bool stopping;
    struct rp_canaries canaries;
    struct rp_arena *credentials; /* what the canaries point into; NULL until they are there */
    struct canary_session people[RP_CANARIES];
    struct lone_canary member; /* no administrator, in the tenant of the first */
    struct staff_canary staff;
};

/* Credentials appear when core has made them: looked for until they are there. */
bool probe_ready(struct probe *probe, struct rp_observation *seen);
/* The same for one with a file of its own; unsure while it is not there. */
bool probe_lone_ready(struct probe *probe, struct lone_canary *canary, const char *path,
                      struct rp_observation *seen);
void probe_lone_done(struct lone_canary *canary);
/* A browser that nobody knows; NULL without memory. http_free. */
struct http *probe_browser(const struct probe *probe);

/* ---- signin.c: what the others build on ---- */

/* A session with both factors, new or still good. False (and unsure) when it cannot be had. */
bool canary_sign_in(struct probe *probe, struct canary_session *canary,
                    struct rp_observation *seen);
/* Address and password; *answer is then the page that asks for the code (or whatever came). */
rp_err canary_password_step(struct canary_session *canary, struct http_answer *answer);
/* The same for an account that no application lets in: it sees its own account page. fresh: the
 * second factor is shown anew unless that was less than nine minutes ago. */
bool canary_sign_in_outside(struct probe *probe, struct canary_session *canary, bool fresh,
                            struct rp_observation *seen);
/* The same for the canary of the staff; gates.c. */
bool probe_staff_ready(struct probe *probe, bool fresh, struct rp_observation *seen);
/* Its colleague is on its shelf, whom it may name; false (and unsure) when it cannot be made. */
bool probe_staff_colleague(struct probe *probe, struct rp_observation *seen);
/* The assertion that the gate gives applications for this canary, into the answer's arena. */
bool canary_assertion(struct canary_session *canary, struct http_answer *answer, rp_view *ret_jwt);

/* ---- api.c ---- */

/* One call of the API as the canaries' application: with its token, and with `proof` for whom. */
struct canary_call {
    const char *method, *path;
    const char *proof; /* "Rempart-Assertion: …" or "Rempart-Grant: …"; NULL = none */
    rp_view body;
};
rp_err canary_api(struct probe *probe, struct canary_session *canary,
                  const struct canary_call *call, struct http_answer *answer);
enum { CANARY_PROOF = 2200 };
/* Signs in where it has to, and writes the proof for this canary. False (and unsure) when not. */
bool canary_proof(struct probe *probe, struct canary_session *canary, struct rp_observation *seen,
                  char ret_proof[static CANARY_PROOF]);

/* ---- signin.c, once more: forms and places ---- */

/* Sends a form as a browser does. */
rp_err canary_post_form(struct http *http, const char *path, const struct rp_buf *form,
                        struct http_answer *answer);
void canary_add_field(struct rp_buf *form, const char *name, rp_view value);
/* True when the canaries' application lets this browser in. */
bool canary_is_inside(struct canary_session *canary, struct http_answer *answer);

/* ---- the probes, one function each, as probes.def names them ---- */
rp_probe_run probe_tls_versions, probe_tls_forward_secrecy;
rp_probe_run probe_web_hsts, probe_web_https_redirect, probe_web_cookies;
rp_probe_run probe_gate_lists, probe_tls_server_identity, probe_tls_client_identity;
rp_probe_run probe_ddos_availability, probe_ddos_flood_drill;
rp_probe_run probe_page_coverage, probe_page_encryption_details;
rp_probe_run probe_waf_attacks_blocked, probe_waf_benign_passes, probe_waf_owasp_classes;
rp_probe_run probe_signin_password_alone, probe_signin_totp;
rp_probe_run probe_signin_webauthn_platform, probe_signin_webauthn_roaming;
rp_probe_run probe_customer_weak_password, probe_customer_session_revoked;
rp_probe_run probe_customer_forbidden_share, probe_customer_grant_revoked;
rp_probe_run probe_admin_staff_read_refused, probe_admin_catalogue_kept;
rp_probe_run probe_customer_outdated_notice, probe_customer_responsibility_page;
rp_probe_run probe_customer_lookalike_flagged, probe_customer_lookalike_feed;
rp_probe_run probe_customer_labels_kept, probe_tenant_export_reimport;
rp_probe_run probe_people_risk_role_refused, probe_people_unsigned_refused;
rp_probe_run probe_datacentre_entry_refused, probe_change_self_approval_refused;
rp_probe_run probe_supplier_unassessed_refused, probe_change_unapproved_refused;
rp_probe_run probe_premises_purpose_edit_refused;
rp_probe_run probe_tenant_egress_blocked;
rp_probe_run probe_tenant_api_cross_read, probe_audit_canary_visible;

#endif
