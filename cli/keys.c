/* keys.c — the key service from a terminal: inventory, rotation, unsealing, the recovery sheet. */
#include <termios.h>
#include <unistd.h>

#include "cli.h"
#include "crypto/shamir.h"
#include "ipc/ipc.h"

enum { DEADLINE_MS = 20000, PASSPHRASE_MAX = 1000 };

static rp_err ask_kms(enum rp_ipc_message message, rp_view request, struct rp_buf *reply) {
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CLI, RP_ROLE_KMS, DEADLINE_MS);
    rp_err err = client ? rp_ipc_call(client, message, request, reply) : RP_ERR(NO_MEMORY);
    rp_ipc_client_free(client);
    return err;
}

static enum rp_exit status(struct cli *cli) {
    struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_err err = ask_kms(RP_IPC_CLI_KMS_STATUS, (rp_view){NULL, 0}, &reply);
    struct rp_json *inventory = NULL;
    if (rp_ok(err)) {
        struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
        rp_view text = rp_unpack_bytes(&in, RP_IPC_MAX);
        err = rp_unpack_end(&in);
        if (rp_ok(err)) {
            err = rp_json_parse(text, RP_JSON_LIMITS, cli->arena, &inventory, NULL);
        }
    }
    bool sealed = false;
    if (rp_ok(err)) {
        rp_json_get_bool(inventory, "sealed", &sealed);
    }
    if (rp_ok(err) && cli->json) {
        cli_print_json(inventory);
    } else if (rp_ok(err)) {
        printf("%s\n",
               sealed ? cli_say(cli, "scellé", "sealed") : cli_say(cli, "ouvert", "unsealed"));
        const struct rp_json *keys = rp_json_get(inventory, "keys");
        for (const struct rp_json *k = keys ? keys->first : NULL; k; k = k->next) {
            uint64_t version = 0;
            rp_json_get_u64(k, "version", &version);
            printf("%-10.*s v%-3llu %-12.*s %.*s\n", RP_FMT(rp_json_get_string(k, "kind")),
                   (unsigned long long)version, RP_FMT(rp_json_get_string(k, "state")),
                   RP_FMT(rp_json_get_string(k, "id")));
        }
    }
    rp_buf_done(&reply);
    return rp_ok(err) ? (sealed ? RP_EXIT_FINDING : RP_EXIT_OK) : cli_fail(cli, err, "kms", NULL);
}

static enum rp_exit rotate(struct cli *cli) {
    struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_err err = ask_kms(RP_IPC_CLI_KMS_ROTATE, (rp_view){NULL, 0}, &reply);
    rp_buf_done(&reply);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "kms", NULL);
    }
    if (cli->json) {
        return status(cli); /* the new version stands in it */
    }
    printf("%s\n", cli_say(cli,
                           "nouvelle version de la clé principale ; les anciennes ouvrent encore "
                           "ce qu’elles ont scellé",
                           "new master key version; the former ones still open what they wrapped"));
    return RP_EXIT_OK;
}

size_t cli_read_hidden(const char *prompt, char *out, size_t max) {
    struct termios before;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        struct termios quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        fprintf(stderr, "%s", prompt);
    }
    size_t n = 0;
    char c;
    while (n < max && read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
        out[n++] = c;
    }
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    return n;
}

/* What was typed: groups of base32 with dashes are a share (64 letters) or a recovery code;
 * anything else is a passphrase. */
static uint8_t kind_of(rp_view text) {
    enum { PASSPHRASE = 0, RECOVERY = 1, SHARE = 2, SHARE_LETTERS = 64, CODE_LEAST = 28 };
    size_t letters = 0, dashes = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (c == '-') {
            dashes++;
        } else if ((c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7')) {
            letters++;
        } else {
            return PASSPHRASE;
        }
    }
    if (dashes == 0 || letters < CODE_LEAST) {
        return PASSPHRASE;
    }
    return letters >= SHARE_LETTERS - 4 ? SHARE : RECOVERY;
}

