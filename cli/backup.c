/* backup.c — rempart backup: run, list, verify, open, restore. */
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "base/assert.h"
#include "base/checked.h"
#include "keep/opener.h"
#include "keep/reader_io.h"
#include "os/file.h"
#include "wire/untar.h"

enum { DEADLINE_MS = 20000, TYPED_MAX = 1000 };

static const char suffix[] = ".backup";

/* ---- reading one ---- */

rp_err backup_file_open(struct cli *cli, const char *path, struct backup_file *ret_file) {
    struct backup_file file = {.fd = -1};
    struct rp_diag diag = cli_diag(cli);
    rp_err err = rp_file_open(path, &file.fd);
    if (rp_ok(err)) {
        err = rp_keep_read_head(file.fd, cli->arena, &file.head, &file.head_bytes, &diag);
    }
    if (!rp_ok(err)) {
        rp_fd_done(&file.fd);
        cli_fail(cli, err, path, &diag);
        return err;
    }
    *ret_file = file;
    return RP_OK;
}

void backup_file_done(struct backup_file *file) {
    rp_fd_done(&file->fd);
    rp_secret_free(file->key);
    file->key = NULL;
}

rp_err backup_passphrase(struct cli *cli, rp_view *ret_passphrase) {
    rp_view text = {NULL, 0};
    rp_err err = rp_file_read(cli->passphrase_file, TYPED_MAX, cli->arena, &text);
    if (!rp_ok(err)) {
        cli_fail(cli, err, cli->passphrase_file, NULL);
        return err;
    }
    *ret_passphrase = rp_view_cut(&text, '\n');
    return RP_OK;
}

static rp_err ask_kms(const struct backup_file *file, struct rp_secret **ret_key) {
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CLI, RP_ROLE_KMS, DEADLINE_MS);
    struct rp_buf request = rp_buf_new(512), reply = rp_buf_new(RP_IPC_MAX);
    rp_pack_id(&request, file->head.id);
    rp_pack_bytes(&request, file->head.wrapped);
    rp_err err = client ? rp_buf_err(&request) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_ipc_call(client, RP_IPC_CLI_KMS_BACKUP_OPEN, rp_buf_view(&request), &reply);
    }
    if (rp_ok(err)) {
        struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
        rp_view key = rp_unpack_bytes(&in, RP_AEAD_KEY);
        err = rp_unpack_end(&in);
        if (rp_ok(err)) {
            err = rp_secret_new_take((uint8_t *)(uintptr_t)key.p, key.n, ret_key);
        }
        rp_wipe(reply.p, reply.n);
    }
    rp_buf_done(&request);
    rp_buf_done(&reply);
    rp_ipc_client_free(client);
    return err;
}

/* The kms that runs here, else the key file that lies here. The folder may be anything: what does
 * not work is not said, for something else may. */
static bool key_from_here(struct cli *cli, struct backup_file *file) {
    const struct rp_env env = rp_env_real();
    int here = -1;
    if (file->head.wrapped.n == 0 || !rp_ok(rp_file_open(".", &here))) {
        return false;
    }
    bool found =
        rp_ok(cli_enter_state(cli)) && (rp_ok(ask_kms(file, &file->key)) ||
                                        rp_ok(rp_keep_open_here(&env, &file->head, &file->key)));
    int back = fchdir(here);
    RP_ASSERT(back == 0);
    rp_fd_done(&here);
    return found;
}

/* DENIED: nothing was typed. INVALID: what was typed opens another backup, or none. */
static rp_err key_by_typing(struct cli *cli, struct backup_file *file) {
    const struct rp_env env = rp_env_real();
    char typed[TYPED_MAX];
    size_t n = cli_read_hidden(cli_say(cli, "Code de la fiche de secours, ou phrase de passe : ",
                                       "Code of the recovery sheet, or passphrase: "),
                               typed, sizeof typed);
    rp_view text = rp_view_of(typed, n);
    rp_err err =
        n == 0 ? RP_ERR(DENIED) : rp_keep_open_by_code(&env, &file->head, text, &file->key);
    if (rp_is(err, RP_E_INVALID) || rp_is(err, RP_E_NOT_FOUND)) { /* no code, then */
        err = rp_keep_open_by_passphrase(&env, &file->head, text, &file->key);
    }
    rp_wipe(typed, sizeof typed);
    bool wrong = n > 0 && !rp_ok(err) && !rp_err_retry(err); /* no lack of memory or the like */
    return wrong ? RP_ERR(INVALID) : err;
}

