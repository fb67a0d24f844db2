/* vault.h — a whole ledger in a folder of its own, driven step by step, for the tests of its parts.
 */
#ifndef RP_TESTS_LEDGER_VAULT_H
#define RP_TESTS_LEDGER_VAULT_H

#include "ledger/engine_io.h"
#include "ledger/forest_io.h"
#include "unit.h"

struct vault {
    char *folder; /* absolute; the working directory while the vault is open */
    struct rp_env env;
    struct rp_disk disk;
    struct rp_grow_home home;
    struct rp_engine *engine;
    struct rp_forest *forest;
    struct rp_engine_start start;
    uint64_t segment_bytes;
    uint64_t counter; /* makes each event's bytes its own */
};

extern const struct rp_tree vault_public, vault_operator;
struct rp_tree vault_tenant(uint8_t n);

/* New folder and key. */
void vault_new(struct vault *vault);
void vault_remove(struct vault *vault);
/* What the program does at its start, and what a crash leaves undone. */
rp_err vault_try_open(struct vault *vault, struct rp_diag *diag);
void vault_open(struct vault *vault);
void vault_close(struct vault *vault);

/* One event of about `bytes` bytes, staged. */
rp_err vault_stage(struct vault *vault, struct rp_tree tree, rp_id stream, uint64_t sequence,
                   size_t bytes, uint64_t *ret_next);
/* n events, committed. */
void vault_add(struct vault *vault, struct rp_tree tree, unsigned n);
void vault_derive(struct vault *vault);
void vault_publish(struct vault *vault);
/* Plans, appends, derives and publishes an anchor; the trees in it. */
size_t vault_anchor(struct vault *vault);
/* Writes an access segment and its leaf. */
void vault_access(struct vault *vault, uint64_t time_ms);

#endif
