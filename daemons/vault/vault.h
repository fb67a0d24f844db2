/* vault.h — rempart-vault: the copy of a log on a machine that nobody of the log's can enter.
 *
 * Core sends; what is taken is decided by src/ledger/vault_io.h, against the key that this
 * machine's own file names. It reads no file but its copy and speaks to nobody. What it refuses, it
 * keeps on record itself, because whoever is refused may hold the log.
 *
 * One loop, one thread: a checkpoint waits for the disk, and whoever asks meanwhile waits too.
 */
#ifndef RP_DAEMONS_VAULT_H
#define RP_DAEMONS_VAULT_H

#include "daemon.h"
#include "ipc/ipc.h"
#include "ledger/vault_message_io.h"
#include "machine.h"

enum { VAULT_REFUSALS = 32 };

/* One kind of refusal: written at once, and then again after a while with how many there were. */
struct refusal {
    enum rp_role_id from;
    uint32_t message;
    rp_err err;
    int64_t written_ms; /* monotonic; 0 = this place is free */
    uint64_t more;      /* since then */
};

struct keeper {
    struct daemon daemon;
    struct rp_disk disk;
    struct rp_vault *copy;
    struct rp_ipc_server *server;
    struct rp_buf reply;
    struct machine_mark machine;
    struct rp_timer *timer;
    struct refusal refusals[VAULT_REFUSALS];
    uint64_t refused, probed; /* since the start: by the probe, and by anybody else */
    int64_t head_s;           /* when the last checkpoint was kept */
};

/* ---- refused.c: vault/journal/refused.jsonl ---- */
/* The probe's own attacks are counted; the first of each kind in a while is written, like all. */
void refused_note(struct keeper *keeper, enum rp_role_id from, uint32_t message, rp_err err,
                  const char *detail);

/* ---- tally.c: run/vault.json ---- */
void tally_write(void *keeper);

#endif