static const char *what_it_takes(const struct cli *cli, rp_err err) {
    if (rp_is(err, RP_E_INVALID)) {
        return cli_say(cli,
                       "n’est ni le code de la fiche de secours d’alors, ni la phrase de passe de "
                       "cette sauvegarde",
                       "neither the code of the recovery sheet of that time nor the passphrase of "
                       "this backup");
    }
    return cli_say(cli,
                   "il faut le code de la fiche de secours, la phrase de passe (sur l’entrée "
                   "standard ou par --passphrase-file), ou --state de l’installation",
                   "it takes the recovery sheet's code, the passphrase (on standard input or by "
                   "--passphrase-file), or --state of the installation");
}

rp_err backup_file_key(struct cli *cli, struct backup_file *file) {
    const struct rp_env env = rp_env_real();
    rp_view passphrase = {NULL, 0};
    rp_err err = RP_OK;
    if (cli->passphrase_file) {
        RP_TRY(backup_passphrase(cli, &passphrase));
        err = rp_keep_open_by_passphrase(&env, &file->head, passphrase, &file->key);
    } else if (!key_from_here(cli, file)) {
        err = key_by_typing(cli, file);
    }
    if (!rp_ok(err)) {
        struct rp_diag diag = cli_diag(cli);
        rp_err said = rp_fail(&diag, err, "%s", what_it_takes(cli, err));
        cli_fail(cli, said, cli_say(cli, "clé de la sauvegarde", "the backup's key"), &diag);
    }
    return err;
}

static rp_err walk(struct rp_keep_reader *reader,
                   rp_err (*step)(void *ctx, const struct rp_untar_step *step), void *ctx,
                   struct rp_diag *diag) {
    struct rp_untar untar = {.have = 0};
    rp_view bytes = {NULL, 0};
    RP_TRY(rp_keep_read(reader, &bytes, diag));
    while (bytes.n > 0) {
        rp_view rest = bytes;
        struct rp_untar_step one = {.what = RP_UNTAR_FILE};
        while (one.what != RP_UNTAR_MORE && one.what != RP_UNTAR_END) {
            if (!rp_ok(rp_untar_step(&untar, &rest, &one))) {
                return rp_fail(diag, RP_ERR(CORRUPT), "not an archive of Rempart");
            }
            if (one.what != RP_UNTAR_MORE) {
                RP_TRY(step(ctx, &one));
            }
        }
        RP_TRY(rp_keep_read(reader, &bytes, diag));
    }
    return rp_untar_ended(&untar) ? RP_OK
                                  : rp_fail(diag, RP_ERR(CORRUPT), "the archive has no end");
}

rp_err backup_file_walk(struct backup_file *file,
                        rp_err (*step)(void *ctx, const struct rp_untar_step *step), void *ctx,
                        uint64_t *ret_chunks, struct rp_diag *diag) {
    struct rp_keep_reader *reader = NULL;
    RP_TRY(rp_keep_reader_new(file->fd, file->head_bytes, file->key, &reader));
    rp_err err = walk(reader, step, ctx, diag);
    *ret_chunks = rp_keep_reader_chunks(reader);
    rp_keep_reader_free(reader);
    return err;
}

/* ---- verify ---- */

struct tally {
    uint64_t files, databases, bytes;
    bool manifest;      /* the archive's last file */
    struct rp_buf text; /* of it */
};

static rp_err count(void *ctx, const struct rp_untar_step *step) {
    struct tally *tally = ctx;
    if (step->what == RP_UNTAR_FILE) {
        tally->files++;
        tally->bytes += step->entry.size;
        tally->databases += rp_view_ends(step->entry.name, RP_VIEW(".db"));
        tally->manifest = rp_view_equal(step->entry.name, RP_VIEW("backup.json"));
    } else if (step->what == RP_UNTAR_BYTES && tally->manifest) {
        rp_buf_add(&tally->text, step->bytes);
    }
    return RP_OK;
}

