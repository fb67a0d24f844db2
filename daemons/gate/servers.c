/* servers.c — a server for each host: whom it lets in, what is its own, and what goes on to core.
 */
#include "servers.h"

#include "applications.h"
#include "base/assert.h"
#include "base/checked.h"
#include "pages.h"
#include "promise/canary.h"

static void add_listen(struct rp_buf *out, const struct rp_config *config, uint64_t port,
                       const char *options) {
    bool v6 = strchr(config->address, ':') != NULL;
    bool proxy = strcmp(config->client_address, "proxy_protocol") == 0;
    rp_buf_printf(out, "        listen %s%s%s:%llu%s%s;\n", v6 ? "[" : "", config->address,
                  v6 ? "]" : "", (unsigned long long)port, options, proxy ? " proxy_protocol" : "");
}

static void add_origin(struct rp_buf *out, const struct rp_config *config, const char *host) {
    rp_buf_printf(out, "https://%s", host);
    if (config->listen != 443) {
        rp_buf_printf(out, ":%llu", (unsigned long long)config->listen);
    }
}

static void add_error_pages(struct rp_buf *out) {
    for (size_t i = 0; i < gate_page_count; i++) {
        unsigned status = gate_pages[i].status;
        bool two = status == 403 || status == 503; /* which of them, a variable says */
        if (status > 599 || status == GATE_NO_CERTIFICATE || two) {
            continue;
        }
        rp_buf_printf(out,
                      "        error_page %u /.rempart/pages/%u.$rempart_lang.$rempart_form;\n",
                      status, status);
    }
    rp_buf_add_cstr(out, "        error_page 403 "
                         "/.rempart/pages/$rempart_denied.$rempart_lang.$rempart_form;\n"
                         "        error_page 503 "
                         "/.rempart/pages/$rempart_busy.$rempart_lang.$rempart_form;\n");
    /* nginx has numbers of its own for these. */
    rp_buf_add_cstr(out, "        error_page 494 =431 "
                         "/.rempart/pages/431.$rempart_lang.$rempart_form;\n"
                         "        error_page 495 496 =403 "
                         "/.rempart/pages/496.$rempart_lang.$rempart_form;\n");
    rp_buf_add_cstr(
        out, "        location ^~ /.rempart/pages/ {\n"
             "            internal;\n"
             "            alias gate/pages/;\n"
             "            types { text/html html; application/problem+json json; }\n"
             "            charset utf-8;\n"
             "            etag off;\n"
             "            add_header Cache-Control no-store always;\n"
             "            add_header Retry-After $rempart_retry always;\n"
             "            add_header Set-Cookie $rempart_challenge always;\n"
             "            add_header Content-Security-Policy \"default-src 'none'; style-src "
             "'unsafe-inline'; script-src ");
    gate_page_script(out);
    rp_buf_add_cstr(out, "; base-uri 'none'; frame-ancestors 'none'\" always;\n"
                         "        }\n");
}

static const char core_places[] =
    "        location ^~ /.rempart/ { fastcgi_pass rempart_core; }\n"
    "        location = /trust { fastcgi_pass rempart_core; }\n"
    "        location = /trust.json { fastcgi_pass rempart_core; }\n"
    "        location ^~ /trust/ { fastcgi_pass rempart_core; }\n"
    "        location = /.well-known/openid-configuration { fastcgi_pass rempart_core; }\n"
    "        location = /.well-known/security.txt { fastcgi_pass rempart_core; }\n"
    "        location = /.well-known/change-password { fastcgi_pass rempart_core; }\n"
    "        location ^~ /.rempart/internal/ {\n"
    "            internal;\n"
    "            fastcgi_pass_request_headers off;\n"
    "            fastcgi_pass_request_body off;\n"
    "            fastcgi_param REQUEST_METHOD GET;\n"
    "            fastcgi_param REQUEST_URI $uri;\n"
    "            fastcgi_param DOCUMENT_URI $uri;\n"
    "            fastcgi_param QUERY_STRING \"\";\n"
    "            fastcgi_param REMOTE_ADDR $remote_addr;\n"
    "            fastcgi_param REMPART_REQUEST_ID $rempart_request_id;\n"
    "            fastcgi_param REMPART_APP $rempart_app;\n"
    "            fastcgi_param HTTP_HOST $http_host;\n"
    "            fastcgi_param HTTP_COOKIE $http_cookie;\n"
    "            fastcgi_pass rempart_core;\n"
    "        }\n"
    "        location ^~ /.rempart/log/public/ {\n"
    "            alias ledger/public/;\n"
    "            log_not_found off;\n" /* tiles are asked for before they are there */
    "            types { }\n"
    "            add_header Cache-Control \"public, max-age=31536000, immutable\";\n"
    "            add_header Access-Control-Allow-Origin *;\n"
    "        }\n";

