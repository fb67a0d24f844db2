/* config.h — rempart.yaml: one table makes the parser, the check, the sample and the man page.
 *
 * Unknown keys, wrong types and values out of range refuse to start, with line, column and what
 * is expected. Roles read the same file with the same code; nothing is typed twice.
 */
#ifndef RP_CONFIG_CONFIG_H
#define RP_CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "os/role.h"

enum {
    RP_APPS_MAX = 32,
    RP_APP_UPSTREAMS_MAX = 16,
    RP_APP_PATHS_MAX = 64,
    RP_APP_HEADERS_MAX = 16,
    RP_PEERS_MAX = 4,
    RP_CONFIG_NAMES_MAX = RP_APPS_MAX + 1,
    RP_WEBHOOKS_MAX = 16,
    RP_WEBHOOK_NAME_MAX = 32,
    RP_WEBHOOK_EVENTS_MAX = 32
};

/* Texts, in the order of the file. */
struct rp_config_list {
    const char *const *items;
    size_t count;
};

/* A place of an application with rules of its own. "/x/" is everything below, "/x" one address. */
struct rp_config_path {
    const char *path;
    const char *sign_in;   /* as the application's, where the file says nothing */
    const char *acr;       /* likewise */
    bool stream;           /* bodies pass as they come, both ways */
    uint64_t body_max_kib; /* 0 = the application's */
    const char *waf;       /* the mode, likewise; NULL = waf.mode */
    uint64_t per_second;   /* requests of one address to this place; 0 = as everywhere */
};

/* A security header: in place of what the application says; "" = the gate adds none. */
struct rp_config_header {
    const char *name, *value;
};

struct rp_config_app {
    const char *name;     /* [a-z0-9-]{1,32}: also the audience of its assertions */
    const char *host;     /* "" = the default app of this installation */
    const char *upstream; /* "http://127.0.0.1:PORT" or "unix:PATH"; the first of several */
    struct rp_config_list more_upstreams;
    const char *health;    /* the path where each of several is asked; NULL = nobody asks */
    const char *sign_in;   /* "none", "optional", "required" */
    const char *acr;       /* "mfa", "phr"; NULL or "" = what sign_in.second_factor asks for */
    const char *client_ca; /* PEM of the authorities whose certificates may come; NULL = anybody */
    uint64_t body_max_kib; /* 0 = gate.body_max_kib */
    const char *waf;       /* "on", "detect", "learn", "off"; NULL = waf.mode */
    uint64_t waf_paranoia; /* 0 = waf.paranoia */
    const char *waf_model; /* an OpenAPI file; NULL = none */
    const char *waf_model_mode; /* "on", "detect"; NULL = "on" */
    const char *waf_label;      /* of what is sent there; NULL = "personal" */
    const struct rp_config_path *paths;
    size_t path_count;
    const struct rp_config_header *headers;
    size_t header_count;
    /* identity_headers: header name and what it carries: subject, email, tenant, roles */
    struct {
        const char *header;
        const char *value;
    } identity_headers[8];
    size_t identity_header_count;
};

/* A port that others than the gate open, of network.declared_ports. */
struct rp_config_port {
    bool udp;
    uint16_t port;
    rp_view who, why;
};

/* Where a machine listens for the others of its installation. */
struct rp_config_endpoint {
    const char *address; /* IPv4 or IPv6 text; NULL = nowhere */
    uint16_t port;
};

/* Another machine of this installation, of link.peers. */
struct rp_config_peer {
    const char *name;
    struct rp_config_endpoint at;
    const char *key; /* its fingerprint, "SHA256:…" */
    unsigned runs;   /* roles that run there and not here, and may ask those that run here */
};

/* A set of roles has one bit a role. */
#define RP_ROLE_BIT(id) (1U << (unsigned)(id))

struct rp_yaml;
/* One of the operator's own programs that learns of events. */
struct rp_config_webhook {
    const char *name, *endpoint, *secret, *authority; /* authority "": the system's */
    const char *also_private;                         /* "true": private addresses are allowed */
    struct rp_config_list events;                     /* "register.due", "certificate.*", "*" */
    const struct rp_yaml *events_node;                /* where they stand; in the arena */
};

