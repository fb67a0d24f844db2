#include "config/config.h"

#include "config/check.h"
#include "unit.h"

static void each_mistake_is_told_in_the_language_of_its_reader(void **state) {
    static const struct {
        const char *yaml, *french;
    } mistakes[] = {
        {"gate:\n  listen: 99999\n", "listen : nombre de 1 à 65535 attendu"},
        {"gate:\n  listen: '1'\n", "listen : nombre de 1 à 65535 attendu, sans guillemets"},
        {"gate:\n  lisen: 1\n",
         "clé « lisen » inconnue dans gate ; vouliez-vous dire « listen » ?"},
        {"hosst: 1\nx: 2\n",
         "clé « hosst » inconnue dans le fichier ; vouliez-vous dire « host » ?"},
        {"host: a\nhost: b\n", "cette clé figure deux fois dans la même table"},
        {"gate:\n\tlisten: 1\n",
         "ce caractère ne peut rien commencer : une tabulation, peut-être ; le "
         "retrait se fait d’espaces"},
        {"host: [a\n", "« , » ou « ] » manque"},
        {"gate:\n  certificate: /a\n",
         "gate : certificate et certificate_key vont ensemble, ou ni l’un ni "
         "l’autre"},
        {"apps:\n  - name: A\n", "name : attendu : un nom de 1 à 32 minuscules, chiffres et -"},
        {"link:\n  listen: 10.0.0.1:7443\n",
         "link.listen demande link.peers : personne n’entrerait"},
        {"apps: 3\n", "liste d’applications attendue, chacune commençant par « - name: »"},
        {"waf:\n  mode: yes\n", "mode : un de ces mots attendu : on|detect|learn|off"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct rp_config config;
        struct rp_diag english = {0}, french = {0};
        rp_view yaml = rp_view_from_cstr(mistakes[i].yaml);
        rp_err one = rp_config_parse(yaml, *state, &config, &english);
        rp_err other = rp_config_parse_for(RP_FR, yaml, *state, &config, &french);
        assert_string_equal(french.text, mistakes[i].french);
        assert_string_not_equal(english.text, french.text);
        assert_int_equal(one.code, other.code);
        assert_int_equal(english.line, french.line);
        assert_int_equal(english.column, french.column);
    }
}

static int set_up(void **state) {
    *state = rp_arena_new(1 << 22);
    return *state ? 0 : -1;
}

static int tear_down(void **state) {
    rp_arena_free(*state);
    return 0;
}

static void an_empty_file_means_the_defaults(void **state) {
    struct rp_config config, standard;
    assert_ok(rp_config_default(*state, &standard));
    assert_ok(rp_config_parse(RP_VIEW(""), *state, &config, NULL));
    assert_string_equal(config.host, "localhost");
    assert_int_equal(config.listen, 8443);
    assert_int_equal(config.listen_http, 0);
    assert_string_equal(config.second_factor, "required");
    assert_string_equal(config.certificate, "");
    assert_int_equal(config.app_count, 0);
    assert_int_equal(standard.listen, config.listen);
}

static void every_kind_of_setting_is_read(void **state) {
    struct rp_config config;
    struct rp_diag diag = {0};
    assert_ok(rp_config_parse(RP_VIEW("host: www.example.com\n"
                                      "gate:\n"
                                      "  listen: 443\n"
                                      "  listen_http: 80\n"
                                      "  address: '::'\n"
                                      "  certificate: /etc/ssl/a.pem\n"
                                      "  certificate_key: /etc/ssl/a.key\n"
                                      "sign_in:\n"
                                      "  second_factor: optional\n"
                                      "page:\n"
                                      "  operator: \"Été & Cie\"\n"
                                      "apps:\n"
                                      "  - name: notes\n"
                                      "    upstream: unix:run/notes.sock\n"
                                      "  - name: wiki-2\n"
                                      "    host: wiki.example.com\n"
                                      "    upstream: http://127.0.0.1:3000\n"
                                      "    sign_in: optional\n"
                                      "    identity_headers:\n"
                                      "      X-Remote-User: subject\n"
                                      "      X-Email: email\n"),
                              *state, &config, &diag));
    assert_string_equal(config.host, "www.example.com");
    assert_int_equal(config.listen, 443);
    assert_int_equal(config.listen_http, 80);
    assert_string_equal(config.address, "::");
    assert_string_equal(config.second_factor, "optional");
    assert_string_equal(config.operator_name, "Été & Cie");
    assert_int_equal(config.app_count, 2);
    assert_string_equal(config.apps[0].name, "notes");
    assert_string_equal(config.apps[0].host, "");
    assert_string_equal(config.apps[0].sign_in, "required");
    assert_string_equal(config.apps[1].upstream, "http://127.0.0.1:3000");
    assert_int_equal(config.apps[1].identity_header_count, 2);
    assert_string_equal(config.apps[1].identity_headers[1].header, "X-Email");
    assert_string_equal(config.apps[1].identity_headers[1].value, "email");
}

#define APP "apps:\n  - name: a\n"
#define WITNESS_KEY "w.example/witness+bb6a4e6e+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
#define LOG_KEY "l.example/log/public+02c6bbff+AQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
/* Where the second item of a list on one line begins. */
#define WITNESS_TWICE (15 + sizeof "https://a.example " + sizeof WITNESS_KEY + 2)
#define LOG_TWICE (10 + 1 + sizeof LOG_KEY + 2)
#define TWO_APPS(second)                                                                           \
    "apps:\n  - name: a\n    upstream: unix:a\n  - name: " second "\n    upstream: unix:b\n"

/* What is wrong, where it is, and what the message must hold. */
static const struct {
    const char *yaml;
    enum rp_code code;
    unsigned line, column;
    const char *says;
} mistakes[] = {
    {"gate:\n  liston: 1\n", RP_E_UNKNOWN_KEY, 2, 3, "did you mean \"listen\"?"},
    {"hots: a\n", RP_E_UNKNOWN_KEY, 1, 1, "did you mean \"host\"?"},
    {"app:\n  - name: x\n", RP_E_UNKNOWN_KEY, 1, 1, "did you mean \"apps\"?"},
    {"weather: fine\n", RP_E_UNKNOWN_KEY, 1, 1, "unknown key \"weather\" in the file"},
    {"gate:\n  listen: 99999\n", RP_E_INVALID, 2, 11, "a number from 1 to 65535"},
    {"gate:\n  listen: 0\n", RP_E_INVALID, 2, 11, "a number from 1 to 65535"},
    {"gate:\n  listen: -1\n", RP_E_INVALID, 2, 11, "a number"},
    {"gate:\n  listen: \"443\"\n", RP_E_INVALID, 2, 11, "without quotes"},
    {"gate:\n  listen: [1]\n", RP_E_INVALID, 2, 11, "expected one value"},
    {"gate: 8443\n", RP_E_INVALID, 1, 7, "indented"},
    {"gate:\n  address: localhost\n", RP_E_INVALID, 2, 12, "an IP address"},
    {"gate:\n  certificate: \"a b; root /\"\n", RP_E_INVALID, 2, 16, "a file name"},
    {"gate:\n  certificate: a.pem\n", RP_E_INVALID, 2, 3, "together"},
    {"webhooks:\n  - name: a\n    endpoint: https://a.example/\n    events: [x.y]\n", RP_E_INVALID,
     2, 5, "a secret"},
    {"webhooks:\n  - name: a\n    endpoint: http://a.example/\n", RP_E_INVALID, 3, 15, "https://"},
    {"webhooks:\n  - name: a\n    events: [Register.due]\n", RP_E_INVALID, 3, 14, "register.due"},
    {"webhooks:\n  - name: a\n    event: [x.y]\n", RP_E_UNKNOWN_KEY, 3, 5, "events"},
    {"webhooks:\n  - {name: a, endpoint: https://a.example/, secret: s, events: [x.y]}\n"
     "  - {name: a, endpoint: https://b.example/, secret: s, events: [\"*\"]}\n",
     RP_E_DUPLICATE, 3, 5, "called"},
    {"webhook:\n  endpoint: x\n", RP_E_UNKNOWN_KEY, 1, 1, "webhooks"},
    {"notify:\n  quiet: 22-7\n", RP_E_INVALID, 2, 10, "two times"},
    {"notify:\n  quiet: \"22:00-22:00\"\n", RP_E_INVALID, 2, 10, "two times"},
    {"notify:\n  quiet: \"22:00-24:00\"\n", RP_E_INVALID, 2, 10, "two times"},
    {"notify:\n  digest: \"8:00\"\n", RP_E_INVALID, 2, 11, "a time like"},
    {"gate:\n  listen: 80\n  listen_http: 80\n", RP_E_INVALID, 3, 3, "same port"},
    {"host: \"a;b\"\n", RP_E_INVALID, 1, 7, "a DNS name"},
    {"host: -a.example\n", RP_E_INVALID, 1, 7, "a DNS name"},
    {"host: a..example\n", RP_E_INVALID, 1, 7, "a DNS name"},
    {"host: \"\"\n", RP_E_INVALID, 1, 7, "1 to 253 characters"},
    {"store: mysql://x\n", RP_E_INVALID, 1, 8, "sqlite:"},
    {"page:\n  operator: \"a\\nb\"\n", RP_E_INVALID, 2, 13, "one line"},
    {"page:\n  bounty_url: http://a\n", RP_E_INVALID, 2, 15, "https://"},
    {"sign_in:\n  second_factor: maybe\n", RP_E_INVALID, 2, 18, "required|optional"},
    {"- a\n", RP_E_INVALID, 1, 1, "expected settings"},
    {"apps: notes\n", RP_E_INVALID, 1, 7, "a list of applications"},
    {"apps:\n  - notes\n", RP_E_INVALID, 2, 5, "a mapping with name"},
    {APP, RP_E_INVALID, 2, 5, "needs a name and an upstream"},
    {"apps:\n  - name: Notes\n", RP_E_INVALID, 2, 11, "lower-case"},
    {APP "    upstrem: x\n", RP_E_UNKNOWN_KEY, 3, 5, "did you mean \"upstream\"?"},
    {APP "    upstream: ftp://x\n", RP_E_INVALID, 3, 15, "unix:PATH"},
    {APP "    upstream: http://h:0\n", RP_E_INVALID, 3, 15, "unix:PATH"},
    {APP "    upstream: \"unix:a b\"\n", RP_E_INVALID, 3, 15, "unix:PATH"},
    {TWO_APPS("a"), RP_E_DUPLICATE, 4, 5, "two applications are called \"a\""},
    {TWO_APPS("b"), RP_E_DUPLICATE, 4, 5, "the same host"},
    {"gate:\n  trusted_proxies: [192.0.2.0/24]\n", RP_E_INVALID, 2, 3, "needs client_address"},
    {"gate:\n  client_address: proxy_protocol\n", RP_E_INVALID, 2, 3, "needs trusted_proxies"},
    {"gate:\n  trusted_proxies: [192.0.2.1/24]\n", RP_E_INVALID, 2, 21, "bits after its prefix"},
    {"gate:\n  trusted_proxies: [1.1.1.1, nobody]\n", RP_E_INVALID, 2, 30, "2001:db8::/32"},
    {"gate:\n  trusted_proxies: 192.0.2.1\n", RP_E_INVALID, 2, 20, "a list"},
    {"gate:\n  client_address: header Forwarded\n", RP_E_INVALID, 2, 19, "X-Forwarded-For"},
    {"gate:\n  client_address: header X;y\n", RP_E_INVALID, 2, 19, "proxy_protocol"},
    {"network:\n  declared_ports: [\"tcp 22\"]\n", RP_E_INVALID, 2, 20, "who answers for it"},
    {"network:\n  declared_ports: [\"tcp 0 ops: ssh\"]\n", RP_E_INVALID, 2, 20, "tcp or udp"},
    {"network:\n  declared_ports: [\"sctp 22 ops: x\"]\n", RP_E_INVALID, 2, 20, "tcp or udp"},
    {"network:\n  declared_ports: [\"udp 68 ops: \"]\n", RP_E_INVALID, 2, 20, "why"},
    {"ledger:\n  witnesses: [\"https://w.example\"]\n", RP_E_INVALID, 2, 15, "a witness's key"},
    {"ledger:\n  witnesses: [\"http://w.example " WITNESS_KEY "\"]\n", RP_E_INVALID, 2, 15,
     "https"},
    {"ledger:\n  witnesses: [\"https://w.example " LOG_KEY "\"]\n", RP_E_INVALID, 2, 15,
     "a witness's key"},
    {"host: w.example\nledger:\n  witnesses: [\"https://w.example/w " WITNESS_KEY "\"]\n",
     RP_E_INVALID, 3, 15, "it takes somebody else"},
    {"ledger:\n  witnesses: [\"https://a.example " WITNESS_KEY
     "\", \"https://b.example " WITNESS_KEY "\"]\n",
     RP_E_INVALID, 2, WITNESS_TWICE, "two of one name"},
    {"witness:\n  logs: [\"" WITNESS_KEY "\"]\n", RP_E_INVALID, 2, 10, "a log's key"},
    {"witness:\n  logs: [\"" LOG_KEY "\", \"" LOG_KEY "\"]\n", RP_E_INVALID, 2, LOG_TWICE,
     "two of one name"},
    {"witness:\n  logs: [\"X" LOG_KEY "\"]\n", RP_E_INVALID, 2, 10, "a log's key"},
    {"apps:\n  - name: canary\n", RP_E_INVALID, 2, 11, "other than canary"},
    {"apps:\n  - name: a\n    waf: loud\n", RP_E_INVALID, 3, 10, "on|detect|learn|off"},
    {"apps:\n  - name: a\n    waf: {mode: learn, labl: public}\n", RP_E_UNKNOWN_KEY, 3, 24,
     "label"},
    {"apps:\n  - name: a\n    waf: {paranoia: 5}\n", RP_E_INVALID, 3, 21, "1 to 4"},
    {"apps:\n  - name: a\n    waf: {model_mode: detect}\n", RP_E_INVALID, 3, 10, "no model"},
    {"apps:\n  - name: a\n    waf: {mode: off, model: m.yaml}\n", RP_E_INVALID, 3, 10,
     "judged where the firewall is"},
    {"apps:\n  - name: a\n    waf: {label: secret}\n", RP_E_INVALID, 3, 18, "sensitive"},
    {APP "    upstream: unix:a\n    upstreams: [unix:b]\n", RP_E_INVALID, 4, 5, "beside them"},
    {APP "    upstreams: [unix:a, unix:b]\n    health: healthz\n", RP_E_INVALID, 4, 13, "/healthz"},
    {APP "    upstream: unix:a\n    health: /healthz\n", RP_E_INVALID, 2, 5, "one instance"},
    {APP "    upstreams: []\n", RP_E_INVALID, 3, 5, "one or more"},
    {APP "    upstreams: [unix:a, ftp]\n", RP_E_INVALID, 3, 25, "unix:PATH"},
    {APP "    paths: [{sign_in: none}]\n", RP_E_INVALID, 3, 13, "need the path"},
    {APP "    paths: [{path: admin}]\n", RP_E_INVALID, 3, 20, "a path such as"},
    {APP "    paths: [{path: /a/../b}]\n", RP_E_INVALID, 3, 20, "a path such as"},
    {APP "    paths: [{path: /.rempart/id/}]\n", RP_E_INVALID, 3, 20, "Rempart's own"},
    {APP "    paths: [{path: /a, sign_in: none, acr: phr}]\n", RP_E_INVALID, 3, 44, "nobody"},
    {APP "    paths: [{path: /a, per_second: 0}]\n", RP_E_INVALID, 3, 36, "100000"},
    {APP "    paths: [{path: /a}, {path: /a}]\n", RP_E_DUPLICATE, 3, 25, "above already"},
    {APP "    paths: [{path: /a, strem: true}]\n", RP_E_UNKNOWN_KEY, 3, 24, "\"stream\"?"},
    {APP "    security_headers: {X-Frame-Option: DENY}\n", RP_E_UNKNOWN_KEY, 3, 24,
     "\"X-Frame-Options\"?"},
    {APP "    security_headers: {X-Frame-Options: 'a\"b'}\n", RP_E_INVALID, 3, 41, "printable"},
    {APP "    acr: pwd\n", RP_E_INVALID, 3, 10, "mfa|phr"},
    {APP "    upstream: unix:a\n    identity_headers:\n      Cookie: subject\n", RP_E_INVALID, 5, 7,
     "no other meaning"},
    {APP "    upstream: unix:a\n    identity_headers:\n      X-A: age\n", RP_E_INVALID, 5, 12,
     "subject|email|tenant|roles"},
    {APP "    upstream: unix:a\n    sign_in: none\n    identity_headers:\n      X-A: email\n",
     RP_E_INVALID, 2, 5, "nobody is known there"},
};

static void mistakes_are_told_with_their_place(void **state) {
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct rp_config config = {.host = "untouched"};
        struct rp_diag diag = {0};
        rp_err err = rp_config_parse(rp_view_from_cstr(mistakes[i].yaml), *state, &config, &diag);
        if (!rp_is(err, mistakes[i].code) || diag.line != mistakes[i].line ||
            diag.column != mistakes[i].column || !strstr(diag.text, mistakes[i].says)) {
            fail_msg("for:\n%sgot %s at %u:%u \"%s\"", mistakes[i].yaml, rp_err_name(err),
                     diag.line, diag.column, diag.text);
        }
        assert_string_equal(config.host, "untouched");
    }
}

