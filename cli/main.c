/* main.c — which commands there are, and how their options are read. */
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "cli.h"

static const struct cli_command commands[] = {
    {"up",
     "rempart up [--state DIR] [--config FILE] [--upstream URL] [--listen PORT]",
     {"démarre tout, au premier plan ; la dernière ligne du démarrage est « ready »",
      "start everything, in the foreground; the last start line is \"ready\""},
     "  rempart up --upstream http://127.0.0.1:3000 --listen 8443\n",
     cli_up},
    {"check",
     "rempart check [--config FILE] [--sample]",
     {"vérifie la configuration avec le code du démarrage",
      "check the configuration with the code that starts"},
     "  rempart check --config /etc/rempart/rempart.yaml\n  rempart check --sample > "
     "rempart.yaml\n",
     cli_check},
    {"reload",
     "rempart reload [--json]",
     {"relit la configuration sans rien couper ; refusée, l'ancienne reste",
      "read the configuration again without cutting anything; refused, the old one stays"},
     "  rempart reload\n",
     cli_reload},
    {"status",
     "rempart status [--json]",
     {"rôles, état, mémoire, isolation", "roles, state, memory, isolation"},
     "  rempart status\n",
     cli_status},
    {"promises",
     "rempart promises [ID | run ID] [--summary] [--json]",
     {"l'état de chaque promesse, avec sa preuve ; « run » refait ses épreuves maintenant",
      "the status of each promise, with its evidence; \"run\" repeats its probes now"},
     "  rempart promises\n  rempart promises tls-everywhere\n  rempart promises run "
     "tls-everywhere\n  rempart promises run tls.versions\n",
     cli_promises},
    {"verify",
     "rempart verify DIR|URL [--witness VKEY…] [--ca FILE] [--json]\n"
     "       rempart verify FILE.tlog-proof --key VKEY [--entry FILE] [--json]",
     {"vérifie un journal ou une preuve, hors ligne ; nomme le premier octet faux",
      "verify a log or a proof, offline; names the first bad byte"},
     "  rempart verify var/ledger\n  rempart verify https://example.com/.rempart/log/public\n"
     "  rempart verify https://example.com/.rempart/log/public --witness "
     "'other.example/witness+…'\n"
     "  rempart verify evidence.tlog-proof --key 'example.com/log/public+…' --entry "
     "evidence.json\n",
     cli_verify},
    {"keys",
     "rempart keys status|rotate|unseal|recovery [--renew]|split --shares N --threshold K [--json]",
     {"le service de clés : inventaire, renouvellement, ouverture, fiche de secours",
      "the key service: inventory, rotation, unsealing, recovery sheet"},
     "  rempart keys recovery\n  rempart keys unseal\n  rempart keys split --shares 5 --threshold "
     "3\n",
     cli_keys},
    {"link",
     "rempart link key [--json]",
     {"l'empreinte de cette machine, que les autres machines de l'installation mettent dans "
      "link.peers",
      "this machine's fingerprint, for link.peers of the installation's other machines"},
     "  rempart link key\n  rempart link key --state /var/lib/rempart\n",
     cli_link},
    {"tenant",
     "rempart tenant list|create NAME|export ID FILE|reopen NAME [--json]\n"
     "       rempart tenant import ID FILE [--dry-run] [--skip-bad] [--json]\n"
     "       rempart tenant close NAME [--days N] [--confirm NAME] [--json]",
     {"les organisations clientes ; « import » reprend un export, « close » détruit la clé et les "
      "données au terme du délai",
      "the customer organisations; \"import\" brings an export in, \"close\" destroys key and data "
      "when its days are over"},
     "  rempart tenant create 'Boulangerie Martin'\n"
     "  rempart tenant export 6f1c… martin.tar.gz\n"
     "  rempart tenant import 02ab… martin.tar.gz --dry-run\n"
     "  rempart tenant close 'Boulangerie Martin' --days 30\n",
     cli_tenant},
    {"app",
     "rempart app token new APP [--scopes LIST] [--days N]|list|revoke ID [--json]",
     {"les jetons des applications : en faire un, les voir, en retirer un",
      "applications' tokens: make one, see them, take one back"},
     "  rempart app token new notes --scopes records:read,records:write --days 90\n"
     "  rempart app token revoke 6f1c…\n",
     cli_app},
    {"person",
     "rempart person invite EMAIL|list|role PERSON ROLE|remove PERSON --tenant ID\n"
     "       [--role member|admin|operator] [--record RECORD] [--json]\n"
     "rempart person import FILE [--tenant ID] [--dry-run] [--skip-bad] [--json]",
     {"invite des personnes, en reprend d'un autre système, change leurs rôles",
      "invite people, import them from another system, change their roles"},
     "  rempart person invite lea@example.com --tenant 6f1c… --role admin\n"
     "  rempart person invite bob@example.com --tenant 6f1c… --role operator --record 02ab…\n"
     "  rempart person import people.csv --dry-run\n"
     "  rempart person remove lea@example.com --tenant 6f1c…\n",
     cli_person},
    {"role",
     "rempart role explain [--json]",
     {"qui peut quoi : la table que le programme applique",
      "who may do what: the table that the program applies"},
     "  rempart role explain\n",
     cli_role},
    {"notify",
     "rempart notify list | retry ID | webhooks [--json]\n"
     "       rempart notify test NAME | resume NAME",
     {"ce qui a été écrit à des personnes, et ce qu'il en est advenu ; les webhooks, essayés ou "
      "repris",
      "what was written to people, and what became of it; webhooks, tested or resumed"},
     "  rempart notify list\n  rempart notify webhooks\n  rempart notify test ops\n",
     cli_notify},
    {"gate",
     "rempart gate trust | certificates [--json] | renew [NAME]\n"
     "       rempart gate allow|deny [NETWORK] [--path PREFIX] [--method METHOD]\n"
     "               [--header 'NAME: TEXT'] --reason TEXT [--days N | --minutes N] [--json]\n"
     "       rempart gate allow|deny --file FILE --reason TEXT [--days N | --minutes N]\n"
     "       rempart gate list [--json] | remove ID|NETWORK\n"
     "       rempart gate attack [on|off] [--app NAME] [--days N | --minutes N] [--json]",
     {"la porte : listes d'autorisation et de refus, autorité locale et comment lui faire "
      "confiance",
      "the gate: allow and deny lists; the local authority, and how to trust it"},
     "  rempart gate deny 192.0.2.0/24 --reason 'password guessing' --days 7\n"
     "  rempart gate deny --path /wp-login --reason 'nothing of ours'\n"
     "  rempart gate allow 198.51.100.7 --reason 'our own monitoring'\n"
     "  rempart gate deny --file drop.txt --reason 'a published list' --days 2\n"
     "  rempart gate remove 192.0.2.0/24\n"
     "  rempart gate attack on --minutes 60\n"
     "  rempart gate trust >rempart-ca.crt\n"
     "  rempart gate renew www.example.com\n",
     cli_gate},
    {"ledger",
     "rempart ledger tail [public|operator|TENANT] [-n COUNT] [--json] | prove TREE INDEX | key | "
     "rebase",
     {"lit un journal ; « prove » écrit une preuve d'inclusion ; « key » : la clé que vérifie qui "
      "en "
      "garde une copie ; « rebase » : des bases remises à un état antérieur continuent derrière "
      "lui",
      "read a log; \"prove\" writes a proof of inclusion; \"key\": what whoever keeps a copy "
      "checks "
      "it with; \"rebase\": databases that were put back go on behind it"},
     "  rempart ledger tail operator -n 200\n  rempart ledger prove public 12 > 12.tlog-proof\n",
     cli_ledger},
    {"witness",
     "rempart witness key | logs [--json]",
     {"le témoin de cette installation : sa clé, et les journaux de tiers qu'il cosigne",
      "this installation's witness: its key, and the logs of others that it cosigns"},
     "  rempart witness key\n  rempart witness logs\n",
     cli_witness},
    {"backup",
     "rempart backup run DIR | list DIR | verify DIR|FILE | open FILE | restore FILE [--state DIR] "
     "[--keep-ledger | --force-older] [--passphrase-file FILE] [--json]",
     {"une copie chiffrée de tout, faite en marche ; la vérifier, la rétablir",
      "one encrypted copy of everything, made while running; verify it, restore it"},
     "  rempart backup run /srv/backups\n  rempart backup verify /srv/backups\n  rempart backup "
     "restore /srv/backups/rempart-….backup --state /var/lib/rempart\n  rempart backup open "
     "rempart-….backup | tar -tz\n",
     cli_backup},
    {"completion",
     "rempart completion bash|zsh",
     {"la complétion de cette commande pour votre interpréteur",
      "completion of this command for your shell"},
     "  source <(rempart completion bash)\n  rempart completion zsh > "
     "/usr/local/share/zsh/site-functions/_rempart\n",
     cli_completion},
    {"register",
     "rempart register list [REGISTER [FIELD=VALUE…]] | describe REGISTER | search WORD… [--json]\n"
     "       rempart register show REGISTER RECORD [--summary] [--json]\n"
     "       rempart register new REGISTER FIELD=VALUE… | edit REGISTER RECORD FIELD=VALUE…\n"
     "       rempart register move REGISTER RECORD MOVE [reason=TEXT] [FIELD=VALUE…]\n"
     "       rempart register attach REGISTER RECORD FIELD FILE | remove REGISTER RECORD\n"
     "       rempart register hold REGISTER RECORD DEADLINE REASON\n"
     "       rempart register resume REGISTER RECORD DEADLINE\n"
     "       rempart register export REGISTER [FILE] | import REGISTER FILE [--dry-run]\n"
     "       rempart register view REGISTER [NAME [FIELD=VALUE…]]\n"
     "       rempart register token [new NAME scope= registers= days= | end ID]\n"
     "       rempart register example load|remove\n"
     "       rempart register retention [--dry-run [--days N] | --confirm TODAY]",
     {"les registres : fiches, passages, historique (--summary) ; une fiche se nomme par son id "
      "ou par son numéro",
      "the registers: records, moves, history (--summary); a record is named by its id or its "
      "number"},
     "  rempart register list\n  rempart register describe suppliers\n  rempart register new "
     "suppliers name='Nuage SA' tier=one "
     "service=hosting\n  rempart register move persons 12 begin\n  rempart register import "
     "suppliers suppliers.csv --dry-run\n  rempart register token new importer scope=write "
     "registers=assets days=30\n  rempart register example load\n"
     "  rempart register retention --dry-run --days 90\n"
     "  rempart register retention --confirm 2026-11-26\n",
     cli_register},
    {"waf",
     "rempart waf compile --rules FILE… -o IMAGE | exec --rules FILE…|--image IMAGE --request FILE "
     "[--response FILE] [--json] | test --rules FILE…|--url URL --log FILE --tests DIR… [--json] | "
     "explain ID --rules "
     "FILE…|--image IMAGE | bench --rules FILE…|--image IMAGE --request FILE [--seconds N]\n"
     "       rempart waf proposals [--json] | accept|reject ID --reason TEXT\n"
     "       rempart waf exclusions [remove ID] [--json]\n"
     "       rempart waf top [--by false-alarms|cost|blocks] [--since 7d] [--json]\n"
     "       rempart waf model learn APP [--json]",
     {"le pare-feu applicatif : compiler des règles, juger une requête, passer les essais du CRS",
      "the application firewall: compile rules, judge a request, run the tests of the CRS"},
     "  rempart waf compile --rules crs-setup.conf rules/*.conf -o crs.waf\n"
     "  rempart waf exec --image crs.waf --request login.http --json\n"
     "  rempart waf test --rules /usr/share/modsecurity-crs/owasp-crs.load --tests "
     "tests/regression/tests\n"
     "  rempart waf test --url http://127.0.0.1:8080 --log /var/log/nginx/error.log --tests "
     "tests/regression/tests\n"
     "  rempart waf proposals\n"
     "  rempart waf accept 3f9a01c2 --reason 'the editor sends HTML'\n"
     "  rempart waf top --by cost --since 1d\n"
     "  rempart waf model learn wiki > wiki.yaml\n",
     cli_waf},
};