static void say_unsealed(const struct cli *cli, unsigned missing) {
    if (missing == 0) {
        printf("%s\n", cli_say(cli, "ouvert", "unsealed"));
        return;
    }
    printf(cli_say(cli, "part acceptée ; il en manque %u\n", "share taken; %u more to come\n"),
           missing);
}

static enum rp_exit say_share_refused(const struct cli *cli, rp_err err) {
    const char *why =
        rp_is(err, RP_E_INVALID) ? cli_say(cli, "une lettre est fausse, en trop ou manque",
                                           "a letter is wrong, missing or too many")
        : rp_is(err, RP_E_CONFLICT)
            ? cli_say(cli, "cette part est d’un autre partage", "this share is of another split")
        : rp_is(err, RP_E_DUPLICATE)
            ? cli_say(cli, "cette part a déjà été donnée", "this share was given already")
            : cli_say(cli, "ensemble, ces parts n’ouvrent rien ; recommencez, toutes",
                      "together these shares open nothing; begin again, all of them");
    fprintf(stderr, "rempart: %s\n", why);
    return RP_EXIT_FINDING;
}

static enum rp_exit unseal(struct cli *cli) {
    char secret[PASSPHRASE_MAX];
    size_t n = cli_read_hidden(cli_say(cli, "phrase de passe, part ou code de secours : ",
                                       "passphrase, share or recovery code: "),
                               secret, sizeof secret);
    struct rp_buf request = rp_buf_new(1024);
    uint8_t kind = kind_of(rp_view_of(secret, n));
    rp_pack_u8(&request, kind);
    rp_pack_bytes(&request, rp_view_of(secret, n));
    rp_wipe(secret, sizeof secret);
    struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_err err = rp_buf_err(&request);
    if (rp_ok(err)) {
        err = ask_kms(RP_IPC_CLI_KMS_UNSEAL, rp_buf_view(&request), &reply);
    }
    unsigned missing = kind == 2 && rp_ok(err) && reply.n == 1 ? reply.p[0] : 0;
    rp_wipe(request.p, request.n);
    rp_buf_done(&request);
    rp_buf_done(&reply);
    if (!rp_ok(err)) {
        return kind == 2 && !rp_err_retry(err) ? say_share_refused(cli, err)
                                               : cli_fail(cli, err, "kms", NULL);
    }
    say_unsealed(cli, missing);
    return missing ? RP_EXIT_FINDING : RP_EXIT_OK;
}

/* ---- shares ---- */

static void print_shares(const struct cli *cli, rp_view reply, unsigned count, unsigned threshold) {
    struct rp_unpack in = rp_unpack_new(reply);
    printf(cli_say(cli,
                   "PARTS DE REMPART : %u parts, %u d’entre elles ouvrent le service de clés\n\n",
                   "REMPART SHARES: %u shares, any %u of them open the key service\n\n"),
           count, threshold);
    for (unsigned i = 1; i <= count; i++) {
        rp_view share = rp_unpack_bytes(&in, 128);
        printf("%3u  %.*s\n", i, RP_FMT(share));
    }
    printf("\n%s\n",
           cli_say(cli,
                   "Chaque part va à une autre personne, sur papier. Elles ne sont montrées qu’une "
                   "fois ; celles d’un\npartage plus ancien n’ouvrent plus. Mettez keys.unseal: "
                   "shares et redémarrez : à la première ouverture\npar les parts, ce qui ouvrait "
                   "jusque-là est effacé du disque (la fiche de secours reste).",
                   "Each share goes to another person, on paper. They are shown once; those of an "
                   "earlier split open\nnothing any more. Set keys.unseal: shares and restart: at "
                   "the first unsealing by shares, what opened\nuntil then is taken off the disk "
                   "(the recovery sheet stays)."));
}