struct rp_config {
    const char *host, *address, *certificate, *certificate_key, *store, *unseal;
    struct rp_config_list trusted_proxies;
    const char *client_address;
    const char *acme_directory, *acme_contact, *acme_terms, *acme_eab;
    struct rp_config_list acme_names;
    const char *smtp_url, *smtp_from, *smtp_credentials, *smtp_authority;
    const char *quiet, *digest;
    const char *breached_list;
    const char *log_format, *log_file;
    const char *waf_mode, *waf_rules, *waf_over_budget;
    uint64_t waf_paranoia, waf_learn_people, waf_learn_organisations;
    struct rp_config_list witnesses;    /* each as rp_config_witness reads it */
    struct rp_config_list witness_logs; /* verifier keys of logs */
    const char *witness_authority, *witness_private;
    uint64_t witness_age;
    struct rp_config_list declared_ports; /* each as rp_config_declared_port reads it */
    const char *second_factor, *operator_name, *contact, *bounty_url;
    uint64_t listen, listen_http, workers, body_max_kib, session_hours, idle_minutes;
    uint64_t disk_free_percent, drain_seconds, metrics_port, records_max, mib_max;
    const char *share_label_max; /* "personal" */
    uint64_t share_days_max, close_days;
    uint64_t limit_address, limit_network, limit_session, limit_tenant, limit_sign_in,
        limit_strangers;
    struct rp_config_app *apps; /* room for RP_APPS_MAX, in the arena */
    size_t app_count;
    struct rp_config_list watch_domains, watch_honest;
    uint64_t watch_feed_days;
    const char *vault_log; /* "" = this machine keeps no copy of a log */
    const char *link_listen;
    struct rp_config_endpoint link;
    struct rp_config_peer *peers; /* room for RP_PEERS_MAX, in the arena */
    size_t peer_count;
    struct rp_config_list runs;
    unsigned runs_here; /* the set of roles that run on this machine, once the file is read */

    struct rp_config_webhook *webhooks; /* room for RP_WEBHOOKS_MAX, in the arena */
    size_t webhook_count;
};

/* Everything lives in the arena. SYNTAX, UNKNOWN_KEY, INVALID with position in diag. */
rp_err rp_config_parse(rp_view yaml, struct rp_arena *arena, struct rp_config *ret_config,
                       struct rp_diag *diag);
/* The same, with diag in the language of whoever reads it; rp_config_parse speaks English, for logs
 * and events. */
rp_err rp_config_parse_for(enum rp_lang lang, rp_view yaml, struct rp_arena *arena,
                           struct rp_config *ret_config, struct rp_diag *diag);
/* What an empty file means. */
rp_err rp_config_default(struct rp_arena *arena, struct rp_config *ret_config);
/* "tcp 22 operations: remote administration"; false when it is not of that form. */
bool rp_config_declared_port(rp_view text, struct rp_config_port *ret_port);
/* Whether the role runs on this machine. */
bool rp_config_runs_here(const struct rp_config *config, enum rp_role_id role);
/* The machine that the role runs on, NULL when it is this one. */
const struct rp_config_peer *rp_config_runs_there(const struct rp_config *config,
                                                  enum rp_role_id role);
/* Whether a machine of this installation, this one or another, keeps a copy of the log. */
bool rp_config_has_vault(const struct rp_config *config);
/* Where an application listens, "http://127.0.0.1:3000"; false for a local socket. */
bool rp_config_upstream(rp_view text, rp_view *ret_host, uint16_t *ret_port);
/* A witness of ledger.witnesses; false when the text is not of that form. */
struct rp_config_witness {
    rp_view url;  /* "https://…", without a slash at its end */
    rp_view name; /* of its key */
    rp_view vkey; /* of type 4, with the key id that is its own */
};
bool rp_config_witness(rp_view text, struct rp_config_witness *ret_witness);
/* The name that this installation's own witness signs with: "host/witness". */
enum { RP_CONFIG_WITNESS_NAME_MAX = 264 };
void rp_config_own_witness(const struct rp_config *config,
                           char out[static RP_CONFIG_WITNESS_NAME_MAX]);
/* The address of the ACME directory; "" without one. */
const char *rp_config_acme_url(const struct rp_config *config);
/* The names that get a certificate by ACME: acme.names, else every served name with a dot. */
size_t rp_config_acme_names(const struct rp_config *config,
                            const char *ret_names[static RP_CONFIG_NAMES_MAX]);
/* A commented sample with every setting and its default, in the language. */
void rp_config_print_sample(struct rp_buf *out, enum rp_lang lang);

#endif
