/* Which machine runs what: the two good files, and what is refused with its place. */
#include "config/config.h"

#include "unit.h"

#define PRINT "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
#define OTHER "SHA256:57DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
#define LISTEN "link:\n  listen: \"10.0.0.1:7443\"\n  peers:\n"
#define KEYS "    - {name: keys, address: \"[fd00::2]:7443\", key: \"" PRINT "\", runs: [kms]}\n"
#define DATA                                                                                       \
    "    - {name: data, address: \"10.0.0.1:7443\", key: \"" OTHER "\", runs: [ledger, core, "     \
    "hunt]}\n"

#define COPY "    - {name: logs, address: \"10.0.0.3:7443\", key: \"" PRINT "\", runs: [vault]}\n"
#define LOG                                                                                        \
    "vault:\n  log: a.example/log/public+9aed151d+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"

static int set_up(void **state) {
    *state = rp_arena_new(1 << 22);
    return *state ? 0 : -1;
}

static int tear_down(void **state) {
    rp_arena_free(*state);
    return 0;
}

static void one_machine_runs_everything(void **state) {
    struct rp_config config;
    assert_ok(rp_config_parse(RP_VIEW("host: a.example\n"), *state, &config, NULL));
    assert_true(rp_config_runs_here(&config, RP_ROLE_KMS));
    assert_true(rp_config_runs_here(&config, RP_ROLE_ACME));
    assert_null(rp_config_runs_there(&config, RP_ROLE_KMS));
    assert_null(config.link.address);
}

static void the_datas_machine_runs_all_but_the_keys(void **state) {
    struct rp_config config;
    struct rp_diag diag = {0};
    assert_ok(rp_config_parse(RP_VIEW(LISTEN KEYS), *state, &config, &diag));
    assert_false(rp_config_runs_here(&config, RP_ROLE_KMS));
    assert_true(rp_config_runs_here(&config, RP_ROLE_LEDGER));
    assert_true(rp_config_runs_here(&config, RP_ROLE_HUNT));
    const struct rp_config_peer *keys = rp_config_runs_there(&config, RP_ROLE_KMS);
    assert_non_null(keys);
    assert_string_equal(keys->name, "keys");
    assert_string_equal(keys->at.address, "fd00::2");
    assert_int_equal(keys->at.port, 7443);
    assert_string_equal(keys->key, PRINT);
    assert_string_equal(config.link.address, "10.0.0.1");
}

static void the_keys_machine_runs_the_keys_alone(void **state) {
    struct rp_config config;
    assert_ok(rp_config_parse(RP_VIEW("runs: [kms]\n" LISTEN DATA), *state, &config, NULL));
    assert_true(rp_config_runs_here(&config, RP_ROLE_KMS));
    assert_false(rp_config_runs_here(&config, RP_ROLE_CORE));
    assert_non_null(rp_config_runs_there(&config, RP_ROLE_CORE));
    assert_null(rp_config_runs_there(&config, RP_ROLE_GATE)); /* it may ask nothing */
}

static void the_logs_machine_keeps_the_copy_alone(void **state) {
    struct rp_config config;
    struct rp_diag diag = {0};
    assert_ok(rp_config_parse(RP_VIEW("runs: [vault]\n" LOG LISTEN DATA), *state, &config, &diag));
    assert_true(rp_config_runs_here(&config, RP_ROLE_VAULT));
    assert_false(rp_config_runs_here(&config, RP_ROLE_KMS));
    assert_true(rp_config_has_vault(&config));
    assert_ok(rp_config_parse(RP_VIEW(LISTEN COPY), *state, &config, &diag));
    assert_true(rp_config_runs_here(&config, RP_ROLE_KMS));
    assert_false(rp_config_runs_here(&config, RP_ROLE_VAULT));
    assert_true(rp_config_has_vault(&config));
    assert_ok(rp_config_parse(RP_VIEW("host: a.example\n"), *state, &config, &diag));
    assert_false(rp_config_has_vault(&config));
    assert_ok(rp_config_parse(RP_VIEW(LOG), *state, &config, &diag)); /* for trying out */
    assert_true(rp_config_has_vault(&config));
}

