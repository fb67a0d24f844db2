#include "os/role.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/filter.h"
#include "os/landlock.h"
#include "os/sanitizer.h"

#define USERS_VARIABLE "REMPART_USERS"

static const struct {
    const char *name;
    const char *user; /* NULL = whoever starts it */
} facts[RP_ROLE_COUNT] = {
    [RP_ROLE_NONE] = {"none", NULL},
    [RP_ROLE_SUPERVISOR] = {"supervisor", NULL},
    [RP_ROLE_LEDGER] = {"ledger", "rempart-ledger"},
    [RP_ROLE_KMS] = {"kms", "rempart-kms"},
    [RP_ROLE_CORE] = {"core", "rempart-core"},
    [RP_ROLE_GATE] = {"gate", "rempart-gate"},
    [RP_ROLE_PROBE] = {"probe", "rempart-probe"},
    [RP_ROLE_HUNT] = {"hunt", "rempart-hunt"},
    [RP_ROLE_COURIER] = {"courier", "rempart-courier"},
    [RP_ROLE_ACME] = {"acme", "rempart-acme"},
    [RP_ROLE_LINK] = {"link", "rempart-link"},
    [RP_ROLE_VAULT] = {"vault", "rempart-vault"},
    [RP_ROLE_WITNESS] = {"witness", "rempart-witness"},
    [RP_ROLE_DIAL] = {"dial", "rempart-dial"},
    [RP_ROLE_CLI] = {"cli", NULL},
};

const char *rp_role_name(enum rp_role_id id) {
    RP_ASSERT(id < RP_ROLE_COUNT);
    return facts[id].name;
}

const char *rp_role_user(enum rp_role_id id) {
    RP_ASSERT(id < RP_ROLE_COUNT);
    return facts[id].user;
}

/* ---- who runs as whom ---- */

struct identity {
    uid_t uid;
    gid_t gid;       /* the user's own group */
    gid_t groups[2]; /* RP_ROLE_GROUP, RP_ROLE_APP_GROUP */
};

static rp_err look_up_group(const char *name, gid_t *ret_gid) {
    const struct group *group = getgrnam(name);
    if (!group) {
        return RP_ERR(NOT_FOUND);
    }
    *ret_gid = group->gr_gid;
    return RP_OK;
}

rp_err rp_role_group(gid_t *ret_gid) {
    return look_up_group(RP_ROLE_GROUP, ret_gid);
}

rp_err rp_role_app_group(gid_t *ret_gid) {
    return look_up_group(RP_ROLE_APP_GROUP, ret_gid);
}

static rp_err look_up_user(const char *user, struct identity *ret_identity) {
    const struct passwd *entry = getpwnam(user);
    if (!entry) {
        return RP_ERR(NOT_FOUND);
    }
    *ret_identity = (struct identity){.uid = entry->pw_uid, .gid = entry->pw_gid};
    return RP_OK;
}

static rp_err print_user(enum rp_role_id id, bool elsewhere, struct rp_buf *out,
                         struct rp_diag *diag) {
    /*= S86 */ /* for a role of another machine only the link may speak */
    const char *user = facts[elsewhere ? RP_ROLE_LINK : id].user;
    struct identity identity = {0};
    if (!user) {
        return RP_OK;
    }
    if (!rp_ok(look_up_user(user, &identity))) {
        return rp_fail(diag, RP_ERR(NOT_FOUND), "the user %s does not exist", user);
    }
    rp_buf_printf(out, "%s=%u:%u,", facts[id].name, identity.uid, identity.gid);
    return RP_OK;
}

static rp_err print_users(unsigned elsewhere, struct rp_buf *out, struct rp_diag *diag) {
    gid_t group;
    for (unsigned id = 0; id < RP_ROLE_COUNT; id++) {
        if (id != RP_ROLE_LINK || elsewhere != 0) {
            RP_TRY(print_user((enum rp_role_id)id, elsewhere & (1U << id), out, diag));
        }
    }
    if (!rp_ok(rp_role_group(&group)) || !rp_ok(rp_role_app_group(&group))) {
        return rp_fail(diag, RP_ERR(NOT_FOUND), "the group %s or %s does not exist", RP_ROLE_GROUP,
                       RP_ROLE_APP_GROUP);
    }
    return RP_OK;
}

