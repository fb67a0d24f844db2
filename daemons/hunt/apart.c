/* apart.c — S86: is the key service on another machine than the data, and is nothing of it here?
 *
 * Each machine has a mark that tells it from others without naming it (machine.h). The key service
 * is asked for its own, by the way on which keys are lent; and every file that we may read is
 * looked at for what only the key service writes.
 */
#include <sys/stat.h>

#include "base/checked.h"
#include "hunt.h"
#include "keys/keyring.h"
#include "keys/root.h"
#include "os/file.h"

enum { DEADLINE_MS = 5000 };

static const char together[] =
    RP_WORDS("The key service must run on a different machine from the data; on "
             "one machine the separation is that of processes and users.");

rp_err hunt_ask_kms(enum rp_ipc_message message, struct rp_buf *reply) {
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_HUNT, RP_ROLE_KMS, DEADLINE_MS);
    rp_err err =
        client ? rp_ipc_call(client, message, (rp_view){NULL, 0}, reply) : RP_ERR(NO_MEMORY);
    rp_ipc_client_free(client);
    return err;
}

/* ---- the two machines ---- */

struct place {
    struct rp_sha256 machine;
    unsigned from_here, from_there; /* kinds of question that it may be asked, seen from there */
};

static rp_err ask_place(struct place *ret_place) {
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    struct place place;
    RP_TRY(hunt_ask_kms(RP_IPC_HUNT_KMS_PLACE, &reply));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    rp_view mark = rp_unpack_bytes(&in, RP_SHA256);
    place.from_here = rp_unpack_u16(&in);
    place.from_there = rp_unpack_u16(&in);
    RP_TRY(rp_unpack_end(&in));
    if (mark.n != RP_SHA256) {
        return RP_ERR(PROTOCOL);
    }
    memcpy(place.machine.b, mark.p, RP_SHA256);
    *ret_place = place;
    return RP_OK;
}

/*= S86: the master keys are on another machine than the data. */
void hunt_keys_other_host(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct place place;
    if (rp_config_runs_here(hunt->config, RP_ROLE_KMS)) {
        rp_probe_not_met(seen, "%s", together);
        return;
    }
    rp_err err = ask_place(&place);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the key service does not say where it runs: %s",
                        rp_err_text(err, RP_EN));
    } else if (!hunt->machine.known) {
        rp_probe_unsure(seen, "this machine has no /etc/machine-id to be told by");
    } else if (rp_sha256_equal(&place.machine, &hunt->machine.hash)) {
        rp_probe_broken(seen, "the key service answers from this very machine: both have the same "
                              "/etc/machine-id");
    } else {
        rp_probe_holds(seen,
                       "the key service runs on another machine, which lets in one key of TLS; "
                       "from there %u kinds of question may come, and %u from that machine itself",
                       place.from_there, place.from_here);
    }
}

/* ---- what lies here ---- */

struct searching {
    struct rp_observation *seen;
    struct rp_arena *arena;
    size_t files;
    bool concluded;
};

static bool is_named_key(const char *path) {
    rp_view name = rp_view_from_cstr(path);
    return rp_view_ends(name, RP_VIEW("/unseal.key"));
}

/* A ring of master keys or a sealed root, by their own form; neither is ever longer than we read.
 */
static rp_err holds_keys(struct searching *searching, const char *path, bool *ret_holds) {
    struct rp_keyring ring;
    struct rp_root_seal root;
    rp_view bytes = {NULL, 0};
    rp_arena_reset(searching->arena);
    rp_err err = rp_file_read(path, RP_KEYRING_BYTES_MAX, searching->arena, &bytes);
    if (rp_is(err, RP_E_TOO_LARGE) || rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK; /* longer than a ring; or it went away while we walked */
    }
    RP_TRY(err);
    *ret_holds = rp_ok(rp_keyring_parse(bytes, &ring)) || rp_ok(rp_root_parse(bytes, &root));
    return RP_OK;
}

static bool look_at_file(void *ctx, const char *path) {
    struct searching *searching = ctx;
    bool holds = is_named_key(path);
    searching->files++;
    rp_err err = holds || strcmp(path, "ledger/key") == 0 /* the log's own, nobody's to read */
                     ? RP_OK
                     : holds_keys(searching, path, &holds);
    if (holds) {
        rp_probe_broken(searching->seen, "%.120s holds keys of the key service", path);
    } else if (!rp_ok(err)) {
        rp_probe_unsure(searching->seen, "%.120s cannot be read: %s", path,
                        rp_err_text(err, RP_EN));
    }
    searching->concluded = holds || !rp_ok(err);
    return !searching->concluded;
}

/* The folder, and who stands where the key service would be asked. */
static bool is_served_here(struct rp_observation *seen) {
    struct stat st;
    uid_t link;
    gid_t group;
    if (stat("kms", &st) == 0) {
        rp_probe_broken(seen, "the folder kms is here: its place is the other machine");
        return true;
    }
    bool strangers = stat("run/kms.sock", &st) == 0 &&
                     rp_ok(rp_role_uid(RP_ROLE_LINK, &link, &group)) && st.st_uid != link;
    if (strangers) {
        rp_probe_broken(seen, "user %u, and not the link, stands where the key service is asked",
                        st.st_uid);
    }
    return strangers;
}

static void look_everywhere(struct searching *searching) {
    /* Not probe/, where the probe keeps what is nobody else's to read. */
    static const char *const folders[] = {"db",   "tenants", "ledger", "log",
                                          "apps", "canary",  "hunt"};
    for (size_t i = 0; i < RP_COUNT_OF(folders) && !searching->concluded; i++) {
        rp_err err = hunt_each_file(folders[i], look_at_file, searching);
        if (!rp_ok(err)) {
            searching->concluded = true;
            rp_probe_unsure(searching->seen, "%s cannot be walked: %s", folders[i],
                            rp_err_text(err, RP_EN));
        }
    }
}

/*= S86: whoever takes the data's machine finds no master key on it. */
void hunt_no_master_here(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(2 * RP_KEYRING_BYTES_MAX);
    struct searching searching = {.seen = seen, .arena = arena};
    if (rp_config_runs_here(hunt->config, RP_ROLE_KMS)) {
        rp_probe_not_met(seen, "%s", together);
        return;
    }
    if (!arena) {
        rp_probe_unsure(seen, "out of memory");
        return;
    }
    if (is_served_here(seen)) {
        return;
    }
    look_everywhere(&searching);
    if (!searching.concluded) {
        rp_probe_holds(seen,
                       "no folder kms, nobody but the link where keys are asked for, and none of "
                       "%zu files is a ring of keys, a sealed root or a key file",
                       searching.files);
    }
}
