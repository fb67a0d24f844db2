#include "os/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/sanitizer.h"

/* ABI 3 to 6, as linux/landlock.h of 6.12 has them. */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP UINT64_C(1)
#define NET_CONNECT_TCP UINT64_C(2)
#define SCOPE_ABSTRACT_UNIX UINT64_C(1)
#define SCOPE_SIGNAL UINT64_C(2)

#define RULE_NET_PORT 2

struct net_port {
    uint64_t allowed_access, port;
};

struct ruleset {
    uint64_t handled_fs;
    uint64_t handled_net;
    uint64_t scoped;
};

/* What a file, not a folder, can be granted. */
static const uint64_t FILE_RIGHTS = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                    LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
static const uint64_t READ_RIGHTS = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t WRITE_RIGHTS = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                     LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE;

int rp_landlock_abi(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

/* Every file right that the kernel knows is handled, so that what no rule grants is refused. */
static uint64_t handled_fs(int abi) {
    int count = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return (UINT64_C(1) << count) - 1;
}

static struct ruleset ruleset_of(const struct rp_role *role, int abi) {
    bool inet = role->connect == RP_CONNECT_INET && role->any_port;
    return (struct ruleset){
        .handled_fs = handled_fs(abi),
        .handled_net = abi < 4 ? 0
                       : inet  ? NET_BIND_TCP
                               : NET_BIND_TCP | NET_CONNECT_TCP,
        .scoped = abi >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0,
    };
}

static rp_err add_path(int ruleset, uint64_t handled, const struct rp_role_path *path,
                       struct rp_diag *diag) {
    RP_ASSERT(path->path != NULL && path->access != 0);
    _cleanup_fd_ int fd = open(path->path, O_PATH | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && path->optional) {
        return RP_OK;
    }
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        return rp_fail(diag, rp_err_from_errno(errno), "%s: cannot be opened", path->path);
    }
    uint64_t rights = ((path->access & RP_ACCESS_READ) ? READ_RIGHTS : 0) |
                      ((path->access & RP_ACCESS_WRITE) ? WRITE_RIGHTS : 0) |
                      ((path->access & RP_ACCESS_EXECUTE) ? LANDLOCK_ACCESS_FS_EXECUTE : 0);
    if (!S_ISDIR(st.st_mode)) {
        rights &= FILE_RIGHTS;
    }
    struct landlock_path_beneath_attr rule = {.allowed_access = rights & handled, .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
        return rp_fail(diag, rp_err_from_errno(errno), "%s: landlock refuses the rule", path->path);
    }
    return RP_OK;
}

/* Port 0 is "one of the kernel's choice": what connects gets it; a port that others would know is
 * still refused. */
static rp_err add_own_address(int ruleset, const struct rp_role *role, const struct ruleset *set,
                              struct rp_diag *diag) {
    const struct net_port any = {.allowed_access = NET_BIND_TCP, .port = 0};
    bool here = role->own_address && (set->handled_net & NET_BIND_TCP);
    if (here && syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &any, 0) != 0) {
        return rp_fail(diag, rp_err_from_errno(errno), "landlock refuses the rule of addresses");
    }
    return RP_OK;
}

/*= S71 */ /* a port that nothing was named at is not connected to */
static rp_err add_ports(int ruleset, const struct rp_role *role, const struct ruleset *set,
                        struct rp_diag *diag) {
    bool listed = role->connect == RP_CONNECT_INET && (set->handled_net & NET_CONNECT_TCP);
    for (size_t i = 0; listed && i < role->port_count; i++) {
        const struct net_port one = {.allowed_access = NET_CONNECT_TCP, .port = role->ports[i]};
        if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &one, 0) != 0) {
            return rp_fail(diag, rp_err_from_errno(errno), "landlock refuses the port %u",
                           role->ports[i]);
        }
    }
    return RP_OK;
}

rp_err rp_landlock_prepare(const struct rp_role *role, int *ret_fd, struct rp_diag *diag) {
    RP_ASSERT(role != NULL && ret_fd != NULL);
    int abi = rp_landlock_abi();
    if (abi == 0) {
        *ret_fd = -1;
        return RP_OK;
    }
    struct ruleset set = ruleset_of(role, abi);
    /* An older kernel takes a longer struct when what it does not know is zero. */
    _cleanup_fd_ int fd = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
    if (fd < 0) {
        return rp_fail(diag, rp_err_from_errno(errno), "landlock refuses the rule set");
    }
    for (size_t i = 0; i < role->path_count; i++) {
        RP_TRY(add_path(fd, set.handled_fs, &role->paths[i], diag));
    }
    RP_TRY(add_own_address(fd, role, &set, diag));
    RP_TRY(add_ports(fd, role, &set, diag));
    /* The leak checker reads its own process there; only sanitizer builds have it. */
    static const struct rp_role_path proc = {"/proc", RP_ACCESS_READ, true};
    if (RP_SANITIZED) {
        RP_TRY(add_path(fd, set.handled_fs, &proc, diag));
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

rp_err rp_landlock_enter(int fd) {
    RP_ASSERT(fd >= 0);
    return syscall(SYS_landlock_restrict_self, fd, 0) == 0 ? RP_OK : rp_err_from_errno(errno);
}
