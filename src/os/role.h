/* role.h — what a role may touch, as one table row, and the one function that makes it true.
 *
 * Entered once, after the program has opened what it needs and before it reads a stranger's
 * byte: close what was inherited, drop to the role's own user, no new privileges, no core
 * files, Landlock for files (EACCES for the rest), seccomp for calls (default: kill). A kernel
 * without Landlock, or a start without root, is reported, never hidden.
 *
 * Promises: S104 and S105 (least privilege).
 */
#ifndef RP_OS_ROLE_H
#define RP_OS_ROLE_H

#include <sys/types.h>

#include "base/err.h"

enum rp_role_id {
    RP_ROLE_NONE,
    RP_ROLE_SUPERVISOR,
    RP_ROLE_LEDGER,
    RP_ROLE_KMS,
    RP_ROLE_CORE,
    RP_ROLE_GATE,
    RP_ROLE_PROBE,
    RP_ROLE_HUNT,
    RP_ROLE_COURIER,
    RP_ROLE_ACME,
    RP_ROLE_LINK,
    RP_ROLE_VAULT,
    RP_ROLE_WITNESS,
    RP_ROLE_DIAL,
    RP_ROLE_CLI,
    RP_ROLE_COUNT
};

/* The group of all roles: it opens the sockets in run/ and the files that one writes for all. */
#define RP_ROLE_GROUP "rempart"
/* The group of applications: it opens run/api.sock and apps/NAME.token, and nothing else. */
#define RP_ROLE_APP_GROUP "rempart-app"

enum rp_connect { RP_CONNECT_NEVER, RP_CONNECT_UNIX, RP_CONNECT_INET };
enum rp_access { /* a set */
                 RP_ACCESS_READ = 1,
                 RP_ACCESS_WRITE = 2,  /* write, create, rename, remove */
                 RP_ACCESS_EXECUTE = 4 /* start it as a program; with `programs` only */
};

struct rp_role_path {
    const char *path; /* relative to the state folder, or absolute */
    unsigned access;  /* set of rp_access */
    bool optional;    /* absent is not an error */
};

struct rp_role {
    enum rp_role_id id;
    const char *name; /* "core" */
    const char *user; /* "rempart-core" */
    enum rp_connect connect;
    bool threads;  /* may start threads after entry */
    bool programs; /* may start programs, those that a path grants; they stay in the same walls */
    bool own_address;      /* may say from which of this machine's addresses it connects */
    bool datagrams;        /* with INET: UDP too, which a name server is asked by */
    bool any_port;         /* with INET: not the ports alone that follow */
    const uint16_t *ports; /* with INET: of TCP, where it may connect to (Landlock, Linux 6.7) */
    size_t port_count;
    const struct rp_role_path *paths;
    size_t path_count;
};

/* What isolation really stands; printed by `rempart status` and shown on the trust page. */
struct rp_isolation {
    bool own_user;
    int landlock_abi; /* 0 = the kernel has none */
    bool seccomp;
    bool network_fenced;
};

/* The first call of a role's main: closes every descriptor from 3 up that came through exec, but
 * those in keep. What we open later is CLOEXEC and stays. */
void rp_role_close_inherited(const int *keep, size_t keep_count);

/* Before any thread starts. Irreversible. Afterwards the user database cannot be read and, with
 * connect NEVER, nothing may be looked up by name. DENIED when the user is missing though we are
 * root; never half-entered: any failure after the first irreversible step ends the process. */
rp_err rp_role_enter(const struct rp_role *role, struct rp_isolation *ret_isolation,
                     struct rp_diag *diag);

const char *rp_role_name(enum rp_role_id id);
const char *rp_role_user(enum rp_role_id id);
/* The users of all roles, for the environment of those that we start ("REMPART_USERS=…"): after
 * entry nobody can ask the user database. Empty text without root; NOT_FOUND names the first
 * missing user or group in diag. Where `elsewhere` (a set of roles, 1 << id) says that a role runs
 * on another machine, the link speaks for it here: the role's user is the link's, and nobody
 * else's. Without such a role there is no link, and no need of its user. */
rp_err rp_role_users(unsigned elsewhere, char *out, size_t out_max, struct rp_diag *diag);
/* The groups RP_ROLE_GROUP and RP_ROLE_APP_GROUP; NOT_FOUND when one does not exist. */
rp_err rp_role_group(gid_t *ret_gid);
rp_err rp_role_app_group(gid_t *ret_gid);
/* The uid that the role runs under: what REMPART_USERS says; else its own user's when we are
 * root (NOT_FOUND when it does not exist), else ours. */
rp_err rp_role_uid(enum rp_role_id id, uid_t *ret_uid, gid_t *ret_gid);

#endif