static enum rp_exit split(struct cli *cli) {
    uint64_t count = 0, threshold = 0;
    if (!cli->shares || !cli->threshold ||
        !rp_view_to_u64(rp_view_from_cstr(cli->shares), RP_SHAMIR_MAX, &count) ||
        !rp_view_to_u64(rp_view_from_cstr(cli->threshold), RP_SHAMIR_MAX, &threshold) ||
        threshold < 2 || threshold > count) {
        return cli_usage(cli, cli_say(cli, "split --shares N --threshold K : 2 ≤ K ≤ N ≤ 16",
                                      "split --shares N --threshold K: 2 ≤ K ≤ N ≤ 16"));
    }
    struct rp_buf request = rp_buf_new(16), reply = rp_buf_new(RP_IPC_MAX);
    rp_pack_u8(&request, (uint8_t)count);
    rp_pack_u8(&request, (uint8_t)threshold);
    rp_err err = ask_kms(RP_IPC_CLI_KMS_SPLIT, rp_buf_view(&request), &reply);
    if (rp_ok(err)) {
        print_shares(cli, rp_buf_view(&reply), (unsigned)count, (unsigned)threshold);
    }
    rp_wipe(reply.p, reply.n);
    rp_buf_done(&reply);
    rp_buf_done(&request);
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, "kms", NULL);
}

static enum rp_exit recovery(struct cli *cli) {
    struct rp_buf request = rp_buf_new(16);
    rp_pack_u8(&request, cli->renew ? 1 : 0);
    struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_err err = ask_kms(RP_IPC_CLI_KMS_RECOVERY, rp_buf_view(&request), &reply);
    rp_buf_done(&request);
    if (rp_ok(err)) {
        struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
        rp_view code = rp_unpack_bytes(&in, 256);
        err = rp_unpack_end(&in);
        if (rp_ok(err)) {
            printf(cli_say(cli,
                           "FICHE DE SECOURS DE REMPART\n\n  %.*s\n\nCe code rouvre le service de "
                           "clés quand la clé ou la phrase de passe est perdue\n"
                           "(« rempart keys unseal »). Il n’est montré qu’une fois et n’est écrit "
                           "nulle part :\nimprimez-le, gardez-le sous clé, loin de ce serveur.\n",
                           "REMPART RECOVERY SHEET\n\n  %.*s\n\nThis code opens the key service "
                           "again when its key or passphrase is lost\n"
                           "(\"rempart keys unseal\"). It is shown once and written nowhere: print "
                           "it, lock it\naway, far from this server.\n"),
                   RP_FMT(code));
        }
    }
    rp_wipe(reply.p, reply.n);
    rp_buf_done(&reply);
    if (rp_is(err, RP_E_DUPLICATE)) {
        fprintf(
            stderr, "rempart: %s\n",
            cli_say(
                cli,
                "la fiche a déjà été imprimée ; --renew en fait une nouvelle et annule l’ancienne",
                "the sheet was printed already; --renew makes a new one and cancels the former"));
        return RP_EXIT_USAGE;
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, "kms", NULL);
}

enum rp_exit cli_keys(struct cli *cli) {
    static const struct {
        const char *name;
        enum rp_exit (*run)(struct cli *cli);
    } table[] = {{"status", status},
                 {"rotate", rotate},
                 {"unseal", unseal},
                 {"recovery", recovery},
                 {"split", split}};
    rp_err err = rp_crypto_start();
    if (rp_ok(err)) {
        err = cli_enter_state(cli);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    rp_view machine;
    if (cli_runs_elsewhere(cli, "kms", &machine)) {
        fprintf(stderr,
                cli_say(cli,
                        "rempart: le service de clés tourne sur la machine « %.*s » : lancez cette "
                        "commande là-bas\n",
                        "rempart: the key service runs on the machine \"%.*s\": run this command "
                        "there\n"),
                RP_FMT(machine));
        return RP_EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (cli->arg_count == 1 && strcmp(cli->args[0], table[i].name) == 0) {
            return table[i].run(cli);
        }
    }
    return cli_usage_words(cli);
}