const struct cli_command *cli_commands(size_t *ret_count) {
    *ret_count = RP_COUNT_OF(commands);
    return commands;
}

const char *cli_say(const struct cli *cli, const char *fr, const char *en) {
    return cli->lang == RP_FR ? fr : en;
}

static enum rp_lang reader_language(void) {
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0]) {
            return value[0] == 'f' && value[1] == 'r' ? RP_FR : RP_EN;
        }
    }
    return RP_EN;
}

static void print_help(const struct cli *cli, FILE *to) {
    fprintf(to, "%s\n\n",
            cli_say(cli, "rempart — la page de sécurité, tenue et prouvée",
                    "rempart — the security page, kept and proven"));
    for (size_t i = 0; i < RP_COUNT_OF(commands); i++) {
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].about[cli->lang]);
    }
    fprintf(
        to, "\n%s\n",
        cli_say(cli,
                "« rempart COMMANDE --help » montre l'usage et des exemples. Codes de retour : 0 "
                "bien,\n1 constat, 2 usage ou configuration, 3 injoignable.",
                "\"rempart COMMAND --help\" shows usage and examples. Exit codes: 0 well, 1 "
                "finding,\n2 usage or configuration, 3 unreachable."));
}

static void print_command_help(const struct cli *cli, const struct cli_command *command, FILE *to) {
    fprintf(to, "%s\n\n%s\n\n%s\n%s", command->usage, command->about[cli->lang],
            cli_say(cli, "Exemples :", "Examples:"), command->examples);
}

