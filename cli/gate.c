#include <time.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/x509.h"
#include "gate.h"
#include "os/file.h"

enum { PEM_MAX = 65536 };

static const char ca_path[] = "gate/tls/ca.pem";

static void explain(const struct cli *cli, int64_t until_s) {
    char day[16] = "?";
    time_t until = (time_t)until_s;
    struct tm utc;
    if (gmtime_r(&until, &utc)) {
        RP_ASSERT(strftime(day, sizeof day, "%Y-%m-%d", &utc) > 0);
    }
    fprintf(stderr, "%s\n  %s %s\n\n",
            cli_say(cli, "L’autorité locale de cette installation.",
                    "The local authority of this installation."),
            cli_say(cli, "valable jusqu’au", "valid until"), day);
    fprintf(stderr, "%s\n",
            cli_say(cli,
                    "Quiconque lui fait confiance croit tout certificat qu’elle signe : ne "
                    "l’installez que\nsur vos propres machines. Enregistrez ce qui suit dans "
                    "rempart-ca.crt, puis :",
                    "Whoever trusts it believes every certificate that it signs: install it on "
                    "your own\nmachines only. Save what follows as rempart-ca.crt, then:"));
    fprintf(stderr,
            "  Debian, Ubuntu   cp rempart-ca.crt /usr/local/share/ca-certificates/ && "
            "update-ca-certificates\n"
            "  macOS            security add-trusted-cert -r trustRoot -k "
            "~/Library/Keychains/login.keychain-db rempart-ca.crt\n"
            "  Windows          certutil -user -addstore Root rempart-ca.crt\n"
            "  Firefox          about:preferences#privacy, %s\n"
            "  Chromium, Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n rempart -i "
            "rempart-ca.crt\n\n",
            cli_say(cli, "« Afficher les certificats », « Importer »",
                    "\"View Certificates\", \"Import\""));
}

/* The certificate on stdout, what to do with it on stderr: `rempart gate trust >rempart-ca.crt`. */
static enum rp_exit trust(struct cli *cli) {
    rp_err err = cli_enter_state(cli);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    rp_view pem = {NULL, 0};
    err = rp_file_read(ca_path, PEM_MAX, cli->arena, &pem);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        fprintf(stderr, "rempart: %s\n",
                cli_say(cli,
                        "il n’y a pas d’autorité locale ici : la porte sert le certificat de "
                        "rempart.yaml, ou n’a jamais démarré",
                        "there is no local authority here: the gate serves the certificate of "
                        "rempart.yaml, or was never started"));
        return RP_EXIT_FINDING;
    }
    int64_t until_s = 0;
    if (rp_ok(err)) {
        err = rp_x509_not_after(pem, &until_s);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, ca_path, NULL);
    }
    explain(cli, until_s);
    printf("%.*s", RP_FMT(pem));
    return RP_EXIT_OK;
}

enum rp_exit cli_gate(struct cli *cli) {
    const char *verb = cli->arg_count > 0 ? cli->args[0] : "";
    if (cli->arg_count == 1 && strcmp(verb, "trust") == 0) {
        return trust(cli);
    }
    if (cli->arg_count == 1 && strcmp(verb, "certificates") == 0) {
        return cli_gate_certificates(cli);
    }
    static const char *const lists[] = {"allow", "deny", "list", "remove"};
    for (size_t i = 0; i < RP_COUNT_OF(lists); i++) {
        if (strcmp(verb, lists[i]) == 0) {
            return cli_gate_lists(cli);
        }
    }
    if (strcmp(verb, "attack") == 0) {
        return cli_gate_attack(cli);
    }
    if (strcmp(verb, "renew") == 0) {
        return cli_gate_renew(cli);
    }
    return cli_usage_words(cli);
}