static void broken_yaml_is_told_with_its_place(void **state) {
    struct rp_config config;
    struct rp_diag diag = {0};
    assert_err(rp_config_parse(RP_VIEW("host: a\ngate: [1\n"), *state, &config, &diag), SYNTAX);
    assert_true(diag.line >= 2);
    assert_err(rp_config_parse(RP_VIEW("host: a\nhost: b\n"), *state, &config, &diag), DUPLICATE);
    assert_int_equal(diag.line, 2);
}

static void too_many_applications_are_refused(void **state) {
    struct rp_buf yaml = rp_buf_new(1 << 16);
    struct rp_config config;
    struct rp_diag diag = {0};
    rp_buf_add_cstr(&yaml, "apps:\n");
    for (int i = 0; i < RP_APPS_MAX; i++) {
        rp_buf_printf(&yaml, "  - {name: a%d, host: a%d.example, upstream: \"unix:a%d\"}\n", i, i,
                      i);
    }
    assert_ok(rp_config_parse(rp_buf_view(&yaml), *state, &config, &diag));
    assert_int_equal(config.app_count, RP_APPS_MAX);
    rp_buf_add_cstr(&yaml, "  - {name: one-more, host: b.example, upstream: \"unix:b\"}\n");
    assert_err(rp_config_parse(rp_buf_view(&yaml), *state, &config, &diag), TOO_LARGE);
    rp_buf_done(&yaml);
}