rp_err rp_role_users(unsigned elsewhere, char *out, size_t out_max, struct rp_diag *diag) {
    RP_ASSERT(out_max > 0);
    struct rp_buf buf = rp_buf_new(out_max);
    rp_err err = geteuid() == 0 ? print_users(elsewhere, &buf, diag) : RP_OK;
    rp_buf_add_byte(&buf, '\0');
    if (rp_ok(err)) {
        err = rp_buf_err(&buf);
    }
    if (rp_ok(err)) {
        memcpy(out, buf.p, buf.n);
    }
    rp_buf_done(&buf);
    return err;
}

/* "997:995" */
static bool read_identity(rp_view text, struct identity *ret_identity) {
    rp_view uid_text = rp_view_cut(&text, ':');
    uint64_t uid, gid;
    if (!rp_view_to_u64(uid_text, UINT32_MAX - 1, &uid) ||
        !rp_view_to_u64(text, UINT32_MAX - 1, &gid)) {
        return false;
    }
    *ret_identity = (struct identity){.uid = (uid_t)uid, .gid = (gid_t)gid};
    return true;
}

/* The role's entry in what the supervisor handed down. */
static rp_err find_handed_down(rp_view users, const char *name, struct identity *ret_identity) {
    while (users.n > 0) {
        rp_view entry = rp_view_cut(&users, ',');
        rp_view entry_name = rp_view_cut(&entry, '=');
        if (rp_view_equal(entry_name, rp_view_from_cstr(name))) {
            return read_identity(entry, ret_identity) ? RP_OK : RP_ERR(INVALID);
        }
    }
    return RP_ERR(NOT_FOUND);
}

static rp_err identity_of(enum rp_role_id id, struct identity *ret_identity) {
    const char *handed_down = getenv(USERS_VARIABLE);
    bool own_users = (handed_down && *handed_down) || geteuid() == 0;
    if (id == RP_ROLE_SUPERVISOR && own_users) {
        /* Root, who may be anyone; and where there is another machine, what speaks for its own. */
        *ret_identity = (struct identity){0};
        rp_ignore(find_handed_down(rp_view_from_cstr(handed_down), facts[id].name, ret_identity));
        return RP_OK;
    }
    if (!own_users || !facts[id].user) {
        *ret_identity = (struct identity){.uid = geteuid(), .gid = getegid()};
        return RP_OK;
    }
    if (handed_down && *handed_down) {
        return find_handed_down(rp_view_from_cstr(handed_down), facts[id].name, ret_identity);
    }
    return look_up_user(facts[id].user, ret_identity);
}

rp_err rp_role_uid(enum rp_role_id id, uid_t *ret_uid, gid_t *ret_gid) {
    RP_ASSERT(id < RP_ROLE_COUNT);
    struct identity identity = {0};
    RP_TRY(identity_of(id, &identity));
    *ret_uid = identity.uid;
    *ret_gid = identity.gid;
    return RP_OK;
}

/* ---- entry ---- */

void rp_role_close_inherited(const int *keep, size_t keep_count) {
    unsigned from = 3;
    for (;;) {
        /* The lowest descriptor to keep that is not yet behind us. */
        unsigned next = UINT32_MAX;
        for (size_t i = 0; i < keep_count; i++) {
            if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next) {
                next = (unsigned)keep[i];
            }
        }
        if (next > from) {
            (void)close_range(from, next - 1, 0);
        }
        if (next == UINT32_MAX) {
            return;
        }
        from = next + 1;
    }
}

/* After the first irreversible step there is no way back and no half-entered role. */
static void or_die(bool done, const char *what) {
    if (!done) {
        int number = errno;
        fprintf(stderr, "role entry failed: %s: %s\n", what, strerror(number));
        _exit(1);
    }
}

