/* backup_run.c — rempart backup run: one consistent, encrypted copy, made while everything runs.
 *
 * The order is what makes it consistent. Core is asked to keep events in its outboxes; then the
 * log is copied up to one moment; then every database, each as it is at a moment after that. So
 * every event that the copied log lacks still waits in the copied outboxes, and none of its events
 * is of a change that the copied databases do not have. The keys come last: they open whatever the
 * databases hold.
 */
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "base/assert.h"
#include "base/checked.h"
#include "keep/opener.h"
#include "ledger/note.h"
#include "os/file.h"
#include "wire/tar.h"

enum {
    PIECE = 64 * 1024,
    DEADLINE_MS = 20000,
    HOLD_AGAIN_MS = 15000,
    HOLD_TRIES = 200,
    HOLD_PAUSE_MS = 50,
    SAY_MS = 1000,
    SMALL_MAX = 64 << 20
};

static int64_t monotonic_ms(const struct backup *b) {
    return b->env.monotonic_ns(b->env.ctx) / 1000000;
}

/* ---- core ---- */

static rp_err post(struct backup *b, const char *path, const struct rp_json *body,
                   struct rp_json **ret_answer) {
    struct rp_buf text = rp_buf_new(PIECE);
    rp_err err = rp_json_print(body, &text);
    if (rp_ok(err)) {
        err = cli_ask_core(b->cli, "POST", path, rp_buf_view(&text), ret_answer, &b->diag);
    }
    rp_buf_done(&text);
    return err;
}

static rp_err ask_to_hold(struct backup *b, bool *ret_held) {
    struct rp_json *answer = NULL;
    RP_TRY(post(b, "/.rempart/api/v1/admin/backup/hold", rp_json_object(b->cli->arena), &answer));
    b->held_ms = monotonic_ms(b);
    return rp_json_get_bool(answer, "held", ret_held) ? RP_OK : RP_ERR(PROTOCOL);
}

static rp_err hold(struct backup *b) {
    const struct timespec pause = {.tv_nsec = HOLD_PAUSE_MS * 1000000L};
    bool held = false;
    b->holding = true;
    for (int i = 0; i < HOLD_TRIES && !held; i++) {
        RP_TRY(ask_to_hold(b, &held));
        if (!held) {
            (void)nanosleep(&pause, NULL); /* a signal only makes the next try come sooner */
        }
    }
    return held ? RP_OK : rp_fail(&b->diag, RP_ERR(TIMEOUT), "core cannot reach the ledger");
}

/* Between two files: what is held stays held, and a person at a terminal sees that it goes on. */
static rp_err tick(struct backup *b) {
    int64_t now_ms = monotonic_ms(b);
    if (isatty(STDERR_FILENO) && now_ms - b->said_ms > SAY_MS) {
        b->said_ms = now_ms;
        fprintf(stderr, "\r%s: %llu %s, %llu MiB   ", b->doing, (unsigned long long)b->files,
                cli_say(b->cli, "fichiers", "files"),
                (unsigned long long)(rp_keep_writer_bytes(b->writer) >> 20));
    }
    bool held = true;
    if (b->holding && now_ms - b->held_ms > HOLD_AGAIN_MS) {
        RP_TRY(ask_to_hold(b, &held));
    }
    return held ? RP_OK : rp_fail(&b->diag, RP_ERR(TIMEOUT), "core gave up holding");
}

/* ---- the archive ---- */

static rp_err put_header(struct backup *b, const char *name, unsigned mode, uint64_t size) {
    uint8_t header[RP_TAR_BLOCK];
    rp_err err = rp_tar_header(rp_view_from_cstr(name), size, b->now_s, header);
    if (!rp_ok(err)) {
        return rp_fail(&b->diag, err, "%s: its name or size does not fit an archive", name);
    }
    rp_tar_set_mode(header, mode & 0777);
    b->files++;
    return rp_keep_write(b->writer, rp_view_of(header, sizeof header));
}