static void a_declared_port_says_whose_it_is_and_why(void **state) {
    struct rp_config config;
    struct rp_config_port port;
    assert_ok(rp_config_parse(RP_VIEW("network:\n"
                                      "  declared_ports:\n"
                                      "    - \"tcp 22 operations: remote administration: ssh\"\n"
                                      "    - \"udp 68 hosting provider: addresses\"\n"),
                              *state, &config, NULL));
    assert_int_equal(config.declared_ports.count, 2);
    rp_view first = rp_view_from_cstr(config.declared_ports.items[0]);
    assert_true(rp_config_declared_port(first, &port));
    assert_false(port.udp);
    assert_int_equal(port.port, 22);
    assert_view(port.who, "operations");
    assert_view(port.why, "remote administration: ssh");
    rp_view second = rp_view_from_cstr(config.declared_ports.items[1]);
    assert_true(rp_config_declared_port(second, &port));
    assert_true(port.udp);
    assert_view(port.who, "hosting provider");
}

static void an_applications_places_and_headers_are_read(void **state) {
    struct rp_config config;
    struct rp_diag diag = {0};
    assert_ok(
        rp_config_parse(RP_VIEW("gate:\n"
                                "  trusted_proxies: [192.0.2.0/24, '2001:db8::/32']\n"
                                "  client_address: header CF-Connecting-IP\n"
                                "apps:\n"
                                "  - name: shop\n"
                                "    upstreams: ['http://127.0.0.1:1', unix:b]\n"
                                "    acr: phr\n"
                                "    body_max_kib: 7\n"
                                "    client_ca: /etc/ca.pem\n"
                                "    paths:\n"
                                "      - {path: /public/, sign_in: none, stream: true}\n"
                                "      - {path: /status, body_max_kib: 9, per_second: 3}\n"
                                "    security_headers:\n"
                                "      content-security-policy: \"default-src 'self'; img-src *\"\n"
                                "      X-Frame-Options: ''\n"),
                        *state, &config, &diag));
    assert_int_equal(config.trusted_proxies.count, 2);
    assert_string_equal(config.trusted_proxies.items[1], "2001:db8::/32");
    assert_string_equal(config.client_address, "header CF-Connecting-IP");
    const struct rp_config_app *app = &config.apps[0];
    assert_string_equal(app->upstream, "http://127.0.0.1:1");
    assert_int_equal(app->more_upstreams.count, 1);
    assert_string_equal(app->more_upstreams.items[0], "unix:b");
    assert_string_equal(app->client_ca, "/etc/ca.pem");
    assert_int_equal(app->path_count, 2);
    assert_string_equal(app->paths[0].sign_in, "none");
    assert_true(app->paths[0].stream);
    assert_int_equal(app->paths[0].body_max_kib, 7);
    assert_string_equal(app->paths[1].sign_in, "required");
    assert_string_equal(app->paths[1].acr, "phr");
    assert_int_equal(app->paths[1].body_max_kib, 9);
    assert_int_equal(app->paths[1].per_second, 3);
    assert_int_equal(app->paths[0].per_second, 0);
    assert_string_equal(app->headers[0].name, "Content-Security-Policy");
    assert_string_equal(app->headers[1].value, "");
}