static const struct cli_command *find_command(const char *name) {
    for (size_t i = 0; i < RP_COUNT_OF(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

enum rp_exit cli_usage(const struct cli *cli, const char *problem) {
    fprintf(stderr, "rempart: %s\n", problem);
    const struct cli_command *command = cli->command ? find_command(cli->command) : NULL;
    if (command) {
        fprintf(stderr, "usage: %s\n", command->usage);
    } else {
        fprintf(stderr, "usage: rempart COMMAND …  (rempart --help)\n");
    }
    return RP_EXIT_USAGE;
}

/* Where what does not answer may run. A log that is fetched to be verified is somebody else's. */
static void say_where(const struct cli *cli) {
    rp_view machine;
    if (cli->command && strcmp(cli->command, "verify") == 0) {
        return;
    }
    if (cli_runs_elsewhere(cli, "core", &machine)) {
        fprintf(stderr,
                cli_say(cli,
                        "Cette machine ne fait tourner que le service de clés ; demandez-le sur la "
                        "machine « %.*s ».\n",
                        "This machine runs the key service alone; ask it of the machine "
                        "\"%.*s\".\n"),
                RP_FMT(machine));
        return;
    }
    fprintf(stderr, "%s\n",
            cli_say(cli,
                    "Rempart tourne-t-il ici ? « rempart up » le démarre ; --state DIR dit où.",
                    "Is Rempart running here? \"rempart up\" starts it; --state DIR says where."));
}

enum rp_exit cli_fail(const struct cli *cli, rp_err err, const char *what,
                      const struct rp_diag *diag) {
    fprintf(stderr, "rempart: %s: %s", what, rp_err_text(err, cli->lang));
    if (diag && diag->line) {
        fprintf(stderr, " (%s %u, %s %u)", cli_say(cli, "ligne", "line"), diag->line,
                cli_say(cli, "colonne", "column"), diag->column);
    }
    if (diag && diag->text[0] && strcmp(diag->text, rp_err_text(err, cli->lang)) != 0) {
        fprintf(stderr, ": %s", diag->text);
    }
    fputc('\n', stderr);
    if (rp_is(err, RP_E_UNREACHABLE)) {
        say_where(cli);
    }
    return rp_err_retry(err) ? RP_EXIT_UNREACHABLE : RP_EXIT_USAGE;
}

/* --name VALUE and --name=VALUE; true when argument i was this option. */
static bool take_value(int argc, char **argv, int *i, const char *name, const char **ret_value) {
    size_t n = strlen(name);
    const char *argument = argv[*i];
    if (strncmp(argument, name, n) != 0) {
        return false;
    }
    if (argument[n] == '=') {
        *ret_value = argument + n + 1;
        return true;
    }
    if (argument[n] == 0 && *i + 1 < argc) {
        *ret_value = argv[++*i];
        return true;
    }
    return false;
}

/* --name VALUE… up to the next option; true when argument i was this option and had one. */
static bool take_values(int argc, char **argv, int *i, const char *name,
                        struct cli_values *values) {
    const char *one = NULL;
    if (!take_value(argc, argv, i, name, &one)) {
        return false;
    }
    for (;;) {
        if (values->count == RP_VALUES_MAX) {
            return false;
        }
        values->p[values->count++] = one;
        if (*i + 1 >= argc || argv[*i + 1][0] == '-') {
            return true;
        }
        one = argv[++*i];
    }
}

static bool take_flag(const char *argument, const char *name, bool *ret_flag) {
    if (strcmp(argument, name) != 0) {
        return false;
    }
    *ret_flag = true;
    return true;
}

static bool take_option(struct cli *cli, int argc, char **argv, int *i) {
    return take_flag(argv[*i], "--dry-run", &cli->dry_run) ||
           take_value(argc, argv, i, "--state", &cli->state) ||
           take_value(argc, argv, i, "--config", &cli->config) ||
           take_value(argc, argv, i, "--upstream", &cli->upstream) ||
           take_value(argc, argv, i, "--listen", &cli->listen) ||
           take_value(argc, argv, i, "--key", &cli->key) ||
           take_value(argc, argv, i, "--entry", &cli->entry) ||
           take_value(argc, argv, i, "--tenant", &cli->tenant) ||
           take_value(argc, argv, i, "--role", &cli->role) ||
           take_value(argc, argv, i, "--record", &cli->record) ||
           take_value(argc, argv, i, "--scopes", &cli->scopes) ||
           take_value(argc, argv, i, "--ca", &cli->ca) ||
           take_value(argc, argv, i, "--reason", &cli->reason) ||
           take_value(argc, argv, i, "--app", &cli->app) ||
           take_value(argc, argv, i, "--days", &cli->days) ||
           take_value(argc, argv, i, "--confirm", &cli->confirm) ||
           take_value(argc, argv, i, "--minutes", &cli->minutes) ||
           take_value(argc, argv, i, "--path", &cli->path) ||
           take_value(argc, argv, i, "--method", &cli->method) ||
           take_value(argc, argv, i, "--header", &cli->header) ||
           take_value(argc, argv, i, "--file", &cli->file) ||
           take_flag(argv[*i], "--json", &cli->json) ||
           take_flag(argv[*i], "--summary", &cli->summary) ||
           take_flag(argv[*i], "--sample", &cli->sample) ||
           take_flag(argv[*i], "--skip-bad", &cli->skip_bad) ||
           take_value(argc, argv, i, "--shares", &cli->shares) ||
           take_value(argc, argv, i, "--threshold", &cli->threshold) ||
           take_value(argc, argv, i, "--passphrase-file", &cli->passphrase_file) ||
           take_flag(argv[*i], "--force-older", &cli->force_older) ||
           take_flag(argv[*i], "--keep-ledger", &cli->keep_ledger) ||
           take_flag(argv[*i], "--renew", &cli->renew) ||
           take_values(argc, argv, i, "--rules", &cli->rules) ||
           take_values(argc, argv, i, "--tests", &cli->tests) ||
           take_values(argc, argv, i, "--witness", &cli->witnesses) ||
           take_value(argc, argv, i, "--image", &cli->image) ||
           take_value(argc, argv, i, "--output", &cli->output) ||
           take_value(argc, argv, i, "-o", &cli->output) ||
           take_value(argc, argv, i, "--request", &cli->request) ||
           take_value(argc, argv, i, "--response", &cli->response) ||
           take_value(argc, argv, i, "--url", &cli->url) ||
           take_value(argc, argv, i, "--log", &cli->log) ||
           take_value(argc, argv, i, "--by", &cli->by) ||
           take_value(argc, argv, i, "--since", &cli->since) ||
           take_value(argc, argv, i, "--lines", &cli->lines) ||
           take_value(argc, argv, i, "-n", &cli->lines) ||
           take_value(argc, argv, i, "--seconds", &cli->seconds);
}

static bool is_option(const char *arg) {
    return strncmp(arg, "--", 2) == 0 || strcmp(arg, "-o") == 0 || strcmp(arg, "-n") == 0;
}

static const char *default_state(void) {
    const char *named = getenv("REMPART_STATE");
    if (named && named[0]) {
        return named;
    }
    return access("var/run", F_OK) == 0 || access("/var/lib/rempart", F_OK) != 0
               ? "var"
               : "/var/lib/rempart";
}

/* An option that the command would not look at is refused, and so are words that it has no use for:
 * nobody may believe that it was heeded. */
static enum rp_exit check_usage(const struct cli *cli, const struct cli_command *command) {
    char problem[160];
    const char *verb = cli->arg_count > 0 ? cli->args[0] : NULL;
    for (size_t i = 0; i < cli->options.count; i++) {
        const char *option = cli->options.p[i];
        if (!cli_usage_takes(command, verb, option)) {
            snprintf(problem, sizeof problem, "%s: %.60s",
                     cli_say(cli, "cette commande n'a pas cette option",
                             "this command has no such option"),
                     option);
            return cli_usage(cli, problem);
        }
    }
    if (verb && !cli_usage_has_words(command)) {
        snprintf(problem, sizeof problem, "%s: %.60s",
                 cli_say(cli, "argument en trop", "one argument too many"), verb);
        return cli_usage(cli, problem);
    }
    return RP_EXIT_OK;
}

static enum rp_exit run_command(struct cli *cli, int argc, char **argv) {
    const struct cli_command *command = find_command(cli->command);
    if (!command) {
        char problem[160];
        snprintf(problem, sizeof problem, "%s: %.60s",
                 cli_say(cli, "commande inconnue", "unknown command"), cli->command);
        return cli_usage(cli, problem);
    }
    for (int i = 2; i < argc; i++) {
        bool help = false;
        if (take_flag(argv[i], "--help", &help)) {
            print_command_help(cli, command, stdout);
            return RP_EXIT_OK;
        }
        if (is_option(argv[i])) {
            const char *option = argv[i];
            if (cli->options.count == RP_VALUES_MAX || !take_option(cli, argc, argv, &i)) {
                char problem[160];
                snprintf(
                    problem, sizeof problem, "%s: %.60s",
                    cli_say(cli, "option inconnue ou sans valeur", "unknown option, or no value"),
                    option);
                return cli_usage(cli, problem);
            }
            cli->options.p[cli->options.count++] = option;
        } else if (cli->arg_count == RP_ARGS_MAX) {
            return cli_usage(cli, cli_say(cli, "trop d'arguments", "too many arguments"));
        } else {
            cli->args[cli->arg_count++] = argv[i];
        }
    }
    if (!cli->state) {
        cli->state = default_state();
    }
    enum rp_exit code = check_usage(cli, command);
    return code == RP_EXIT_OK ? command->run(cli) : code;
}

int main(int argc, char **argv) {
    static struct cli cli; /* too large for the stack */
    cli.lang = reader_language();
    cli.program = argv[0];
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(&cli, argc < 2 ? stderr : stdout);
        return argc < 2 ? RP_EXIT_USAGE : RP_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("rempart %s\n", REMPART_VERSION);
        return RP_EXIT_OK;
    }
    cli.arena = rp_arena_new((size_t)64 << 20);
    if (!cli.arena) {
        return cli_fail(&cli, RP_ERR(NO_MEMORY), "rempart", NULL);
    }
    cli.command = argv[1];
    enum rp_exit code = run_command(&cli, argc, argv);
    rp_arena_free(cli.arena);
    return (int)code;
}
