/* gate_certificates.c — what the gate shows every visitor: names, issuer, days left. */
#include "base/checked.h"
#include "config/config.h"
#include "crypto/x509.h"
#include "gate.h"
#include "os/file.h"

enum { FILE_MAX = 1 << 20, DAY_S = 24 * 3600 };

/* The operator's, or the leaf of the local authority. */
static rp_err find_file(struct cli *cli, const char **ret_file, struct rp_diag *diag) {
    const char *file = cli->config ? cli->config : "rempart.yaml";
    rp_view text;
    struct rp_config config;
    RP_TRY(rp_file_read(file, FILE_MAX, cli->arena, &text));
    RP_TRY(rp_config_parse(text, cli->arena, &config, diag));
    *ret_file = *config.certificate ? config.certificate : "gate/tls/leaf.pem";
    return RP_OK;
}

static void print(struct cli *cli, const char *file, const struct rp_x509_facts *facts,
                  int64_t days) {
    struct rp_time_text since = rp_time_print(facts->since_s),
                        until = rp_time_print(facts->until_s);
    if (!cli->json) {
        printf("%s\n  %-10s %.*s\n  %-10s %.*s\n  %-10s %s – %s, %lld %s\n", file,
               cli_say(cli, "noms", "names"), RP_FMT(facts->names),
               cli_say(cli, "émetteur", "issuer"), RP_FMT(facts->issuer),
               cli_say(cli, "valable", "valid"), since.s, until.s, (long long)days,
               cli_say(cli, "jours restants", "days left"));
        return;
    }
    struct rp_json *root = rp_json_object(cli->arena);
    struct rp_json *one =
        rp_json_add_object(cli->arena, rp_json_add_array(cli->arena, root, "certificates"), NULL);
    struct rp_json *names = rp_json_add_array(cli->arena, one, "names");
    for (rp_view rest = facts->names; rest.p && rest.n > 0;) {
        rp_json_add_string(cli->arena, names, NULL, rp_view_cut(&rest, ' '));
    }
    rp_json_add_cstr(cli->arena, one, "file", file);
    rp_json_add_string(cli->arena, one, "issuer", facts->issuer);
    rp_json_add_cstr(cli->arena, one, "since", since.s);
    rp_json_add_cstr(cli->arena, one, "until", until.s);
    rp_json_add_bool(cli->arena, one, "ended", days < 0);
    rp_json_add_u64(cli->arena, one, "days_left", days < 0 ? 0 : (uint64_t)days);
    cli_print_json(root);
}

/* 1 when it has ended, or less than a tenth of its life is left: what the probe calls late. */
enum rp_exit cli_gate_certificates(struct cli *cli) {
    const char *file = "rempart.yaml";
    struct rp_diag diag = {0};
    struct rp_x509_facts facts;
    rp_view pem = {NULL, 0};
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err)) {
        err = find_file(cli, &file, &diag);
    }
    if (rp_ok(err)) {
        err = rp_file_read(file, FILE_MAX, cli->arena, &pem);
    }
    if (rp_ok(err)) {
        err = rp_x509_read(pem, cli->arena, &facts);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, file, &diag);
    }
    struct rp_env env = rp_env_real();
    int64_t left_s = facts.until_s - rp_env_now_s(&env);
    print(cli, file, &facts, left_s < 0 ? -1 : left_s / DAY_S);
    return left_s < (facts.until_s - facts.since_s) / 10 ? RP_EXIT_FINDING : RP_EXIT_OK;
}
