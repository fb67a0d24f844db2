/* backup_copy.c — what a backup holds, in the order that makes it consistent.
 *
 * Core is asked to keep events in its outboxes; then the log is copied up to one moment; then every
 * database, each as it is at a moment after that. So every event that the copied log lacks still
 * waits in the copied outboxes, and none of its events is of a change that the copied databases do
 * not have. The keys come last: they open whatever the databases hold.
 */
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "wire/tar.h"

enum {
    PIECE = 64 * 1024,
    HOLD_AGAIN_MS = 15000,
    HOLD_TRIES = 200,
    HOLD_PAUSE_MS = 50,
    SAY_MS = 1000
};

int64_t backup_monotonic_ms(const struct backup *b) {
    return rp_env_monotonic_ms(&b->env);
}

/* ---- core ---- */

rp_err backup_ask_core(struct backup *b, const char *path, const struct rp_json *body,
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
    RP_TRY(backup_ask_core(b, "/.rempart/api/v1/admin/backup/hold", rp_json_object(b->cli->arena),
                           &answer));
    b->held_ms = backup_monotonic_ms(b);
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
    int64_t now_ms = backup_monotonic_ms(b);
    if (isatty(STDERR_FILENO) && now_ms - b->said_ms > SAY_MS) {
        b->said_ms = now_ms;
        fprintf(stderr, "\r%s%s %llu %s, %llu %s   ", b->doing, cli_colon(b->cli),
                (unsigned long long)b->files, cli_say(b->cli, "fichiers", "files"),
                (unsigned long long)(rp_keep_writer_bytes(b->writer) >> 20),
                cli_say(b->cli, "Mio", "MiB"));
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
        rp_err err = backup_ask_core(b, "/.rempart/api/v1/admin/backup/copy", body, &answer);
        bool told = rp_ok(err) && rp_json_get_u64(answer, "left", &left);
        b->cli->arena = own;
        RP_TRY(err);
        b->held_ms = backup_monotonic_ms(b);
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
    static const char *const folders[] = {"",      "acme", "apps", "canary", "courier", "gate",
                                          "probe", "hunt", "kms",  "link",   "witness"};
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
    if (b->part == BACKUP_DATA) {
        rp_json_add_string(arena, json, "keys_on", b->other);
    }
    rp_json_add_u64(arena, json, "tenant_keys", b->tenant_keys);
    rp_json_add_cstr(arena, json, "version", REMPART_VERSION);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(PIECE);
    RP_TRY(rp_json_print(json, &text));
    return backup_put(b, "backup.json", 0640, rp_buf_view(&text));
}

static rp_err copy_rest(struct backup *b) {
    static const uint8_t end[2 * RP_TAR_BLOCK];
    b->doing = cli_say(b->cli, "le reste", "the rest");
    RP_TRY(copy_config(b));
    RP_TRY(copy_folders(b));
    RP_TRY(backup_tenants_gather(b));
    RP_TRY(put_manifest(b));
    RP_TRY(rp_keep_write(b->writer, rp_view_of(end, sizeof end)));
    return rp_keep_writer_end(b->writer);
}

rp_err backup_copy(struct backup *b, struct backup_log *log) {
    b->doing = cli_say(b->cli, "journal", "log");
    RP_TRY(backup_log_settled(b, log));
    RP_TRY(hold(b));
    RP_TRY(backup_log_edges(b, log));
    RP_TRY(backup_log_journal(b, log));
    b->doing = cli_say(b->cli, "bases de données", "databases");
    RP_TRY(copy_databases(b));
    return copy_rest(b);
}

rp_err backup_copy_keys(struct backup *b) {
    return copy_rest(b);
}
