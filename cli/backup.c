/* backup.c — rempart backup: run, list, verify, open, restore. */
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "base/checked.h"
#include "keep/reader_io.h"
#include "os/file.h"
#include "wire/untar.h"

static const char suffix[] = ".backup";

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
    return cli_usage_words(cli);
}
