/* ledger.c — `rempart ledger`: reading a tree, proving one entry; and `rempart verify`, offline. */
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli.h"
#include "fetch.h"
#include "ledger/note.h"
#include "ledger/read_io.h"
#include "os/file.h"

enum { TAIL = 20, TAIL_MAX = 100000, PROOF_MAX = 1 << 20, ENTRY_MAX = 1 << 20 };

static bool parse_tree(const char *name, struct rp_tree *ret_tree) {
    if (strcmp(name, "public") == 0) {
        *ret_tree = (struct rp_tree){.kind = RP_TREE_PUBLIC};
        return true;
    }
    if (strcmp(name, "operator") == 0) {
        *ret_tree = (struct rp_tree){.kind = RP_TREE_OPERATOR};
        return true;
    }
    *ret_tree = (struct rp_tree){.kind = RP_TREE_TENANT};
    return rp_id_parse(rp_view_from_cstr(name), &ret_tree->tenant);
}

static enum rp_exit tail(struct cli *cli, struct rp_log *log) {
    uint64_t size = rp_log_size(log), count = TAIL;
    if (cli->lines && !rp_view_to_u64(rp_view_from_cstr(cli->lines), TAIL_MAX, &count)) {
        return cli_usage(
            cli, cli_say(cli, "-n : un nombre de 0 à 100000", "-n: a number from 0 to 100000"));
    }
    for (uint64_t i = size > count ? size - count : 0; i < size; i++) {
        rp_view entry = {NULL, 0};
        rp_err err = rp_log_entry(log, i, cli->arena, &entry);
        if (!rp_ok(err)) {
            return cli_fail(cli, err, "entry", NULL);
        }
        if (cli->json) {
            printf("{\"entry\":%.*s,\"index\":%llu}\n", RP_FMT(entry), (unsigned long long)i);
        } else {
            printf("%8llu  %.*s\n", (unsigned long long)i, RP_FMT(entry));
        }
    }
    return RP_EXIT_OK;
}

static enum rp_exit prove(struct cli *cli, struct rp_log *log, const char *index_text) {
    uint64_t index = 0;
    if (!index_text || !rp_view_to_u64(rp_view_from_cstr(index_text), UINT64_MAX, &index)) {
        return cli_usage(cli, cli_say(cli, "prove ARBRE INDEX", "prove TREE INDEX"));
    }
    struct rp_buf out = rp_buf_new(PROOF_MAX);
    rp_err err = rp_log_proof(log, index, &out);
    if (rp_ok(err)) {
        fwrite(out.p, 1, out.n, stdout);
    }
    rp_buf_done(&out);
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, index_text, NULL);
}

/* What the log machine's file pins, and whoever witnesses this log. */
static enum rp_exit print_key(struct cli *cli) {
    rp_view line = {NULL, 0};
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err)) {
        err = rp_file_read("ledger/public/vkey", RP_VKEY_MAX, cli->arena, &line);
    }
    if (rp_is(err, RP_E_NOT_FOUND)) {
        fprintf(stderr, "rempart: %s\n",
                cli_say(cli, "pas encore de journal : il est créé au premier démarrage",
                        "no log yet: the first start makes it"));
        return RP_EXIT_FINDING;
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "ledger/public/vkey", NULL);
    }
    printf("%.*s\n", RP_FMT(rp_view_trim(line)));
    return RP_EXIT_OK;
}

/* The explicit act after older databases were put beside a newer log. */
static enum rp_exit rebase(struct cli *cli) {
    struct rp_json *answer = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err)) {
        err = cli_ask_core(cli, "POST", "/.rempart/api/v1/admin/rebase", RP_VIEW("{}"), &answer,
                           &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "rebase", &diag);
    }
    printf("%s\n", cli_say(cli,
                           "les bases qui sont en retard sur le journal continuent derrière lui ; "
                           "chacune le dit par un événement stream.rebased",
                           "databases that are behind the log go on behind it; each says so by an "
                           "event stream.rebased"));
    return RP_EXIT_OK;
}

