/* backup_run.c — rempart backup run: one consistent, encrypted copy, made while everything runs.
 *
 * A key of its own, wrapped for whoever may open it; the file under another name until it is
 * whole; and its event, made or not. What is copied, and in which order: backup_copy.c.
 */
#include <limits.h>
#include <stdlib.h>

#include "backup.h"
#include "base/checked.h"
#include "keep/opener.h"
#include "ledger/note.h"
#include "os/file.h"

enum { DEADLINE_MS = 20000 };

/* ---- the key and the head ---- */

/* Wrapped by the key service, where it runs here; from another machine it gives nobody a key, and
 * the backup is opened by its passphrase alone. */
static rp_err new_key(struct backup *b, struct rp_secret **ret_key, rp_view *ret_wrapped) {
    if (b->part == BACKUP_DATA) {
        return rp_secret_new_random(&b->env, RP_AEAD_KEY, ret_key);
    }
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CLI, RP_ROLE_KMS, DEADLINE_MS);
    struct rp_buf request = rp_buf_new(64), reply = rp_buf_new(RP_IPC_MAX);
    rp_pack_id(&request, b->id);
    rp_err err = client
                     ? rp_ipc_call(client, RP_IPC_CLI_KMS_BACKUP_KEY, rp_buf_view(&request), &reply)
                     : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
        rp_view wrapped = rp_unpack_bytes(&in, RP_WRAPPED_MAX);
        rp_view key = rp_unpack_bytes(&in, RP_AEAD_KEY);
        err = rp_unpack_end(&in);
        if (rp_ok(err)) {
            err = rp_arena_copy(b->cli->arena, wrapped, ret_wrapped);
        }
        if (rp_ok(err)) {
            err = rp_secret_new_take((uint8_t *)(uintptr_t)key.p, key.n, ret_key);
        }
        rp_wipe(reply.p, reply.n);
    }
    rp_buf_done(&request);
    rp_buf_done(&reply);
    rp_ipc_client_free(client);
    return rp_ok(err) ? RP_OK : rp_fail(&b->diag, err, "the key service");
}