/* parse(print(defaults)) = defaults, in both languages. */
static void the_sample_is_the_defaults(void **state) {
    struct rp_config standard, config;
    assert_ok(rp_config_default(*state, &standard));
    for (enum rp_lang lang = RP_FR; lang < RP_LANG_COUNT; lang++) {
        struct rp_buf out = rp_buf_new(1 << 16);
        struct rp_diag diag = {0};
        rp_config_print_sample(&out, lang);
        assert_ok(rp_buf_err(&out));
        assert_ok(rp_config_parse(rp_buf_view(&out), *state, &config, &diag));
#define SAME_TEXT(field) assert_string_equal(config.field, standard.field)
#define SAME_NUMBER(field) assert_int_equal(config.field, standard.field)
#define SAME_CHOICE(field) SAME_TEXT(field)
#define SAME_LIST(field) assert_int_equal(config.field.count, standard.field.count)
#define RP_SETTING(section, key, type, field, default_, minimum, maximum, fr, en)                  \
    SAME_##type(field);
#include "config/config.def"
#undef RP_SETTING
        assert_int_equal(config.app_count, 0);
        rp_buf_done(&out);
    }
}

/* With the comment signs taken away, the sample's application and webhook are valid ones. */
static void the_samples_application_is_valid(void **state) {
    struct rp_buf out = rp_buf_new(1 << 16);
    struct rp_config config;
    struct rp_diag diag = {0};
    rp_config_print_sample(&out, RP_EN);
    size_t at = rp_view_find(rp_buf_view(&out), RP_VIEW("#apps:"));
    assert_true(at < out.n);
    for (size_t i = at; i < out.n; i++) {
        bool prose = i + 2 < out.n && out.p[i + 1] == ' ' && out.p[i + 2] != ' ';
        if (out.p[i] == '#' && out.p[i - 1] == '\n' && !prose) {
            memmove(out.p + i, out.p + i + 1, out.n - i - 1);
            out.n--;
        }
    }
    assert_ok(rp_config_parse(rp_buf_view(&out), *state, &config, &diag));
    assert_int_equal(config.app_count, 1);
    assert_int_equal(config.webhook_count, 1);
    assert_string_equal(config.webhooks[0].events.items[1], "certificate.*");
    assert_string_equal(config.apps[0].identity_headers[0].header, "X-Remote-User");
    rp_buf_done(&out);
}