/*= S104 */ /* each part of the suite has a user of its own, without any privilege */
static void become(const struct identity *identity) {
    or_die(setgroups(RP_COUNT_OF(identity->groups), identity->groups) == 0, "setgroups");
    or_die(setresgid(identity->gid, identity->gid, identity->gid) == 0, "setresgid");
    or_die(setresuid(identity->uid, identity->uid, identity->uid) == 0, "setresuid");
    RP_ASSERT(setuid(0) != 0);
    RP_ASSERT(geteuid() == identity->uid);
}

/* Nothing of this process's memory reaches a file, and no program gains rights over its parent. */
static void renounce(void) {
    struct rlimit none = {0, 0};
    or_die(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
    or_die(setrlimit(RLIMIT_CORE, &none) == 0, "core limit");
    if (!RP_SANITIZED) {
        /* The leak checker traces its own process, which this would forbid. */
        or_die(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable");
    }
    umask(0027);
}

/* A change of user makes the kernel forget that we end with our parent, so it is said again. */
static void end_with_parent(void) {
    int signal_number = 0;
    (void)prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0);
    if (signal_number != 0 || getenv("REMPART_READY_FD")) {
        or_die(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0, "parent death signal");
    }
}

static rp_err count_thread(void *ctx, const char *name, bool is_folder) {
    (void)name;
    (void)is_folder;
    (*(size_t *)ctx)++;
    return RP_OK;
}

/* Landlock binds a thread and what it starts, so an older thread would stay outside. */
static rp_err check_alone(struct rp_diag *diag) {
    size_t threads = 0;
    RP_TRY(rp_folder_each("/proc/self/task", count_thread, &threads));
    return threads == 1 ? RP_OK : rp_fail(diag, RP_ERR(INVALID), "a thread runs before role entry");
}

static rp_err find_user(const struct rp_role *role, struct identity *ret_identity,
                        struct rp_diag *diag) {
    RP_ASSERT(role->user != NULL);
    struct identity identity = {0};
    if (!rp_ok(look_up_user(role->user, &identity)) || !rp_ok(rp_role_group(&identity.groups[0])) ||
        !rp_ok(rp_role_app_group(&identity.groups[1]))) {
        return rp_fail(diag, RP_ERR(DENIED),
                       "started as root, but the user %s or the group %s or %s does not exist: run "
                       "scripts/setup or install the package",
                       role->user, RP_ROLE_GROUP, RP_ROLE_APP_GROUP);
    }
    if (identity.uid == 0) {
        return rp_fail(diag, RP_ERR(DENIED), "the user %s is root", role->user);
    }
    *ret_identity = identity;
    return RP_OK;
}

rp_err rp_role_enter(const struct rp_role *role, struct rp_isolation *ret_isolation,
                     struct rp_diag *diag) {
    RP_ASSERT(role != NULL && role->id < RP_ROLE_COUNT);
    RP_ASSERT(ret_isolation != NULL);
    bool own_user = geteuid() == 0;
    struct identity identity = {0};
    RP_TRY(check_alone(diag));
    if (own_user) {
        RP_TRY(find_user(role, &identity, diag));
    }
    _cleanup_fd_ int rules = -1;
    RP_TRY(rp_landlock_prepare(role, &rules, diag));
    const int landlock_abi = rp_landlock_abi(); /* nobody may ask after entry */
    tzset(); /* gmtime_r would look for the zone later, when it can no longer be read */

    if (own_user) {
        become(&identity);
    }
    renounce();
    end_with_parent();
    /*= S105 */ /* files, network and calls: what the role's row does not name is refused */
    if (rules >= 0) {
        or_die(rp_ok(rp_landlock_enter(rules)), "landlock");
    }
    rp_fd_done(&rules);
    or_die(rp_ok(rp_filter_enter(role)), "seccomp");
    *ret_isolation = (struct rp_isolation){
        .own_user = own_user,
        .landlock_abi = landlock_abi,
        .seccomp = true,
        .network_fenced = role->connect != RP_CONNECT_INET,
    };
    return RP_OK;
}