enum rp_exit cli_ledger(struct cli *cli) {
    if (cli->arg_count == 1 && strcmp(cli->args[0], "key") == 0) {
        return print_key(cli);
    }
    if (cli->arg_count == 1 && strcmp(cli->args[0], "rebase") == 0) {
        return rebase(cli);
    }
    bool proving = cli->arg_count > 0 && strcmp(cli->args[0], "prove") == 0;
    if (cli->arg_count == 0 || (!proving && strcmp(cli->args[0], "tail") != 0)) {
        return cli_usage_words(cli);
    }
    const char *name = cli->arg_count > 1 ? cli->args[1] : "operator";
    struct rp_tree tree;
    if (!parse_tree(name, &tree)) {
        return cli_usage(cli, cli_say(cli, "public, operator, ou l’identifiant d’un client",
                                      "public, operator, or a tenant's id"));
    }
    char folder[40], path[64];
    rp_tree_folder(tree, folder);
    snprintf(path, sizeof path, "ledger/%s", folder);
    struct rp_log *log = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err)) {
        err = rp_log_open(path, (rp_view){NULL, 0}, &log, &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, path, &diag);
    }
    enum rp_exit code =
        proving ? prove(cli, log, cli->arg_count > 2 ? cli->args[2] : NULL) : tail(cli, log);
    rp_log_free(log);
    return code;
}

/* ---- verify ---- */

static void show_progress(void *ctx, uint64_t entries) {
    (void)ctx;
    fprintf(stderr, "\r%llu", (unsigned long long)entries);
}

static struct rp_json *report_json(struct cli *cli, const struct rp_verify_report *report,
                                   bool good) {
    struct rp_json *root = rp_json_object(cli->arena);
    rp_json_add_bool(cli->arena, root, "verified", good);
    rp_json_add_u64(cli->arena, root, "trees", report->trees);
    rp_json_add_u64(cli->arena, root, "entries", report->entries);
    rp_json_add_u64(cli->arena, root, "files", report->files);
    rp_json_add_u64(cli->arena, root, "bytes", report->bytes);
    if (!good) {
        rp_json_add_cstr(cli->arena, root, "file", report->bad_file);
        rp_json_add_u64(cli->arena, root, "offset", report->bad_offset);
        rp_json_add_cstr(cli->arena, root, "problem", report->problem);
    }
    return root;
}

static void report_text(struct cli *cli, const struct rp_verify_report *report, bool good) {
    if (good) {
        printf(cli_say(cli, "intact : %llu arbres, %llu entrées, %llu fichiers, %llu octets\n",
                       "intact: %llu trees, %llu entries, %llu files, %llu bytes\n"),
               (unsigned long long)report->trees, (unsigned long long)report->entries,
               (unsigned long long)report->files, (unsigned long long)report->bytes);
    } else {
        const char *colon = cli_colon(cli);
        printf("%s%s %s, %s %llu%s %s\n", cli_say(cli, "ALTÉRÉ", "ALTERED"), colon,
               report->bad_file, cli_say(cli, "octet", "byte"),
               (unsigned long long)report->bad_offset, colon,
               cli_say(cli, report->problem_fr, report->problem));
    }
}

/* The state folder, where its log was meant. */
static bool is_state_folder(const char *folder) {
    char log[PATH_MAX], tree[PATH_MAX];
    snprintf(log, sizeof log, "%s/ledger/public", folder);
    snprintf(tree, sizeof tree, "%s/public", folder);
    return rp_file_exists(log) && !rp_file_exists(tree);
}

