/* backup_file.c — one backup: its head, the key that opens it, and all of it step by step. */
#include <unistd.h>

#include "backup.h"
#include "base/assert.h"
#include "keep/opener.h"
#include "keep/reader_io.h"
#include "os/file.h"
#include "wire/untar.h"

enum { DEADLINE_MS = 20000, TYPED_MAX = 1000 };

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
