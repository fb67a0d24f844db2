/* witness.c — `rempart witness`: the key of this installation's witness, and the logs that it
 * follows, as its files have them. */
#include "base/checked.h"
#include "cli.h"
#include "ledger/cosign.h"
#include "os/file.h"

enum { NOTE_MAX = 8192 };

static enum rp_exit print_key(struct cli *cli) {
    rp_view line = {NULL, 0};
    rp_err err = rp_file_read("witness/vkey", RP_VKEY_MAX, cli->arena, &line);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        fprintf(stderr, "rempart: %s\n",
                cli_say(cli,
                        "pas encore de clé : witness.logs nomme-t-il un journal, et la suite "
                        "tourne-t-elle ?",
                        "no key yet: does witness.logs name a log, and does the suite run?"));
        return RP_EXIT_FINDING;
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "witness/vkey", NULL);
    }
    printf("%.*s\n", RP_FMT(rp_view_trim(line)));
    return RP_EXIT_OK;
}

struct listing {
    struct cli *cli;
    struct rp_json *logs; /* with --json */
    struct rp_tlog_vkey vkey;
    bool refused; /* one of them showed a head that does not go on */
};

/* The checkpoint of a file below witness/, and when we cosigned it (0: we did not). */
static rp_err read_note(struct listing *list, const char *path,
                        struct rp_tlog_checkpoint *ret_checkpoint, int64_t *ret_time_s) {
    struct rp_tlog_note *note = rp_arena_alloc(list->cli->arena, sizeof *note);
    struct rp_cosignature cosignature = {.time_s = 0};
    rp_view text = {NULL, 0};
    RP_TRY(note ? rp_file_read(path, NOTE_MAX, list->cli->arena, &text) : RP_ERR(NO_MEMORY));
    RP_TRY(rp_tlog_note_parse(text, list->cli->arena, note));
    RP_TRY(rp_tlog_checkpoint_parse(note->text, ret_checkpoint));
    rp_err err = rp_cosignature_find(note, &list->vkey, &cosignature);
    *ret_time_s = cosignature.time_s;
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

static const char *kind_of(const char *name) {
    static const char *const kinds[] = {"cosigned", "refused", "forked"};
    for (size_t i = 0; i < RP_COUNT_OF(kinds); i++) {
        if (rp_view_ends(rp_view_from_cstr(name), rp_view_from_cstr(kinds[i]))) {
            return kinds[i];
        }
    }
    return NULL;
}

static void print_log(struct listing *list, const struct rp_tlog_checkpoint *checkpoint,
                      int64_t time_s, const char *kind, const char *path) {
    struct cli *cli = list->cli;
    bool cosigned = strcmp(kind, "cosigned") == 0;
    list->refused = list->refused || !cosigned;
    if (list->logs) {
        struct rp_json *log = rp_json_add_object(cli->arena, list->logs, NULL);
        rp_json_add_string(cli->arena, log, "log", checkpoint->origin);
        rp_json_add_cstr(cli->arena, log, "is", kind);
        rp_json_add_u64(cli->arena, log, "size", checkpoint->size);
        if (cosigned) {
            rp_json_add_cstr(cli->arena, log, "time", rp_time_print(time_s).s);
        }
        rp_json_add_cstr(cli->arena, log, "file", path);
        return;
    }
    printf("%.*s%s %llu %s, %s\n", RP_FMT(checkpoint->origin), cli_colon(cli),
           (unsigned long long)checkpoint->size, cli_say(cli, "entrées", "entries"),
           cosigned ? rp_time_print(time_s).s : path);
    if (!cosigned) {
        printf("  %s\n",
               cli_say(cli, "(!) tête signée qui ne prolonge pas ce que nous avons cosigné",
                       "(!) a signed head that does not continue what we cosigned"));
    }
}

static rp_err see_file(void *ctx, const char *name, bool is_folder) {
    struct listing *list = ctx;
    struct rp_tlog_checkpoint checkpoint;
    int64_t time_s = 0;
    char path[300];
    const char *kind = kind_of(name);
    int n = snprintf(path, sizeof path, "witness/%s", name);
    if (is_folder || !kind || n < 0 || (size_t)n >= sizeof path) {
        return RP_OK;
    }
    rp_err err = read_note(list, path, &checkpoint, &time_s);
    if (!rp_ok(err)) {
        fprintf(stderr, "rempart: %s%s %s\n", path, cli_colon(list->cli),
                rp_err_text(err, list->cli->lang));
        return err;
    }
    print_log(list, &checkpoint, time_s, kind, path);
    return RP_OK;
}

static enum rp_exit print_logs(struct cli *cli) {
    struct listing list = {.cli = cli};
    struct rp_json *root = cli->json ? rp_json_object(cli->arena) : NULL;
    rp_view line = {NULL, 0};
    rp_err err = rp_file_read("witness/vkey", RP_VKEY_MAX, cli->arena, &line);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return print_key(cli);
    }
    if (rp_ok(err)) {
        err = rp_vkey_parse_as(RP_VKEY_COSIGNER, rp_view_trim(line), cli->arena, &list.vkey);
    }
    list.logs = root ? rp_json_add_array(cli->arena, root, "logs") : NULL;
    if (rp_ok(err)) {
        err = rp_folder_each("witness", see_file, &list);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "witness", NULL);
    }
    if (root) {
        cli_print_json(root);
    }
    return list.refused ? RP_EXIT_FINDING : RP_EXIT_OK;
}

enum rp_exit cli_witness(struct cli *cli) {
    bool key = cli->arg_count == 1 && strcmp(cli->args[0], "key") == 0;
    bool logs = cli->arg_count == 1 && strcmp(cli->args[0], "logs") == 0;
    if (!key && !logs) {
        return cli_usage_words(cli);
    }
    rp_err err = rp_crypto_start();
    if (rp_ok(err)) {
        err = cli_enter_state(cli);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    return key ? print_key(cli) : print_logs(cli);
}