static rp_err put_padding(struct backup *b, uint64_t size) {
    static const uint8_t zeros[RP_TAR_BLOCK];
    return rp_keep_write(b->writer, rp_view_of(zeros, rp_tar_padding(size)));
}

rp_err backup_put(struct backup *b, const char *name, unsigned mode, rp_view content) {
    RP_TRY(put_header(b, name, mode, content.n));
    RP_TRY(rp_keep_write(b->writer, content));
    return put_padding(b, content.n);
}

rp_err backup_put_fd(struct backup *b, const char *name, int fd, uint64_t size) {
    uint8_t piece[PIECE / 8];
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return RP_ERR(IO);
    }
    RP_TRY(tick(b));
    RP_TRY(put_header(b, name, st.st_mode, size));
    for (uint64_t at = 0; at < size;) {
        size_t n = (size_t)RP_MIN(size - at, (uint64_t)sizeof piece);
        rp_err err = rp_file_read_at(fd, at, piece, n);
        if (!rp_ok(err)) {
            return rp_fail(&b->diag, err, "%s: became shorter while it was read", name);
        }
        RP_TRY(rp_keep_write(b->writer, rp_view_of(piece, n)));
        at += n;
        if (at % (8 << 20) == 0) {
            RP_TRY(tick(b));
        }
    }
    return put_padding(b, size);
}

rp_err backup_put_file(struct backup *b, const char *name, const char *path) {
    _cleanup_fd_ int fd = -1;
    uint64_t size = 0;
    rp_err err = rp_file_open(path, &fd);
    if (rp_ok(err)) {
        err = rp_file_size(fd, &size);
    }
    return rp_ok(err) ? backup_put_fd(b, name, fd, size) : rp_fail(&b->diag, err, "%s", path);
}

/* ---- what lies below a folder ---- */

struct walk {
    struct backup *b;
    char path[PATH_MAX];
};

static rp_err put_below(struct walk *walk);

static rp_err put_entry(void *ctx, const char *name, bool is_folder) {
    struct walk *walk = ctx;
    size_t n = strlen(walk->path);
    struct stat st;
    int added = snprintf(walk->path + n, sizeof walk->path - n, "%s%s", n ? "/" : "", name);
    rp_err err = RP_OK;
    if (added < 0 || (size_t)added >= sizeof walk->path - n) {
        err = RP_ERR(TOO_LARGE);
    } else if (is_folder && strcmp(walk->path, "kms/tenants") == 0) {
        err = RP_OK; /* what lets a tenant's key end: backup_tenants.c, outside of the archive */
    } else if (is_folder && n > 0) {
        err = put_below(walk);
    } else if (!is_folder && lstat(walk->path, &st) == 0 && S_ISREG(st.st_mode) &&
               strcmp(walk->path, "rempartd.lock") != 0) {
        err = backup_put_file(walk->b, walk->path, walk->path);
        err = rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err; /* replaced or removed just now */
    }
    walk->path[n] = 0;
    return err;
}

