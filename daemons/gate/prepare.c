#include "prepare.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme.h"
#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/ring.h"
#include "os/shm.h"
#include "pages.h"
#include "render.h"
#include "rules.h"
#include "shield/limits.h"
#include "shield/notes.h"
#include "tls.h"

enum {
    RING_RECORDS = 4096, /* 2 MiB: some seconds of a full worker */
    PAGE_MAX = 16384
};

static bool look_up(const char *user, struct gate_worker *ret_worker) {
    const struct passwd *found = getpwnam(user);
    if (!found) {
        return false;
    }
    const struct group *group = getgrgid(found->pw_gid);
    if (!group) {
        return false;
    }
    /* nginx is given names; the group's lives in libc's buffer, which nothing overwrites here:
     * one look-up a process. */
    *ret_worker = (struct gate_worker){user, group->gr_name, found->pw_uid, found->pw_gid};
    return true;
}

rp_err gate_worker_find(struct gate_worker *ret_worker) {
    if (geteuid() != 0) {
        *ret_worker = (struct gate_worker){NULL, NULL, geteuid(), getegid()};
        return RP_OK;
    }
    bool found = look_up(rp_role_user(RP_ROLE_GATE), ret_worker) || look_up("www-data", ret_worker);
    return found ? RP_OK : RP_ERR(NOT_FOUND);
}

static rp_err give(const char *path, mode_t mode, const struct gate_worker *worker) {
    if (worker->user && chown(path, worker->uid, worker->gid) != 0) {
        return rp_err_from_errno(errno);
    }
    return chmod(path, mode) == 0 ? RP_OK : rp_err_from_errno(errno);
}

static rp_err prepare_folders(const struct gate_worker *worker) {
    RP_TRY(rp_folder_make("run", 0755));
    /* After a restore they stand, closed: the workers read pages there, the probe the authority. */
    static const char *const open_to_all[] = {"gate", "gate/pages", "gate/tls"};
    for (size_t i = 0; i < RP_COUNT_OF(open_to_all); i++) {
        RP_TRY(rp_folder_make(open_to_all[i], 0755));
        RP_TRY(rp_folder_own(open_to_all[i], (uid_t)-1, (gid_t)-1, 0755));
    }
    RP_TRY(rp_folder_make("gate/tmp", 0700));
    return give("gate/tmp", 0700, worker);
}

/* A ring that is good stays: it may hold records that the ledger has not read yet. */
static rp_err prepare_ring(unsigned index, const struct gate_worker *worker) {
    char path[32];
    snprintf(path, sizeof path, "run/ring.%u", index);
    struct rp_shm ring = {0};
    rp_err err = rp_shm_open(path, true, rp_ring_bytes(RING_RECORDS), &ring);
    bool good = rp_ok(err) && rp_ok(rp_ring_check(ring.p, ring.n));
    if (!good) {
        rp_shm_done(&ring);
        RP_TRY(rp_shm_create(path, 0660, rp_ring_bytes(RING_RECORDS), &ring));
        rp_ring_init(ring.p, RING_RECORDS);
    }
    rp_shm_done(&ring);
    return give(path, 0660, worker);
}

/* Twice the workers: at a reload the old ones end while the new ones begin. */
static rp_err prepare_rings(uint64_t workers, const struct gate_worker *worker) {
    RP_ASSERT(workers >= 1 && workers <= 64);
    for (unsigned i = 0; i < 2 * (unsigned)workers; i++) {
        RP_TRY(prepare_ring(i, worker));
    }
    return RP_OK;
}

/* Debts outlive a restart: whoever floods does not begin anew. */
static rp_err prepare_limits(const struct rp_env *env, const struct gate_worker *worker) {
    static const char path[] = "run/limits.tab";
    struct rp_shm table = {0};
    rp_err err = rp_shm_open(path, true, rp_limits_bytes(), &table);
    bool good = rp_ok(err) && rp_ok(rp_limits_check(table.p, table.n));
    if (!good) {
        uint8_t salt[RP_LIMITS_SALT];
        env->fill_random(env->ctx, salt, sizeof salt);
        rp_shm_done(&table);
        RP_TRY(rp_shm_create(path, 0600, rp_limits_bytes(), &table));
        rp_limits_init(table.p, salt);
    }
    rp_shm_done(&table);
    return give(path, 0600, worker);
}

