/* commands.c — which commands there are: usage, meaning, examples; and who does it. */
#include "base/checked.h"
#include "cli.h"

static const struct cli_command commands[] = {
    {"up",
     "rempart up [--state DIR] [--config FILE] [--upstream URL] [--listen PORT]",
     {"démarre tout, au premier plan ; la dernière ligne du démarrage est « ready »",
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
     {"relit la configuration sans rien couper ; refusée, l’ancienne reste",
      "read the configuration again without cutting anything; refused, the old one stays"},
     "  rempart reload\n",
     cli_reload},
    {"status",
     "rempart status [--json]",
     {"rôles, état, mémoire, isolation", "roles, state, memory, isolation"},
     "  rempart status\n",
     cli_status},
    {"promises",
     "rempart promises [ID | run ID] [--summary] [--wait SECONDS] [--json]",
     {"l’état de chaque promesse, avec sa preuve ; « run » refait ses épreuves maintenant, --wait "
      "attend que chacune ait eu lieu une fois",
      "the status of each promise, with its evidence; \"run\" repeats its probes now, --wait "
      "waits until each was run once"},
     "  rempart promises\n  rempart promises --summary --wait 90\n  rempart promises "
     "tls-everywhere\n  rempart promises run tls-everywhere\n  rempart promises run "
     "tls.versions\n",
     cli_promises},
    {"verify",
     "rempart verify DIR|URL [--witness VKEY…] [--ca FILE] [--json]\n"
     "       rempart verify FILE.tlog-proof --key VKEY [--entry FILE] [--json]",
     {"vérifie un journal ou une preuve, hors ligne ; nomme le premier octet faux",
      "verify a log or a proof, offline; names the first bad byte"},
     "  rempart verify var/ledger\n  rempart verify https://example.com/.rempart/log/public\n"
     "  rempart verify https://example.com/.rempart/log/public --witness "
     "'other.example/witness+…'\n"
     "  rempart verify evidence.tlog-proof --key 'example.com/log/public+…' --entry "
     "evidence.json\n",
     cli_verify},
    {"keys",
     "rempart keys status|rotate|unseal|recovery [--renew]|split --shares N --threshold K [--json]",
     {"le service de clés : inventaire, renouvellement, ouverture, fiche de secours",
      "the key service: inventory, rotation, unsealing, recovery sheet"},
     "  rempart keys recovery\n  rempart keys unseal\n  rempart keys split --shares 5 --threshold "
     "3\n",
     cli_keys},
    {"link",
     "rempart link key [--json]",
     {"l’empreinte de cette machine, que les autres machines de l’installation mettent dans "
      "link.peers",
      "this machine's fingerprint, for link.peers of the installation's other machines"},
     "  rempart link key\n  rempart link key --state /var/lib/rempart\n",
     cli_link},
    {"tenant",
     "rempart tenant list|create NAME|export ID FILE|reopen NAME [--json]\n"
     "       rempart tenant import ID FILE [--dry-run] [--skip-bad] [--json]\n"
     "       rempart tenant close NAME [--days N] [--confirm NAME] [--json]",
     {"les organisations clientes ; « import » reprend un export, « close » détruit la clé et les "
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
     {"les jetons des applications : en faire un, les voir, en retirer un",
      "applications' tokens: make one, see them, take one back"},
     "  rempart app token new notes --scopes records:read,records:write --days 90\n"
     "  rempart app token revoke 6f1c…\n",
     cli_app},
    {"person",
     "rempart person invite EMAIL --tenant ID [--role member|admin|operator] [--record RECORD]\n"
     "       [--json]\n"
     "rempart person list --tenant ID [--json]\n"
     "rempart person role PERSON ROLE --tenant ID [--json]\n"
     "rempart person remove PERSON --tenant ID [--json]\n"
     "rempart person reminders PERSON --tenant ID [--quiet HH:MM-HH:MM|none|default]\n"
     "       [--digest HH:MM|none|default] [--json]\n"
     "rempart person import FILE [--tenant ID] [--dry-run] [--skip-bad] [--json]",
     {"invite des personnes, en reprend d’un autre système, change leurs rôles et les heures de "
      "leurs rappels",
      "invite people, import them from another system, change their roles and the hours of their "
      "reminders"},
     "  rempart person invite lea@example.com --tenant 6f1c… --role admin\n"
     "  rempart person invite bob@example.com --tenant 6f1c… --role operator --record 02ab…\n"
     "  rempart person reminders lea@example.com --tenant 6f1c… --quiet 20:00-08:00\n"
     "  rempart person import people.csv --dry-run\n"
     "  rempart person remove lea@example.com --tenant 6f1c…\n",
     cli_person},
    {"role",
     "rempart role explain [--json]",
     {"qui peut quoi : la table que le programme applique",
      "who may do what: the table that the program applies"},
     "  rempart role explain\n",
     cli_role},
    {"notify",
     "rempart notify list | retry ID | webhooks [--json]\n"
     "       rempart notify test NAME | resume NAME",
     {"ce qui a été écrit à des personnes, et ce qu’il en est advenu ; les webhooks, essayés ou "
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
     {"la porte : listes d’autorisation et de refus, autorité locale et comment lui faire "
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
     {"lit un journal ; « prove » écrit une preuve d’inclusion ; « key » : la clé que vérifie qui "
      "en "
      "garde une copie ; « rebase » : des bases remises à un état antérieur continuent derrière "
      "lui",
      "read a log; \"prove\" writes a proof of inclusion; \"key\": what whoever keeps a copy "
      "checks "
      "it with; \"rebase\": databases that were put back go on behind it"},
     "  rempart ledger tail operator -n 200\n  rempart ledger prove public 12 > 12.tlog-proof\n",
     cli_ledger},
    {"witness",
     "rempart witness key | logs [--json]",
     {"le témoin de cette installation : sa clé, et les journaux de tiers qu’il cosigne",
      "this installation's witness: its key, and the logs of others that it cosigns"},
     "  rempart witness key\n  rempart witness logs\n",
     cli_witness},
    {"backup",
     "rempart backup run DIR | list DIR | verify DIR|FILE | open FILE | restore FILE [--state DIR] "
     "[--keep-ledger | --force-older] [--passphrase-file FILE] [--json]",
     {"une copie chiffrée de tout, faite en marche ; la vérifier, la rétablir",
      "one encrypted copy of everything, made while running; verify it, restore it"},
     "  rempart backup run /srv/backups\n  rempart backup verify /srv/backups\n  rempart backup "
     "restore /srv/backups/rempart-….backup --state /var/lib/rempart\n  rempart backup open "
     "rempart-….backup | tar -tz\n",
     cli_backup},
    {"store",
     "rempart store copy --from URL --to URL [--state DIR] [--json]",
     {"les bases, des fichiers vers un PostgreSQL ou l’inverse, Rempart arrêté",
      "the databases, from files into a PostgreSQL or back, while Rempart is stopped"},
     "  rempart store copy --from sqlite: --to "
     "'postgresql://rempart@/rempart?host=/var/run/postgresql'\n",
     cli_store},
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
     {"les registres : fiches, passages, historique (--summary) ; une fiche se nomme par son id "
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
    {"change",
     "rempart change check FILE|DIGEST… | propose [FILE|DIGEST…] | running [--json]",
     {"le registre des changements avant un déploiement : « check » demande si ceci peut partir, "
      "« propose » prépare l’approbation, « running » le demande des programmes en service",
      "the register of changes before a deployment: \"check\" asks whether this may go out, "
      "\"propose\" drafts what has to be approved, \"running\" asks of the programs in service"},
     "  rempart change check shop.tar.gz && ./deploy shop.tar.gz\n"
     "  rempart change check registry.example/shop@sha256:9f86… git:4f1c…\n"
     "  rempart change propose shop.tar.gz\n"
     "  rempart change propose\n"
     "  rempart change running\n",
     cli_change},
    {"domain",
     "rempart domain look NAME… [--dry-run] [--json] | look - [--dry-run] [--json] | list [--json]",
     {"les noms qui imitent les vôtres : « look » en juge, ou lit un flux de noms ; ce qui est "
      "signalé va au registre",
      "names that pose as yours: \"look\" judges some, or reads a feed of names; what is flagged "
      "goes into the register"},
     "  rempart domain look exemple-login.com --dry-run\n"
     "  rempart domain look - < names-of-today.txt\n"
     "  rempart domain list\n",
     cli_domain},
    {"waf",
     "rempart waf compile --rules FILE… -o IMAGE [--json]\n"
     "rempart waf exec [--rules FILE…|--image IMAGE] --request FILE [--response FILE] [--json]\n"
     "rempart waf test --rules FILE…|--url URL --log FILE --tests DIR… [--json]\n"
     "rempart waf explain ID [--rules FILE…|--image IMAGE] [--request FILE]\n"
     "rempart waf bench [--rules FILE…|--image IMAGE] --request FILE [--seconds N] [--json]\n"
     "       rempart waf proposals [--json] | accept|reject ID --reason TEXT\n"
     "       rempart waf exclusions [remove ID] [--json]\n"
     "       rempart waf top [--by false-alarms|cost|blocks] [--since 7d] [--json]\n"
     "       rempart waf model learn APP [--json]",
     {"le pare-feu applicatif : compiler des règles, juger une requête, passer les essais du CRS",
      "the application firewall: compile rules, judge a request, run the tests of the CRS"},
     "  rempart waf compile --rules crs-setup.conf rules/*.conf -o crs.waf\n"
     "  rempart waf exec --image crs.waf --request login.http --json\n"
     "  rempart waf explain 942100\n"
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

const struct cli_command *cli_command_named(const char *name) {
    for (size_t i = 0; i < RP_COUNT_OF(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}