static rp_err read_if_there(struct cli *cli, const char *path, size_t max, rp_view *ret_bytes) {
    rp_err err = rp_file_read(path, max, cli->arena, ret_bytes);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

/* What the installation's own keys are sealed under. */
static rp_err gather_roots(struct cli *cli, struct rp_keep_head *head) {
    struct rp_root_seal seal;
    rp_view root = {NULL, 0};
    RP_TRY(rp_file_read("kms/keyring", RP_KEYRING_BYTES_MAX, cli->arena, &head->keyring));
    RP_TRY(read_if_there(cli, "kms/root.recovery", RP_ROOT_BYTES, &head->recovery));
    RP_TRY(read_if_there(cli, "kms/root.sealed", RP_ROOT_BYTES, &root));
    if (rp_ok(rp_root_parse(root, &seal)) && seal.kind == RP_ROOT_PASSPHRASE) {
        head->root = root;
    }
    return RP_OK;
}

static rp_err fail_without_opener(struct backup *b) {
    return rp_fail(
        &b->diag, RP_ERR(INVALID), "%s",
        b->part == BACKUP_DATA
            ? cli_say(b->cli,
                      "le service de clés est sur une autre machine : donnez --passphrase-file, "
                      "qui seul ouvrira cette sauvegarde",
                      "the key service is on another machine: give --passphrase-file, which alone "
                      "will open this backup")
            : cli_say(b->cli,
                      "rien n’ouvrirait cette sauvegarde sur une autre machine : imprimez d’abord "
                      "la fiche de secours (rempart keys recovery), ou donnez --passphrase-file",
                      "nothing would open this backup on another machine: print the recovery "
                      "sheet first (rempart keys recovery), or give --passphrase-file"));
}

/* What opens it on an empty machine: the sheet, the passphrase, or both. */
static rp_err gather_openers(struct backup *b, const struct rp_secret *key,
                             struct rp_keep_head *head) {
    struct cli *cli = b->cli;
    RP_TRY(b->part == BACKUP_DATA ? RP_OK : gather_roots(cli, head));
    if (cli->passphrase_file) {
        rp_view passphrase;
        struct rp_buf sealed = rp_buf_new(RP_ROOT_BYTES);
        rp_err err = backup_passphrase(cli, &passphrase);
        if (rp_ok(err)) {
            err = rp_keep_seal_key(&b->env, passphrase, key, &sealed);
        }
        if (rp_ok(err)) {
            err = rp_arena_copy(cli->arena, rp_buf_view(&sealed), &head->passphrase);
        }
        rp_buf_done(&sealed);
        RP_TRY(err);
    }
    bool opens = head->recovery.n > 0 || head->root.n > 0 || head->passphrase.n > 0;
    return opens ? RP_OK : fail_without_opener(b);
}

/* The host as the log's own checkpoint says it ("host/log/operator"), and its size; the machine of
 * the keys has no log and no name of its own. */
static rp_err describe(struct backup *b, struct rp_keep_head *head) {
    rp_view note = {NULL, 0};
    head->version = RP_VIEW(REMPART_VERSION);
    head->id = b->id;
    head->made_at_s = b->now_s;
    if (b->part == BACKUP_KEYS) {
        head->host = RP_VIEW("keys");
        return RP_OK;
    }
    RP_TRY(rp_file_read("ledger/operator/checkpoint", RP_NOTE_MAX, b->cli->arena, &note));
    head->host = rp_view_cut(&note, '\n');
    head->host = rp_view_sub(head->host, 0, rp_view_find(head->host, RP_VIEW("/log/")));
    return rp_view_to_u64(rp_view_cut(&note, '\n'), UINT64_MAX >> 11, &head->operator_size)
               ? RP_OK
               : RP_ERR(CORRUPT);
}

/* ---- the file ---- */

/* rempart-HOST-20261126T013000Z-1a2b3c4d.backup */
static const char *file_name(struct backup *b, const char *folder, rp_view host) {
    struct rp_time_text at = rp_time_print(b->now_s);
    rp_view name = rp_arena_printf(
        b->cli->arena, "%s/rempart-%.4s%.2s%.2sT%.2s%.2s%.2sZ-%.*s-%.8s.backup", folder, at.s,
        at.s + 5, at.s + 8, at.s + 11, at.s + 14, at.s + 17, RP_FMT(host), rp_id_print(b->id).s);
    return (const char *)name.p;
}

static rp_err write_file(struct backup *b, const char *path, rp_view head,
                         const struct rp_secret *key) {
    _cleanup_fd_ int fd = -1;
    RP_TRY(rp_file_open_rw(path, 0600, &fd));
    RP_TRY(rp_keep_writer_new(&b->env, fd, head, key, &b->writer));
    if (b->part == BACKUP_KEYS) {
        RP_TRY(backup_copy_keys(b));
        return rp_file_sync(fd);
    }
    struct backup_log *log = backup_log_new();
    rp_err err = log ? backup_copy(b, log) : RP_ERR(NO_MEMORY);
    backup_log_free(log);
    return rp_ok(err) ? rp_file_sync(fd) : err;
}

static rp_err make(struct backup *b, const char *folder, const char **ret_path) {
    struct rp_keep_head head = {.made_at_s = 0};
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    _cleanup_(rp_buf_done) struct rp_buf head_bytes = rp_buf_new(RP_KEEP_HEAD_MAX);
    RP_TRY(new_key(b, &key, &head.wrapped));
    RP_TRY(gather_openers(b, key, &head));
    RP_TRY(describe(b, &head));
    RP_TRY(rp_keep_head_print(&head, b->cli->arena, &head_bytes));
    const char *path = file_name(b, folder, head.host);
    rp_view partial = rp_arena_printf(b->cli->arena, "%s.partial", path ? path : "");
    if (!path || !partial.p) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = write_file(b, (const char *)partial.p, rp_buf_view(&head_bytes), key);
    /* The halves first: a backup without them is worth nothing, they without it do no harm. */
    if (rp_ok(err) && b->part != BACKUP_DATA) {
        err = backup_tenants_write(b, folder, &head);
    }
    if (rp_ok(err)) {
        err = rename((const char *)partial.p, path) == 0 ? rp_folder_sync(folder) : RP_ERR(IO);
    }
    if (!rp_ok(err)) {
        rp_ignore(rp_file_remove((const char *)partial.p)); /* the failure was another */
        return err;
    }
    *ret_path = path;
    return RP_OK;
}

/* On record, made or not; without core there is nobody to keep it. Of the keys' part it is on
 * record that its key was given. */
static rp_err tell(struct backup *b, rp_err made, int64_t duration_ms) {
    if (b->part == BACKUP_KEYS) {
        return RP_OK;
    }
    struct rp_arena *arena = b->cli->arena;
    struct rp_json *body = rp_json_object(arena), *answer = NULL;
    rp_json_add_cstr(arena, body, "backup", rp_id_print(b->id).s);
    if (!rp_ok(made)) {
        rp_json_add_cstr(arena, body, "reason", rp_err_name(made));
    } else {
        rp_json_add_u64(arena, body, "bytes", rp_keep_writer_bytes(b->writer));
        rp_json_add_u64(arena, body, "databases", b->databases);
        rp_json_add_u64(arena, body, "duration_ms", (uint64_t)duration_ms);
    }
    struct rp_diag kept = b->diag;
    rp_err err = backup_ask_core(b, "/.rempart/api/v1/admin/backup/end", body, &answer);
    b->diag = rp_ok(made) ? b->diag : kept;
    return err;
}

static void say_made(struct backup *b, const char *path, int64_t duration_ms) {
    struct cli *cli = b->cli;
    uint64_t bytes = rp_keep_writer_bytes(b->writer);
    if (cli->json) {
        struct rp_json *json = rp_json_object(cli->arena);
        rp_json_add_cstr(cli->arena, json, "file", path);
        rp_json_add_cstr(cli->arena, json, "id", rp_id_print(b->id).s);
        rp_json_add_u64(cli->arena, json, "bytes", bytes);
        rp_json_add_u64(cli->arena, json, "files", b->files);
        rp_json_add_u64(cli->arena, json, "databases", b->databases);
        rp_json_add_u64(cli->arena, json, "duration_ms", (uint64_t)duration_ms);
        if (b->part != BACKUP_WHOLE) {
            rp_json_add_string(cli->arena, json, "other_part_on", b->other);
        }
        cli_print_json(json);
        return;
    }
    printf("%s\n%s %s, %llu %s, %llu %s, %s s\n", path,
           cli_tenths(cli, (double)bytes / (1 << 20)).s, cli_say(cli, "Mio", "MiB"),
           (unsigned long long)b->databases, cli_say(cli, "bases", "databases"),
           (unsigned long long)b->files, cli_say(cli, "fichiers", "files"),
           cli_tenths(cli, (double)duration_ms / 1000).s);
    if (b->part == BACKUP_DATA) {
        printf(cli_say(cli,
                       "les clés n’y sont pas : lancez maintenant « rempart backup run » sur la "
                       "machine « %.*s »\n",
                       "the keys are not in it: now run \"rempart backup run\" on the machine "
                       "\"%.*s\"\n"),
               RP_FMT(b->other));
    }
}

static enum backup_part part_of(struct backup *b) {
    return cli_runs_elsewhere(b->cli, "kms", &b->other)    ? BACKUP_DATA
           : cli_runs_elsewhere(b->cli, "core", &b->other) ? BACKUP_KEYS
                                                           : BACKUP_WHOLE;
}

enum rp_exit backup_run(struct cli *cli, const char *folder) {
    struct backup b = {.cli = cli,
                       .env = rp_env_real(),
                       .halves = rp_buf_new(BACKUP_HALVES_MAX),
                       .diag = cli_diag(cli)};
    char target[PATH_MAX];
    rp_err err = rp_folder_make(folder, 0700);
    if (rp_ok(err) && !realpath(folder, target)) {
        err = RP_ERR(NOT_FOUND);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, folder, NULL);
    }
    cli_make_absolute(cli, &cli->passphrase_file);
    cli_make_absolute(cli, &cli->config);
    err = cli_enter_state(cli);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    b.part = part_of(&b);
    b.id = rp_env_new_id(&b.env);
    b.now_s = rp_env_now_s(&b.env);
    int64_t begun_ms = backup_monotonic_ms(&b), took_ms = 0;
    const char *path = NULL;
    err = make(&b, target, &path);
    took_ms = backup_monotonic_ms(&b) - begun_ms;
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%60s\r", "");
    }
    rp_err told = tell(&b, err, took_ms);
    if (rp_ok(err)) {
        say_made(&b, path, took_ms);
    }
    rp_keep_writer_free(b.writer);
    rp_buf_done(&b.halves);
    if (rp_ok(err) && !rp_ok(told)) {
        return cli_fail(cli, told, "backup.made", &b.diag); /* the backup is whole */
    }
    return rp_ok(err) ? RP_EXIT_OK
                      : cli_fail(cli, err, cli_say(cli, "pas de sauvegarde", "no backup"), &b.diag);
}