/* The files of the log that change, or are read by people. */
static void add_log_texts(struct rp_buf *out) {
    static const struct {
        const char *name;
        unsigned seconds;
    } texts[] = {{"checkpoint", 1}, {"witnessed", 1}, {"vkey", 60}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        rp_buf_printf(out,
                      "        location = /.rempart/log/public/%s {\n"
                      "            alias ledger/public/%s;\n"
                      "            log_not_found off;\n"
                      "            types { }\n"
                      "            default_type text/plain;\n"
                      "            charset utf-8;\n"
                      "            add_header Cache-Control \"public, max-age=%u\";\n"
                      "            add_header Access-Control-Allow-Origin *;\n"
                      "        }\n",
                      texts[i].name, texts[i].name, texts[i].seconds);
    }
}

/* Witnessing others' logs: one address, and nothing of the request but its body. */
static void add_witness(struct rp_buf *out, const struct rp_config *config) {
    if (config->witness_logs.count > 0) {
        rp_buf_add_cstr(out, "        location = /.rempart/witness/add-checkpoint {\n"
                             "            rempart_limit route 50 200;\n"
                             "            client_max_body_size 64k;\n"
                             "            client_body_buffer_size 64k;\n"
                             "            fastcgi_pass_request_headers off;\n"
                             "            fastcgi_keep_conn off;\n"
                             "            fastcgi_read_timeout 10s;\n"
                             "            fastcgi_pass unix:run/witness.sock;\n"
                             "        }\n");
    }
}

/* Files pass as they come and go: nothing of them waits on the gate's disk, where it would lie in
 * clear. */
static void add_file_places(struct rp_buf *out) {
    static const struct {
        const char *place, *most;
    } places[] = {{"^~ /.rempart/api/v1/files/", "1025m"},
                  {"^~ /.rempart/api/v1/uploads/", "1025m"},
                  {"= /.rempart/api/v1/import", "65536m"}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        rp_buf_printf(out,
                      "        location %s {\n"
                      "            client_max_body_size %s;\n"
                      "            client_body_buffer_size 128k;\n"
                      "            client_body_timeout 120s;\n"
                      "            send_timeout 120s;\n"
                      "            fastcgi_request_buffering off;\n"
                      "            fastcgi_send_timeout 120s;\n"
                      "            fastcgi_read_timeout 120s;\n"
                      "            fastcgi_buffer_size 64k;\n"
                      "            fastcgi_buffers 8 64k;\n"
                      "            fastcgi_busy_buffers_size 256k;\n"
                      "            fastcgi_max_temp_file_size 0;\n"
                      "            fastcgi_pass rempart_core;\n"
                      "        }\n",
                      places[i].place, places[i].most);
    }
}

/* The canary stands for an application whose answers are known: the probes' own. */
static void add_core_places(struct rp_buf *out, const struct gate_setup *setup) {
    const struct rp_config *config = setup->config;
    rp_buf_add_cstr(out, core_places);
    add_file_places(out);
    rp_buf_printf(out,
                  "        location ^~ /.rempart/share/ {\n"
                  "            rempart_limit route %llu %llu;\n"
                  "            send_timeout 120s;\n"
                  "            fastcgi_buffers 8 64k;\n"
                  "            fastcgi_busy_buffers_size 256k;\n"
                  "            fastcgi_max_temp_file_size 0;\n"
                  "            fastcgi_pass rempart_core;\n"
                  "        }\n",
                  (unsigned long long)config->limit_sign_in,
                  (unsigned long long)config->limit_sign_in * 5);
    rp_buf_printf(out,
                  "        location ^~ /.rempart/id/ {\n"
                  "            rempart_limit route %llu %llu;\n"
                  "            fastcgi_pass rempart_core;\n"
                  "        }\n",
                  (unsigned long long)config->limit_sign_in,
                  (unsigned long long)config->limit_sign_in * 5);
    add_log_texts(out);
    add_witness(out, config);
    rp_buf_printf(out,
                  "        location ^~ /.rempart/canary/ {\n"
                  "            rempart_app canary;\n"
                  "            rempart_session required %s;\n",
                  gate_least_acr(config));
    gate_add_waf(out, setup, NULL, NULL, false);
    rp_buf_add_cstr(out, "            fastcgi_pass rempart_core;\n        }\n");
}