/* A backup without the file beside it opens no tenant's data: found here, not at the restore. */
static rp_err verify_beside(struct cli *cli, const char *path, const struct backup_file *file,
                            const struct tally *tally, struct backup_tenants *ret_tenants,
                            struct rp_diag *diag) {
    struct rp_json *json = NULL;
    if (!tally->manifest || !rp_ok(rp_buf_err(&tally->text))) {
        return rp_fail(diag, RP_ERR(CORRUPT), "backup.json is missing at its end, or too long");
    }
    RP_TRY(rp_json_parse(rp_buf_view(&tally->text), RP_JSON_LIMITS, cli->arena, &json, diag));
    *ret_tenants = (struct backup_tenants){.path = path, .head = &file->head};
    (void)rp_json_get_u64(json, "tenant_keys", &ret_tenants->wanted);
    return backup_tenants_verify(cli, ret_tenants, diag);
}

static enum rp_exit verify_one(struct cli *cli, const char *path) {
    struct backup_file file;
    struct tally tally = {.text = rp_buf_new(BACKUP_MANIFEST_MAX)};
    struct backup_tenants tenants = {.path = path};
    struct rp_diag diag = cli_diag(cli);
    uint64_t chunks = 0;
    if (!rp_ok(backup_file_open(cli, path, &file))) {
        return RP_EXIT_FINDING;
    }
    if (!rp_ok(backup_file_key(cli, &file))) {
        backup_file_done(&file);
        return RP_EXIT_USAGE;
    }
    rp_err err = backup_file_walk(&file, count, &tally, &chunks, &diag);
    if (rp_ok(err)) {
        err = verify_beside(cli, path, &file, &tally, &tenants, &diag);
    }
    rp_buf_done(&tally.text);
    backup_file_done(&file);
    if (!rp_ok(err)) {
        cli_fail(cli, err, path, &diag);
        return RP_EXIT_FINDING;
    }
    if (cli->json) {
        struct rp_json *json = rp_json_object(cli->arena);
        rp_json_add_cstr(cli->arena, json, "file", path);
        rp_json_add_u64(cli->arena, json, "files", tally.files);
        rp_json_add_u64(cli->arena, json, "databases", tally.databases);
        rp_json_add_u64(cli->arena, json, "bytes", tally.bytes);
        rp_json_add_u64(cli->arena, json, "chunks", chunks);
        rp_json_add_u64(cli->arena, json, "tenant_keys", tenants.put_back);
        cli_print_json(json);
    } else {
        printf("%s%s %s, %llu %s, %llu %s, %llu %s\n", path, cli_colon(cli),
               cli_say(cli, "chaque octet est authentique", "every byte is authentic"),
               (unsigned long long)tally.files, cli_say(cli, "fichiers", "files"),
               (unsigned long long)tally.databases, cli_say(cli, "bases", "databases"),
               (unsigned long long)(tally.bytes >> 20), cli_say(cli, "Mio", "MiB"));
    }
    return RP_EXIT_OK;
}

/* ---- the backups of a folder, oldest first: their names begin with their time ---- */

struct listing {
    struct cli *cli;
    const char *folder;
    enum rp_exit (*each)(struct cli *cli, const char *path);
    enum rp_exit worst;
    size_t count;
};

static rp_err see(void *ctx, const char *name, bool is_folder) {
    struct listing *listing = ctx;
    if (is_folder || !rp_view_ends(rp_view_from_cstr(name), rp_view_from_cstr(suffix))) {
        return RP_OK;
    }
    rp_view path = rp_arena_printf(listing->cli->arena, "%s/%s", listing->folder, name);
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    enum rp_exit code = listing->each(listing->cli, (const char *)path.p);
    listing->worst = RP_MAX(listing->worst, code);
    listing->count++;
    return RP_OK;
}

static enum rp_exit each_of(struct cli *cli, const char *folder,
                            enum rp_exit (*each)(struct cli *cli, const char *path),
                            size_t *ret_count) {
    struct listing listing = {.cli = cli, .folder = folder, .each = each};
    rp_err err = rp_folder_each(folder, see, &listing);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, folder, NULL);
    }
    if (listing.count == 0) {
        fprintf(stderr, "%s%s %s\n", folder, cli_colon(cli),
                cli_say(cli, "aucune sauvegarde", "no backups"));
    }
    *ret_count = listing.count;
    return listing.worst;
}

