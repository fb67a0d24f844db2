/* backup_restore.c — rempart backup restore FILE --state DIR: back, whole or not at all.
 *
 * Everything is written into a new folder beside the old one, read to its last authenticated byte
 * and made durable; only then two renames put it in its place. The old folder stays beside it under
 * another name: nothing is ever deleted but what this program wrote itself.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "backup.h"
#include "base/assert.h"
#include "base/checked.h"
#include "config/config.h"
#include "ledger/note.h"
#include "os/batch.h"
#include "os/file.h"
#include "os/role.h"
#include "store/store.h"
#include "wire/untar.h"

enum { EVENT_ARENA = 64 * 1024 };

struct restore {
    struct cli *cli;
    struct rp_env env;
    const struct rp_keep_head *head;
    const char *target; /* the state folder, absolute, its last part perhaps not there yet */
    const char *fresh;  /* where it is put together */
    const char *old;    /* where the former one goes; NULL = there is none */
    int fd;             /* the file being written */
    char last_folder[256];
    uint64_t files;
    bool manifest;
    rp_view keys_on; /* the machine that has the keys' part */
    struct backup_tenants tenants;
    struct rp_diag diag;
};

/* Names live as long as the command. */
static const char *text(const struct restore *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *text(const struct restore *r, const char *format, ...) {
    char out[PATH_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out, sizeof out, format, args);
    va_end(args);
    RP_ASSERT(n > 0 && n < PATH_MAX); /* find_target left room */
    const char *copy = rp_arena_cstr(r->cli->arena, rp_view_from_cstr(out));
    RP_ASSERT(copy != NULL);
    return copy;
}

/* ---- writing ---- */

static rp_err begin_file(struct restore *r, const struct rp_tar_entry *entry) {
    char name[RP_TAR_NAME_MAX + 1];
    memcpy(name, entry->name.p, entry->name.n);
    name[entry->name.n] = 0;
    char *slash = strrchr(name, '/');
    if (slash) {
        *slash = 0;
        if (strcmp(name, r->last_folder) != 0) {
            RP_TRY(rp_folder_make(name, 0750));
            memcpy(r->last_folder, name, strlen(name) + 1);
        }
        *slash = '/';
    }
    r->manifest = strcmp(name, "backup.json") == 0;
    r->files++;
    rp_err err = rp_file_open_rw(name, entry->mode, &r->fd);
    return rp_ok(err) ? RP_OK : rp_fail(&r->diag, err, "%s", name);
}

static rp_err take_step(void *ctx, const struct rp_untar_step *step) {
    struct restore *r = ctx;
    switch (step->what) {
    case RP_UNTAR_FILE:
        RP_ASSERT(r->fd < 0);
        return begin_file(r, &step->entry);
    case RP_UNTAR_BYTES:
        return rp_file_write_all(r->fd, step->bytes);
    case RP_UNTAR_CLOSE:
        rp_fd_done(&r->fd);
        return RP_OK;
    case RP_UNTAR_END:
    case RP_UNTAR_MORE:
        break;
    }
    return RP_OK;
}

/* ---- the event: it waits in the system's outbox for the first start ---- */

static rp_err tell(struct rp_db *db, void *ctx) {
    const struct restore *r = ctx;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(EVENT_ARENA);
    struct rp_event *event =
        arena ? rp_event_new(arena, RP_EVENT_BACKUP_RESTORED, rp_env_now_ms(&r->env), RP_ROLE_CORE)
              : NULL;
    if (!event) {
        return RP_ERR(NO_MEMORY);
    }
    rp_event_add_id(event, "backup", r->head->id);
    rp_event_add_text(event, "made_at", rp_view_from_cstr(rp_time_print(r->head->made_at_s).s));
    rp_event_add_text(event, "forced",
                      r->cli->force_older   ? RP_VIEW("older than what was there")
                      : r->cli->keep_ledger ? RP_VIEW("beside the newer log")
                                            : RP_VIEW("no"));
    return rp_db_emit(db, event);
}

static rp_err leave_event(struct restore *r) {
    struct rp_store *store = NULL;
    struct rp_db *db = NULL;
    if (!rp_file_exists("db/system.db")) {
        return RP_OK; /* the keys' part: its machine has no outbox; the first unsealing is on record
                       */
    }
    RP_TRY(rp_store_open(&r->env, "sqlite:", &store, &r->diag));
    rp_err err = rp_store_system(store, &db, &r->diag);
    if (rp_ok(err)) {
        err = rp_db_transact(db, tell, r);
    }
    rp_store_close(store);
    return err;
}

/* ---- what is there already ---- */

/* Entries of the operator's tree that lies there; 0 when none can be read. */
static uint64_t size_there(struct restore *r) {
    const char *path = text(r, "%s/ledger/operator/checkpoint", r->target);
    rp_view note = {NULL, 0};
    uint64_t size = 0;
    if (!rp_ok(rp_file_read(path, RP_NOTE_MAX, r->cli->arena, &note))) {
        return 0;
    }
    (void)rp_view_cut(&note, '\n');
    return rp_view_to_u64(rp_view_cut(&note, '\n'), UINT64_MAX, &size) ? size : 0;
}

static rp_err check_newer(struct restore *r) {
    uint64_t there = size_there(r);
    if (r->cli->keep_ledger) {
        return there > 0 ? RP_OK
                         : rp_fail(&r->diag, RP_ERR(NOT_FOUND), "%s",
                                   cli_say(r->cli, "--keep-ledger : aucun journal lisible n’est là",
                                           "--keep-ledger: no log that can be read is there"));
    }
    if (r->cli->force_older || there <= r->head->operator_size) {
        return RP_OK;
    }
    return rp_fail(
        &r->diag, RP_ERR(CONFLICT),
        cli_say(r->cli,
                "ce qui est là est plus récent (journal : %llu entrées, sauvegarde : %llu). "
                "--keep-ledger garde ce journal et rétablit le reste ; --force-older revient en "
                "tout à la sauvegarde ; l’ancien dossier reste à côté",
                "what is there is newer (log: %llu entries, backup: %llu). --keep-ledger keeps "
                "this log and restores the rest; --force-older goes back to the backup in all; "
                "the former folder stays beside it"),
        (unsigned long long)there, (unsigned long long)r->head->operator_size);
}

/* ---- in its place ---- */

static rp_err keep_their_ledger(struct restore *r) {
    RP_TRY(backup_folder_remove("ledger"));
    return rename(text(r, "%s/ledger", r->target), "ledger") == 0 ? RP_OK : RP_ERR(IO);
}

static rp_err swap(struct restore *r) {
    if (rp_file_exists(r->target)) {
        r->old = text(r, "%s.before-%lld", r->target, (long long)rp_env_now_s(&r->env));
    }
    if (r->cli->keep_ledger) {
        RP_TRY(keep_their_ledger(r));
    }
    if (r->old && rename(r->target, r->old) != 0) {
        return rp_fail(&r->diag, RP_ERR(IO), "%s → %s", r->target, r->old);
    }
    if (rename(r->fresh, r->target) != 0) {
        int back = r->old ? rename(r->old, r->target) : 0;
        return rp_fail(
            &r->diag, RP_ERR(IO), "%s → %s%s", r->fresh, r->target,
            back == 0 ? "" : rp_diag_say(&r->diag, ", and the former folder stays where it is"));
    }
    return rp_batch_sync(r->target);
}

/* Backups from before tenants' keys could end name no number of them, and need none. */
static rp_err read_manifest(struct restore *r) {
    rp_view bytes = {NULL, 0};
    struct rp_json *json = NULL;
    RP_TRY(rp_file_read("backup.json", BACKUP_MANIFEST_MAX, r->cli->arena, &bytes));
    RP_TRY(rp_json_parse(bytes, RP_JSON_LIMITS, r->cli->arena, &json, &r->diag));
    (void)rp_json_get_u64(json, "tenant_keys", &r->tenants.wanted);
    r->keys_on = rp_json_get_string(json, "keys_on");
    r->tenants.head = r->head;
    r->tenants.present = rp_file_exists(r->target) ? r->target : NULL;
    return RP_OK;
}

static rp_err put_together(struct restore *r, struct backup_file *file) {
    uint64_t chunks = 0;
    RP_TRY(rp_folder_make(r->fresh, 0700));
    if (chdir(r->fresh) != 0) {
        return RP_ERR(DENIED);
    }
    rp_err err = backup_file_walk(file, take_step, r, &chunks, &r->diag);
    rp_fd_done(&r->fd);
    RP_TRY(err);
    if (!r->manifest) {
        return rp_fail(&r->diag, RP_ERR(CORRUPT), "backup.json is missing at its end");
    }
    RP_TRY(read_manifest(r));
    RP_TRY(backup_tenants_restore(r->cli, &r->tenants, &r->diag));
    RP_TRY(rp_file_remove("backup.json"));
    RP_TRY(leave_event(r));
    err = backup_folder_give_to_roles();
    if (!rp_ok(err)) {
        return rp_fail(&r->diag, err,
                       "the roles' users: scripts/setup, or the package, makes them");
    }
    return rp_batch_sync(".");
}

static rp_err restore(struct restore *r, struct backup_file *file) {
    RP_TRY(cli_check_stopped(r->cli, r->target, &r->diag));
    RP_TRY(check_newer(r));
    RP_TRY(backup_file_key(r->cli, file));
    RP_TRY(backup_folder_remove(r->fresh)); /* of a restore that was interrupted */
    rp_err err = put_together(r, file);
    if (rp_ok(err)) {
        err = swap(r);
    }
    if (!rp_ok(err)) {
        struct rp_diag kept = r->diag;
        rp_ignore(backup_folder_remove(r->fresh)); /* the failure was another */
        r->diag = kept;
    }
    return err;
}

/* The folder that holds the state folder must exist; the state folder itself need not. */
static rp_err find_target(struct restore *r) {
    char parent[PATH_MAX];
    rp_view state = rp_view_from_cstr(r->cli->state);
    while (state.n > 1 && state.p[state.n - 1] == '/') {
        state.n--;
    }
    size_t cut = state.n;
    while (cut > 0 && state.p[cut - 1] != '/') {
        cut--;
    }
    rp_view name = rp_view_from(state, cut);
    rp_view above = cut > 0 ? rp_view_sub(state, 0, cut) : RP_VIEW(".");
    const char *folder = rp_arena_cstr(r->cli->arena, above);
    if (!folder || !realpath(folder, parent) || name.n == 0 || name.p[0] == '.' ||
        strlen(parent) + name.n > PATH_MAX - 80) {
        return rp_fail(&r->diag, RP_ERR(NOT_FOUND), "%s", r->cli->state);
    }
    r->target = text(r, "%s/%.*s", strcmp(parent, "/") == 0 ? "" : parent, RP_FMT(name));
    r->fresh = text(r, "%s.restoring", r->target);
    return RP_OK;
}

/* A backup's databases are files; where the configuration wants them in PostgreSQL, core refuses to
 * start beside them, and this brings them there. */
static void say_copy(const struct restore *r) {
    struct rp_config config;
    rp_view yaml = {NULL, 0};
    const char *file = text(r, "%s/rempart.yaml", r->target);
    bool read = rp_ok(rp_file_read(file, BACKUP_MANIFEST_MAX, r->cli->arena, &yaml)) &&
                rp_ok(rp_config_parse(yaml, r->cli->arena, &config, NULL));
    if (read && !rp_view_equal(rp_view_from_cstr(config.store), RP_VIEW("sqlite:"))) {
        printf("%s%s rempart store copy --from sqlite: --to '%s' --state %s\n",
               cli_say(r->cli, "d’abord, vers un schéma vide", "first, into an empty schema"),
               cli_colon(r->cli), config.store, r->cli->state);
    }
}

static void say_done(const struct restore *r) {
    const struct cli *cli = r->cli;
    printf("%s%s %s %s (%llu %s)\n", r->target, cli_colon(cli),
           cli_say(cli, "rétabli à l’état du", "restored to the state of"),
           rp_time_print(r->head->made_at_s).s, (unsigned long long)r->files,
           cli_say(cli, "fichiers", "files"));
    if (r->tenants.left_out > 0) {
        printf(cli_say(cli,
                       "%llu clé(s) de clients ont été détruites depuis et ne reviennent pas ; "
                       "pour ces clients : rempart tenant close NOM --days 0\n",
                       "%llu tenants' keys were destroyed since and do not come back; for these "
                       "tenants: rempart tenant close NAME --days 0\n"),
               (unsigned long long)r->tenants.left_out);
    }
    if (r->keys_on.n > 0) {
        printf(cli_say(cli,
                       "les clés viennent de la sauvegarde de la machine « %.*s », qui n’est pas "
                       "plus ancienne que celle-ci\n",
                       "the keys come from the backup of the machine \"%.*s\", one that is not "
                       "older than this\n"),
               RP_FMT(r->keys_on));
    }
    if (r->old) {
        printf("%s%s %s\n", cli_say(cli, "l’ancien dossier", "the former folder"), cli_colon(cli),
               r->old);
    }
    say_copy(r);
    printf("%s%s rempart up --state %s\n", cli_say(cli, "ensuite", "next"), cli_colon(cli),
           cli->state);
    if (cli->keep_ledger) {
        printf("%s%s rempart ledger rebase\n",
               cli_say(cli,
                       "puis, pour que ces bases plus anciennes continuent derrière le journal",
                       "then, so that these older databases go on behind the log"),
               cli_colon(cli));
    }
}

enum rp_exit backup_restore(struct cli *cli, const char *path) {
    struct restore r = {.cli = cli, .env = rp_env_real(), .fd = -1, .diag = cli_diag(cli)};
    struct backup_file file;
    cli_make_absolute(cli, &path);
    cli_make_absolute(cli, &cli->passphrase_file);
    if (!rp_ok(backup_file_open(cli, path, &file))) {
        return RP_EXIT_USAGE;
    }
    r.head = &file.head;
    r.tenants.path = path;
    rp_err err = find_target(&r);
    if (rp_ok(err)) {
        err = restore(&r, &file);
    }
    backup_file_done(&file);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli_say(cli, "rien n’a été rétabli", "nothing was restored"),
                        &r.diag);
    }
    say_done(&r);
    return RP_EXIT_OK;
}