/* Who may come at all: TLS with a certificate of the operator's choice. */
static void add_client_ca(struct rp_buf *out, const struct gate_setup *setup,
                          const struct rp_config_app *app) {
    if (!app || !app->client_ca) {
        return;
    }
    /*= S75: where a client's certificate is asked for, nobody comes without. */
    rp_buf_add_cstr(out, "        ssl_verify_client on;\n"
                         "        ssl_verify_depth 3;\n"
                         "        ssl_session_cache off;\n    ");
    gate_add_path(out, "ssl_client_certificate", setup->state, app->client_ca);
}

/* Plain HTTP on the TLS port is led to HTTPS. */
static void add_to_https(struct rp_buf *out, const struct rp_config *config, const char *host) {
    /*= S80: an unencrypted address leads to the encrypted one. */
    rp_buf_add_cstr(out, "        error_page 497 =301 ");
    add_origin(out, config, host);
    rp_buf_add_cstr(out, "$request_uri;\n");
}

/* By ACME: chain and key in one file. Without, the one of all names. */
static void add_certificate(struct rp_buf *out, const struct gate_setup *setup, const char *host) {
    const struct rp_config_list *certified = setup->certified;
    for (size_t i = 0; certified && i < certified->count; i++) {
        if (strcmp(certified->items[i], host) == 0) {
            rp_buf_printf(out,
                          "        ssl_certificate \"%s/gate/tls/acme/%s.pem\";\n"
                          "        ssl_certificate_key \"%s/gate/tls/acme/%s.pem\";\n",
                          setup->state, host, setup->state, host);
        }
    }
}

/* What the authority looks for, RFC 8555, 8.3; it follows a redirection to HTTPS too. */
static void add_challenges(struct rp_buf *out, const struct rp_config *config) {
    if (*config->acme_directory) {
        rp_buf_add_cstr(out, "        location ^~ /.well-known/acme-challenge/ {\n"
                             "            limit_except GET { deny all; }\n"
                             "            alias acme/challenges/;\n"
                             "            disable_symlinks on;\n"
                             "            types { }\n"
                             "            default_type application/octet-stream;\n"
                             "        }\n");
    }
}

static void add_server(struct rp_buf *out, const struct gate_setup *setup, const char *host,
                       const struct rp_config_app *app) {
    const struct rp_config *config = setup->config;
    rp_buf_add_cstr(out, "    server {\n");
    add_listen(out, config, config->listen, " ssl http2");
    rp_buf_printf(out, "        server_name %s;\n", host);
    add_certificate(out, setup, host);
    add_challenges(out, config);
    add_client_ca(out, setup, app);
    add_to_https(out, config, host);
    add_error_pages(out);
    add_core_places(out, setup);
    if (app) {
        gate_add_app_places(out, setup, app);
    } else {
        rp_buf_add_cstr(out, "        location = / { return 302 /trust; }\n"
                             "        location / { return 404; }\n");
    }
    rp_buf_add_cstr(out, "    }\n");
}

static bool is_served(const struct rp_config *config, const char *host) {
    bool served = strcmp(host, config->host) == 0;
    for (size_t i = 0; i < config->app_count; i++) {
        served = served || strcmp(host, config->apps[i].host) == 0;
    }
    return served;
}

/* A name that is not ours: nothing is served under it, but a person who typed the address of
 * the machine is led to its name. */
/* Nobody holds a certificate of this authority: the probe sees that strangers are refused. */
static void add_client_canary(struct rp_buf *out, const struct gate_setup *setup) {
    rp_buf_add_cstr(out, "    server {\n");
    add_listen(out, setup->config, setup->config->listen, " ssl http2");
    rp_buf_add_cstr(out, "        server_name " RP_CLIENT_CANARY ";\n"
                         "        ssl_verify_client on;\n    ");
    gate_add_path(out, "ssl_client_certificate", setup->state, "gate/tls/client-canary.pem");
    add_to_https(out, setup->config, setup->config->host);
    add_error_pages(out);
    rp_buf_add_cstr(out, "        location / { return 204; }\n    }\n");
}