static rp_err put_below(struct walk *walk) {
    rp_err err = rp_folder_each(walk->path[0] ? walk->path : ".", put_entry, walk);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

/* ---- databases ---- */

static rp_err copy_database(struct backup *b, const char *tenant, const char *name) {
    uint64_t left = 1;
    while (left > 0) {
        struct rp_arena *own = b->cli->arena;
        _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(PIECE * 4);
        struct rp_json *answer = NULL;
        if (!arena) {
            return RP_ERR(NO_MEMORY);
        }
        b->cli->arena = arena; /* one of thousands of questions: its memory goes with it */
        struct rp_json *body = rp_json_object(arena);
        rp_json_add_cstr(arena, body, "tenant", tenant);
        rp_err err = post(b, "/.rempart/api/v1/admin/backup/copy", body, &answer);
        bool told = rp_ok(err) && rp_json_get_u64(answer, "left", &left);
        b->cli->arena = own;
        RP_TRY(err);
        b->held_ms = monotonic_ms(b);
        if (!told) {
            return RP_ERR(PROTOCOL);
        }
    }
    b->databases++;
    RP_TRY(backup_put_file(b, name, "db/snapshot.db"));
    return rp_file_remove("db/snapshot.db");
}

/* Sealed bytes never change, and none are taken off the disk while core holds. */
static rp_err copy_tenant_files(struct backup *b, const struct rp_id_text *hex) {
    struct walk walk = {.b = b};
    (void)snprintf(walk.path, sizeof walk.path, "tenants/%.2s/%.2s/%s.files", hex->s, hex->s + 2,
                   hex->s);
    return put_below(&walk);
}

static rp_err copy_databases(struct backup *b) {
    RP_TRY(copy_database(b, "", "db/system.db"));
    struct rp_json *answer = NULL;
    RP_TRY(cli_ask_core(b->cli, "GET", "/.rempart/api/v1/admin/tenants", (rp_view){NULL, 0},
                        &answer, &b->diag));
    const struct rp_json *tenants = rp_json_get(answer, "tenants");
    for (const struct rp_json *one = tenants ? tenants->first : NULL; one; one = one->next) {
        rp_id tenant;
        if (!rp_id_parse(rp_json_get_string(one, "id"), &tenant)) {
            return RP_ERR(PROTOCOL);
        }
        char name[80];
        struct rp_id_text hex = rp_id_print(tenant);
        (void)snprintf(name, sizeof name, "tenants/%.2s/%.2s/%s.db", hex.s, hex.s + 2, hex.s);
        RP_TRY(copy_database(b, hex.s, name));
        RP_TRY(copy_tenant_files(b, &hex));
    }
    return RP_OK;
}

/* ---- all other files ---- */

/* "" = the plain files of the state folder itself. run/ is made anew at each start, log/ is not
 * state, ledger/ and the databases were copied. */
static rp_err copy_folders(struct backup *b) {
    static const char *const folders[] = {"",     "acme",  "apps", "canary", "courier",
                                          "gate", "probe", "hunt", "kms"};
    for (size_t i = 0; i < RP_COUNT_OF(folders); i++) {
        struct walk walk = {.b = b};
        memcpy(walk.path, folders[i], strlen(folders[i]) + 1);
        RP_TRY(put_below(&walk));
    }
    return RP_OK;
}

/* A configuration that lies elsewhere comes along under the name that a state folder has for it. */
static rp_err copy_config(struct backup *b) {
    if (!b->cli->config || rp_file_exists("rempart.yaml")) {
        return RP_OK;
    }
    return backup_put_file(b, "rempart.yaml", b->cli->config);
}

static rp_err put_manifest(struct backup *b) {
    struct rp_arena *arena = b->cli->arena;
    struct rp_json *json = rp_json_object(arena);
    rp_json_add_cstr(arena, json, "id", rp_id_print(b->id).s);
    rp_json_add_cstr(arena, json, "made_at", rp_time_print(b->now_s).s);
    rp_json_add_u64(arena, json, "databases", b->databases);
    rp_json_add_u64(arena, json, "files", b->files);
    rp_json_add_u64(arena, json, "tenant_keys", b->tenant_keys);
    rp_json_add_cstr(arena, json, "version", REMPART_VERSION);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(PIECE);
    RP_TRY(rp_json_print(json, &text));
    return backup_put(b, "backup.json", 0640, rp_buf_view(&text));
}

static rp_err copy_all(struct backup *b, struct backup_log *log) {
    static const uint8_t end[2 * RP_TAR_BLOCK];
    b->doing = cli_say(b->cli, "journal", "log");
    RP_TRY(backup_log_settled(b, log));
    RP_TRY(hold(b));
    RP_TRY(backup_log_edges(b, log));
    RP_TRY(backup_log_journal(b, log));
    b->doing = cli_say(b->cli, "bases de données", "databases");
    RP_TRY(copy_databases(b));
    b->doing = cli_say(b->cli, "le reste", "the rest");
    RP_TRY(copy_config(b));
    RP_TRY(copy_folders(b));
    RP_TRY(backup_tenants_gather(b));
    RP_TRY(put_manifest(b));
    RP_TRY(rp_keep_write(b->writer, rp_view_of(end, sizeof end)));
    return rp_keep_writer_end(b->writer);
}

/* ---- the key and the head ---- */

static rp_err new_key(struct backup *b, struct rp_secret **ret_key, rp_view *ret_wrapped) {
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

/* What opens it on an empty machine: the sheet, the passphrase, or both. */
static rp_err gather_openers(struct backup *b, const struct rp_secret *key,
                             struct rp_keep_head *head) {
    struct cli *cli = b->cli;
    struct rp_root_seal seal;
    rp_view root = {NULL, 0};
    RP_TRY(rp_file_read("kms/keyring", RP_KEYRING_BYTES_MAX, cli->arena, &head->keyring));
    RP_TRY(read_if_there(cli, "kms/root.recovery", RP_ROOT_BYTES, &head->recovery));
    RP_TRY(read_if_there(cli, "kms/root.sealed", RP_ROOT_BYTES, &root));
    if (rp_ok(rp_root_parse(root, &seal)) && seal.kind == RP_ROOT_PASSPHRASE) {
        head->root = root;
    }
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
    if (head->recovery.n == 0 && head->root.n == 0 && head->passphrase.n == 0) {
        return rp_fail(&b->diag, RP_ERR(INVALID), "%s",
                       cli_say(cli,
                               "rien n'ouvrirait cette sauvegarde sur une autre machine : imprimez "
                               "d'abord la fiche de secours (rempart keys recovery), ou donnez "
                               "--passphrase-file",
                               "nothing would open this backup on another machine: print the "
                               "recovery sheet first (rempart keys recovery), or give "
                               "--passphrase-file"));
    }
    return RP_OK;
}

/* The host as the log's own checkpoint says it ("host/log/operator"), and its size. */
static rp_err describe(struct backup *b, struct rp_keep_head *head) {
    rp_view note = {NULL, 0};
    RP_TRY(rp_file_read("ledger/operator/checkpoint", RP_NOTE_MAX, b->cli->arena, &note));
    head->host = rp_view_cut(&note, '\n');
    head->host = rp_view_sub(head->host, 0, rp_view_find(head->host, RP_VIEW("/log/")));
    head->version = RP_VIEW(REMPART_VERSION);
    head->id = b->id;
    head->made_at_s = b->now_s;
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
    struct backup_log *log = backup_log_new();
    rp_err err = log ? copy_all(b, log) : RP_ERR(NO_MEMORY);
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
    if (rp_ok(err)) {
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

/* On record, made or not; without core there is nobody to keep it. */
static rp_err tell(struct backup *b, rp_err made, int64_t duration_ms) {
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
    rp_err err = post(b, "/.rempart/api/v1/admin/backup/end", body, &answer);
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
        cli_print_json(json);
        return;
    }
    printf("%s\n%.1f MiB, %llu %s, %llu %s, %.1f s\n", path, (double)bytes / (1 << 20),
           (unsigned long long)b->databases, cli_say(cli, "bases", "databases"),
           (unsigned long long)b->files, cli_say(cli, "fichiers", "files"),
           (double)duration_ms / 1000);
}

enum rp_exit backup_run(struct cli *cli, const char *folder) {
    struct backup b = {.cli = cli, .env = rp_env_real(), .halves = rp_buf_new(BACKUP_HALVES_MAX)};
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
    b.id = rp_env_new_id(&b.env);
    b.now_s = rp_env_now_s(&b.env);
    int64_t begun_ms = monotonic_ms(&b), took_ms = 0;
    const char *path = NULL;
    err = make(&b, target, &path);
    took_ms = monotonic_ms(&b) - begun_ms;
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