struct mistake {
    const char *file;
    unsigned line, column;
    const char *says;
};

static const struct mistake mistakes[] = {
    {"runs: [kms]\n", 1, 1, "run nowhere"},
    {"runs: [kms, watch]\n", 1, 13, "one of ledger"},
    {"link:\n  listen: \"10.0.0.1:7443\"\n", 2, 3, "nobody would be let in"},
    {"link:\n  listen: \"10.0.0.1\"\n", 2, 11, "an address and a port"},
    {"link:\n  listen: \"keys.example:7443\"\n", 2, 11, "an address and a port"},
    {"link:\n  peers:\n" KEYS, 1, 1, "link needs listen"},
    {"link:\n  lisen: \"10.0.0.1:7443\"\n", 2, 3, "listen"},
    {"link:\n  peers: keys\n", 2, 10, "expected a list"},
    {LISTEN "    - {name: keys, address: \"10.0.0.2:7443\", runs: [kms]}\n", 4, 7, "key"},
    {LISTEN "    - {name: keys, address: \"10.0.0.2:7443\", key: \"SHA256:abc\", runs: [kms]}\n", 4,
     51, "fingerprint"},
    {LISTEN KEYS KEYS, 5, 7, "stands above already"},
    {LISTEN KEYS "    - {name: two, address: \"10.0.0.3:7443\", key: \"" OTHER "\", runs: [kms]}\n",
     5, 7, "runs on one above already"},
    {"runs: [ledger, kms, core, gate, probe, hunt, courier, acme]\n" LISTEN KEYS, 4, 3,
     "runs here, too"},
    {"runs: [kms]\n" LISTEN "    - {name: data, address: \"10.0.0.1:7443\", key: \"" OTHER
     "\", runs: [core]}\n",
     4, 3, "ledger runs neither here nor on a peer"},
    {LISTEN "    - {name: log, address: \"10.0.0.1:7443\", key: \"" OTHER "\", runs: [ledger]}\n",
     3, 3, "share its files"},
    {"runs: [ledger, core]\n" LISTEN KEYS, 1, 1, "share its files"},
    {"runs: [kms, vault]\n" LOG LISTEN DATA, 1, 1, "share its files"},
    {"runs: [vault]\n" LISTEN DATA, 1, 1, "needs vault.log"},
    {"runs: [vault]\n" LOG LISTEN "    - {name: data, address: \"10.0.0.1:7443\", key: \"" OTHER
     "\", runs: [ledger]}\n",
     6, 3, "nobody may send the log"},
    {LOG LISTEN COPY, 2, 3, "the machine that runs vault"},
    {"vault:\n  log: a.example/log/operator+01020304+AQ\n", 2, 8, "a log's key"},
};

static void mistakes_are_told_with_their_place(void **state) {
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        const struct mistake *mistake = &mistakes[i];
        struct rp_config config;
        struct rp_diag diag = {0};
        rp_err err = rp_config_parse(rp_view_from_cstr(mistake->file), *state, &config, &diag);
        if (rp_ok(err) || diag.line != mistake->line || diag.column != mistake->column ||
            !strstr(diag.text, mistake->says)) {
            fail_msg("%s: got %s at %u:%u, %s", mistake->file, rp_err_name(err), diag.line,
                     diag.column, diag.text);
        }
    }
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_ARENA(one_machine_runs_everything),
        WITH_ARENA(the_datas_machine_runs_all_but_the_keys),
        WITH_ARENA(the_keys_machine_runs_the_keys_alone),
        WITH_ARENA(the_logs_machine_keeps_the_copy_alone),
        WITH_ARENA(mistakes_are_told_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