/* One salt for all of them: core counts the same person once, whichever worker they met. */
static void notes_salt(const struct rp_env *env, uint8_t ret_salt[static RP_NOTES_SALT]) {
    struct rp_shm first = {0};
    if (rp_ok(rp_shm_open("waf/notes.0", false, rp_notes_bytes(), &first)) &&
        rp_ok(rp_notes_check(first.p, first.n))) {
        rp_notes_salt(first.p, ret_salt);
    } else {
        env->fill_random(env->ctx, ret_salt, RP_NOTES_SALT);
    }
    rp_shm_done(&first);
}

/* What lies there was noted down and not yet looked at: a good table stays. */
static rp_err prepare_note(unsigned index, const uint8_t salt[static RP_NOTES_SALT],
                           const struct gate_worker *worker) {
    char path[32];
    snprintf(path, sizeof path, "waf/notes.%u", index);
    struct rp_shm table = {0};
    rp_err err = rp_shm_open(path, true, rp_notes_bytes(), &table);
    bool good = rp_ok(err) && rp_ok(rp_notes_check(table.p, table.n));
    if (!good) {
        rp_shm_done(&table);
        RP_TRY(rp_shm_create(path, 0640, rp_notes_bytes(), &table));
        rp_notes_init(table.p, salt);
    }
    rp_shm_done(&table);
    return give(path, 0640, worker);
}

static rp_err prepare_notes(const struct rp_env *env, uint64_t workers,
                            const struct gate_worker *worker) {
    uint8_t salt[RP_NOTES_SALT];
    RP_TRY(rp_folder_make("waf", 0755));
    notes_salt(env, salt);
    for (unsigned i = 0; i < 2 * (unsigned)workers; i++) {
        RP_TRY(prepare_note(i, salt, worker));
    }
    return RP_OK;
}

static rp_err write_page(const struct gate_page *page, enum rp_lang lang, bool json) {
    char path[64];
    snprintf(path, sizeof path, "gate/pages/%u.%s.%s", page->status, lang == RP_FR ? "fr" : "en",
             json ? "json" : "html");
    struct rp_buf text = rp_buf_new(PAGE_MAX);
    if (json) {
        gate_page_json(&text, page, lang);
    } else {
        gate_page_html(&text, page, lang);
    }
    rp_err err = rp_buf_err(&text);
    if (rp_ok(err)) {
        err = rp_file_replace(path, 0644, rp_buf_view(&text));
    }
    rp_buf_done(&text);
    return err;
}

static rp_err write_pages(void) {
    for (size_t i = 0; i < gate_page_count; i++) {
        for (enum rp_lang lang = 0; lang < RP_LANG_COUNT; lang++) {
            RP_TRY(write_page(&gate_pages[i], lang, false));
            RP_TRY(write_page(&gate_pages[i], lang, true));
        }
    }
    return RP_OK;
}

static rp_err write_conf(const struct daemon *daemon, const struct gate_worker *worker,
                         const char *module, const struct rp_config_list *certified,
                         struct rp_diag *diag) {
    char state[PATH_MAX];
    if (!getcwd(state, sizeof state)) {
        return rp_err_from_errno(errno);
    }
    const struct gate_setup setup = {.config = &daemon->config,
                                     .state = state,
                                     .module = module,
                                     .certified = certified,
                                     .log_json = daemon->log_json,
                                     .user = worker->user,
                                     .group = worker->group};
    struct rp_buf conf = rp_buf_new(GATE_CONF_MAX);
    rp_err err = gate_render(&setup, &conf, diag);
    if (rp_ok(err)) {
        err = rp_file_replace("gate/nginx.conf", 0644, rp_buf_view(&conf));
    }
    rp_buf_done(&conf);
    return err;
}

rp_err gate_prepare(const struct daemon *daemon, const struct gate_worker *worker,
                    const char *module) {
    struct rp_diag diag = {0};
    rp_err err = prepare_folders(worker);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "gate/", NULL);
    }
    err = prepare_rings(daemon->config.workers, worker);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "run/ring", NULL);
    }
    err = prepare_limits(&daemon->env, worker);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "run/limits.tab", NULL);
    }
    err = prepare_notes(&daemon->env, daemon->config.workers, worker);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "waf/notes", NULL);
    }
    err = write_pages();
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "gate/pages", NULL);
    }
    err = gate_tls_prepare(&daemon->config, &daemon->env, daemon->arena, &diag);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "gate/tls", &diag);
    }
    struct rp_config_list certified = {NULL, 0};
    err = gate_acme_prepare(daemon, &certified);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "gate/acme", NULL);
    }
    err = gate_rules_write(&daemon->config, &diag);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "waf", &diag);
    }
    err = write_conf(daemon, worker, module, &certified, &diag);
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "gate/nginx.conf", &diag);
}