static enum rp_exit verify_folder(struct cli *cli, const char *folder) {
    struct rp_verify_report report = {0};
    if (is_state_folder(folder)) {
        struct rp_diag diag = cli_diag(cli);
        rp_err err = rp_fail(&diag, RP_ERR(INVALID),
                             cli_say(cli, "c’est un dossier d’état ; son journal est %s/ledger",
                                     "this is a state folder; its log is %s/ledger"),
                             folder);
        return cli_fail(cli, err, "verify", &diag);
    }
    bool terminal = isatty(STDERR_FILENO) != 0;
    rp_err err = rp_verify_folder(folder, terminal ? show_progress : NULL, NULL, &report);
    if (terminal) {
        fputc('\r', stderr);
    }
    bool good = rp_ok(err);
    if (!good && !rp_is(err, RP_E_CORRUPT) && !rp_is(err, RP_E_BAD_SIGNATURE)) {
        return cli_fail(cli, err, folder, NULL);
    }
    struct rp_json *root = cli->json ? report_json(cli, &report, good) : NULL;
    if (!root) {
        report_text(cli, &report, good);
    }
    if (good && cli->witnesses.count > 0) {
        err = cli_verify_witnesses(
            cli, folder, root ? rp_json_add_array(cli->arena, root, "witnesses") : NULL, &good);
    }
    if (good && !rp_ok(err)) {
        return cli_fail(cli, err, "--witness", NULL);
    }
    if (root) {
        cli_print_json(root);
    }
    return good ? RP_EXIT_OK : RP_EXIT_FINDING;
}

static enum rp_exit verify_proof(struct cli *cli, const char *path) {
    rp_view proof = {NULL, 0}, entry = {NULL, 0};
    rp_err err = rp_file_read(path, PROOF_MAX, cli->arena, &proof);
    if (rp_ok(err) && cli->entry) {
        err = rp_file_read(cli->entry, ENTRY_MAX, cli->arena, &entry);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, path, NULL);
    }
    if (!cli->key) {
        return cli_usage(
            cli,
            cli_say(cli, "une preuve demande --key : la clé du journal, prise à une source sûre",
                    "a proof needs --key: the log's key, from a source you trust"));
    }
    struct rp_diag diag = cli_diag(cli);
    err = rp_verify_proof(proof, entry, rp_view_trim(rp_view_from_cstr(cli->key)), &diag);
    bool good = rp_ok(err);
    if (cli->json) {
        struct rp_json *root = rp_json_object(cli->arena);
        rp_json_add_bool(cli->arena, root, "verified", good);
        rp_json_add_cstr(cli->arena, root, "problem", diag.text);
        cli_print_json(root);
    } else if (good) {
        printf("%s\n", cli_say(cli, "la preuve est bonne", "the proof holds"));
    } else {
        printf("%s%s %s\n", cli_say(cli, "la preuve ne tient pas", "the proof does not hold"),
               cli_colon(cli), diag.text);
    }
    return good ? RP_EXIT_OK : RP_EXIT_FINDING;
}

static enum rp_exit verify_url(struct cli *cli, const char *url) {
    char folder[] = "/tmp/rempart-verify-XXXXXX";
    if (!mkdtemp(folder)) {
        return cli_fail(cli, RP_ERR(IO), folder, NULL);
    }
    struct rp_diag diag = cli_diag(cli);
    rp_err err = cli_fetch_log(cli, url, folder, &diag);
    enum rp_exit code = rp_ok(err) ? verify_folder(cli, folder) : cli_fail(cli, err, url, &diag);
    cli_fetch_clean(folder);
    return code;
}

enum rp_exit cli_verify(struct cli *cli) {
    if (cli->arg_count != 1) {
        return cli_usage(cli, cli_say(cli, "un dossier, une adresse ou une preuve",
                                      "a folder, an address or a proof"));
    }
    rp_err err = rp_crypto_start();
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "crypto", NULL);
    }
    const char *what = cli->args[0];
    if (rp_view_starts(rp_view_from_cstr(what), RP_VIEW("https://"))) {
        return verify_url(cli, what);
    }
    struct stat st;
    if (stat(what, &st) != 0) {
        return cli_fail(cli, RP_ERR(NOT_FOUND), what, NULL);
    }
    return S_ISDIR(st.st_mode) ? verify_folder(cli, what) : verify_proof(cli, what);
}
