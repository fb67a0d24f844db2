/* keys.c — the key service from a terminal: inventory, rotation, unsealing, the recovery sheet. */
#include <termios.h>
#include <unistd.h>

#include "cli.h"
#include "crypto/secret.h"
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
    printf("%s\n", cli_say(cli,
                           "nouvelle version de la clé principale ; les anciennes ouvrent encore "
                           "ce qu'elles ont scellé",
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

/* A recovery code is groups of base32 with dashes; anything else is a passphrase. */
static bool looks_like_recovery_code(rp_view text) {
    bool dash = false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        dash = dash || c == '-';
        if (c != '-' && !(c >= 'A' && c <= 'Z') && !(c >= '2' && c <= '7')) {
            return false;
        }
    }
    return dash && text.n >= 32;
}

static enum rp_exit unseal(struct cli *cli) {
    char secret[PASSPHRASE_MAX];
    size_t n = cli_read_hidden(
        cli_say(cli, "phrase de passe ou code de secours : ", "passphrase or recovery code: "),
        secret, sizeof secret);
    struct rp_buf request = rp_buf_new(1024);
    rp_pack_u8(&request, looks_like_recovery_code(rp_view_of(secret, n)) ? 1 : 0);
    rp_pack_bytes(&request, rp_view_of(secret, n));
    rp_wipe(secret, sizeof secret);
    struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_err err = rp_buf_err(&request);
    if (rp_ok(err)) {
        err = ask_kms(RP_IPC_CLI_KMS_UNSEAL, rp_buf_view(&request), &reply);
    }
    rp_wipe(request.p, request.n);
    rp_buf_done(&request);
    rp_buf_done(&reply);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "kms", NULL);
    }
    printf("%s\n", cli_say(cli, "ouvert", "unsealed"));
    return RP_EXIT_OK;
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
                           "(« rempart keys unseal »). Il n'est montré qu'une fois et n'est écrit "
                           "nulle part :\nimprimez-le, gardez-le sous clé, loin de ce serveur.\n",
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
                "la fiche a déjà été imprimée ; --renew en fait une nouvelle et annule l'ancienne",
                "the sheet was printed already; --renew makes a new one and cancels the former"));
        return RP_EXIT_USAGE;
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, "kms", NULL);
}

enum rp_exit cli_keys(struct cli *cli) {
    static const struct {
        const char *name;
        enum rp_exit (*run)(struct cli *cli);
    } table[] = {
        {"status", status}, {"rotate", rotate}, {"unseal", unseal}, {"recovery", recovery}};
    rp_err err = rp_crypto_start();
    if (rp_ok(err)) {
        err = cli_enter_state(cli);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (cli->arg_count == 1 && strcmp(cli->args[0], table[i].name) == 0) {
            return table[i].run(cli);
        }
    }
    return cli_usage(cli, "status, rotate, unseal, recovery");
}