static void add_strangers(struct rp_buf *out, const struct rp_config *config) {
    rp_buf_add_cstr(out, "    server {\n");
    add_listen(out, config, config->listen, " ssl http2 default_server");
    rp_buf_add_cstr(out, "        server_name _;\n");
    add_to_https(out, config, config->host);
    add_error_pages(out);
    rp_buf_add_cstr(out, "        location / { return 421; }\n    }\n");
    static const char *const local[] = {"localhost", "127.0.0.1", "[::1]"};
    rp_buf_add_cstr(out, "    server {\n");
    add_listen(out, config, config->listen, " ssl http2");
    rp_buf_add_cstr(out, "        server_name");
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        if (!is_served(config, local[i])) {
            rp_buf_printf(out, " %s", local[i]);
        }
    }
    rp_buf_add_cstr(out, ";\n");
    add_to_https(out, config, config->host);
    add_error_pages(out);
    rp_buf_add_cstr(out, "        location / { return 308 ");
    add_origin(out, config, config->host);
    rp_buf_add_cstr(out, "$request_uri; }\n    }\n");
}

static void add_plain_server(struct rp_buf *out, const struct rp_config *config, const char *host,
                             const char *options) {
    rp_buf_add_cstr(out, "    server {\n");
    add_listen(out, config, config->listen_http, options);
    rp_buf_printf(out, "        server_name %s;\n", *options ? "_" : host);
    add_challenges(out, config);
    rp_buf_add_cstr(out, "        location / { return 301 ");
    add_origin(out, config, host);
    rp_buf_add_cstr(out, "$request_uri; }\n    }\n");
}

/* For applications on this machine; the file's mode says who. Made by rempart-gate, because nginx
 * would open it to everybody. A connection is one request: one that is kept could be closed by a
 * reload in the moment in which the application writes to it, and a POST would be lost. */
void gate_add_api_server(struct rp_buf *out) {
    rp_buf_add_cstr(out, "    server {\n"
                         "        listen unix:run/api.sock;\n"
                         "        server_name _;\n"
                         "        keepalive_timeout 0;\n"
                         "        limit_req zone=rempart_api burst=20000 nodelay;\n");
    add_error_pages(out);
    add_file_places(out);
    rp_buf_add_cstr(out, "        location ^~ /.rempart/api/ { fastcgi_pass rempart_core; }\n"
                         "        location / { return 404; }\n"
                         "    }\n");
}

/* For Prometheus on this machine: on loopback whatever gate.address says, and nothing else there.
 * The counts of an address are one, wherever it asks; ten times the rate at once is more than any
 * other limit lets it owe, so that a flood through this machine leaves the numbers readable. */
void gate_add_metrics_server(struct rp_buf *out, const struct rp_config *config) {
    if (config->metrics_port == 0) {
        return;
    }
    rp_buf_printf(out,
                  "    server {\n"
                  "        listen 127.0.0.1:%llu;\n"
                  "        server_name _;\n"
                  "        rempart_limit address 100000 1000000;\n"
                  "        rempart_limit network 100000 1000000;\n"
                  "        location = /metrics {\n"
                  "            limit_except GET { deny all; }\n"
                  "            fastcgi_pass_request_headers off;\n"
                  "            fastcgi_pass_request_body off;\n"
                  "            fastcgi_param REQUEST_METHOD GET;\n"
                  "            fastcgi_param REQUEST_URI /.rempart/internal/metrics;\n"
                  "            fastcgi_param DOCUMENT_URI /.rempart/internal/metrics;\n"
                  "            fastcgi_param QUERY_STRING \"\";\n"
                  "            fastcgi_param REMPART_METRICS on;\n"
                  "            fastcgi_pass rempart_core;\n"
                  "        }\n"
                  "        location / { return 404; }\n"
                  "    }\n",
                  (unsigned long long)config->metrics_port);
}

static bool has_own_host(const struct rp_config *config, const struct rp_config_app *app) {
    return *app->host && strcmp(app->host, config->host) != 0;
}

static const struct rp_config_app *default_app(const struct rp_config *config) {
    const struct rp_config_app *found = NULL;
    for (size_t i = 0; i < config->app_count; i++) {
        const struct rp_config_app *app = &config->apps[i];
        if (!has_own_host(config, app) && (!found || *app->host)) {
            found = app;
        }
    }
    return found;
}

void gate_add_servers(struct rp_buf *out, const struct gate_setup *setup) {
    const struct rp_config *config = setup->config;
    add_server(out, setup, config->host, default_app(config));
    for (size_t i = 0; i < config->app_count; i++) {
        if (has_own_host(config, &config->apps[i])) {
            add_server(out, setup, config->apps[i].host, &config->apps[i]);
        }
    }
    add_client_canary(out, setup);
    add_strangers(out, config);
    if (config->listen_http == 0) {
        return;
    }
    add_plain_server(out, config, config->host, " default_server");
    for (size_t i = 0; i < config->app_count; i++) {
        if (has_own_host(config, &config->apps[i])) {
            add_plain_server(out, config, config->apps[i].host, "");
        }
    }
}
