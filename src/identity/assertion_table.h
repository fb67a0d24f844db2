/* assertion_table.h — signed assertions, minted by core (through the kms), copied by the gate.
 *
 * run/assertions.tab: a page of header, then 1 KiB slots found by SHA-256(session ‖ app), four
 * ways a set, the oldest replaced. The gate never signs: on a miss it asks core by an internal
 * subrequest and looks again. Seqlock and distrust as in session_table.h.
 */
#ifndef RP_IDENTITY_ASSERTION_TABLE_H
#define RP_IDENTITY_ASSERTION_TABLE_H

#include "base/err.h"
#include "base/id.h"

enum {
    RP_ASSERTION_MAGIC = 0x54415052, /* "RPAT" */
    RP_ASSERTION_VERSION = 1,
    RP_ASSERTION_SLOTS = 4096,
    RP_ASSERTION_BYTES = 968, /* of jwt, email and roles together */
    RP_ASSERTION_FRESH_MS = 30 * 1000,
    RP_ASSERTION_AHEAD_MS =
        1000 /* a worker looks at the clock once a turn, core does when it mints */
};

struct rp_assertion_entry {
    rp_view jwt, email, roles;
    int64_t minted_ms;
};

size_t rp_assertion_table_bytes(void);
void rp_assertion_table_init(void *table);
rp_err rp_assertion_table_check(const void *table, size_t n);
/* TOO_LARGE when the three texts do not fit a slot. */
rp_err rp_assertion_table_put(void *table, rp_id session, rp_view app,
                              const struct rp_assertion_entry *entry);
/* Copies the texts into out and points *ret_entry there. NOT_FOUND when there is none younger
 * than RP_ASSERTION_FRESH_MS. */
rp_err rp_assertion_table_get(const void *table, rp_id session, rp_view app, int64_t now_ms,
                              uint8_t out[static RP_ASSERTION_BYTES],
                              struct rp_assertion_entry *ret_entry);

#endif