static enum rp_exit list_one(struct cli *cli, const char *path) {
    struct backup_file file;
    uint64_t size = 0;
    if (!rp_ok(backup_file_open(cli, path, &file))) {
        return RP_EXIT_FINDING;
    }
    rp_ignore(rp_file_size(file.fd, &size)); /* it was read a moment ago; else 0 is shown */
    if (cli->json) {
        struct rp_json *json = rp_json_object(cli->arena);
        rp_json_add_cstr(cli->arena, json, "file", path);
        rp_json_add_cstr(cli->arena, json, "id", rp_id_print(file.head.id).s);
        rp_json_add_cstr(cli->arena, json, "made_at", rp_time_print(file.head.made_at_s).s);
        rp_json_add_string(cli->arena, json, "host", file.head.host);
        rp_json_add_string(cli->arena, json, "version", file.head.version);
        rp_json_add_u64(cli->arena, json, "bytes", size);
        rp_json_add_bool(cli->arena, json, "recovery_sheet", file.head.recovery.n > 0);
        rp_json_add_bool(cli->arena, json, "passphrase",
                         file.head.passphrase.n > 0 || file.head.root.n > 0);
        cli_print_json(json);
    } else {
        printf("%s  %.*s  %8.1f MiB  %s  %s\n", rp_time_print(file.head.made_at_s).s,
               RP_FMT(file.head.host), (double)size / (1 << 20),
               file.head.recovery.n > 0 ? cli_say(cli, "fiche de secours", "recovery sheet")
                                        : cli_say(cli, "phrase de passe", "passphrase"),
               path);
    }
    backup_file_done(&file);
    return RP_EXIT_OK;
}

static enum rp_exit list(struct cli *cli, const char *folder) {
    size_t count = 0;
    return each_of(cli, folder, list_one, &count);
}

/* A folder without a backup is a finding: the one that was to be verified is not there. */
static enum rp_exit verify_folder(struct cli *cli, const char *folder) {
    size_t count = 0;
    enum rp_exit code = each_of(cli, folder, verify_one, &count);
    return code == RP_EXIT_OK && count == 0 ? RP_EXIT_FINDING : code;
}

static enum rp_exit verify(struct cli *cli, const char *path) {
    struct stat st;
    bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    return is_folder ? verify_folder(cli, path) : verify_one(cli, path);
}

/* ---- open: the archive itself, for tar ---- */

static rp_err write_members(struct backup_file *file, struct rp_diag *diag) {
    struct rp_keep_reader *reader = NULL;
    rp_view bytes = {NULL, 0};
    RP_TRY(rp_keep_reader_new(file->fd, file->head_bytes, file->key, &reader));
    rp_err err = rp_keep_read(reader, &bytes, diag);
    while (rp_ok(err) && bytes.n > 0) {
        err = rp_file_write_all(STDOUT_FILENO, rp_keep_reader_member(reader));
        if (rp_ok(err)) {
            err = rp_keep_read(reader, &bytes, diag);
        }
    }
    rp_keep_reader_free(reader);
    return err;
}

static enum rp_exit open_archive(struct cli *cli, const char *path) {
    struct backup_file file;
    struct rp_diag diag = cli_diag(cli);
    if (isatty(STDOUT_FILENO)) {
        return cli_usage(cli, cli_say(cli, "vers un fichier ou vers tar : … > tout.tar.gz",
                                      "to a file or to tar: … > all.tar.gz"));
    }
    if (!rp_ok(backup_file_open(cli, path, &file))) {
        return RP_EXIT_USAGE;
    }
    if (!rp_ok(backup_file_key(cli, &file))) {
        backup_file_done(&file);
        return RP_EXIT_USAGE;
    }
    rp_err err = write_members(&file, &diag);
    backup_file_done(&file);
    return rp_ok(err) ? RP_EXIT_OK : (cli_fail(cli, err, path, &diag), RP_EXIT_FINDING);
}

enum rp_exit cli_backup(struct cli *cli) {
    static const struct {
        const char *word;
        enum rp_exit (*run)(struct cli *cli, const char *argument);
    } words[] = {{"run", backup_run},
                 {"list", list},
                 {"verify", verify},
                 {"open", open_archive},
                 {"restore", backup_restore}};
    rp_err err = rp_crypto_start();
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->program, NULL);
    }
    for (size_t i = 0; cli->arg_count == 2 && i < RP_COUNT_OF(words); i++) {
        if (strcmp(cli->args[0], words[i].word) == 0) {
            return words[i].run(cli, cli->args[1]);
        }
    }
    return cli_usage(cli, cli_say(cli,
                                  "run DOSSIER, list DOSSIER, verify DOSSIER|FICHIER, open "
                                  "FICHIER, restore FICHIER",
                                  "run DIR, list DIR, verify DIR|FILE, open FILE, restore FILE"));
}