static void words_are_compared_by_edits(void **state) {
    (void)state;
    assert_int_equal(rp_config_edits(RP_VIEW("listen"), RP_VIEW("listen")), 0);
    assert_int_equal(rp_config_edits(RP_VIEW("liston"), RP_VIEW("listen")), 1);
    assert_int_equal(rp_config_edits(RP_VIEW("hots"), RP_VIEW("host")), 2);
    assert_int_equal(rp_config_edits(RP_VIEW(""), RP_VIEW("abc")), 3);
    assert_true(rp_config_edits(RP_VIEW("weather"), RP_VIEW("gate")) > 2);
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_ARENA(each_mistake_is_told_in_the_language_of_its_reader),
        WITH_ARENA(an_empty_file_means_the_defaults),
        WITH_ARENA(every_kind_of_setting_is_read),
        WITH_ARENA(mistakes_are_told_with_their_place),
        WITH_ARENA(broken_yaml_is_told_with_its_place),
        WITH_ARENA(too_many_applications_are_refused),
        WITH_ARENA(a_declared_port_says_whose_it_is_and_why),
        WITH_ARENA(an_applications_places_and_headers_are_read),
        WITH_ARENA(the_sample_is_the_defaults),
        WITH_ARENA(the_samples_application_is_valid),
        WITH_ARENA(words_are_compared_by_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
