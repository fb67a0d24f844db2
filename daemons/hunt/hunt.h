/* hunt.h — the file probes: what the state folder gives away to somebody who can read it.
 *
 * The role sees every file but the key service's, writes none of them, and has no network. It
 * plays the thief of a disk: whatever it can understand, a thief would.
 */
#ifndef RP_DAEMONS_HUNT_H
#define RP_DAEMONS_HUNT_H

#include "config/config.h"
#include "crypto/hash.h"
#include "event/event.h"
#include "ipc/ipc.h"
#include "ledger/read_io.h"
#include "machine.h"
#include "promise/runner_io.h"
#include "register/schema.h"
#include "store/inspect.h"

enum { HUNT_SOCKET_LISTS = 4, HUNT_ROLES = 12 };

/* The kernel's lists of sockets, and the users whose sockets they may name. */
struct hunt_sockets {
    int lists[HUNT_SOCKET_LISTS]; /* -1: the kernel has no such list */
    uid_t roles[HUNT_ROLES];
    size_t role_count; /* 0: the roles have no users of their own */
};

/* What was written into the log, and where it stands. */
struct hunt_canary {
    uint64_t index;
    struct rp_sha256 digest;
};

struct hunt {
    struct rp_env env;
    const struct rp_config *config;
    const struct rp_promises *promises;
    struct hunt_sockets sockets;
    struct machine_mark machine;
    const struct rp_registers *registers;
    bool second_factor;   /* the configuration demands one of everybody */
    uint64_t direct_seen; /* requests that had come past the provider at the last look */
    atomic_bool stopping;
    bool has_canaries; /* of the run before */
    struct hunt_canary canaries[RP_STREAM_COUNT];
};

rp_probe_run hunt_plaintext, hunt_aes_header;
rp_probe_run hunt_deletions_justified, hunt_purge_canary, hunt_purge_oldest;
rp_probe_run hunt_keys_other_host, hunt_no_master_here;
rp_probe_run hunt_files_cross_read, hunt_key_inventory, hunt_wrapped_only, hunt_audit_complete;

/* Opens the kernel's lists; before role entry, after which nothing of /proc can be opened. */
void hunt_find_sockets(struct hunt *hunt);
rp_probe_run hunt_open_ports, hunt_layers, hunt_roles_walled;
rp_probe_run hunt_tamper_refused;
rp_probe_run hunt_streams, hunt_access_explained;
rp_probe_run hunt_no_record_copy, hunt_field_map, hunt_mfa_share;
rp_probe_run hunt_operators_checked, hunt_running_approved;
rp_probe_run hunt_witnessed;
rp_probe_run hunt_provider_path;

/* The registers' own state, one probe a rule of src/register/rules.def. */
#define RP_STATE_RULE(name, probe, reg, where, must, least, words) rp_probe_run hunt_rule_##name;
#include "register/rules.def"
#undef RP_STATE_RULE

/* Walks all tenants' databases; `look` returns false when it has concluded. Unsure when a file
 * cannot be read. Returns how many files were looked at, 0 when somebody concluded. */
size_t hunt_each_tenant(const struct hunt *hunt, struct rp_observation *seen,
                        bool (*look)(void *ctx, struct rp_db *db, rp_id tenant, const char *file),
                        void *ctx);

/* ---- apart.c ---- */

/* A question without words, wherever the key service runs. */
rp_err hunt_ask_kms(enum rp_ipc_message message, struct rp_buf *reply);

/* ---- files.c ---- */

/* Every file below the folder, until look returns false. A folder that is not there is fine. */
typedef bool hunt_look(void *ctx, const char *path);
rp_err hunt_each_file(const char *folder, hunt_look *look, void *ctx);

/* ---- log.c ---- */

/* A tenant's log, when it holds as many events as its database had made; waits for them. TIMEOUT.
 */
rp_err hunt_open_log(const struct hunt *hunt, rp_id tenant, uint64_t last, struct rp_log **ret_log);
/* Each entry from the first on; the arena is its own until the next. */
typedef rp_err hunt_event(void *ctx, rp_view bytes, struct rp_arena *arena);
rp_err hunt_each_event(struct rp_log *log, uint64_t last, hunt_event *each, void *ctx);
void hunt_log_freep(struct rp_log **log);

#endif
